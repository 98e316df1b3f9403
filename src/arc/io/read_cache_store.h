// A remote store whose data is read in parallel pieces and kept on local disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/thread.h"
#include "arc/io/disk_cache.h"
#include "arc/io/forwarding_store.h"

namespace arc {

struct ReadCacheStats {
  uint64_t hits = 0;         // blocks found on local disk
  uint64_t misses = 0;       // blocks that came from the store
  int64_t cached_bytes = 0;  // on local disk
};

// A range of an object that one request asks for.
struct ReadPiece {
  int64_t offset = 0;
  int64_t length = 0;
};

// Thread-safe. Reads of immutable objects (those opened by OpenKnown) go by blocks of kBlockBytes: those on local disk
// come from there, runs of others are asked for in pieces of up to kPieceBytes, several at a time, and kept by a thread
// of the store's own. Blocks that wait to be kept take at most kWaitingBytes; beyond it they are not kept. Everything
// else goes through. Its readers go before it.
class ReadCacheStore : public ForwardingStore {
 public:
  static constexpr int64_t kBlockBytes = 256 << 10;
  static constexpr int64_t kPieceBytes = 2 << 20;
  static constexpr int64_t kWaitingBytes = 64 << 20;
  static constexpr int kThreads = 8;

  // `remote` outlives this. `cache` may be null: nothing is kept then, and reads are as long as they were asked for.
  ReadCacheStore(ObjectStore& remote, std::unique_ptr<DiskCache> cache);
  ~ReadCacheStore() override;

  ReadCacheStats stats() const;

  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override;

  // For its readers: blocks by name, and the pieces of one read, all read when it returns success.
  bool keeps() const { return cache_ != nullptr; }
  std::optional<std::string> ReadBlock(const std::string& name);
  void KeepBlocks(std::vector<std::string> names, std::string bytes);
  Status ReadPieces(std::vector<ReadPiece> pieces, std::function<Status(const ReadPiece&)> read);

 private:
  const std::unique_ptr<DiskCache> cache_;
  std::atomic<uint64_t> hits_{0};
  std::atomic<uint64_t> misses_{0};
  std::atomic<int64_t> waiting_bytes_{0};
  Executor fetching_;
  Executor keeping_;
  std::unique_ptr<Ticker> giving_way_;
};

}  // namespace arc
