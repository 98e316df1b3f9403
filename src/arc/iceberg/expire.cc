#include "arc/iceberg/expire.h"

#include <algorithm>
#include <set>

#include "arc/base/log.h"
#include "arc/iceberg/table_files.h"

namespace arc {
namespace {

constexpr const char* kMainBranch = "main";

using SnapshotIds = std::set<int64_t>;
using Uris = std::set<std::string>;

// From a snapshot back through its parents, as far as the metadata still has them.
std::vector<const Snapshot*> Ancestors(const TableMetadata& metadata, int64_t snapshot_id) {
  std::vector<const Snapshot*> chain;
  const Snapshot* snapshot = metadata.FindSnapshot(snapshot_id);
  while (snapshot != nullptr && chain.size() <= metadata.snapshots.size()) {
    chain.push_back(snapshot);
    snapshot = snapshot->parent_snapshot_id ? metadata.FindSnapshot(*snapshot->parent_snapshot_id) : nullptr;
  }
  return chain;
}

void KeepOfMain(const TableMetadata& metadata, const ExpiryPolicy& policy, int64_t now_ms, SnapshotIds* kept) {
  if (!metadata.current_snapshot_id) return;
  const auto chain = Ancestors(metadata, *metadata.current_snapshot_id);
  if (chain.empty()) return;
  const auto main = metadata.refs.find(kMainBranch);
  const bool own_count = main != metadata.refs.end() && main->second.min_snapshots_to_keep;
  const bool own_age = main != metadata.refs.end() && main->second.max_snapshot_age_ms;
  int64_t max_age = policy.max_snapshot_age_ms > 0 ? policy.max_snapshot_age_ms : INT64_MAX;
  size_t max_count = policy.max_snapshots > 0 ? static_cast<size_t>(policy.max_snapshots) : SIZE_MAX;
  if (own_age) {
    max_age = *main->second.max_snapshot_age_ms;
  } else if (max_age != INT64_MAX && now_ms - chain.back()->timestamp_ms <= max_age + max_age / 10) {
    max_age = INT64_MAX;
  }
  if (chain.size() > max_count) max_count -= max_count / 10;
  for (size_t i = 0; i < chain.size(); ++i) {
    const bool young = now_ms - chain[i]->timestamp_ms <= max_age;
    // Java's rule for a branch with a retention of its own: young enough, or among the last so many.
    const size_t least = own_count ? static_cast<size_t>(std::max(1, *main->second.min_snapshots_to_keep)) : 1;
    const bool keep = own_count || own_age ? young || i < least : young && i < max_count;
    if (keep || i == 0) kept->insert(chain[i]->snapshot_id);
  }
}

SnapshotIds Kept(const TableMetadata& metadata, const ExpiryPolicy& policy, int64_t now_ms) {
  SnapshotIds kept;
  SnapshotIds of_main;
  if (metadata.current_snapshot_id) {
    for (const auto* snapshot : Ancestors(metadata, *metadata.current_snapshot_id))
      of_main.insert(snapshot->snapshot_id);
  }
  KeepOfMain(metadata, policy, now_ms, &kept);
  for (const auto& [name, ref] : metadata.refs) {
    if (name == kMainBranch) continue;
    kept.insert(ref.snapshot_id);
    if (ref.type == "tag") continue;
    for (const auto* snapshot : Ancestors(metadata, ref.snapshot_id)) kept.insert(snapshot->snapshot_id);
  }
  for (const auto& snapshot : metadata.snapshots) {  // staged or rolled back: nothing refers to them
    const bool young = policy.max_snapshot_age_ms <= 0 || now_ms - snapshot.timestamp_ms <= policy.max_snapshot_age_ms;
    if (young && !of_main.contains(snapshot.snapshot_id)) kept.insert(snapshot.snapshot_id);
  }
  return kept;
}

void DropHistory(const SnapshotIds& kept, TableMetadata* metadata) {
  std::vector<SnapshotLogEntry> log;
  for (const auto& entry : metadata->snapshot_log) {
    // A hole in the history would answer "as of" wrongly, so it starts after the last one (as in Java).
    if (kept.contains(entry.snapshot_id)) {
      log.push_back(entry);
    } else {
      log.clear();
    }
  }
  metadata->snapshot_log = std::move(log);
}

void DropStatistics(const SnapshotIds& kept, std::vector<StatisticsFile>* files, Uris* obsolete) {
  for (const auto& file : *files) {
    if (!kept.contains(file.snapshot_id)) obsolete->insert(file.path);
  }
  std::erase_if(*files, [&](const StatisticsFile& file) { return !kept.contains(file.snapshot_id); });
  for (const auto& file : *files) obsolete->erase(file.path);
}

void DropUnusedSchemas(TableMetadata* metadata) {
  std::set<int32_t> used{metadata->current_schema_id};
  for (const auto& snapshot : metadata->snapshots) {
    if (!snapshot.schema_id) return;
    used.insert(*snapshot.schema_id);
  }
  std::erase_if(metadata->schemas, [&](const IcebergSchema& schema) { return !used.contains(schema.schema_id); });
}

// Which objects of expired snapshots no remaining one refers to.
class Reachability {
 public:
  Reachability(ObjectStore& store, const KnownManifestLists& known) : store_(store), known_(known) {}

  Status AddRemaining(const Snapshot& snapshot) {
    lists_.insert(snapshot.manifest_list);
    ARC_ASSIGN_OR_RETURN(const auto rows, Rows(snapshot));
    for (const auto& row : rows) remaining_.try_emplace(row.path, row);
    return {};
  }

