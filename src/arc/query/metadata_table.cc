#include "arc/query/metadata_table.h"

#include <algorithm>
#include <utility>

#include "arc/base/check.h"
#include "arc/model/schema.h"
#include "arc/query/metadata_rows.h"
#include "duckdb/common/exception.hpp"
#include "duckdb/function/table_function.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"
#include "duckdb/storage/table_storage_info.hpp"

namespace arc {
namespace {

struct NamedKind {
  MetadataTableKind kind;
  std::string_view name;
  bool of_one_snapshot;
};

constexpr NamedKind kKinds[] = {
    {MetadataTableKind::kSnapshots, "snapshots", false}, {MetadataTableKind::kHistory, "history", false},
    {MetadataTableKind::kRefs, "refs", false},           {MetadataTableKind::kManifests, "manifests", true},
    {MetadataTableKind::kFiles, "files", true},          {MetadataTableKind::kPartitions, "partitions", true},
};

const NamedKind& Of(MetadataTableKind kind) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds), [&](const NamedKind& one) { return one.kind == kind; });
}

std::unique_ptr<MetadataSource> SourceOf(MetadataTableKind kind, std::shared_ptr<const TableMetadata> metadata,
                                         ObjectStore& store) {
  switch (kind) {
    case MetadataTableKind::kSnapshots: return MakeReadySource(SnapshotsTable(metadata.get()));
    case MetadataTableKind::kHistory: return MakeReadySource(HistoryTable(metadata.get()));
    case MetadataTableKind::kRefs: return MakeReadySource(RefsTable(metadata.get()));
    case MetadataTableKind::kManifests: return MakeManifestsSource(std::move(metadata), store);
    case MetadataTableKind::kFiles: return MakeFilesSource(std::move(metadata), store);
    case MetadataTableKind::kPartitions: return MakePartitionsSource(std::move(metadata), store);
  }
  ARC_CHECK(false);
}

class MetadataEntry : public duckdb::TableCatalogEntry {
 public:
  MetadataEntry(duckdb::SchemaCatalogEntry& schema, duckdb::CreateTableInfo& info,
                std::unique_ptr<MetadataSource> source)
      : TableCatalogEntry(schema.catalog, schema, info), source_(std::move(source)) {}

  const MetadataSource& source() const { return *source_; }

  duckdb::unique_ptr<duckdb::BaseStatistics> GetStatistics(duckdb::ClientContext&, duckdb::column_t) override {
    return nullptr;
  }
  duckdb::TableStorageInfo GetStorageInfo(duckdb::ClientContext&) override { return {}; }
  duckdb::virtual_column_map_t GetVirtualColumns() const override {
    return {{duckdb::COLUMN_IDENTIFIER_EMPTY, duckdb::TableColumn("", duckdb::LogicalType::BOOLEAN)}};
  }
  duckdb::vector<duckdb::column_t> GetRowIdColumns() const override { return {}; }
  duckdb::TableFunction GetScanFunction(duckdb::ClientContext& context,
                                        duckdb::unique_ptr<duckdb::FunctionData>& bind_data) override;

 private:
  const std::unique_ptr<MetadataSource> source_;
};

struct ScanData : duckdb::TableFunctionData {
  explicit ScanData(MetadataEntry& entry) : entry(entry) {}
  MetadataEntry& entry;  // lives as long as the transaction
};

struct ScanState : duckdb::GlobalTableFunctionState {
  std::vector<duckdb::column_t> columns;
  std::unique_ptr<MetadataRows> rows;
  size_t count = 0;  // of the rows that `rows` stands at
  size_t next = 0;   // of them
};

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> Init(duckdb::ClientContext&,
                                                          duckdb::TableFunctionInitInput& input) {
  auto state = duckdb::make_uniq<ScanState>();
  std::vector<size_t> wanted;
  for (const duckdb::column_t column : input.column_ids) {
    state->columns.push_back(column);
    if (!duckdb::IsVirtualColumn(column)) wanted.push_back(column);
  }
  state->rows = input.bind_data->Cast<ScanData>().entry.source().Scan(wanted);
  return state;
}

void Produce(duckdb::ClientContext& context, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  auto& state = input.global_state->Cast<ScanState>();
  while (state.next == state.count) {
    if (state.rows->ended()) return;
    if (context.IsInterrupted()) throw duckdb::InterruptException();
    state.count = state.rows->Advance();
    state.next = 0;
  }
  const size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, state.count - state.next);
  for (size_t place = 0; place < state.columns.size(); ++place) {
    const duckdb::column_t column = state.columns[place];
    for (size_t row = 0; row < count; ++row) {
      output.SetValue(place, row,
                      duckdb::IsVirtualColumn(column) ? duckdb::Value(output.data[place].GetType())
                                                      : state.rows->ValueAt(state.next + row, column));
    }
  }
  state.next += count;
  output.SetCardinality(count);
}

duckdb::BindInfo GetBindInfo(const duckdb::optional_ptr<duckdb::FunctionData> data) {
  return duckdb::BindInfo(data->Cast<ScanData>().entry);
}

duckdb::virtual_column_map_t VirtualColumns(duckdb::ClientContext&, duckdb::optional_ptr<duckdb::FunctionData> data) {
  return data->Cast<ScanData>().entry.GetVirtualColumns();
}

duckdb::InsertionOrderPreservingMap<duckdb::string> ToString(duckdb::TableFunctionToStringInput& input) {
  const auto& entry = input.bind_data->Cast<ScanData>().entry;
  duckdb::InsertionOrderPreservingMap<duckdb::string> result;
  result["Table"] = entry.schema.name + "." + entry.name;
  return result;
}

duckdb::TableFunction MetadataEntry::GetScanFunction(duckdb::ClientContext&,
                                                     duckdb::unique_ptr<duckdb::FunctionData>& bind_data) {
  duckdb::TableFunction function("arc_metadata_scan", {}, Produce, nullptr, Init);
  function.projection_pushdown = true;
  function.get_bind_info = GetBindInfo;  // the plan guard authorises by the table that this names
  function.get_virtual_columns = VirtualColumns;
  function.to_string = ToString;
  // DuckDB merges parts of a plan that serialize alike: scans of different tables would.
  function.verify_serialization = false;
  bind_data = duckdb::make_uniq<ScanData>(*this);
  return function;
}

}  // namespace

std::string_view NameOf(MetadataTableKind kind) { return Of(kind).name; }

bool IsOfOneSnapshot(MetadataTableKind kind) { return Of(kind).of_one_snapshot; }

std::optional<MetadataTableName> ParseMetadataTableName(std::string_view name) {
  const size_t mark = name.rfind('$');
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  const std::string_view ending = name.substr(mark + 1);
  for (const NamedKind& one : kKinds) {
    if (SameIdentifier(one.name, ending)) return MetadataTableName{std::string(name.substr(0, mark)), one.kind};
  }
  return std::nullopt;
}

std::unique_ptr<duckdb::TableCatalogEntry> MakeMetadataEntry(duckdb::SchemaCatalogEntry& schema,
                                                             const std::string& name, MetadataTableKind kind,
                                                             std::shared_ptr<const TableMetadata> metadata,
                                                             ObjectStore& store) {
  auto source = SourceOf(kind, std::move(metadata), store);
  duckdb::CreateTableInfo info(schema, name);
  for (auto& column : source->Columns()) {
    info.columns.AddColumn(duckdb::ColumnDefinition(column.name, column.type));
  }
  return std::make_unique<MetadataEntry>(schema, info, std::move(source));
}

}  // namespace arc
