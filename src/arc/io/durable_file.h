// A file that appears under its name whole and durable, or not at all: the protocol behind DurablePut and objects.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "arc/base/result.h"
#include "arc/io/local_disk.h"

namespace arc {

// Written under a temporary name in the folder of its final one. Destroyed without a successful Commit, it is removed.
// For one thread; the disk must outlive it.
class DurableFile {
 public:
  enum class Replace { kNo, kYes };

  // Makes the temporary file kTemporaryPrefix + `tag` + "-" + a number unique in this process. kNotFound: no folder.
  static Result<std::unique_ptr<DurableFile>> Create(LocalDisk& disk, const std::string& folder, std::string_view tag);
  ~DurableFile();

  DiskFile& file() { return *file_; }
  // Syncs, renames to `path` (in the folder given to Create) and syncs the folder. kAlreadyExists (without kYes): what
  // was there is durable too. kUnknownOutcome when only the folder's sync failed. Once.
  Status Commit(const std::string& path, Replace replace);

  // Commit in steps, for files that are synced together: Close, LocalDisk::SyncFiles of temporary(), Rename,
  // LocalDisk::SyncNames of the path.
  void Close() { file_.reset(); }
  const std::string& temporary() const { return temporary_; }
  Status Rename(const std::string& path, Replace replace);

 private:
  DurableFile(LocalDisk& disk, std::string folder, std::string temporary, std::unique_ptr<DiskFile> file);

  LocalDisk& disk_;
  const std::string folder_;
  const std::string temporary_;
  std::unique_ptr<DiskFile> file_;
  bool renamed_ = false;
};

// A tag for temporary names that no other process or call has.
std::string MakeTemporaryTag();

}  // namespace arc
