#include "arc/catalog/column_cast.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace arc {
namespace {

Error FromArrow(const arrow::Status& status) { return Internal(status.ToString()); }

// Casts value by value: `convert(raw, row, &out)` says whether the value fits.
template <typename InArray, typename Builder, typename Convert>
Result<CastResult> CastEach(const BatchColumn& column, Convert convert) {
  const auto& in = static_cast<const InArray&>(*column.values);
  CastResult result;
  Builder builder;
  if (auto status = builder.Reserve(in.length()); !status.ok()) return FromArrow(status);
  for (int64_t row = 0; row < in.length(); ++row) {
    typename Builder::value_type out{};
    if (in.IsNull(row)) {
      builder.UnsafeAppendNull();
    } else if (convert(in.Value(row), row, &out)) {
      builder.UnsafeAppend(out);
    } else {
      builder.UnsafeAppendNull();
      result.refused_rows.push_back(row);
    }
  }
  if (auto status = builder.Finish(&result.values); !status.ok()) return FromArrow(status);
  return result;
}

Result<CastResult> RefuseAll(const BatchColumn& column, ColumnType type, ColumnRole role) {
  CastResult result;
  auto nulls = arrow::MakeArrayOfNull(BatchArrowType(type, role), column.values->length());
  if (!nulls.ok()) return FromArrow(nulls.status());
  result.values = *nulls;
  for (int64_t row = 0; row < column.values->length(); ++row) {
    if (!column.values->IsNull(row)) result.refused_rows.push_back(row);
  }
  return result;
}

// Plain strings to a tag's dictionary and back: a guessed role gave way to the table's.
Result<CastResult> ChangeStringRole(const BatchColumn& column, ColumnRole role) {
  CastResult result;
  std::shared_ptr<arrow::Array> out;
  arrow::Status status;
  int64_t rows = column.values->length();
  if (role == ColumnRole::kTag) {
    const auto& in = static_cast<const arrow::StringArray&>(*column.values);
    arrow::StringDictionary32Builder builder;
    for (int64_t row = 0; row < rows && status.ok(); ++row) {
      status = in.IsNull(row) ? builder.AppendNull() : builder.Append(in.GetView(row));
    }
    if (status.ok()) status = builder.Finish(&out);
  } else {
    const auto& in = static_cast<const arrow::DictionaryArray&>(*column.values);
    const auto& dictionary = static_cast<const arrow::StringArray&>(*in.dictionary());
    arrow::StringBuilder builder;
    for (int64_t row = 0; row < rows && status.ok(); ++row) {
      status = in.IsNull(row) ? builder.AppendNull() : builder.Append(dictionary.GetView(in.GetValueIndex(row)));
    }
    if (status.ok()) status = builder.Finish(&out);
  }
  if (!status.ok()) return FromArrow(status);
  result.values = std::move(out);
  return result;
}

Result<CastResult> CastDoubleToInteger(const BatchColumn& column, ColumnType type) {
  const uint8_t* integral = column.integral ? column.integral->data() : nullptr;
  auto sent_as_integer = [integral](int64_t row) { return integral && arrow::bit_util::GetBit(integral, row); };
  if (type == ColumnType::kInt64) {
    return CastEach<arrow::DoubleArray, arrow::Int64Builder>(column, [&](double v, int64_t row, int64_t* out) {
      // 2^63 itself is no int64; every integral double below it is.
      if (!sent_as_integer(row) || v < -0x1p63 || v >= 0x1p63) return false;
      *out = static_cast<int64_t>(v);
      return true;
    });
  }
  return CastEach<arrow::DoubleArray, arrow::UInt64Builder>(column, [&](double v, int64_t row, uint64_t* out) {
    if (!sent_as_integer(row) || v < 0 || v >= 0x1p64) return false;
    *out = static_cast<uint64_t>(v);
    return true;
  });
}

Result<std::shared_ptr<arrow::Array>> MergeTags(const arrow::Array& first, const arrow::Array& second) {
  arrow::StringDictionary32Builder builder;
  for (int64_t row = 0; row < first.length(); ++row) {
    const auto& from = static_cast<const arrow::DictionaryArray&>(first.IsNull(row) ? second : first);
    const auto& dictionary = static_cast<const arrow::StringArray&>(*from.dictionary());
    auto status = from.IsNull(row) ? builder.AppendNull() : builder.Append(dictionary.GetView(from.GetValueIndex(row)));
    if (!status.ok()) return FromArrow(status);
  }
  std::shared_ptr<arrow::Array> out;
  if (auto status = builder.Finish(&out); !status.ok()) return FromArrow(status);
  return out;
}

// `pick(row)` gives the array that row comes from, or null to leave the row out.
template <typename Pick>
Result<std::shared_ptr<arrow::Array>> Gather(const std::shared_ptr<arrow::DataType>& type, int64_t rows, Pick pick) {
  auto made = arrow::MakeBuilder(type);
  if (!made.ok()) return FromArrow(made.status());
  auto& builder = **made;
  for (int64_t row = 0; row < rows; ++row) {
    const arrow::Array* from = pick(row);
    if (from == nullptr) continue;
    auto status = builder.AppendArraySlice(*from->data(), row, 1);
    if (!status.ok()) return FromArrow(status);
  }
  auto out = builder.Finish();
  if (!out.ok()) return FromArrow(out.status());
  return *out;
}

}  // namespace

