// The metadata tables that come from manifests: $manifests, $files, $partitions.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "arc/base/check.h"
#include "arc/iceberg/manifest.h"
#include "arc/iceberg/table_files.h"
#include "arc/query/column_metrics.h"
#include "arc/query/duck_error.h"
#include "arc/query/metadata_rows.h"
#include "arc/query/partition_fields.h"

namespace arc {
namespace {

using duckdb::LogicalType;
using duckdb::Value;

// What all three read.
struct SnapshotFiles {
  SnapshotFiles(std::shared_ptr<const TableMetadata> of, ObjectStore& in)
      : metadata(of ? std::move(of) : std::make_shared<const TableMetadata>()), store(in), partitions(*metadata) {}

  std::vector<ManifestFile> Manifests() const {
    const Snapshot* snapshot = metadata->current_snapshot();
    if (snapshot == nullptr) return {};
    auto manifests = ReadManifestListAt(store, snapshot->manifest_list);
    if (!manifests.ok()) ThrowDuckError(manifests.error());
    return std::move(*manifests);
  }

  // Calls `each` for the live files of the manifest.
  void Walk(const ManifestFile& manifest, bool with_metrics,
            const std::function<void(const ManifestEntry&)>& each) const {
    auto bytes = ReadObjectAt(store, manifest.path);
    if (!bytes.ok()) ThrowDuckError(bytes.error());
    auto read = ReadManifest(*bytes, manifest, {with_metrics, -1}, [&](const ManifestEntry& entry) -> Status {
      if (entry.status != EntryStatus::kDeleted) each(entry);
      return {};
    });
    if (!read.ok()) ThrowDuckError(read.error());
  }

  std::shared_ptr<const TableMetadata> metadata;
  ObjectStore& store;
  PartitionFields partitions;
};

// $manifests

class ManifestsSource : public MetadataSource {
 public:
  explicit ManifestsSource(SnapshotFiles files) : files_(std::move(files)) {}

  std::vector<MetadataColumn> Columns() const override {
    return {{"content", LogicalType::INTEGER},
            {"path", LogicalType::VARCHAR},
            {"length", LogicalType::BIGINT},
            {"partition_spec_id", LogicalType::INTEGER},
            {"added_snapshot_id", LogicalType::BIGINT},
            {"added_data_files_count", LogicalType::INTEGER},
            {"existing_data_files_count", LogicalType::INTEGER},
            {"deleted_data_files_count", LogicalType::INTEGER},
            {"added_delete_files_count", LogicalType::INTEGER},
            {"existing_delete_files_count", LogicalType::INTEGER},
            {"deleted_delete_files_count", LogicalType::INTEGER},
            {"partition_summaries", LogicalType::LIST(SummaryType())}};
  }

  std::unique_ptr<MetadataRows> Scan(const std::vector<size_t>&) const override {
    auto table = std::make_shared<ReadyTable>();
    for (const auto& manifest : files_.Manifests()) table->rows.push_back(RowOf(manifest));
    return MakeReadyRows(std::move(table));
  }

 private:
  static LogicalType SummaryType() {
    return LogicalType::STRUCT({{"contains_null", LogicalType::BOOLEAN},
                                {"contains_nan", LogicalType::BOOLEAN},
                                {"lower_bound", LogicalType::VARCHAR},
                                {"upper_bound", LogicalType::VARCHAR}});
  }

  duckdb::vector<Value> RowOf(const ManifestFile& manifest) const {
    const bool data = manifest.content == ManifestContent::kData;
    const auto count = [&](bool counted, int64_t files) {
      if (!manifest.counts_known) return Value(LogicalType::INTEGER);
      return Value::INTEGER(static_cast<int32_t>(counted ? std::clamp<int64_t>(files, 0, INT32_MAX) : 0));
    };
    duckdb::vector<Value> summaries;
    if (manifest.partitions) {
      for (const auto& summary : *manifest.partitions) {
        summaries.push_back(Value::STRUCT(
            SummaryType(), {Value::BOOLEAN(summary.contains_null),
                            summary.contains_nan ? Value::BOOLEAN(*summary.contains_nan) : Value(LogicalType::BOOLEAN),
                            files_.partitions.BoundText(manifest.spec_id, summary.lower_bound),
                            files_.partitions.BoundText(manifest.spec_id, summary.upper_bound)}));
      }
    }
    return {Value::INTEGER(static_cast<int32_t>(manifest.content)),
            Value(manifest.path),
            Value::BIGINT(manifest.length),
            Value::INTEGER(manifest.spec_id),
            Value::BIGINT(manifest.added_snapshot_id),
            count(data, manifest.added_files),
            count(data, manifest.existing_files),
            count(data, manifest.deleted_files),
            count(!data, manifest.added_files),
            count(!data, manifest.existing_files),
            count(!data, manifest.deleted_files),
            Value::LIST(SummaryType(), std::move(summaries))};
  }

