#include <array>

#include "arc/iceberg/manifest.h"

namespace arc {
namespace {

// Iceberg field ids of the members that are decoded; everything else is skipped by the writer's schema.
enum EntryField : int32_t {
  kStatus = 0,
  kSnapshotId = 1,
  kDataFile = 2,
  kSequenceNumber = 3,
  kFileSequenceNumber = 4,
};
enum FileField : int32_t {
  kFilePath = 100,
  kFileFormat = 101,
  kPartition = 102,
  kRecordCount = 103,
  kFileSize = 104,
  kColumnSizes = 108,
  kValueCounts = 109,
  kNullValueCounts = 110,
  kLowerBounds = 125,
  kUpperBounds = 128,
  kKeyMetadata = 131,
  kSplitOffsets = 132,
  kContent = 134,
  kEqualityIds = 135,
  kNanValueCounts = 137,
  kSortOrderId = 140,
};

struct NamedId {
  std::string_view name;
  int32_t id;
};

constexpr NamedId kEntryNames[] = {
    {"status", kStatus},
    {"snapshot_id", kSnapshotId},
    {"data_file", kDataFile},
    {"sequence_number", kSequenceNumber},
    {"file_sequence_number", kFileSequenceNumber},
};
constexpr NamedId kFileNames[] = {
    {"file_path", kFilePath},
    {"file_format", kFileFormat},
    {"partition", kPartition},
    {"record_count", kRecordCount},
    {"file_size_in_bytes", kFileSize},
    {"column_sizes", kColumnSizes},
    {"value_counts", kValueCounts},
    {"null_value_counts", kNullValueCounts},
    {"lower_bounds", kLowerBounds},
    {"upper_bounds", kUpperBounds},
    {"key_metadata", kKeyMetadata},
    {"split_offsets", kSplitOffsets},
    {"content", kContent},
    {"equality_ids", kEqualityIds},
    {"nan_value_counts", kNanValueCounts},
    {"sort_order_id", kSortOrderId},
};

// Writers without field ids (some Avro libraries drop them) are read by name.
template <size_t N>
int32_t IdOf(const AvroField& field, const NamedId (&names)[N]) {
  if (field.field_id >= 0) return field.field_id;
  for (const auto& known : names) {
    if (known.name == field.name) return known.id;
  }
  return -1;
}

template <size_t N>
std::vector<int32_t> Ids(const AvroType& record, const NamedId (&names)[N]) {
  std::vector<int32_t> ids;
  for (const auto& field : record.fields) ids.push_back(IdOf(field, names));
  return ids;
}

// The array-of-pairs form of a map with int keys: {key, value} in this order is what everybody writes.
bool IsPair(const AvroType& item) {
  return item.kind == AvroKind::kRecord && item.fields.size() == 2 && item.fields[0].name == "key";
}

class EntryDecoder {
 public:
  EntryDecoder(const ManifestFile& manifest, const ManifestProjection& projection)
      : manifest_(manifest), projection_(projection) {}

  Status Bind(const AvroType& root) {
    if (root.kind != AvroKind::kRecord) return Corruption("manifest: entries are not records");
    entry_ = &root;
    entry_ids_ = Ids(root, kEntryNames);
    bool has_status = false;
    for (size_t i = 0; i < root.fields.size(); ++i) {
      has_status = has_status || entry_ids_[i] == kStatus;
      if (entry_ids_[i] != kDataFile) continue;
      if (root.fields[i].type->kind != AvroKind::kRecord) return Corruption("manifest: data_file is not a record");
      file_ = root.fields[i].type;
    }
    if (file_ == nullptr || !has_status) return Corruption("manifest: entries lack status or data_file");
    file_ids_ = Ids(*file_, kFileNames);
    return {};
  }

  // False when the bytes are not an entry.
  bool Decode(AvroCursor& in, ManifestEntry& entry) {
    int64_t status = -1;
    entry.snapshot_id.reset();
    entry.sequence_number.reset();
    entry.file_sequence_number.reset();
    for (size_t i = 0; i < entry_->fields.size(); ++i) {
      const AvroType& type = *entry_->fields[i].type;
      switch (entry_ids_[i]) {
        case kStatus: status = in.Integer(type).value_or(-1); break;
        case kSnapshotId: entry.snapshot_id = in.Integer(type); break;
        case kSequenceNumber: entry.sequence_number = in.Integer(type); break;
        case kFileSequenceNumber: entry.file_sequence_number = in.Integer(type); break;
        case kDataFile: DecodeFile(in, entry.file); break;
        default: in.Skip(type);
      }
    }
    if (in.failed() || status < 0 || status > 2 || entry.file.path.empty()) return false;
    entry.status = static_cast<EntryStatus>(status);
    // Inheritance (spec, "Sequence Number Inheritance"): what the writer could not know yet is the manifest's.
    if (!entry.snapshot_id) entry.snapshot_id = manifest_.added_snapshot_id;
    if (!entry.sequence_number) entry.sequence_number = manifest_.sequence_number;
    if (!entry.file_sequence_number) entry.file_sequence_number = manifest_.sequence_number;
    return true;
  }

