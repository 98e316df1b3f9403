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

// Names to values, found by exact spelling, else by the only other spelling there is (but for ASCII case).
template <typename Value>
class NameMap {
 public:
  const std::string* Spelling(std::string_view name) const {
    if (auto exact = by_name_.find(std::string(name)); exact != by_name_.end()) return &exact->first;
    auto folded = spellings_.find(Fold(name));
    if (folded == spellings_.end() || folded->second.size() != 1) return nullptr;
    return &*folded->second.begin();
  }
  const Value* Find(std::string_view name) const {
    const std::string* spelling = Spelling(name);
    return spelling == nullptr ? nullptr : &by_name_.find(*spelling)->second;
  }
  const Value* FindExact(const std::string& name) const {
    auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &found->second;
  }
  Value& Get(const std::string& name) {
    spellings_[Fold(name)].insert(name);
    return by_name_[name];
  }
  void Remove(const std::string& name) {
    by_name_.erase(name);
    auto folded = spellings_.find(Fold(name));
    if (folded == spellings_.end()) return;
    folded->second.erase(name);
    if (folded->second.empty()) spellings_.erase(folded);
  }
  const std::map<std::string, Value>& values() const { return by_name_; }

 private:
  static std::string Fold(std::string_view name) {
    std::string folded(name);
    for (char& c : folded) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return folded;
  }

  std::map<std::string, Value> by_name_;
  std::unordered_map<std::string, std::set<std::string>> spellings_;
};

}  // namespace arc