  const SnapshotFiles files_;
};

// $files

enum class FileColumn {
  kContent,
  kFilePath,
  kFileFormat,
  kSpecId,
  kPartition,
  kRecordCount,
  kFileSize,
  kColumnSizes,
  kValueCounts,
  kNullValueCounts,
  kNanValueCounts,
  kLowerBounds,
  kUpperBounds,
  kKeyMetadata,
  kSplitOffsets,
  kEqualityIds,
  kSortOrderId,
  kReadableMetrics,
};

bool IsMetric(FileColumn column) {
  return (column >= FileColumn::kColumnSizes && column <= FileColumn::kUpperBounds) ||
         column == FileColumn::kReadableMetrics;
}

struct NamedFileColumn {
  FileColumn column;
  MetadataColumn shown;
};

// What does not change from scan to scan.
struct FileShape {
  explicit FileShape(SnapshotFiles of) : files(std::move(of)), metrics(*files.metadata) {
    const LogicalType counts = LogicalType::MAP(LogicalType::INTEGER, LogicalType::BIGINT);
    const LogicalType bounds = LogicalType::MAP(LogicalType::INTEGER, LogicalType::BLOB);
    columns = {{FileColumn::kContent, {"content", LogicalType::INTEGER}},
               {FileColumn::kFilePath, {"file_path", LogicalType::VARCHAR}},
               {FileColumn::kFileFormat, {"file_format", LogicalType::VARCHAR}},
               {FileColumn::kSpecId, {"spec_id", LogicalType::INTEGER}}};
    if (!files.partitions.empty()) columns.push_back({FileColumn::kPartition, {"partition", files.partitions.type()}});
    columns.push_back({FileColumn::kRecordCount, {"record_count", LogicalType::BIGINT}});
    columns.push_back({FileColumn::kFileSize, {"file_size_in_bytes", LogicalType::BIGINT}});
    columns.push_back({FileColumn::kColumnSizes, {"column_sizes", counts}});
    columns.push_back({FileColumn::kValueCounts, {"value_counts", counts}});
    columns.push_back({FileColumn::kNullValueCounts, {"null_value_counts", counts}});
    columns.push_back({FileColumn::kNanValueCounts, {"nan_value_counts", counts}});
    columns.push_back({FileColumn::kLowerBounds, {"lower_bounds", bounds}});
    columns.push_back({FileColumn::kUpperBounds, {"upper_bounds", bounds}});
    columns.push_back({FileColumn::kKeyMetadata, {"key_metadata", LogicalType::BLOB}});
    columns.push_back({FileColumn::kSplitOffsets, {"split_offsets", LogicalType::LIST(LogicalType::BIGINT)}});
    columns.push_back({FileColumn::kEqualityIds, {"equality_ids", LogicalType::LIST(LogicalType::INTEGER)}});
    columns.push_back({FileColumn::kSortOrderId, {"sort_order_id", LogicalType::INTEGER}});
    if (!metrics.empty()) columns.push_back({FileColumn::kReadableMetrics, {"readable_metrics", metrics.type()}});
  }

  SnapshotFiles files;
  ColumnMetricsStruct metrics;
  std::vector<NamedFileColumn> columns;
};

template <typename Numbers, typename MakeValue>
Value ListValue(const LogicalType& type, const Numbers& numbers, const MakeValue& make_value) {
  if (numbers.empty()) return Value(LogicalType::LIST(type));
  duckdb::vector<Value> values;
  for (const auto number : numbers) values.push_back(make_value(number));
  return Value::LIST(type, std::move(values));
}

// One manifest at a time.
class FileRows : public MetadataRows {
 public:
  FileRows(std::shared_ptr<const FileShape> shape, bool with_metrics)
      : shape_(std::move(shape)), manifests_(shape_->files.Manifests()), with_metrics_(with_metrics) {}

