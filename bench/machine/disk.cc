#include "machine/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "arc/base/clock.h"

namespace arc::bench {
namespace {

constexpr size_t kBlock = 1 << 20;
constexpr int kBlocks = 256;
constexpr int64_t kSyncProbeNanos = 1'000'000'000;

Status Failed(const std::string& what) { return Unavailable(what + ": " + std::strerror(errno)); }

Status ProbeFile(int file, DiskRates* rates) {
  Clock& clock = SystemClock();
  // Not zeros: a disk that compresses must not look faster than it is.
  std::string block(kBlock, '\0');
  uint32_t state = 1;
  for (char& byte : block) byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
  int64_t begin = clock.MonotonicNanos();
  for (int i = 0; i < kBlocks; ++i) {
    if (pwrite(file, block.data(), kBlock, static_cast<off_t>(kBlock) * i) != static_cast<ssize_t>(kBlock)) {
      return Failed("writing the probe file");
    }
  }
  if (fdatasync(file) != 0) return Failed("syncing the probe file");
  rates->write_mb_per_s =
      static_cast<double>(kBlock) * kBlocks / 1e6 / (static_cast<double>(clock.MonotonicNanos() - begin) / 1e9);
  std::vector<int64_t> times;
  begin = clock.MonotonicNanos();
  for (int64_t now = begin; now - begin < kSyncProbeNanos;) {
    if (pwrite(file, block.data(), 4096, static_cast<off_t>(times.size() % 4096) * 4096) != 4096 ||
        fdatasync(file) != 0) {
      return Failed("syncing the probe file");
    }
    const int64_t after = clock.MonotonicNanos();
    times.push_back(after - now);
    now = after;
  }
  std::sort(times.begin(), times.end());
  rates->fdatasync_per_s =
      static_cast<double>(times.size()) / (static_cast<double>(clock.MonotonicNanos() - begin) / 1e9);
  rates->fdatasync_p99_ms = static_cast<double>(times[times.size() * 99 / 100]) / 1e6;
  return {};
}

}  // namespace

Result<DiskRates> ProbeDisk(const std::string& folder) {
  const std::string path = folder + "/arc-bench-probe";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return Unavailable("cannot write " + path + ": " + std::strerror(errno));
  DiskRates rates;
  const Status probed = ProbeFile(file, &rates);
  close(file);
  unlink(path.c_str());
  ARC_RETURN_IF_ERROR(probed);
  return rates;
}

Result<DiskUse> MeasureDiskUse(const std::string& folder, const std::string& suffix, const std::string& skip) {
  namespace fs = std::filesystem;
  // Blocks are allocated when the pages are written back.
  const int handle = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return NotFound("there is no folder " + folder);
  syncfs(handle);
  close(handle);
  DiskUse use;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (at->is_directory(error)) {
      if (!skip.empty() && name.starts_with(skip)) at.disable_recursion_pending();
      continue;
    }
    struct stat status{};
    if (!name.ends_with(suffix) || stat(at->path().c_str(), &status) != 0) continue;
    use.bytes += static_cast<int64_t>(status.st_blocks) * 512;
    ++use.files;
  }
  if (error) return Unavailable("cannot list " + folder + ": " + error.message());
  return use;
}

}  // namespace arc::bench
