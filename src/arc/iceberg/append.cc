#include "arc/iceberg/append.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>

#include "arc/iceberg/commit_files.h"
#include "arc/iceberg/manifest.h"
#include "arc/iceberg/snapshot_summary.h"
#include "arc/iceberg/table_files.h"

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

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

Status CheckFiles(const AppendRequest& request) {
  std::set<std::string_view> keys;
  for (const auto& [file, kind, value] : request.files) {
    const int64_t width = PartitionMicros(kind);
    if (file.min_time > file.max_time || FloorDivide(file.min_time, width) != value ||
        FloorDivide(file.max_time, width) != value || value < INT32_MIN || value > INT32_MAX) {
      return InvalidArgument("data file " + file.key + " does not lie in its partition " + std::to_string(value));
    }
    if (!keys.insert(file.key).second) return InvalidArgument("data file " + file.key + " is given twice");
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

// Java refuses a table whose clock runs backwards (by more than a minute).
int64_t CommitTime(const TableMetadata& metadata, int64_t now_ms) {
  int64_t last = metadata.last_updated_ms;
  for (const auto& snapshot : metadata.snapshots) last = std::max(last, snapshot.timestamp_ms);
  if (!metadata.snapshot_log.empty()) last = std::max(last, metadata.snapshot_log.back().timestamp_ms);
  return std::max(now_ms, last + 1);
}

int64_t NewSnapshotId(const TableMetadata& metadata, RandomSource& random) {
  for (;;) {
    const auto id = static_cast<int64_t>(random.NextU64() & INT64_MAX);
    if (id > 0 && metadata.FindSnapshot(id) == nullptr) return id;
  }
}

ManifestEntry EntryOf(const AppendFile& append, const std::string& uri, int64_t snapshot_id) {
  ManifestEntry entry;
  entry.status = EntryStatus::kAdded;
  entry.snapshot_id = snapshot_id;
  ManifestDataFile& file = entry.file;
  file.path = uri;
  file.format = "PARQUET";
  file.partition = static_cast<int32_t>(append.value);
  file.record_count = append.file.rows;
  file.file_size_in_bytes = append.file.bytes;
  for (const auto& [id, metrics] : append.file.metrics) {
    file.column_sizes.emplace_back(id, metrics.bytes);
    file.value_counts.emplace_back(id, metrics.values);
    file.null_value_counts.emplace_back(id, metrics.nulls);
    if (metrics.nans) file.nan_value_counts.emplace_back(id, *metrics.nans);
    if (metrics.lower) file.lower_bounds.emplace_back(id, *metrics.lower);
    if (metrics.upper) file.upper_bounds.emplace_back(id, *metrics.upper);
  }
  file.split_offsets = append.file.split_offsets;
  file.sort_order_id = 0;
  return entry;
}

Result<std::vector<ManifestFile>> WriteAddedFiles(CommitFiles& files, const AppendRequest& request, int64_t snapshot_id,
                                                  int64_t sequence_number, TableMetadata* metadata) {
  std::vector<ManifestFile> rows;
  for (const PartitionKind kind : {PartitionKind::kHour, PartitionKind::kDay}) {
    std::unique_ptr<ManifestWriter> writer;
    const auto finish = [&]() -> Status {
      ARC_ASSIGN_OR_RETURN(ManifestFile row, files.PutManifest(*writer, sequence_number));
      rows.push_back(std::move(row));
      writer.reset();
      return {};
    };
    for (const auto& file : request.files) {
      if (file.kind != kind) continue;
      if (!writer) {
        const PartitionSpec* spec = metadata->FindSpec(EnsureSpec(kind, metadata));
        writer = std::make_unique<ManifestWriter>(metadata->current_schema(), *spec, snapshot_id, files.NewSync());
      }
      ARC_RETURN_IF_ERROR(writer->Add(EntryOf(file, files.store().UriOf(file.file.key), snapshot_id)));
      if (static_cast<int64_t>(writer->bytes()) >= request.policy.manifest_target_bytes) ARC_RETURN_IF_ERROR(finish());
    }
    if (writer) ARC_RETURN_IF_ERROR(finish());
  }
  return rows;
}

// Adds the snapshot with the request's files to `metadata`; its manifest list goes into `lists` too.
Status AddSnapshot(CommitFiles& files, const AppendRequest& request, int64_t time_ms, RandomSource& random,
                   TableMetadata* metadata, KnownManifestLists* lists) {
  std::vector<ManifestFile> manifests;
  const Snapshot* parent = metadata->current_snapshot();
  if (parent != nullptr) {
    ARC_ASSIGN_OR_RETURN(manifests, ReadManifestListAt(files.store(), parent->manifest_list));
    lists->emplace(parent->manifest_list, manifests);
    ARC_RETURN_IF_ERROR(FillCounts(files.store(), &manifests));
    // A manifest without live files says what an earlier snapshot removed; later snapshots have no use for it.
    std::erase_if(manifests, [](const ManifestFile& manifest) { return !manifest.may_have_live_files(); });
  }
  Snapshot snapshot;
  snapshot.snapshot_id = NewSnapshotId(*metadata, random);
  snapshot.sequence_number = metadata->last_sequence_number + 1;
  snapshot.timestamp_ms = time_ms;
  snapshot.schema_id = metadata->current_schema_id;
  if (parent != nullptr) snapshot.parent_snapshot_id = parent->snapshot_id;
  ARC_ASSIGN_OR_RETURN(auto added,
                       WriteAddedFiles(files, request, snapshot.snapshot_id, snapshot.sequence_number, metadata));
  const MergePolicy merge{request.policy.manifest_merge_count, request.policy.manifest_target_bytes};
  ARC_ASSIGN_OR_RETURN(const MergeOutcome merged, MergeManifests(files, *metadata, merge, snapshot.snapshot_id,
                                                                 snapshot.sequence_number, &manifests));
  snapshot.summary = AppendSummary(request, parent, merged, added.size(), manifests.size());
  manifests.insert(manifests.begin(), added.begin(), added.end());
  ARC_ASSIGN_OR_RETURN(const std::string list,
                       WriteManifestList(manifests, snapshot.snapshot_id, snapshot.parent_snapshot_id,
                                         snapshot.sequence_number, files.NewSync()));
  ARC_ASSIGN_OR_RETURN(snapshot.manifest_list, files.Put(ManifestListFileName(files.id(), snapshot.snapshot_id), list));
  lists->emplace(snapshot.manifest_list, std::move(manifests));
  metadata->last_sequence_number = snapshot.sequence_number;
  metadata->current_snapshot_id = snapshot.snapshot_id;
  metadata->snapshot_log.push_back({time_ms, snapshot.snapshot_id});
  metadata->refs["main"].snapshot_id = snapshot.snapshot_id;
  metadata->snapshots.push_back(std::move(snapshot));
  return {};
}

// Records the file being replaced and forgets the oldest ones; their URIs are returned.
std::vector<std::string> RollMetadataLog(std::string_view current_location, int64_t replaced_time_ms, int keep,
                                         TableMetadata* metadata) {
  std::vector<std::string> dropped;
  auto& log = metadata->metadata_log;
  if (!current_location.empty()) log.push_back({replaced_time_ms, std::string(current_location)});
  const size_t limit = static_cast<size_t>(std::max(keep, 1));
  if (log.size() <= limit) return dropped;
  const auto cut = log.end() - static_cast<std::ptrdiff_t>(limit);
  const auto stays = [&](const std::string& file) {
    return std::any_of(cut, log.end(), [&](const MetadataLogEntry& entry) { return entry.metadata_file == file; });
  };
  const auto option = metadata->properties.find("write.metadata.delete-after-commit.enabled");
  const bool may_delete = option == metadata->properties.end() || option->second != "false";
  for (auto entry = log.begin(); entry != cut; ++entry) {
    if (may_delete && !stays(entry->metadata_file)) dropped.push_back(entry->metadata_file);
  }
  log.erase(log.begin(), cut);
  return dropped;
}

// Objects outside the store's root belong to somebody else and are left alone.
void AddKeys(const ObjectStore& store, const std::vector<std::string>& uris, std::vector<std::string>* keys) {
  for (const auto& uri : uris) {
    auto key = store.KeyOf(uri);
    if (key.ok()) keys->push_back(std::move(*key));
  }
}

}  // namespace

std::string TableKey(const TableRef& table) {
  return EncodePathElement(table.database) + "/" + EncodePathElement(table.name);
}

Result<PreparedCommit> PrepareAppend(ObjectStore& store, std::string_view current_location,
                                     const TableMetadata* current, const AppendRequest& request, RandomSource& random) {
  ARC_CHECK((current == nullptr) == current_location.empty());
  ARC_RETURN_IF_ERROR(CheckFiles(request));
  std::string table_key = request.location_key.empty() ? TableKey(request.table) : request.location_key;
  if (current != nullptr) {
    ARC_ASSIGN_OR_RETURN(table_key, store.KeyOf(current->location));
  }
  CommitFiles files(store, table_key, random);
  PreparedCommit commit;
  ARC_ASSIGN_OR_RETURN(commit.metadata, BaseMetadata(store, current, request, table_key));
  TableMetadata& metadata = commit.metadata;
  const int64_t time_ms = CommitTime(metadata, request.now_ms);
  KnownManifestLists lists;
  if (!request.files.empty()) {
    ARC_RETURN_IF_ERROR(AddSnapshot(files, request, time_ms, random, &metadata, &lists));
    commit.snapshot_id = metadata.current_snapshot_id;
  }
  const ExpiryPolicy expiry{request.policy.max_snapshots, request.policy.max_snapshot_age_ms};
  AddKeys(store, ExpireSnapshots(store, expiry, time_ms, lists, &metadata), &commit.obsolete_keys);
  const int64_t replaced_time_ms = metadata.last_updated_ms;
  AddKeys(store, RollMetadataLog(current_location, replaced_time_ms, request.policy.keep_metadata_files, &metadata),
          &commit.obsolete_keys);
  metadata.last_updated_ms = time_ms;
  ARC_ASSIGN_OR_RETURN(commit.metadata_location,
                       files.Put(MetadataFileName(current_location, files.id()), TableMetadataJson(metadata)));
  commit.written_keys = files.Keep();
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
