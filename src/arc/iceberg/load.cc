#include "arc/iceberg/load.h"

#include <algorithm>
#include <limits>

#include "arc/iceberg/compression.h"
#include "arc/iceberg/table_files.h"

namespace arc {
namespace {

constexpr size_t kMaxMetadataBytes = 512 << 20;

// A bound of a timestamp column: 8 bytes, little-endian µs.
std::optional<int64_t> TimeBound(const std::vector<std::pair<int32_t, std::string>>& bounds, int32_t field_id) {
  for (const auto& [id, bytes] : bounds) {
    if (id != field_id || bytes.size() != 8) continue;
    uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[static_cast<size_t>(i)]);
    return static_cast<int64_t>(value);
  }
  return std::nullopt;
}

void SetTimeRange(const ManifestDataFile& file, int32_t time_id, LiveDataFile* live) {
  const auto lower = TimeBound(file.lower_bounds, time_id);
  const auto upper = TimeBound(file.upper_bounds, time_id);
  if (lower && upper && *lower <= *upper) {
    live->min_time = *lower;
    live->max_time = *upper;
    live->times_known = true;
    return;
  }
  live->min_time = std::numeric_limits<int64_t>::min();
  live->max_time = std::numeric_limits<int64_t>::max();
  if (!live->partition_kind) return;
  const int64_t width = PartitionMicros(*live->partition_kind);
  // Days beyond what µs can count say nothing.
  if (std::abs(int64_t{live->partition_value}) >= live->max_time / width) return;
  live->min_time = live->partition_value * width;
  live->max_time = live->min_time + width - 1;
}

Status RefuseDeletes(ObjectStore& store, const ManifestFile& manifest) {
  ARC_ASSIGN_OR_RETURN(const std::string bytes, ReadObjectAt(store, manifest.path));
  return ReadManifest(bytes, manifest, {false, -1}, [](const ManifestEntry& entry) -> Status {
    if (entry.status == EntryStatus::kDeleted) return {};
    return MakeError(ErrorKind::kUnsupported, "the table has row-level deletes in " + entry.file.path);
  });
}

}  // namespace

Result<std::string> ReadMetadataText(ObjectStore& store, std::string_view metadata_location) {
  ARC_ASSIGN_OR_RETURN(std::string bytes, ReadObjectAt(store, metadata_location));
  if (!bytes.starts_with("\x1f\x8b")) return bytes;
  BlockCompression gzip(BlockCodec::kGzip);
  ARC_ASSIGN_OR_RETURN(const std::string_view json, gzip.Decompress(bytes, kMaxMetadataBytes));
  return std::string(json);
}

Result<TableMetadata> ReadTableMetadata(ObjectStore& store, std::string_view metadata_location) {
  ARC_ASSIGN_OR_RETURN(const std::string json, ReadMetadataText(store, metadata_location));
  auto metadata = ParseTableMetadata(json);
  if (!metadata.ok()) return WithContext(std::move(metadata).error(), metadata_location);
  return metadata;
}

Result<std::vector<LiveDataFile>> ReadLiveFiles(ObjectStore& store, const TableMetadata& metadata) {
  std::vector<LiveDataFile> files;
  const Snapshot* snapshot = metadata.current_snapshot();
  if (snapshot == nullptr) return files;
  ARC_ASSIGN_OR_RETURN(const auto manifests, ReadManifestListAt(store, snapshot->manifest_list));
  const int32_t time_id = TimeFieldId(metadata);
  size_t expected = 0;
  for (const auto& manifest : manifests) {
    expected += static_cast<size_t>(std::min<int64_t>(manifest.added_files + manifest.existing_files, 1 << 20));
  }
  files.reserve(std::min<size_t>(expected, 1 << 20));
  for (const auto& manifest : manifests) {
    if (!manifest.may_have_live_files()) continue;
    if (manifest.content == ManifestContent::kDeletes) {
      ARC_RETURN_IF_ERROR(RefuseDeletes(store, manifest));
      continue;
    }
    const auto kind = PartitionKindOf(metadata, manifest.spec_id);
    const auto take = [&](const ManifestEntry& entry) -> Status {
      if (entry.status == EntryStatus::kDeleted) return {};
      if (entry.file.content != 0) {
        return MakeError(ErrorKind::kUnsupported, "the table has row-level deletes in " + entry.file.path);
      }
      LiveDataFile& live = files.emplace_back();
      auto key = store.KeyOf(entry.file.path);
      if (key.ok()) {
        live.key = std::move(*key);
      } else {
        live.uri = entry.file.path;
      }
      live.bytes = entry.file.file_size_in_bytes;
      live.rows = entry.file.record_count;
      if (kind && entry.file.partition) {
        live.partition_kind = kind;
        live.partition_value = *entry.file.partition;
      }
      SetTimeRange(entry.file, time_id, &live);
      live.sequence_number = *entry.sequence_number;
      live.format = entry.file.format;
      return {};
    };
    ARC_ASSIGN_OR_RETURN(const std::string bytes, ReadObjectAt(store, manifest.path));
    ARC_RETURN_IF_ERROR(ReadManifest(bytes, manifest, {false, time_id}, take));
  }
  return files;
}

Result<LoadedTable> LoadTable(ObjectStore& store, std::string_view metadata_location) {
  LoadedTable table;
  ARC_ASSIGN_OR_RETURN(table.metadata, ReadTableMetadata(store, metadata_location));
  ARC_ASSIGN_OR_RETURN(table.files, ReadLiveFiles(store, table.metadata));
  return table;
}

}  // namespace arc
