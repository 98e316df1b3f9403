#include "arc/query/call_limits.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "arc/query/call_cost.h"
#include "duckdb/common/types/hugeint.hpp"
#include "duckdb/common/types/interval.hpp"
#include "utf8proc.hpp"
#include "utf8proc_wrapper.hpp"

namespace arc {
namespace {

using duckdb::idx_t;
using duckdb::PhysicalType;
using Arguments = CallArguments;

double Size(const Arguments& arguments, size_t column, idx_t row) {
  return column < arguments.count() && arguments.IsText(column)
             ? static_cast<double>(arguments.Text(column, row).size())
             : 0;
}

double PaddedBytes(const Arguments& arguments, idx_t row) {
  const double widest = std::min(4.0, Size(arguments, 2, row));  // of a character in UTF-8
  return arguments.Number(1, row) * std::max(1.0, widest);
}

double RepeatedBytes(const Arguments& arguments, idx_t row) {
  return Size(arguments, 0, row) * arguments.Number(1, row);
}

double RepeatedElements(const Arguments& arguments, idx_t row) {
  return arguments.Length(0, row) * arguments.Number(1, row);
}

double RepeatedCopies(const Arguments& arguments, idx_t row) { return 10 * arguments.Number(1, row); }

double RegexSize(const Arguments& arguments, idx_t row) { return SizeOfRegex(arguments.Text(1, row)); }

double ReplacedBytes(const Arguments& arguments, idx_t row) {
  const double text = Size(arguments, 0, row);
  const double from = Size(arguments, 1, row);
  return from == 0 ? text : text + text / from * Size(arguments, 2, row);
}

double RegexReplacedBytes(const Arguments& arguments, idx_t row) {
  const double text = Size(arguments, 0, row);
  const std::string_view replacement = arguments.Text(2, row);
  const bool all = arguments.count() > 3 && arguments.Text(3, row).find('g') != std::string_view::npos;
  // Matches do not overlap, so each reference is to no more than the whole text in all.
  return text + (all ? text + 1 : 1) * static_cast<double>(replacement.size()) +
         CountGroupReferences(replacement) * text;
}

double FormattedBytes(const FormatCost& cost, const Arguments& arguments, idx_t row) {
  constexpr double kLongestNumber = 512;
  double longest = kLongestNumber;
  double width = 0;
  for (size_t i = 1; i < arguments.count(); ++i) {
    longest = std::max(longest, Size(arguments, i, row));
    width = std::max(width, std::abs(arguments.Number(i, row)));
  }
  return Size(arguments, 0, row) + cost.bytes + cost.places * (longest + (cost.takes_widths ? width : 0));
}

double FormatBytes(const Arguments& arguments, idx_t row) {
  return FormattedBytes(CostOfFormat(arguments.Text(0, row)), arguments, row);
}

double PrintfBytes(const Arguments& arguments, idx_t row) {
  return FormattedBytes(CostOfPrintf(arguments.Text(0, row)), arguments, row);
}

double RangeElements(const Arguments& arguments, idx_t row) {
  const bool from_zero = arguments.count() == 1;
  const double start = from_zero ? 0 : arguments.Number(0, row);
  const double end = arguments.Number(from_zero ? 0 : 1, row);
  double step = 1;
  if (arguments.count() > 2) step = arguments.IsInterval(2) ? arguments.Interval(2, row) : arguments.Number(2, row);
  return step == 0 ? 0 : std::max(0.0, (end - start) / step + 1);
}

double ResizedElements(const Arguments& arguments, idx_t row) { return arguments.Number(1, row); }

// A byte each once they are text.
double Bits(const Arguments& arguments, idx_t row) { return arguments.Number(1, row); }

double Bins(const Arguments& arguments, idx_t row) { return arguments.Number(2, row); }

// Every byte of one text with every byte of the other.
double ProductSteps(const Arguments& arguments, idx_t row) { return Size(arguments, 0, row) * Size(arguments, 1, row); }

// The same, many bytes at a time.
double SearchSteps(const Arguments& arguments, idx_t row) { return ProductSteps(arguments, row) / 32; }

// Maps look for keys that come twice, zips copy value by value.
double MapSteps(const Arguments& arguments, idx_t row) { return 2000 * arguments.Length(0, row); }
double ZipSteps(const Arguments& arguments, idx_t row) { return 100 * arguments.Length(0, row); }

double PathSteps(const Arguments& arguments, idx_t row) {
  return Size(arguments, 0, row) * Size(arguments, 0, row) / 100;
}

// A few look-ups in hash tables for each character.
double LookUpSteps(const Arguments& arguments, idx_t row) { return 16 * Size(arguments, 0, row); }

// A matrix of 8 bytes and a look-up for each pair of bytes.
double MatrixSteps(const Arguments& arguments, idx_t row) { return 100 * ProductSteps(arguments, row); }

// Few of the automaton's states are alive at once.
double RegexSteps(const Arguments& arguments, idx_t row) {
  return Size(arguments, 0, row) * SizeOfRegex(arguments.Text(1, row)) / 16;
}

// Marks that combine with the character before them are sorted, each by comparing it with its neighbours.
double NormalizationSteps(const Arguments& arguments, idx_t row) {
  if (!arguments.IsText(0)) return 0;
  const std::string_view text = arguments.Text(0, row);
  double steps = 0;
  double marks = 0;
  for (size_t i = 0; i < text.size();) {
    int bytes = 1;
    bool combines = false;
    if (static_cast<unsigned char>(text[i]) >= 0x80) {
      const int32_t codepoint = duckdb::Utf8Proc::UTF8ToCodepoint(text.data() + i, bytes);
      combines = duckdb::utf8proc_get_property(codepoint)->combining_class != 0;
    }
    marks = combines ? marks + 1 : 0;
    steps += marks;
    i += static_cast<size_t>(std::max(1, bytes));
  }
  return steps;
}

double JsonDepth(const Arguments& arguments, idx_t row) {
  double depth = 0;
  for (size_t i = 0; i < arguments.count(); ++i) {
    if (Size(arguments, i, row) > kMaxJsonDepth) depth = std::max(depth, DepthOfJson(arguments.Text(i, row)));
  }
  return depth;
}

double LambdaCalls(const Arguments& arguments, idx_t row) { return arguments.Length(0, row); }

constexpr double kUnlimited = std::numeric_limits<double>::infinity();
// A lambda may hold another one; neither looks for an interrupt if it is made of comparisons.
constexpr double kLambdaCallsAtOnce = 1 << 20;

constexpr CallLimit Text(double (*cost)(const Arguments&, idx_t)) {
  return {cost, kMaxCallTextBytes, kMaxCallTextBytes, "bytes"};
}
constexpr CallLimit List(double (*cost)(const Arguments&, idx_t)) {
  return {cost, kMaxCallListElements, kMaxCallListElements, "elements"};
}
constexpr CallLimit Steps(double (*cost)(const Arguments&, idx_t)) {
  return {cost, kMaxCallSteps, kMaxCallSteps, "steps"};
}

struct NamedLimit {
  std::string_view function;
  CallLimit limit;
};

constexpr NamedLimit kLimits[] = {
    {"lpad", Text(PaddedBytes)},
    {"rpad", Text(PaddedBytes)},
    {"repeat", Text(RepeatedBytes)},
    {"repeat", List(RepeatedElements)},
    {"repeat", Steps(RepeatedCopies)},
    {"replace", Text(ReplacedBytes)},
    {"replace", Steps(SearchSteps)},
    {"format", Text(FormatBytes)},
    {"printf", Text(PrintfBytes)},
    {"range", List(RangeElements)},
    {"generate_series", List(RangeElements)},
    {"list_resize", List(ResizedElements)},
    {"array_resize", List(ResizedElements)},
    {"equi_width_bins", List(Bins)},
    {"levenshtein", Steps(ProductSteps)},
    {"editdist3", Steps(ProductSteps)},
    {"damerau_levenshtein", Steps(MatrixSteps)},
    {"jaro_similarity", Steps(ProductSteps)},
    {"jaro_winkler_similarity", Steps(ProductSteps)},
    {"contains", Steps(SearchSteps)},
    {"instr", Steps(SearchSteps)},
    {"strpos", Steps(SearchSteps)},
    {"position", Steps(SearchSteps)},
    {"string_split", Steps(SearchSteps)},
    {"str_split", Steps(SearchSteps)},
    {"string_to_array", Steps(SearchSteps)},
    {"split", Steps(SearchSteps)},
    {"bit_position", Steps(ProductSteps)},
    {"~~", Steps(SearchSteps)},
    {"!~~", Steps(SearchSteps)},
    {"~~*", Steps(ProductSteps)},
    {"!~~*", Steps(ProductSteps)},
    {"~~~", Steps(ProductSteps)},
    {"like_escape", Steps(ProductSteps)},
    {"not_like_escape", Steps(ProductSteps)},
    {"ilike_escape", Steps(ProductSteps)},
    {"not_ilike_escape", Steps(ProductSteps)},
    {"bitstring", Text(Bits)},
    {"map", Steps(MapSteps)},
    {"map_from_entries", Steps(MapSteps)},
    {"list_zip", Steps(ZipSteps)},
    {"array_zip", Steps(ZipSteps)},
    {"parse_path", Steps(PathSteps)},
    {"translate", Steps(LookUpSteps)},
    {"nfc_normalize", Steps(NormalizationSteps)},
    {"strip_accents", Steps(NormalizationSteps)},
    {"regexp_replace", Text(RegexReplacedBytes)},
};

constexpr CallLimit kRegexLimits[] = {Steps(RegexSteps), {RegexSize, kMaxRegexSize, kUnlimited, "states"}};
constexpr std::string_view kRegexFunctions[] = {"regexp_replace",  "regexp_matches",       "regexp_full_match",
                                                "regexp_extract",  "regexp_extract_all",   "string_split_regex",
                                                "str_split_regex", "regexp_split_to_array"};

constexpr CallLimit kLambdaLimit = {LambdaCalls, kUnlimited, kLambdaCallsAtOnce, "calls"};
constexpr std::string_view kLambdaFunctions[] = {"list_transform", "array_transform", "list_apply",   "array_apply",
                                                 "apply",          "list_filter",     "array_filter", "filter",
                                                 "list_reduce",    "array_reduce",    "reduce"};

constexpr CallLimit kJsonLimit = {JsonDepth, kMaxJsonDepth, kUnlimited, "levels"};

template <size_t kCount>
bool Contains(const std::string_view (&names)[kCount], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool TakesJson(std::string_view function) {
  return function.starts_with("json") || function.starts_with("from_json") || function == "->" || function == "->>";
}

}  // namespace

CallArguments::CallArguments(duckdb::DataChunk& arguments) : columns_(arguments.ColumnCount()) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    arguments.data[i].ToUnifiedFormat(arguments.size(), columns_[i]);
    types_.push_back(arguments.data[i].GetType().InternalType());
  }
}

