#include "arc/catalog/sqlite_disk_vfs.h"

#include <gtest/gtest.h>

#include "arc/catalog/sqlite_database.h"
#include "arc/io/power_cut_disk.h"

namespace arc {
namespace {

std::unique_ptr<SqliteDatabase> MustOpen(PowerCutDisk& disk) {
  Result<std::unique_ptr<SqliteDatabase>> database = SqliteDatabase::Open("/file.db", disk);
  EXPECT_TRUE(database.ok()) << database.error().message;
  return std::move(*database);
}

std::string One(SqliteDatabase& database, const char* sql) {
  Result<std::vector<SqliteDatabase::Row>> rows = database.Query(sql);
  if (!rows.ok()) return "error: " + rows.error().message;
  return rows->size() == 1 && (*rows)[0][0].has_value() ? *(*rows)[0][0] : "not one value";
}

TEST(SqliteDiskVfs, OnePerDiskWhileHeld) {
  PowerCutDisk first;
  PowerCutDisk second;
  std::shared_ptr<SqliteDiskVfs> vfs = *SqliteDiskVfs::For(first);
  EXPECT_EQ(*SqliteDiskVfs::For(first), vfs);
  EXPECT_NE(*SqliteDiskVfs::For(second), vfs);
  std::string name = vfs->name();
  EXPECT_NE(sqlite3_vfs_find(name.c_str()), nullptr);
  EXPECT_STRNE(sqlite3_vfs_find(nullptr)->zName, name.c_str());  // never the default
  vfs.reset();
  EXPECT_EQ(sqlite3_vfs_find(name.c_str()), nullptr);
}

TEST(SqliteDiskVfs, RunsTransactionsLargerThanTheCache) {
  PowerCutDisk disk;
  std::unique_ptr<SqliteDatabase> database = MustOpen(disk);
  constexpr const char* kFill =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
      "INSERT INTO t SELECT i, randomblob(400) FROM n";
  ASSERT_TRUE(database->Query("PRAGMA cache_size = 10").ok());
  ASSERT_TRUE(database->Change("CREATE TABLE t (i INTEGER PRIMARY KEY, b BLOB)").ok());
  ASSERT_TRUE(database->Change("BEGIN").ok());
  ASSERT_TRUE(database->Change(kFill).ok());
  ASSERT_TRUE(database->Change("ROLLBACK").ok());
  EXPECT_EQ(One(*database, "SELECT count(*) FROM t"), "0");
  EXPECT_EQ(*database->Change(kFill), 3000);
  EXPECT_EQ(One(*database, "SELECT count(DISTINCT b) FROM (SELECT b FROM t ORDER BY b)"), "3000");
  EXPECT_EQ(One(*database, "PRAGMA integrity_check"), "ok");
  ASSERT_TRUE(database->Change("DELETE FROM t WHERE i > 10").ok());
  ASSERT_TRUE(database->Change("VACUUM").ok());
  EXPECT_EQ(One(*MustOpen(disk), "SELECT count(*) FROM t"), "10");
  EXPECT_LT(disk.Stat("/file.db")->bytes, 100'000);
}

TEST(SqliteDiskVfs, ConnectionsKeepOutOfEachOthersWay) {
  PowerCutDisk disk;
  std::unique_ptr<SqliteDatabase> first = MustOpen(disk);
  std::unique_ptr<SqliteDatabase> second = MustOpen(disk);
  ASSERT_TRUE(first->Change("CREATE TABLE t (i)").ok());
  ASSERT_TRUE(second->Query("PRAGMA busy_timeout = 1").ok());
  ASSERT_TRUE(first->Change("BEGIN IMMEDIATE").ok());
  ASSERT_TRUE(first->Change("INSERT INTO t VALUES (1)").ok());
  EXPECT_EQ(One(*second, "SELECT count(*) FROM t"), "0");
  Result<int64_t> refused = second->Change("INSERT INTO t VALUES (2)");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  ASSERT_TRUE(second->Change("BEGIN").ok());
  EXPECT_EQ(One(*second, "SELECT count(*) FROM t"), "0");  // holds a shared lock now
  ASSERT_TRUE(first->Query("PRAGMA busy_timeout = 1").ok());
  EXPECT_FALSE(first->Change("COMMIT").ok());
  ASSERT_TRUE(second->Change("COMMIT").ok());
  EXPECT_TRUE(first->Change("COMMIT").ok());
  EXPECT_EQ(One(*second, "SELECT count(*) FROM t"), "1");
}

TEST(SqliteDiskVfs, RefusesWalMode) {
  PowerCutDisk disk;
  EXPECT_EQ(One(*MustOpen(disk), "PRAGMA journal_mode = WAL"), "truncate");
}

TEST(SqliteDiskVfs, AMissingFolderAndAFolderInThePlaceAreErrors) {
  PowerCutDisk disk;
  EXPECT_FALSE(SqliteDatabase::Open("/none/file.db", disk).ok());
  ASSERT_TRUE(disk.CreateDirectories("/folder").ok());
  EXPECT_FALSE(SqliteDatabase::Open("/folder", disk).ok());
}

}  // namespace
}  // namespace arc
