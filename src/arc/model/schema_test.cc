#include "arc/model/schema.h"

#include <gtest/gtest.h>

namespace arc {
namespace {

TEST(SchemaTest, ExactSpellingWinsOverAnotherCase) {
  Schema schema;
  schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, false},
                    {"Host", ColumnType::kString, ColumnRole::kTag, 2, false},
                    {"host", ColumnType::kString, ColumnRole::kTag, 7, false}};
  EXPECT_EQ(schema.Find("host"), 2);
  EXPECT_EQ(schema.Find("Host"), 1);
  EXPECT_EQ(schema.Find("HOST"), 1);
  EXPECT_EQ(schema.Find("hosts"), -1);
  EXPECT_EQ(schema.FindById(7), 2);
  EXPECT_EQ(schema.last_field_id(), 7);
}

}  // namespace
}  // namespace arc
