#include "arc/engine/change_stream.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <utility>

#include "arc/base/check.h"

namespace arc {
namespace {

std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<std::string>& names) {
  arrow::FieldVector fields;
  for (const auto& name : names) fields.push_back(arrow::field(name, arrow::int64()));
  return arrow::schema(std::move(fields));
}

}  // namespace

ChangeStream::ChangeStream(const std::vector<std::string>& names, Clock& clock,
                           std::function<Result<Row>(CancelSwitch&)> change)
    : schema_(SchemaOf(names)), clock_(clock), change_(std::move(change)) {}

Result<std::shared_ptr<arrow::RecordBatch>> ChangeStream::Next() {
  if (!change_) return std::shared_ptr<arrow::RecordBatch>();
  const auto change = std::exchange(change_, nullptr);
  const int64_t started = clock_.MonotonicNanos();
  const auto row = change(cancel_);
  stats_.execution_ms = static_cast<double>(clock_.MonotonicNanos() - started) / 1e6;
  if (!row.ok()) return row.error();
  ARC_CHECK(row->size() == static_cast<size_t>(schema_->num_fields()));
  stats_.rows = 1;
  arrow::ArrayVector columns;
  for (const auto& value : *row) {
    arrow::Int64Builder builder;
    ARC_CHECK((value ? builder.Append(*value) : builder.AppendNull()).ok());
    columns.push_back(*builder.Finish());
  }
  return arrow::RecordBatch::Make(schema_, 1, std::move(columns));
}

}  // namespace arc
