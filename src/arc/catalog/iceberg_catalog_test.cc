#include "arc/catalog/iceberg_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arc/catalog/catalog.h"
#include "arc/catalog/commit_for_test.h"
#include "arc/io/test_folder.h"
#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kTimeSeries = R"({"type":"struct","fields":[
  {"id":1,"name":"time","required":false,"type":"timestamp"},
  {"id":2,"name":"v","required":false,"type":"long"}]})";
constexpr const char* kForeign = R"({"type":"struct","fields":[{"id":1,"name":"a","required":true,"type":"date"}]})";

class IcebergCatalogTest : public ::testing::Test {
 protected:
  IcebergCatalogTest() { Reopen(); }
  void Reopen() {
    catalog_.reset();
    store_.reset();
    auto store = OpenLocalObjectStore(SystemDisk(), folder_.path() + "/lake");
    ARC_CHECK(store.ok());
    store_ = std::move(*store);
    auto catalog = Catalog::Open(folder_.path() + "/arc.db", SystemDisk(), *store_, clock_, random_, &budget_);
    ARC_CHECK(catalog.ok());
    catalog_ = std::move(*catalog);
    ARC_CHECK(catalog_->UseLineage(lineage_).ok());
  }
  IcebergCatalog& lake() { return catalog_->iceberg(); }
  Result<MetadataFile> Create(const std::string& table, const char* schema = kTimeSeries) {
    (void)lake().CreateNamespace({"db", {}});
    CreateTableRequest request;
    request.table = table;
    request.schema = schema;
    return lake().CreateTable("db", request);
  }
  static TableChange Change(const std::string& table, const std::string& updates,
                            const std::string& requirements = "[]") {
    TableChange change;
    change.table = {"db", table};
    change.updates = updates;
    change.requirements = requirements;
    return change;
  }
  static TableChange SetProperty(const std::string& table, const std::string& value) {
    return Change(table, R"([{"action":"set-properties","updates":{"p":")" + value + R"("}}])");
  }
  // A row in memory.
  void Write(const std::shared_ptr<Table>& table, uint64_t lsn, const std::string& column, int64_t value) {
    auto aligned = table->Align(BatchForTest({static_cast<int64_t>(lsn)}).Ints(column, {value}).Done());
    ASSERT_TRUE(aligned.ok()) << aligned.error().message;
    table->Apply({lsn}, aligned->batch, {});
  }
  std::vector<std::string> Columns(const std::string& table) {
    std::vector<std::string> names;
    for (const auto& column : catalog_->Find("db", table)->Current()->schema->columns) names.push_back(column.name);
    return names;
  }

  TestFolder folder_;
  ManualClock clock_{1'760'000'000'000'000};
  SeededRandom random_{7};
  ByteBudget budget_{1 << 30};
  Uuid lineage_ = Uuid::Random(random_);
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(IcebergCatalogTest, WhatIsMadeHereIsATableOfArcAtOnceAndAfterARestart) {
  auto made = Create("cpu");
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_THAT(Columns("cpu"), ElementsAre("time", "v"));
  EXPECT_EQ(lake().LoadTable({"db", "cpu"})->json, made->json);
  EXPECT_THAT(*lake().TableNames("db"), ElementsAre("cpu"));
  const Uuid id = catalog_->Find("db", "cpu")->ref().id;
  Reopen();
  EXPECT_EQ(catalog_->Find("db", "cpu")->ref().id, id);
  EXPECT_EQ(Create("cpu").error().kind, ErrorKind::kAlreadyExists);
}

TEST_F(IcebergCatalogTest, StagingMakesNothing) {
  CreateTableRequest request;
  request.table = "t";
  request.schema = kTimeSeries;
  request.stage = true;
  auto staged = lake().CreateTable("default", request);
  ASSERT_TRUE(staged.ok());
  EXPECT_EQ(staged->location, "");
  EXPECT_EQ(lake().LoadTable({"default", "t"}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(catalog_->Find("default", "t"), nullptr);
}

TEST_F(IcebergCatalogTest, TablesArcCannotRepresentAreKeptAndSaidSo) {
  ASSERT_TRUE(Create("dates", kForeign).ok());
  EXPECT_EQ(catalog_->Find("db", "dates"), nullptr);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(catalog_->WhyUnreadable("db", "DATES"), HasSubstr("no column 'time'"));
    EXPECT_EQ(catalog_->GetOrCreate("db", "dates").error().kind, ErrorKind::kInvalidArgument);
    EXPECT_TRUE(lake().CommitTable(SetProperty("dates", std::to_string(round))).ok());
    Reopen();
  }
  EXPECT_TRUE(lake().DropTable({"db", "dates"}, true).ok());
  EXPECT_EQ(catalog_->WhyUnreadable("db", "dates"), "");
  EXPECT_TRUE(catalog_->GetOrCreate("db", "dates").ok());
}

TEST_F(IcebergCatalogTest, CommitsChangeTheColumnsThatArcSees) {
  ASSERT_TRUE(Create("cpu").ok());
  auto table = catalog_->Find("db", "cpu");
  Write(table, 1, "v", 5);
  const auto add = Change("cpu", R"([{"action":"add-schema","schema":{"type":"struct","fields":[
    {"id":1,"name":"time","required":false,"type":"timestamp"},{"id":2,"name":"renamed","required":false,"type":"long"},
    {"id":3,"name":"w","required":false,"type":"double"}]}},{"action":"set-current-schema","schema-id":-1}])",
                          R"([{"type":"assert-last-assigned-field-id","last-assigned-field-id":2}])");
  auto committed = lake().CommitTable(add);
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_THAT(Columns("cpu"), ElementsAre("time", "renamed", "w"));
  EXPECT_EQ(table->Current()->hot.rows, 1u);
  EXPECT_EQ(lake().CommitTable(add).error().kind, ErrorKind::kConflict);  // ids have gone on
}

