#include "arc/decode/arrow_columns.h"

#include <arrow/array.h>
#include <arrow/array/array_run_end.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/status.h>
#include <arrow/type.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "arc/decode/growing_buffer.h"
#include "arc/decode/string_table.h"

namespace arc {
namespace {

Error Unsound(const std::string& column, const std::string& why) {
  return InvalidArgument("not a sound Arrow IPC stream: column " + Snippet(column) + ": " + why);
}

// How much text the views of an array show, the same bytes as often as they are shown.
int64_t BytesInView(const arrow::Array& array) {
  const auto& views = static_cast<const arrow::StringViewArray&>(array);
  const auto* values = views.data()->GetValues<arrow::StringViewType::c_type>(1);
  int64_t bytes = 0;
  for (int64_t i = 0; i < views.length(); ++i) {
    if (!views.IsNull(i)) bytes += std::max(values[i].size(), 0);
  }
  return bytes;
}

Status ValidateValues(const std::string& column, const arrow::Array& array, MemoryBudget* budget) {
  if (array.type_id() == arrow::Type::RUN_END_ENCODED) {
    const auto& values = *static_cast<const arrow::RunEndEncodedArray&>(array).values();
    ARC_RETURN_IF_ERROR(ValidateValues(column, values, budget));
  }
  auto status = array.Validate();
  if (status.ok() && array.type_id() == arrow::Type::STRING_VIEW) {
    // Many views of one long text would be a long validation.
    const int64_t bytes = BytesInView(array);
    budget->Take(bytes);
    status = array.ValidateFull();
    budget->GiveBack(bytes);
  } else if (status.ok()) {
    status = array.ValidateFull();
  }
  if (status.IsOutOfMemory()) throw std::bad_alloc();
  return status.ok() ? Status() : Unsound(column, Snippet(status.message()));
}

// No text in it twice and no NULL, as a tag's dictionary has to be.
bool DistinctWords(const arrow::Array& dictionary, MemoryBudget* budget) {
  if (dictionary.type_id() != arrow::Type::STRING || dictionary.null_count() != 0) return false;
  const auto& words = static_cast<const arrow::StringArray&>(dictionary);
  StringTable seen;
  for (int64_t i = 0; i < words.length(); ++i) {
    const std::string_view word = words.GetView(i);
    if (word.size() > kMaxStringBytes || seen.Find(word, word.data() + word.size()) >= 0) return false;
    if (seen.Add(word, budget) < 0) return false;
  }
  return true;
}

bool HasLongText(const arrow::Array& array) {
  const auto& texts = static_cast<const arrow::StringArray&>(array);
  if (texts.total_values_length() <= static_cast<int64_t>(kMaxStringBytes)) return false;
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.GetView(i).size() > kMaxStringBytes) return true;
  }
  return false;
}

bool TimesInRange(const arrow::Array& array) {
  const auto& times = static_cast<const arrow::TimestampArray&>(array);
  for (int64_t i = 0; i < times.length(); ++i) {
    if (!times.IsNull(i) && (times.Value(i) < kMinTimeMicros || times.Value(i) > kMaxTimeMicros)) return false;
  }
  return true;
}

// The array with another type of the same layout, and no validity bitmap where nothing is NULL.
std::shared_ptr<arrow::Array> WithType(const arrow::Array& array, std::shared_ptr<arrow::DataType> type) {
  auto data = array.data()->Copy();
  data->type = std::move(type);
  if (array.null_count() == 0) data->buffers[0] = nullptr;
  return arrow::MakeArray(data);
}

}  // namespace

