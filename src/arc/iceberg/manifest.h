// Iceberg v2 manifests and manifest lists. https://iceberg.apache.org/spec/#manifests
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/iceberg/avro.h"
#include "arc/iceberg/table_metadata.h"

namespace arc {

enum class ManifestContent : int32_t { kData = 0, kDeletes = 1 };
enum class EntryStatus : int32_t { kExisting = 0, kAdded = 1, kDeleted = 2 };

// A file as a manifest describes it. Metrics maps are (field id, value) in the order of the file; empty means absent.
struct ManifestDataFile {
  int32_t content = 0;  // 0 data, 1 position deletes, 2 equality deletes
  std::string path;     // URI as stored
  std::string format;   // "PARQUET", as stored
  // The partition value where the tuple has exactly one int (or date) field; none if null or of another shape.
  std::optional<int32_t> partition;
  int64_t record_count = 0;
  int64_t file_size_in_bytes = 0;
  std::vector<std::pair<int32_t, int64_t>> column_sizes;
  std::vector<std::pair<int32_t, int64_t>> value_counts;
  std::vector<std::pair<int32_t, int64_t>> null_value_counts;
  std::vector<std::pair<int32_t, int64_t>> nan_value_counts;
  std::vector<std::pair<int32_t, std::string>> lower_bounds;
  std::vector<std::pair<int32_t, std::string>> upper_bounds;
  std::optional<std::string> key_metadata;
  std::vector<int64_t> split_offsets;
  std::vector<int32_t> equality_ids;  // of equality deletes; never written
  std::optional<int32_t> sort_order_id;
};

struct ManifestEntry {
  EntryStatus status = EntryStatus::kAdded;
  // Absent only in what is written for the snapshot being made; readers get inherited values.
  std::optional<int64_t> snapshot_id;
  std::optional<int64_t> sequence_number;
  std::optional<int64_t> file_sequence_number;
  ManifestDataFile file;
};

struct PartitionSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;
  std::optional<std::string> lower_bound;  // single-value binary
  std::optional<std::string> upper_bound;
};

// A row of a manifest list.
struct ManifestFile {
  std::string path;
  int64_t length = 0;
  int32_t spec_id = 0;
  ManifestContent content = ManifestContent::kData;
  int64_t sequence_number = 0;
  int64_t min_sequence_number = 0;
  int64_t added_snapshot_id = 0;
  int64_t added_files = 0;
  int64_t existing_files = 0;
  int64_t deleted_files = 0;
  int64_t added_rows = 0;
  int64_t existing_rows = 0;
  int64_t deleted_rows = 0;
  // Old writers leave counts out: then the counts are 0 and whether files live is unknown.
  bool counts_known = true;
  std::optional<std::vector<PartitionSummary>> partitions;
  std::optional<std::string> key_metadata;

  bool may_have_live_files() const { return !counts_known || added_files + existing_files > 0; }
};

// What ReadManifest decodes of the metrics maps.
struct ManifestProjection {
  bool all_metrics = true;
  // Without all_metrics: only the lower and upper bound of this field id (-1: none).
  int32_t bounds_field_id = -1;
};

// Calls `each` for every entry, deleted ones too, with inherited snapshot id and sequence numbers filled in from
// `manifest`. The entry is reused between calls. kCorruption when damaged; an error of `each` ends the walk.
Status ReadManifest(std::string_view bytes, const ManifestFile& manifest, const ManifestProjection& projection,
                    const std::function<Status(const ManifestEntry&)>& each);

Result<std::vector<ManifestFile>> ReadManifestList(std::string_view bytes);

// Builds one data manifest whose spec has one int field (hour or day of time). Not thread-safe.
class ManifestWriter {
 public:
  // `spec` must be one field, transform hour or day.
  ManifestWriter(const IcebergSchema& schema, const PartitionSpec& spec, int64_t snapshot_id, const Uuid& sync);
  Status Add(const ManifestEntry& entry);
  size_t bytes() const { return writer_.bytes(); }
  int64_t entries() const { return writer_.records(); }

  struct Finished {
    std::string bytes;
    ManifestFile row;  // all but the path; the sequence numbers as if committed with `sequence_number`
  };
  Result<Finished> Finish(int64_t sequence_number);

 private:
  AvroFileWriter writer_;
  ManifestFile row_;
  std::optional<int64_t> min_sequence_number_;  // of entries that have one
  bool inherits_ = false;                       // an entry has none
  bool null_partition_ = false;
  std::optional<int32_t> min_partition_;
  std::optional<int32_t> max_partition_;
};

Result<std::string> WriteManifestList(const std::vector<ManifestFile>& rows, int64_t snapshot_id,
                                      std::optional<int64_t> parent_snapshot_id, int64_t sequence_number,
                                      const Uuid& sync);

}  // namespace arc
