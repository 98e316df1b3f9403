#include "arc/transfer/piece_reader.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "arc/transfer/json_cut.h"

namespace arc {
namespace {

class PieceReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "arc-pieces-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& name, const std::string& content) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << content;
    return folder_ + "/" + name;
  }

  static std::vector<Piece> Pieces(const std::string& path, const PieceOptions& options, const PiecePlace& from = {}) {
    auto reader = OpenPieces(path, *FileFormatOf(path), options);
    EXPECT_TRUE(reader.ok()) << reader.error().message;
    std::vector<Piece> pieces;
    if (!reader.ok()) return pieces;
    if (from.offset > 0) {
      auto sought = (*reader)->Seek(from);
      EXPECT_TRUE(sought.ok()) << sought.error().message;
    }
    while (true) {
      Piece piece;
      auto more = (*reader)->Next(&piece);
      EXPECT_TRUE(more.ok()) << more.error().message;
      if (!more.ok() || !*more) break;
      pieces.push_back(piece);
    }
    return pieces;
  }
  static std::vector<std::string> Bodies(const std::string& path, const PieceOptions& options) {
    std::vector<std::string> bodies;
    for (const Piece& piece : Pieces(path, options)) bodies.push_back(piece.body);
    return bodies;
  }

  // From the end of every piece the rest is the same.
  static void ExpectToGoOnAnywhere(const std::string& path, const PieceOptions& options) {
    const std::vector<Piece> all = Pieces(path, options);
    for (size_t i = 0; i < all.size(); ++i) {
      const std::vector<Piece> rest = Pieces(path, options, all[i].next);
      ASSERT_EQ(rest.size(), all.size() - i - 1) << path << " behind piece " << i;
      for (size_t k = 0; k < rest.size(); ++k) {
        EXPECT_EQ(rest[k].body, all[i + 1 + k].body) << path << " behind piece " << i;
        EXPECT_EQ(rest[k].shift, all[i + 1 + k].shift) << path << " behind piece " << i;
      }
    }
  }

  std::string folder_;
};

using Texts = std::vector<std::string>;

TEST_F(PieceReaderTest, LineProtocolIsCutBetweenRecords) {
  const std::string path = File("a.lp", "# c\nm v=1 1\n\nm s=\"x\ny\",t=\"=\\\"\n\" 2\nm v=3 3\nm v=4 4");
  EXPECT_EQ(Bodies(path, {.rows = 2}), (Texts{"# c\nm v=1 1\n\nm s=\"x\ny\",t=\"=\\\"\n\" 2\n", "m v=3 3\nm v=4 4\n"}));
  EXPECT_EQ(Bodies(path, {.bytes = 1}).size(), 6u);
  ExpectToGoOnAnywhere(path, {.rows = 1});
  // Line 7 of the file is line 1 of the third piece.
  EXPECT_EQ(Pieces(path, {.rows = 1})[2].shift, 6);
}

TEST_F(PieceReaderTest, CsvRepeatsItsHeader) {
  const std::string path = File("a.csv", "\xEF\xBB\xBFtime,\"a\nb\"\n1,\"x\ny\"\n2,z\n\n3,w");
  EXPECT_EQ(Bodies(path, {.rows = 2}),
            (Texts{"\xEF\xBB\xBFtime,\"a\nb\"\n1,\"x\ny\"\n2,z\n", "\xEF\xBB\xBFtime,\"a\nb\"\n\n3,w\n"}));
  ExpectToGoOnAnywhere(path, {.rows = 1});
  // Line 5 of the file ("2,z") is line 3 of a body that begins with two lines of header.
  EXPECT_EQ(Pieces(path, {.rows = 1})[1].shift, 2);
  EXPECT_TRUE(Bodies(File("b.csv", "time,v\n"), {}).empty());
  EXPECT_FALSE(OpenPieces(File("c.csv", ""), FileFormat::kCsv, {}).ok());
}

TEST_F(PieceReaderTest, AQuoteNeverClosedIsSentAsItIs) {
  EXPECT_EQ(Bodies(File("a.csv", "t,v\n1,\"x\n2,y\n"), {}), (Texts{"t,v\n1,\"x\n2,y\n"}));
}

TEST_F(PieceReaderTest, JsonArraysAndLines) {
  const std::string array = File("a.json", " [ {\"m\":\"]}\"}, {\"a\":[{}]},\n{\"b\":\"\\\"}\"} ]\n");
  EXPECT_EQ(Bodies(array, {.rows = 2}), (Texts{"[{\"m\":\"]}\"},{\"a\":[{}]}]", "[{\"b\":\"\\\"}\"}]"}));
  ExpectToGoOnAnywhere(array, {.rows = 1});
  const std::string lines = File("a.ndjson", "{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}");
  EXPECT_EQ(Bodies(lines, {.rows = 2}), (Texts{"[{\"a\":1},{\"a\":2}]", "[{\"a\":3}]"}));
  EXPECT_EQ(Pieces(lines, {.rows = 2})[1].shift, 2);
  Piece piece;
  EXPECT_FALSE((*OpenPieces(File("b.json", "[1,2]"), FileFormat::kJson, {}))->Next(&piece).ok());
  EXPECT_FALSE((*OpenPieces(File("c.json", "{\"a\":"), FileFormat::kJson, {}))->Next(&piece).ok());
}

