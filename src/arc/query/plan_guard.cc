#include "arc/query/plan_guard.h"

#include <map>

#include "arc/query/arc_catalog.h"
#include "arc/query/file_list.h"
#include "arc/query/statement.h"
#include "duckdb/common/string_util.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/planner/expression/bound_between_expression.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression/bound_operator_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/logical_operator_visitor.hpp"
#include "duckdb/planner/operator/logical_get.hpp"

namespace arc {
namespace {

using duckdb::Expression;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;
using ExpressionPtr = duckdb::unique_ptr<Expression>;

// Queries, EXPLAIN, and CREATE TYPE, which is how PIVOT collects its values. Anything that writes, configures or loads
// is numbered higher in DuckDB's list, but for the two COPYs.
bool IsAllowedOperator(LogicalOperatorType type) {
  if (type == LogicalOperatorType::LOGICAL_COPY_TO_FILE || type == LogicalOperatorType::LOGICAL_COPY_DATABASE) {
    return false;
  }
  return type < LogicalOperatorType::LOGICAL_INSERT || type == LogicalOperatorType::LOGICAL_EXPLAIN ||
         type == LogicalOperatorType::LOGICAL_CREATE_TYPE;
}

// Throws unless the principal may read what the operator reads.
void Authorise(LogicalOperator& op, const Principal& principal) {
  if (!IsAllowedOperator(op.type)) {
    throw duckdb::PermissionException("The statement would change something; only queries are allowed");
  }
  if (op.type != LogicalOperatorType::LOGICAL_GET) return;
  auto& get = op.Cast<duckdb::LogicalGet>();
  auto table = get.GetTable();
  if (!table) {
    if (IsAllowedTableFunction(duckdb::StringUtil::Lower(get.function.name))) return;
    throw duckdb::PermissionException(
        "The table function %s() is not allowed: queries read tables, not files or the server's own state",
        get.function.name);
  }
  if (table->ParentCatalog().GetName() == kArcCatalog && principal.CanRead(table->ParentSchema().name)) return;
  throw duckdb::PermissionException("Table \"%s.%s\" cannot be read with this token", table->ParentSchema().name,
                                    table->name);
}

// The TIMESTAMP below `CAST(x AS TIMESTAMPTZ)`; null for anything else.
ExpressionPtr* PlainTimestamp(ExpressionPtr& expression) {
  if (expression->return_type != duckdb::LogicalType::TIMESTAMP_TZ ||
      expression->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CAST) {
    return nullptr;
  }
  auto& child = expression->Cast<duckdb::BoundCastExpression>().child;
  return child->return_type == duckdb::LogicalType::TIMESTAMP ? &child : nullptr;
}

// Sessions run in UTC, where the cast between TIMESTAMP and TIMESTAMPTZ changes no value: `x` loses its cast, or gets
// one the other way.
void MakePlain(duckdb::ClientContext& context, ExpressionPtr& expression) {
  if (ExpressionPtr* plain = PlainTimestamp(expression)) {
    expression = std::move(*plain);
  } else {
    expression =
        duckdb::BoundCastExpression::AddCastToType(context, std::move(expression), duckdb::LogicalType::TIMESTAMP);
  }
}

class PlanGuard : public duckdb::LogicalOperatorVisitor {
 public:
  PlanGuard(duckdb::ClientContext& context, const Principal& principal) : context_(context), principal_(principal) {}

  void Run(LogicalOperator& plan) {
    Inspect(plan);
    VisitOperator(plan);
  }

  void VisitExpression(ExpressionPtr* expression) override { Rewrite(*expression); }

 private:
  using Binding = std::pair<duckdb::idx_t, duckdb::idx_t>;

  void Inspect(LogicalOperator& op) {
    Authorise(op, principal_);
    if (op.type == LogicalOperatorType::LOGICAL_GET) ResolveAlias(op.Cast<duckdb::LogicalGet>());
    for (auto& child : op.children) Inspect(*child);
  }

  // `timestamp` becomes `time`. Where both are read, references to the one are turned to the other.
  void ResolveAlias(duckdb::LogicalGet& get) {
    auto& ids = get.GetMutableColumnIds();
    size_t alias = ids.size();
    size_t time = ids.size();
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i].GetPrimaryIndex() == kTimestampAlias) alias = i;
      if (ids[i].GetPrimaryIndex() == kTimeColumn) time = i;
    }
    if (alias == ids.size()) return;
    if (time == ids.size()) {
      ids[alias] = duckdb::ColumnIndex(kTimeColumn);
    } else {
      // The place stays, for the places after it are referred to by number; nothing reads it any more.
      ids[alias] = duckdb::ColumnIndex(duckdb::COLUMN_IDENTIFIER_EMPTY);
      renamed_[{get.table_index, alias}] = time;
    }
  }

  void Rewrite(ExpressionPtr& expression) {
    duckdb::ExpressionIterator::EnumerateChildren(*expression, [&](ExpressionPtr& child) { Rewrite(child); });
    switch (expression->GetExpressionClass()) {
      case duckdb::ExpressionClass::BOUND_COLUMN_REF: {
        auto& binding = expression->Cast<duckdb::BoundColumnRefExpression>().binding;
        auto found = renamed_.find({binding.table_index, binding.column_index});
        if (found != renamed_.end()) binding.column_index = found->second;
        break;
      }
      case duckdb::ExpressionClass::BOUND_FUNCTION: {
        const auto& name = expression->Cast<duckdb::BoundFunctionExpression>().function.name;
        if (IsForbiddenFunction(duckdb::StringUtil::Lower(name))) {
          throw duckdb::PermissionException("The function %s() is not allowed", name);
        }
        break;
      }
      case duckdb::ExpressionClass::BOUND_COMPARISON: {
        auto& comparison = expression->Cast<duckdb::BoundComparisonExpression>();
        if (PlainTimestamp(comparison.left) != nullptr || PlainTimestamp(comparison.right) != nullptr) {
          MakePlain(context_, comparison.left);
          MakePlain(context_, comparison.right);
        }
        break;
      }
      case duckdb::ExpressionClass::BOUND_BETWEEN: {
        auto& between = expression->Cast<duckdb::BoundBetweenExpression>();
        if (PlainTimestamp(between.input) != nullptr) {
          MakePlain(context_, between.input);
          MakePlain(context_, between.lower);
          MakePlain(context_, between.upper);
        }
        break;
      }
      case duckdb::ExpressionClass::BOUND_OPERATOR: {
        auto& in = expression->Cast<duckdb::BoundOperatorExpression>();
        bool is_in = expression->GetExpressionType() == duckdb::ExpressionType::COMPARE_IN ||
                     expression->GetExpressionType() == duckdb::ExpressionType::COMPARE_NOT_IN;
        if (is_in && PlainTimestamp(in.children[0]) != nullptr) {
          for (auto& child : in.children) MakePlain(context_, child);
        }
        break;
      }
      default: break;
    }
  }

  duckdb::ClientContext& context_;
  const Principal& principal_;
  std::map<Binding, duckdb::idx_t> renamed_;
};

void Check(duckdb::OptimizerExtensionInput& input, duckdb::unique_ptr<LogicalOperator>& plan) {
  const ClientState& client = ClientState::Of(input.context);
  if (!client.trusted) PlanGuard(input.context, client.principal).Run(*plan);
}

}  // namespace

void RegisterPlanGuard(duckdb::DBConfig& config) {
  duckdb::OptimizerExtension guard;
  guard.pre_optimize_function = Check;
  duckdb::OptimizerExtension::Register(config, guard);
}

}  // namespace arc
