#include "arc/iceberg/avro.h"

#include <gtest/gtest.h>

#include "arc/iceberg/test_tables.h"

namespace arc {
namespace {

constexpr std::string_view kSchema =
    R"({"type":"record","name":"r","fields":[{"name":"n","type":"long","field-id":7},)"
    R"({"name":"s","type":["null","string"]},{"name":"list","type":{"type":"array","items":"int"}},)"
    R"({"name":"m","type":{"type":"map","values":"bytes"}},{"name":"f","type":{"type":"fixed","name":"x","size":3}},)"
    R"({"name":"d","type":"double"},{"name":"e","type":{"type":"enum","name":"y","symbols":["A"]}}]})";

std::string File(int records) {
  AvroFileWriter writer(kSchema, {{"key", "value"}}, Uuid{});
  for (int i = 0; i < records; ++i) {
    AvroEncoder& out = writer.encoder();
    out.Long(i - 3);
    if (i % 2 == 0) {
      out.Null();
    } else {
      out.Present();
      out.Bytes("text " + std::to_string(i));
    }
    for (const int64_t item : {2, i, i + 1, 0}) out.Long(item);
    out.Long(1);
    out.Bytes("k");
    out.Bytes("v");
    out.Long(0);
    for (int b = 0; b < 3 + 8; ++b) out.Boolean(false);
    out.Long(0);
    EXPECT_TRUE(writer.EndRecord().ok());
  }
  auto bytes = writer.Finish();
  EXPECT_TRUE(bytes.ok());
  return *bytes;
}

// Reads and skips alternately; the number of records, or an error.
Result<int> Walk(std::string_view bytes) {
  ARC_ASSIGN_OR_RETURN(AvroFileReader reader, AvroFileReader::Open(bytes));
  const AvroType& root = reader.schema().root();
  int seen = 0;
  int64_t records = 0;
  AvroCursor cursor;
  for (;;) {
    ARC_ASSIGN_OR_RETURN(const bool more, reader.NextBlock(&records, &cursor));
    if (!more) return seen;
    for (; records > 0; --records, ++seen) {
      if (root.kind != AvroKind::kRecord) return Corruption("no record");
      for (const auto& field : root.fields) cursor.Skip(*field.type);
      if (cursor.failed()) return Corruption("damaged");
    }
    if (!cursor.at_end()) return Corruption("bytes left over");
  }
}

Result<AvroSchema> Parse(std::string_view json) { return AvroSchema::Parse(json); }

TEST(Avro, RoundTripsAcrossBlocks) {
  const std::string bytes = File(20'000);
  auto walked = Walk(bytes);
  ASSERT_TRUE(walked.ok()) << walked.error().message;
  EXPECT_EQ(*walked, 20'000);
  auto reader = AvroFileReader::Open(bytes);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->header("key"), "value");
  EXPECT_EQ(reader->header("absent"), "");
  int64_t records = 0;
  AvroCursor cursor;
  ASSERT_TRUE(reader->NextBlock(&records, &cursor).ok());
  EXPECT_LT(records, 20'000);
  const auto& fields = reader->schema().root().fields;
  EXPECT_EQ(fields[0].field_id, 7);
  EXPECT_EQ(fields[1].field_id, -1);
  EXPECT_EQ(cursor.Integer(*fields[0].type), -3);
  EXPECT_EQ(cursor.Text(*fields[1].type), std::nullopt);
  std::vector<int64_t> items;
  cursor.ForEach(*fields[2].type, [&](const AvroType& item) { items.push_back(*cursor.Integer(item)); });
  EXPECT_EQ(items, (std::vector<int64_t>{0, 1}));
}

TEST(Avro, EmptyFileHasNoBlocks) {
  auto walked = Walk(File(0));
  ASSERT_TRUE(walked.ok());
  EXPECT_EQ(*walked, 0);
}

TEST(Avro, NumbersAtTheLimits) {
  for (const int64_t value : {INT64_MIN, INT64_MAX, int64_t{0}, int64_t{-1}, int64_t{63}, int64_t{64}, int64_t{-65}}) {
    std::string bytes;
    AvroEncoder(&bytes).Long(value);
    AvroCursor cursor(bytes);
    EXPECT_EQ(cursor.Long(), value);
    EXPECT_TRUE(cursor.at_end());
  }
  AvroCursor endless("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
  endless.Long();
  EXPECT_TRUE(endless.failed());
}

TEST(Avro, EveryTruncationIsAnError) {
  const std::string bytes = File(5);
  for (size_t size = 0; size < bytes.size(); ++size) {
    auto walked = Walk(std::string_view(bytes).substr(0, size));
    // The header alone is a legal empty file.
    if (walked.ok()) {
      EXPECT_EQ(*walked, 0) << size;
    }
  }
}

TEST(Avro, NoFlippedByteCrashes) {
  const std::string bytes = File(5);
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {1, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      (void)Walk(damaged);
    }
  }
}

TEST(Avro, RefusesSchemasThatDemandEndlessWork) {
  EXPECT_FALSE(Parse(R"({"type":"record","name":"r","fields":[{"name":"next","type":["null","r"]}]})").ok());
  EXPECT_FALSE(Parse(R"({"type":"array","items":"null"})").ok());
  EXPECT_FALSE(Parse(R"({"type":"array","items":{"type":"record","name":"r","fields":[]}})").ok());
  EXPECT_FALSE(Parse(R"({"type":"array","items":{"type":"fixed","name":"f","size":0}})").ok());
  std::string deep = "\"int\"";
  for (int i = 0; i < 40; ++i) deep = R"({"type":"array","items":)" + deep + "}";
  EXPECT_FALSE(Parse(deep).ok());
  // Few bytes of schema, 2^30 nulls in a record: skipped at once.
  std::string doubling = R"({"type":"record","name":"top","fields":[{"name":"f0","type":{"type":"record","name":"r0",)"
                         R"("fields":[{"name":"a","type":"null"}]}})";
  for (int i = 1; i < 30; ++i) {
    const std::string previous = "\"r" + std::to_string(i - 1) + "\"";
    doubling += R"(,{"name":"f)" + std::to_string(i) + R"(","type":{"type":"record","name":"r)" + std::to_string(i) +
                R"(","fields":[{"name":"a","type":)" + previous + R"(},{"name":"b","type":)" + previous + "}]}}";
  }
  auto schema = Parse(doubling + "]}");
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  AvroCursor cursor("");
  cursor.Skip(schema->root());
  EXPECT_FALSE(cursor.failed());
}

