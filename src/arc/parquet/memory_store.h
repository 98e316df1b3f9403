// For tests: an object store in memory that can be told to fail.
#pragma once

#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "arc/io/object_store.h"

namespace arc {

class MemoryStore : public ObjectStore {
 public:
  std::map<std::string, std::string> objects;
  int64_t space = INT64_MAX;  // bytes until writers fail with kDiskFull

  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override {
    return std::unique_ptr<ObjectWriter>(std::make_unique<Writer>(*this, key));
  }
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    if (!objects.emplace(key, bytes).second) return MakeError(ErrorKind::kAlreadyExists, key + " exists");
    return {};
  }
  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    objects[key] = bytes;
    return {};
  }
  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override {
    const auto found = objects.find(key);
    if (found == objects.end()) return NotFound(key);
    return std::shared_ptr<ObjectReader>(std::make_shared<Reader>(found->second));
  }
  Result<std::string> ReadAll(const std::string& key) override {
    const auto found = objects.find(key);
    if (found == objects.end()) return NotFound(key);
    return found->second;
  }
  Status Delete(const std::string& key) override {
    objects.erase(key);
    return {};
  }
  Result<std::vector<ObjectInfo>> List(const std::string&) override { return std::vector<ObjectInfo>{}; }
  std::string UriOf(const std::string& key) const override { return key; }
  Result<std::string> KeyOf(std::string_view uri) const override { return std::string(uri); }

 private:
  class Reader : public ObjectReader {
   public:
    explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}
    Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override {
      const auto from = std::min(static_cast<size_t>(offset), bytes_.size());
      const size_t count = std::min(bytes.size(), bytes_.size() - from);
      std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(from), count, bytes.begin());
      return count;
    }
    int64_t bytes() const override { return static_cast<int64_t>(bytes_.size()); }

   private:
    const std::string bytes_;
  };

  class Stream : public arrow::io::OutputStream {
   public:
    explicit Stream(int64_t space) : space_(space) {}
    arrow::Status Write(const void* data, int64_t bytes) override {
      if (static_cast<int64_t>(bytes_.size()) + bytes > space_) full_ = true;
      if (full_) return arrow::Status::IOError("no space");
      bytes_.append(static_cast<const char*>(data), static_cast<size_t>(bytes));
      return arrow::Status::OK();
    }
    arrow::Status Close() override { return arrow::Status::OK(); }
    arrow::Result<int64_t> Tell() const override { return static_cast<int64_t>(bytes_.size()); }
    bool closed() const override { return false; }
    bool full() const { return full_; }
    const std::string& bytes() const { return bytes_; }

   private:
    const int64_t space_;
    std::string bytes_;
    bool full_ = false;
  };

  class Writer : public ObjectWriter {
   public:
    Writer(MemoryStore& store, std::string key) : store_(store), key_(std::move(key)), stream_(store.space) {}
    arrow::io::OutputStream& stream() override { return stream_; }
    Status Commit() override {
      if (stream_.full()) return MakeError(ErrorKind::kDiskFull, "no space for " + key_);
      return store_.PutIfAbsent(key_, stream_.bytes());
    }
    Status CommitOverwrite() override { return store_.PutOverwrite(key_, stream_.bytes()); }

   private:
    MemoryStore& store_;
    const std::string key_;
    Stream stream_;
  };
};

}  // namespace arc
