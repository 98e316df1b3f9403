#include "arc/query/change_statement.h"

#include <gtest/gtest.h>

namespace arc {
namespace {

std::string Parsed(const std::string& sql) {
  const auto change = ParseChange(sql);
  if (!change) return "none";
  std::string text = change->kind == ChangeStatement::Kind::kDelete      ? "delete "
                     : change->kind == ChangeStatement::Kind::kDropTable ? "drop table "
                                                                         : "drop database ";
  text += change->database + "." + change->table;
  if (change->dry_run) text += " dry";
  if (change->all_rows) text += " all";
  if (change->if_exists) text += " if exists";
  return text;
}

TEST(ChangeStatement, Deletes) {
  EXPECT_EQ(Parsed("DELETE FROM db.cpu WHERE host = 'a'"), "delete db.cpu");
  EXPECT_EQ(Parsed("/* why */ delete from cpu where true -- all"), "delete .cpu");
  EXPECT_EQ(Parsed("DELETE FROM default.cpu AS c WHERE c.x > 1;"), "delete default.cpu");
  EXPECT_EQ(Parsed("DELETE FROM arc.db.cpu WHERE x IN (SELECT x FROM other)"), "delete db.cpu");
  EXPECT_EQ(Parsed("DELETE FROM \"my db\".\"c\"\"pu\""), "delete my db.c\"pu all");
  EXPECT_EQ(Parsed("TRUNCATE db.cpu"), "delete db.cpu all");
  EXPECT_EQ(Parsed("EXPLAIN DELETE FROM cpu WHERE x = 1"), "delete .cpu dry");
  EXPECT_EQ(Parsed("EXPLAIN ANALYZE DELETE FROM cpu WHERE x = 1"), "none");
}

TEST(ChangeStatement, Drops) {
  EXPECT_EQ(Parsed("DROP TABLE db.cpu"), "drop table db.cpu");
  EXPECT_EQ(Parsed("drop table if exists cpu"), "drop table .cpu if exists");
  EXPECT_EQ(Parsed("DROP DATABASE db"), "drop database db.");
  EXPECT_EQ(Parsed("DROP DATABASE IF EXISTS db"), "drop database db. if exists");
  EXPECT_EQ(Parsed("/* all */ drop -- of it\n database default;"), "drop database default.");
  EXPECT_EQ(Parsed("DROP SCHEMA db CASCADE"), "drop database db.");
  EXPECT_EQ(Parsed("DROP TABLE database"), "drop table .database");
  EXPECT_EQ(Parsed("DROP DATABASES db"), "none");
  EXPECT_EQ(Parsed("DROP VIEW v"), "none");
  EXPECT_EQ(Parsed("EXPLAIN DROP TABLE cpu"), "none");
}

TEST(ChangeStatement, AllElseIsTheQueryEnginesToJudge) {
  for (const char* sql : {"SELECT 'delete'", "SELECT 1", "", "DELETE", "DELETE FROM a; DELETE FROM b",
                          "DELETE FROM memory.main.cpu", "SELECT 1; DROP TABLE a", "INSERT INTO deleted VALUES (1)"}) {
    EXPECT_EQ(Parsed(sql), "none") << sql;
  }
  EXPECT_EQ(Parsed(std::string("DELETE FROM a\0 WHERE x", 22)), "none");
}

}  // namespace
}  // namespace arc
