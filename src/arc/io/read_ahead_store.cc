#include "arc/io/read_ahead_store.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace arc {
namespace {

int64_t TailOf(int64_t bytes) {
  return bytes <= ReadAheadStore::kSmallObjectBytes ? bytes : ReadAheadStore::kTailBytes;
}

// How much of a tail is worth keeping: all of a small object, of a Parquet file its footer, whose length and magic are
// its last eight bytes (https://parquet.apache.org/docs/file-format).
size_t WorthKeeping(int64_t object_bytes, std::span<const uint8_t> tail) {
  constexpr std::string_view kMagic = "PAR1";
  constexpr size_t kEndBytes = 8;
  if (object_bytes <= ReadAheadStore::kSmallObjectBytes || tail.size() < kEndBytes) return tail.size();
  const auto end = tail.last(kEndBytes);
  if (std::memcmp(end.data() + 4, kMagic.data(), kMagic.size()) != 0) return tail.size();
  const size_t footer = end[0] | end[1] << 8 | end[2] << 16 | static_cast<size_t>(end[3]) << 24;
  return std::min(tail.size(), footer + kEndBytes);
}

// The last bytes of one object: being read by whoever made it, then there or failed.
struct Tail {
  std::mutex mutex;
  std::condition_variable finished;
  std::optional<Status> outcome;
  std::vector<uint8_t> bytes;  // immutable once the outcome is there

  void Finish(Status status) {
    std::lock_guard lock(mutex);
    outcome = std::move(status);
    finished.notify_all();
  }
  Status Wait() {
    std::unique_lock lock(mutex);
    finished.wait(lock, [&] { return outcome.has_value(); });
    return *outcome;
  }
};

}  // namespace

