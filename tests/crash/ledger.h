// What a client knows after a crash, and the check against what the database holds. tests/crash/ledger.py is the same
// for the kill -9 rounds, without deletions.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace arc {

// Every acknowledged id must be there exactly once; an id sent without an answer at most once; nothing else at all.
// What a deletion takes is there as a whole or not at all until it is acknowledged, and not there from then on.
class Ledger {
 public:
  void Sent(int64_t id) { sent_.insert(id); }
  void Acknowledged(int64_t id) { acknowledged_.insert(id); }
  // A deletion of the acknowledged ones among these ids begins. One at a time.
  void Deleting(const std::vector<int64_t>& ids);
  // It is acknowledged.
  void Deleted();
  // The sent ids that `found` holds, or not, are settled from now on: a later crash may not change them.
  void Settle(const std::vector<int64_t>& found);

  // One line per violation; empty when all is well.
  std::vector<std::string> Check(const std::vector<int64_t>& found) const;
  size_t acknowledged() const { return acknowledged_.size(); }
  size_t deleted() const { return deleted_; }

 private:
  std::set<int64_t> sent_;
  std::set<int64_t> acknowledged_;
  std::set<int64_t> deleting_;
  size_t deleted_ = 0;
};

}  // namespace arc
