#include "arc/iceberg/new_snapshot.h"

#include <algorithm>
#include <memory>
#include <set>

#include "arc/iceberg/table_files.h"

namespace arc {
namespace {

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

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

Status CheckFiles(const std::vector<AppendFile>& files) {
  std::set<std::string_view> keys;
  for (const auto& [file, kind, value] : files) {
    const int64_t width = PartitionMicros(kind);
    if (file.min_time > file.max_time || FloorDivide(file.min_time, width) != value ||
        FloorDivide(file.max_time, width) != value || value < INT32_MIN || value > INT32_MAX) {
      return InvalidArgument("data file " + file.key + " does not lie in its partition " + std::to_string(value));
    }
    if (!keys.insert(file.key).second) return InvalidArgument("data file " + file.key + " is given twice");
  }
  return {};
}

// Java refuses a table whose clock runs backwards (by more than a minute).
int64_t CommitTime(const TableMetadata& metadata, int64_t now_ms) {
  int64_t last = metadata.last_updated_ms;
  for (const auto& snapshot : metadata.snapshots) last = std::max(last, snapshot.timestamp_ms);
  if (!metadata.snapshot_log.empty()) last = std::max(last, metadata.snapshot_log.back().timestamp_ms);
  return std::max(now_ms, last + 1);
}

Result<SnapshotDraft> DraftSnapshot(CommitFiles& files, const TableMetadata& metadata, int64_t time_ms,
                                    RandomSource& random, KnownManifestLists* lists) {
  SnapshotDraft draft;
  draft.snapshot.snapshot_id = NewSnapshotId(metadata, random);
  draft.snapshot.sequence_number = metadata.last_sequence_number + 1;
  draft.snapshot.timestamp_ms = time_ms;
  draft.snapshot.schema_id = metadata.current_schema_id;
  const Snapshot* parent = metadata.current_snapshot();
  if (parent == nullptr) return draft;
  draft.snapshot.parent_snapshot_id = parent->snapshot_id;
  ARC_ASSIGN_OR_RETURN(draft.manifests, ReadManifestListAt(files.store(), parent->manifest_list));
  lists->emplace(parent->manifest_list, draft.manifests);
  ARC_RETURN_IF_ERROR(FillCounts(files.store(), &draft.manifests));
  // A manifest without live files says what an earlier snapshot removed; later snapshots have no use for it.
  std::erase_if(draft.manifests, [](const ManifestFile& manifest) { return !manifest.may_have_live_files(); });
  return draft;
}

Result<std::vector<ManifestFile>> WriteAddedFiles(CommitFiles& files, const std::vector<AppendFile>& added,
                                                  int64_t target_bytes, const Snapshot& snapshot,
                                                  TableMetadata* metadata) {
  std::vector<ManifestFile> rows;
  for (const PartitionKind kind : {PartitionKind::kHour, PartitionKind::kDay}) {
    std::unique_ptr<ManifestWriter> writer;
    const auto finish = [&]() -> Status {
      ARC_ASSIGN_OR_RETURN(ManifestFile row, files.PutManifest(*writer, snapshot.sequence_number));
      rows.push_back(std::move(row));
      writer.reset();
      return {};
    };
    for (const auto& file : added) {
      if (file.kind != kind) continue;
      if (!writer) {
        const PartitionSpec* spec = metadata->FindSpec(EnsureSpec(kind, metadata));
        writer =
            std::make_unique<ManifestWriter>(metadata->current_schema(), *spec, snapshot.snapshot_id, files.NewSync());
      }
      ARC_RETURN_IF_ERROR(writer->Add(EntryOf(file, files.store().UriOf(file.file.key), snapshot.snapshot_id)));
      if (static_cast<int64_t>(writer->bytes()) >= target_bytes) ARC_RETURN_IF_ERROR(finish());
    }
    if (writer) ARC_RETURN_IF_ERROR(finish());
  }
  return rows;
}

Status AddSnapshot(CommitFiles& files, SnapshotDraft draft, TableMetadata* metadata, KnownManifestLists* lists) {
  Snapshot& snapshot = draft.snapshot;
  ARC_ASSIGN_OR_RETURN(const std::string list,
                       WriteManifestList(draft.manifests, snapshot.snapshot_id, snapshot.parent_snapshot_id,
                                         snapshot.sequence_number, files.NewSync()));
  ARC_ASSIGN_OR_RETURN(snapshot.manifest_list, files.Put(ManifestListFileName(files.id(), snapshot.snapshot_id), list));
  lists->emplace(snapshot.manifest_list, std::move(draft.manifests));
  metadata->last_sequence_number = snapshot.sequence_number;
  metadata->current_snapshot_id = snapshot.snapshot_id;
  metadata->snapshot_log.push_back({snapshot.timestamp_ms, snapshot.snapshot_id});
  metadata->refs["main"].snapshot_id = snapshot.snapshot_id;
  metadata->snapshots.push_back(std::move(snapshot));
  return {};
}

Result<PreparedCommit> FinishCommit(CommitFiles& files, std::string_view current_location, const AppendPolicy& policy,
                                    int64_t time_ms, const KnownManifestLists& lists, TableMetadata metadata) {
  PreparedCommit commit;
  AddKeys(files.store(), ExpireSnapshots(files.store(), policy.expiry, time_ms, lists, &metadata),
          &commit.obsolete_keys);
  AddKeys(files.store(),
          RollMetadataLog(current_location, metadata.last_updated_ms, policy.keep_metadata_files, &metadata),
          &commit.obsolete_keys);
  metadata.last_updated_ms = time_ms;
  ARC_ASSIGN_OR_RETURN(commit.metadata_location,
                       files.Put(MetadataFileName(current_location, files.id()), TableMetadataJson(metadata)));
  commit.metadata = std::move(metadata);
  commit.written_keys = files.Keep();
  return commit;
}

}  // namespace arc
