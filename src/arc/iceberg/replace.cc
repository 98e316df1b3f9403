#include "arc/iceberg/replace.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "arc/base/check.h"
#include "arc/iceberg/manifest.h"
#include "arc/iceberg/new_snapshot.h"
#include "arc/iceberg/snapshot_summary.h"
#include "arc/iceberg/table_files.h"

namespace arc {
namespace {

std::optional<int32_t> IntBound(const std::optional<std::string>& bytes) {
  if (!bytes || bytes->size() != 4) return std::nullopt;
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>((*bytes)[static_cast<size_t>(i)]);
  return static_cast<int32_t>(value);
}

// The files to go: which manifests may name them, and which of them were met.
class RemovedFiles {
 public:
  RemovedFiles(const ObjectStore& store, const ReplaceRequest& request) : request_(request) {
    for (size_t i = 0; i < request.removed.size(); ++i) {
      const RemovedFile& file = request.removed[i];
      places_.emplace(store.UriOf(file.key), i);
      min_time_ = std::min(min_time_, file.min_time);
      max_time_ = std::max(max_time_, file.max_time);
    }
    met_.resize(request.removed.size(), false);
  }

  bool distinct() const { return places_.size() == request_.removed.size(); }
  bool Has(const ObjectStore& store, const std::string& uri) const { return Find(store, uri) != places_.end(); }

  // By the bounds of the partitions in it; a manifest of another writer's spec may name anything.
  bool MayBeIn(const ManifestFile& manifest, std::optional<PartitionKind> kind) const {
    if (!kind || !manifest.partitions || manifest.partitions->size() != 1) return true;
    const auto& summary = (*manifest.partitions)[0];
    const auto lower = IntBound(summary.lower_bound);
    const auto upper = IntBound(summary.upper_bound);
    if (!lower || !upper || summary.contains_null) return true;
    const auto width = static_cast<__int128>(PartitionMicros(*kind));
    return min_time_ < (*upper + 1) * width && max_time_ >= *lower * width;
  }

  void Meet(const ObjectStore& store, const ManifestDataFile& file, int32_t spec_id) {
    const size_t at = Find(store, file.path)->second;
    met_[at] = true;
    Count(file, &counts_);
    const std::string& copy = request_.removed[at].moved_to;
    if (copy.empty()) return;
    Count(file, &moved_counts_);
    ManifestDataFile moved = file;
    moved.path = store.UriOf(copy);
    moved_[spec_id].push_back(std::move(moved));
  }
  const FileCounts& counts() const { return counts_; }
  // The copies, by the partition spec of what they are copies of.
  const std::map<int32_t, std::vector<ManifestDataFile>>& moved() const { return moved_; }
  const FileCounts& moved_counts() const { return moved_counts_; }
  // Null: all were met.
  const RemovedFile* FirstMissing() const {
    const auto missing = std::find(met_.begin(), met_.end(), false);
    return missing == met_.end() ? nullptr : &request_.removed[static_cast<size_t>(missing - met_.begin())];
  }

 private:
  using Places = std::unordered_map<std::string, size_t>;

  static void Count(const ManifestDataFile& file, FileCounts* counts) {
    ++counts->files;
    counts->rows += file.record_count;
    counts->bytes += file.file_size_in_bytes;
  }

  // Other writers may spell the address of a local file with its scheme.
  Places::const_iterator Find(const ObjectStore& store, const std::string& uri) const {
    const auto exact = places_.find(uri);
    if (exact != places_.end()) return exact;
    const auto key = store.KeyOf(uri);
    return key.ok() ? places_.find(store.UriOf(*key)) : places_.end();
  }

  const ReplaceRequest& request_;
  Places places_;  // by URI
  std::vector<bool> met_;
  FileCounts counts_;
  std::map<int32_t, std::vector<ManifestDataFile>> moved_;
  FileCounts moved_counts_;
  int64_t min_time_ = std::numeric_limits<int64_t>::max();
  int64_t max_time_ = std::numeric_limits<int64_t>::min();
};

class Rewriter {
 public:
  Rewriter(CommitFiles& files, const TableMetadata& metadata, const Snapshot& snapshot, RemovedFiles* removed)
      : files_(files), metadata_(metadata), snapshot_(snapshot), removed_(*removed) {}

