#include "arc/http/iceberg_rest_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arc/http/iceberg_rest_errors.h"

namespace arc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PageOf, WithoutATokenThereAreNoPages) {
  auto page = PageOf(QueryString("pageSize=1"), {"a", "b"});
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->names, ElementsAre("a", "b"));
  EXPECT_EQ(page->next_token, "");
}

TEST(PageOf, ATokenIsTheLastNameSeen) {
  auto page = PageOf(QueryString("pageToken=&pageSize=2"), {"a", "b", "c"});
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->names, ElementsAre("a", "b"));
  EXPECT_EQ(page->next_token, "b");
  page = PageOf(QueryString("pageToken=b&pageSize=2"), {"a", "bb", "c"});  // b is gone, bb is new
  EXPECT_THAT(page->names, ElementsAre("bb", "c"));
  EXPECT_EQ(page->next_token, "");
  page = PageOf(QueryString("pageToken=z"), {"a"});
  EXPECT_TRUE(page->names.empty());
  EXPECT_FALSE(PageOf(QueryString("pageToken=&pageSize=x"), {"a"}).ok());
  EXPECT_FALSE(PageOf(QueryString("pageToken=&pageSize=0"), {"a"}).ok());
}

TEST(IcebergErrors, HaveTheShapeAndStatusOfTheSpecification) {
  const auto shape = [](ErrorKind kind, const std::string& message) {
    const Response response = IcebergErrorResponse(MakeError(kind, message));
    return std::to_string(response.status) + " " + response.body;
  };
  EXPECT_EQ(shape(ErrorKind::kConflict, "Requirement failed: x"),
            R"(409 {"error":{"message":"Requirement failed: x","type":"CommitFailedException","code":409}})");
  EXPECT_THAT(shape(ErrorKind::kConflict, "Namespace a is not empty"), HasSubstr("NamespaceNotEmptyException"));
  EXPECT_THAT(shape(ErrorKind::kNotFound, std::string(kNoTable) + "a.b"), HasSubstr("NoSuchTableException"));
  EXPECT_THAT(shape(ErrorKind::kNotFound, std::string(kNoNamespace) + "a"), HasSubstr("NoSuchNamespaceException"));
  EXPECT_THAT(shape(ErrorKind::kNotFound, "else"), HasSubstr("\"NotFoundException"));
  EXPECT_THAT(shape(ErrorKind::kUnknownOutcome, "x"),
              HasSubstr("500 {\"error\":{\"message\":\"x\",\"type\":\"CommitState"));
  EXPECT_THAT(shape(ErrorKind::kUnavailable, "x"), HasSubstr("503 "));
  EXPECT_THAT(shape(ErrorKind::kUnsupported, "x"), HasSubstr("406 "));
  EXPECT_TRUE(IsIcebergPath("/iceberg/v1/config"));
  EXPECT_FALSE(IsIcebergPath("/api/v1/iceberg"));
}

}  // namespace
}  // namespace arc
