#include "arc/query/time_filter.h"

#include <cmath>
#include <mutex>
#include <optional>

#include "duckdb/planner/expression/bound_between_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_conjunction_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression/bound_operator_expression.hpp"
#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/constant_filter.hpp"
#include "duckdb/planner/filter/dynamic_filter.hpp"
#include "duckdb/planner/filter/expression_filter.hpp"
#include "duckdb/planner/filter/in_filter.hpp"
#include "duckdb/planner/filter/optional_filter.hpp"

namespace arc {
namespace {

using duckdb::ExpressionType;
using IsTime = std::function<bool(const duckdb::Expression&)>;

std::optional<int64_t> MicrosOf(const duckdb::Value& value) {
  if (value.IsNull() || value.type() != duckdb::LogicalType::TIMESTAMP) return std::nullopt;
  return value.GetValueUnsafe<duckdb::timestamp_t>().value;
}

// Times for which `unit(time) <comparison> [from, to]` can hold, where [from, to] are the µs of one unit.
TimeRanges RangesOfComparison(ExpressionType comparison, int64_t from, int64_t to) {
  switch (comparison) {
    case ExpressionType::COMPARE_EQUAL:
    case ExpressionType::COMPARE_NOT_DISTINCT_FROM: return TimeRanges::Between(from, to);
    case ExpressionType::COMPARE_GREATERTHAN: return TimeRanges::After(to);
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO: return TimeRanges::Between(from, INT64_MAX);
    case ExpressionType::COMPARE_LESSTHAN: return TimeRanges::Before(from);
    case ExpressionType::COMPARE_LESSTHANOREQUALTO: return TimeRanges::Between(INT64_MIN, to);
    default: return TimeRanges::All();
  }
}

TimeRanges RangesOfComparison(ExpressionType comparison, const duckdb::Value& value) {
  std::optional<int64_t> time = MicrosOf(value);
  return time ? RangesOfComparison(comparison, *time, *time) : TimeRanges::All();
}

const duckdb::Value* ConstantOf(const duckdb::Expression& expression) {
  if (expression.GetExpressionType() != ExpressionType::VALUE_CONSTANT) return nullptr;
  return &expression.Cast<duckdb::BoundConstantExpression>().value;
}

// epoch(time), epoch_ms(time) and epoch_us(time) against a number: they never decrease as time grows.
TimeRanges RangesOfEpoch(ExpressionType comparison, const duckdb::Expression& left, const duckdb::Value& value,
                         const IsTime& is_time) {
  if (left.GetExpressionType() != ExpressionType::BOUND_FUNCTION || value.IsNull()) return TimeRanges::All();
  const auto& function = left.Cast<duckdb::BoundFunctionExpression>();
  if (function.children.size() != 1 || !is_time(*function.children[0])) return TimeRanges::All();
  constexpr int64_t kSafe = INT64_MAX / 4'000'000;
  if (function.function.name == "epoch_us" && value.type() == duckdb::LogicalType::BIGINT) {
    int64_t time = value.GetValue<int64_t>();
    return RangesOfComparison(comparison, time, time);
  }
  if (function.function.name == "epoch_ms" && value.type() == duckdb::LogicalType::BIGINT) {
    int64_t milliseconds = value.GetValue<int64_t>();
    if (milliseconds < -kSafe || milliseconds > kSafe) return TimeRanges::All();
    // Truncated towards zero or not: a unit on each side keeps it a superset.
    return RangesOfComparison(comparison, milliseconds * 1000 - 999, milliseconds * 1000 + 999)
        .Or(RangesOfComparison(comparison, milliseconds * 1000, milliseconds * 1000));
  }
  if (function.function.name == "epoch" && value.type() == duckdb::LogicalType::DOUBLE) {
    double seconds = value.GetValue<double>();
    if (!(std::fabs(seconds) < static_cast<double>(kSafe))) return TimeRanges::All();
    // A double of today's seconds is exact to below a microsecond; a millisecond each way is ample.
    auto time = static_cast<int64_t>(seconds * 1e6);
    return RangesOfComparison(comparison, time - 1000, time - 1000)
        .Or(RangesOfComparison(comparison, time + 1000, time + 1000))
        .Or(TimeRanges::Between(time - 1000, time + 1000));
  }
  return TimeRanges::All();
}

TimeRanges RangesOfSide(ExpressionType comparison, const duckdb::Expression& left, const duckdb::Value& value,
                        const IsTime& is_time) {
  return is_time(left) ? RangesOfComparison(comparison, value) : RangesOfEpoch(comparison, left, value, is_time);
}

TimeRanges RangesOfIn(const duckdb::BoundOperatorExpression& in, const IsTime& is_time) {
  if (in.children.empty() || !is_time(*in.children[0])) return TimeRanges::All();
  TimeRanges result;
  for (size_t i = 1; i < in.children.size(); ++i) {
    const duckdb::Value* value = ConstantOf(*in.children[i]);
    if (value == nullptr) return TimeRanges::All();
    result = result.Or(RangesOfComparison(ExpressionType::COMPARE_EQUAL, *value));
  }
  return result;
}

}  // namespace

TimeRanges RangesOfFilter(const duckdb::TableFilter& filter) {
  switch (filter.filter_type) {
    case duckdb::TableFilterType::CONSTANT_COMPARISON: {
      const auto& constant = filter.Cast<duckdb::ConstantFilter>();
      return RangesOfComparison(constant.comparison_type, constant.constant);
    }
    case duckdb::TableFilterType::CONJUNCTION_AND: {
      TimeRanges result = TimeRanges::All();
      for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) {
        result = result.And(RangesOfFilter(*child));
      }
      return result;
    }
    case duckdb::TableFilterType::CONJUNCTION_OR: {
      TimeRanges result;
      for (const auto& child : filter.Cast<duckdb::ConjunctionOrFilter>().child_filters) {
        result = result.Or(RangesOfFilter(*child));
      }
      return result;
    }
    case duckdb::TableFilterType::IN_FILTER: {
      TimeRanges result;
      for (const auto& value : filter.Cast<duckdb::InFilter>().values) {
        result = result.Or(RangesOfComparison(ExpressionType::COMPARE_EQUAL, value));
      }
      return result;
    }
    case duckdb::TableFilterType::OPTIONAL_FILTER: {
      const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter;
      return child ? RangesOfFilter(*child) : TimeRanges::All();
    }
    case duckdb::TableFilterType::DYNAMIC_FILTER: {
      const auto& data = filter.Cast<duckdb::DynamicFilter>().filter_data;
      if (!data) return TimeRanges::All();
      std::lock_guard lock(data->lock);
      return data->initialized && data->filter ? RangesOfFilter(*data->filter) : TimeRanges::All();
    }
    case duckdb::TableFilterType::EXPRESSION_FILTER:
      return RangesOfPredicate(*filter.Cast<duckdb::ExpressionFilter>().expr, [](const duckdb::Expression& expression) {
        return expression.GetExpressionType() == ExpressionType::BOUND_REF;
      });
    default: return TimeRanges::All();
  }
}

