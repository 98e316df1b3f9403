// Which data files of a table are old enough for the cold store: a pure function of what there is and of the time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "arc/catalog/file_index.h"
#include "arc/maintain/compaction_plan.h"

namespace arc {

struct FileTotal {
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t rows = 0;

  void Add(const FileEntry& file);
  void Add(const FileTotal& other);
};

struct TieringPlan {
  std::vector<std::shared_ptr<const FileEntry>> files;  // to be moved now, by min_time
  FileTotal moving;                                     // of `files`
  FileTotal waiting;                                    // old enough, but compaction is to merge them first
  FileTotal straddling;                                 // some rows are old enough, some are not: they wait
  FileTotal hot;                                        // all that are in the hot store, those above included
  FileTotal cold;                                       // are there
};

// Files of committed rows all of which are older than `cutoff_micros`. `compaction` (null: it does not run by itself)
// says what is to be merged first: merging reads and writes, which is for the hot store, and afterwards there is one
// file to move for many. A small file that compaction has no use for, being alone in its day, is moved as it is.
TieringPlan PlanTiering(const FileIndex& files, size_t columns, int64_t now_micros, int64_t cutoff_micros,
                        const CompactionPolicy* compaction);

}  // namespace arc