  size_t Advance() override {
    entries_.clear();
    spec_id_ = manifests_[next_].spec_id;
    shape_->files.Walk(manifests_[next_++], with_metrics_,
                       [&](const ManifestEntry& entry) { entries_.push_back(entry.file); });
    return entries_.size();
  }
  bool ended() const override { return next_ == manifests_.size(); }

  Value ValueAt(size_t row, size_t column) const override {
    const ManifestDataFile& file = entries_[row];
    switch (shape_->columns[column].column) {
      case FileColumn::kContent: return Value::INTEGER(file.content);
      case FileColumn::kFilePath: return Value(file.path);
      case FileColumn::kFileFormat: return Value(file.format);
      case FileColumn::kSpecId: return Value::INTEGER(spec_id_);
      case FileColumn::kPartition: return shape_->files.partitions.ValueOf(spec_id_, file.partition);
      case FileColumn::kRecordCount: return Value::BIGINT(file.record_count);
      case FileColumn::kFileSize: return Value::BIGINT(file.file_size_in_bytes);
      case FileColumn::kColumnSizes: return CountsValue(file.column_sizes);
      case FileColumn::kValueCounts: return CountsValue(file.value_counts);
      case FileColumn::kNullValueCounts: return CountsValue(file.null_value_counts);
      case FileColumn::kNanValueCounts: return CountsValue(file.nan_value_counts);
      case FileColumn::kLowerBounds: return BoundsValue(file.lower_bounds);
      case FileColumn::kUpperBounds: return BoundsValue(file.upper_bounds);
      case FileColumn::kKeyMetadata:
        return file.key_metadata ? Value::BLOB_RAW(*file.key_metadata) : Value(LogicalType::BLOB);
      case FileColumn::kSplitOffsets:
        return ListValue(LogicalType::BIGINT, file.split_offsets, [](int64_t n) { return Value::BIGINT(n); });
      case FileColumn::kEqualityIds:
        return ListValue(LogicalType::INTEGER, file.equality_ids, [](int32_t n) { return Value::INTEGER(n); });
      case FileColumn::kSortOrderId:
        return file.sort_order_id ? Value::INTEGER(*file.sort_order_id) : Value(LogicalType::INTEGER);
      case FileColumn::kReadableMetrics: return shape_->metrics.ValueOf(file);
    }
    ARC_CHECK(false);
  }

 private:
  const std::shared_ptr<const FileShape> shape_;
  const std::vector<ManifestFile> manifests_;
  const bool with_metrics_;
  size_t next_ = 0;
  int32_t spec_id_ = 0;
  std::vector<ManifestDataFile> entries_;
};

class FilesSource : public MetadataSource {
 public:
  explicit FilesSource(SnapshotFiles files) : shape_(std::make_shared<const FileShape>(std::move(files))) {}
  std::vector<MetadataColumn> Columns() const override {
    std::vector<MetadataColumn> result;
    for (const auto& column : shape_->columns) result.push_back(column.shown);
    return result;
  }
  std::unique_ptr<MetadataRows> Scan(const std::vector<size_t>& wanted) const override {
    const bool with_metrics = std::any_of(wanted.begin(), wanted.end(),
                                          [&](size_t column) { return IsMetric(shape_->columns[column].column); });
    return std::make_unique<FileRows>(shape_, with_metrics);
  }

 private:
  const std::shared_ptr<const FileShape> shape_;
};

// $partitions

struct PartitionSums {
  int64_t rows[3] = {};  // by content: data, position deletes, equality deletes
  int64_t files[3] = {};
  int64_t data_bytes = 0;
  std::optional<int64_t> updated_ms;
  int64_t updated_by = 0;
};

class PartitionsSource : public MetadataSource {
 public:
  explicit PartitionsSource(SnapshotFiles files) : files_(std::move(files)) {}

