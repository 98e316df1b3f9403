// For tests: a store with an outage, on and off at will. While it is on every request is kUnavailable, as from a remote
// store that is gone; what is made of requests that get through is the inner store's.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arc/io/object_store.h"

namespace arc {

class OutageStore : public ObjectStore {
 public:
  OutageStore(std::unique_ptr<ObjectStore> store, std::shared_ptr<std::atomic<bool>> outage)
      : store_(std::move(store)), outage_(std::move(outage)) {}

  Status Check() override { return *outage_ ? Gone() : store_->Check(); }
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    return *outage_ ? Gone() : store_->PutIfAbsent(key, bytes);
  }
  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    return *outage_ ? Gone() : store_->PutOverwrite(key, bytes);
  }
  // As S3's, nothing is asked before the commit.
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override {
    ARC_ASSIGN_OR_RETURN(auto writer, store_->Create(key));
    return std::make_unique<Writer>(std::move(writer), outage_);
  }
  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override {
    if (*outage_) return Gone().error();
    ARC_ASSIGN_OR_RETURN(auto reader, store_->Open(key));
    return std::make_shared<Reader>(std::move(reader), outage_);
  }
  Result<std::string> ReadAll(const std::string& key) override {
    if (*outage_) return Gone().error();
    return store_->ReadAll(key);
  }
  Status Delete(const std::string& key) override { return *outage_ ? Gone() : store_->Delete(key); }
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override {
    if (*outage_) return Gone().error();
    return store_->List(prefix);
  }
  std::string UriOf(const std::string& key) const override { return store_->UriOf(key); }
  Result<std::string> KeyOf(std::string_view uri) const override { return store_->KeyOf(uri); }

 private:
  static Status Gone() { return MakeError(ErrorKind::kUnavailable, "the test's store is out"); }

  class Reader : public ObjectReader {
   public:
    Reader(std::shared_ptr<ObjectReader> reader, std::shared_ptr<std::atomic<bool>> outage)
        : reader_(std::move(reader)), outage_(std::move(outage)) {}
    Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override {
      if (*outage_) return Gone().error();
      return reader_->ReadAt(offset, bytes);
    }
    int64_t bytes() const override { return reader_->bytes(); }
    bool is_remote() const override { return true; }

   private:
    const std::shared_ptr<ObjectReader> reader_;
    const std::shared_ptr<std::atomic<bool>> outage_;
  };

  class Writer : public ObjectWriter {
   public:
    Writer(std::unique_ptr<ObjectWriter> writer, std::shared_ptr<std::atomic<bool>> outage)
        : writer_(std::move(writer)), outage_(std::move(outage)) {}
    arrow::io::OutputStream& stream() override { return writer_->stream(); }
    Status Commit() override { return *outage_ ? Gone() : writer_->Commit(); }
    Status CommitOverwrite() override { return *outage_ ? Gone() : writer_->CommitOverwrite(); }

   private:
    const std::unique_ptr<ObjectWriter> writer_;
    const std::shared_ptr<std::atomic<bool>> outage_;
  };

  const std::unique_ptr<ObjectStore> store_;
  const std::shared_ptr<std::atomic<bool>> outage_;
};

}  // namespace arc
