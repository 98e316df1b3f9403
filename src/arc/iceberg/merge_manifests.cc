#include "arc/iceberg/merge_manifests.h"

#include <memory>

#include "arc/iceberg/schema_conversion.h"
#include "arc/iceberg/table_files.h"

namespace arc {
namespace {

// Copies the live entries of some manifests of one spec into new manifests of bounded size.
class Merger {
 public:
  Merger(CommitFiles& files, const IcebergSchema& schema, const PartitionSpec& spec, int64_t target_bytes,
         int64_t snapshot_id, int64_t sequence_number)
      : files_(files),
        schema_(schema),
        spec_(spec),
        target_bytes_(static_cast<size_t>(target_bytes)),
        snapshot_id_(snapshot_id),
        sequence_number_(sequence_number) {}

  Status Take(const ManifestFile& manifest) {
    if (!manifest.may_have_live_files()) return {};
    ARC_ASSIGN_OR_RETURN(const std::string bytes, ReadObjectAt(files_.store(), manifest.path));
    return ReadManifest(bytes, manifest, {}, [&](const ManifestEntry& entry) -> Status {
      if (entry.status == EntryStatus::kDeleted) return {};
      ManifestEntry copy = entry;
      copy.status = EntryStatus::kExisting;
      if (!writer_) writer_ = std::make_unique<ManifestWriter>(schema_, spec_, snapshot_id_, files_.NewSync());
      ARC_RETURN_IF_ERROR(writer_->Add(copy));
      ++entries_;
      return writer_->bytes() >= target_bytes_ ? Flush() : Status();
    });
  }

  Status Flush() {
    if (!writer_) return {};
    ARC_ASSIGN_OR_RETURN(ManifestFile row, files_.PutManifest(*writer_, sequence_number_));
    rows_.push_back(std::move(row));
    writer_.reset();
    return {};
  }

  std::vector<ManifestFile>& rows() { return rows_; }
  int64_t entries() const { return entries_; }

 private:
  CommitFiles& files_;
  const IcebergSchema& schema_;
  const PartitionSpec& spec_;
  const size_t target_bytes_;
  const int64_t snapshot_id_;
  const int64_t sequence_number_;
  std::unique_ptr<ManifestWriter> writer_;
  std::vector<ManifestFile> rows_;
  int64_t entries_ = 0;
};

bool Mergeable(const ManifestFile& manifest, int32_t spec_id, const MergePolicy& policy) {
  return manifest.spec_id == spec_id && manifest.content == ManifestContent::kData && !manifest.key_metadata &&
         manifest.length < policy.target_bytes / 2;
}

}  // namespace

Result<MergeOutcome> MergeManifests(CommitFiles& files, const TableMetadata& metadata, const MergePolicy& policy,
                                    int64_t snapshot_id, int64_t sequence_number,
                                    std::vector<ManifestFile>* manifests) {
  MergeOutcome outcome;
  for (const auto& spec : metadata.partition_specs) {
    if (!PartitionKindOf(metadata, spec.spec_id)) continue;
    std::vector<ManifestFile> small;
    std::vector<ManifestFile> rest;
    for (auto& manifest : *manifests) {
      (Mergeable(manifest, spec.spec_id, policy) ? small : rest).push_back(manifest);
    }
    if (small.size() < 2 || static_cast<int>(small.size()) < policy.count) continue;
    Merger merger(files, metadata.current_schema(), spec, policy.target_bytes, snapshot_id, sequence_number);
    for (const auto& manifest : small) ARC_RETURN_IF_ERROR(merger.Take(manifest));
    ARC_RETURN_IF_ERROR(merger.Flush());
    outcome.replaced += static_cast<int>(small.size());
    outcome.created += static_cast<int>(merger.rows().size());
    outcome.entries += merger.entries();
    *manifests = std::move(merger.rows());
    manifests->insert(manifests->end(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  }
  return outcome;
}

}  // namespace arc
