#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <string>

#include "arc/http/result_encoder.h"

namespace arc {
namespace {

// Lets Arrow write to whatever OutputText is current.
class Sink : public arrow::io::OutputStream {
 public:
  void Use(OutputText* out) { out_ = out; }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Write(const void* data, int64_t bytes) override {
    if (bytes > 0) out_->Append({static_cast<const char*>(data), static_cast<size_t>(bytes)});
    position_ += bytes;
    return arrow::Status::OK();
  }
  using arrow::io::OutputStream::Write;

 private:
  OutputText* out_ = nullptr;
  int64_t position_ = 0;
  bool closed_ = false;
};

Status FromArrow(const arrow::Status& status) {
  if (status.ok()) return {};
  return Internal("cannot write the result as Arrow: " + status.ToString());
}

class ArrowEncoder : public ResultEncoder {
 public:
  std::string_view content_type() const override { return "application/vnd.apache.arrow.stream"; }
  int64_t batch_rows() const override { return 0; }

  Status Begin(const std::shared_ptr<arrow::Schema>& schema, OutputText* out) override {
    sink_.Use(out);
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.use_threads = false;  // no compression here, so nothing to share out
    auto writer = arrow::ipc::MakeStreamWriter(&sink_, schema, options);
    if (!writer.ok()) return FromArrow(writer.status());
    writer_ = *writer;
    return {};
  }

  Status Batch(const arrow::RecordBatch& batch, OutputText* out) override {
    sink_.Use(out);
    return FromArrow(writer_->WriteRecordBatch(batch));
  }

  bool End(const ResultEnd& end, OutputText* out) override {
    sink_.Use(out);
    return end.error == nullptr && writer_->Close().ok();
  }

 private:
  Sink sink_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

}  // namespace

std::unique_ptr<ResultEncoder> MakeArrowEncoder() { return std::make_unique<ArrowEncoder>(); }

}  // namespace arc