Result<std::unique_ptr<ArrowColumns>> ArrowColumns::Of(const arrow::Schema& schema, const TableBodyOptions& options) {
  std::unique_ptr<ArrowColumns> columns(new ArrowColumns(options));
  ARC_ASSIGN_OR_RETURN(const TableBodyLayout layout, LayOutTableBody(schema.field_names(), options));
  columns->time_ = layout.time;
  for (int i = 0; i < schema.num_fields(); ++i) {
    const arrow::Field& field = *schema.field(i);
    ARC_RETURN_IF_ERROR(CheckArrowType(field.name(), *field.type()));
    Column column;
    column.name = field.name();
    column.role = layout.roles[static_cast<size_t>(i)];
    column.unit = ArrowTimeUnit(*field.type());
    if (!options.tags && column.role == ColumnRole::kField && IsTextDictionary(*field.type())) {
      column.role = ColumnRole::kTag;
    }
    if (column.role == ColumnRole::kTag && column.unit) {
      return InvalidArgument("column " + Snippet(column.name) + " holds timestamps and cannot be a tag");
    }
    if (column.unit) columns->timestamps_.insert(column.name);
    columns->columns_.push_back(std::move(column));
  }
  return columns;
}

Status ArrowColumns::Bind(const arrow::RecordBatch& rows, MemoryBudget* budget) {
  rows_ = rows.num_rows();
  if (rows_ < 0) return InvalidArgument("not a sound Arrow IPC stream: a negative number of rows");
  for (size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    column.cells.reset();
    column.array = rows.column(static_cast<int>(i));
    if (column.array->type_id() == arrow::Type::EXTENSION) {
      column.array = static_cast<const arrow::ExtensionArray&>(*column.array).storage();
    }
    if (column.array->length() != rows_) return Unsound(column.name, "it has not as many values as there are rows");
    ARC_RETURN_IF_ERROR(Validate(&column, budget));
    column.cells = CellsOf(*column.array);
  }
  return {};
}

Status ArrowColumns::Validate(Column* column, MemoryBudget* budget) const {
  if (column->array->type_id() == arrow::Type::DICTIONARY) return ValidateCodes(column, budget);
  return ValidateValues(column->name, *column->array, budget);
}

// A dictionary is looked at when it is new only: small record batches must not cost a large one each.
Status ArrowColumns::ValidateCodes(Column* column, MemoryBudget* budget) const {
  const auto& coded = static_cast<const arrow::DictionaryArray&>(*column->array);
  if (const auto status = coded.indices()->ValidateFull(); !status.ok()) {
    return Unsound(column->name, Snippet(status.message()));
  }
  if (coded.dictionary()->data() != (column->words == nullptr ? nullptr : column->words->data())) {
    ARC_RETURN_IF_ERROR(ValidateValues(column->name, *coded.dictionary(), budget));
    column->words = coded.dictionary();
    column->distinct_words = false;
    if (column->role == ColumnRole::kTag && coded.indices()->type_id() == arrow::Type::INT32) {
      column->distinct_words = DistinctWords(*column->words, budget);
    }
  }
  const int64_t words = coded.dictionary()->length();
  for (int64_t row = 0; row < rows_; ++row) {
    if (coded.IsNull(row)) continue;
    const int64_t code = coded.GetValueIndex(row);
    if (code < 0 || code >= words) return Unsound(column->name, "a code is outside its dictionary");
  }
  return {};
}

std::optional<int64_t> ArrowColumns::Time(const Scalar& value, const Column& column, std::string* why) const {
  if (value.kind == ScalarKind::kUInt && value.bits <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return Time(Scalar::Of(ScalarKind::kInt, value.bits), column, why);
  }
  const auto micros = TimeOfScalar(value, column.unit.value_or(options_.precision), why);
  if (!micros) *why = "column " + Snippet(column.name) + ": " + *why;
  return micros;
}

Added ArrowColumns::AppendCell(Column& column, const Scalar& value, uint32_t row, ColumnBuilder* to,
                               std::string* error) const {
  Added added = Added::kFault;
  if (column.role == ColumnRole::kTag) {
    ScalarTextBuffer buffer;
    const auto text = TextOfScalar(value, buffer);
    added = to->AddTag(row, *text, text->data() + text->size());
  } else if (column.unit) {
    const auto micros = Time(value, column, error);
    if (!micros) return Added::kFault;
    added = to->AddInt(row, *micros);
  } else {
    added = AddFieldScalar(*to, row, value);
  }
  if (added != Added::kOk && added != Added::kConflict)
    *error = DescribeRefusal(added, RoleName(column.role), column.name);
  return added;
}

