// The write-ahead log: one for all tables, one global LSN order, group-committed. Format: docs/formats/wal.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/io/local_disk.h"
#include "arc/model/batch.h"
#include "arc/model/lsn.h"
#include "arc/model/schema.h"

namespace arc {

enum class SyncMode { kFdatasync, kFsync, kAsync, kOff };

struct LogOptions {
  std::string folder;  // made if absent; one server at a time (the data folder's lock)
  SyncMode sync_mode = SyncMode::kFdatasync;
  int64_t segment_bytes = 100 << 20;          // seal after
  int64_t segment_age_ms = 3600 * 1000;       // or after
  int64_t queue_bytes = 64 << 20;             // appends waiting for a group; more is refused with kOverloaded
  int recycled_segments = 2;                  // retired files kept for overwriting
  bool archive = false;                       // keep retired segments (cut to size) instead of recycling
  int64_t archive_age_ms = 24 * 3600 * 1000;  // archived and .recovered files older are removed when others retire
  bool prepare_ahead = true;                  // make the next segment in the background while one fills
};

// What one LSN stands for.
struct LogRecord {
  enum class Kind : uint8_t { kRows = 0, kDropTable = 1, kCreateDatabase = 2 };
  Kind kind = Kind::kRows;
  TableRef table;  // kCreateDatabase: only `database`
  Batch batch;     // kRows: aligned to the table's columns, final names and types; positions are not kept
};

// The positions of the log, always flushed <= applied <= durable < next in the durable modes.
struct LogPositions {
  Lsn next;
  Lsn durable;
  Lsn applied;
  Lsn flushed;
};

struct SegmentInfo {
  std::string name;
  std::string state;  // "active", "sealed", "recycled" (waits to be overwritten), "archived", "recovered"
  int64_t bytes = 0;  // used; the file may be larger
  Lsn first;
  Lsn last;
};

struct LogStats {
  uint64_t groups = 0;
  uint64_t records = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t syncs = 0;
  uint64_t sync_micros_total = 0;
  uint64_t sync_micros_max = 0;
  uint64_t rotations = 0;
  int64_t queued_bytes = 0;
};

// What replay found, told once at start.
struct ReplayReport {
  uint64_t segments = 0;
  uint64_t groups = 0;
  uint64_t records = 0;
  uint64_t rows = 0;
  int64_t cut_bytes = 0;  // an unfinished last group, removed (an ordinary crash)
  std::string cut_at;     // "segment_….arrow:offset", empty if nothing was cut
  Lsn last;
};

// Thread-safe. One committer thread forms groups, encodes, writes, syncs and then calls `apply` for each record in LSN
// order; `done` follows. Design section 5 words it as leader/follower: see docs/decisions.
class WriteAheadLog {
 public:
  // Called on the committer thread, in LSN order, once the record is durable as the mode says: publishes the rows.
  // Must not block and cannot fail.
  using Apply = std::function<void(Lsn, LogRecord&&)>;
  // Called after Apply, or with the error when the record was not logged. kUnknownOutcome when a sync failed.
  using Done = std::function<void(Result<Lsn>)>;

  // Opens the folder: makes or reads its lineage, cuts an unfinished tail, and replays every record with an LSN above
  // `checkpoint` (as recorded by SetFlushed) to `replay` in order, in bounded memory; the caller skips what its table
  // has flushed. A damaged middle is refused with kCorruption naming segment and offset. Next LSN = max(log tail,
  // checkpoint, `flushed_floor(lineage)`) + 1;
  // the floor is asked for before the first record is replayed, so that tables know their lineage by then.
  using Replay = std::function<Status(Lsn, LogRecord&&)>;
  using FlushedFloor = std::function<Result<Lsn>(const Uuid& lineage)>;
  static Result<std::unique_ptr<WriteAheadLog>> Open(LocalDisk& disk, Clock& clock, RandomSource& random,
                                                     LogOptions options, const FlushedFloor& flushed_floor,
                                                     const Replay& replay, ReplayReport* report);

  virtual ~WriteAheadLog() = default;
  // Takes the record into the next group; returns at once. `apply` and `done` are called exactly once each (apply only
  // on success), never on the calling thread.
  virtual void Append(LogRecord record, Apply apply, Done done) = 0;
  // Several records of one request (one LSN each, all in one group); done gets the last LSN.
  virtual void AppendAll(std::vector<LogRecord> records, Apply apply, Done done) = 0;
  // Returns when every record up to `lsn` is durable on disk, also in kAsync; records still waiting for an LSN count as
  // long as they were appended before the call and `lsn` is not reached yet. kOff writes nothing: success once they are
  // applied. kUnavailable when a failed sync means that it can no longer be had. Not from Apply or Done.
  virtual Status SyncThrough(Lsn lsn) = 0;
  // Everything up to `lsn` is committed to tables: records the checkpoint and retires segments that hold nothing newer.
  // `lsn` never goes back; one that is not applied yet is refused with kInvalidArgument. In kAsync call SyncThrough
  // before the commit that this follows.
  virtual Status SetFlushed(Lsn lsn) = 0;

  virtual const Uuid& lineage() const = 0;
  virtual LogPositions positions() const = 0;
  virtual LogStats stats() const = 0;
  virtual std::vector<SegmentInfo> segments() const = 0;
  // Set once a sync has failed: every append is refused until restart. Empty while healthy. A full disk is not poison:
  // `full()` is then true and appends are refused with kDiskFull until preallocation works again (retried each second).
  virtual std::string poisoned() const = 0;
  virtual bool full() const = 0;
  // Removes archived and .recovered files older than the given age; returns how many.
  virtual Result<int> CleanUp(int64_t older_than_ms) = 0;
  // Commits what is queued, syncs and stops the committer. Appends afterwards are refused.
  virtual Status Close() = 0;
};

}  // namespace arc
