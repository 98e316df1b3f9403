#include "sql_fixture.h"

#include <gtest/gtest.h>

#include <fstream>

#include "arc/decode/line_protocol.h"
#include "arc/io/local_disk.h"
#include "arc/parquet/data_file.h"

namespace arc {

std::string LayoutName(Layout layout) {
  switch (layout) {
    case Layout::kHot: return "hot";
    case Layout::kFiles: return "files";
    case Layout::kMixed: return "mixed";
    case Layout::kManyFiles: return "many_files";
  }
  return "";
}

SqlFixture::SqlFixture(Layout layout) : layout_(layout) {
  folder_ = std::filesystem::path(::testing::TempDir()) / ("arc_sql_" + Uuid::Random(SystemRandom()).ToString());
  std::filesystem::create_directories(folder_);
  store_ = *OpenLocalObjectStore(SystemDisk(), folder_ / "store");
  Load(std::string(SQL_TEST_DIR) + "/fixture.lp");
  LoadSeries();
  if (layout_ == Layout::kFiles) FlushAll();
  QueryOptions options;
  options.threads = 2;
  options.memory_limit_bytes = int64_t{1} << 30;
  options.temp_folder = folder_ / "spill";
  auto engine = QueryEngine::Open(options, catalog_, *store_);
  ARC_CHECK(engine.ok());
  engine_ = std::move(*engine);
}

SqlFixture::~SqlFixture() {
  engine_.reset();
  std::filesystem::remove_all(folder_);
}

Result<std::vector<std::string>> SqlFixture::Run(const QueryRequest& request) {
  ARC_ASSIGN_OR_RETURN(std::unique_ptr<ResultStream> stream, engine_->Execute(request));
  return RowsForTest(*stream);
}

Result<std::vector<std::string>> SqlFixture::Run(const std::string& sql) {
  QueryRequest request;
  request.sql = sql;
  request.principal = Principal::Admin("test");
  return Run(request);
}

void SqlFixture::Load(const std::string& path) {
  std::ifstream file(path);
  ARC_CHECK(file.good());
  std::string database;
  std::string lines;
  std::string line;
  auto write = [&] {
    if (!lines.empty()) Write(database, lines);
    lines.clear();
  };
  while (std::getline(file, line)) {
    if (line.empty() || line.starts_with("# ")) write();
    if (line.starts_with("# database ")) {
      database = line.substr(11);
    } else if (line == "# flush") {
      FlushPoint();
    } else if (!line.empty() && line[0] != '#') {
      lines += line + "\n";
    }
  }
  write();
}

void SqlFixture::LoadSeries() {
  std::string lines;
  for (int i = 0; i < 6000; ++i) {
    lines += "series,host=h" + std::to_string(i % 5) + " value=" + std::to_string(i) + ",n=" + std::to_string(i % 100) +
             "i " + std::to_string(1709251200 + i * 30) + "\n";
    if (i % 500 != 499) continue;
    Write("default", lines);
    lines.clear();
    if (i % 2000 == 1999 && i != 5999) FlushPoint();
  }
}

void SqlFixture::Write(const std::string& database, const std::string& lines) {
  LineProtocolOptions options;
  options.precision = TimePrecision::kSeconds;
  Result<WriteRequest> request = DecodeLineProtocol(lines, options);
  ARC_CHECK(request.ok() && request->errors.empty());
  for (const auto& table : request->batches) catalog_.Write(database, table.measurement, table.batch);
}

void SqlFixture::FlushPoint() {
  ++flush_points_;
  if (layout_ == Layout::kManyFiles || (layout_ == Layout::kMixed && flush_points_ % 2 == 1)) FlushAll();
}

void SqlFixture::FlushAll() {
  for (const std::string& database : catalog_.Databases()) {
    for (const auto& table : catalog_.Tables(database)) Flush(*table);
  }
}

void SqlFixture::Flush(Table& table) {
  Table::FlushInput input = table.BeginFlush();
  if (input.chunks.empty()) return;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (const ChunkView& chunk : input.chunks) {
    auto batch = ToRecordBatch(chunk, *input.schema);
    ARC_CHECK(batch.ok());
    batches.push_back(*batch);
  }
  auto hours = SplitByTime(batches, 3'600'000'000);
  ARC_CHECK(hours.ok());
  std::vector<std::shared_ptr<const FileEntry>> entries;
  for (const auto& [hour, parts] : *hours) {
    std::string key = TableFolder(table.ref()) + "/" + std::to_string(++files_) + ".parquet";
    auto written = WriteDataFile(*store_, key, *input.schema, parts, ParquetOptions());
    ARC_CHECK(written.ok());
    entries.push_back(std::make_shared<FileEntry>(
        FileEntry{key, written->bytes, written->rows, written->min_time, written->max_time}));
  }
  table.CommitFlush(table.Current()->files->With(std::move(entries)), input.last);
}

}  // namespace arc
