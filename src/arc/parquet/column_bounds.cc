#include "arc/parquet/column_bounds.h"

#include <arrow/array.h>
#include <arrow/util/bit_run_reader.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "arc/parquet/single_value.h"

namespace arc {
namespace {

// Calls visit(first, count) for each run of valid rows.
template <typename Visit>
void ForEachValidRun(const arrow::Array& array, Visit&& visit) {
  if (array.null_count() == 0) {
    if (array.length() > 0) visit(0, array.length());
    return;
  }
  arrow::internal::VisitSetBitRunsVoid(array.null_bitmap_data(), array.offset(), array.length(), visit);
}

// The first eight bytes as a big-endian number, zero-padded: orders as the bytes do, except for ties.
uint64_t Prefix(std::string_view value) {
  uint64_t word = 0;
  if (value.size() >= sizeof(word)) {
    std::memcpy(&word, value.data(), sizeof(word));
  } else if (!value.empty()) {
    std::memcpy(&word, value.data(), value.size());
  }
  return __builtin_bswap64(word);
}

// Four independent chains: one would wait for the latency of each comparison. NaN loses every comparison.
struct DoubleRange {
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  int64_t nans = 0;

  void Add(const double* values, int64_t count) {
    double low[4] = {min, min, min, min};
    double high[4] = {max, max, max, max};
    int64_t unordered[4] = {0, 0, 0, 0};
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
      for (int lane = 0; lane < 4; ++lane) {
        const double value = values[i + lane];
        low[lane] = value < low[lane] ? value : low[lane];
        high[lane] = value > high[lane] ? value : high[lane];
        unordered[lane] += value != value;
      }
    }
    for (; i < count; ++i) {
      low[0] = values[i] < low[0] ? values[i] : low[0];
      high[0] = values[i] > high[0] ? values[i] : high[0];
      unordered[0] += values[i] != values[i];
    }
    min = std::min(std::min(low[0], low[1]), std::min(low[2], low[3]));
    max = std::max(std::max(high[0], high[1]), std::max(high[2], high[3]));
    nans += unordered[0] + unordered[1] + unordered[2] + unordered[3];
  }
};

}  // namespace

void ColumnBounds::AddCounts(int64_t values, int64_t nulls) {
  values_ += values;
  nulls_ += nulls;
}

void ColumnBounds::Add(const arrow::Array& array) {
  AddCounts(array.length(), array.null_count());
  switch (type_) {
    case ColumnType::kTimestamp:
    case ColumnType::kInt64: AddIntegers(array); return;
    case ColumnType::kUInt64: AddUnsigned(array); return;
    case ColumnType::kDouble: AddDoubles(array); return;
    case ColumnType::kBool: AddBools(array); return;
    case ColumnType::kString: AddStrings(array); return;
  }
}

void ColumnBounds::AddIntegers(const arrow::Array& array) {
  const auto* values = array.data()->GetValues<int64_t>(1);
  int64_t low = min_integer_;
  int64_t high = max_integer_;
  ForEachValidRun(array, [&](int64_t first, int64_t count) {
    bounded_ = true;
    for (int64_t i = first; i < first + count; ++i) {
      low = std::min(low, values[i]);
      high = std::max(high, values[i]);
    }
  });
  min_integer_ = low;
  max_integer_ = high;
}

void ColumnBounds::AddUnsigned(const arrow::Array& array) {
  const auto* values = array.data()->GetValues<uint64_t>(1);
  ForEachValidRun(array, [&](int64_t first, int64_t count) {
    bounded_ = true;
    for (int64_t i = first; i < first + count; ++i) {
      min_unsigned_ = std::min(min_unsigned_, values[i]);
      max_unsigned_ = std::max(max_unsigned_, values[i]);
    }
  });
}

void ColumnBounds::AddDoubles(const arrow::Array& array) {
  const auto* values = array.data()->GetValues<double>(1);
  DoubleRange range;
  int64_t seen = 0;
  ForEachValidRun(array, [&](int64_t first, int64_t count) {
    range.Add(values + first, count);
    seen += count;
  });
  nans_ += range.nans;
  if (seen == range.nans) return;
  min_double_ = bounded_ ? std::min(min_double_, range.min) : range.min;
  max_double_ = bounded_ ? std::max(max_double_, range.max) : range.max;
  bounded_ = true;
}

void ColumnBounds::AddBools(const arrow::Array& array) {
  const auto& bools = static_cast<const arrow::BooleanArray&>(array);
  const int64_t trues = bools.true_count();
  has_true_ |= trues > 0;
  has_false_ |= array.length() - array.null_count() > trues;
  bounded_ = has_true_ || has_false_;
}

void ColumnBounds::AddStrings(const arrow::Array& array) {
  const auto& strings = static_cast<const arrow::StringArray&>(array);
  ForEachValidRun(array, [&](int64_t first, int64_t count) {
    for (int64_t i = first; i < first + count; ++i) AddString(strings.GetView(i));
  });
  KeepStrings();
}

void ColumnBounds::AddUsedValue(std::string_view value) {
  AddString(value);
  KeepStrings();
}

void ColumnBounds::KeepStrings() {
  if (min_string_.data() != min_kept_.data()) min_kept_ = min_string_;
  if (max_string_.data() != max_kept_.data()) max_kept_ = max_string_;
  min_string_ = min_kept_;
  max_string_ = max_kept_;
}

void ColumnBounds::AddString(std::string_view value) {
  const uint64_t prefix = Prefix(value);
  if (!bounded_) {
    bounded_ = true;
    min_string_ = max_string_ = value;
    min_prefix_ = max_prefix_ = prefix;
    return;
  }
  if (prefix < min_prefix_ || (prefix == min_prefix_ && value < min_string_)) {
    min_string_ = value;
    min_prefix_ = prefix;
  }
  if (prefix > max_prefix_ || (prefix == max_prefix_ && value > max_string_)) {
    max_string_ = value;
    max_prefix_ = prefix;
  }
}

ColumnMetrics ColumnBounds::Finish() const {
  ColumnMetrics metrics;
  metrics.values = values_;
  metrics.nulls = nulls_;
  if (type_ == ColumnType::kDouble) metrics.nans = nans_;
  if (!bounded_) return metrics;
  switch (type_) {
    case ColumnType::kTimestamp:
    case ColumnType::kInt64:
      metrics.lower = EncodeLong(min_integer_);
      metrics.upper = EncodeLong(max_integer_);
      break;
    case ColumnType::kUInt64:
      metrics.lower = EncodeDecimal(min_unsigned_);
      metrics.upper = EncodeDecimal(max_unsigned_);
      break;
    case ColumnType::kDouble:
      // In Iceberg's order -0.0 stands below 0.0, in ours they are equal: widened, either zero is inside.
      metrics.lower = EncodeDouble(min_double_ == 0 ? -0.0 : min_double_);
      metrics.upper = EncodeDouble(max_double_ == 0 ? 0.0 : max_double_);
      break;
    case ColumnType::kBool:
      metrics.lower = EncodeBool(!has_false_);
      metrics.upper = EncodeBool(has_true_);
      break;
    case ColumnType::kString:
      metrics.lower = std::string(LowerStringBound(min_string_));
      metrics.upper = UpperStringBound(max_string_);
      break;
  }
  return metrics;
}

}  // namespace arc
