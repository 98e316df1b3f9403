// Which column chunks of which data files have been read whole and fitted the checksums of their pages.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/object_store.h"

namespace arc {

// The column chunks of one file. Thread-safe.
class FilePages {
 public:
  // Reads the footer. A file whose footer makes no sense has no pages: its readers will say so. Errors are the store's.
  static Result<std::shared_ptr<FilePages>> Read(const std::string& key, const std::shared_ptr<ObjectReader>& file);

  // Checks the column chunks that `content`, just read at `offset`, touches, if they have not been; what of them is not
  // in it is read. kCorruption, naming the file; the store's errors.
  Status Check(const std::shared_ptr<ObjectReader>& file, int64_t offset, std::span<const uint8_t> content);
  size_t chunks() const { return chunks_.size(); }

 private:
  struct Chunk {
    int64_t begin = 0;
    int64_t end = 0;
    int64_t values = 0;
    bool good = false;  // under mutex_
  };
  explicit FilePages(std::string key) : key_(std::move(key)) {}
  Status CheckChunk(const Chunk& chunk, const std::shared_ptr<ObjectReader>& file, int64_t offset,
                    std::span<const uint8_t> content) const;

  const std::string key_;
  std::mutex mutex_;
  std::vector<Chunk> chunks_;  // by begin, disjoint
};

// Thread-safe.
class PageChecks {
 public:
  explicit PageChecks(size_t max_chunks) : max_chunks_(max_chunks) {}
  Result<std::shared_ptr<FilePages>> Of(const std::string& key, const std::shared_ptr<ObjectReader>& file);

 private:
  struct Entry {
    std::shared_ptr<FilePages> pages;
    std::list<std::string>::iterator place;
  };
  const size_t max_chunks_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> files_;  // by key
  std::list<std::string> by_use_;                 // the last used first
  size_t chunks_ = 0;                             // of all files, and one for each
};

}  // namespace arc
