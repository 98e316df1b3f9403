// Which data files of a table are worth merging: a pure function of what there is and of the time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "arc/catalog/file_index.h"
#include "arc/catalog/table.h"

namespace arc {

struct CompactionPolicy {
  int64_t min_age_ms = 3'600'000;    // an hour is merged when it has begun so long ago and is over
  int min_files = 10;                // and holds so many small files; days likewise
  int64_t target_bytes = 512 << 20;  // files of half this size and more are left as they are
  int64_t memory_bytes = 256 << 20;  // one job's
};

// Files of one hour or day to be merged by one job.
struct CompactionCandidate {
  FlushedFile::Partition partition = FlushedFile::Partition::kHour;
  int64_t value = 0;                                    // hours or days since 1970
  std::vector<std::shared_ptr<const FileEntry>> files;  // at least two, by min_time
  int64_t bytes = 0;
  int64_t rows = 0;
};

// Small files of an hour that is over are merged (hourly tier); from min_age after a day's end on, all small files of
// the day are, hours merged before included (daily tier). Files that come late are small files like any other. A file
// larger than all smaller ones of its partition together is not rewritten for their sake, so that rows are rewritten a
// logarithmic number of times only. Files across days (of other writers), files in `excluded` (keys), files in the cold
// store and files of the future are left alone. A partition is cut into several candidates, disjoint in their files,
// where merging all of it at once would take more than the memory, or more than eight times the target.
std::vector<CompactionCandidate> PlanCompaction(const FileIndex& files, size_t columns, int64_t now_micros,
                                                const CompactionPolicy& policy,
                                                const std::unordered_set<std::string_view>& excluded);

}  // namespace arc