TEST(Avro, RefusesBadSchemas) {
  for (const char* bad :
       {"", "7", "\"nosuch\"", "{}", "[]", R"({"type":"record","fields":[]})", R"({"type":"record","name":"r"})",
        R"({"type":"record","name":"r","fields":[{"name":"a"}]})", R"({"type":"array"})", R"([["null","int"]])",
        R"({"type":"fixed","name":"f","size":-1})", R"({"type":"fixed","name":"f"})"}) {
    EXPECT_FALSE(Parse(bad).ok()) << bad;
  }
}

TEST(Avro, CountsBeyondTheBytesFail) {
  auto schema = Parse(R"({"type":"array","items":"long"})");
  ASSERT_TRUE(schema.ok());
  for (const int64_t count : {INT64_MAX, INT64_MIN, int64_t{1'000'000}, int64_t{-1'000'000}}) {
    std::string bytes;
    AvroEncoder(&bytes).Long(count);
    bytes += "\x02\x02";
    AvroCursor reading(bytes);
    int items = 0;
    reading.ForEach(schema->root(), [&](const AvroType& item) {
      reading.Skip(item);
      ++items;
    });
    EXPECT_TRUE(reading.failed());
    EXPECT_LT(items, 3);
    AvroCursor skipping(bytes);
    skipping.Skip(schema->root());
    EXPECT_TRUE(skipping.failed());
  }
}

TEST(Avro, SkipsSizedBlocks) {
  auto schema = Parse(R"({"type":"array","items":"long"})");
  std::string bytes;
  AvroEncoder out(&bytes);
  for (const int64_t number : {-2, 2, 5, 6, 0, 9}) out.Long(number);
  AvroCursor cursor(bytes);
  cursor.Skip(schema->root());
  EXPECT_EQ(cursor.Long(), 9);
  EXPECT_FALSE(cursor.failed());
}

TEST(Avro, CompressionBombIsRefused) {
  BlockCompression deflate(BlockCodec::kDeflate);
  const std::string zeros(100'000'000, '\0');
  auto packed = deflate.Compress(zeros);
  ASSERT_TRUE(packed.ok());
  const std::string bomb(*packed);
  BlockCompression other(BlockCodec::kDeflate);
  auto opened = other.Decompress(bomb, 64 << 20);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, ErrorKind::kCorruption);
  auto again = other.Decompress(bomb, 100'000'000);  // usable after the error
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->size(), zeros.size());
}

TEST(Avro, ReadsEveryCodec) {
  for (const char* name : {"pyiceberg-manifest.avro", "manifest-null.avro", "manifest-snappy.avro",
                           "manifest-zstandard.avro", "pyiceberg-manifest-list.avro"}) {
    const std::string bytes = ReadTestData(name);
    ASSERT_FALSE(bytes.empty()) << name;
    auto walked = Walk(bytes);
    ASSERT_TRUE(walked.ok()) << name << ": " << walked.error().message;
    EXPECT_EQ(*walked, std::string(name).find("list") != std::string::npos ? 1 : 2) << name;
    for (size_t at = 0; at < bytes.size(); at += at < bytes.size() - 500 ? 97 : 3) {  // the data is at the end
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
      (void)Walk(damaged);
    }
  }
  AvroFileWriter writer("\"int\"", {}, Uuid{});
  std::string bytes = *writer.Finish();
  bytes.replace(bytes.find("deflate"), 7, "bzipped");
  auto opened = AvroFileReader::Open(bytes);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace arc
