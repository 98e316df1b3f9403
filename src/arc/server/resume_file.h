// FILE.arc-progress: how far an `arc write` of FILE has come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "arc/base/result.h"
#include "arc/io/local_disk.h"
#include "arc/transfer/piece_reader.h"

namespace arc {

struct ResumeState {
  int64_t bytes = 0;           // of FILE
  int64_t modified_nanos = 0;  // since 1970
  std::string target;          // where to and how it is read; another target does not go on here
  PiecePlace place;            // of what is not acknowledged yet
  int64_t rows_written = 0;
  int64_t rows_refused = 0;
};

std::string ResumePath(const std::string& file);
// Size and time of the file as they are now.
Result<ResumeState> DescribeFile(const std::string& file);
// Nothing when there is none; kCorruption when it is not what SaveResume writes.
Result<std::optional<ResumeState>> LoadResume(LocalDisk& disk, const std::string& file);
// Durable, and whole or not there.
Status SaveResume(LocalDisk& disk, const std::string& file, const ResumeState& state);
Status RemoveResume(LocalDisk& disk, const std::string& file);

}  // namespace arc
