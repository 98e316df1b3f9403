#include "arc/iceberg/rest_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace arc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(RestRequests, Namespaces) {
  auto made = ParseCreateNamespace(R"({"namespace":["db"],"properties":{"owner":"me"}})");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->database, "db");
  EXPECT_THAT(made->properties, ElementsAre(Pair("owner", "me")));
  EXPECT_THAT(ParseCreateNamespace(R"({"namespace":["a","b"]})").error().message, HasSubstr("one level"));
  EXPECT_FALSE(ParseCreateNamespace(R"({"namespace":[""]})").ok());
  EXPECT_FALSE(ParseCreateNamespace(R"({"namespace":"db"})").ok());
  EXPECT_FALSE(ParseCreateNamespace("no json").ok());
  EXPECT_FALSE(ParseCreateNamespace("[]").ok());
  auto changed = ParseNamespaceProperties(R"({"removals":["b","a","b"],"updates":{"c":"d"}})");
  ASSERT_TRUE(changed.ok());
  EXPECT_THAT(changed->removals, ElementsAre("a", "b"));
  EXPECT_THAT(changed->updates, ElementsAre(Pair("c", "d")));
}

TEST(RestRequests, Tables) {
  auto made = ParseCreateTable(R"({"name":"t","schema":{"fields":[]},"stage-create":true,"partition-spec":null,
                                   "write-order":{"fields":[]},"properties":{"a":"b"}})");
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made->table, "t");
  EXPECT_TRUE(made->stage);
  EXPECT_EQ(made->partition_spec, "");
  EXPECT_EQ(made->write_order, R"({"fields":[]})");
  EXPECT_FALSE(ParseCreateTable(R"({"name":"t"})").ok());
  EXPECT_FALSE(ParseCreateTable(R"({"name":5,"schema":{}})").ok());
  auto registered = ParseRegisterTable(R"({"name":"t","metadata-location":"/x"})");
  ASSERT_TRUE(registered.ok());
  EXPECT_EQ(registered->metadata_location, "/x");
  EXPECT_FALSE(registered->overwrite);
  auto renamed = ParseRenameTable(R"({"source":{"namespace":["a"],"name":"x"},
                                      "destination":{"namespace":["b"],"name":"y"}})");
  ASSERT_TRUE(renamed.ok());
  EXPECT_EQ(renamed->destination.database, "b");
  EXPECT_EQ(renamed->source.table, "x");
}

TEST(RestRequests, Changes) {
  auto change = ParseTableChange(R"({"requirements":[{"type":"assert-create"}],"updates":[]})");
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(change->requirements, R"([{"type":"assert-create"}])");
  EXPECT_EQ(change->updates, "[]");
  EXPECT_FALSE(ParseTableChange(R"({"requirements":[]})").ok());
  const std::string one = R"({"identifier":{"namespace":["a"],"name":"x"},"requirements":[],"updates":[]})";
  auto transaction = ParseTransaction(R"({"table-changes":[)" + one + "]}");
  ASSERT_TRUE(transaction.ok());
  EXPECT_EQ((*transaction)[0].table.table, "x");
  EXPECT_THAT(ParseTransaction(R"({"table-changes":[)" + one + "," + one + "]}").error().message, HasSubstr("twice"));
  EXPECT_FALSE(ParseTransaction(R"({"table-changes":[{"updates":[]}]})").ok());
  EXPECT_FALSE(ParseTransaction(R"({"table-changes":[]})").ok());
}

}  // namespace
}  // namespace arc