Result<CastResult> CastColumn(const BatchColumn& column, ColumnType type, ColumnRole role) {
  if (column.type == type) {
    if (type != ColumnType::kString || (column.role == ColumnRole::kTag) == (role == ColumnRole::kTag)) {
      return CastResult{column.values, {}};
    }
    return ChangeStringRole(column, role);
  }
  if (column.type == ColumnType::kInt64 && type == ColumnType::kDouble) {
    return CastEach<arrow::Int64Array, arrow::DoubleBuilder>(column, [](int64_t v, int64_t, double* out) {
      *out = static_cast<double>(v);
      return true;
    });
  }
  if (column.type == ColumnType::kUInt64 && type == ColumnType::kDouble) {
    return CastEach<arrow::UInt64Array, arrow::DoubleBuilder>(column, [](uint64_t v, int64_t, double* out) {
      *out = static_cast<double>(v);
      return true;
    });
  }
  if (column.type == ColumnType::kInt64 && type == ColumnType::kUInt64) {
    return CastEach<arrow::Int64Array, arrow::UInt64Builder>(column, [](int64_t v, int64_t, uint64_t* out) {
      *out = static_cast<uint64_t>(v);
      return v >= 0;
    });
  }
  if (column.type == ColumnType::kUInt64 && type == ColumnType::kInt64) {
    return CastEach<arrow::UInt64Array, arrow::Int64Builder>(column, [](uint64_t v, int64_t, int64_t* out) {
      *out = static_cast<int64_t>(v);
      return v <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    });
  }
  if (column.type == ColumnType::kDouble && (type == ColumnType::kInt64 || type == ColumnType::kUInt64)) {
    return CastDoubleToInteger(column, type);
  }
  return RefuseAll(column, type, role);
}

Result<std::shared_ptr<arrow::Array>> FirstNonNull(const arrow::Array& first, const arrow::Array& second,
                                                   ColumnType type, ColumnRole role) {
  if (role == ColumnRole::kTag) return MergeTags(first, second);
  return Gather(BatchArrowType(type, role), first.length(),
                [&](int64_t row) { return first.IsNull(row) ? &second : &first; });
}

Status KeepRows(const std::vector<char>& refused, Batch* batch) {
  auto kept = static_cast<int64_t>(std::count(refused.begin(), refused.end(), char{0}));
  for (auto& column : batch->columns) {
    const arrow::Array* values = column.values.get();
    auto keep = [&](int64_t row) { return refused[static_cast<size_t>(row)] ? nullptr : values; };
    if (column.role != ColumnRole::kTag) {
      ARC_ASSIGN_OR_RETURN(column.values, Gather(column.values->type(), batch->rows, keep));
      continue;
    }
    const auto& tag = static_cast<const arrow::DictionaryArray&>(*values);
    const arrow::Array* codes = tag.indices().get();
    ARC_ASSIGN_OR_RETURN(auto kept_codes, Gather(codes->type(), batch->rows, [&](int64_t row) {
                           return refused[static_cast<size_t>(row)] ? nullptr : codes;
                         }));
    column.values = std::make_shared<arrow::DictionaryArray>(values->type(), kept_codes, tag.dictionary());
  }
  std::vector<uint32_t> positions;
  for (size_t row = 0; row < refused.size() && !batch->positions.empty(); ++row) {
    if (!refused[row]) positions.push_back(batch->positions[row]);
  }
  batch->positions = std::move(positions);
  batch->rows = kept;
  return {};
}

void SetTimeRange(Batch* batch) {
  const auto& times = static_cast<const arrow::TimestampArray&>(*batch->columns[0].values);
  const int64_t* values = times.raw_values();
  auto [low, high] = std::minmax_element(values, values + times.length());
  batch->min_time = *low;
  batch->max_time = *high;
}

}  // namespace arc