Added ArrowColumns::AppendRow(int64_t row, uint32_t position, BatchBuilder* batch, std::string* error) {
  if (batch != batch_) {
    batch_ = batch;
    builders_.assign(columns_.size(), nullptr);
  }
  const auto time = Time(columns_[time_].cells->At(row), columns_[time_], error);
  if (!time) return Added::kFault;
  batch->BeginRow();
  for (size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    if (i == time_) continue;
    const Scalar value = column.cells->At(row);
    if (value.kind == ScalarKind::kNil) continue;
    if (builders_[i] == nullptr) {
      Added why = Added::kOk;
      const char* const limit = column.name.data() + column.name.size();
      builders_[i] = batch->Column(column.name, column.role, limit, options_.tags.has_value(), &why);
      if (builders_[i] == nullptr) return *error = DescribeRefusal(why, RoleName(column.role), column.name), why;
    }
    if (const Added added = AppendCell(column, value, batch->row(), builders_[i], error); added != Added::kOk)
      return added;
  }
  batch->CommitRow(*time, position);
  return Added::kOk;
}

// The array itself where it has the layout that a batch wants of such a column, else null.
std::shared_ptr<arrow::Array> ArrowColumns::InPlace(const Column& column, MemoryBudget* budget) const {
  const arrow::Array& array = *column.array;
  if (array.offset() != 0) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::BOOL:
    case arrow::Type::INT64:
    case arrow::Type::UINT64:
    case arrow::Type::DOUBLE: return column.role == ColumnRole::kField ? WithType(array, array.type()) : nullptr;
    case arrow::Type::STRING:
      if (column.role != ColumnRole::kField || HasLongText(array)) return nullptr;
      return WithType(array, array.type());
    case arrow::Type::TIMESTAMP:
      if (column.unit != TimePrecision::kMicros || !TimesInRange(array)) return nullptr;
      return WithType(array, BatchArrowType(ColumnType::kTimestamp, ColumnRole::kField));
    case arrow::Type::DICTIONARY: break;
    default: return nullptr;
  }
  const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
  if (!column.distinct_words) return nullptr;
  // A dictionary goes into the log with every batch: one that is larger than its rows is built anew from what they use,
  // and many batches with one large dictionary count as what they become.
  const auto& texts = static_cast<const arrow::StringArray&>(*coded.dictionary());
  if (texts.length() > rows_ || !budget->TryTake(texts.total_values_length())) return nullptr;
  const int32_t* codes = static_cast<const arrow::Int32Array&>(*coded.indices()).raw_values();
  const auto words = static_cast<int32_t>(coded.dictionary()->length());
  // Of NULLs too: later steps look every code up.
  const bool in_range = std::all_of(codes, codes + rows_, [words](int32_t code) { return code >= 0 && code < words; });
  return in_range ? WithType(array, BatchArrowType(ColumnType::kString, ColumnRole::kTag)) : nullptr;
}

