#include "ledger.h"

namespace arc {

void Ledger::Settle(const std::vector<int64_t>& found) {
  acknowledged_.insert(found.begin(), found.end());
  sent_ = acknowledged_;
}

std::vector<std::string> Ledger::Check(const std::vector<int64_t>& found) const {
  std::map<int64_t, int> counts;
  for (int64_t id : found) ++counts[id];
  std::vector<std::string> violations;
  for (int64_t id : acknowledged_) {
    if (!counts.contains(id)) violations.push_back("lost: acknowledged id " + std::to_string(id));
  }
  for (auto [id, count] : counts) {
    if (!sent_.contains(id)) violations.push_back("invented: id " + std::to_string(id));
    if (count > 1) violations.push_back("doubled: id " + std::to_string(id) + " " + std::to_string(count) + " times");
  }
  return violations;
}

}  // namespace arc
