// What every LocalDisk has to do, run on the machine's disk and on the one in memory that stands in for it.
#include "arc/io/local_disk.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <optional>

#include "arc/base/thread.h"
#include "arc/io/path.h"
#include "arc/io/power_cut_disk.h"
#include "arc/io/test_folder.h"

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

class LocalDiskTest : public testing::TestWithParam<bool> {
 protected:
  LocalDiskTest() : disk_(GetParam() ? static_cast<LocalDisk&>(SystemDisk()) : memory_) {
    EXPECT_TRUE(disk_.CreateDirectories(folder_.path()).ok());
  }
  std::string At(std::string_view name) const { return JoinPath(folder_.path(), name); }
  void Write(const std::string& name, std::string_view text) {
    Result<std::unique_ptr<DiskFile>> file = disk_.Open(At(name), OpenMode::kCreate);
    ASSERT_TRUE(file.ok()) << file.error().message;
    ASSERT_TRUE((*file)->Truncate(0).ok());
    ASSERT_TRUE((*file)->WriteAt(0, Bytes(text)).ok());
  }
  std::string Read(const std::string& name) {
    Result<std::string> text = ReadWholeFile(disk_, At(name));
    return text.ok() ? *text : std::string(ErrorKindName(text.error().kind));
  }

  TestFolder folder_;
  PowerCutDisk memory_;
  LocalDisk& disk_;
};

INSTANTIATE_TEST_SUITE_P(Disks, LocalDiskTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "System" : "Memory"; });

// Pieces of every alignment, mixed with plain writes: each is read back at once, what stands before and from the next
// block on is left alone.
TEST_P(LocalDiskTest, AppendDurably) {
  constexpr int64_t kSize = 40 * kAppendBlockBytes;
  Write("log", std::string(kSize, 'o'));
  auto file = *disk_.Open(At("log"), OpenMode::kReadWrite);
  std::string expected(kSize, 'o');
  int64_t end = 5;
  int number = 0;
  for (const int64_t length : {3, 4088, 1, 4095, 4096, 4097, 20'000, 8, 8192, 7, 0, 50'000}) {
    const std::string piece(static_cast<size_t>(length), static_cast<char>('a' + number++));
    if (number % 4 == 0) {  // a plain write behind the last append must not be lost by the next
      ASSERT_TRUE(file->WriteAt(end, Bytes("+")).ok());
      expected[static_cast<size_t>(end++)] = '+';
    }
    if (number == 6) {
      ASSERT_TRUE(disk_.Rename(At("log"), At("segment")).ok());
    }
    ASSERT_TRUE(file->AppendDurably(end, Bytes(piece)).ok());
    expected.replace(static_cast<size_t>(end), piece.size(), piece);
    end += length;
    const std::string found = Read(number < 6 ? "log" : "segment");
    ASSERT_EQ(found.size(), expected.size());
    ASSERT_EQ(found.substr(0, static_cast<size_t>(end)), expected.substr(0, static_cast<size_t>(end))) << number;
    const int64_t block_end = (end + kAppendBlockBytes - 1) / kAppendBlockBytes * kAppendBlockBytes;
    ASSERT_EQ(found.substr(static_cast<size_t>(block_end)), expected.substr(static_cast<size_t>(block_end))) << number;
  }
  // In another opening the block at hand has to be read; behind the last whole block the file grows as by WriteAt.
  file = *disk_.Open(At("segment"), OpenMode::kReadWrite);
  ASSERT_TRUE(file->AppendDurably(end, Bytes("again")).ok());
  EXPECT_EQ(Read("segment").substr(0, static_cast<size_t>(end) + 5),
            expected.substr(0, static_cast<size_t>(end)) + "again");
  ASSERT_TRUE(file->AppendDurably(kSize - 2, Bytes("longer")).ok());
  EXPECT_EQ(Read("segment").substr(kSize - 2), "longer");
}

TEST_P(LocalDiskTest, OpenModes) {
  EXPECT_EQ(KindOf(disk_.Open(At("a"), OpenMode::kRead)), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(disk_.Open(At("a"), OpenMode::kReadWrite)), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(disk_.Open(At("no/a"), OpenMode::kCreate)), ErrorKind::kNotFound);
  EXPECT_TRUE(disk_.Open(At("a"), OpenMode::kCreateExclusive).ok());
  EXPECT_EQ(KindOf(disk_.Open(At("a"), OpenMode::kCreateExclusive)), ErrorKind::kAlreadyExists);
  EXPECT_TRUE(disk_.Open(At("a"), OpenMode::kCreate).ok());
  EXPECT_TRUE(disk_.Open(At("a"), OpenMode::kReadWrite).ok());
  Result<std::unique_ptr<DiskFile>> reader = disk_.Open(At("a"), OpenMode::kRead);
  ASSERT_TRUE(reader.ok());
  EXPECT_FALSE((*reader)->WriteAt(0, Bytes("x")).ok());
  for (OpenMode mode : {OpenMode::kRead, OpenMode::kReadWrite, OpenMode::kCreate}) {
    EXPECT_EQ(KindOf(disk_.Open(folder_.path(), mode)), ErrorKind::kInvalidArgument);
  }
  EXPECT_EQ(KindOf(disk_.Open(At("a/b"), OpenMode::kCreate)), ErrorKind::kNotFound);
}

