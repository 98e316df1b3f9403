// A store that notices whether the store behind it works, and counts what goes through.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "arc/base/clock.h"
#include "arc/base/thread.h"
#include "arc/io/object_store.h"

namespace arc {

struct StoreMonitor;

struct StoreStats {
  uint64_t requests = 0;
  uint64_t errors = 0;  // requests that the store did not answer as it should: outages and refused credentials
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
  std::string down;  // why the store does not work, empty while it does
};

// Thread-safe. The store is down from the first request that fails for the store's sake (kUnavailable, kTimeout,
// kUnauthenticated, kPermissionDenied, its own retries included) until the next that does not. When nothing has shown
// for kProbeAfterMs that it works, Check is asked; one that goes on for kHungAfterMs counts as down.
class MonitoredStore : public ObjectStore {
 public:
  static constexpr int64_t kProbeAfterMs = 5'000;
  static constexpr int64_t kHungAfterMs = 15'000;

  // `name` is for messages.
  MonitoredStore(std::unique_ptr<ObjectStore> store, Clock& clock, const std::string& name = "the object store");
  ~MonitoredStore() override;

  StoreStats stats() const;
  // The ticker's work: asks the store when it is due.
  void ProbeIfDue();

  Status Check() override;
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override;
  Status PutOverwrite(const std::string& key, std::string_view bytes) override;
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override;
  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override;
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override;
  Result<std::string> ReadAll(const std::string& key) override;
  Status Delete(const std::string& key) override;
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override;
  std::string UriOf(const std::string& key) const override { return store_->UriOf(key); }
  Result<std::string> KeyOf(std::string_view uri) const override { return store_->KeyOf(uri); }

 private:
  const std::unique_ptr<ObjectStore> store_;
  const std::shared_ptr<StoreMonitor> monitor_;  // readers have it too, and may outlive the store
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace arc
