#include "arc/decode/arrow_ipc.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/status.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arc/decode/arrow_columns.h"
#include "arc/decode/batch_builder.h"
#include "arc/decode/budget_pool.h"

namespace arc {
namespace {

// Reads the body piece by piece into memory of its own: the arrays outlive the body, and each record batch can then be
// let go by itself.
class BodyStream : public arrow::io::InputStream {
 public:
  explicit BodyStream(std::string_view body) : body_(body) {}
  arrow::Status Close() override { return closed_ = true, arrow::Status::OK(); }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return static_cast<int64_t>(at_); }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    const size_t taken = std::min(body_.size() - at_, static_cast<size_t>(std::max<int64_t>(bytes, 0)));
    if (taken > 0) std::memcpy(out, body_.data() + at_, taken);
    at_ += taken;
    return static_cast<int64_t>(taken);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    // A declared length is no reason to allocate more than there is.
    const int64_t there = std::min(bytes, static_cast<int64_t>(body_.size() - at_));
    if (there < 0) return arrow::Status::Invalid("negative length");
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(there, &BudgetPool()));
    ARROW_RETURN_NOT_OK(Read(there, buffer->mutable_data()));
    return buffer;
  }
  bool at_end() const { return at_ == body_.size(); }

 private:
  const std::string_view body_;
  size_t at_ = 0;
  bool closed_ = false;
};

class ArrowDecoder {
 public:
  ArrowDecoder(std::string_view body, const TableBodyOptions& options, RequestBuilder* request)
      : body_(body), options_(options), request_(request) {}

  Status Run() {
    if (body_.starts_with("ARROW1")) {
      return InvalidArgument("this is an Arrow IPC file; what is taken here is an Arrow IPC stream");
    }
    auto stream = std::make_shared<BodyStream>(body_);
    auto read = arrow::ipc::IpcReadOptions::Defaults();
    read.memory_pool = &BudgetPool();
    read.use_threads = false;
    read.max_recursion_depth = 4;  // a dictionary or run-end encoding in an extension type; nothing is nested deeper
    read.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
    auto reader = arrow::ipc::RecordBatchStreamReader::Open(stream, read);
    if (!reader.ok()) return Unsound(reader.status());
    ARC_ASSIGN_OR_RETURN(columns_, ArrowColumns::Of(*(*reader)->schema(), options_));
    while (true) {
      std::shared_ptr<arrow::RecordBatch> rows;
      if (const auto status = (*reader)->ReadNext(&rows); !status.ok()) return Unsound(status);
      if (rows == nullptr) break;
      ARC_RETURN_IF_ERROR(TakeRows(*rows));
    }
    if (!stream->at_end()) return InvalidArgument("not one Arrow IPC stream: bytes follow its end");
    return {};
  }

  WriteRequest Finish() {
    WriteRequest request = request_->Finish("row");
    for (auto& [measurement, batch] : request.batches) columns_->Retype(&batch);
    for (Batch& batch : adopted_) request.batches.push_back({options_.measurement, std::move(batch)});
    std::sort(request.batches.begin(), request.batches.end(),
              [](const auto& a, const auto& b) { return a.batch.PositionOf(0) < b.batch.PositionOf(0); });
    return request;
  }

 private:
  Status Unsound(const arrow::Status& status) const {
    if (status.IsOutOfMemory()) return TooLargeToDecode(body_.size()).error();
    return InvalidArgument("not a sound Arrow IPC stream: " + Printable(status.message()));
  }

  // Arrow's messages may quote the body.
  static std::string Printable(const std::string& message) {
    std::string text = message.substr(0, 300);
    for (char& c : text) {
      if (c < 0x20 || c == 0x7F) c = '?';
    }
    return text;
  }

  Status TakeRows(const arrow::RecordBatch& rows) {
    ARC_RETURN_IF_ERROR(columns_->Bind(rows, request_->budget()));
    const int64_t count = rows.num_rows();
    if (count == 0) return {};
    if (count > std::numeric_limits<int32_t>::max() - position_) return TooLargeToDecode(body_.size()).error();
    if (count >= kAdoptedArrowRows) {
      if (auto batch = columns_->Adopt(request_->budget())) {
        batch->first_position = static_cast<uint32_t>(position_);
        adopted_.push_back(*std::move(batch));
        position_ += count;
        return {};
      }
    }
    return GatherRows(count);
  }

  Status GatherRows(int64_t count) {
    const std::string& name = options_.measurement;
    Added why = Added::kOk;
    MeasurementBuilder* measurement = request_->Measurement(name, name.data() + name.size(), &why);
    if (measurement == nullptr) return InvalidArgument(DescribeRefusal(why, "measurement", name));
    for (int64_t row = 0; row < count; ++row, ++position_) {
      const auto position = static_cast<uint32_t>(position_);
      std::string error;
      const Added added = measurement->InSomeVariant(
          [&](BatchBuilder& batch) { return columns_->AppendRow(row, position, &batch, &error); });
      if (added == Added::kTooManyKinds) error = DescribeRefusal(added, "measurement", name);
      if (added != Added::kOk) ARC_RETURN_IF_ERROR(request_->AddError(position, std::move(error)));
    }
    return {};
  }

  const std::string_view body_;
  const TableBodyOptions& options_;
  RequestBuilder* const request_;
  std::unique_ptr<ArrowColumns> columns_;
  std::vector<Batch> adopted_;
  int64_t position_ = 0;
};

}  // namespace

Result<WriteRequest> DecodeArrow(std::string_view body, const TableBodyOptions& options) {
  return DecodeGuarded(body, [&]() -> Result<WriteRequest> {
    RequestBuilder request(body.size());
    const BudgetScope scope(request.budget());
    ArrowDecoder decoder(body, options, &request);
    ARC_RETURN_IF_ERROR(decoder.Run());
    return decoder.Finish();
  });
}

}  // namespace arc
