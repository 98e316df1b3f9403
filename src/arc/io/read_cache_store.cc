#include "arc/io/read_cache_store.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace arc {
namespace {

constexpr auto kGiveWayPeriod = std::chrono::milliseconds(2'000);

// One read's pieces, worked off by the reading thread and whoever of the executor comes in time.
class PieceReads {
 public:
  PieceReads(std::vector<ReadPiece> pieces, std::function<Status(const ReadPiece&)> read)
      : pieces_(std::move(pieces)), read_(std::move(read)) {}

  void Work() {
    while (true) {
      size_t mine = next_.fetch_add(1);
      if (mine >= pieces_.size()) return;
      // After a failure nobody waits for the rest.
      Status status = failed_ ? Status() : read_(pieces_[mine]);
      std::lock_guard lock(mutex_);
      if (!status.ok() && !failed_.exchange(true)) first_error_ = std::move(status);
      if (++done_ == pieces_.size()) finished_.notify_all();
    }
  }
  Status Wait() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return done_ == pieces_.size(); });
    return first_error_;
  }

 private:
  const std::vector<ReadPiece> pieces_;
  const std::function<Status(const ReadPiece&)> read_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable finished_;
  size_t done_ = 0;
  Status first_error_;
};

class ReadCacheReader : public ObjectReader {
 public:
  ReadCacheReader(ReadCacheStore& store, std::string uri, std::shared_ptr<ObjectReader> remote)
      : store_(store), uri_(std::move(uri)), remote_(std::move(remote)) {}

  Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override {
    int64_t end = std::min(this->bytes(), offset + static_cast<int64_t>(bytes.size()));
    if (offset >= end) return size_t{0};
    const auto wanted = bytes.first(static_cast<size_t>(end - offset));
    std::vector<ReadPiece> missing = store_.keeps() ? TakeCached(offset, wanted) : Split({offset, end - offset});
    ARC_RETURN_IF_ERROR(
        store_.ReadPieces(std::move(missing), [&](const ReadPiece& piece) { return Fetch(piece, offset, wanted); }));
    return wanted.size();
  }
  int64_t bytes() const override { return remote_->bytes(); }
  bool is_remote() const override { return true; }

 private:
  static constexpr int64_t kBlock = ReadCacheStore::kBlockBytes;

  // The size is part of it: a name may not stand for an object of another length.
  std::string BlockName(int64_t block) const {
    return uri_ + "#" + std::to_string(bytes()) + "#" + std::to_string(block);
  }

  static std::vector<ReadPiece> Split(ReadPiece run) {
    std::vector<ReadPiece> pieces;
    for (int64_t done = 0; done < run.length; done += ReadCacheStore::kPieceBytes) {
      pieces.push_back({run.offset + done, std::min(run.length - done, ReadCacheStore::kPieceBytes)});
    }
    return pieces;
  }

  // Copies the part of [from, from + length) that is wanted.
  static void CopyWanted(const char* source, int64_t from, int64_t length, int64_t offset, std::span<uint8_t> wanted) {
    int64_t begin = std::max(from, offset);
    int64_t end = std::min(from + length, offset + static_cast<int64_t>(wanted.size()));
    if (begin < end)
      std::memcpy(wanted.data() + (begin - offset), source + (begin - from), static_cast<size_t>(end - begin));
  }

  // Fills in what is on local disk; returns whole blocks to ask the store for.
  std::vector<ReadPiece> TakeCached(int64_t offset, std::span<uint8_t> wanted) {
    std::vector<ReadPiece> pieces;
    ReadPiece run;
    auto end_run = [&] {
      for (const ReadPiece& piece : Split(run)) pieces.push_back(piece);
      run = {};
    };
    const int64_t end = offset + static_cast<int64_t>(wanted.size());
    for (int64_t block = offset / kBlock; block * kBlock < end; ++block) {
      const int64_t from = block * kBlock;
      const int64_t length = std::min(kBlock, bytes() - from);
      auto cached = store_.ReadBlock(BlockName(block));
      if (cached && static_cast<int64_t>(cached->size()) == length) {
        CopyWanted(cached->data(), from, length, offset, wanted);
        end_run();
        continue;
      }
      if (run.length == 0) run.offset = from;
      run.length += length;
    }
    end_run();
    return pieces;
  }

