#include "arc/query/delete_plan.h"

#include <algorithm>
#include <optional>

#include "arc/query/arc_catalog.h"
#include "arc/query/file_list.h"
#include "arc/query/time_filter.h"
#include "duckdb/common/multi_file/multi_file_states.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/constant_filter.hpp"
#include "duckdb/planner/operator/logical_get.hpp"

namespace arc {
namespace {

bool IsTimestamp(const duckdb::Value& value) {
  return !value.IsNull() && value.type() == duckdb::LogicalType::TIMESTAMP;
}

// Whether RangesOfFilter tells exactly which times pass: no more than those, either.
bool IsExact(const duckdb::TableFilter& filter) {
  const auto all_exact = [](const auto& children) {
    return std::all_of(children.begin(), children.end(), [](const auto& child) { return IsExact(*child); });
  };
  switch (filter.filter_type) {
    case duckdb::TableFilterType::CONSTANT_COMPARISON: {
      const auto& comparison = filter.Cast<duckdb::ConstantFilter>();
      switch (comparison.comparison_type) {
        case duckdb::ExpressionType::COMPARE_EQUAL:
        case duckdb::ExpressionType::COMPARE_LESSTHAN:
        case duckdb::ExpressionType::COMPARE_LESSTHANOREQUALTO:
        case duckdb::ExpressionType::COMPARE_GREATERTHAN:
        case duckdb::ExpressionType::COMPARE_GREATERTHANOREQUALTO: return IsTimestamp(comparison.constant);
        default: return false;
      }
    }
    case duckdb::TableFilterType::CONJUNCTION_AND:
      return all_exact(filter.Cast<duckdb::ConjunctionAndFilter>().child_filters);
    // An OR of many intervals becomes their hull.
    default: return false;
  }
}

// The times that match, when the scan's filters say so and nothing else does.
std::optional<TimeRanges> MatchingTimes(const duckdb::LogicalGet& scan) {
  TimeRanges times = TimeRanges::All();
  for (const auto& [column, filter] : scan.table_filters.filters) {
    if (column != kTimeColumn || !IsExact(*filter)) return std::nullopt;
    times = times.And(RangesOfFilter(*filter));
  }
  return times;
}

void TakeWholeFiles(duckdb::OptimizerExtensionInput& input, duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  const auto target = ClientState::Of(input.context).delete_target;
  if (target == nullptr) return;
  target->whole_files.clear();
  duckdb::LogicalOperator* op = plan.get();
  while (op->type == duckdb::LogicalOperatorType::LOGICAL_PROJECTION) op = op->children[0].get();
  if (op->type != duckdb::LogicalOperatorType::LOGICAL_GET) return;
  auto& scan = op->Cast<duckdb::LogicalGet>();
  const auto* table = dynamic_cast<const ArcTableEntry*>(scan.GetTable().get());
  if (table == nullptr || !table->is_delete_target()) return;
  const auto times = MatchingTimes(scan);
  if (!times) return;
  auto& files = scan.bind_data->Cast<duckdb::MultiFileBindData>().file_list->Cast<ArcFileList>();
  target->whole_files = files.TakeFilesWithin(*times);
}

}  // namespace

void RegisterDeletePlan(duckdb::DBConfig& config) {
  duckdb::OptimizerExtension extension;
  extension.optimize_function = TakeWholeFiles;
  duckdb::OptimizerExtension::Register(config, extension);
}

}  // namespace arc