TimeRanges RangesOfPredicate(const duckdb::Expression& predicate, const IsTime& is_time) {
  switch (predicate.GetExpressionClass()) {
    case duckdb::ExpressionClass::BOUND_CONJUNCTION: {
      bool any = predicate.GetExpressionType() == ExpressionType::CONJUNCTION_OR;
      TimeRanges result = any ? TimeRanges::None() : TimeRanges::All();
      for (const auto& child : predicate.Cast<duckdb::BoundConjunctionExpression>().children) {
        TimeRanges one = RangesOfPredicate(*child, is_time);
        result = any ? result.Or(one) : result.And(one);
      }
      return result;
    }
    case duckdb::ExpressionClass::BOUND_BETWEEN: {
      const auto& between = predicate.Cast<duckdb::BoundBetweenExpression>();
      TimeRanges result = TimeRanges::All();
      if (const duckdb::Value* lower = ConstantOf(*between.lower)) {
        result = result.And(RangesOfSide(between.LowerComparisonType(), *between.input, *lower, is_time));
      }
      if (const duckdb::Value* upper = ConstantOf(*between.upper)) {
        result = result.And(RangesOfSide(between.UpperComparisonType(), *between.input, *upper, is_time));
      }
      return result;
    }
    case duckdb::ExpressionClass::BOUND_COMPARISON: {
      const auto& comparison = predicate.Cast<duckdb::BoundComparisonExpression>();
      const duckdb::Expression* left = comparison.left.get();
      const duckdb::Value* value = ConstantOf(*comparison.right);
      ExpressionType type = predicate.GetExpressionType();
      if (value == nullptr) {
        left = comparison.right.get();
        value = ConstantOf(*comparison.left);
        if (value == nullptr) return TimeRanges::All();
        type = duckdb::FlipComparisonExpression(type);
      }
      return RangesOfSide(type, *left, *value, is_time);
    }
    case duckdb::ExpressionClass::BOUND_OPERATOR:
      if (predicate.GetExpressionType() != ExpressionType::COMPARE_IN) return TimeRanges::All();
      return RangesOfIn(predicate.Cast<duckdb::BoundOperatorExpression>(), is_time);
    default: return TimeRanges::All();
  }
}

}  // namespace arc
