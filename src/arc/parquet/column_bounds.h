// Counts and bounds of one column while its arrays pass by: what Iceberg records of a data file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/model/data_file.h"
#include "arc/model/schema.h"

namespace arrow {
class Array;
}

namespace arc {

// Not thread-safe. Keeps no hold on the arrays.
class ColumnBounds {
 public:
  explicit ColumnBounds(ColumnType type) : type_(type) {}
  ColumnBounds(const ColumnBounds&) = delete;  // views point into members
  ColumnBounds& operator=(const ColumnBounds&) = delete;

  // `array` is of the batch type of the column, but no tag.
  void Add(const arrow::Array& array);
  // Everything but `bytes`.
  ColumnMetrics Finish() const;

  // For a tag: counts only; the values come from AddUsedValue, once per distinct value.
  void AddCounts(int64_t values, int64_t nulls);
  void AddUsedValue(std::string_view value);

  int64_t nans() const { return nans_; }
  int64_t min_integer() const { return min_integer_; }
  int64_t max_integer() const { return max_integer_; }

 private:
  void AddIntegers(const arrow::Array& array);
  void AddUnsigned(const arrow::Array& array);
  void AddDoubles(const arrow::Array& array);
  void AddBools(const arrow::Array& array);
  void AddStrings(const arrow::Array& array);
  void AddString(std::string_view value);
  void KeepStrings();

  const ColumnType type_;
  int64_t values_ = 0;
  int64_t nulls_ = 0;
  int64_t nans_ = 0;
  bool bounded_ = false;  // there is a value with an order: neither null nor NaN
  int64_t min_integer_ = INT64_MAX;
  int64_t max_integer_ = INT64_MIN;
  uint64_t min_unsigned_ = UINT64_MAX;
  uint64_t max_unsigned_ = 0;
  double min_double_ = 0;
  double max_double_ = 0;
  bool has_false_ = false;
  bool has_true_ = false;
  std::string_view min_string_;  // of the array at hand, or of the kept string
  std::string_view max_string_;
  std::string min_kept_;
  std::string max_kept_;
  uint64_t min_prefix_ = 0;  // first eight bytes, big-endian: settles most comparisons
  uint64_t max_prefix_ = 0;
};

}  // namespace arc