  // The manifests that name a removed file, written anew; they leave `manifests`.
  Result<std::vector<ManifestFile>> Run(std::vector<ManifestFile>* manifests) {
    std::vector<ManifestFile> kept;
    std::vector<ManifestFile> rewritten;
    for (auto& manifest : *manifests) {
      ARC_ASSIGN_OR_RETURN(auto anew, Rewrite(manifest));
      if (anew) {
        rewritten.push_back(std::move(*anew));
      } else {
        kept.push_back(std::move(manifest));
      }
    }
    *manifests = std::move(kept);
    return rewritten;
  }

 private:
  // Nothing when the manifest names none of the files.
  Result<std::optional<ManifestFile>> Rewrite(const ManifestFile& manifest) {
    if (manifest.content == ManifestContent::kDeletes) {
      return MakeError(ErrorKind::kUnsupported, "the table has row-level deletes in " + manifest.path);
    }
    const auto kind = PartitionKindOf(metadata_, manifest.spec_id);
    if (!removed_.MayBeIn(manifest, kind)) return std::optional<ManifestFile>();
    ARC_ASSIGN_OR_RETURN(const std::string bytes, ReadObjectAt(files_.store(), manifest.path));
    bool names_one = false;
    ARC_RETURN_IF_ERROR(ReadManifest(bytes, manifest, {false, -1}, [&](const ManifestEntry& entry) -> Status {
      names_one |= entry.status != EntryStatus::kDeleted && removed_.Has(files_.store(), entry.file.path);
      return {};
    }));
    if (!names_one) return std::optional<ManifestFile>();
    if (!kind || manifest.key_metadata) {
      return MakeError(ErrorKind::kUnsupported,
                       "a file to be replaced is in another writer's kind of manifest, " + manifest.path);
    }
    ManifestWriter writer(metadata_.current_schema(), *metadata_.FindSpec(manifest.spec_id), snapshot_.snapshot_id,
                          files_.NewSync());
    ARC_RETURN_IF_ERROR(ReadManifest(bytes, manifest, {}, [&](const ManifestEntry& entry) -> Status {
      if (entry.status == EntryStatus::kDeleted) return {};  // by an earlier snapshot, whose own manifest says so
      ManifestEntry copy = entry;
      copy.status = EntryStatus::kExisting;
      if (removed_.Has(files_.store(), entry.file.path)) {
        copy.status = EntryStatus::kDeleted;
        copy.snapshot_id = snapshot_.snapshot_id;
        removed_.Meet(files_.store(), entry.file, manifest.spec_id);
      }
      return writer.Add(copy);
    }));
    ARC_ASSIGN_OR_RETURN(ManifestFile row, files_.PutManifest(writer, snapshot_.sequence_number));
    return std::optional<ManifestFile>(std::move(row));
  }

