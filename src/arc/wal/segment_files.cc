#include "arc/wal/segment_files.h"

#include <algorithm>
#include <utility>

#include "arc/base/log.h"
#include "arc/wal/message_frame.h"

namespace arc {

SegmentFiles::SegmentFiles(LocalDisk& disk, Clock& clock, RandomSource& random, const LogOptions& options)
    : disk_(disk), clock_(clock), random_(random), options_(options) {
  if (options_.prepare_ahead && options_.sync_mode != SyncMode::kOff) {
    preparer_ = Thread("wal-prepare", [this] { PrepareLoop(); });
  }
}

SegmentFiles::~SegmentFiles() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  prepare_.notify_all();
  preparer_.Join();
}

Status SegmentFiles::Load() {
  std::lock_guard lock(mutex_);
  ARC_ASSIGN_OR_RETURN(auto names, disk_.List(options_.folder));
  for (const auto& name : names) {
    if (const auto number = ParseSpareName(name)) {
      next_spare_ = std::max(next_spare_, *number + 1);
      ARC_ASSIGN_OR_RETURN(auto entry, disk_.Stat(Path(name)));
      // A crash may have left one half made, or the configured size has changed.
      if (entry.bytes == options_.segment_bytes && static_cast<int>(spares_.size()) < options_.recycled_segments) {
        spares_.push_back(*number);
      } else {
        ARC_RETURN_IF_ERROR(disk_.Remove(Path(name)));
      }
    } else if (const auto retired = ParseRetiredName(name)) {
      ARC_ASSIGN_OR_RETURN(auto entry, disk_.Stat(Path(name)));
      retired_.push_back({*retired, entry.bytes});
    }
  }
  return {};
}

void SegmentFiles::AddSealed(Lsn base, int64_t capacity, int64_t used, Lsn first, Lsn last, bool recovered) {
  std::lock_guard lock(mutex_);
  segments_.push_back({base, capacity, used, first, last, false, recovered});
}

// A preallocated file with an end marker at its start, all of it synced. Its name is not yet.
Result<uint64_t> SegmentFiles::MakeSpare(int64_t bytes) {
  uint64_t number;
  {
    std::lock_guard lock(mutex_);
    number = next_spare_++;
  }
  const std::string path = Path(SpareName(number));
  ARC_ASSIGN_OR_RETURN(auto file, disk_.Open(path, OpenMode::kCreateExclusive));
  auto status = file->Preallocate(bytes);
  if (status.ok()) status = file->WriteAt(0, kEndMarker);
  if (status.ok()) status = file->Sync();
  if (status.ok()) return number;
  file.reset();
  RemoveSpare(number);
  return std::move(status).error();
}

// Best effort: Load removes what is left.
void SegmentFiles::RemoveSpare(uint64_t number) {
  const std::string path = Path(SpareName(number));
  auto removed = disk_.Remove(path);
  if (removed.ok()) return;
  Log(LogLevel::kWarning, "wal", "a half-made segment stays behind",
      {{"path", path}, {"error", removed.error().message}});
}

// The old content must read as nothing before the file gets a segment's name.
Result<std::unique_ptr<DiskFile>> SegmentFiles::OpenSpare(uint64_t number) {
  ARC_ASSIGN_OR_RETURN(auto file, disk_.Open(Path(SpareName(number)), OpenMode::kReadWrite));
  ARC_RETURN_IF_ERROR(file->WriteAt(0, kEndMarker));
  ARC_RETURN_IF_ERROR(file->SyncData());
  return file;
}

Status SegmentFiles::GiveName(uint64_t number, Lsn base) {
  ARC_RETURN_IF_ERROR(disk_.Rename(Path(SpareName(number)), Path(SegmentName(base))));
  auto synced = disk_.SyncDirectory(options_.folder);
  // Whatever the reason, the name is in doubt: not to be taken for a full disk, which heals.
  if (!synced.ok()) return MakeError(ErrorKind::kUnknownOutcome, synced.error().message);
  return {};
}

Result<ActiveSegment> SegmentFiles::Start(Lsn base, int64_t bytes) {
  const int64_t capacity = std::max(bytes, options_.segment_bytes);
  uint64_t number = 0;
  if (capacity == options_.segment_bytes) {
    std::lock_guard lock(mutex_);
    if (!spares_.empty()) {
      number = spares_.back();
      spares_.pop_back();
    }
  }
  if (number == 0) {
    ARC_ASSIGN_OR_RETURN(number, MakeSpare(capacity));
  }
  auto file = OpenSpare(number);
  if (!file.ok()) {
    RemoveSpare(number);
    return std::move(file).error();
  }
  ARC_RETURN_IF_ERROR(GiveName(number, base));
  ActiveSegment active;
  active.file = *std::move(file);
  active.base = base;
  while (active.epoch == 0) active.epoch = random_.NextU64();
  active.capacity = capacity;
  active.started_nanos = clock_.MonotonicNanos();
  std::lock_guard lock(mutex_);
  if (!segments_.empty()) {
    segments_.back().active = false;
    // One that stayed empty had the same name and has just been replaced.
    if (segments_.back().base == base) segments_.pop_back();
  }
  segments_.push_back({base, capacity, 0, {}, {}, true, false});
  return active;
}

