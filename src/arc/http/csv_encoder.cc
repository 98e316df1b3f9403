#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <vector>

#include "arc/http/cell_text.h"
#include "arc/http/result_encoder.h"

namespace arc {
namespace {

class CsvEncoder : public ResultEncoder {
 public:
  std::string_view content_type() const override { return "text/csv; charset=utf-8"; }
  int64_t batch_rows() const override { return 4096; }

  Status Begin(const std::shared_ptr<arrow::Schema>& schema, OutputText* out) override {
    for (int i = 0; i < schema->num_fields(); ++i) {
      if (i > 0) out->Put(',');
      AppendCsvCell(schema->field(i)->name(), out);
    }
    out->Append("\r\n");
    return {};
  }

  Status Batch(const arrow::RecordBatch& batch, OutputText* out) override {
    std::vector<std::unique_ptr<CellWriter>> cells;
    for (int i = 0; i < batch.num_columns(); ++i) {
      ARC_ASSIGN_OR_RETURN(auto cell, MakeCellWriter(*batch.schema()->field(i), batch.column(i), CellFormat::kCsv));
      cells.push_back(std::move(cell));
    }
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      for (size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) out->Put(',');
        cells[i]->Write(row, out);
      }
      out->Append("\r\n");
    }
    return {};
  }

  bool End(const ResultEnd& end, OutputText*) override { return end.error == nullptr; }
};

}  // namespace

std::unique_ptr<ResultEncoder> MakeCsvEncoder() { return std::make_unique<CsvEncoder>(); }

}  // namespace arc
