// CSV (RFC 4180) -> WriteRequest: the rows of one measurement.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/decode/table_body.h"
#include "arc/model/batch.h"

namespace arc {

struct CsvOptions {
  TableBodyOptions table;
  std::vector<std::string> columns;  // their names, when the body has no header line
  char delimiter = ',';
};

// Pure; any thread. Positions are line numbers from 1, where a record begins; a record that cannot be taken becomes a
// RowError that names the column, and the others stay.
// Cells: an empty one (quoted or not) is NULL. Of a field's others, whole numbers are integers (past 64 bits: doubles),
// other decimal numbers, nan and inf are doubles, true and false (also True, TRUE …) booleans, everything else is text;
// 007 is text too, since a number would lose its zeros. Quotes do not matter. A column keeps the kind that it had
// first, as in line protocol; one of text takes every cell as text. Times are RFC 3339, without a zone UTC, or numbers.
// kInvalidArgument: no header, or LayOutTableBody's reasons; more than kMaxRowErrors bad lines. kTooLarge as for line
// protocol.
Result<WriteRequest> DecodeCsv(std::string_view body, const CsvOptions& options);

}  // namespace arc