  CommitFiles& files_;
  const TableMetadata& metadata_;
  const Snapshot& snapshot_;
  RemovedFiles& removed_;
};

Status CheckRows(const ReplaceRequest& request, const RemovedFiles& removed) {
  if (!request.same_rows) return {};
  int64_t added = removed.moved_counts().rows;
  for (const auto& file : request.added) added += file.file.rows;
  if (added == removed.counts().rows) return {};
  return InvalidArgument("files with " + std::to_string(removed.counts().rows) + " rows were to be replaced by " +
                         std::to_string(added) + " rows");
}

// Manifests of the copies; their rows.
Result<std::vector<ManifestFile>> WriteMovedFiles(CommitFiles& files, const RemovedFiles& removed,
                                                  const Snapshot& snapshot, const TableMetadata& metadata) {
  std::vector<ManifestFile> rows;
  for (const auto& [spec_id, moved] : removed.moved()) {
    ManifestWriter writer(metadata.current_schema(), *metadata.FindSpec(spec_id), snapshot.snapshot_id,
                          files.NewSync());
    for (const auto& file : moved) {
      ManifestEntry entry;
      entry.status = EntryStatus::kAdded;
      entry.snapshot_id = snapshot.snapshot_id;
      entry.file = file;
      ARC_RETURN_IF_ERROR(writer.Add(entry));
    }
    ARC_ASSIGN_OR_RETURN(ManifestFile row, files.PutManifest(writer, snapshot.sequence_number));
    rows.push_back(std::move(row));
  }
  return rows;
}

// Makes the snapshot without the removed files and with the added ones the current one of `metadata`.
Status AddReplacement(CommitFiles& files, const ReplaceRequest& request, int64_t time_ms, RandomSource& random,
                      TableMetadata* metadata, KnownManifestLists* lists) {
  RemovedFiles removed(files.store(), request);
  if (!removed.distinct()) return InvalidArgument("a data file is to be removed twice");
  ARC_ASSIGN_OR_RETURN(SnapshotDraft draft, DraftSnapshot(files, *metadata, time_ms, random, lists));
  ARC_ASSIGN_OR_RETURN(auto changed, Rewriter(files, *metadata, draft.snapshot, &removed).Run(&draft.manifests));
  if (const RemovedFile* missing = removed.FirstMissing()) {
    return NotFound("data file " + missing->key + " is not live any more");
  }
  ARC_RETURN_IF_ERROR(CheckRows(request, removed));
  const int64_t target_bytes = request.policy.manifest_target_bytes;
  ARC_ASSIGN_OR_RETURN(auto added, WriteAddedFiles(files, request.added, target_bytes, draft.snapshot, metadata));
  ARC_ASSIGN_OR_RETURN(auto moved, WriteMovedFiles(files, removed, draft.snapshot, *metadata));
  added.insert(added.end(), std::make_move_iterator(moved.begin()), std::make_move_iterator(moved.end()));
  // Only what this snapshot leaves as it is may be merged: the others say what it removed.
  const MergePolicy policy{request.policy.manifest_merge_count, target_bytes};
  ARC_ASSIGN_OR_RETURN(MergeOutcome merged, MergeManifests(files, *metadata, policy, draft.snapshot.snapshot_id,
                                                           draft.snapshot.sequence_number, &draft.manifests));
  merged.replaced += static_cast<int>(changed.size());
  for (const auto& manifest : changed) merged.entries += manifest.existing_files + manifest.deleted_files;
  draft.snapshot.summary =
      ReplaceSummary(request, removed.counts(), removed.moved_counts(), metadata->current_snapshot(), merged,
                     added.size() + changed.size(), draft.manifests.size());
  for (const auto& [name, value] : metadata->properties) {
    if (name.starts_with("arc.flushed-lsn.")) draft.snapshot.summary[name] = value;
  }
  changed.insert(changed.begin(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  draft.manifests.insert(draft.manifests.begin(), std::make_move_iterator(changed.begin()),
                         std::make_move_iterator(changed.end()));
  return AddSnapshot(files, std::move(draft), metadata, lists);
}

}  // namespace

Result<PreparedCommit> PrepareReplace(ObjectStore& store, std::string_view current_location,
                                      const TableMetadata& current, const ReplaceRequest& request,
                                      RandomSource& random) {
  ARC_CHECK(!current_location.empty() && !request.removed.empty());
  ARC_RETURN_IF_ERROR(CheckFiles(request.added));
  if (current.table_uuid != request.table.id) {
    return MakeError(ErrorKind::kConflict, "the table was replaced: its uuid is " + current.table_uuid.ToString() +
                                               ", not " + request.table.id.ToString());
  }
  ARC_ASSIGN_OR_RETURN(const std::string table_key, store.KeyOf(current.location));
  CommitFiles files(store, table_key, random);
  TableMetadata metadata = current;
  const int64_t time_ms = CommitTime(metadata, request.now_ms);
  KnownManifestLists lists;
  ARC_RETURN_IF_ERROR(AddReplacement(files, request, time_ms, random, &metadata, &lists));
  const auto snapshot_id = metadata.current_snapshot_id;
  ARC_ASSIGN_OR_RETURN(PreparedCommit commit,
                       FinishCommit(files, current_location, request.policy, time_ms, lists, std::move(metadata)));
  commit.snapshot_id = snapshot_id;
  return commit;
}

}  // namespace arc
