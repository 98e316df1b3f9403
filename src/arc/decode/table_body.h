// What bodies that are one table (CSV, Arrow) share: which measurement they are for and what their columns mean.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/decode/timestamp.h"
#include "arc/model/schema.h"

namespace arc {

struct TableBodyOptions {
  std::string measurement;
  // Exactly these columns are tags. Absent: the format's own guess, which gives way to what the table already has.
  std::optional<std::vector<std::string>> tags;
  std::string time_column;                         // empty: `time`, else `timestamp`, else `_time`
  TimePrecision precision = TimePrecision::kAuto;  // of times that are bare numbers
};

struct TableBodyLayout {
  size_t time = 0;                // the column of the times
  std::vector<ColumnRole> roles;  // of each column; kField where the format may still guess a tag
};

// What columns so named mean. kInvalidArgument: a name is empty, too long, no UTF-8 or there twice; no column of times;
// a tag that is no column; more than kMaxColumns; nothing beside the times; no measurement.
Result<TableBodyLayout> LayOutTableBody(const std::vector<std::string>& names, const TableBodyOptions& options);

}  // namespace arc
