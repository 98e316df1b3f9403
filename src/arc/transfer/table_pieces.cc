#include "arc/transfer/table_pieces.h"

#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <algorithm>
#include <utility>

#include "arc/parquet/table_file.h"
#include "arc/transfer/source_file.h"

namespace arc {
namespace {

// Where the record batches come from.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  // Goes on at a row of the file. Once, before the first Next.
  virtual Status Seek(int64_t row) = 0;
  // Null at the end.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
  virtual int64_t done(int64_t rows) const = 0;
  virtual int64_t total() const = 0;
};

Result<std::shared_ptr<arrow::RecordBatch>> NextOf(arrow::RecordBatchReader& reader) {
  std::shared_ptr<arrow::RecordBatch> batch;
  if (auto status = reader.ReadNext(&batch); !status.ok()) return SourceError(status);
  return batch;
}

class ParquetSource : public BatchSource {
 public:
  ParquetSource(std::unique_ptr<TableFile> file, int64_t batch_rows)
      : file_(std::move(file)), batch_rows_(batch_rows) {}
  Status Seek(int64_t row) override {
    ARC_ASSIGN_OR_RETURN(reader_, file_->Read(row, batch_rows_));
    return {};
  }
  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (reader_ == nullptr) ARC_RETURN_IF_ERROR(Seek(0));
    return NextOf(*reader_);
  }
  int64_t done(int64_t rows) const override { return rows; }
  int64_t total() const override { return file_->rows(); }

 private:
  const std::unique_ptr<TableFile> file_;
  const int64_t batch_rows_;
  std::shared_ptr<arrow::RecordBatchReader> reader_;
};

class ArrowSource : public BatchSource {
 public:
  explicit ArrowSource(SourceFile source) : source_(std::move(source)) {}
  Status Begin() {
    static constexpr std::string_view kMagic = "ARROW1";
    char start[kMagic.size()];
    auto read = source_.file->ReadAt(0, kMagic.size(), start);
    if (!read.ok()) return SourceError(read.status());
    if (std::string_view(start, static_cast<size_t>(*read)) == kMagic) {
      auto file = arrow::ipc::RecordBatchFileReader::Open(source_.file);
      if (!file.ok()) return SourceError(file.status());
      file_ = *file;
      return {};
    }
    if (auto status = source_.file->Seek(0); !status.ok()) return SourceError(status);
    auto stream = arrow::ipc::RecordBatchStreamReader::Open(source_.stream);
    if (!stream.ok()) return SourceError(stream.status());
    stream_ = *stream;
    return {};
  }
  Status Seek(int64_t row) override {
    while (row > 0) {
      ARC_ASSIGN_OR_RETURN(auto batch, Next());
      if (batch == nullptr) return InvalidArgument("the file ends before the place to go on from");
      if (batch->num_rows() > row) rest_ = batch->Slice(row);
      row -= std::min(row, batch->num_rows());
    }
    return {};
  }
  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (rest_ != nullptr) return std::exchange(rest_, nullptr);
    if (stream_ != nullptr) return NextOf(*stream_);
    if (next_ == file_->num_record_batches()) return std::shared_ptr<arrow::RecordBatch>();
    auto batch = file_->ReadRecordBatch(next_++);
    if (!batch.ok()) return SourceError(batch.status());
    return *batch;
  }
  int64_t done(int64_t) const override {
    if (file_ != nullptr) return next_;
    return source_.file->Tell().ValueOr(0);
  }
  int64_t total() const override { return file_ != nullptr ? file_->num_record_batches() : source_.bytes; }

 private:
  SourceFile source_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  std::shared_ptr<arrow::RecordBatchReader> stream_;
  std::shared_ptr<arrow::RecordBatch> rest_;
  int next_ = 0;
};

class TablePieces : public PieceReader {
 public:
  TablePieces(std::unique_ptr<BatchSource> source, const PieceOptions& options)
      : source_(std::move(source)), options_(options) {}

  Status Seek(const PiecePlace& place) override {
    row_ = place.offset;
    return source_->Seek(row_);
  }

  Result<bool> Next(Piece* piece) override {
    while (batch_ == nullptr || batch_->num_rows() == 0) {
      ARC_ASSIGN_OR_RETURN(batch_, source_->Next());
      if (batch_ == nullptr) return false;
    }
    int64_t rows = std::min(batch_->num_rows(), options_.rows);
    ARC_ASSIGN_OR_RETURN(piece->body, StreamOf(*batch_->Slice(0, rows)));
    // Wide rows: fewer of them, so that a body keeps to its size about.
    while (static_cast<int64_t>(piece->body.size()) > 4 * options_.bytes && rows > 1) {
      rows = std::max<int64_t>(1, rows * 2 * options_.bytes / static_cast<int64_t>(piece->body.size()));
      ARC_ASSIGN_OR_RETURN(piece->body, StreamOf(*batch_->Slice(0, rows)));
    }
    piece->shift = row_;
    batch_ = batch_->Slice(rows);
    row_ += rows;
    piece->rows = rows;
    piece->next = {row_, row_};
    return true;
  }

  int64_t done() const override { return source_->done(row_); }
  int64_t total() const override { return source_->total(); }

 private:
  static Result<std::string> StreamOf(const arrow::RecordBatch& rows) {
    auto sink = arrow::io::BufferOutputStream::Create();
    if (!sink.ok()) return SourceError(sink.status());
    auto writer = arrow::ipc::MakeStreamWriter(*sink, rows.schema());
    if (!writer.ok()) return SourceError(writer.status());
    if (auto status = (*writer)->WriteRecordBatch(rows); !status.ok()) return SourceError(status);
    if (auto status = (*writer)->Close(); !status.ok()) return SourceError(status);
    auto bytes = (*sink)->Finish();
    if (!bytes.ok()) return SourceError(bytes.status());
    return (*bytes)->ToString();
  }

  const std::unique_ptr<BatchSource> source_;
  const PieceOptions options_;
  std::shared_ptr<arrow::RecordBatch> batch_;  // what is not taken of the one at hand
  int64_t row_ = 0;
};

}  // namespace

Result<std::unique_ptr<PieceReader>> OpenTablePieces(const std::string& path, FileFormat format,
                                                     const PieceOptions& options) {
  std::unique_ptr<BatchSource> batches;
  if (format == FileFormat::kParquet) {
    ARC_ASSIGN_OR_RETURN(auto file, OpenTableFile(path));
    batches = std::make_unique<ParquetSource>(std::move(file), options.rows);
  } else {
    ARC_ASSIGN_OR_RETURN(SourceFile source, OpenSourceFile(path));
    auto arrow_source = std::make_unique<ArrowSource>(std::move(source));
    ARC_RETURN_IF_ERROR(arrow_source->Begin());
    batches = std::move(arrow_source);
  }
  return std::unique_ptr<PieceReader>(std::make_unique<TablePieces>(std::move(batches), options));
}

}  // namespace arc
