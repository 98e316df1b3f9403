#include "arc/query/bounded_functions.h"

#include <algorithm>
#include <string>

#include "arc/base/check.h"
#include "arc/query/call_cost.h"
#include "arc/query/call_limits.h"
#include "arc/query/pattern_functions.h"
#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/collate_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/execution/expression_executor_state.hpp"
#include "duckdb/main/client_context.hpp"

namespace arc {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::Vector;

// One overload of one function.
class BoundedFunction {
 public:
  BoundedFunction(std::string name, duckdb::scalar_function_t function)
      : name_(std::move(name)), limits_(FindCallLimits(name_)), function_(std::move(function)) {}

  bool has_limits() const { return !limits_.empty(); }

  void Call(DataChunk& arguments, ExpressionState& state, Vector& result) const {
    StopIfInterrupted(state);
    if (!limits_.empty()) {
      const std::vector<double> shares = Check(arguments);
      double total = 0;
      for (double share : shares) total += share;
      if (shares.size() > 1 && total > 1) {
        CallInParts(arguments, shares, state, result);
        return;
      }
    }
    function_(arguments, state, result);
  }

 private:
  static void StopIfInterrupted(ExpressionState& state) {
    if (state.HasContext() && state.GetContext().IsInterrupted()) throw duckdb::InterruptException();
  }

  // Throws if a call costs too much. Of each row, the share of what may be done at once; one for all where all are the
  // same.
  std::vector<double> Check(DataChunk& arguments) const {
    const CallArguments call(arguments);
    std::vector<double> shares(arguments.AllConstant() ? 1 : arguments.size());
    for (idx_t row = 0; row < shares.size(); ++row) {
      if (!call.AllValid(row)) continue;
      for (const CallLimit* limit : limits_) {
        const double cost = limit->cost(call, row);
        if (cost > limit->most) {
          throw duckdb::InvalidInputException("%s() with these arguments may take %.0f %s; the limit is %.0f", name_,
                                              cost, limit->unit, limit->most);
        }
        shares[row] = std::max(shares[row], cost / limit->at_once);
      }
    }
    return shares;
  }

  // As many rows at once as make up a whole, with a look for an interrupt in between.
  void CallInParts(DataChunk& arguments, const std::vector<double>& shares, ExpressionState& state,
                   Vector& result) const {
    result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
    for (idx_t from = 0, to = 0; from < shares.size(); from = to) {
      double whole = 0;
      do {
        whole += shares[to++];
      } while (to < shares.size() && whole + shares[to] <= 1);
      StopIfInterrupted(state);
      duckdb::SelectionVector rows(to - from);
      for (idx_t row = from; row < to; ++row) rows.set_index(row - from, row);
      DataChunk part;
      part.InitializeEmpty(arguments.GetTypes());
      for (idx_t i = 0; i < arguments.ColumnCount(); ++i) part.data[i].Slice(arguments.data[i], rows, to - from);
      part.SetCardinality(to - from);
      Vector values(result.GetType());
      function_(part, state, values);
      duckdb::VectorOperations::Copy(values, result, to - from, 0, from);
    }
  }

  const std::string name_;
  const std::vector<const CallLimit*> limits_;
  const duckdb::scalar_function_t function_;
};

namespace {

// What a function reads while it is bound, which no call sees: its second argument, a structure, format or pattern.
struct BindLimit : duckdb::ScalarFunctionInfo {
  explicit BindLimit(duckdb::bind_scalar_function_t bind) : bind(bind) {}
  const duckdb::bind_scalar_function_t bind;  // DuckDB's
};

duckdb::unique_ptr<duckdb::FunctionData> BindWithinLimits(
    duckdb::ClientContext& context, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  if (arguments.size() > 1 && arguments[1]->IsFoldable() && !arguments[1]->HasParameter()) {
    const duckdb::Value value = duckdb::ExpressionExecutor::EvaluateScalar(context, *arguments[1]);
    const std::string text = value.IsNull() ? "" : value.ToString();
    if (text.size() > kMaxBoundTextBytes) {
      throw duckdb::BinderException("%s() takes %d bytes there; the limit is %d", function.name, text.size(),
                                    kMaxBoundTextBytes);
    }
    if (TakesRegex(function.name) && SizeOfRegex(text) > kMaxRegexSize) {
      throw duckdb::BinderException("%s() takes %.0f states; the limit is %.0f", function.name, SizeOfRegex(text),
                                    kMaxRegexSize);
    }
    // Structures are read by going down into them.
    if (!TakesRegex(function.name) && DepthOfJson(text) > kMaxJsonDepth) {
      throw duckdb::BinderException("%s() takes a structure of more levels; the limit is %.0f", function.name,
                                    kMaxJsonDepth);
    }
  }
  return function.GetExtraFunctionInfo().Cast<BindLimit>().bind(context, function, arguments);
}

void BoundBinding(std::string_view name, duckdb::ScalarFunction* function) {
  static constexpr std::string_view kFunctions[] = {
      "json_transform", "json_transform_strict", "from_json", "from_json_strict", "strftime",
      "strptime",       "try_strptime"};
  const bool listed = std::find(std::begin(kFunctions), std::end(kFunctions), name) != std::end(kFunctions);
  if (!listed && !TakesRegex(name)) return;
  if (!function->HasBindCallback()) return;
  ARC_CHECK(!function->HasExtraFunctionInfo());
  function->SetExtraFunctionInfo(duckdb::make_shared_ptr<BindLimit>(function->GetBindCallback()));
  function->SetBindCallback(BindWithinLimits);
}

}  // namespace

std::shared_ptr<const BoundedFunctions> BoundFunctions(duckdb::Connection& connection) {
  auto result = std::make_shared<BoundedFunctions>();
  auto bound = [&](const std::string& name, duckdb::ScalarFunction& function) {
    if (!function.HasFunctionCallback()) return;
    UseOwnPatternMatching(name, &function);
    BoundBinding(name, &function);
    auto bounded_function = std::make_unique<const BoundedFunction>(name, function.GetFunctionCallback());
    // Statistics that say "ASCII only" would put an unbounded function in its place.
    if (bounded_function->has_limits()) function.SetStatisticsCallback(nullptr);
    // DuckDB copies the callable for every vector: one that holds a pointer only is copied without an allocation.
    function.SetFunctionCallback(
        [bounded = bounded_function.get()](DataChunk& arguments, ExpressionState& state, Vector& values) {
          bounded->Call(arguments, state, values);
        });
    result->push_back(std::move(bounded_function));
  };
  auto bound_entry = [&](duckdb::CatalogEntry& entry) {
    if (entry.type == duckdb::CatalogType::SCALAR_FUNCTION_ENTRY) {
      auto& overloads = entry.Cast<duckdb::ScalarFunctionCatalogEntry>().functions.functions;
      for (duckdb::ScalarFunction& function : overloads) bound(entry.name, function);
    } else if (entry.type == duckdb::CatalogType::COLLATION_ENTRY) {
      duckdb::ScalarFunction& function = entry.Cast<duckdb::CollateCatalogEntry>().function;
      bound(function.name, function);
    }
  };
  connection.context->RunFunctionInTransaction([&] {
    duckdb::ClientContext& context = *connection.context;
    auto& schema = duckdb::Catalog::GetSystemCatalog(context).GetSchema(context, DEFAULT_SCHEMA);
    schema.Scan(duckdb::CatalogType::SCALAR_FUNCTION_ENTRY, bound_entry);
    schema.Scan(duckdb::CatalogType::COLLATION_ENTRY, bound_entry);
  });
  return result;
}

}  // namespace arc
