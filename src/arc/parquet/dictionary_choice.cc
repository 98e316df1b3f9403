#include "arc/parquet/dictionary_choice.h"

#include <arrow/array.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace arc {
namespace {

constexpr int64_t kSampleRows = 2048;
// A sample with more distinct values than this comes from about 16,000 values or more: hashing them all then costs more
// than the codes save.
constexpr size_t kMaxDistinct = kSampleRows * 15 / 16;

uint64_t Fingerprint(const arrow::Array& array, int64_t row) {
  if (array.type_id() == arrow::Type::STRING) {
    return std::hash<std::string_view>{}(static_cast<const arrow::StringArray&>(array).GetView(row));
  }
  return array.data()->GetValues<uint64_t>(1)[row];
}

}  // namespace

std::vector<RowRange> SampleRows(std::span<const RowRange> ranges) {
  int64_t rows = 0;
  for (const RowRange& range : ranges) rows += range.rows;
  const int64_t step = rows / kSampleRows;
  std::vector<RowRange> sample;
  if (step < 2) return sample;
  sample.reserve(static_cast<size_t>(rows / step + 1));
  int64_t next = 0;  // row to take, counted from the range's first
  for (const RowRange& range : ranges) {
    for (; next < range.rows; next += step)
      sample.push_back({range.batch, range.first + static_cast<uint32_t>(next), 1});
    next -= range.rows;
  }
  return sample;
}

bool DictionaryPays(const std::vector<std::shared_ptr<arrow::Array>>& sample) {
  std::vector<uint64_t> values;
  for (const auto& array : sample) {
    for (int64_t row = 0; row < array->length(); ++row) {
      if (array->IsValid(row)) values.push_back(Fingerprint(*array, row));
    }
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values.size() <= kMaxDistinct;
}

}  // namespace arc
