#include "arc/io/posix_sync.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "arc/base/uuid.h"
#include "arc/io/local_disk.h"
#include "arc/io/path.h"
#include "arc/io/test_folder.h"

namespace arc {
namespace {

std::vector<std::string> MakeFiles(const std::string& folder, int count) {
  std::vector<std::string> paths;
  for (int i = 0; i < count; ++i) {
    paths.push_back(JoinPath(folder, "f" + std::to_string(i)));
    auto file = SystemDisk().Open(paths.back(), OpenMode::kCreateExclusive);
    EXPECT_TRUE(file.ok());
    const std::string text(5000, 'x');
    EXPECT_TRUE((*file)->WriteAt(0, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}).ok());
  }
  return paths;
}

TEST(PosixSync, SyncsFilesAndFolders) {
  TestFolder folder;
  EXPECT_TRUE(SyncFilesTogether(MakeFiles(folder.path(), 40)).ok());
  EXPECT_TRUE(SyncFoldersTogether({folder.path(), ParentFolder(folder.path())}).ok());
  EXPECT_TRUE(SyncFilesTogether({}).ok());
  EXPECT_TRUE(SyncFoldersTogether({}).ok());
}

TEST(PosixSync, NamesWhatIsNotThere) {
  TestFolder folder;
  auto paths = MakeFiles(folder.path(), 2);
  paths.push_back(JoinPath(folder.path(), "none"));
  auto files = SyncFilesTogether(paths);
  ASSERT_FALSE(files.ok());
  EXPECT_EQ(files.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(files.error().message.find("none"), std::string::npos);
  auto folders = SyncFoldersTogether({folder.path(), paths.back()});
  ASSERT_FALSE(folders.ok());
  EXPECT_EQ(folders.error().kind, ErrorKind::kNotFound);
}

// Files of several file systems, of which one (tmpfs) is synced file by file.
TEST(PosixSync, TakesFilesOfSeveralFileSystems) {
  const std::filesystem::path memory = "/dev/shm";
  if (!std::filesystem::is_directory(memory)) GTEST_SKIP() << "no file system in memory here";
  const auto second = memory / ("arc-test-" + Uuid::Random(SystemRandom()).ToString());
  std::filesystem::create_directories(second);
  TestFolder first;
  auto paths = MakeFiles(first.path(), 20);
  for (auto& path : MakeFiles(second.string(), 20)) paths.push_back(std::move(path));
  EXPECT_TRUE(SyncFilesTogether(paths).ok());
  EXPECT_TRUE(SyncFoldersTogether({first.path(), second.string()}).ok());
  std::filesystem::remove_all(second);
}

}  // namespace
}  // namespace arc