bool ArrowColumns::AdoptTimes(Batch* batch, MemoryBudget* budget) {
  Column& column = columns_[time_];
  if (column.array->null_count() != 0 || column.array->type_id() == arrow::Type::NA) return false;
  const auto type = BatchArrowType(ColumnType::kTimestamp, ColumnRole::kTime);
  BatchColumn& time = batch->columns.emplace_back();
  time.name = "time";
  time.type = ColumnType::kTimestamp;
  time.role = ColumnRole::kTime;
  if (column.array->type_id() == arrow::Type::TIMESTAMP && column.unit == TimePrecision::kMicros &&
      column.array->offset() == 0) {
    time.values = WithType(*column.array, type);
  } else {
    GrowingBuffer values;
    values.Reserve(rows_ * 8, budget);
    auto* micros = reinterpret_cast<int64_t*>(values.data());
    std::string why;
    for (int64_t row = 0; row < rows_; ++row) {
      const auto converted = Time(column.cells->At(row), column, &why);
      if (!converted) return false;
      micros[row] = *converted;
    }
    time.values = arrow::MakeArray(arrow::ArrayData::Make(type, rows_, {nullptr, values.Finish(rows_ * 8)}, 0));
  }
  const int64_t* micros = static_cast<const arrow::TimestampArray&>(*time.values).raw_values();
  const auto [least, most] = std::minmax_element(micros, micros + rows_);
  batch->min_time = *least;
  batch->max_time = *most;
  return *least >= kMinTimeMicros && *most <= kMaxTimeMicros;
}

bool ArrowColumns::AdoptColumn(Column& column, Batch* batch, MemoryBudget* budget) {
  if (column.array->null_count() == rows_ || column.array->type_id() == arrow::Type::NA) return true;
  BatchColumn made;
  made.values = InPlace(column, budget);
  if (made.values != nullptr) {
    made.name = column.name;
    made.role = column.role;
    made.role_known = options_.tags.has_value();
    switch (made.values->type_id()) {
      case arrow::Type::BOOL: made.type = ColumnType::kBool; break;
      case arrow::Type::INT64: made.type = ColumnType::kInt64; break;
      case arrow::Type::UINT64: made.type = ColumnType::kUInt64; break;
      case arrow::Type::DOUBLE: made.type = ColumnType::kDouble; break;
      case arrow::Type::TIMESTAMP: made.type = ColumnType::kTimestamp; break;
      default: made.type = ColumnType::kString; break;
    }
    batch->columns.push_back(std::move(made));
    return true;
  }
  RowSpace space(budget);
  space.capacity = static_cast<uint32_t>(rows_);
  space.BeginAttempt(/*block=*/true);
  ColumnBuilder builder(column.name, column.role, &space);
  builder.role_known = options_.tags.has_value();
  builder.BeginBlock();
  std::string error;
  for (int64_t row = 0; row < rows_; ++row) {
    const Scalar value = column.cells->At(row);
    if (value.kind == ScalarKind::kNil) continue;
    if (AppendCell(column, value, static_cast<uint32_t>(row), &builder, &error) != Added::kOk) return false;
  }
  space.Commit(static_cast<uint32_t>(rows_));
  if (auto finished = builder.Finish(static_cast<uint32_t>(rows_))) {
    batch->columns.push_back(*std::move(finished));
    RetypeColumn(&batch->columns.back());
  }
  return true;
}

std::optional<Batch> ArrowColumns::Adopt(MemoryBudget* budget) {
  Batch batch;
  batch.rows = rows_;
  if (!AdoptTimes(&batch, budget)) return std::nullopt;
  bool whole = true;
  for (size_t i = 0; i < columns_.size() && whole; ++i) {
    if (i != time_) whole = AdoptColumn(columns_[i], &batch, budget);
  }
  if (whole) return batch;
  // The rows are now gathered one by one, which asks for the cells from the first row on again.
  for (Column& column : columns_) column.cells = CellsOf(*column.array);
  return std::nullopt;
}

void ArrowColumns::RetypeColumn(BatchColumn* column) const {
  if (column->type != ColumnType::kInt64 || column->role != ColumnRole::kField) return;
  if (!timestamps_.contains(column->name)) return;
  column->type = ColumnType::kTimestamp;
  column->values = WithType(*column->values, BatchArrowType(ColumnType::kTimestamp, ColumnRole::kField));
}

void ArrowColumns::Retype(Batch* batch) const {
  for (BatchColumn& column : batch->columns) RetypeColumn(&column);
}

}  // namespace arc
