// Files to be read from front to back, decompressed on the way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "arc/base/result.h"

namespace arrow {
class Status;
namespace io {
class InputStream;
class ReadableFile;
}  // namespace io
}  // namespace arrow

namespace arc {

struct SourceFile {
  std::shared_ptr<arrow::io::ReadableFile> file;
  std::shared_ptr<arrow::io::InputStream> stream;  // decompressed where the name ends in .gz or .zst, else `file`
  int64_t bytes = 0;                               // of the file
};

Result<SourceFile> OpenSourceFile(const std::string& path);

// kUnavailable where reading failed, kInvalidArgument where the bytes are not what they should be.
Error SourceError(const arrow::Status& status);

}  // namespace arc
