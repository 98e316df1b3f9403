#include "arc/maintain/compaction_plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "arc/io/cold_key.h"
#include "arc/parquet/merge.h"

namespace arc {
namespace {

using Files = std::vector<std::shared_ptr<const FileEntry>>;

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int64_t kDayMicros = 24 * kHourMicros;
constexpr int64_t kMicrosPerMs = 1000;
constexpr int64_t kMaxJobTargets = 8;

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

using PartitionKey = std::pair<FlushedFile::Partition, int64_t>;

// The partition as part of which the file may be merged now.
bool PartitionOf(const FileEntry& file, int64_t now, int64_t min_age, PartitionKey* key) {
  const int64_t day = FloorDivide(file.min_time, kDayMicros);
  if (FloorDivide(file.max_time, kDayMicros) != day) return false;
  if ((day + 1) * kDayMicros + min_age <= now) {
    *key = {FlushedFile::Partition::kDay, day};
    return true;
  }
  const int64_t hour = FloorDivide(file.min_time, kHourMicros);
  *key = {FlushedFile::Partition::kHour, hour};
  return FloorDivide(file.max_time, kHourMicros) == hour && hour * kHourMicros + std::max(min_age, kHourMicros) <= now;
}

// The files but for those that are larger than all smaller ones together; they keep their order.
Files WithoutGiants(const Files& files) {
  std::vector<int64_t> sizes;
  int64_t smaller = 0;
  for (const auto& file : files) {
    sizes.push_back(file->bytes);
    smaller += file->bytes;
  }
  std::sort(sizes.begin(), sizes.end());
  int64_t most = -1;  // size of a file that may be merged
  for (; !sizes.empty(); sizes.pop_back()) {
    smaller -= sizes.back();
    if (sizes.back() > smaller) continue;
    most = sizes.back();
    break;
  }
  Files left;
  for (const auto& file : files) {
    if (file->bytes <= most) left.push_back(file);
  }
  return left;
}

// Candidates in the making, each with the inputs that are open when the merge is where it is.
class Lane {
 public:
  Lane(const CompactionPolicy& policy, size_t columns) : policy_(policy), columns_(columns) {
    held_ = MergeBytesOfOutput(columns, policy.memory_bytes);
  }

  bool Takes(const FileEntry& file) {
    while (!open_.empty() && open_.begin()->first < file.min_time) {
      held_ -= open_.begin()->second;
      open_.erase(open_.begin());
    }
    const bool fits = held_ + BytesOf(file) <= policy_.memory_bytes;
    return (fits || open_.empty()) && candidate_.bytes < kMaxJobTargets * policy_.target_bytes;
  }
  void Add(const std::shared_ptr<const FileEntry>& file) {
    open_.emplace(file->max_time, BytesOf(*file));
    held_ += BytesOf(*file);
    candidate_.files.push_back(file);
    candidate_.bytes += file->bytes;
    candidate_.rows += file->rows;
  }
  CompactionCandidate& candidate() { return candidate_; }

 private:
  int64_t BytesOf(const FileEntry& file) const { return MergeBytesOfInput(file.bytes, file.rows, columns_); }

  const CompactionPolicy& policy_;
  const size_t columns_;
  std::multimap<int64_t, int64_t> open_;  // last time -> memory
  int64_t held_ = 0;
  CompactionCandidate candidate_;
};

void Cut(const PartitionKey& partition, const Files& files, size_t columns, const CompactionPolicy& policy,
         std::vector<CompactionCandidate>* candidates) {
  std::vector<Lane> lanes;
  for (const auto& file : files) {
    auto lane = std::find_if(lanes.begin(), lanes.end(), [&](Lane& open) { return open.Takes(*file); });
    Lane& taker = lane != lanes.end() ? *lane : lanes.emplace_back(policy, columns);
    taker.Add(file);
  }
  for (Lane& lane : lanes) {
    CompactionCandidate& candidate = lane.candidate();
    if (candidate.files.size() < 2) continue;
    std::tie(candidate.partition, candidate.value) = partition;
    candidates->push_back(std::move(candidate));
  }
}

}  // namespace

std::vector<CompactionCandidate> PlanCompaction(const FileIndex& files, size_t columns, int64_t now_micros,
                                                const CompactionPolicy& policy,
                                                const std::unordered_set<std::string_view>& excluded) {
  std::map<PartitionKey, Files> partitions;
  for (const auto& file : files.files()) {
    PartitionKey key;
    if (file->bytes >= policy.target_bytes / 2 || excluded.contains(file->key) || IsColdKey(file->key)) continue;
    if (PartitionOf(*file, now_micros, policy.min_age_ms * kMicrosPerMs, &key)) partitions[key].push_back(file);
  }
  std::vector<CompactionCandidate> candidates;
  for (const auto& [partition, of_partition] : partitions) {
    const Files small = WithoutGiants(of_partition);
    if (small.size() < static_cast<size_t>(std::max(policy.min_files, 2))) continue;
    Cut(partition, small, columns, policy, &candidates);
  }
  return candidates;
}

}  // namespace arc
