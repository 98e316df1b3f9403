// Blobs that can be had again, kept on local disk while there is room.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/local_disk.h"

namespace arc {

// Thread-safe. An entry is a file of its own that appears whole under its name (nothing is synced: what a power cut
// tears fails its checksum) and carries the name it was stored under; what is damaged in any way counts as absent.
// Beyond the limit, or when the disk has less than kSpareBytes left, the entries not used for longest go. Use is
// remembered within one process; entries of an earlier one come first when some have to go.
class DiskCache {
 public:
  static constexpr int64_t kSpareBytes = int64_t{1} << 30;  // left to everybody else on the disk

  // Finds what an earlier process left in `folder`, which is made if absent and belongs to the cache alone.
  static Result<std::unique_ptr<DiskCache>> Open(LocalDisk& disk, const std::string& folder, int64_t limit_bytes);

  std::optional<std::string> Read(const std::string& name);
  // Best effort: a blob that cannot be kept is not kept.
  void Write(const std::string& name, std::string_view bytes);

  // Lets entries go while the disk is short of space; to be called now and then, for others fill it too.
  void GiveWay() { MakeRoom(0); }

  int64_t bytes() const;  // of all entries' files
  size_t entries() const;

 private:
  struct Entry {
    std::string file;  // below the folder
    int64_t bytes;
  };
  using Used = std::list<Entry>;  // the last used first

  DiskCache(LocalDisk& disk, std::string folder, int64_t limit_bytes)
      : disk_(disk), folder_(std::move(folder)), limit_bytes_(limit_bytes) {}
  Status FindEntries();
  Status WriteFile(const std::string& file, std::string_view framed);
  void Forget(const std::string& file);
  bool MakeRoom(int64_t bytes);

  LocalDisk& disk_;
  const std::string folder_;
  const int64_t limit_bytes_;
  mutable std::mutex mutex_;
  Used used_;
  std::unordered_map<std::string, Used::iterator> by_file_;
  int64_t bytes_ = 0;
};

}  // namespace arc
