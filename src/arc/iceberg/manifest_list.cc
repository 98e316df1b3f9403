#include "arc/iceberg/manifest.h"
#include "arc/iceberg/manifest_schema.h"

namespace arc {
namespace {

enum ListField : int32_t {
  kPath = 500,
  kLength = 501,
  kSpecId = 502,
  kAddedSnapshotId = 503,
  kAddedFiles = 504,
  kExistingFiles = 505,
  kDeletedFiles = 506,
  kPartitions = 507,
  kContainsNull = 509,
  kLowerBound = 510,
  kUpperBound = 511,
  kAddedRows = 512,
  kExistingRows = 513,
  kDeletedRows = 514,
  kSequenceNumber = 515,
  kMinSequenceNumber = 516,
  kContent = 517,
  kContainsNan = 518,
  kKeyMetadata = 519,
};

struct NamedId {
  std::string_view name;
  int32_t id;
};

constexpr NamedId kNames[] = {
    {"manifest_path", kPath},
    {"manifest_length", kLength},
    {"partition_spec_id", kSpecId},
    {"added_snapshot_id", kAddedSnapshotId},
    {"added_files_count", kAddedFiles},
    {"added_data_files_count", kAddedFiles},
    {"existing_files_count", kExistingFiles},
    {"existing_data_files_count", kExistingFiles},
    {"deleted_files_count", kDeletedFiles},
    {"deleted_data_files_count", kDeletedFiles},
    {"partitions", kPartitions},
    {"contains_null", kContainsNull},
    {"contains_nan", kContainsNan},
    {"lower_bound", kLowerBound},
    {"upper_bound", kUpperBound},
    {"added_rows_count", kAddedRows},
    {"existing_rows_count", kExistingRows},
    {"deleted_rows_count", kDeletedRows},
    {"sequence_number", kSequenceNumber},
    {"min_sequence_number", kMinSequenceNumber},
    {"content", kContent},
    {"key_metadata", kKeyMetadata},
};

int32_t IdOf(const AvroField& field) {
  if (field.field_id >= 0) return field.field_id;
  for (const auto& known : kNames) {
    if (known.name == field.name) return known.id;
  }
  return -1;
}

std::optional<std::string> OptionalText(AvroCursor& in, const AvroType& type) {
  const auto text = in.Text(type);
  return text ? std::optional<std::string>(std::string(*text)) : std::nullopt;
}

void DecodeSummaries(AvroCursor& in, const AvroType& type, ManifestFile& row) {
  std::vector<PartitionSummary> summaries;
  const bool present = in.ForEach(type, [&](const AvroType& item) {
    if (item.kind != AvroKind::kRecord) return in.Fail();
    PartitionSummary& summary = summaries.emplace_back();
    for (const auto& field : item.fields) {
      switch (IdOf(field)) {
        case kContainsNull: summary.contains_null = in.Integer(*field.type).value_or(0) != 0; break;
        case kContainsNan:
          if (const auto nan = in.Integer(*field.type)) summary.contains_nan = *nan != 0;
          break;
        case kLowerBound: summary.lower_bound = OptionalText(in, *field.type); break;
        case kUpperBound: summary.upper_bound = OptionalText(in, *field.type); break;
        default: in.Skip(*field.type);
      }
    }
  });
  if (present) row.partitions = std::move(summaries);
}

bool DecodeRow(AvroCursor& in, const AvroType& record, const std::vector<int32_t>& ids, ManifestFile& row) {
  int64_t spec_id = 0;
  int64_t content = 0;
  int counts = 0;
  const auto count = [&](const AvroType& type, int64_t& target) {
    const auto value = in.Integer(type);
    counts += value.has_value() ? 1 : 0;
    target = value.value_or(0);
    if (target < 0 || target > INT32_MAX) in.Fail();
  };
  for (size_t i = 0; i < record.fields.size() && !in.failed(); ++i) {
    const AvroType& type = *record.fields[i].type;
    switch (ids[i]) {
      case kPath: row.path = in.Text(type).value_or(std::string_view()); break;
      case kLength: row.length = in.Integer(type).value_or(0); break;
      case kSpecId: spec_id = in.Integer(type).value_or(0); break;
      case kContent: content = in.Integer(type).value_or(0); break;
      case kSequenceNumber: row.sequence_number = in.Integer(type).value_or(0); break;
      case kMinSequenceNumber: row.min_sequence_number = in.Integer(type).value_or(0); break;
      case kAddedSnapshotId: row.added_snapshot_id = in.Integer(type).value_or(0); break;
      case kAddedFiles: count(type, row.added_files); break;
      case kExistingFiles: count(type, row.existing_files); break;
      case kDeletedFiles: count(type, row.deleted_files); break;
      case kAddedRows: row.added_rows = in.Integer(type).value_or(0); break;
      case kExistingRows: row.existing_rows = in.Integer(type).value_or(0); break;
      case kDeletedRows: row.deleted_rows = in.Integer(type).value_or(0); break;
      case kPartitions: DecodeSummaries(in, type, row); break;
      case kKeyMetadata: row.key_metadata = OptionalText(in, type); break;
      default: in.Skip(type);
    }
  }
  if (in.failed() || row.path.empty() || spec_id < 0 || spec_id > INT32_MAX || content < 0 || content > 1) return false;
  row.spec_id = static_cast<int32_t>(spec_id);
  row.content = static_cast<ManifestContent>(content);
  row.counts_known = counts == 3;
  return true;
}

void EncodeOptional(AvroEncoder& out, const std::optional<std::string>& text) {
  if (!text) return out.Null();
  out.Present();
  out.Bytes(*text);
}

void EncodeRow(AvroEncoder& out, const ManifestFile& row) {
  out.Bytes(row.path);
  out.Long(row.length);
  out.Long(row.spec_id);
  out.Long(static_cast<int64_t>(row.content));
  out.Long(row.sequence_number);
  out.Long(row.min_sequence_number);
  out.Long(row.added_snapshot_id);
  out.Long(row.added_files);
  out.Long(row.existing_files);
  out.Long(row.deleted_files);
  out.Long(row.added_rows);
  out.Long(row.existing_rows);
  out.Long(row.deleted_rows);
  if (!row.partitions) {
    out.Null();
  } else {
    out.Present();
    if (!row.partitions->empty()) out.Long(static_cast<int64_t>(row.partitions->size()));
    for (const auto& summary : *row.partitions) {
      out.Boolean(summary.contains_null);
      if (summary.contains_nan) {
        out.Present();
        out.Boolean(*summary.contains_nan);
      } else {
        out.Null();
      }
      EncodeOptional(out, summary.lower_bound);
      EncodeOptional(out, summary.upper_bound);
    }
    out.Long(0);
  }
  EncodeOptional(out, row.key_metadata);
}

}  // namespace

Result<std::vector<ManifestFile>> ReadManifestList(std::string_view bytes) {
  ARC_ASSIGN_OR_RETURN(AvroFileReader reader, AvroFileReader::Open(bytes));
  const AvroType& record = reader.schema().root();
  if (record.kind != AvroKind::kRecord) return Corruption("manifest list: rows are not records");
  std::vector<int32_t> ids;
  for (const auto& field : record.fields) ids.push_back(IdOf(field));
  std::vector<ManifestFile> rows;
  AvroCursor cursor;
  int64_t records = 0;
  for (;;) {
    ARC_ASSIGN_OR_RETURN(const bool more, reader.NextBlock(&records, &cursor));
    if (!more) return rows;
    for (; records > 0; --records) {
      if (!DecodeRow(cursor, record, ids, rows.emplace_back())) return Corruption("manifest list: damaged row");
    }
  }
}

Result<std::string> WriteManifestList(const std::vector<ManifestFile>& rows, int64_t snapshot_id,
                                      std::optional<int64_t> parent_snapshot_id, int64_t sequence_number,
                                      const Uuid& sync) {
  AvroFileWriter writer(ManifestListAvroSchema(),
                        {{"snapshot-id", std::to_string(snapshot_id)},
                         {"parent-snapshot-id", parent_snapshot_id ? std::to_string(*parent_snapshot_id) : "null"},
                         {"sequence-number", std::to_string(sequence_number)},
                         {"format-version", "2"}},
                        sync);
  for (const auto& row : rows) {
    EncodeRow(writer.encoder(), row);
    ARC_RETURN_IF_ERROR(writer.EndRecord());
  }
  return writer.Finish();
}

}  // namespace arc
