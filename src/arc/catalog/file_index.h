// The committed data files of a table, in memory, ready for pruning.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace arc {

struct FileEntry {
  std::string key;  // in the object store
  int64_t bytes = 0;
  int64_t rows = 0;
  int64_t min_time = 0;  // µs
  int64_t max_time = 0;
};

// Immutable; sorted by min_time. Adding files shares nothing yet but is linear in pointers, not in entries.
class FileIndex {
 public:
  FileIndex() = default;
  explicit FileIndex(std::vector<std::shared_ptr<const FileEntry>> files);
  // A new index with `added` merged in.
  std::shared_ptr<const FileIndex> With(std::vector<std::shared_ptr<const FileEntry>> added) const;
  // A new index without the files of these keys.
  std::shared_ptr<const FileIndex> Without(const std::unordered_set<std::string_view>& keys) const;

  const std::vector<std::shared_ptr<const FileEntry>>& files() const { return files_; }
  // Appends the positions of files whose time range meets [from, to] (µs, inclusive). O(log n + hits + overlap).
  void Prune(int64_t from, int64_t to, std::vector<uint32_t>* positions) const;
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return bytes_; }
  // Of all files; meaningless when empty.
  int64_t min_time() const { return min_time_; }
  int64_t max_time() const { return max_time_; }

 private:
  std::vector<std::shared_ptr<const FileEntry>> files_;
  std::vector<int64_t> prefix_max_time_;  // running maximum of max_time, for the lower bound's binary search
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
  int64_t min_time_ = 0;
  int64_t max_time_ = 0;
};

}  // namespace arc
