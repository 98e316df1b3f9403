// Data files sorted by time, merged into larger ones in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/object_store.h"
#include "arc/model/data_file.h"
#include "arc/model/row_set.h"
#include "arc/model/schema.h"
#include "arc/parquet/data_file.h"

namespace arc {

struct MergeInput {
  std::string key;
  int64_t bytes = 0;
  int64_t rows = 0;
  int64_t min_time = 0;              // µs; of all its rows at least
  const RowSet* left_out = nullptr;  // rows that do not come along; outlives the merge
};

// An input that could not be merged, and why: kCorruption when it is damaged, kUnsupported when it is sound but not for
// Arc to rewrite (not sorted by time, columns the schema does not know, …).
struct MergeRefusal {
  size_t input = 0;
  Error error;
};

struct MergeOptions {
  ParquetOptions parquet;
  int64_t target_bytes = 512 << 20;    // an output that has grown so large is followed by another
  std::function<bool()> is_cancelled;  // asked between row groups; may be empty
};

// What a merge takes is about the sum of the inputs whose times overlap and of its output. Strings count by their share
// of a file.
// Rows of a row group, at most 122,880: so many that the output takes no more than half of `memory_bytes`.
int64_t MergeGroupRows(size_t columns, int64_t memory_bytes);
int64_t MergeBytesOfOutput(size_t columns, int64_t memory_bytes);
// While it reads a file of so many bytes and rows.
int64_t MergeBytesOfInput(int64_t file_bytes, int64_t rows, size_t columns);

// Writes the rows of `inputs` (in the order of min_time) by time, those of one time in the order of their inputs, into
// files of the columns of `schema`, found in the inputs by field id. An input is opened when the merge reaches its
// first time and closed after its last row, so that only inputs that overlap take memory. Runs on the calling thread.
// `next_key` names each output, given the time of its first row; no two names may be the same. Where all rows are left
// out there is no output.
//
// On error no output remains. When inputs are to blame they are in `refused` (one that a look at all footers finds,
// else the one that broke off the merge): the caller may try again without them. Other errors: kCancelled, kDiskFull,
// kUnavailable, …, of the store.
Result<std::vector<WrittenFile>> MergeDataFiles(ObjectStore& store, const Schema& schema,
                                                std::span<const MergeInput> inputs, const MergeOptions& options,
                                                const std::function<std::string(int64_t first_time)>& next_key,
                                                std::vector<MergeRefusal>* refused);

}  // namespace arc
