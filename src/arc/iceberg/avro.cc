#include "arc/iceberg/avro.h"

namespace arc {
namespace {

constexpr std::string_view kMagic("Obj\x01", 4);
constexpr size_t kSyncBytes = 16;
constexpr size_t kBlockBytes = 64 << 10;
// Writers cut blocks at 16 to 64 KB; pyiceberg writes one record in each.
constexpr size_t kMaxBlockBytes = 64 << 20;

Error Bad(const std::string& problem) { return Corruption("Avro file: " + problem); }

const AvroType& NullType() {
  static const AvroType type;
  return type;
}

}  // namespace

const AvroType& AvroCursor::Resolve(const AvroType& type) {
  if (type.kind != AvroKind::kUnion) return type;
  const int64_t branch = Long();
  if (branch < 0 || branch >= static_cast<int64_t>(type.branches.size())) Fail();
  return failed_ ? NullType() : *type.branches[static_cast<size_t>(branch)];
}

std::optional<int64_t> AvroCursor::Integer(const AvroType& type) {
  const AvroType& value = Resolve(type);
  switch (value.kind) {
    case AvroKind::kNull: return std::nullopt;
    case AvroKind::kInt:
    case AvroKind::kLong: return Long();
    case AvroKind::kBoolean: {
      const std::string_view byte = Take(1);
      return failed_ ? 0 : byte[0] != 0;
    }
    default: Fail(); return std::nullopt;
  }
}

std::optional<std::string_view> AvroCursor::Text(const AvroType& type) {
  const AvroType& value = Resolve(type);
  switch (value.kind) {
    case AvroKind::kNull: return std::nullopt;
    case AvroKind::kBytes:
    case AvroKind::kString: return Bytes();
    case AvroKind::kFixed: return Take(static_cast<size_t>(value.fixed_size));
    default: Fail(); return std::nullopt;
  }
}

int64_t AvroCursor::BlockCount() {
  int64_t count = Long();
  if (count < 0) {
    if (count == INT64_MIN) Fail();
    count = failed_ ? 0 : -count;
    Long();  // the block's bytes, only needed to skip it unread
  }
  // Every item takes a byte at least (AvroSchema refuses others), so a larger count cannot be true.
  if (count > static_cast<int64_t>(remaining())) Fail();
  return failed_ ? 0 : count;
}

void AvroCursor::SkipBlocks(const AvroType& type) {
  for (;;) {
    const int64_t count = Long();
    if (count < 0) {  // the writer gave the block's size
      const int64_t size = Long();
      if (size < 0) Fail();
      if (!failed_) Take(static_cast<size_t>(size));
      if (failed_) return;
      continue;
    }
    if (count > static_cast<int64_t>(remaining())) Fail();
    if (failed_ || count == 0) return;
    for (int64_t i = 0; i < count && !failed_; ++i) {
      if (type.kind == AvroKind::kMap) Bytes();
      Skip(*type.items);
    }
  }
}

void AvroCursor::Skip(const AvroType& type) {
  if (failed_ || type.zero_size) return;
  switch (type.kind) {
    case AvroKind::kNull: return;
    case AvroKind::kBoolean: Take(1); return;
    case AvroKind::kInt:
    case AvroKind::kLong:
    case AvroKind::kEnum: Long(); return;
    case AvroKind::kFloat: Take(4); return;
    case AvroKind::kDouble: Take(8); return;
    case AvroKind::kBytes:
    case AvroKind::kString: Bytes(); return;
    case AvroKind::kFixed: Take(static_cast<size_t>(type.fixed_size)); return;
    case AvroKind::kRecord:
      for (const auto& field : type.fields) Skip(*field.type);
      return;
    case AvroKind::kArray:
    case AvroKind::kMap: SkipBlocks(type); return;
    case AvroKind::kUnion: Skip(Resolve(type)); return;
  }
}

Result<AvroFileReader> AvroFileReader::Open(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return Bad("wrong magic");
  AvroFileReader reader;
  AvroCursor& file = reader.file_;
  file = AvroCursor(bytes.substr(kMagic.size()));
  for (;;) {
    int64_t count = file.Long();
    if (count < 0) {
      if (count == INT64_MIN) return Bad("bad header");
      count = -count;
      file.Long();
    }
    if (file.failed() || count > static_cast<int64_t>(file.remaining())) return Bad("bad header");
    if (count == 0) break;
    for (; count > 0 && !file.failed(); --count) {
      const std::string_view key = file.Bytes();
      const std::string_view value = file.Bytes();
      if (!file.failed()) reader.header_.insert_or_assign(std::string(key), std::string(value));
    }
  }
  reader.sync_ = file.Take(kSyncBytes);
  if (file.failed()) return Bad("header is cut short");
  ARC_ASSIGN_OR_RETURN(const BlockCodec codec, AvroCodecByName(reader.header("avro.codec")));
  reader.compression_ = BlockCompression(codec);
  ARC_ASSIGN_OR_RETURN(reader.schema_, AvroSchema::Remembered(reader.header("avro.schema")));
  return reader;
}

std::string_view AvroFileReader::header(std::string_view key) const {
  const auto found = header_.find(key);
  return found == header_.end() ? std::string_view() : std::string_view(found->second);
}

Result<bool> AvroFileReader::NextBlock(int64_t* records, AvroCursor* cursor) {
  if (file_.at_end()) return false;
  *records = file_.Long();
  const std::string_view packed = file_.Bytes();
  const std::string_view sync = file_.Take(kSyncBytes);
  if (file_.failed() || sync != sync_) return Bad("block is cut short or damaged");
  ARC_ASSIGN_OR_RETURN(const std::string_view block, compression_.Decompress(packed, kMaxBlockBytes));
  if (*records < 0 || *records > static_cast<int64_t>(block.size())) return Bad("bad record count");
  *cursor = AvroCursor(block);
  return true;
}

AvroFileWriter::AvroFileWriter(std::string_view schema, const std::vector<std::pair<std::string, std::string>>& header,
                               const Uuid& sync)
    : sync_(sync) {
  file_.append(kMagic);
  AvroEncoder encoder(&file_);
  encoder.Long(static_cast<int64_t>(header.size()) + 2);
  for (const auto& [key, value] : header) {
    encoder.Bytes(key);
    encoder.Bytes(value);
  }
  encoder.Bytes("avro.schema");
  encoder.Bytes(schema);
  encoder.Bytes("avro.codec");
  encoder.Bytes("deflate");
  encoder.Long(0);
  file_.append(reinterpret_cast<const char*>(sync_.bytes.data()), kSyncBytes);
}

Status AvroFileWriter::EndRecord() {
  ++block_records_;
  ++records_;
  return block_.size() >= kBlockBytes ? FlushBlock() : Status();
}

Status AvroFileWriter::FlushBlock() {
  if (block_records_ == 0) return {};
  ARC_ASSIGN_OR_RETURN(const std::string_view packed, compression_.Compress(block_));
  AvroEncoder encoder(&file_);
  encoder.Long(block_records_);
  encoder.Bytes(packed);
  file_.append(reinterpret_cast<const char*>(sync_.bytes.data()), kSyncBytes);
  block_.clear();
  block_records_ = 0;
  return {};
}

Result<std::string> AvroFileWriter::Finish() {
  ARC_RETURN_IF_ERROR(FlushBlock());
  return std::move(file_);
}

}  // namespace arc