TEST_P(LocalDiskTest, ReadsAndWritesAtOffsets) {
  Result<std::unique_ptr<DiskFile>> file = disk_.Open(At("f"), OpenMode::kCreate);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->WriteAt(1000, Bytes("end")).ok());
  ASSERT_TRUE((*file)->WriteAt(0, Bytes("begin")).ok());
  ASSERT_TRUE((*file)->WriteAt(5, {}).ok());
  EXPECT_EQ(*(*file)->Size(), 1003);
  std::vector<uint8_t> bytes(2000, 7);
  EXPECT_EQ(*(*file)->ReadAt(0, bytes), 1003u);
  EXPECT_EQ(bytes[0], 'b');
  EXPECT_EQ(bytes[5], 0);
  EXPECT_EQ(bytes[1002], 'd');
  EXPECT_EQ(bytes[1003], 7);
  EXPECT_EQ(*(*file)->ReadAt(1001, std::span(bytes).first(1)), 1u);
  EXPECT_EQ(bytes[0], 'n');
  EXPECT_EQ(*(*file)->ReadAt(1003, bytes), 0u);
  EXPECT_EQ(*(*file)->ReadAt(5000, bytes), 0u);
  EXPECT_TRUE((*file)->SyncData().ok());
  EXPECT_TRUE((*file)->Sync().ok());
}

