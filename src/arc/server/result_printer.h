// Query results on a terminal: box-drawn tables and CSV, made from Arrow batches as they arrive.
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "arc/base/result.h"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace arc {

// Fed in order: Begin once, Rows any number of times, End once. Not thread-safe.
class ResultPrinter {
 public:
  virtual ~ResultPrinter() = default;
  virtual Status Begin(const arrow::Schema& schema) = 0;
  virtual Status Rows(const arrow::RecordBatch& batch) = 0;
  // `millis`: from sending the query to its last row.
  virtual Status End(double millis) = 0;
};

// Columns as wide as their contents, numbers to the right, NULL shown as such, then the count of rows and the time
// taken. At most `max_rows` rows are kept and shown, the others counted.
std::unique_ptr<ResultPrinter> MakeTablePrinter(std::ostream& out, int64_t max_rows);
// RFC 4180 with a header line; NULL is an empty field, an empty text is "".
std::unique_ptr<ResultPrinter> MakeCsvPrinter(std::ostream& out);

// Columns a terminal needs for UTF-8 text: combining marks none, East Asian wide characters and emoji two.
int DisplayWidth(std::string_view text);

// "1,234,567".
std::string GroupDigits(int64_t number);

}  // namespace arc