// Tails by key, the last used first. Thread-safe.
class TailCache {
 public:
  explicit TailCache(int64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // The tail, and whether the caller is the one who has to read it.
  std::pair<std::shared_ptr<Tail>, bool> Get(const std::string& key, int64_t tail_bytes) {
    std::lock_guard lock(mutex_);
    auto found = by_key_.find(key);
    if (found != by_key_.end()) {
      used_.splice(used_.begin(), used_, found->second);
      return {found->second->tail, false};
    }
    used_.push_front({key, std::make_shared<Tail>(), tail_bytes});
    by_key_[key] = used_.begin();
    bytes_ += tail_bytes;
    while (bytes_ > limit_bytes_ && used_.size() > 1) Remove(std::prev(used_.end()));
    return {used_.front().tail, true};
  }

  void Forget(const std::string& key, const std::shared_ptr<Tail>& tail) {
    std::lock_guard lock(mutex_);
    auto found = by_key_.find(key);
    if (found != by_key_.end() && found->second->tail == tail) Remove(found->second);
  }

  // Reads the tail and tells everybody who waits for it.
  void Fill(const std::string& key, ObjectReader& reader, const std::shared_ptr<Tail>& tail) {
    int64_t length = TailOf(reader.bytes());
    tail->bytes.resize(static_cast<size_t>(length));
    auto read = reader.ReadAt(reader.bytes() - length, tail->bytes);
    Status status = read.ok() ? Status() : Status(read.error());
    if (read.ok() && *read != tail->bytes.size()) status = Corruption("the object " + key + " is shorter than known");
    if (!status.ok()) {
      Forget(key, tail);
    } else if (const size_t kept = WorthKeeping(reader.bytes(), tail->bytes); kept < tail->bytes.size()) {
      tail->bytes = std::vector<uint8_t>(tail->bytes.end() - static_cast<int64_t>(kept), tail->bytes.end());
      NoteBytes(key, tail);
    }
    tail->Finish(std::move(status));
  }

  void CountHit() { hits_.fetch_add(1, std::memory_order_relaxed); }
  void CountMiss() { misses_.fetch_add(1, std::memory_order_relaxed); }
  ReadAheadStats stats() const {
    std::lock_guard lock(mutex_);
    return {hits_.load(std::memory_order_relaxed), misses_.load(std::memory_order_relaxed), bytes_};
  }

 private:
  struct Used {
    std::string key;
    std::shared_ptr<Tail> tail;
    int64_t bytes;
  };
  void NoteBytes(const std::string& key, const std::shared_ptr<Tail>& tail) {
    std::lock_guard lock(mutex_);
    auto found = by_key_.find(key);
    if (found == by_key_.end() || found->second->tail != tail) return;
    const auto bytes = static_cast<int64_t>(tail->bytes.size());
    bytes_ += bytes - std::exchange(found->second->bytes, bytes);
  }
  void Remove(std::list<Used>::iterator entry) {
    bytes_ -= entry->bytes;
    by_key_.erase(entry->key);
    used_.erase(entry);
  }

  const int64_t limit_bytes_;
  mutable std::mutex mutex_;
  std::list<Used> used_;
  std::unordered_map<std::string, std::list<Used>::iterator> by_key_;
  int64_t bytes_ = 0;
  std::atomic<uint64_t> hits_{0};
  std::atomic<uint64_t> misses_{0};
};

namespace {

class ReadAheadReader : public ObjectReader {
 public:
  ReadAheadReader(std::string key, std::shared_ptr<ObjectReader> reader, std::shared_ptr<TailCache> tails)
      : key_(std::move(key)), reader_(std::move(reader)), tails_(std::move(tails)) {}

  Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override {
    int64_t start = reader_->bytes() - TailOf(reader_->bytes());
    if (offset < start || offset >= reader_->bytes()) return reader_->ReadAt(offset, bytes);
    auto [tail, is_mine] = tails_->Get(key_, reader_->bytes() - start);
    if (is_mine) {
      tails_->CountMiss();
      tails_->Fill(key_, *reader_, tail);
    } else {
      tails_->CountHit();
    }
    // A read ahead that failed is no answer to a read of now.
    if (Status status = tail->Wait(); !status.ok()) {
      if (is_mine) return status.error();
      return reader_->ReadAt(offset, bytes);
    }
    start = reader_->bytes() - static_cast<int64_t>(tail->bytes.size());
    if (offset < start) return reader_->ReadAt(offset, bytes);
    size_t length = std::min<size_t>(bytes.size(), static_cast<size_t>(reader_->bytes() - offset));
    std::memcpy(bytes.data(), tail->bytes.data() + (offset - start), length);
    return length;
  }
  int64_t bytes() const override { return reader_->bytes(); }
  bool is_remote() const override { return reader_->is_remote(); }

 private:
  const std::string key_;
  const std::shared_ptr<ObjectReader> reader_;
  const std::shared_ptr<TailCache> tails_;
};

}  // namespace

ReadAheadStore::ReadAheadStore(ObjectStore& remote, int64_t limit_bytes)
    : ForwardingStore(remote), tails_(std::make_shared<TailCache>(limit_bytes)), executor_("read-ahead", kThreads) {}

ReadAheadStore::~ReadAheadStore() { executor_.Stop(); }

ReadAheadStats ReadAheadStore::stats() const { return tails_->stats(); }

void ReadAheadStore::Prefetch(const std::string& key, int64_t bytes) {
  if (bytes <= 0 || executor_.queued() >= kMaxWaiting) return;
  auto [tail, is_mine] = tails_->Get(key, TailOf(bytes));
  if (!is_mine) return;
  executor_.Post([this, key, bytes, tail = tail] {
    auto reader = behind().OpenKnown(key, bytes);
    if (reader.ok()) return tails_->Fill(key, **reader, tail);
    tails_->Forget(key, tail);
    tail->Finish(reader.error());
  });
}

Result<std::shared_ptr<ObjectReader>> ReadAheadStore::OpenKnown(const std::string& key, int64_t bytes) {
  ARC_ASSIGN_OR_RETURN(auto reader, behind().OpenKnown(key, bytes));
  return std::make_shared<ReadAheadReader>(key, std::move(reader), tails_);
}

}  // namespace arc
