// A remote store whose footers come before they are asked for: a Parquet reader begins with the last bytes of each
// file, and over a network each file would cost it one wait more.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "arc/base/thread.h"
#include "arc/io/forwarding_store.h"

namespace arc {

class TailCache;

struct ReadAheadStats {
  uint64_t hits = 0;    // reads answered from memory
  uint64_t misses = 0;  // reads of a tail that was not there
  int64_t cached_bytes = 0;
};

// Thread-safe. Keeps the tails of immutable objects (those opened by OpenKnown), the last used up to `limit_bytes`: of
// a Parquet file its footer, a small object is all tail. Other reads go through. Tails asked for by Prefetch are read
// on threads of its own; more than kMaxWaiting waiting ones are dropped, which costs time only.
class ReadAheadStore : public ForwardingStore {
 public:
  static constexpr int64_t kTailBytes = 128 << 10;
  static constexpr int64_t kSmallObjectBytes = 1 << 20;  // objects up to this are read whole
  static constexpr int kThreads = 16;
  static constexpr size_t kMaxWaiting = 256;

  // `remote` outlives this; readers may outlive it.
  ReadAheadStore(ObjectStore& remote, int64_t limit_bytes);
  ~ReadAheadStore() override;

  ReadAheadStats stats() const;

  void Prefetch(const std::string& key, int64_t bytes) override;
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override;

 private:
  const std::shared_ptr<TailCache> tails_;
  Executor executor_;
};

}  // namespace arc
