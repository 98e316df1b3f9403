#include "arc/server/resume_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace arc {
namespace {

TEST(ResumeFile, IsReadAsItWasWritten) {
  std::string folder = (std::filesystem::temp_directory_path() / "arc-resume-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string file = folder + "/x.csv";
  std::ofstream(file) << "123";
  EXPECT_FALSE(LoadResume(SystemDisk(), file)->has_value());
  ResumeState state = *DescribeFile(file);
  EXPECT_EQ(state.bytes, 3);
  EXPECT_GT(state.modified_nanos, 1'600'000'000'000'000'000);
  state.target = "http://h:1/a?b=\"c\"";
  state.place = {12'345'678'901, 42};
  state.rows_written = 7;
  state.rows_refused = 8;
  ASSERT_TRUE(SaveResume(SystemDisk(), file, state).ok());
  const auto loaded = LoadResume(SystemDisk(), file);
  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  EXPECT_EQ((*loaded)->target, state.target);
  EXPECT_EQ((*loaded)->bytes, state.bytes);
  EXPECT_EQ((*loaded)->modified_nanos, state.modified_nanos);
  EXPECT_EQ((*loaded)->place.offset, state.place.offset);
  EXPECT_EQ((*loaded)->place.counted, 42);
  EXPECT_EQ((*loaded)->rows_written, 7);
  EXPECT_EQ((*loaded)->rows_refused, 8);
  for (const char* damaged : {"", "{}", "[1]", "{\"bytes\": \"x\"}"}) {
    std::ofstream(ResumePath(file)) << damaged;
    EXPECT_EQ(LoadResume(SystemDisk(), file).error().kind, ErrorKind::kCorruption) << damaged;
  }
  EXPECT_TRUE(RemoveResume(SystemDisk(), file).ok());
  EXPECT_TRUE(RemoveResume(SystemDisk(), file).ok());
  EXPECT_FALSE(DescribeFile(folder).ok());
  EXPECT_EQ(DescribeFile(folder + "/none").error().kind, ErrorKind::kNotFound);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace arc
