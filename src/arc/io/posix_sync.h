// Syncs of many files or folders of the machine's disk at once.
#pragma once

#include <set>
#include <span>
#include <string>

#include "arc/base/result.h"

namespace arc {

// As so many calls of fsync, for the price of a few: the file systems that hold them are synced as a whole where they
// are known to keep that promise (docs/decisions/0013), which also writes out what other programs have written there.
// Errors are kUnknownOutcome, or as the open failed.
Status SyncFilesTogether(std::span<const std::string> paths);
Status SyncFoldersTogether(const std::set<std::string>& folders);

}  // namespace arc
