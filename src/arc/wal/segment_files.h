// The files of a log folder: the segment being written, sealed ones, spares to overwrite, retired copies. Knows names,
// sizes and the order in which they reach the disk; nothing of what stands in them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/thread.h"
#include "arc/base/uuid.h"
#include "arc/io/local_disk.h"
#include "arc/model/lsn.h"
#include "arc/wal/file_names.h"
#include "arc/wal/log.h"

namespace arc {

// The segment that groups go to. Belongs to the committer.
struct ActiveSegment {
  std::unique_ptr<DiskFile> file;
  Lsn base;
  uint64_t epoch = 0;  // random, never 0
  int64_t capacity = 0;
  int64_t used = 0;
  int64_t started_nanos = 0;
};

// Thread-safe.
class SegmentFiles {
 public:
  SegmentFiles(LocalDisk& disk, Clock& clock, RandomSource& random, const LogOptions& options);
  ~SegmentFiles();

  // Takes stock of spares and retired copies at start.
  Status Load();
  // A segment found at start, complete up to `used`. `recovered`: records of it were replayed.
  void AddSealed(Lsn base, int64_t capacity, int64_t used, Lsn first, Lsn last, bool recovered);

  // Makes a segment of at least `bytes` that holds nothing: its name, size and end marker are durable when this
  // returns. The one active before is sealed: its content is durable already. After an error it stays as it was.
  Result<ActiveSegment> Start(Lsn base, int64_t bytes);
  // Notes what the active segment holds.
  void Grow(int64_t used, Lsn first, Lsn last);
  // Lets a background thread make a spare, if there is none.
  void PrepareAhead();

  bool HasRetirable(Lsn flushed) const;
  // Takes segments without records above `flushed` out of the log, never the active one. The checkpoint that allows it
  // is durable already.
  Status Retire(Lsn flushed);
  // Removes retired copies at least so old; returns how many.
  Result<int> CleanUp(int64_t older_than_ms);
  std::vector<SegmentInfo> List() const;

 private:
  struct Entry {
    Lsn base;
    int64_t capacity = 0;
    int64_t used = 0;
    Lsn first;
    Lsn last;
    bool active = false;
    bool recovered = false;
  };
  struct Retired {
    RetiredName name;
    int64_t bytes = 0;
  };

  std::string Path(const std::string& name) const { return options_.folder + "/" + name; }
  Result<uint64_t> MakeSpare(int64_t bytes);
  Result<std::unique_ptr<DiskFile>> OpenSpare(uint64_t number);
  void RemoveSpare(uint64_t number);
  Status GiveName(uint64_t number, Lsn base);
  Status RetireOne(const Entry& entry, std::vector<uint64_t>* new_spares);
  Status ArchiveOne(const Entry& entry);
  void PrepareLoop();

  LocalDisk& disk_;
  Clock& clock_;
  RandomSource& random_;
  const LogOptions options_;
  std::mutex retire_mutex_;   // one Retire or CleanUp at a time; taken before mutex_
  mutable std::mutex mutex_;  // of what follows; never held over file operations, so that appends do not wait for them
  std::deque<Entry> segments_;
  std::vector<uint64_t> spares_;
  std::vector<Retired> retired_;
  uint64_t next_spare_ = 1;
  std::condition_variable prepare_;
  bool prepare_wanted_ = false;
  bool stopping_ = false;
  Thread preparer_;
};

}  // namespace arc
