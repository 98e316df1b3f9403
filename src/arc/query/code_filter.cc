#include "arc/query/code_filter.h"

#include <algorithm>

#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/table_filter_state.hpp"
#include "duckdb/storage/table/column_segment.hpp"

namespace arc {
namespace {

// Bounds that move while the scan runs are out, and so are expressions, which may fail on values that no row has.
bool DependsOnValueAlone(const duckdb::TableFilter& filter) {
  auto all = [](const auto& filters) {
    return std::all_of(filters.begin(), filters.end(), [](const auto& child) { return DependsOnValueAlone(*child); });
  };
  switch (filter.filter_type) {
    case duckdb::TableFilterType::CONSTANT_COMPARISON:
    case duckdb::TableFilterType::IS_NULL:
    case duckdb::TableFilterType::IS_NOT_NULL:
    case duckdb::TableFilterType::IN_FILTER: return true;
    case duckdb::TableFilterType::CONJUNCTION_AND:
      return all(filter.Cast<duckdb::ConjunctionAndFilter>().child_filters);
    case duckdb::TableFilterType::CONJUNCTION_OR: return all(filter.Cast<duckdb::ConjunctionOrFilter>().child_filters);
    default: return false;
  }
}

PassingCodes Test(duckdb::ClientContext& context, const duckdb::TableFilter& filter, duckdb::Vector& values,
                  duckdb::idx_t size) {
  PassingCodes passing(size, 0);
  auto state = duckdb::TableFilterState::Initialize(context, filter);
  for (duckdb::idx_t from = 0; from < size; from += STANDARD_VECTOR_SIZE) {
    duckdb::idx_t count = std::min<duckdb::idx_t>(STANDARD_VECTOR_SIZE, size - from);
    duckdb::Vector part(values, from, from + count);
    duckdb::UnifiedVectorFormat format;
    part.ToUnifiedFormat(count, format);
    duckdb::SelectionVector selection;
    duckdb::idx_t kept = count;
    duckdb::ColumnSegment::FilterSelection(selection, part, format, filter, *state, count, kept);
    for (duckdb::idx_t i = 0; i < kept; ++i) passing[from + selection.get_index(i)] = 1;
  }
  return passing;
}

}  // namespace

const PassingCodes* CodeFilters::Of(duckdb::ClientContext& context, const ChunkColumn& column,
                                    const duckdb::TableFilter& filter, uint32_t rows) {
  if (!column.dictionary || !DependsOnValueAlone(filter)) return nullptr;
  std::lock_guard lock(mutex_);
  auto& made = made_[{column.dictionary.get(), &filter}];
  if (!made && column.dictionary->size() <= rows) {
    auto values = dictionaries_.Of(*column.dictionary);
    made = std::make_unique<const PassingCodes>(Test(context, filter, values->data, values->size.GetIndex()));
  }
  return made.get();
}

void SelectByCode(const ChunkColumn& column, uint32_t from, const PassingCodes& passing,
                  duckdb::SelectionVector* selection, duckdb::idx_t* kept) {
  const uint32_t* codes = static_cast<const uint32_t*>(column.values) + from;
  const auto null_passes = static_cast<uint8_t>(passing.back());
  duckdb::SelectionVector result(STANDARD_VECTOR_SIZE);
  duckdb::idx_t count = 0;
  for (duckdb::idx_t i = 0; i < *kept; ++i) {
    duckdb::idx_t row = selection->get_index(i);
    uint8_t passes = passing[codes[row]];
    if (column.validity != nullptr) {
      uint64_t word = column.validity[(from + row) / 64].load(std::memory_order_relaxed);
      if ((word >> (row % 64) & 1) == 0) passes = null_passes;
    }
    // Without a branch: the place is overwritten unless the row stays.
    result.set_index(count, row);
    count += passes;
  }
  selection->Initialize(result);
  *kept = count;
}

}  // namespace arc