 private:
  void DecodeFile(AvroCursor& in, ManifestDataFile& file) {
    Clear(file);
    for (size_t i = 0; i < file_->fields.size() && !in.failed(); ++i) {
      const AvroType& type = *file_->fields[i].type;
      switch (file_ids_[i]) {
        case kContent: file.content = static_cast<int32_t>(in.Integer(type).value_or(0)); break;
        case kFilePath: file.path = in.Text(type).value_or(std::string_view()); break;
        case kFileFormat: file.format = in.Text(type).value_or(std::string_view()); break;
        case kPartition: file.partition = DecodePartition(in, type); break;
        case kRecordCount: file.record_count = in.Integer(type).value_or(0); break;
        case kFileSize: file.file_size_in_bytes = in.Integer(type).value_or(0); break;
        case kColumnSizes: Counts(in, type, file.column_sizes); break;
        case kValueCounts: Counts(in, type, file.value_counts); break;
        case kNullValueCounts: Counts(in, type, file.null_value_counts); break;
        case kNanValueCounts: Counts(in, type, file.nan_value_counts); break;
        case kLowerBounds: Bounds(in, type, file.lower_bounds); break;
        case kUpperBounds: Bounds(in, type, file.upper_bounds); break;
        case kKeyMetadata:
          if (const auto text = in.Text(type)) file.key_metadata = std::string(*text);
          break;
        case kSplitOffsets:
          in.ForEach(type, [&](const AvroType& item) { file.split_offsets.push_back(in.Integer(item).value_or(0)); });
          break;
        case kEqualityIds:
          in.ForEach(type, [&](const AvroType& item) {
            file.equality_ids.push_back(static_cast<int32_t>(in.Integer(item).value_or(0)));
          });
          break;
        case kSortOrderId:
          if (const auto id = in.Integer(type)) file.sort_order_id = static_cast<int32_t>(*id);
          break;
        default: in.Skip(type);
      }
    }
    // Also keeps sums over a table far from overflow.
    constexpr int64_t kMost = int64_t{1} << 48;
    if (file.record_count < 0 || file.record_count > kMost || file.file_size_in_bytes < 0) in.Fail();
  }

  static void Clear(ManifestDataFile& file) {
    file.content = 0;
    file.path.clear();
    file.column_sizes.clear();
    file.value_counts.clear();
    file.null_value_counts.clear();
    file.nan_value_counts.clear();
    file.lower_bounds.clear();
    file.upper_bounds.clear();
    file.key_metadata.reset();
    file.split_offsets.clear();
    file.equality_ids.clear();
    file.sort_order_id.reset();
    file.partition.reset();
  }

  static bool IsInt(const AvroType& type) {
    if (type.kind == AvroKind::kInt) return true;
    if (type.kind != AvroKind::kUnion) return false;
    for (const AvroType* branch : type.branches) {
      if (branch->kind != AvroKind::kInt && branch->kind != AvroKind::kNull) return false;
    }
    return true;
  }

  static std::optional<int32_t> DecodePartition(AvroCursor& in, const AvroType& type) {
    if (type.kind != AvroKind::kRecord || type.fields.size() != 1 || !IsInt(*type.fields[0].type)) {
      in.Skip(type);
      return std::nullopt;
    }
    const auto value = in.Integer(*type.fields[0].type);
    if (value && (*value < INT32_MIN || *value > INT32_MAX)) in.Fail();
    return value ? std::optional<int32_t>(static_cast<int32_t>(*value)) : std::nullopt;
  }

  void Counts(AvroCursor& in, const AvroType& type, std::vector<std::pair<int32_t, int64_t>>& out) const {
    if (!projection_.all_metrics) return in.Skip(type);
    in.ForEach(type, [&](const AvroType& item) {
      if (!IsPair(item)) return in.Fail();
      const auto key = in.Integer(*item.fields[0].type);
      const auto value = in.Integer(*item.fields[1].type);
      if (key && value) out.emplace_back(static_cast<int32_t>(*key), *value);
    });
  }

  void Bounds(AvroCursor& in, const AvroType& type, std::vector<std::pair<int32_t, std::string>>& out) const {
    if (!projection_.all_metrics && projection_.bounds_field_id < 0) return in.Skip(type);
    in.ForEach(type, [&](const AvroType& item) {
      if (!IsPair(item)) return in.Fail();
      const auto key = in.Integer(*item.fields[0].type);
      const auto value = in.Text(*item.fields[1].type);
      if (!key || !value) return;
      if (projection_.all_metrics || *key == projection_.bounds_field_id) {
        out.emplace_back(static_cast<int32_t>(*key), *value);
      }
    });
  }

  const ManifestFile& manifest_;
  const ManifestProjection& projection_;
  const AvroType* entry_ = nullptr;
  const AvroType* file_ = nullptr;
  std::vector<int32_t> entry_ids_;
  std::vector<int32_t> file_ids_;
};

}  // namespace

Status ReadManifest(std::string_view bytes, const ManifestFile& manifest, const ManifestProjection& projection,
                    const std::function<Status(const ManifestEntry&)>& each) {
  ARC_ASSIGN_OR_RETURN(AvroFileReader reader, AvroFileReader::Open(bytes));
  EntryDecoder decoder(manifest, projection);
  ARC_RETURN_IF_ERROR(decoder.Bind(reader.schema().root()));
  ManifestEntry entry;
  AvroCursor cursor;
  int64_t records = 0;
  for (;;) {
    ARC_ASSIGN_OR_RETURN(const bool more, reader.NextBlock(&records, &cursor));
    if (!more) return {};
    for (; records > 0; --records) {
      if (!decoder.Decode(cursor, entry)) return Corruption("manifest: damaged entry in " + manifest.path);
      ARC_RETURN_IF_ERROR(each(entry));
    }
  }
}

}  // namespace arc
