#include "arc/io/durable_file.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "arc/io/power_cut_disk.h"

namespace arc {
namespace {

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

template <typename T>
std::optional<ErrorKind> KindOf(const Result<T>& result) {
  if (result.ok()) return std::nullopt;
  return result.error().kind;
}

// "(none)" when nothing is at the path.
std::string Found(PowerCutDisk& disk, const std::string& path) {
  Result<std::string> text = ReadWholeFile(disk, path);
  return text.ok() ? *text : "(none)";
}

// DurablePut's promise, cut at every operation: wholly the old content or wholly the new.
int PutsThatBreak(const std::function<void(PowerCutDisk&)>& plant) {
  std::string old_text(1700, 'o');
  std::string new_text(2300, 'n');
  int broken = 0;
  for (uint64_t cut = 1; cut <= 40; ++cut) {
    for (uint64_t seed = 0; seed < 40; ++seed) {
      PowerCutDisk disk;
      plant(disk);
      disk.CutAfter(cut);
      bool first = DurablePut(disk, "/a/b/f", Bytes(old_text)).ok();
      bool second = first && DurablePut(disk, "/a/b/f", Bytes(new_text)).ok();
      SeededRandom random(cut * 100 + seed);
      disk.Restart(random);
      std::string found = Found(disk, "/a/b/f");
      bool right = found == new_text || (!second && found == old_text) || (!first && found == "(none)");
      if (!right) ++broken;
    }
  }
  return broken;
}

TEST(DurablePut, IsAtomicAndDurableAtEveryCut) {
  EXPECT_EQ(PutsThatBreak([](PowerCutDisk&) {}), 0);
  EXPECT_GT(PutsThatBreak([](PowerCutDisk& disk) { disk.IgnoreSync(true); }), 0);
  EXPECT_GT(PutsThatBreak([](PowerCutDisk& disk) { disk.IgnoreDirectorySync(true); }), 0);
}

TEST(DurablePut, FailuresLeaveTheOldContentAndNoTemporary) {
  PowerCutDisk disk;
  ASSERT_TRUE(DurablePut(disk, "/f", Bytes("old")).ok());
  disk.SetFreeBytes(2);
  EXPECT_EQ(KindOf(DurablePut(disk, "/f", Bytes("longer"))), ErrorKind::kDiskFull);
  disk.SetFreeBytes(std::nullopt);
  disk.FailSyncs(1);
  EXPECT_EQ(KindOf(DurablePut(disk, "/f", Bytes("longer"))), ErrorKind::kUnknownOutcome);
  EXPECT_EQ(Found(disk, "/f"), "old");
  EXPECT_EQ(disk.List("/")->size(), 1u);
  disk.FailDirectorySyncs(1);
  EXPECT_EQ(KindOf(DurablePut(disk, "/f", Bytes("longer"))), ErrorKind::kUnknownOutcome);
  EXPECT_EQ(disk.List("/")->size(), 1u);
}

TEST(DurableFile, WithoutReplacingKeepsWhatIsThere) {
  PowerCutDisk disk;
  ASSERT_TRUE(DurablePut(disk, "/f", Bytes("first")).ok());
  Result<std::unique_ptr<DurableFile>> file = DurableFile::Create(disk, "/", MakeTemporaryTag());
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->file().WriteAt(0, Bytes("second")).ok());
  EXPECT_EQ(KindOf((*file)->Commit("/f", DurableFile::Replace::kNo)), ErrorKind::kAlreadyExists);
  file->reset();
  EXPECT_EQ(Found(disk, "/f"), "first");
  EXPECT_EQ(disk.List("/")->size(), 1u);
  EXPECT_EQ(KindOf(DurableFile::Create(disk, "/none", "tag")), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace arc
