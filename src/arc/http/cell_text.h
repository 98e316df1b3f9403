// Cells of Arrow arrays as text, for JSON and CSV.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "arc/base/result.h"
#include "arc/http/output_text.h"

namespace arrow {
class Array;
class Field;
}  // namespace arrow

namespace arc {

// JSON: integers, decimals and finite floats are numbers (floats always with a point or exponent), NaN and infinities
// null; timestamps "2025-01-15T14:00:00.123456" ("…Z" when the type has a zone), dates, times and ISO 8601 durations
// are strings; binary is base64; lists are arrays, structs objects, maps objects with their keys as text.
// CSV: the same text without quotes where none are needed; NaN and infinities "nan", "inf", "-inf"; nested values as
// JSON; null is empty.
enum class CellFormat : uint8_t { kJson, kCsv };

// Writes the cells of one array. Keeps the array alive; not thread-safe.
class CellWriter {
 public:
  virtual ~CellWriter() = default;
  virtual void Write(int64_t row, OutputText* out) = 0;
};

// kUnsupported names the type. `field` tells extension types that Arrow does not know ("arrow.uuid", …).
Result<std::unique_ptr<CellWriter>> MakeCellWriter(const arrow::Field& field,
                                                   const std::shared_ptr<arrow::Array>& array, CellFormat format);

// `text` as a JSON string; bytes that are not UTF-8 become U+FFFD.
void AppendJsonCell(std::string_view text, OutputText* out);
// `text` as a CSV field, quoted when it is empty or holds a comma, a quote or a line break.
void AppendCsvCell(std::string_view text, OutputText* out);

}  // namespace arc