bool CallArguments::AllValid(idx_t row) const {
  return std::all_of(columns_.begin(), columns_.end(), [&](const duckdb::UnifiedVectorFormat& format) {
    return format.validity.RowIsValid(format.sel->get_index(row));
  });
}

bool CallArguments::IsText(size_t column) const { return types_[column] == PhysicalType::VARCHAR; }

std::string_view CallArguments::Text(size_t column, idx_t row) const {
  const duckdb::UnifiedVectorFormat& format = columns_[column];
  // Not by value: short texts lie in the string_t itself.
  const auto& text = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(format)[format.sel->get_index(row)];
  return {text.GetData(), text.GetSize()};
}

double CallArguments::Number(size_t column, idx_t row) const {
  switch (types_[column]) {
    case PhysicalType::INT8: return Value<int8_t>(column, row);
    case PhysicalType::INT16: return Value<int16_t>(column, row);
    case PhysicalType::INT32: return Value<int32_t>(column, row);
    case PhysicalType::INT64: return static_cast<double>(Value<int64_t>(column, row));
    case PhysicalType::UINT8: return Value<uint8_t>(column, row);
    case PhysicalType::UINT16: return Value<uint16_t>(column, row);
    case PhysicalType::UINT32: return Value<uint32_t>(column, row);
    case PhysicalType::UINT64: return static_cast<double>(Value<uint64_t>(column, row));
    case PhysicalType::INT128: return duckdb::Hugeint::Cast<double>(Value<duckdb::hugeint_t>(column, row));
    default: return 0;
  }
}

bool CallArguments::IsInterval(size_t column) const { return types_[column] == PhysicalType::INTERVAL; }

double CallArguments::Interval(size_t column, idx_t row) const {
  constexpr double kHour = 3.6e9;
  const auto interval = Value<duckdb::interval_t>(column, row);
  return interval.months * 28.0 * 24 * kHour + interval.days * 23 * kHour + static_cast<double>(interval.micros);
}

double CallArguments::Length(size_t column, idx_t row) const {
  if (types_[column] != PhysicalType::LIST) return 0;
  return static_cast<double>(Value<duckdb::list_entry_t>(column, row).length);
}

bool TakesRegex(std::string_view function) { return Contains(kRegexFunctions, function); }

std::vector<const CallLimit*> FindCallLimits(std::string_view function) {
  std::vector<const CallLimit*> result;
  for (const NamedLimit& named : kLimits) {
    if (named.function == function) result.push_back(&named.limit);
  }
  if (Contains(kLambdaFunctions, function)) result.push_back(&kLambdaLimit);
  if (TakesRegex(function)) {
    for (const CallLimit& limit : kRegexLimits) result.push_back(&limit);
  }
  if (TakesJson(function)) result.push_back(&kJsonLimit);
  return result;
}

}  // namespace arc
