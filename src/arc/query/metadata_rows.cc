#include "arc/query/metadata_rows.h"

#include <algorithm>
#include <set>
#include <utility>

namespace arc {
namespace {

using duckdb::LogicalType;
using duckdb::Value;

constexpr int64_t kMicrosPerMs = 1000;

class ReadyRows : public MetadataRows {
 public:
  explicit ReadyRows(std::shared_ptr<const ReadyTable> table) : table_(std::move(table)) {}
  size_t Advance() override {
    ended_ = true;
    return table_->rows.size();
  }
  bool ended() const override { return ended_; }
  Value ValueAt(size_t row, size_t column) const override { return table_->rows[row][column]; }

 private:
  const std::shared_ptr<const ReadyTable> table_;
  bool ended_ = false;
};

class ReadySource : public MetadataSource {
 public:
  explicit ReadySource(ReadyTable table) : table_(std::make_shared<const ReadyTable>(std::move(table))) {}
  std::vector<MetadataColumn> Columns() const override { return table_->columns; }
  std::unique_ptr<MetadataRows> Scan(const std::vector<size_t>&) const override { return MakeReadyRows(table_); }

 private:
  const std::shared_ptr<const ReadyTable> table_;
};

Value Optional(const std::optional<int64_t>& value) {
  return value ? Value::BIGINT(*value) : Value(LogicalType::BIGINT);
}

// Without the operation, which has a column of its own.
Value SummaryValue(const Snapshot& snapshot) {
  const LogicalType type = LogicalType::MAP(LogicalType::VARCHAR, LogicalType::VARCHAR);
  if (snapshot.summary.empty()) return Value(type);
  duckdb::vector<Value> keys;
  duckdb::vector<Value> values;
  for (const auto& [key, value] : snapshot.summary) {
    if (key == "operation") continue;
    keys.emplace_back(key);
    values.emplace_back(value);
  }
  return Value::MAP(LogicalType::VARCHAR, LogicalType::VARCHAR, std::move(keys), std::move(values));
}

std::set<int64_t> CurrentAncestors(const TableMetadata& metadata) {
  std::set<int64_t> ids;
  const Snapshot* snapshot = metadata.current_snapshot();
  while (snapshot != nullptr && ids.insert(snapshot->snapshot_id).second) {
    snapshot = snapshot->parent_snapshot_id ? metadata.FindSnapshot(*snapshot->parent_snapshot_id) : nullptr;
  }
  return ids;
}

}  // namespace

Value TimeValue(int64_t timestamp_ms) {
  // What µs cannot count is as good as never.
  const int64_t bound = INT64_MAX / kMicrosPerMs - 1;
  return Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(std::clamp(timestamp_ms, -bound, bound) * kMicrosPerMs));
}

std::unique_ptr<MetadataSource> MakeReadySource(ReadyTable table) {
  return std::make_unique<ReadySource>(std::move(table));
}

std::unique_ptr<MetadataRows> MakeReadyRows(std::shared_ptr<const ReadyTable> table) {
  return std::make_unique<ReadyRows>(std::move(table));
}

ReadyTable SnapshotsTable(const TableMetadata* metadata) {
  ReadyTable table;
  table.columns = {{"committed_at", LogicalType::TIMESTAMP_TZ},
                   {"snapshot_id", LogicalType::BIGINT},
                   {"parent_id", LogicalType::BIGINT},
                   {"operation", LogicalType::VARCHAR},
                   {"manifest_list", LogicalType::VARCHAR},
                   {"summary", LogicalType::MAP(LogicalType::VARCHAR, LogicalType::VARCHAR)}};
  if (metadata == nullptr) return table;
  for (const auto& snapshot : metadata->snapshots) {
    const auto operation = snapshot.summary.find("operation");
    table.rows.push_back({TimeValue(snapshot.timestamp_ms), Value::BIGINT(snapshot.snapshot_id),
                          Optional(snapshot.parent_snapshot_id),
                          operation == snapshot.summary.end() ? Value(LogicalType::VARCHAR) : Value(operation->second),
                          Value(snapshot.manifest_list), SummaryValue(snapshot)});
  }
  return table;
}

ReadyTable HistoryTable(const TableMetadata* metadata) {
  ReadyTable table;
  table.columns = {{"made_current_at", LogicalType::TIMESTAMP_TZ},
                   {"snapshot_id", LogicalType::BIGINT},
                   {"parent_id", LogicalType::BIGINT},
                   {"is_current_ancestor", LogicalType::BOOLEAN}};
  if (metadata == nullptr) return table;
  const auto ancestors = CurrentAncestors(*metadata);
  for (const auto& entry : metadata->snapshot_log) {
    const Snapshot* snapshot = metadata->FindSnapshot(entry.snapshot_id);
    table.rows.push_back({TimeValue(entry.timestamp_ms), Value::BIGINT(entry.snapshot_id),
                          Optional(snapshot == nullptr ? std::nullopt : snapshot->parent_snapshot_id),
                          Value::BOOLEAN(ancestors.contains(entry.snapshot_id))});
  }
  return table;
}

ReadyTable RefsTable(const TableMetadata* metadata) {
  ReadyTable table;
  table.columns = {{"name", LogicalType::VARCHAR},
                   {"type", LogicalType::VARCHAR},
                   {"snapshot_id", LogicalType::BIGINT},
                   {"max_reference_age_in_ms", LogicalType::BIGINT},
                   {"min_snapshots_to_keep", LogicalType::INTEGER},
                   {"max_snapshot_age_in_ms", LogicalType::BIGINT}};
  if (metadata == nullptr) return table;
  for (const auto& [name, ref] : metadata->refs) {
    std::string type = ref.type;
    std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::toupper(c); });
    const auto age = ref.other.find("max-ref-age-ms");
    Value max_age = age == ref.other.end() ? Value(LogicalType::BIGINT) : Value(age->second);
    if (!max_age.DefaultTryCastAs(LogicalType::BIGINT)) max_age = Value(LogicalType::BIGINT);
    table.rows.push_back(
        {Value(name), Value(type), Value::BIGINT(ref.snapshot_id), max_age,
         ref.min_snapshots_to_keep ? Value::INTEGER(*ref.min_snapshots_to_keep) : Value(LogicalType::INTEGER),
         Optional(ref.max_snapshot_age_ms)});
  }
  return table;
}

}  // namespace arc
