// Jobs of one kind: those that wait or run, and what became of the last ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace arc {

// Not thread-safe: its owner's mutex guards it, and the jobs. Active is what the owner needs to run a job; it has the
// job as users see it as `job`, with a `state` that is kQueued or kRunning while the job is in the list.
template <typename Active>
class JobList {
 public:
  using Job = decltype(Active::job);
  using State = typename Job::State;
  static constexpr size_t kMaxEnded = 100;

  const std::vector<std::shared_ptr<Active>>& active() const { return active_; }  // in the order of Add
  void Add(std::shared_ptr<Active> active) { active_.push_back(std::move(active)); }
  void DropQueued() {
    std::erase_if(active_, [](const auto& active) { return active->job.state == State::kQueued; });
  }
  // What became of it stands in its job.
  void End(const std::shared_ptr<Active>& active) {
    std::erase(active_, active);
    ended_.push_front(active->job);
    if (ended_.size() > kMaxEnded) ended_.pop_back();
  }

  std::vector<Job> Jobs() const {
    std::vector<Job> jobs;
    for (const auto& active : active_) jobs.push_back(active->job);
    return jobs;
  }
  std::vector<Job> Ended() const { return {ended_.begin(), ended_.end()}; }  // the latest first
  int Count(State state) const {
    return static_cast<int>(
        std::count_if(active_.begin(), active_.end(), [&](const auto& active) { return active->job.state == state; }));
  }

 private:
  std::vector<std::shared_ptr<Active>> active_;
  std::deque<Job> ended_;
};

}  // namespace arc
