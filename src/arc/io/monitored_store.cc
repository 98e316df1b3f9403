#include "arc/io/monitored_store.h"

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <utility>

#include "arc/base/log.h"

namespace arc {
namespace {

constexpr auto kTickPeriod = std::chrono::milliseconds(1'000);
constexpr int64_t kNanosPerMs = 1'000'000;

bool IsFailure(const Error& error) {
  return error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kTimeout ||
         error.kind == ErrorKind::kUnauthenticated || error.kind == ErrorKind::kPermissionDenied;
}

}  // namespace

struct StoreMonitor {
  StoreMonitor(Clock& clock, std::string name)
      : clock(clock), name(std::move(name)), last_answer_nanos(clock.MonotonicNanos()) {}

  // Takes note of a request's end.
  template <typename T>
  Result<T> Note(Result<T> result) {
    requests.fetch_add(1, std::memory_order_relaxed);
    if (!result.ok() && IsFailure(result.error())) {
      errors.fetch_add(1, std::memory_order_relaxed);
      SetDown(result.error().message);
    } else if (result.ok() || result.error().kind == ErrorKind::kNotFound ||
               result.error().kind == ErrorKind::kAlreadyExists) {
      last_answer_nanos.store(clock.MonotonicNanos(), std::memory_order_relaxed);
      if (is_down.load(std::memory_order_relaxed)) SetUp();
    }
    return result;
  }

  void SetDown(const std::string& reason) {
    std::lock_guard lock(mutex);
    if (!is_down.exchange(true)) Log(LogLevel::kError, "store", name + " fails", {{"error", reason}});
    down = reason;
  }

  void SetUp() {
    std::lock_guard lock(mutex);
    if (is_down.exchange(false)) Log(LogLevel::kInfo, "store", name + " works again", {});
    down.clear();
  }

  int64_t SilentMs() const {
    return (clock.MonotonicNanos() - last_answer_nanos.load(std::memory_order_relaxed)) / kNanosPerMs;
  }

  Clock& clock;
  const std::string name;
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> errors{0};
  std::atomic<uint64_t> read_bytes{0};
  std::atomic<uint64_t> written_bytes{0};
  std::atomic<int64_t> last_answer_nanos;
  std::atomic<bool> is_down{false};
  mutable std::mutex mutex;
  std::string down;
};

namespace {

class MonitoredReader : public ObjectReader {
 public:
  MonitoredReader(std::shared_ptr<ObjectReader> reader, std::shared_ptr<StoreMonitor> monitor)
      : reader_(std::move(reader)), monitor_(std::move(monitor)) {}
  Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override {
    auto read = monitor_->Note(reader_->ReadAt(offset, bytes));
    if (read.ok()) monitor_->read_bytes.fetch_add(*read, std::memory_order_relaxed);
    return read;
  }
  int64_t bytes() const override { return reader_->bytes(); }
  bool is_remote() const override { return reader_->is_remote(); }

 private:
  const std::shared_ptr<ObjectReader> reader_;
  const std::shared_ptr<StoreMonitor> monitor_;
};

class MonitoredWriter : public ObjectWriter {
 public:
  MonitoredWriter(std::unique_ptr<ObjectWriter> writer, std::shared_ptr<StoreMonitor> monitor)
      : writer_(std::move(writer)), monitor_(std::move(monitor)) {}
  arrow::io::OutputStream& stream() override { return writer_->stream(); }
  Status Commit() override { return Counted(&ObjectWriter::Commit); }
  Status CommitOverwrite() override { return Counted(&ObjectWriter::CommitOverwrite); }

 private:
  Status Counted(Status (ObjectWriter::*commit)()) {
    auto written = writer_->stream().Tell();  // a committed stream need not tell
    Status committed = ((*writer_).*commit)();
    if (committed.ok() && written.ok()) {
      monitor_->written_bytes.fetch_add(static_cast<uint64_t>(*written), std::memory_order_relaxed);
    }
    return monitor_->Note(std::move(committed));
  }

