// What DuckDB's filters and predicates say about `time`. Answers are supersets: "cannot tell" is all of time.
#pragma once

#include <functional>

#include "arc/query/time_ranges.h"
#include "duckdb/planner/expression.hpp"
#include "duckdb/planner/table_filter.hpp"

namespace arc {

// A filter pushed into the scan of the time column. Dynamic filters count with their bound of this moment.
TimeRanges RangesOfFilter(const duckdb::TableFilter& filter);

// A predicate over a table; `is_time` recognises its time column.
TimeRanges RangesOfPredicate(const duckdb::Expression& predicate,
                             const std::function<bool(const duckdb::Expression&)>& is_time);

}  // namespace arc
