// Puts groups into segments: one write each, rotation by size and age, one sync.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/model/lsn.h"
#include "arc/wal/group_encoder.h"
#include "arc/wal/log.h"
#include "arc/wal/segment_files.h"

namespace arc {

// Belongs to the committer thread. Errors: kDiskFull leaves the log usable once Renew succeeds; kInternal means that
// the records cannot be encoded; after any other nothing may be written any more, and whether the group is in the log
// is unknown.
class GroupWriter {
 public:
  // `logged`: what the log's files hold at start, all of it synced.
  GroupWriter(SegmentFiles& files, Clock& clock, const Uuid& lineage, const LogOptions& options, Lsn logged);

  // Starts a segment behind what has been written.
  Status Renew(Lsn base);
  // Encodes the records with LSNs from `first` on and writes them: durably in the durable modes, else Sync is to
  // follow.
  Status Write(std::span<const LogRecord* const> records, Lsn first);
  // Makes what was written durable. After an error it is unknown whether it is.
  Status Sync();

  Lsn written() const { return written_; }                  // last LSN in the log's files
  Lsn logged() const { return logged_; }                    // last LSN there that is synced
  int64_t group_bytes() const { return encoder_.bytes(); }  // of the last group

  struct Syncs {
    uint64_t count = 0;
    uint64_t micros_total = 0;
    uint64_t micros_max = 0;
  };
  const Syncs& syncs() const { return syncs_; }
  uint64_t rotations() const { return rotations_; }

 private:
  bool NeedsNewSegment(int64_t bytes) const;
  Status StartSegment(Lsn base, int64_t bytes);
  Status WriteBytes(std::span<const uint8_t> bytes, Lsn last);
  // The segment has no more room than what it held before the write that failed.
  void AbandonSegment();
  // A sync that began at `started_nanos` has ended well: everything written is durable.
  void Synced(int64_t started_nanos);

  SegmentFiles& files_;
  Clock& clock_;
  const LogOptions options_;
  GroupEncoder encoder_;
  std::optional<ActiveSegment> active_;
  Lsn written_;
  Lsn logged_;
  Syncs syncs_;
  uint64_t rotations_ = 0;
};

}  // namespace arc
