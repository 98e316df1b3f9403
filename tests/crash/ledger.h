// What a client knows after a crash, and the check against what the database holds. tests/crash/ledger.py is the same
// for the kill -9 rounds.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace arc {

// Every acknowledged id must be there exactly once; an id sent without an answer at most once; nothing else at all.
class Ledger {
 public:
  void Sent(int64_t id) { sent_.insert(id); }
  void Acknowledged(int64_t id) { acknowledged_.insert(id); }
  // The sent ids that `found` holds, or not, are settled from now on: a later crash may not change them.
  void Settle(const std::vector<int64_t>& found);

  // One line per violation; empty when all is well.
  std::vector<std::string> Check(const std::vector<int64_t>& found) const;
  size_t acknowledged() const { return acknowledged_.size(); }

 private:
  std::set<int64_t> sent_;
  std::set<int64_t> acknowledged_;
};

}  // namespace arc
