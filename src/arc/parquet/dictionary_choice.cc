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

bool DictionaryPays(const std::vector<std::shared_ptr<arrow::Array>>& arrays) {
  int64_t rows = 0;
  for (const auto& array : arrays) rows += array->length();
  const int64_t step = rows / kSampleRows;
  if (step < 2) return true;
  std::vector<uint64_t> sample;
  sample.reserve(kSampleRows + 1);
  int64_t start = 0;
  for (const auto& array : arrays) {
    // The first multiple of `step` at or after this array's first row.
    for (int64_t row = (start + step - 1) / step * step - start; row < array->length(); row += step) {
      if (array->IsValid(row)) sample.push_back(Fingerprint(*array, row));
    }
    start += array->length();
  }
  std::sort(sample.begin(), sample.end());
  sample.erase(std::unique(sample.begin(), sample.end()), sample.end());
  return sample.size() <= kMaxDistinct;
}

}  // namespace arc
