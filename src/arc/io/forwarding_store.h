// A store in front of another one that is asked for everything: the base of those that change a part of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arc/io/object_store.h"

namespace arc {

// As thread-safe as the store behind. Groups of objects, writes that nothing waits for and clean-up are the front's own
// (ObjectStore's defaults), so that all writes pass what it overrides.
class ForwardingStore : public ObjectStore {
 public:
  // `behind` outlives this.
  explicit ForwardingStore(ObjectStore& behind) : behind_(behind) {}

  Status Check() override { return behind_.Check(); }
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    return behind_.PutIfAbsent(key, bytes);
  }
  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    return behind_.PutOverwrite(key, bytes);
  }
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override { return behind_.Create(key); }
  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override { return behind_.Open(key); }
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override {
    return behind_.OpenKnown(key, bytes);
  }
  void Prefetch(const std::string& key, int64_t bytes) override { behind_.Prefetch(key, bytes); }
  Result<std::string> ReadAll(const std::string& key) override { return behind_.ReadAll(key); }
  Status Delete(const std::string& key) override { return behind_.Delete(key); }
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override { return behind_.List(prefix); }
  std::string UriOf(const std::string& key) const override { return behind_.UriOf(key); }
  Result<std::string> KeyOf(std::string_view uri) const override { return behind_.KeyOf(uri); }

 protected:
  ObjectStore& behind() const { return behind_; }

 private:
  ObjectStore& behind_;
};

}  // namespace arc
