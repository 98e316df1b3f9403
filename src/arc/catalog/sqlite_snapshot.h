// A copy of a SQLite file as of one moment, while others use it.
#pragma once

#include <string>

#include "arc/base/result.h"
#include "arc/io/local_disk.h"

namespace arc {

// The bytes of the database at `path`, which fit into memory: a file that SQLite opens. kNotFound, kUnavailable,
// kCorruption.
Result<std::string> SqliteSnapshot(const std::string& path, LocalDisk& disk);

}  // namespace arc
