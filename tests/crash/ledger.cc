#include "ledger.h"

#include <algorithm>

namespace arc {

void Ledger::Deleting(const std::vector<int64_t>& ids) {
  deleting_.clear();
  for (int64_t id : ids) {
    if (acknowledged_.contains(id)) deleting_.insert(id);
  }
}

void Ledger::Deleted() {
  for (int64_t id : deleting_) {
    acknowledged_.erase(id);
    sent_.erase(id);
  }
  deleted_ += deleting_.size();
  deleting_.clear();
}

void Ledger::Settle(const std::vector<int64_t>& found) {
  const std::set<int64_t> there(found.begin(), found.end());
  const auto is_gone = [&](int64_t id) { return !there.contains(id); };
  if (!deleting_.empty() && is_gone(*deleting_.begin())) Deleted();
  deleting_.clear();
  acknowledged_.insert(found.begin(), found.end());
  sent_ = acknowledged_;
}

std::vector<std::string> Ledger::Check(const std::vector<int64_t>& found) const {
  std::map<int64_t, int> counts;
  for (int64_t id : found) ++counts[id];
  std::vector<std::string> violations;
  for (int64_t id : acknowledged_) {
    if (!counts.contains(id) && !deleting_.contains(id)) {
      violations.push_back("lost: acknowledged id " + std::to_string(id));
    }
  }
  for (auto [id, count] : counts) {
    if (!sent_.contains(id)) violations.push_back("invented, or deleted before: id " + std::to_string(id));
    if (count > 1) violations.push_back("doubled: id " + std::to_string(id) + " " + std::to_string(count) + " times");
  }
  const auto left = std::count_if(deleting_.begin(), deleting_.end(), [&](int64_t id) { return counts.contains(id); });
  if (left != 0 && left != static_cast<std::ptrdiff_t>(deleting_.size())) {
    violations.push_back("half deleted: " + std::to_string(left) + " of " + std::to_string(deleting_.size()) + " left");
  }
  return violations;
}

}  // namespace arc
