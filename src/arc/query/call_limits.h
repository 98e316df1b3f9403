// The scalar functions of DuckDB whose calls can grow beyond any bound, and what a call of each may cost.
#pragma once

#include <string_view>
#include <vector>

#include "duckdb/common/types/data_chunk.hpp"

namespace arc {

// What a call may make or take. Beyond it the query fails with an error that names the function and the limit.
inline constexpr double kMaxCallTextBytes = 64 << 20;
inline constexpr double kMaxCallListElements = 4 << 20;
inline constexpr double kMaxCallSteps = 2e8;  // comparisons of two bytes and the like: half a second
inline constexpr double kMaxJsonDepth = 1000;
// Of a format or a structure that is read while the statement is planned.
inline constexpr size_t kMaxBoundTextBytes = 64 << 10;
inline constexpr double kMaxRegexSize = 10'000;  // letters and sets, as often as repeated

// The arguments of one vector of calls, which outlive this.
class CallArguments {
 public:
  explicit CallArguments(duckdb::DataChunk& arguments);

  size_t count() const { return columns_.size(); }
  bool AllValid(duckdb::idx_t row) const;
  bool IsText(size_t column) const;  // or a blob
  std::string_view Text(size_t column, duckdb::idx_t row) const;
  // Of whole numbers and times; 0 for anything else.
  double Number(size_t column, duckdb::idx_t row) const;
  // Of an interval in microseconds, months taken as short as they get.
  double Interval(size_t column, duckdb::idx_t row) const;
  bool IsInterval(size_t column) const;
  // Elements of a list; 0 for anything else.
  double Length(size_t column, duckdb::idx_t row) const;

 private:
  template <typename T>
  T Value(size_t column, duckdb::idx_t row) const {
    const duckdb::UnifiedVectorFormat& format = columns_[column];
    return duckdb::UnifiedVectorFormat::GetData<T>(format)[format.sel->get_index(row)];
  }

  std::vector<duckdb::UnifiedVectorFormat> columns_;
  std::vector<duckdb::PhysicalType> types_;
};

struct CallLimit {
  double (*cost)(const CallArguments& arguments, duckdb::idx_t row);  // of one call, at most; no argument is NULL
  double most;                                                        // for one call
  double at_once;  // for the calls of several rows without a look for an interrupt in between
  const char* unit;
};

bool TakesRegex(std::string_view function);

// What bounds the calls of `function`; empty when its arguments' size does.
std::vector<const CallLimit*> FindCallLimits(std::string_view function);

}  // namespace arc