  std::vector<MetadataColumn> Columns() const override {
    std::vector<MetadataColumn> columns;
    if (!files_.partitions.empty()) {
      columns = {{"partition", files_.partitions.type()}, {"spec_id", LogicalType::INTEGER}};
    }
    for (const MetadataColumn& column :
         {MetadataColumn{"record_count", LogicalType::BIGINT}, MetadataColumn{"file_count", LogicalType::INTEGER},
          MetadataColumn{"total_data_file_size_in_bytes", LogicalType::BIGINT},
          MetadataColumn{"position_delete_record_count", LogicalType::BIGINT},
          MetadataColumn{"position_delete_file_count", LogicalType::INTEGER},
          MetadataColumn{"equality_delete_record_count", LogicalType::BIGINT},
          MetadataColumn{"equality_delete_file_count", LogicalType::INTEGER},
          MetadataColumn{"last_updated_at", LogicalType::TIMESTAMP_TZ},
          MetadataColumn{"last_updated_snapshot_id", LogicalType::BIGINT}}) {
      columns.push_back(column);
    }
    return columns;
  }

  std::unique_ptr<MetadataRows> Scan(const std::vector<size_t>&) const override {
    std::map<Partition, PartitionSums> sums;
    for (const auto& manifest : files_.Manifests()) {
      files_.Walk(manifest, false,
                  [&](const ManifestEntry& entry) { Add(entry, &sums[{manifest.spec_id, entry.file.partition}]); });
    }
    auto table = std::make_shared<ReadyTable>();
    for (const auto& [partition, of_it] : sums) table->rows.push_back(RowOf(partition, of_it));
    return MakeReadyRows(std::move(table));
  }

 private:
  using Partition = std::pair<int32_t, std::optional<int32_t>>;  // spec and value

  void Add(const ManifestEntry& entry, PartitionSums* sums) const {
    const auto content = static_cast<size_t>(std::clamp(entry.file.content, 0, 2));
    sums->rows[content] += entry.file.record_count;
    ++sums->files[content];
    if (content == 0) sums->data_bytes += entry.file.file_size_in_bytes;
    const Snapshot* snapshot = files_.metadata->FindSnapshot(*entry.snapshot_id);
    if (snapshot == nullptr || (sums->updated_ms && *sums->updated_ms >= snapshot->timestamp_ms)) return;
    sums->updated_ms = snapshot->timestamp_ms;
    sums->updated_by = snapshot->snapshot_id;
  }

  duckdb::vector<Value> RowOf(const Partition& partition, const PartitionSums& sums) const {
    const auto count = [](int64_t files) {
      return Value::INTEGER(static_cast<int32_t>(std::min<int64_t>(files, INT32_MAX)));
    };
    duckdb::vector<Value> row;
    if (!files_.partitions.empty()) {
      row.push_back(files_.partitions.ValueOf(partition.first, partition.second));
      row.push_back(Value::INTEGER(partition.first));
    }
    row.push_back(Value::BIGINT(sums.rows[0]));
    row.push_back(count(sums.files[0]));
    row.push_back(Value::BIGINT(sums.data_bytes));
    row.push_back(Value::BIGINT(sums.rows[1]));
    row.push_back(count(sums.files[1]));
    row.push_back(Value::BIGINT(sums.rows[2]));
    row.push_back(count(sums.files[2]));
    row.push_back(sums.updated_ms ? TimeValue(*sums.updated_ms) : Value(LogicalType::TIMESTAMP_TZ));
    row.push_back(sums.updated_ms ? Value::BIGINT(sums.updated_by) : Value(LogicalType::BIGINT));
    return row;
  }

  const SnapshotFiles files_;
};

}  // namespace

std::unique_ptr<MetadataSource> MakeManifestsSource(std::shared_ptr<const TableMetadata> metadata, ObjectStore& store) {
  return std::make_unique<ManifestsSource>(SnapshotFiles(std::move(metadata), store));
}

std::unique_ptr<MetadataSource> MakeFilesSource(std::shared_ptr<const TableMetadata> metadata, ObjectStore& store) {
  return std::make_unique<FilesSource>(SnapshotFiles(std::move(metadata), store));
}

std::unique_ptr<MetadataSource> MakePartitionsSource(std::shared_ptr<const TableMetadata> metadata,
                                                     ObjectStore& store) {
  return std::make_unique<PartitionsSource>(SnapshotFiles(std::move(metadata), store));
}

}  // namespace arc