  void AddExpired(const Snapshot& snapshot) {
    expired_ids_.insert(snapshot.snapshot_id);
    expired_lists_.insert(snapshot.manifest_list);
    const auto rows = Rows(snapshot);
    if (!rows.ok()) return;  // deleted by somebody else already: what it named is left to orphan removal
    for (const auto& row : *rows) expired_.try_emplace(row.path, row);
  }

  // Snapshots that go on from an expired one: what they removed, only expired ones still had.
  void AddSuccessor(const Snapshot& snapshot) {
    if (snapshot.parent_snapshot_id && expired_ids_.contains(*snapshot.parent_snapshot_id)) {
      successor_ids_.insert(snapshot.snapshot_id);
    }
  }

  void Collect(bool remaining_complete, Uris* obsolete) const {
    for (const auto& uri : expired_lists_) {
      if (!lists_.contains(uri)) obsolete->insert(uri);
    }
    if (!remaining_complete) return;
    for (const auto& [path, row] : expired_) {
      if (!remaining_.contains(path)) obsolete->insert(path);
    }
    Uris dead;
    if (CollectDeadFiles(&dead).ok()) obsolete->merge(dead);
  }

 private:
  Result<std::vector<ManifestFile>> Rows(const Snapshot& snapshot) const {
    const auto known = known_.find(snapshot.manifest_list);
    if (known != known_.end()) return known->second;
    return ReadManifestListAt(store_, snapshot.manifest_list);
  }

  // Files that an expired snapshot or a successor of one removed, unless some remaining manifest still has them live.
  // Those of a successor are found again when it expires itself: a second chance where their removal failed.
  Status CollectDeadFiles(Uris* dead) const {
    ARC_RETURN_IF_ERROR(CollectRemoved(expired_, expired_ids_, dead));
    ARC_RETURN_IF_ERROR(CollectRemoved(remaining_, successor_ids_, dead));
    for (auto row = remaining_.begin(); row != remaining_.end() && !dead->empty(); ++row) {
      ARC_RETURN_IF_ERROR(Walk(row->second, [&](const ManifestEntry& entry) -> Status {
        if (entry.status != EntryStatus::kDeleted) dead->erase(entry.file.path);
        return {};
      }));
    }
    return {};
  }

  Status CollectRemoved(const std::map<std::string, ManifestFile>& manifests, const SnapshotIds& by, Uris* dead) const {
    for (const auto& [path, row] : manifests) {
      if ((row.counts_known && row.deleted_files == 0) || !by.contains(row.added_snapshot_id)) continue;
      ARC_RETURN_IF_ERROR(Walk(row, [&](const ManifestEntry& entry) -> Status {
        if (entry.status == EntryStatus::kDeleted && by.contains(*entry.snapshot_id)) dead->insert(entry.file.path);
        return {};
      }));
    }
    return {};
  }

  Status Walk(const ManifestFile& row, const std::function<Status(const ManifestEntry&)>& each) const {
    ARC_ASSIGN_OR_RETURN(const std::string bytes, ReadObjectAt(store_, row.path));
    return ReadManifest(bytes, row, {false, -1}, each);
  }

  ObjectStore& store_;
  const KnownManifestLists& known_;
  SnapshotIds expired_ids_;
  SnapshotIds successor_ids_;
  Uris lists_;
  Uris expired_lists_;
  std::map<std::string, ManifestFile> remaining_;
  std::map<std::string, ManifestFile> expired_;
};

bool MayExpire(const ExpiryPolicy& policy, const TableMetadata& metadata) {
  const auto gc = metadata.properties.find("gc.enabled");
  return policy.enabled && (gc == metadata.properties.end() || gc->second != "false");
}

}  // namespace

bool AnySnapshotExpires(const ExpiryPolicy& policy, int64_t now_ms, const TableMetadata& metadata) {
  return MayExpire(policy, metadata) && Kept(metadata, policy, now_ms).size() < metadata.snapshots.size();
}

std::vector<std::string> ExpireSnapshots(ObjectStore& store, const ExpiryPolicy& policy, int64_t now_ms,
                                         const KnownManifestLists& known, TableMetadata* metadata) {
  if (!MayExpire(policy, *metadata)) return {};
  const SnapshotIds kept = Kept(*metadata, policy, now_ms);
  Uris obsolete;
  if (kept.size() < metadata->snapshots.size()) {
    Reachability reachability(store, known);
    bool complete = true;
    for (const auto& snapshot : metadata->snapshots) {
      if (!kept.contains(snapshot.snapshot_id)) {
        reachability.AddExpired(snapshot);
      } else if (auto added = reachability.AddRemaining(snapshot); !added.ok()) {
        complete = false;
        Log(LogLevel::kWarning, "iceberg", "manifests of expired snapshots stay behind",
            {{"location", metadata->location}, {"error", added.error().message}});
      }
    }
    for (const auto& snapshot : metadata->snapshots) {
      if (kept.contains(snapshot.snapshot_id)) reachability.AddSuccessor(snapshot);
    }
    reachability.Collect(complete, &obsolete);
    std::erase_if(metadata->snapshots, [&](const Snapshot& s) { return !kept.contains(s.snapshot_id); });
    DropHistory(kept, metadata);
    DropStatistics(kept, &metadata->statistics, &obsolete);
    DropStatistics(kept, &metadata->partition_statistics, &obsolete);
  }
  DropUnusedSchemas(metadata);
  return {obsolete.begin(), obsolete.end()};
}

}  // namespace arc
