#include "arc/query/statement.h"

#include <gtest/gtest.h>

#include "arc/query/catalog_for_test.h"

namespace arc {
namespace {

TEST(QuoteDefault, OnlyTheWordAndOnlyWhereItIsAToken) {
  EXPECT_EQ(QuoteDefault("SELECT * FROM default.cpu"), "SELECT * FROM \"default\".cpu");
  EXPECT_EQ(QuoteDefault("SELECT DEFAULT . cpu.host FROM Default.cpu"),
            "SELECT \"DEFAULT\" . cpu.host FROM \"Default\".cpu");
  EXPECT_EQ(QuoteDefault("SHOW TABLES FROM default"), "SHOW TABLES FROM \"default\"");
  EXPECT_EQ(QuoteDefault("SELECT 'default.cpu' FROM \"default\".cpu"), "SELECT 'default.cpu' FROM \"default\".cpu");
  EXPECT_EQ(QuoteDefault("SELECT defaults, my_default, $$default$$ -- default\n/* default */"),
            "SELECT defaults, my_default, $$default$$ -- default\n/* default */");
  EXPECT_EQ(QuoteDefault("SELECT 1"), "SELECT 1");
  EXPECT_EQ(QuoteDefault("SELECT 'unterminated default"), "SELECT 'unterminated default");
}

class CheckStatementTest : public ::testing::Test {
 protected:
  std::string Check(const std::string& sql) {
    try {
      CheckedStatement checked = CheckStatement(sql, {}, catalog_);
      return checked.statement->ToString();
    } catch (const std::exception& exception) {
      return duckdb::ErrorData(exception).Message();
    }
  }
  CatalogForTest catalog_;
};

TEST_F(CheckStatementTest, DatabasesBecomeSchemasOfOurCatalog) {
  EXPECT_EQ(Check("SELECT * FROM memory.cpu"), "SELECT * FROM arc.memory.cpu");
  EXPECT_EQ(Check("SELECT * FROM cpu"), "SELECT * FROM cpu");
  EXPECT_EQ(Check("SELECT (SELECT max(x) FROM metrics.a) FROM information_schema.tables"),
            "SELECT (SELECT max(x) FROM arc.metrics.a) FROM information_schema.\"tables\"");
  EXPECT_NE(Check("SELECT * FROM nosuch.cpu").find("arc.nosuch.cpu"), std::string::npos);
}

TEST_F(CheckStatementTest, ShowStatementsBecomeOurFunctions) {
  EXPECT_EQ(Check("SHOW DATABASES"), "SELECT * FROM arc_show_databases()");
  EXPECT_EQ(Check("SHOW SCHEMAS"), "SELECT * FROM arc_show_databases()");
  EXPECT_EQ(Check("SHOW TABLES"), "SELECT * FROM arc_show_tables(NULL)");
  EXPECT_EQ(Check("SHOW TABLES FROM metrics"), "SELECT * FROM arc_show_tables('metrics')");
  EXPECT_EQ(Check("SHOW ALL TABLES"), "SELECT * FROM arc_show_tables()");
  EXPECT_EQ(Check("SELECT count(*) FROM (SHOW TABLES)"),
            "SELECT count_star() FROM (SELECT * FROM arc_show_tables(NULL))");
}

TEST_F(CheckStatementTest, EverythingThatIsNotAQueryIsRefused) {
  for (const char* sql : {"CREATE TABLE t(a INT)",
                          "CREATE TEMP TABLE t AS SELECT 1",
                          "CREATE VIEW v AS SELECT 1",
                          "CREATE MACRO m(a) AS a",
                          "CREATE TYPE t AS ENUM ('a')",
                          "CREATE SECRET s (TYPE s3)",
                          "INSERT INTO t VALUES (1)",
                          "DELETE FROM t",
                          "UPDATE t SET a = 1",
                          "DROP TABLE t",
                          "ALTER TABLE t ADD COLUMN a INT",
                          "TRUNCATE t",
                          "COPY t TO 'x'",
                          "COPY (SELECT 1) TO 'x'",
                          "COPY t FROM 'x'",
                          "ATTACH ':memory:' AS m",
                          "DETACH m",
                          "USE m",
                          "SET threads = 1",
                          "RESET threads",
                          "SET VARIABLE a = 1",
                          "PRAGMA database_list",
                          "PRAGMA table_info('t')",
                          "CALL pragma_version()",
                          "EXPORT DATABASE 'x'",
                          "IMPORT DATABASE 'x'",
                          "INSTALL httpfs",
                          "LOAD httpfs",
                          "PREPARE p AS SELECT 1",
                          "EXECUTE p",
                          "DEALLOCATE p",
                          "BEGIN",
                          "COMMIT",
                          "ROLLBACK",
                          "CHECKPOINT",
                          "VACUUM",
                          "ANALYZE",
                          "EXPLAIN CREATE TABLE t(a INT)",
                          "EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
                          "EXPLAIN PRAGMA x",
                          "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE",
                          "COMMENT ON TABLE t IS 'x'",
                          "UPDATE EXTENSIONS",
                          "SHOW VARIABLES"}) {
    std::string answer = Check(sql);
    EXPECT_TRUE(answer.starts_with("Permission Error") || answer.starts_with("Parser Error")) << sql << ": " << answer;
  }
}

TEST_F(CheckStatementTest, FunctionsThatReadFilesOrStateAreRefusedWhereverTheyStand) {
  for (const char* sql : {"FROM read_csv('/etc/passwd')",
                          "FROM read_parquet('x')",
                          "FROM parquet_scan('x')",
                          "FROM read_text('x')",
                          "FROM read_blob('x')",
                          "FROM glob('*')",
                          "FROM duckdb_settings()",
                          "FROM duckdb_secrets()",
                          "FROM duckdb_logs()",
                          "FROM query('SELECT 1')",
                          "FROM query_table('t')",
                          "FROM sniff_csv('x')",
                          "FROM json_execute_serialized_sql('x')",
                          "FROM duckdb_extensions()",
                          "FROM system.main.read_text('x')",
                          "SELECT 1 WHERE EXISTS (FROM read_text('x'))",
                          "WITH a AS (FROM read_text('x')) FROM a",
                          "FROM range(1) t, LATERAL (FROM glob('x'))",
                          "SELECT 1 UNION ALL SELECT size FROM read_blob('x')",
                          "SELECT 1 ORDER BY (SELECT content FROM read_text('x'))",
                          "SELECT 1 LIMIT (SELECT count(*) FROM glob('x'))",
                          "DESCRIBE SELECT * FROM read_text('x')",
                          "SUMMARIZE SELECT * FROM read_text('x')",
                          "PIVOT (FROM glob('x')) ON file",
                          "SELECT current_setting('threads')",
                          "SELECT 1 + length(getenv('HOME'))",
                          "FROM range(length(current_setting('threads')))",
                          "FROM (VALUES (current_setting('threads')))",
                          "SELECT list_transform([1], x -> current_setting('threads'))"}) {
    EXPECT_TRUE(Check(sql).starts_with("Permission Error")) << sql << ": " << Check(sql);
  }
}

}  // namespace
}  // namespace arc
