#include "arc/iceberg/relocate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arc/iceberg/manifest.h"

namespace arc {
namespace {

using ::testing::HasSubstr;

const Relocation kMove{"/old/arc/", "s3://bucket/"};

ManifestFile Row(const std::string& path) {
  ManifestFile row;
  row.path = path;
  row.length = 100;
  row.sequence_number = row.min_sequence_number = 7;
  row.added_files = 3;
  row.added_rows = 30;
  row.partitions = {{false, std::nullopt, std::string("\x01\0\0\0", 4), std::string("\x02\0\0\0", 4)}};
  return row;
}

TEST(Relocate, ManifestListsNameTheManifestsWithTheirNewSizes) {
  SeededRandom random(1);
  auto list = WriteManifestList({Row("/old/arc/db/t/metadata/a-m0.avro"), Row("/elsewhere/b-m0.avro")}, 5, std::nullopt,
                                7, Uuid::Random(random));
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(*RoleOfAvro(*list), AvroRole::kManifestList);
  auto moved = RelocateAvro(*list, kMove, {{"/old/arc/db/t/metadata/a-m0.avro", 123}});
  ASSERT_TRUE(moved.ok()) << moved.error().message;
  auto rows = ReadManifestList(*moved);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].path, "s3://bucket/db/t/metadata/a-m0.avro");
  EXPECT_EQ((*rows)[0].length, 123);
  EXPECT_EQ((*rows)[0].added_rows, 30);
  EXPECT_EQ((*rows)[0].partitions->at(0).upper_bound, std::string("\x02\0\0\0", 4));
  EXPECT_EQ((*rows)[1].path, "/elsewhere/b-m0.avro");
  EXPECT_EQ((*rows)[1].length, 100);
}

TEST(Relocate, RowLevelDeletesStayWhereTheyAre) {
  SeededRandom random(1);
  ManifestFile deletes = Row("/old/arc/db/t/metadata/d-m0.avro");
  deletes.content = ManifestContent::kDeletes;
  auto list = WriteManifestList({deletes}, 5, std::nullopt, 7, Uuid::Random(random));
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(RelocateAvro(*list, kMove, {}).error().kind, ErrorKind::kUnsupported);
}

TEST(Relocate, MetadataNamesTheNewAddresses) {
  const auto moved = RelocateMetadata(
      R"({"location":"/old/arc/db/t","properties":{"p":"/old/arcade/x"},"snapshots":[{"manifest-list":"/old/arc/db/t/s.avro"}]})",
      kMove);
  ASSERT_TRUE(moved.ok());
  EXPECT_THAT(*moved, HasSubstr(R"("location":"s3://bucket/db/t")"));
  EXPECT_THAT(*moved, HasSubstr(R"("manifest-list":"s3://bucket/db/t/s.avro")"));
  EXPECT_THAT(*moved, HasSubstr("/old/arcade/x"));
  EXPECT_EQ(kMove.Apply("/old/arc"), "s3://bucket");
}

TEST(Relocate, DamagedFilesAreRefused) {
  SeededRandom random(1);
  auto list = WriteManifestList({Row("/old/arc/a.avro")}, 5, std::nullopt, 7, Uuid::Random(random));
  ASSERT_TRUE(list.ok());
  for (size_t cut = 0; cut < list->size(); ++cut) {
    (void)RelocateAvro(std::string_view(*list).substr(0, cut), kMove, {});  // sanitizers watch
  }
  EXPECT_FALSE(RoleOfAvro("nonsense").ok());
}

}  // namespace
}  // namespace arc
