// Avro object container files: enough for Iceberg manifests and manifest lists, reading whatever schema the writer put
// into the header. Formats: https://avro.apache.org/docs/1.12.0/specification/#object-container-files
// Reading never crashes and never allocates beyond bounds on malicious bytes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/iceberg/avro_schema.h"
#include "arc/iceberg/compression.h"

namespace arc {

// Walks binary-encoded values. The first problem is remembered (failed()) and everything after it reads as empty, so
// that callers check once per record. Not thread-safe.
class AvroCursor {
 public:
  AvroCursor() = default;
  explicit AvroCursor(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool failed() const { return failed_; }
  bool at_end() const { return at_ == end_; }
  const char* position() const { return at_; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  void Fail() {
    failed_ = true;
    at_ = end_;
  }

  int64_t Long() {
    uint64_t zigzag = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      zigzag |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1);
    }
    Fail();
    return 0;
  }
  std::string_view Take(size_t size) {
    if (size > remaining()) {
      Fail();
      return {};
    }
    std::string_view taken(at_, size);
    at_ += size;
    return taken;
  }
  std::string_view Bytes() {
    const int64_t size = Long();
    if (size < 0) Fail();
    return failed_ ? std::string_view() : Take(static_cast<size_t>(size));
  }
  // The type of the value that follows: a union's branch is read and resolved.
  const AvroType& Resolve(const AvroType& type);
  // Any int, long or boolean; nullopt for null. Other kinds fail.
  std::optional<int64_t> Integer(const AvroType& type);
  // Any bytes, string or fixed; nullopt for null. Other kinds fail.
  std::optional<std::string_view> Text(const AvroType& type);
  void Skip(const AvroType& type);

  // Calls `each(item_type)`, which must read or skip exactly one value; false for null. Not an array: fails.
  template <typename Each>
  bool ForEach(const AvroType& type, Each&& each) {
    const AvroType& array = Resolve(type);
    if (array.kind == AvroKind::kNull) return false;
    if (array.kind != AvroKind::kArray) Fail();
    while (int64_t count = BlockCount()) {
      for (; count > 0 && !failed_; --count) each(*array.items);
    }
    return !failed_;
  }

 private:
  int64_t BlockCount();
  void SkipBlocks(const AvroType& type);

  const char* at_ = nullptr;
  const char* end_ = nullptr;
  bool failed_ = false;
};

// Reads a container file held in memory, which must outlive the reader.
class AvroFileReader {
 public:
  // kCorruption, or kUnsupported for an unknown codec.
  static Result<AvroFileReader> Open(std::string_view bytes);

  const AvroSchema& schema() const { return *schema_; }
  // A header entry; empty if there is none.
  std::string_view header(std::string_view key) const;
  const std::map<std::string, std::string, std::less<>>& headers() const { return header_; }
  // Moves to the next block: its records stand one after the other under `*cursor`, valid until the next call. False
  // at the end of the file.
  Result<bool> NextBlock(int64_t* records, AvroCursor* cursor);

 private:
  AvroFileReader() : compression_(BlockCodec::kNull) {}

  std::shared_ptr<const AvroSchema> schema_;
  std::map<std::string, std::string, std::less<>> header_;
  BlockCompression compression_;
  std::string_view sync_;
  AvroCursor file_;
};

// Appends binary-encoded values to a string.
class AvroEncoder {
 public:
  explicit AvroEncoder(std::string* out) : out_(out) {}
  void Long(int64_t value) {
    auto zigzag = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
    for (; zigzag >= 0x80; zigzag >>= 7) out_->push_back(static_cast<char>(zigzag | 0x80));
    out_->push_back(static_cast<char>(zigzag));
  }
  void Bytes(std::string_view bytes) {
    Long(static_cast<int64_t>(bytes.size()));
    out_->append(bytes);
  }
  void Boolean(bool value) { out_->push_back(value ? 1 : 0); }
  // Of a union [null, T].
  void Null() { Long(0); }
  void Present() { Long(1); }
  // Encoded already.
  void Raw(std::string_view bytes) { out_->append(bytes); }

 private:
  std::string* out_;
};

// Builds a container file in memory, deflate-compressed blocks of about 64 KB. Not thread-safe.
class AvroFileWriter {
 public:
  // `schema` goes into the header verbatim; `sync` should be random.
  AvroFileWriter(std::string_view schema, const std::vector<std::pair<std::string, std::string>>& header,
                 const Uuid& sync);
  AvroFileWriter(const AvroFileWriter&) = delete;  // the encoder points into it
  AvroFileWriter& operator=(const AvroFileWriter&) = delete;
  // Where the next record is encoded; EndRecord() must follow each.
  AvroEncoder& encoder() { return encoder_; }
  Status EndRecord();
  // Size of the file so far, the open block counted uncompressed.
  size_t bytes() const { return file_.size() + block_.size(); }
  int64_t records() const { return records_; }
  Result<std::string> Finish();

 private:
  Status FlushBlock();

  std::string file_;
  std::string block_;
  AvroEncoder encoder_{&block_};
  int64_t block_records_ = 0;
  int64_t records_ = 0;
  Uuid sync_;
  BlockCompression compression_{BlockCodec::kDeflate};
};

}  // namespace arc