void SegmentFiles::Grow(int64_t used, Lsn first, Lsn last) {
  std::lock_guard lock(mutex_);
  auto& entry = segments_.back();
  entry.used = used;
  if (entry.first == Lsn{}) entry.first = first;
  entry.last = last;
}

void SegmentFiles::PrepareAhead() {
  {
    std::lock_guard lock(mutex_);
    if (!spares_.empty() || prepare_wanted_) return;
    prepare_wanted_ = true;
  }
  prepare_.notify_one();
}

void SegmentFiles::PrepareLoop() {
  std::unique_lock lock(mutex_);
  while (true) {
    prepare_.wait(lock, [this] { return stopping_ || prepare_wanted_; });
    if (stopping_) return;
    lock.unlock();
    auto number = MakeSpare(options_.segment_bytes);
    lock.lock();
    prepare_wanted_ = false;
    if (number.ok()) {
      spares_.push_back(*number);
    } else {
      Log(LogLevel::kWarning, "wal", "the next segment cannot be made ahead", {{"error", number.error().message}});
    }
  }
}

bool SegmentFiles::HasRetirable(Lsn flushed) const {
  std::lock_guard lock(mutex_);
  return std::any_of(segments_.begin(), segments_.end(),
                     [&](const Entry& entry) { return !entry.active && entry.last <= flushed; });
}

Status SegmentFiles::Retire(Lsn flushed) {
  std::lock_guard retiring(retire_mutex_);
  std::vector<uint64_t> new_spares;
  bool any = false;
  Status status;
  while (status.ok()) {
    Entry entry;
    {
      std::lock_guard lock(mutex_);
      if (segments_.empty() || segments_.front().active || segments_.front().last > flushed) break;
      entry = segments_.front();
    }
    status = RetireOne(entry, &new_spares);
    if (!status.ok()) break;
    any = true;
    std::lock_guard lock(mutex_);
    segments_.pop_front();
  }
  if (!any) return status;
  // Before anything overwrites a spare, so that no old name ever leads to new bytes.
  ARC_RETURN_IF_ERROR(disk_.SyncDirectory(options_.folder));
  std::lock_guard lock(mutex_);
  spares_.insert(spares_.end(), new_spares.begin(), new_spares.end());
  return status;
}

Status SegmentFiles::RetireOne(const Entry& entry, std::vector<uint64_t>* new_spares) {
  if (entry.last != Lsn{} && (entry.recovered || options_.archive)) return ArchiveOne(entry);
  const std::string path = Path(SegmentName(entry.base));
  uint64_t number;
  {
    std::lock_guard lock(mutex_);
    const bool enough = static_cast<int>(spares_.size() + new_spares->size()) >= options_.recycled_segments;
    number = enough || entry.capacity != options_.segment_bytes ? 0 : next_spare_++;
  }
  if (number == 0) return disk_.Remove(path);
  ARC_RETURN_IF_ERROR(disk_.Rename(path, Path(SpareName(number))));
  new_spares->push_back(number);
  return {};
}

// Cuts the file to what it holds and gives it a name that replay does not look at.
Status SegmentFiles::ArchiveOne(const Entry& entry) {
  const std::string path = Path(SegmentName(entry.base));
  ARC_ASSIGN_OR_RETURN(auto file, disk_.Open(path, OpenMode::kReadWrite));
  ARC_RETURN_IF_ERROR(file->Truncate(entry.used));
  ARC_RETURN_IF_ERROR(file->WriteAt(entry.used, kEndMarker));
  ARC_RETURN_IF_ERROR(file->SyncData());
  const Retired retired{{entry.base, entry.last, clock_.WallMicros() / 1000, entry.recovered},
                        entry.used + kEndMarkerBytes};
  ARC_RETURN_IF_ERROR(disk_.Rename(path, Path(retired.name.ToString())));
  std::lock_guard lock(mutex_);
  retired_.push_back(retired);
  return {};
}

Result<int> SegmentFiles::CleanUp(int64_t older_than_ms) {
  std::lock_guard retiring(retire_mutex_);
  const int64_t newest = clock_.WallMicros() / 1000 - older_than_ms;
  std::vector<Retired> all;
  {
    std::lock_guard lock(mutex_);
    all = retired_;
  }
  std::vector<Retired> kept;
  int removed = 0;
  Status status;
  for (const auto& retired : all) {
    if (status.ok() && retired.name.retired_ms <= newest) {
      status = disk_.Remove(Path(retired.name.ToString()));
      if (status.ok() || status.error().kind == ErrorKind::kNotFound) {
        status = {};
        ++removed;
        continue;
      }
    }
    kept.push_back(retired);
  }
  {
    std::lock_guard lock(mutex_);
    retired_ = std::move(kept);
  }
  ARC_RETURN_IF_ERROR(status);
  return removed;
}

std::vector<SegmentInfo> SegmentFiles::List() const {
  std::lock_guard lock(mutex_);
  std::vector<SegmentInfo> infos;
  for (const auto& retired : retired_) {
    infos.push_back({retired.name.ToString(), retired.name.recovered ? "recovered" : "archived", retired.bytes,
                     retired.name.base, retired.name.last});
  }
  for (const auto& entry : segments_) {
    infos.push_back({SegmentName(entry.base), entry.active ? "active" : "sealed", entry.used, entry.first, entry.last});
  }
  for (const uint64_t number : spares_) infos.push_back({SpareName(number), "recycled", 0, {}, {}});
  return infos;
}

}  // namespace arc
