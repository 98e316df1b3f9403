// A folder of its own for a test on the machine's disk, gone when the test is.
#pragma once

#include <filesystem>
#include <string>

#include "arc/base/uuid.h"

namespace arc {

class TestFolder {
 public:
  TestFolder()
      : path_((std::filesystem::temp_directory_path() / ("arc-test-" + Uuid::Random(SystemRandom()).ToString()))
                  .string()) {
    std::filesystem::create_directories(path_);
  }
  TestFolder(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace arc