  const std::unique_ptr<ObjectWriter> writer_;
  const std::shared_ptr<StoreMonitor> monitor_;
};

}  // namespace

MonitoredStore::MonitoredStore(std::unique_ptr<ObjectStore> store, Clock& clock, const std::string& name)
    : store_(std::move(store)),
      monitor_(std::make_shared<StoreMonitor>(clock, name)),
      ticker_(std::make_unique<Ticker>("store-probe", kTickPeriod, [this] { ProbeIfDue(); })) {}

MonitoredStore::~MonitoredStore() { ticker_->Stop(); }

StoreStats MonitoredStore::stats() const {
  StoreStats stats;
  stats.requests = monitor_->requests.load(std::memory_order_relaxed);
  stats.errors = monitor_->errors.load(std::memory_order_relaxed);
  stats.read_bytes = monitor_->read_bytes.load(std::memory_order_relaxed);
  stats.written_bytes = monitor_->written_bytes.load(std::memory_order_relaxed);
  std::lock_guard lock(monitor_->mutex);
  stats.down = monitor_->down;
  int64_t silent_ms = monitor_->SilentMs();
  if (stats.down.empty() && silent_ms >= kHungAfterMs) {
    stats.down = monitor_->name + " has not answered for " + std::to_string(silent_ms / 1000) + " s";
  }
  return stats;
}

void MonitoredStore::ProbeIfDue() {
  if (monitor_->SilentMs() >= kProbeAfterMs) (void)Check();
}

// Without its bucket a store is as good as down.
Status MonitoredStore::Check() {
  Status checked = store_->Check();
  if (checked.ok() || checked.error().kind != ErrorKind::kNotFound) return monitor_->Note(std::move(checked));
  (void)monitor_->Note<void>(Unavailable(checked.error().message));
  return checked;
}

Status MonitoredStore::PutIfAbsent(const std::string& key, std::string_view bytes) {
  Status put = monitor_->Note(store_->PutIfAbsent(key, bytes));
  if (put.ok()) monitor_->written_bytes.fetch_add(bytes.size(), std::memory_order_relaxed);
  return put;
}

Status MonitoredStore::PutOverwrite(const std::string& key, std::string_view bytes) {
  Status put = monitor_->Note(store_->PutOverwrite(key, bytes));
  if (put.ok()) monitor_->written_bytes.fetch_add(bytes.size(), std::memory_order_relaxed);
  return put;
}

// What opens a writer may ask nothing of the store yet, so only failures say something.
Result<std::unique_ptr<ObjectWriter>> MonitoredStore::Create(const std::string& key) {
  auto writer = store_->Create(key);
  if (!writer.ok()) return monitor_->Note(std::move(writer));
  return std::make_unique<MonitoredWriter>(std::move(*writer), monitor_);
}

Result<std::shared_ptr<ObjectReader>> MonitoredStore::Open(const std::string& key) {
  ARC_ASSIGN_OR_RETURN(auto reader, monitor_->Note(store_->Open(key)));
  return std::make_shared<MonitoredReader>(std::move(reader), monitor_);
}

Result<std::shared_ptr<ObjectReader>> MonitoredStore::OpenKnown(const std::string& key, int64_t bytes) {
  auto reader = store_->OpenKnown(key, bytes);
  if (!reader.ok()) return monitor_->Note(std::move(reader));
  return std::make_shared<MonitoredReader>(std::move(*reader), monitor_);
}

Result<std::string> MonitoredStore::ReadAll(const std::string& key) {
  auto bytes = monitor_->Note(store_->ReadAll(key));
  if (bytes.ok()) monitor_->read_bytes.fetch_add(bytes->size(), std::memory_order_relaxed);
  return bytes;
}

Status MonitoredStore::Delete(const std::string& key) { return monitor_->Note(store_->Delete(key)); }

Result<std::vector<ObjectInfo>> MonitoredStore::List(const std::string& prefix) {
  return monitor_->Note(store_->List(prefix));
}

}  // namespace arc
