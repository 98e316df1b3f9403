#include "arc/iceberg/relocate.h"

#include <utility>
#include <vector>

#include "arc/iceberg/avro.h"
#include "arc/iceberg/json_value.h"

namespace arc {
namespace {

// Of https://iceberg.apache.org/spec/#manifest-lists
constexpr int32_t kManifestPathId = 500;
constexpr int32_t kManifestLengthId = 501;
constexpr int32_t kContentId = 517;

void RelocateTexts(const Relocation& relocation, Json* value) {
  if (value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    if ((text + "/").starts_with(relocation.from)) *value = relocation.Apply(text);
  } else if (value->is_structured()) {
    for (auto& member : *value) RelocateTexts(relocation, &member);
  }
}

// Copies encoded values, with the addresses in strings changed.
class Transcoder {
 public:
  Transcoder(const Relocation& relocation, const ManifestSizes& sizes, AvroCursor* in, AvroEncoder* out)
      : relocation_(relocation), sizes_(sizes), in_(*in), out_(*out) {}

  bool has_deletes() const { return has_deletes_; }

  void Copy(const AvroType& type) {
    switch (type.kind) {
      case AvroKind::kString: return CopyText();
      case AvroKind::kRecord:
        for (const auto& field : type.fields) CopyField(field);
        return;
      case AvroKind::kUnion: {
        const int64_t branch = in_.Long();
        if (branch < 0 || branch >= static_cast<int64_t>(type.branches.size())) in_.Fail();
        if (in_.failed()) return;
        out_.Long(branch);
        return Copy(*type.branches[static_cast<size_t>(branch)]);
      }
      case AvroKind::kArray:
      case AvroKind::kMap: return CopyItems(type);
      default: {
        const char* const begin = in_.position();
        in_.Skip(type);
        if (!in_.failed()) out_.Raw({begin, static_cast<size_t>(in_.position() - begin)});
      }
    }
  }

 private:
  void CopyText() {
    const std::string_view text = in_.Bytes();
    last_text_ = text;
    out_.Bytes(text.starts_with(relocation_.from) ? relocation_.Apply(text) : std::string(text));
  }

  void CopyField(const AvroField& field) {
    if (field.field_id == kManifestLengthId && field.type->kind == AvroKind::kLong) {
      const int64_t length = in_.Long();
      const auto found = sizes_.find(path_);
      out_.Long(found == sizes_.end() ? length : found->second);
      return;
    }
    if (field.field_id == kContentId && field.type->kind == AvroKind::kInt) {
      const int64_t content = in_.Long();
      has_deletes_ = has_deletes_ || content != 0;
      out_.Long(content);
      return;
    }
    Copy(*field.type);
    if (field.field_id == kManifestPathId) path_ = last_text_;
  }

  void CopyItems(const AvroType& type) {
    for (;;) {
      int64_t count = in_.Long();
      if (count < 0) {  // the writer gave the block's size, which changes
        in_.Long();
        count = count == INT64_MIN ? 0 : -count;
      }
      if (count > static_cast<int64_t>(in_.remaining())) in_.Fail();
      if (in_.failed()) return;
      out_.Long(count);
      if (count == 0) return;
      for (; count > 0 && !in_.failed(); --count) {
        if (type.kind == AvroKind::kMap) out_.Bytes(in_.Bytes());
        Copy(*type.items);
      }
    }
  }

  const Relocation& relocation_;
  const ManifestSizes& sizes_;
  AvroCursor& in_;
  AvroEncoder& out_;
  std::string last_text_;
  std::string path_;
  bool has_deletes_ = false;
};

}  // namespace

std::string Relocation::Apply(std::string_view uri) const {
  // The root itself is named without the slash.
  if (uri.size() + 1 == from.size()) return to.substr(0, to.size() - 1);
  return to + std::string(uri.substr(from.size()));
}

Result<std::string> RelocateMetadata(std::string_view json, const Relocation& relocation) {
  ARC_ASSIGN_OR_RETURN(Json document, ParseJson(json, "table metadata"));
  RelocateTexts(relocation, &document);
  return PrintJson(document);
}

Result<AvroRole> RoleOfAvro(std::string_view avro) {
  ARC_ASSIGN_OR_RETURN(const auto reader, AvroFileReader::Open(avro));
  for (const auto& field : reader.schema().root().fields) {
    if (field.field_id == kManifestPathId) return AvroRole::kManifestList;
  }
  return reader.header("partition-spec").empty() ? AvroRole::kOther : AvroRole::kManifest;
}

Result<std::string> RelocateAvro(std::string_view avro, const Relocation& relocation, const ManifestSizes& sizes) {
  ARC_ASSIGN_OR_RETURN(auto reader, AvroFileReader::Open(avro));
  std::vector<std::pair<std::string, std::string>> header;
  for (const auto& [key, value] : reader.headers()) {
    if (key != "avro.schema" && key != "avro.codec") header.emplace_back(key, value);
  }
  Uuid sync;  // the file's own last bytes: as random as they were
  avro.copy(reinterpret_cast<char*>(sync.bytes.data()), sync.bytes.size(), avro.size() - sync.bytes.size());
  AvroFileWriter writer(reader.header("avro.schema"), header, sync);
  int64_t records = 0;
  AvroCursor cursor;
  for (;;) {
    ARC_ASSIGN_OR_RETURN(const bool more, reader.NextBlock(&records, &cursor));
    if (!more) return writer.Finish();
    for (; records > 0 && !cursor.failed(); --records) {
      Transcoder transcoder(relocation, sizes, &cursor, &writer.encoder());
      transcoder.Copy(reader.schema().root());
      if (transcoder.has_deletes()) {
        return MakeError(ErrorKind::kUnsupported,
                         "the table has row-level deletes, whose files name data files by "
                         "their old address");
      }
      ARC_RETURN_IF_ERROR(writer.EndRecord());
    }
    if (cursor.failed()) return Corruption("Avro file: a record is damaged");
  }
}

}  // namespace arc
