#include "arc/catalog/file_index.h"

#include <algorithm>
#include <utility>

namespace arc {
namespace {

using Files = std::vector<std::shared_ptr<const FileEntry>>;

bool StartsEarlier(const std::shared_ptr<const FileEntry>& a, const std::shared_ptr<const FileEntry>& b) {
  return a->min_time < b->min_time;
}

// Files of one start keep their order.
void SortByStart(Files* files) {
  if (std::is_sorted(files->begin(), files->end(), StartsEarlier)) return;
  std::stable_sort(files->begin(), files->end(), StartsEarlier);
}

}  // namespace

FileIndex::FileIndex(Files files) : files_(std::move(files)) {
  SortByStart(&files_);
  prefix_max_time_.reserve(files_.size());
  for (const auto& file : files_) {
    const int64_t before = prefix_max_time_.empty() ? file->max_time : prefix_max_time_.back();
    prefix_max_time_.push_back(std::max(before, file->max_time));
    rows_ += file->rows;
    bytes_ += file->bytes;
  }
  if (files_.empty()) return;
  min_time_ = files_.front()->min_time;
  max_time_ = prefix_max_time_.back();
}

std::shared_ptr<const FileIndex> FileIndex::With(Files added) const {
  SortByStart(&added);
  auto index = std::make_shared<FileIndex>();
  Files& files = index->files_;
  files.reserve(files_.size() + added.size());
  // New files are mostly the latest: what starts before all of them is taken over as it stands.
  auto kept = files_.begin();
  if (added.empty()) {
    kept = files_.end();
  } else {
    kept = std::upper_bound(files_.begin(), files_.end(), added.front(), StartsEarlier);
  }
  files.assign(files_.begin(), kept);
  std::merge(kept, files_.end(), added.begin(), added.end(), std::back_inserter(files), StartsEarlier);
  auto& prefix = index->prefix_max_time_;
  prefix.reserve(files.size());
  prefix.assign(prefix_max_time_.begin(), prefix_max_time_.begin() + (kept - files_.begin()));
  for (size_t i = prefix.size(); i < files.size(); ++i) {
    prefix.push_back(i == 0 ? files[i]->max_time : std::max(prefix.back(), files[i]->max_time));
  }
  index->rows_ = rows_;
  index->bytes_ = bytes_;
  for (const auto& file : added) {
    index->rows_ += file->rows;
    index->bytes_ += file->bytes;
  }
  if (!files.empty()) {
    index->min_time_ = files.front()->min_time;
    index->max_time_ = prefix.back();
  }
  return index;
}

std::shared_ptr<const FileIndex> FileIndex::Without(const std::unordered_set<std::string_view>& keys) const {
  Files left;
  left.reserve(files_.size() - std::min(files_.size(), keys.size()));
  for (const auto& file : files_) {
    if (!keys.contains(file->key)) left.push_back(file);
  }
  return std::make_shared<const FileIndex>(std::move(left));
}

void FileIndex::Prune(int64_t from, int64_t to, std::vector<uint32_t>* positions) const {
  // Before `first` every file has ended by `from`; from `end` on every file starts after `to`.
  const auto first = static_cast<size_t>(std::lower_bound(prefix_max_time_.begin(), prefix_max_time_.end(), from) -
                                         prefix_max_time_.begin());
  const auto end = std::upper_bound(files_.begin(), files_.end(), to,
                                    [](int64_t time, const auto& file) { return time < file->min_time; });
  const auto last = static_cast<size_t>(end - files_.begin());
  for (size_t i = first; i < last; ++i) {
    if (files_[i]->max_time >= from) positions->push_back(static_cast<uint32_t>(i));
  }
}

}  // namespace arc
