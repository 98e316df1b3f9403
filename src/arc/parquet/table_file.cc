#include "arc/parquet/table_file.h"

#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace arc {
namespace {

Error ReadError(const arrow::Status& status) {
  if (status.IsIOError()) return Unavailable(status.message());
  return InvalidArgument("not a sound Parquet file: " + status.message());
}

// The batches of a reader but for the first rows.
class RowsFrom : public arrow::RecordBatchReader {
 public:
  RowsFrom(std::shared_ptr<arrow::RecordBatchReader> reader, int64_t skip) : reader_(std::move(reader)), skip_(skip) {}
  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    while (true) {
      ARROW_RETURN_NOT_OK(reader_->ReadNext(batch));
      if (*batch == nullptr || skip_ == 0) return arrow::Status::OK();
      const int64_t dropped = std::min(skip_, (*batch)->num_rows());
      skip_ -= dropped;
      *batch = (*batch)->Slice(dropped);
      if ((*batch)->num_rows() > 0) return arrow::Status::OK();
    }
  }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> reader_;
  int64_t skip_;
};

class ParquetTableFile : public TableFile {
 public:
  ParquetTableFile(std::string path, int64_t rows) : path_(std::move(path)), rows_(rows) {}
  int64_t rows() const override { return rows_; }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(int64_t first_row, int64_t batch_rows) override {
    auto file = arrow::io::ReadableFile::Open(path_);
    if (!file.ok()) return ReadError(file.status());
    parquet::ReaderProperties properties;
    properties.enable_buffered_stream();  // not whole column chunks
    parquet::ArrowReaderProperties arrow_properties;
    arrow_properties.set_batch_size(batch_rows);
    arrow_properties.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    if (auto status = builder.Open(*file, properties); !status.ok()) return ReadError(status);
    if (auto status = builder.properties(arrow_properties)->Build(&reader_); !status.ok()) return ReadError(status);
    const parquet::FileMetaData& metadata = *reader_->parquet_reader()->metadata();
    int group = 0;
    for (; group < metadata.num_row_groups() && first_row >= metadata.RowGroup(group)->num_rows(); ++group) {
      first_row -= metadata.RowGroup(group)->num_rows();
    }
    std::vector<int> groups(static_cast<size_t>(metadata.num_row_groups() - group));
    std::iota(groups.begin(), groups.end(), group);
    auto reader = reader_->GetRecordBatchReader(groups);
    if (!reader.ok()) return ReadError(reader.status());
    return std::shared_ptr<arrow::RecordBatchReader>(
        std::make_shared<RowsFrom>(std::shared_ptr<arrow::RecordBatchReader>(std::move(*reader)), first_row));
  }

 private:
  const std::string path_;
  const int64_t rows_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
};

}  // namespace

Result<std::unique_ptr<TableFile>> OpenTableFile(const std::string& path) {
  auto file = arrow::io::ReadableFile::Open(path);
  if (!file.ok()) return ReadError(file.status());
  try {
    const auto reader = parquet::ParquetFileReader::Open(*file);
    return std::unique_ptr<TableFile>(std::make_unique<ParquetTableFile>(path, reader->metadata()->num_rows()));
  } catch (const std::exception& failure) {  // what this part of the library reports with
    return InvalidArgument(std::string("not a sound Parquet file: ") + failure.what());
  }
}

}  // namespace arc
