#include "arc/iceberg/expiry_commit.h"

#include <string>

#include "arc/base/check.h"
#include "arc/iceberg/commit_files.h"
#include "arc/iceberg/new_snapshot.h"

namespace arc {

Result<std::optional<PreparedCommit>> PrepareExpiry(ObjectStore& store, std::string_view current_location,
                                                    const TableMetadata& current, const AppendPolicy& policy,
                                                    int64_t now_ms, RandomSource& random) {
  ARC_CHECK(!current_location.empty());
  const int64_t time_ms = CommitTime(current, now_ms);
  if (!AnySnapshotExpires(policy.expiry, time_ms, current)) return std::optional<PreparedCommit>();
  ARC_ASSIGN_OR_RETURN(const std::string table_key, store.KeyOf(current.location));
  CommitFiles files(store, table_key, random);
  ARC_ASSIGN_OR_RETURN(PreparedCommit commit, FinishCommit(files, current_location, policy, time_ms, {}, current));
  return std::optional<PreparedCommit>(std::move(commit));
}

}  // namespace arc
