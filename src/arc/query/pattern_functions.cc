#include "arc/query/pattern_functions.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "arc/query/wildcard_match.h"
#include "duckdb/common/vector_operations/binary_executor.hpp"
#include "duckdb/common/vector_operations/ternary_executor.hpp"
#include "duckdb/execution/expression_executor_state.hpp"
#include "duckdb/function/scalar/string_common.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"

namespace arc {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::string_t;
using duckdb::Vector;

enum class Kind { kLike, kILike, kGlob };

std::string_view View(const string_t& text) { return {text.GetData(), text.GetSize()}; }

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

std::string Lower(std::string_view text) {
  std::string result(duckdb::LowerLength(text.data(), text.size()), '\0');
  duckdb::LowerCase(text.data(), text.size(), result.data());
  return result;
}

std::optional<char> EscapeOf(const string_t& escape) {
  if (escape.GetSize() > 1) {
    throw duckdb::SyntaxException("Invalid escape string. Escape string must be empty or one character.");
  }
  return escape.GetSize() == 0 ? std::nullopt : std::optional<char>(*escape.GetData());
}

template <Kind kKind>
bool Matches(const string_t& text, const string_t& pattern, std::optional<char> escape) {
  if constexpr (kKind == Kind::kGlob) {
    return MatchesGlob(View(text), View(pattern));
  } else if constexpr (kKind == Kind::kLike) {
    return MatchesLike(View(text), View(pattern), escape);
  } else {
    const bool ascii = IsAscii(View(text)) && IsAscii(View(pattern));
    if (ascii && !escape) return MatchesLikeIgnoringCase(View(text), View(pattern));
    return MatchesLike(Lower(View(text)), Lower(View(pattern)), escape);
  }
}

template <Kind kKind, bool kNegated>
void Match(DataChunk& arguments, ExpressionState&, Vector& result) {
  duckdb::BinaryExecutor::Execute<string_t, string_t, bool>(
      arguments.data[0], arguments.data[1], result, arguments.size(),
      [](string_t text, string_t pattern) { return Matches<kKind>(text, pattern, std::nullopt) != kNegated; });
}

template <Kind kKind, bool kNegated>
void MatchEscaped(DataChunk& arguments, ExpressionState&, Vector& result) {
  duckdb::TernaryExecutor::Execute<string_t, string_t, string_t, bool>(
      arguments.data[0], arguments.data[1], arguments.data[2], result, arguments.size(),
      [](string_t text, string_t pattern, string_t escape) {
        return Matches<kKind>(text, pattern, EscapeOf(escape)) != kNegated;
      });
}

using Function = void (*)(DataChunk&, ExpressionState&, Vector&);

Function OwnFunction(std::string_view name) {
  static constexpr std::pair<std::string_view, Function> kFunctions[] = {
      {"~~", Match<Kind::kLike, false>},
      {"!~~", Match<Kind::kLike, true>},
      {"~~*", Match<Kind::kILike, false>},
      {"!~~*", Match<Kind::kILike, true>},
      {"~~~", Match<Kind::kGlob, false>},
      {"like_escape", MatchEscaped<Kind::kLike, false>},
      {"not_like_escape", MatchEscaped<Kind::kLike, true>},
      {"ilike_escape", MatchEscaped<Kind::kILike, false>},
      {"not_ilike_escape", MatchEscaped<Kind::kILike, true>},
  };
  for (const auto& [own, function] : kFunctions) {
    if (own == name) return function;
  }
  return nullptr;
}

}  // namespace

void UseOwnPatternMatching(const std::string& name, duckdb::ScalarFunction* function) {
  Function own = OwnFunction(name);
  if (own == nullptr) return;
  function->SetFunctionCallback(
      [own, theirs = function->GetFunctionCallback()](DataChunk& arguments, ExpressionState& state, Vector& result) {
        const bool taken_apart = state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info != nullptr;
        if (taken_apart) {
          theirs(arguments, state, result);
        } else {
          own(arguments, state, result);
        }
      });
}

}  // namespace arc
