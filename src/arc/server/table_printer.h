// Query results on a terminal: box-drawn tables, made from Arrow batches as they arrive.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace arc {

// Columns as wide as their contents, numbers to the right, NULL shown as such, then the count of rows and the time
// taken. At most `max_rows` rows are kept and shown, the others counted. Fed in order: Begin once, Rows any number of
// times, End once. Not thread-safe.
class TablePrinter {
 public:
  TablePrinter(std::ostream& out, int64_t max_rows) : out_(out), max_rows_(max_rows) {}
  void Begin(const arrow::Schema& schema);
  Status Rows(const arrow::RecordBatch& batch);
  // `millis`: from sending the query to its last row.
  void End(double millis);

 private:
  void Rule(std::string_view left, std::string_view middle, std::string_view right);
  void Line(const std::vector<std::string>& cells);

  std::ostream& out_;
  const int64_t max_rows_;
  std::vector<std::string> names_;
  std::vector<bool> right_;  // aligned so
  std::vector<int> widths_;
  std::vector<std::vector<std::string>> rows_;
  int64_t total_ = 0;
};

// Columns a terminal needs for UTF-8 text: combining marks none, East Asian wide characters and emoji two.
int DisplayWidth(std::string_view text);

// "1,234,567".
std::string GroupDigits(int64_t number);

}  // namespace arc