TEST_F(IcebergCatalogTest, ColumnsOfHotRowsComeFirst) {
  ASSERT_TRUE(Create("cpu").ok());
  auto table = catalog_->Find("db", "cpu");
  Write(table, 1, "mine", 5);  // field id 3, which the lake does not know
  const auto add = Change("cpu", R"([{"action":"add-schema","schema":{"type":"struct","fields":[
    {"id":1,"name":"time","required":false,"type":"timestamp"},{"id":2,"name":"v","required":false,"type":"long"},
    {"id":3,"name":"theirs","required":false,"type":"double"}]}},{"action":"set-current-schema","schema-id":-1}])",
                          R"([{"type":"assert-last-assigned-field-id","last-assigned-field-id":2}])");
  auto refused = lake().CommitTable(add);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(lake().LoadTable({"db", "cpu"})->json, HasSubstr("\"mine\""));
  EXPECT_THAT(Columns("cpu"), ElementsAre("time", "v", "mine"));
  EXPECT_EQ(table->Current()->hot.rows, 1u);
}

TEST_F(IcebergCatalogTest, ArcCanAlwaysGoOnWithATableItWrites) {
  ASSERT_TRUE(Create("cpu").ok());
  Write(catalog_->Find("db", "cpu"), 1, "v", 5);
  for (const char* updates : {R"([{"action":"upgrade-format-version","format-version":3}])",
                              R"([{"action":"set-location","location":"s3://elsewhere/t"}])",
                              R"([{"action":"add-schema","schema":{"type":"struct","fields":[
            {"id":2,"name":"v","required":false,"type":"long"}]}},{"action":"set-current-schema","schema-id":-1}])"}) {
    auto refused = lake().CommitTable(Change("cpu", updates));
    ASSERT_FALSE(refused.ok()) << updates;
    EXPECT_THAT(refused.error().message, StartsWith("Arc writes db.cpu and could not go on"));
  }
  EXPECT_THAT(Columns("cpu"), ElementsAre("time", "v"));
}

TEST_F(IcebergCatalogTest, ATableNobodyWritesHereMayBecomeForeign) {
  ASSERT_TRUE(Create("cpu").ok());
  ASSERT_TRUE(lake().CommitTable(Change("cpu", R"([{"action":"upgrade-format-version","format-version":3}])")).ok());
  auto table = catalog_->Find("db", "cpu");
  EXPECT_THAT(table->Current()->unreadable, HasSubstr("version 3"));
  EXPECT_EQ(table->Align(BatchForTest({1}).Ints("v", {1}).Done()).error().kind, ErrorKind::kInvalidArgument);
  Reopen();
  EXPECT_EQ(catalog_->Find("db", "cpu"), nullptr);
  EXPECT_THAT(catalog_->WhyUnreadable("db", "cpu"), HasSubstr("version 3"));
}

