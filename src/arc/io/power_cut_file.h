// What one file of a PowerCutDisk holds: what reading shows, and what may be found after a power cut.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "arc/base/uuid.h"

namespace arc {

// How much of what was not synced a power cut lets through. A choice per cut, so that the plain outcomes are not
// drowned by the many mixed ones.
enum class CutMode { kNothing, kEverything, kMixture };

// Not thread-safe. Sectors are 512 bytes; each is written whole or not at all, and every version it had since its last
// sync may be the one that reached the disk, independently of other sectors. Sizes change in order: some prefix of the
// size changes is found. Bytes that were never written read as zeros, as do those a change of size cut off.
class PowerCutFile {
 public:
  static constexpr int64_t kSectorBytes = 512;

  int64_t size() const { return static_cast<int64_t>(current_.size()); }
  // Whether a sync would have anything to do.
  bool is_pending() const { return !sectors_.empty() || !size_changes_.empty(); }
  size_t ReadAt(int64_t offset, std::span<uint8_t> bytes) const;
  void WriteAt(int64_t offset, std::span<const uint8_t> bytes);
  void Resize(int64_t size);
  // Everything up to here is durable, except what a failed sync dropped.
  void Sync();
  // The kernel's behaviour after a failed write-back: the changed sectors count as clean, so that no later sync writes
  // them (unless written again). Whether they reached the disk is open until the power is cut.
  void FailSync();
  // Becomes what is found after a power cut.
  void Cut(CutMode mode, RandomSource& random);

 private:
  struct Version {
    uint64_t sequence;
    std::array<uint8_t, kSectorBytes> bytes;
  };
  struct Sector {
    bool dirty = true;
    std::vector<Version> versions;  // since the last sync, oldest first
  };
  struct SizeChange {
    uint64_t sequence;
    int64_t size;
  };
  using SizeChanges = std::span<const SizeChange>;

  void AddVersion(int64_t sector);
  static void ZeroCutOff(int64_t sector, SizeChanges changes, Version* version);
  static bool CutOff(int64_t sector, SizeChanges changes, const Version& version);
  void ChooseSector(int64_t number, const Sector& sector, size_t changes_found, CutMode mode, RandomSource& random);

  std::vector<uint8_t> current_;
  std::vector<uint8_t> durable_;
  std::map<int64_t, Sector> sectors_;  // that differ, or may, from durable_
  std::vector<SizeChange> size_changes_;
  uint64_t next_sequence_ = 1;  // durable_ counts as sequence 0
};

}  // namespace arc
