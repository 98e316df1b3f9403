#include "arc/maintain/tiering_plan.h"

#include <string_view>
#include <unordered_set>

#include "arc/io/cold_key.h"

namespace arc {

void FileTotal::Add(const FileEntry& file) { Add(FileTotal{1, file.bytes, file.rows}); }

void FileTotal::Add(const FileTotal& other) {
  files += other.files;
  bytes += other.bytes;
  rows += other.rows;
}

TieringPlan PlanTiering(const FileIndex& files, size_t columns, int64_t now_micros, int64_t cutoff_micros,
                        const CompactionPolicy* compaction) {
  std::unordered_set<std::string_view> to_merge;
  if (compaction != nullptr) {
    for (const auto& candidate : PlanCompaction(files, columns, now_micros, *compaction, {})) {
      for (const auto& file : candidate.files) to_merge.insert(file->key);
    }
  }
  TieringPlan plan;
  for (const auto& file : files.files()) {
    if (IsColdKey(file->key)) {
      plan.cold.Add(*file);
      continue;
    }
    plan.hot.Add(*file);
    if (file->min_time >= cutoff_micros) continue;
    if (file->max_time >= cutoff_micros) {
      plan.straddling.Add(*file);
    } else if (to_merge.contains(file->key)) {
      plan.waiting.Add(*file);
    } else {
      plan.moving.Add(*file);
      plan.files.push_back(file);
    }
  }
  return plan;
}

}  // namespace arc
