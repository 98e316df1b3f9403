#include "arc/catalog/file_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "arc/base/uuid.h"

namespace arc {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();

std::shared_ptr<const FileEntry> File(int64_t min_time, int64_t max_time, std::string key = "f") {
  FileEntry entry;
  entry.key = std::move(key);
  entry.bytes = 10;
  entry.rows = 3;
  entry.min_time = min_time;
  entry.max_time = max_time;
  return std::make_shared<const FileEntry>(entry);
}

std::vector<uint32_t> Pruned(const FileIndex& index, int64_t from, int64_t to) {
  std::vector<uint32_t> positions;
  index.Prune(from, to, &positions);
  return positions;
}

std::vector<uint32_t> BruteForce(const FileIndex& index, int64_t from, int64_t to) {
  std::vector<uint32_t> positions;
  for (uint32_t i = 0; i < index.files().size(); ++i) {
    if (index.files()[i]->min_time <= to && index.files()[i]->max_time >= from) positions.push_back(i);
  }
  return positions;
}

TEST(FileIndexTest, EmptyHasNothing) {
  const FileIndex index;
  EXPECT_TRUE(index.files().empty());
  EXPECT_EQ(index.rows(), 0);
  EXPECT_EQ(index.bytes(), 0);
  EXPECT_TRUE(Pruned(index, kLowest, kHighest).empty());
  EXPECT_TRUE(index.With({})->files().empty());
}

TEST(FileIndexTest, BoundsAreInclusive) {
  const FileIndex index({File(10, 20)});
  EXPECT_EQ(Pruned(index, 20, 30), std::vector<uint32_t>{0});
  EXPECT_EQ(Pruned(index, 0, 10), std::vector<uint32_t>{0});
  EXPECT_EQ(Pruned(index, 12, 13), std::vector<uint32_t>{0});
  EXPECT_TRUE(Pruned(index, 21, 30).empty());
  EXPECT_TRUE(Pruned(index, 0, 9).empty());
  EXPECT_EQ(Pruned(index, kLowest, kHighest), std::vector<uint32_t>{0});
  EXPECT_TRUE(Pruned(index, 30, 5).empty()) << "an empty interval around the file";
}

TEST(FileIndexTest, ExtremeTimes) {
  const FileIndex index({File(kLowest, kLowest), File(kHighest, kHighest), File(-5, 5)});
  EXPECT_EQ(Pruned(index, kLowest, kLowest), std::vector<uint32_t>{0});
  EXPECT_EQ(Pruned(index, kHighest, kHighest), std::vector<uint32_t>{2});
  EXPECT_EQ(Pruned(index, -1, 1), std::vector<uint32_t>{1});
  EXPECT_EQ(index.min_time(), kLowest);
  EXPECT_EQ(index.max_time(), kHighest);
}

TEST(FileIndexTest, PruneAppends) {
  const FileIndex index({File(1, 2)});
  std::vector<uint32_t> positions{7};
  index.Prune(0, 5, &positions);
  EXPECT_EQ(positions, (std::vector<uint32_t>{7, 0}));
}

TEST(FileIndexTest, WithKeepsTheOldIndexAndItsTotals) {
  const FileIndex index({File(30, 40, "c"), File(10, 90, "a")});
  const auto more = index.With({File(50, 60, "d"), File(20, 25, "b")});
  EXPECT_EQ(index.files().size(), 2u);
  EXPECT_EQ(index.rows(), 6);
  std::string keys;
  for (const auto& file : more->files()) keys += file->key;
  EXPECT_EQ(keys, "abcd");
  EXPECT_EQ(more->rows(), 12);
  EXPECT_EQ(more->bytes(), 40);
  EXPECT_EQ(more->min_time(), 10);
  EXPECT_EQ(more->max_time(), 90);
  EXPECT_EQ(more->files()[0], index.files()[0]) << "entries are shared";
}

TEST(FileIndexTest, EqualStartsKeepTheOrderOfArrival) {
  const FileIndex index({File(5, 6, "z"), File(1, 2, "a"), File(1, 3, "b")});
  const auto more = index.With({File(9, 9, "y"), File(1, 1, "c"), File(1, 8, "d")});
  std::string keys;
  for (const auto& file : more->files()) keys += file->key;
  EXPECT_EQ(keys, "abcdzy");
}

TEST(FileIndexTest, RandomIntervalsAgainstBruteForce) {
  SeededRandom random(7);
  for (int round = 0; round < 60; ++round) {
    const int64_t span = 1 + static_cast<int64_t>(random.NextU64() % 2000);
    auto time = [&] { return static_cast<int64_t>(random.NextU64() % static_cast<uint64_t>(span)) - span / 2; };
    auto files = [&](size_t count) {
      std::vector<std::shared_ptr<const FileEntry>> made;
      for (size_t i = 0; i < count; ++i) {
        const int64_t start = time();
        // Mostly short, some spanning everything.
        made.push_back(File(start, start + (random.NextU64() % 50 == 0 ? span : time() / 20 + span / 20)));
      }
      return made;
    };
    auto all = files(random.NextU64() % 300);
    auto index = std::make_shared<const FileIndex>(all);
    for (int step = 0; step < 5; ++step) {
      auto added = files(random.NextU64() % 20);
      all.insert(all.end(), added.begin(), added.end());
      index = index->With(added);
      const FileIndex whole(all);
      ASSERT_EQ(index->files().size(), all.size());
      ASSERT_TRUE(std::is_sorted(index->files().begin(), index->files().end(),
                                 [](const auto& a, const auto& b) { return a->min_time < b->min_time; }));
      ASSERT_EQ(index->rows(), whole.rows());
      ASSERT_EQ(index->min_time(), whole.min_time());
      ASSERT_EQ(index->max_time(), whole.max_time());
      for (int query = 0; query < 40; ++query) {
        const int64_t from = time();
        const int64_t to = from + time() / 4;
        ASSERT_EQ(Pruned(*index, from, to), BruteForce(*index, from, to)) << round << " " << from << " " << to;
      }
    }
  }
}

}  // namespace
}  // namespace arc