TEST_F(PieceReaderTest, CompressedTexts) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "m v=" + std::to_string(i) + " " + std::to_string(i) + "\n";
  for (const auto& [suffix, kind] : {std::pair{".gz", arrow::Compression::GZIP}, {".zst", arrow::Compression::ZSTD}}) {
    auto codec = *arrow::util::Codec::Create(kind);
    std::string packed(static_cast<size_t>(codec->MaxCompressedLen(static_cast<int64_t>(text.size()), nullptr)), '\0');
    packed.resize(static_cast<size_t>(
        *codec->Compress(static_cast<int64_t>(text.size()), reinterpret_cast<const uint8_t*>(text.data()),
                         static_cast<int64_t>(packed.size()), reinterpret_cast<uint8_t*>(packed.data()))));
    const std::string path = File(std::string("a.lp") + suffix, packed);
    std::string whole;
    for (const std::string& body : Bodies(path, {.rows = 1700})) whole += body;
    EXPECT_EQ(whole, text) << suffix;
    ExpectToGoOnAnywhere(path, {.rows = 1700});
    Piece piece;
    auto cut = OpenPieces(File(std::string("b.lp") + suffix, packed.substr(0, packed.size() / 2)),
                          FileFormat::kLineProtocol, {});
    ASSERT_TRUE(cut.ok());
    Result<bool> more = true;
    while (more.ok() && *more) more = (*cut)->Next(&piece);
    EXPECT_FALSE(more.ok()) << suffix << " cut short";
  }
}

TEST_F(PieceReaderTest, ArrowFilesAndStreams) {
  arrow::Int64Builder time;
  for (int64_t i = 0; i < 1000; ++i) ASSERT_TRUE(time.Append(i).ok());
  const auto schema = arrow::schema({arrow::field("time", arrow::int64())});
  const auto rows = arrow::RecordBatch::Make(schema, 1000, {*time.Finish()});
  for (const bool as_file : {false, true}) {
    const std::string path = folder_ + (as_file ? "/a.arrow" : "/a.arrows");
    auto out = *arrow::io::FileOutputStream::Open(path);
    auto writer = as_file ? *arrow::ipc::MakeFileWriter(out, schema) : *arrow::ipc::MakeStreamWriter(out, schema);
    for (int64_t at = 0; at < 1000; at += 300) ASSERT_TRUE(writer->WriteRecordBatch(*rows->Slice(at, 300)).ok());
    ASSERT_TRUE(writer->Close().ok() && out->Close().ok());
    int64_t expected = 0;
    for (const Piece& piece : Pieces(path, {.rows = 200})) {
      EXPECT_EQ(piece.shift, expected);
      auto reader = *arrow::ipc::RecordBatchStreamReader::Open(
          std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(piece.body)));
      auto table = *reader->ToTable();
      EXPECT_LE(table->num_rows(), 200);
      EXPECT_EQ(piece.rows, table->num_rows());
      EXPECT_EQ(static_cast<const arrow::Int64Array&>(*table->column(0)->chunk(0)).Value(0), expected);
      expected += table->num_rows();
    }
    EXPECT_EQ(expected, 1000);
    ExpectToGoOnAnywhere(path, {.rows = 200});
  }
  EXPECT_FALSE(OpenPieces(File("b.arrow", "nonsense"), FileFormat::kArrow, {}).ok());
  EXPECT_FALSE(OpenPieces(File("b.parquet", "nonsense"), FileFormat::kParquet, {}).ok());
}

TEST(FileFormat, ByTheName) {
  EXPECT_EQ(FileFormatOf("a/b.c/x.LP.GZ"), FileFormat::kLineProtocol);
  EXPECT_EQ(FileFormatOf("x.tsv"), FileFormat::kCsv);
  EXPECT_EQ(FileFormatOf("x.feather"), FileFormat::kArrow);
  EXPECT_EQ(FileFormatOf("x.gz"), std::nullopt);
  EXPECT_EQ(FileFormatOf("csv"), std::nullopt);
}

TEST(JsonObjectLength, MindsQuotes) {
  EXPECT_EQ(JsonObjectLength("{\"a\":\"}\\\"}\"}x"), 12u);
  EXPECT_EQ(JsonObjectLength("{[}"), 0u);
  EXPECT_EQ(JsonObjectLength("{\"a\":\"\\"), 0u);
}

}  // namespace
}  // namespace arc