TEST_F(IcebergCatalogTest, RowsOfADroppedTableAreNotBroughtBack) {
  ASSERT_TRUE(Create("cpu").ok());
  auto table = catalog_->Find("db", "cpu");
  const TableRef ref = table->ref();
  Write(table, 1, "v", 5);
  ASSERT_TRUE(lake().DropTable({"db", "cpu"}, false).ok());
  EXPECT_EQ(lake().DropTable({"db", "cpu"}, false).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(catalog_->Find("db", "cpu"), nullptr);
  // A flush that was under way ends without making the table again.
  EXPECT_TRUE(CommitForTest(*catalog_, *store_, *table, {table->Current()->schema, {}, {1}}, {}).ok());
  EXPECT_EQ(lake().LoadTable({"db", "cpu"}).error().kind, ErrorKind::kNotFound);
  Reopen();
  auto restored = catalog_->Restore(ref);
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ(*restored, nullptr);
  ASSERT_TRUE(Create("cpu").ok());
  EXPECT_NE(catalog_->Find("db", "cpu")->ref().id, ref.id);
}

TEST_F(IcebergCatalogTest, ARenamedTableKeepsItsRowsAndItsLog) {
  ASSERT_TRUE(Create("cpu").ok());
  auto table = catalog_->Find("db", "cpu");
  const TableRef before = table->ref();
  Write(table, 1, "v", 5);
  ASSERT_TRUE(lake().CreateNamespace({"other", {}}).ok());
  ASSERT_TRUE(lake().RenameTable({{"db", "cpu"}, {"other", "load"}}).ok());
  EXPECT_EQ(catalog_->Find("db", "cpu"), nullptr);
  EXPECT_EQ(catalog_->Find("other", "load"), table);
  EXPECT_EQ(table->ref().name, "load");
  ASSERT_TRUE(CommitForTest(*catalog_, *store_, *table, {table->Current()->schema, {}, {1}}, {}).ok());
  EXPECT_THAT(lake().LoadTable({"other", "load"})->json, HasSubstr("arc.flushed-lsn."));
  Reopen();
  EXPECT_EQ((*catalog_->Restore(before))->ref().name, "load");
  ASSERT_TRUE(Create("cpu").ok());
  EXPECT_EQ(lake().RenameTable({{"other", "load"}, {"db", "cpu"}}).error().kind, ErrorKind::kAlreadyExists);
  EXPECT_THAT(lake().RenameTable({{"other", "load"}, {"none", "x"}}).error().message, StartsWith(kNoNamespace));
}

TEST_F(IcebergCatalogTest, TransactionsChangeAllOrNothing) {
  ASSERT_TRUE(Create("a").ok());
  ASSERT_TRUE(Create("b").ok());
  ASSERT_TRUE(lake().CommitTransaction({SetProperty("a", "1"), SetProperty("b", "1")}).ok());
  const std::string a = lake().LoadTable({"db", "a"})->json;
  EXPECT_THAT(a, HasSubstr(R"("p":"1")"));
  auto stale = SetProperty("b", "2");
  stale.requirements = R"([{"type":"assert-current-schema-id","current-schema-id":4}])";
  EXPECT_EQ(lake().CommitTransaction({SetProperty("a", "2"), stale}).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(lake().LoadTable({"db", "a"})->json, a);
}

TEST_F(IcebergCatalogTest, Namespaces) {
  ASSERT_TRUE(lake().CreateNamespace({"n", {{"a", "1"}, {"b", "2"}}}).ok());
  EXPECT_EQ(lake().CreateNamespace({"n", {}}).error().kind, ErrorKind::kAlreadyExists);
  auto change = lake().ChangeNamespace("n", {{"a", "x"}, {{"b", "3"}}});
  ASSERT_TRUE(change.ok());
  EXPECT_THAT(change->removed, ElementsAre("a"));
  EXPECT_THAT(change->missing, ElementsAre("x"));
  Reopen();
  EXPECT_EQ(*lake().LoadNamespace("n"), (std::map<std::string, std::string>{{"b", "3"}}));
  EXPECT_THAT(*lake().Namespaces(), ElementsAre("default", "n"));
  CreateTableRequest request;
  request.table = "t";
  request.schema = kForeign;
  ASSERT_TRUE(lake().CreateTable("n", request).ok());
  EXPECT_THAT(lake().DropNamespace("n").error().message, HasSubstr(std::string(kNotEmpty)));
  ASSERT_TRUE(lake().DropTable({"n", "t"}, true).ok());
  ASSERT_TRUE(lake().DropNamespace("n").ok());
  EXPECT_THAT(lake().LoadNamespace("n").error().message, StartsWith(kNoNamespace));
  EXPECT_FALSE(catalog_->FindDatabase("n"));
}

TEST_F(IcebergCatalogTest, RegisteredTablesTellTheTruthAboutTheLog) {
  auto made = Create("cpu");
  ASSERT_TRUE(lake().DropTable({"db", "cpu"}, false).ok());
  ASSERT_TRUE(lake().RegisterTable("db", {"back", made->location, false}).ok());
  EXPECT_THAT(Columns("back"), ElementsAre("time", "v"));
  // The same table under two names is one too many for Arc.
  ASSERT_TRUE(lake().RegisterTable("db", {"twice", made->location, false}).ok());
  EXPECT_THAT(catalog_->WhyUnreadable("db", "twice"), HasSubstr("UUID of db.back"));
  std::string forged = made->json;
  forged.insert(forged.find("\"properties\":{") + 14, "\"arc.flushed-lsn." + lineage_.ToString() + "\":\"99999\"");
  ASSERT_TRUE(store_->PutIfAbsent("db/forged.metadata.json", forged).ok());
  auto refused = lake().RegisterTable("db", {"forged", store_->UriOf("db/forged.metadata.json"), false});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(lake().RegisterTable("db", {"x", store_->UriOf("db/none.json"), false}).error().message,
              StartsWith(kNoMetadataFile));
  EXPECT_EQ(lake().RegisterTable("db", {"x", "/etc/hostname", false}).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(IcebergCatalogTest, ANewTableNeverSharesAFolder) {
  auto first = Create("cpu");
  ASSERT_TRUE(lake().RenameTable({{"db", "cpu"}, {"db", "old"}}).ok());
  auto second = Create("cpu");
  EXPECT_NE(ReadFacts(first->json)->location, ReadFacts(second->json)->location);
  ASSERT_TRUE(lake().DropTable({"db", "old"}, true).ok());
  EXPECT_TRUE(lake().LoadTable({"db", "cpu"}).ok());
  EXPECT_EQ(store_->ReadAll(*store_->KeyOf(first->location)).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace arc
