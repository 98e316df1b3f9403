// Objects that become durable together, at little more than the price of one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arc/io/object_store.h"

namespace arc {

// A store for what is to be made durable at once. New objects that go through a local store's group are found under
// their keys, and are durable, from Sync on; each appears whole or not at all, but a crash in the midst of Sync may
// bring some of them. Before that the group itself reads them (ReadAll), and deleting takes back what was put;
// everything else is the store's own doing. Where each object has a price of its own (remote stores, which this class
// as it stands is for) puts go through at once and Sync does nothing.
//
// For one thread. Destroyed without Sync, a local group leaves nothing; what it put into a remote store stays.
class ObjectGroup : public ObjectStore {
 public:
  explicit ObjectGroup(ObjectStore& store) : store_(store) {}

  // May be called again after more was put. After an error none of what was put since the last call is there, as far as
  // the disk lets us; kAlreadyExists when somebody else took a key meanwhile, else as the disk says, never
  // kUnknownOutcome.
  virtual Status Sync() { return {}; }

  Status Check() override { return store_.Check(); }
  // kAlreadyExists tells nothing of the durability of what is there.
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override { return store_.PutIfAbsent(key, bytes); }
  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    return store_.PutOverwrite(key, bytes);
  }
  Status PutOverwriteUnsynced(const std::string& key, std::string_view bytes) override {
    return store_.PutOverwriteUnsynced(key, bytes);
  }
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override { return store_.Create(key); }
  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override { return store_.Open(key); }
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override {
    return store_.OpenKnown(key, bytes);
  }
  void Prefetch(const std::string& key, int64_t bytes) override { store_.Prefetch(key, bytes); }
  Result<std::string> ReadAll(const std::string& key) override { return store_.ReadAll(key); }
  Status Delete(const std::string& key) override { return store_.Delete(key); }
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override { return store_.List(prefix); }
  std::string UriOf(const std::string& key) const override { return store_.UriOf(key); }
  Result<std::string> KeyOf(std::string_view uri) const override { return store_.KeyOf(uri); }

 protected:
  ObjectStore& store_;
};

}  // namespace arc
