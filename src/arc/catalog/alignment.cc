#include "arc/catalog/alignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "arc/catalog/column_cast.h"

namespace arc {
namespace {

// Which column of the schema each column of the batch goes to, and how the schema grows for it.
class ColumnResolver {
 public:
  ColumnResolver(const Batch& batch, Schema* schema, std::vector<std::string>* notices)
      : batch_(batch), schema_(*schema), notices_(*notices) {}

  Result<std::vector<int>> Resolve() {
    std::vector<int> targets(batch_.columns.size());
    for (size_t i = 0; i < batch_.columns.size(); ++i) {
      ARC_ASSIGN_OR_RETURN(targets[i], ResolveOne(batch_.columns[i], i));
    }
    return targets;
  }

 private:
  Result<int> ResolveOne(const BatchColumn& column, size_t index) {
    if (column.role == ColumnRole::kTime) return 0;
    // Batches mostly repeat the table's own order.
    if (index < schema_.columns.size() && schema_.columns[index].name == column.name &&
        schema_.columns[index].role == column.role) {
      return static_cast<int>(index);
    }
    std::string name = column.name;
    for (int attempt = 0;; ++attempt) {
      int at = Find(name);
      if (at < 0) {
        ARC_ASSIGN_OR_RETURN(at, Add(name, column));
        if (name != column.name) Notice(column, name);
        return at;
      }
      const Column& existing = schema_.columns[static_cast<size_t>(at)];
      bool guessed_string = !column.role_known && existing.role != ColumnRole::kTime &&
                            existing.type == ColumnType::kString && column.type == ColumnType::kString;
      if (existing.role == column.role || guessed_string) {
        if (name != column.name && !SameIdentifier(name, column.name)) Notice(column, name);
        return at;
      }
      name = attempt == 0 ? fmt::format("{}_{}", column.name, RoleName(column.role))
                          : fmt::format("{}_{}", column.name, attempt);
    }
  }

  int Find(const std::string& name) {
    constexpr size_t kScanLimit = 16;
    if (schema_.columns.size() <= kScanLimit) return schema_.Find(name);
    if (exact_.empty()) {
      for (size_t i = 0; i < schema_.columns.size(); ++i) Index(i);
    }
    if (auto found = exact_.find(name); found != exact_.end()) return found->second;
    auto found = folded_.find(Fold(name));
    return found == folded_.end() ? -1 : found->second;
  }

  Result<int> Add(const std::string& name, const BatchColumn& column) {
    if (schema_.columns.size() >= kMaxColumns) {
      return InvalidArgument(
          fmt::format("column \"{}\" would be one more than the {} a table may have", name, kMaxColumns));
    }
    if (last_field_id_ == 0) last_field_id_ = schema_.last_field_id();
    schema_.columns.push_back({name, column.type, column.role, ++last_field_id_, false});
    ++schema_.version;
    size_t at = schema_.columns.size() - 1;
    if (!exact_.empty()) Index(at);
    return static_cast<int>(at);
  }

  void Index(size_t at) {
    exact_.emplace(schema_.columns[at].name, static_cast<int>(at));
    folded_.emplace(Fold(schema_.columns[at].name), static_cast<int>(at));
  }

  static std::string Fold(std::string name) {
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return name;
  }

  void Notice(const BatchColumn& column, const std::string& name) {
    notices_.push_back(fmt::format("{} {} is stored as {}", RoleName(column.role), column.name, name));
  }

  const Batch& batch_;
  Schema& schema_;
  std::vector<std::string>& notices_;
  int32_t last_field_id_ = 0;
  std::unordered_map<std::string, int> exact_;
  std::unordered_map<std::string, int> folded_;
};

// Names the first rows that no column before has refused; with those of the other columns they hold the first of all.
void MarkRefused(const TableRef& table, const Column& target, const BatchColumn& column, const Batch& batch,
                 const std::vector<int64_t>& rows, std::vector<char>* refused, AlignedBatch* out) {
  size_t named = 0;
  for (int64_t row : rows) {
    if (std::exchange((*refused)[static_cast<size_t>(row)], char{1})) continue;
    ++out->refused;
    if (named++ >= kNamedRefusals) continue;
    out->errors.push_back(
        {batch.PositionOf(row),
         fmt::format("{} \"{}\" of {}.{} is {}; the row sends a {} that it cannot hold", RoleName(target.role),
                     target.name, table.database, table.name, SqlTypeName(target.type), SqlTypeName(column.type))});
  }
}

// A column placed before its target was widened follows it.
Status WidenTo(ColumnType type, BatchColumn* column) {
  if (column->type == type) return {};
  ARC_ASSIGN_OR_RETURN(auto cast, CastColumn(*column, type, column->role));
  column->type = type;
  column->values = cast.values;
  return {};
}

}  // namespace

bool MatchesExactly(const Schema& schema, const Batch& batch) {
  size_t at = 0;
  for (const auto& column : batch.columns) {
    // Both lists run in the same order in the common case: the search resumes where the last one ended.
    while (at < schema.columns.size() && schema.columns[at].name != column.name) ++at;
    if (at == schema.columns.size()) return false;
    if (schema.columns[at].type != column.type || schema.columns[at].role != column.role) return false;
    ++at;
  }
  return true;
}

Result<AlignedBatch> AlignBatch(const TableRef& table, const Batch& batch, Schema* schema) {
  AlignedBatch out;
  ARC_ASSIGN_OR_RETURN(auto targets, ColumnResolver(batch, schema, &out.notices).Resolve());
  out.batch.rows = batch.rows;
  std::vector<char> refused(static_cast<size_t>(batch.rows), 0);
  std::unordered_map<int, size_t> placed;  // schema column -> column of the output
  for (size_t i = 0; i < batch.columns.size(); ++i) {
    const BatchColumn& column = batch.columns[i];
    Column& target = schema->columns[static_cast<size_t>(targets[i])];
    if (target.type == ColumnType::kInt64 && column.type == ColumnType::kDouble && !target.type_fixed) {
      target.type = ColumnType::kDouble;
      ++schema->version;
    }
    ARC_ASSIGN_OR_RETURN(auto cast, CastColumn(column, target.type, target.role));
    MarkRefused(table, target, column, batch, cast.refused_rows, &refused, &out);
    BatchColumn aligned{target.name, target.type, target.role, true, cast.values, nullptr};
    auto [at, fresh] = placed.emplace(targets[i], out.batch.columns.size());
    if (fresh) {
      out.batch.columns.push_back(std::move(aligned));
      continue;
    }
    // Two spellings of one column: a row's first value stays.
    BatchColumn& first = out.batch.columns[at->second];
    ARC_RETURN_IF_ERROR(WidenTo(target.type, &first));
    ARC_ASSIGN_OR_RETURN(first.values, FirstNonNull(*first.values, *aligned.values, target.type, target.role));
  }
  if (!out.errors.empty()) {
    ARC_RETURN_IF_ERROR(KeepRows(refused, &out.batch));
    std::sort(out.errors.begin(), out.errors.end(),
              [](const RowError& a, const RowError& b) { return a.position < b.position; });
    if (out.errors.size() > kNamedRefusals) out.errors.resize(kNamedRefusals);
  }
  if (out.batch.rows > 0) SetTimeRange(&out.batch);
  return out;
}

}  // namespace arc
