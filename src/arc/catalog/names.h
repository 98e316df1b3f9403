// What databases and measurements may be called, and how they are found by name.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "arc/base/result.h"

namespace arc {

// Whether a database or measurement ("the `what` name") may be called so: 1 to 255 bytes without NUL, a folder's name
// once percent-encoded. Else kInvalidArgument.
Status CheckName(std::string_view what, const std::string& name);

// Folds names as DuckDB does, for look-up by another case.
inline std::string FoldName(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return folded;
}

// Values found by exact spelling, else by the only other spelling there is.
template <typename Value>
class NameMap {
 public:
  using Entry = std::pair<const std::string, Value>;

  Entry* FindEntry(std::string_view name) {
    if (auto exact = by_name_.find(std::string(name)); exact != by_name_.end()) return &*exact;
    auto folded = spellings_.find(FoldName(name));
    if (folded == spellings_.end() || folded->second.size() != 1) return nullptr;
    return &*by_name_.find(*folded->second.begin());
  }
  const Entry* FindEntry(std::string_view name) const { return const_cast<NameMap*>(this)->FindEntry(name); }
  Value* Find(std::string_view name) {
    Entry* entry = FindEntry(name);
    return entry == nullptr ? nullptr : &entry->second;
  }
  const Value* Find(std::string_view name) const { return const_cast<NameMap*>(this)->Find(name); }
  bool HasExact(const std::string& name) const { return by_name_.contains(name); }
  Value& Get(const std::string& name) {
    spellings_[FoldName(name)].insert(name);
    return by_name_[name];
  }
  const std::map<std::string, Value>& values() const { return by_name_; }

 private:
  std::map<std::string, Value> by_name_;
  std::unordered_map<std::string, std::set<std::string>> spellings_;
};

}  // namespace arc