TEST_P(LocalDiskTest, TruncateAndPreallocate) {
  Write("f", "0123456789");
  Result<std::unique_ptr<DiskFile>> file = disk_.Open(At("f"), OpenMode::kReadWrite);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Truncate(4).ok());
  EXPECT_EQ(Read("f"), "0123");
  ASSERT_TRUE((*file)->Truncate(6).ok());
  EXPECT_EQ(Read("f"), std::string("0123\0\0", 6));
  ASSERT_TRUE((*file)->Preallocate(100'000).ok());
  EXPECT_EQ(*(*file)->Size(), 100'000);
  EXPECT_EQ(Read("f"), "0123" + std::string(99'996, '\0'));
  ASSERT_TRUE((*file)->Preallocate(10).ok());
  EXPECT_EQ(*(*file)->Size(), 100'000);
  ASSERT_TRUE((*file)->Preallocate(0).ok());
}

TEST_P(LocalDiskTest, RenameReplacesAndRenameNoReplaceDoesNot) {
  Write("a", "A");
  Write("b", "B");
  EXPECT_EQ(KindOf(disk_.RenameNoReplace(At("a"), At("b"))), ErrorKind::kAlreadyExists);
  EXPECT_EQ(Read("b"), "B");
  EXPECT_EQ(Read("a"), "A");
  EXPECT_TRUE(disk_.RenameNoReplace(At("a"), At("c")).ok());
  EXPECT_TRUE(disk_.Rename(At("c"), At("b")).ok());
  EXPECT_EQ(Read("b"), "A");
  EXPECT_EQ(Read("c"), "not_found");
  EXPECT_EQ(KindOf(disk_.Rename(At("c"), At("d"))), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(disk_.RenameNoReplace(At("c"), At("d"))), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(disk_.Rename(At("b"), At("no/b"))), ErrorKind::kNotFound);
  EXPECT_TRUE(disk_.Rename(At("b"), At("b")).ok());
  EXPECT_EQ(Read("b"), "A");
}

TEST_P(LocalDiskTest, OfManyRenamesToOneNameOneSucceeds) {
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 4; ++i) Write("from" + std::to_string(i), std::to_string(i));
    std::atomic<int> winner{-1};
    std::atomic<int> refused{0};
    {
      std::vector<Thread> threads;
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back("rename", [&, i] {
          Status status = disk_.RenameNoReplace(At("from" + std::to_string(i)), At("to"));
          if (status.ok()) winner = i;
          if (KindOf(status) == ErrorKind::kAlreadyExists) ++refused;
        });
      }
    }
    EXPECT_EQ(refused, 3);
    EXPECT_EQ(Read("to"), std::to_string(winner));
    EXPECT_TRUE(disk_.Remove(At("to")).ok());
  }
}

TEST_P(LocalDiskTest, Folders) {
  EXPECT_TRUE(disk_.CreateDirectories(At("x/y/z")).ok());
  EXPECT_TRUE(disk_.CreateDirectories(At("x/y/z")).ok());
  EXPECT_TRUE(disk_.CreateDirectories(At("x//y/./w/")).ok());
  EXPECT_EQ(*disk_.List(At("x/y")), (std::vector<std::string>{"w", "z"}));
  EXPECT_TRUE(*disk_.IsDirectory(At("x/y")));
  Write("x/f", "12345");
  EXPECT_FALSE(*disk_.IsDirectory(At("x/f")));
  EXPECT_FALSE(*disk_.IsDirectory(At("x/none")));
  EXPECT_FALSE(*disk_.IsDirectory(At("x/f/none")));
  EXPECT_EQ(disk_.Stat(At("x/f"))->bytes, 5);
  EXPECT_FALSE(disk_.Stat(At("x/f"))->is_directory);
  EXPECT_TRUE(disk_.Stat(At("x"))->is_directory);
  EXPECT_EQ(KindOf(disk_.Stat(At("none"))), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(disk_.CreateDirectories(At("x/f"))), ErrorKind::kAlreadyExists);
  EXPECT_FALSE(disk_.CreateDirectories(At("x/f/g")).ok());
  EXPECT_EQ(KindOf(disk_.Remove(At("x"))), ErrorKind::kConflict);
  EXPECT_TRUE(disk_.Remove(At("x/y/w")).ok());
  EXPECT_TRUE(disk_.Remove(At("x/f")).ok());
  EXPECT_EQ(KindOf(disk_.Remove(At("x/f"))), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(disk_.List(At("none"))), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(disk_.SyncDirectory(At("none"))), ErrorKind::kNotFound);
  EXPECT_TRUE(disk_.SyncDirectory(At("x")).ok());
  EXPECT_TRUE(disk_.Rename(At("x"), At("v")).ok());
  EXPECT_TRUE(*disk_.Exists(At("v/y/z")));
  EXPECT_FALSE(*disk_.Exists(At("x/y/z")));
  EXPECT_FALSE(disk_.Rename(At("v"), At("v/y/v")).ok());
}

TEST_P(LocalDiskTest, AnOpenFileOutlivesItsName) {
  Write("f", "still here");
  Result<std::unique_ptr<DiskFile>> file = disk_.Open(At("f"), OpenMode::kRead);
  ASSERT_TRUE(file.ok());
  Write("g", "new");
  ASSERT_TRUE(disk_.Rename(At("g"), At("f")).ok());
  std::string text(10, ' ');
  EXPECT_EQ(*(*file)->ReadAt(0, {reinterpret_cast<uint8_t*>(text.data()), text.size()}), 10u);
  EXPECT_EQ(text, "still here");
  EXPECT_EQ(Read("f"), "new");
}

TEST_P(LocalDiskTest, ALockIsHeldOnce) {
  Result<std::unique_ptr<DiskLock>> lock = disk_.Lock(At("lock"));
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(KindOf(disk_.Lock(At("lock"))), ErrorKind::kConflict);
  EXPECT_TRUE(disk_.Lock(At("other")).ok());
  lock->reset();
  EXPECT_TRUE(disk_.Lock(At("lock")).ok());
  EXPECT_TRUE(*disk_.Exists(At("lock")));
  EXPECT_FALSE(disk_.Lock(folder_.path()).ok());
}

TEST_P(LocalDiskTest, FreeSpace) {
  EXPECT_GT(*disk_.FreeBytes(folder_.path()), 0);
  EXPECT_EQ(KindOf(disk_.FreeBytes(At("none"))), ErrorKind::kNotFound);
}

TEST_P(LocalDiskTest, DurablePutReplacesAndMakesFolders) {
  EXPECT_TRUE(DurablePut(disk_, At("new/folder/f"), Bytes("one")).ok());
  EXPECT_EQ(Read("new/folder/f"), "one");
  EXPECT_TRUE(DurablePut(disk_, At("new/folder/f"), Bytes("two")).ok());
  EXPECT_EQ(Read("new/folder/f"), "two");
  EXPECT_TRUE(DurablePut(disk_, At("new/folder/empty"), {}).ok());
  EXPECT_EQ(Read("new/folder/empty"), "");
  EXPECT_EQ(disk_.List(At("new/folder"))->size(), 2u);  // no temporary is left
  EXPECT_FALSE(DurablePut(disk_, At("new/folder/f/g"), Bytes("x")).ok());
  EXPECT_FALSE(DurablePut(disk_, At("new/folder"), Bytes("x")).ok());
  EXPECT_EQ(disk_.List(At("new"))->size(), 1u);
}

TEST_P(LocalDiskTest, RemovesTemporariesBelow) {
  ASSERT_TRUE(disk_.CreateDirectories(At("a/b")).ok());
  Write("a/.arc-tmp-1111-1", "");
  Write("a/b/.arc-tmp-1111-2", "");
  Write("a/b/.arc-tmp-2222-1", "");
  Write("a/b/kept", "");
  EXPECT_EQ(*RemoveTemporaries(disk_, At("a"), "2222"), 2);
  EXPECT_EQ(*disk_.List(At("a/b")), (std::vector<std::string>{".arc-tmp-2222-1", "kept"}));
  EXPECT_EQ(*RemoveTemporaries(disk_, At("a")), 1);
  EXPECT_EQ(*RemoveTemporaries(disk_, At("none")), 0);
}

TEST(SystemDisk, IsTheOneOtherLibrariesSee) {
  EXPECT_TRUE(SystemDisk().is_system());
  EXPECT_FALSE(PowerCutDisk().is_system());
}

TEST(SystemDisk, AnotherProcessIsKeptOutAndNamed) {
  TestFolder folder;
  std::string path = JoinPath(folder.path(), "lock");
  Result<std::unique_ptr<DiskLock>> lock = SystemDisk().Lock(path);
  ASSERT_TRUE(lock.ok());
  pid_t child = fork();
  if (child == 0) {
    Result<std::unique_ptr<DiskLock>> second = SystemDisk().Lock(path);
    bool refused = !second.ok() && second.error().kind == ErrorKind::kConflict &&
                   second.error().message.ends_with("process " + std::to_string(getppid()));
    _exit(refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(SystemDisk, TooLongANameIsTheCallersFault) {
  TestFolder folder;
  Result<std::unique_ptr<DiskFile>> file =
      SystemDisk().Open(JoinPath(folder.path(), std::string(300, 'x')), OpenMode::kCreate);
  EXPECT_EQ(KindOf(file), ErrorKind::kInvalidArgument);
}

TEST(SystemDisk, AFullDiskIsToldAsSuch) {
  Result<std::unique_ptr<DiskFile>> full = SystemDisk().Open("/dev/full", OpenMode::kReadWrite);
  if (!full.ok()) GTEST_SKIP() << "no /dev/full here";
  EXPECT_EQ(KindOf((*full)->WriteAt(0, Bytes("x"))), ErrorKind::kDiskFull);
}

// Random calls on both disks at once must give the same answers: the stand-in may differ only in what a cut leaves.
TEST(PowerCutDiskAgainstSystemDisk, SameAnswers) {
  TestFolder folder;
  PowerCutDisk memory;
  ASSERT_TRUE(memory.CreateDirectories(folder.path()).ok());
  LocalDisk* disks[2] = {&SystemDisk(), &memory};
  SeededRandom random(20240607);
  auto path = [&] {
    static constexpr const char* kNames[] = {"a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "b/a"};
    return JoinPath(folder.path(), kNames[random.NextU64() % 8]);
  };
  for (int step = 0; step < 3000; ++step) {
    std::string from = path();
    std::string to = path();
    uint64_t action = random.NextU64() % 9;
    auto offset = static_cast<int64_t>(random.NextU64() % 1500);
    std::vector<uint8_t> bytes(random.NextU64() % 1200);
    random.Fill(bytes);
    std::optional<ErrorKind> kinds[2];
    std::string found[2];
    for (int i = 0; i < 2; ++i) {
      LocalDisk& disk = *disks[i];
      switch (action) {
        case 0: kinds[i] = KindOf(disk.Open(from, OpenMode::kCreateExclusive)); break;
        case 1: kinds[i] = KindOf(disk.CreateDirectories(from)); break;
        case 2: kinds[i] = KindOf(disk.Remove(from)); break;
        case 3: kinds[i] = KindOf(disk.Rename(from, to)); break;
        case 4: kinds[i] = KindOf(disk.RenameNoReplace(from, to)); break;
        default: {
          Result<std::unique_ptr<DiskFile>> file = disk.Open(from, OpenMode::kReadWrite);
          kinds[i] = KindOf(file);
          if (!file.ok()) break;
          if (action == 5) kinds[i] = KindOf((*file)->Truncate(offset));
          if (action == 6) kinds[i] = KindOf((*file)->Preallocate(offset));
          if (action >= 7) kinds[i] = KindOf((*file)->WriteAt(offset, bytes));
          found[i] = *ReadWholeFile(disk, from);
        }
      }
    }
    // Which of several reasons comes first is the kernel's choice; whether there is one is not.
    ASSERT_EQ(kinds[0].has_value(), kinds[1].has_value())
        << "step " << step << " action " << action << " " << from << " " << to << " system "
        << (kinds[0] ? ErrorKindName(*kinds[0]) : "ok") << " memory " << (kinds[1] ? ErrorKindName(*kinds[1]) : "ok");
    ASSERT_EQ(found[0], found[1]) << "step " << step;
  }
}

}  // namespace
}  // namespace arc
