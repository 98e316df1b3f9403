#include "arc/io/spill_file.h"

#include <gtest/gtest.h>

#include "arc/base/uuid.h"
#include "arc/io/test_folder.h"

namespace arc {
namespace {

std::string RandomBytes(size_t length) {
  std::string bytes(length, '\0');
  SeededRandom random(length);
  random.Fill({reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

std::string Contents(SpillFile& file) {
  std::string all;
  EXPECT_TRUE(file.ForEachPiece([&](std::string_view piece) -> Status {
                    EXPECT_LE(piece.size(), SpillFile::kMemoryBytes);
                    all += piece;
                    return {};
                  })
                  .ok());
  return all;
}

TEST(SpillFile, GivesBackWhatItWasGivenAndLeavesNoName) {
  TestFolder folder;
  for (size_t length : {size_t{0}, size_t{5}, SpillFile::kMemoryBytes - 1, SpillFile::kMemoryBytes,
                        SpillFile::kMemoryBytes + 1, 3 * SpillFile::kMemoryBytes + 17}) {
    SpillFile file(SystemDisk(), folder.path());
    const std::string bytes = RandomBytes(length);
    const size_t step = 300'001;
    for (size_t done = 0; done < length; done += step) {
      ASSERT_TRUE(file.Append(std::string_view(bytes).substr(done, step)).ok());
    }
    EXPECT_EQ(file.bytes(), static_cast<int64_t>(length));
    EXPECT_TRUE(Contents(file) == bytes) << length;
    EXPECT_TRUE(Contents(file) == bytes) << "a second time, " << length;
    EXPECT_TRUE(SystemDisk().List(folder.path())->empty());
  }
}

TEST(SpillFile, StopsWhereTheTakerFails) {
  TestFolder folder;
  SpillFile file(SystemDisk(), folder.path());
  ASSERT_TRUE(file.Append(RandomBytes(2 * SpillFile::kMemoryBytes)).ok());
  int pieces = 0;
  Status status = file.ForEachPiece([&](std::string_view) -> Status {
    ++pieces;
    return Unavailable("enough");
  });
  EXPECT_EQ(status.error().message, "enough");
  EXPECT_EQ(pieces, 1);
}

TEST(SpillFile, SaysWhenThereIsNoPlace) {
  SpillFile file(SystemDisk(), "/absent/folder");
  EXPECT_TRUE(file.Append("few").ok());
  EXPECT_FALSE(file.Append(RandomBytes(SpillFile::kMemoryBytes)).ok());
}

}  // namespace
}  // namespace arc
