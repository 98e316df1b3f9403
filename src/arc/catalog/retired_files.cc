#include "arc/catalog/retired_files.h"

#include <algorithm>
#include <iterator>

namespace arc {

bool RetiredFiles::Retired::is_read() const {
  return !std::all_of(entries.begin(), entries.end(), [](const auto& entry) { return entry.expired(); });
}

void RetiredFiles::AddLocked(const std::shared_ptr<const FileEntry>& file) {
  auto& entries = files_[file->key].entries;
  std::erase_if(entries, [](const auto& entry) { return entry.expired(); });
  entries.push_back(file);
}

void RetiredFiles::Add(const std::shared_ptr<const FileEntry>& file) {
  std::lock_guard lock(mutex_);
  AddLocked(file);
}

void RetiredFiles::Hold(const FileIndex& files) {
  std::lock_guard lock(mutex_);
  for (const auto& file : files.files()) AddLocked(file);
}

void RetiredFiles::AddGone(const FileIndex& before, const FileIndex& now) {
  std::unordered_set<const FileEntry*> stay;
  for (const auto& file : now.files()) stay.insert(file.get());
  for (const auto& file : before.files()) {
    if (!stay.contains(file.get())) Add(file);
  }
}

std::vector<std::string> RetiredFiles::Unread(const std::vector<std::string>& dead) {
  std::lock_guard lock(mutex_);
  std::vector<std::string> unread;
  for (const auto& key : dead) {
    const auto found = files_.find(key);
    if (found == files_.end()) {
      unread.push_back(key);
    } else {
      found->second.dead = true;
    }
  }
  std::erase_if(files_, [&](const auto& file) {
    if (file.second.is_read()) return false;
    if (file.second.dead) unread.push_back(file.first);
    return true;
  });
  unread.insert(unread.end(), std::make_move_iterator(kept_.begin()), std::make_move_iterator(kept_.end()));
  kept_.clear();
  if (keepers_ > 0) kept_.swap(unread);
  return unread;
}

std::shared_ptr<const void> RetiredFiles::KeepAll() {
  std::lock_guard lock(mutex_);
  ++keepers_;
  return {this, [this](const void*) {
            std::lock_guard released(mutex_);
            --keepers_;
          }};
}

std::unordered_set<std::string> RetiredFiles::Keys() const {
  std::lock_guard lock(mutex_);
  std::unordered_set<std::string> keys;
  for (const auto& [key, retired] : files_) {
    if (retired.is_read()) keys.insert(key);
  }
  keys.insert(kept_.begin(), kept_.end());
  return keys;
}

}  // namespace arc
