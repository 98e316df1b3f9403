// A committed or about-to-be-committed data file: values that the Parquet writer measures and Iceberg records.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace arc {

// Iceberg column metrics of one file, keyed by field id. Bounds are Iceberg single-value binary
// (https://iceberg.apache.org/spec/#binary-single-value-serialization); strings are cut to 16 code points (upper
// bounds rounded up, dropped when that is impossible). A column with NaN has no bounds taken from NaN.
struct ColumnMetrics {
  int64_t bytes = 0;
  int64_t values = 0;  // nulls included
  int64_t nulls = 0;
  std::optional<int64_t> nans;  // float columns only
  std::optional<std::string> lower;
  std::optional<std::string> upper;
};

struct WrittenFile {
  std::string key;
  int64_t bytes = 0;
  int64_t rows = 0;
  int64_t min_time = 0;  // µs
  int64_t max_time = 0;
  std::map<int32_t, ColumnMetrics> metrics;
  std::vector<int64_t> split_offsets;  // starts of the row groups
};

}  // namespace arc
