// Filters on tags, answered by code: each distinct value is tested once, each row by one look-up.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "arc/query/hot_vectors.h"
#include "duckdb/main/client_context.hpp"
#include "duckdb/planner/table_filter.hpp"

namespace arc {

// Entry i: whether code i passes; the last entry: whether NULL does.
using PassingCodes = std::vector<uint8_t>;

// Of one scan. Thread-safe.
class CodeFilters {
 public:
  explicit CodeFilters(DuckDictionaries& dictionaries) : dictionaries_(dictionaries) {}

  // Which codes of `column` pass `filter`; null when the rows must be tested one by one: the column has no dictionary
  // or one with more values than `rows`, or the filter does not depend on the value alone. `filter` and the column's
  // dictionary outlive this.
  const PassingCodes* Of(duckdb::ClientContext& context, const ChunkColumn& column, const duckdb::TableFilter& filter,
                         uint32_t rows);

 private:
  DuckDictionaries& dictionaries_;
  std::mutex mutex_;
  std::map<std::pair<const TagDictionary*, const duckdb::TableFilter*>, std::unique_ptr<const PassingCodes>> made_;
};

// Keeps those of the `*kept` selected rows, counted from `from`, whose code passes.
void SelectByCode(const ChunkColumn& column, uint32_t from, const PassingCodes& passing,
                  duckdb::SelectionVector* selection, duckdb::idx_t* kept);

}  // namespace arc
