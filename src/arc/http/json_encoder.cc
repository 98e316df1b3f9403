#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <string>
#include <vector>

#include "arc/http/cell_text.h"
#include "arc/http/json_text.h"
#include "arc/http/result_encoder.h"
#include "arc/http/time_text.h"

namespace arc {
namespace {

class JsonEncoder : public ResultEncoder {
 public:
  std::string_view content_type() const override { return "application/json"; }
  int64_t batch_rows() const override { return 4096; }

  Status Begin(const std::shared_ptr<arrow::Schema>& schema, OutputText* out) override {
    JsonText names;
    names.BeginArray();
    for (const auto& field : schema->fields()) names.Value(field->name());
    names.EndArray();
    out->Append("{\"columns\":");
    out->Append(names.text());
    out->Append(",\"data\":[");
    return {};
  }

  Status Batch(const arrow::RecordBatch& batch, OutputText* out) override {
    std::vector<std::unique_ptr<CellWriter>> cells;
    for (int i = 0; i < batch.num_columns(); ++i) {
      ARC_ASSIGN_OR_RETURN(auto cell, MakeCellWriter(*batch.schema()->field(i), batch.column(i), CellFormat::kJson));
      cells.push_back(std::move(cell));
    }
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (!first_) out->Put(',');
      first_ = false;
      out->Put('[');
      for (size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) out->Put(',');
        cells[i]->Write(row, out);
      }
      out->Put(']');
    }
    return {};
  }

  bool End(const ResultEnd& end, OutputText* out) override {
    JsonText tail;
    tail.BeginObject().Field("row_count", end.rows).Field("execution_time_ms", end.stats.execution_ms);
    tail.Field("wait_ms", end.stats.wait_ms);
    tail.Field("timestamp", IsoMicros(end.wall_micros)).Field("success", end.error == nullptr);
    if (end.error != nullptr) tail.Field("error", end.error->message).Field("kind", ErrorKindName(end.error->kind));
    tail.EndObject();
    out->Append("],");
    out->Append(std::string_view(tail.text()).substr(1));
    return true;
  }

 private:
  bool first_ = true;
};

}  // namespace

std::unique_ptr<ResultEncoder> MakeJsonEncoder() { return std::make_unique<JsonEncoder>(); }

std::unique_ptr<ResultEncoder> MakeEncoder(ResultFormat format) {
  switch (format) {
    case ResultFormat::kJson: return MakeJsonEncoder();
    case ResultFormat::kCsv: return MakeCsvEncoder();
    case ResultFormat::kArrow: return MakeArrowEncoder();
  }
  return nullptr;
}

}  // namespace arc
