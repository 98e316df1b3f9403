#include <algorithm>

#include "arc/iceberg/manifest.h"
#include "arc/iceberg/manifest_schema.h"

namespace arc {
namespace {

std::vector<std::pair<std::string, std::string>> Header(const IcebergSchema& schema, const PartitionSpec& spec) {
  return {{"schema", SchemaJson(schema)},
          {"schema-id", std::to_string(schema.schema_id)},
          {"partition-spec", PartitionFieldsJson(spec)},
          {"partition-spec-id", std::to_string(spec.spec_id)},
          {"format-version", "2"},
          {"content", "data"}};
}

std::string EntrySchema(const PartitionSpec& spec) {
  ARC_CHECK(spec.fields.size() == 1);
  const PartitionField& field = spec.fields[0];
  return ManifestEntryAvroSchema(field.name, field.field_id, field.transform == "day");
}

void EncodeOptional(AvroEncoder& out, const std::optional<int64_t>& value) {
  if (!value) return out.Null();
  out.Present();
  out.Long(*value);
}

void EncodeCounts(AvroEncoder& out, const std::vector<std::pair<int32_t, int64_t>>& counts) {
  if (counts.empty()) return out.Null();
  out.Present();
  out.Long(static_cast<int64_t>(counts.size()));
  for (const auto& [id, count] : counts) {
    out.Long(id);
    out.Long(count);
  }
  out.Long(0);
}

void EncodeBounds(AvroEncoder& out, const std::vector<std::pair<int32_t, std::string>>& bounds) {
  if (bounds.empty()) return out.Null();
  out.Present();
  out.Long(static_cast<int64_t>(bounds.size()));
  for (const auto& [id, bound] : bounds) {
    out.Long(id);
    out.Bytes(bound);
  }
  out.Long(0);
}

void EncodeFile(AvroEncoder& out, const ManifestDataFile& file) {
  out.Long(file.content);
  out.Bytes(file.path);
  out.Bytes(file.format);
  EncodeOptional(out, file.partition);
  out.Long(file.record_count);
  out.Long(file.file_size_in_bytes);
  EncodeCounts(out, file.column_sizes);
  EncodeCounts(out, file.value_counts);
  EncodeCounts(out, file.null_value_counts);
  EncodeCounts(out, file.nan_value_counts);
  EncodeBounds(out, file.lower_bounds);
  EncodeBounds(out, file.upper_bounds);
  if (file.key_metadata) {
    out.Present();
    out.Bytes(*file.key_metadata);
  } else {
    out.Null();
  }
  if (file.split_offsets.empty()) {
    out.Null();
  } else {
    out.Present();
    out.Long(static_cast<int64_t>(file.split_offsets.size()));
    for (const int64_t offset : file.split_offsets) out.Long(offset);
    out.Long(0);
  }
  out.Null();  // equality_ids: only delete files have them
  EncodeOptional(out, file.sort_order_id);
}

std::string IntBound(int32_t value) {
  std::string bytes(4, '\0');
  for (int i = 0; i < 4; ++i)
    bytes[static_cast<size_t>(i)] = static_cast<char>(static_cast<uint32_t>(value) >> (8 * i));
  return bytes;
}

}  // namespace

ManifestWriter::ManifestWriter(const IcebergSchema& schema, const PartitionSpec& spec, int64_t snapshot_id,
                               const Uuid& sync)
    : writer_(EntrySchema(spec), Header(schema, spec), sync) {
  row_.spec_id = spec.spec_id;
  row_.added_snapshot_id = snapshot_id;
}

Status ManifestWriter::Add(const ManifestEntry& entry) {
  AvroEncoder& out = writer_.encoder();
  out.Long(static_cast<int64_t>(entry.status));
  EncodeOptional(out, entry.snapshot_id);
  EncodeOptional(out, entry.sequence_number);
  EncodeOptional(out, entry.file_sequence_number);
  EncodeFile(out, entry.file);
  switch (entry.status) {
    case EntryStatus::kAdded:
      ++row_.added_files;
      row_.added_rows += entry.file.record_count;
      break;
    case EntryStatus::kExisting:
      ++row_.existing_files;
      row_.existing_rows += entry.file.record_count;
      break;
    case EntryStatus::kDeleted:
      ++row_.deleted_files;
      row_.deleted_rows += entry.file.record_count;
      break;
  }
  if (entry.status != EntryStatus::kDeleted) {
    if (entry.sequence_number) {
      min_sequence_number_ = std::min(min_sequence_number_.value_or(*entry.sequence_number), *entry.sequence_number);
    } else {
      inherits_ = true;
    }
  }
  if (entry.file.partition) {
    min_partition_ = std::min(min_partition_.value_or(*entry.file.partition), *entry.file.partition);
    max_partition_ = std::max(max_partition_.value_or(*entry.file.partition), *entry.file.partition);
  } else {
    null_partition_ = true;
  }
  return writer_.EndRecord();
}

Result<ManifestWriter::Finished> ManifestWriter::Finish(int64_t sequence_number) {
  Finished finished;
  ARC_ASSIGN_OR_RETURN(finished.bytes, writer_.Finish());
  finished.row = row_;
  finished.row.length = static_cast<int64_t>(finished.bytes.size());
  finished.row.sequence_number = sequence_number;
  finished.row.min_sequence_number = min_sequence_number_.value_or(sequence_number);
  if (inherits_) finished.row.min_sequence_number = std::min(finished.row.min_sequence_number, sequence_number);
  PartitionSummary summary;
  summary.contains_null = null_partition_;
  summary.contains_nan = false;
  if (min_partition_) summary.lower_bound = IntBound(*min_partition_);
  if (max_partition_) summary.upper_bound = IntBound(*max_partition_);
  finished.row.partitions = std::vector<PartitionSummary>{std::move(summary)};
  return finished;
}

}  // namespace arc