  Status Fetch(const ReadPiece& piece, int64_t offset, std::span<uint8_t> wanted) {
    if (!store_.keeps()) {
      return ReadWhole(piece,
                       wanted.subspan(static_cast<size_t>(piece.offset - offset), static_cast<size_t>(piece.length)));
    }
    std::string bytes(static_cast<size_t>(piece.length), '\0');
    ARC_RETURN_IF_ERROR(ReadWhole(piece, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}));
    CopyWanted(bytes.data(), piece.offset, piece.length, offset, wanted);
    std::vector<std::string> names;
    for (int64_t block = piece.offset / kBlock; block * kBlock < piece.offset + piece.length; ++block) {
      names.push_back(BlockName(block));
    }
    store_.KeepBlocks(std::move(names), std::move(bytes));
    return {};
  }

  Status ReadWhole(const ReadPiece& piece, std::span<uint8_t> bytes) {
    ARC_ASSIGN_OR_RETURN(size_t read, remote_->ReadAt(piece.offset, bytes));
    return read == bytes.size() ? Status() : Corruption("the object " + uri_ + " is shorter than known");
  }

  ReadCacheStore& store_;
  const std::string uri_;
  const std::shared_ptr<ObjectReader> remote_;
};

}  // namespace

ReadCacheStore::ReadCacheStore(ObjectStore& remote, std::unique_ptr<DiskCache> cache)
    : ForwardingStore(remote), cache_(std::move(cache)), fetching_("read-pieces", kThreads), keeping_("read-cache", 1) {
  if (cache_ == nullptr) return;
  giving_way_ = std::make_unique<Ticker>("read-cache-room", kGiveWayPeriod, [this] { cache_->GiveWay(); });
}

ReadCacheStore::~ReadCacheStore() {
  if (giving_way_ != nullptr) giving_way_->Stop();
  fetching_.Stop();
  keeping_.Stop();
}

ReadCacheStats ReadCacheStore::stats() const {
  return {hits_.load(std::memory_order_relaxed), misses_.load(std::memory_order_relaxed),
          cache_ == nullptr ? 0 : cache_->bytes()};
}

Result<std::shared_ptr<ObjectReader>> ReadCacheStore::OpenKnown(const std::string& key, int64_t bytes) {
  ARC_ASSIGN_OR_RETURN(auto reader, behind().OpenKnown(key, bytes));
  return std::make_shared<ReadCacheReader>(*this, UriOf(key), std::move(reader));
}

std::optional<std::string> ReadCacheStore::ReadBlock(const std::string& name) {
  auto block = cache_->Read(name);
  (block ? hits_ : misses_).fetch_add(1, std::memory_order_relaxed);
  return block;
}

// On a thread of its own: a query does not wait for it.
void ReadCacheStore::KeepBlocks(std::vector<std::string> names, std::string bytes) {
  const auto length = static_cast<int64_t>(bytes.size());
  if (waiting_bytes_.fetch_add(length) + length > kWaitingBytes) {
    waiting_bytes_ -= length;
    return;
  }
  keeping_.Post([this, length, names = std::move(names), bytes = std::move(bytes)] {
    std::string_view rest = bytes;
    for (const std::string& name : names) {
      cache_->Write(name, rest.substr(0, kBlockBytes));
      rest.remove_prefix(std::min<size_t>(rest.size(), kBlockBytes));
    }
    waiting_bytes_ -= length;
  });
}

Status ReadCacheStore::ReadPieces(std::vector<ReadPiece> pieces, std::function<Status(const ReadPiece&)> read) {
  if (pieces.empty()) return {};
  if (pieces.size() == 1) return read(pieces.front());
  const size_t helpers = std::min<size_t>(pieces.size() - 1, kThreads);
  auto reads = std::make_shared<PieceReads>(std::move(pieces), std::move(read));
  // A helper that comes too late finds no piece left and touches nothing of the reader.
  for (size_t i = 0; i < helpers; ++i) fetching_.Post([reads] { reads->Work(); });
  reads->Work();
  return reads->Wait();
}

}  // namespace arc
