// One compaction job: some files of a table merged into fewer and put in their place.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/io/object_store.h"
#include "arc/maintain/compaction_plan.h"
#include "arc/parquet/data_file.h"

namespace arc {

// A file that cannot be merged: damaged (kCorruption), or of another writer and not for Arc to rewrite (kUnsupported).
// It stays in the table as it is.
struct LeftFile {
  std::string key;
  Error error;
};

struct CompactionResult {
  int files_before = 0;
  int files_after = 0;
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
  int64_t rows = 0;
};

// Thread-safe; jobs of one table may run at a time when they have no file in common (else the later commit fails).
class Compactor {
 public:
  // References outlive the compactor. The policy is the one that its candidates were planned with.
  Compactor(Catalog& catalog, ObjectStore& store, ParquetOptions parquet, const CompactionPolicy& policy)
      : catalog_(catalog), store_(store), parquet_(std::move(parquet)), policy_(policy) {}

  // Reads and writes on the calling thread in the memory that PlanCompaction reckoned with. Files that cannot be merged
  // are left out and told in `left`; the job goes on while two others remain. Killed at any moment it leaves at most
  // objects that no table names. After an error the table is as it was and new files are removed, unless it is
  // kUnknownOutcome: then the files may have been replaced. kNotFound: another writer took an input out meanwhile.
  Result<CompactionResult> Run(Table& table, const CompactionCandidate& candidate, const Uuid& job,
                               const std::function<bool()>& is_cancelled, std::vector<LeftFile>* left) const;

 private:
  Catalog& catalog_;
  ObjectStore& store_;
  const ParquetOptions parquet_;
  const CompactionPolicy policy_;
};

// The columns of a table that its files may have.
Schema FileColumns(const Schema& schema);

}  // namespace arc
