#include "arc/iceberg/append.h"

#include <charconv>

#include "arc/iceberg/commit_files.h"
#include "arc/iceberg/new_snapshot.h"
#include "arc/iceberg/snapshot_summary.h"

namespace arc {
namespace {

constexpr std::string_view kFlushedLsnPrefix = "arc.flushed-lsn.";

std::optional<uint64_t> Number(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Status CheckFlushedLsn(const AppendRequest& request, const TableMetadata& current) {
  for (const auto& [name, text] : request.set_properties) {
    if (!name.starts_with(kFlushedLsnPrefix)) continue;
    const auto wanted = Number(text);
    if (!wanted) return InvalidArgument("table property " + name + " must be a number, not '" + text + "'");
    const auto found = current.properties.find(name);
    if (found == current.properties.end()) continue;
    const auto present = Number(found->second);
    if (!present) return Corruption("table property " + name + " is not a number: '" + found->second + "'");
    if (*present > *wanted || (*present == *wanted && !request.files.empty())) {
      return MakeError(ErrorKind::kConflict, "the table is flushed through " + found->second + " already (" + name +
                                                 " was to become " + text + ")");
    }
  }
  return {};
}

TableMetadata EmptyTable(ObjectStore& store, const AppendRequest& request, const std::string& table_key) {
  TableMetadata metadata;
  metadata.table_uuid = request.table.id;
  metadata.location = store.UriOf(table_key);
  metadata.last_column_id = 0;
  metadata.current_schema_id = -1;
  metadata.schemas.push_back({-1, {}, {}});  // what the first schema is adopted on; dropped afterwards
  // Other writers then keep the metadata folder as small as Arc does.
  metadata.properties["write.metadata.delete-after-commit.enabled"] = "true";
  metadata.properties["write.metadata.previous-versions-max"] = std::to_string(request.policy.keep_metadata_files);
  return metadata;
}

// The table as it shall be, but for the snapshot.
Result<TableMetadata> BaseMetadata(ObjectStore& store, const TableMetadata* current, const AppendRequest& request,
                                   const std::string& table_key) {
  TableMetadata metadata = current != nullptr ? *current : EmptyTable(store, request, table_key);
  if (metadata.table_uuid != request.table.id) {
    return MakeError(ErrorKind::kConflict, "the table was replaced: its uuid is " + metadata.table_uuid.ToString() +
                                               ", not " + request.table.id.ToString());
  }
  ARC_RETURN_IF_ERROR(CheckFlushedLsn(request, metadata));
  ARC_RETURN_IF_ERROR(AdoptSchema(request.schema, &metadata));
  if (TimeFieldId(metadata) < 0) return InvalidArgument("the schema has no timestamp column in the role of time");
  if (current == nullptr) {
    metadata.schemas.erase(metadata.schemas.begin());
    metadata.default_spec_id = EnsureSpec(PartitionKind::kHour, &metadata);
    EnsureSpec(PartitionKind::kDay, &metadata);
  }
  for (const auto& [name, value] : request.set_properties) metadata.properties[name] = value;
  return metadata;
}

// Makes the snapshot with the request's files the current one of `metadata`.
Status AddAppend(CommitFiles& files, const AppendRequest& request, int64_t time_ms, RandomSource& random,
                 TableMetadata* metadata, KnownManifestLists* lists) {
  ARC_ASSIGN_OR_RETURN(SnapshotDraft draft, DraftSnapshot(files, *metadata, time_ms, random, lists));
  const int64_t target_bytes = request.policy.manifest_target_bytes;
  ARC_ASSIGN_OR_RETURN(const auto added, WriteAddedFiles(files, request.files, target_bytes, draft.snapshot, metadata));
  const MergePolicy merge{request.policy.manifest_merge_count, target_bytes};
  ARC_ASSIGN_OR_RETURN(const MergeOutcome merged, MergeManifests(files, *metadata, merge, draft.snapshot.snapshot_id,
                                                                 draft.snapshot.sequence_number, &draft.manifests));
  draft.snapshot.summary =
      AppendSummary(request, metadata->current_snapshot(), merged, added.size(), draft.manifests.size());
  draft.manifests.insert(draft.manifests.begin(), added.begin(), added.end());
  return AddSnapshot(files, std::move(draft), metadata, lists);
}

}  // namespace

std::string TableKey(const TableRef& table) {
  return EncodePathElement(table.database) + "/" + EncodePathElement(table.name);
}

Result<PreparedCommit> PrepareAppend(ObjectStore& store, std::string_view current_location,
                                     const TableMetadata* current, const AppendRequest& request, RandomSource& random) {
  ARC_CHECK((current == nullptr) == current_location.empty());
  ARC_RETURN_IF_ERROR(CheckFiles(request.files));
  std::string table_key = request.location_key.empty() ? TableKey(request.table) : request.location_key;
  if (current != nullptr) {
    ARC_ASSIGN_OR_RETURN(table_key, store.KeyOf(current->location));
  }
  CommitFiles files(store, table_key, random);
  ARC_ASSIGN_OR_RETURN(TableMetadata metadata, BaseMetadata(store, current, request, table_key));
  const int64_t time_ms = CommitTime(metadata, request.now_ms);
  KnownManifestLists lists;
  std::optional<int64_t> snapshot_id;
  if (!request.files.empty()) {
    ARC_RETURN_IF_ERROR(AddAppend(files, request, time_ms, random, &metadata, &lists));
    snapshot_id = metadata.current_snapshot_id;
  }
  ARC_ASSIGN_OR_RETURN(PreparedCommit commit,
                       FinishCommit(files, current_location, request.policy, time_ms, lists, std::move(metadata)));
  commit.snapshot_id = snapshot_id;
  return commit;
}

Status WriteVersionHint(ObjectStore& store, std::string_view metadata_location) {
  constexpr std::string_view kSuffix = ".metadata.json";
  ARC_ASSIGN_OR_RETURN(const std::string key, store.KeyOf(metadata_location));
  const size_t slash = key.rfind('/');
  if (slash == std::string::npos || !key.ends_with(kSuffix)) {
    return InvalidArgument("not a metadata file: " + std::string(metadata_location));
  }
  const std::string name = key.substr(slash + 1, key.size() - slash - 1 - kSuffix.size());
  return store.PutOverwriteUnsynced(key.substr(0, slash + 1) + "version-hint.text", name);
}

}  // namespace arc
