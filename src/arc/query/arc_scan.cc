#include "arc/query/arc_scan.h"

#include "arc/query/file_list.h"
#include "arc/query/hot_reader.h"
#include "duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp"
#include "duckdb/common/multi_file/multi_file_reader.hpp"
#include "duckdb/common/multi_file/multi_file_states.hpp"
#include "duckdb/function/partition_stats.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/storage/statistics/node_statistics.hpp"
#include "duckdb/storage/statistics/numeric_stats.hpp"
#include "duckdb/storage/storage_index.hpp"
#include "duckdb/storage/table/row_group_reorderer.hpp"

namespace arc {
namespace {

struct ArcScanInfo : duckdb::TableFunctionInfo {
  explicit ArcScanInfo(ArcTableEntry& table) : table(table), version(table.version()) {}
  ArcTableEntry& table;
  const std::shared_ptr<const TableVersion> version;
};

class ArcMultiFileReader : public duckdb::MultiFileReader {
 public:
  explicit ArcMultiFileReader(duckdb::shared_ptr<ArcScanInfo> info) : info_(std::move(info)) {
    function_name = "arc_scan";
  }

  static duckdb::unique_ptr<duckdb::MultiFileReader> Make(const duckdb::TableFunction& function) {
    return duckdb::make_uniq<ArcMultiFileReader>(
        duckdb::shared_ptr_cast<duckdb::TableFunctionInfo, ArcScanInfo>(function.function_info));
  }

  ArcTableEntry& table() const { return info_->table; }

  duckdb::unique_ptr<duckdb::MultiFileReader> Copy() const override {
    return duckdb::make_uniq<ArcMultiFileReader>(info_);
  }

  duckdb::unique_ptr<duckdb::Expression> GetConstantVirtualColumn(duckdb::MultiFileReaderData& reader_data,
                                                                  duckdb::idx_t column,
                                                                  const duckdb::LogicalType& type) override {
    if (column != kFilePosition) return MultiFileReader::GetConstantVirtualColumn(reader_data, column, type);
    return duckdb::make_uniq<duckdb::BoundConstantExpression>(
        duckdb::Value::BIGINT(FilePositionOf(reader_data.reader->file)));
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(duckdb::ClientContext&,
                                                           const duckdb::vector<duckdb::string>&,
                                                           const duckdb::FileGlobInput&) override {
    return duckdb::make_shared_ptr<ArcFileList>(info_->version, info_->table.sources());
  }

  // The table's columns by Iceberg field id: rename and drop-then-add mean what other engines mean, a file without the
  // column gives NULL, a file with an older type is cast.
  bool Bind(duckdb::MultiFileOptions&, duckdb::MultiFileList&, duckdb::vector<duckdb::LogicalType>& types,
            duckdb::vector<duckdb::string>& names, duckdb::MultiFileReaderBindData& bind_data) override {
    for (const Column& column : info_->version->schema->columns) {
      duckdb::LogicalType type = ToDuckType(column.type);
      duckdb::MultiFileColumnDefinition definition(column.name, type);
      definition.identifier = duckdb::Value::INTEGER(column.field_id);
      definition.default_expression = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(type));
      bind_data.schema.push_back(std::move(definition));
      names.push_back(column.name);
      types.push_back(std::move(type));
    }
    bind_data.mapping = duckdb::MultiFileColumnMappingMode::BY_FIELD_ID;
    return true;
  }

  void BindOptions(duckdb::MultiFileOptions&, duckdb::MultiFileList&, duckdb::vector<duckdb::LogicalType>&,
                   duckdb::vector<duckdb::string>&, duckdb::MultiFileReaderBindData&) override {}

  duckdb::shared_ptr<duckdb::BaseFileReader> CreateReader(duckdb::ClientContext& context,
                                                          duckdb::GlobalTableFunctionState& state,
                                                          const duckdb::OpenFileInfo& file, duckdb::idx_t position,
                                                          const duckdb::MultiFileBindData& bind_data) override {
    if (!IsHot(file)) return MultiFileReader::CreateReader(context, state, file, position, bind_data);
    const auto& list = bind_data.file_list->Cast<ArcFileList>();
    return MakeHotReader(file, info_->version, list.ranges(), list.order());
  }

  duckdb::shared_ptr<duckdb::BaseFileReader> CreateReader(duckdb::ClientContext& context,
                                                          const duckdb::OpenFileInfo& file,
                                                          duckdb::BaseFileReaderOptions& options,
                                                          const duckdb::MultiFileOptions& file_options,
                                                          duckdb::MultiFileReaderInterface& interface) override {
    if (!IsHot(file)) return MultiFileReader::CreateReader(context, file, options, file_options, interface);
    return MakeHotReader(file, info_->version, TimeRanges::All(), ScanOrder::kNone);
  }

 private:
  const duckdb::shared_ptr<ArcScanInfo> info_;
};

ArcFileList& ListOf(const duckdb::FunctionData& bind_data) {
  return bind_data.Cast<duckdb::MultiFileBindData>().file_list->Cast<ArcFileList>();
}

duckdb::unique_ptr<duckdb::BaseStatistics> TimeStatistics(int64_t min_time, int64_t max_time) {
  auto statistics = duckdb::NumericStats::CreateEmpty(duckdb::LogicalType::TIMESTAMP);
  statistics.SetHasNoNull();
  duckdb::NumericStats::SetMin(statistics, duckdb::Value::TIMESTAMP(duckdb::timestamp_t(min_time)));
  duckdb::NumericStats::SetMax(statistics, duckdb::Value::TIMESTAMP(duckdb::timestamp_t(max_time)));
  return statistics.ToUnique();
}

// All rows of the version as one item; `rows` is 0 when there are none.
ScanItem Whole(const TableVersion& version) {
  ScanItem whole;
  auto add = [&](int64_t rows, int64_t min_time, int64_t max_time) {
    if (rows == 0) return;
    whole.min_time = whole.rows == 0 ? min_time : std::min(whole.min_time, min_time);
    whole.max_time = whole.rows == 0 ? max_time : std::max(whole.max_time, max_time);
    whole.rows += rows;
  };
  add(version.files->rows(), version.files->min_time(), version.files->max_time());
  for (const ChunkView* chunk : ChunksOf(version.hot)) add(chunk->rows, chunk->min_time, chunk->max_time);
  return whole;
}

struct TimePartition : duckdb::PartitionRowGroup {
  TimePartition(int64_t min_time, int64_t max_time) : min_time(min_time), max_time(max_time) {}
  duckdb::unique_ptr<duckdb::BaseStatistics> GetColumnStatistics(const duckdb::StorageIndex& column) override {
    return column.GetPrimaryIndex() == kTimeColumn ? TimeStatistics(min_time, max_time) : nullptr;
  }
  bool MinMaxIsExact(const duckdb::BaseStatistics&, const duckdb::StorageIndex&) override { return true; }
  const int64_t min_time;
  const int64_t max_time;
};

// Answers count(*), min(time) and max(time) while planning, without opening a file.
duckdb::vector<duckdb::PartitionStatistics> PartitionStats(duckdb::ClientContext&,
                                                           duckdb::GetPartitionStatsInput& input) {
  duckdb::vector<duckdb::PartitionStatistics> result;
  auto add = [&](int64_t rows, int64_t min_time, int64_t max_time) {
    duckdb::PartitionStatistics partition;
    partition.count = static_cast<duckdb::idx_t>(rows);
    partition.count_type = duckdb::CountType::COUNT_EXACT;
    partition.partition_row_group = duckdb::make_shared_ptr<TimePartition>(min_time, max_time);
    result.push_back(std::move(partition));
  };
  const ArcFileList& list = ListOf(*input.bind_data);
  ScanItem whole = Whole(list.version());
  if (whole.rows == 0) return result;
  // One partition wherever the range leaves nothing out: SetScanOrder depends on it.
  if (list.ranges().Contains(whole.min_time, whole.max_time)) {
    add(whole.rows, whole.min_time, whole.max_time);
    return result;
  }
  for (const ScanItem& item : list.items()) {
    if (item.file != ScanItem::kHot) add(item.rows, item.min_time, item.max_time);
  }
  for (const ChunkView* chunk : ChunksOf(list.version().hot)) {
    if (list.ranges().Meets(chunk->min_time, chunk->max_time)) add(chunk->rows, chunk->min_time, chunk->max_time);
  }
  return result;
}

duckdb::unique_ptr<duckdb::BaseStatistics> ColumnStatistics(duckdb::ClientContext&, const duckdb::FunctionData* data,
                                                            duckdb::column_t column) {
  if (column != kTimeColumn) return nullptr;
  ScanItem whole = Whole(ListOf(*data).version());
  return whole.rows == 0 ? nullptr : TimeStatistics(whole.min_time, whole.max_time);
}

void SetScanOrder(duckdb::unique_ptr<duckdb::RowGroupOrderOptions> options,
                  duckdb::optional_ptr<duckdb::FunctionData> data) {
  if (options->column_idx.GetPrimaryIndex() != kTimeColumn) return;
  ArcFileList& list = ListOf(*data);
  if (options->row_group_offset > 0 || options->leading_null_group_offset > 0) {
    // The optimizer dropped whole partitions from OFFSET and counts on us to skip them. It does so only without
    // filters, when the table is one partition: then nothing is left.
    if (!list.ranges().Contains(Whole(list.version()).min_time, Whole(list.version()).max_time)) {
      throw duckdb::InternalException("OFFSET was pruned over a filtered scan");
    }
    list.SetNothing();
    return;
  }
  list.SetOrder(options->order_type == duckdb::OrderType::DESCENDING ? ScanOrder::kNewestFirst
                                                                     : ScanOrder::kOldestFirst);
}

duckdb::BindInfo GetBindInfo(const duckdb::optional_ptr<duckdb::FunctionData> data) {
  const auto& bind_data = data->Cast<duckdb::MultiFileBindData>();
  return duckdb::BindInfo(bind_data.multi_file_reader->Cast<ArcMultiFileReader>().table());
}

duckdb::virtual_column_map_t GetVirtualColumns(duckdb::ClientContext&,
                                               duckdb::optional_ptr<duckdb::FunctionData> data) {
  auto& bind_data = data->Cast<duckdb::MultiFileBindData>();
  bind_data.virtual_columns = bind_data.multi_file_reader->Cast<ArcMultiFileReader>().table().GetVirtualColumns();
  return bind_data.virtual_columns;
}

duckdb::InsertionOrderPreservingMap<duckdb::string> Describe(const ArcFileList& list) {
  duckdb::InsertionOrderPreservingMap<duckdb::string> result;
  const ArcFileList::Extent extent = list.extent();
  result["Files"] = std::to_string(extent.files) + " of " + std::to_string(list.version().files->files().size());
  result["Hot Rows"] = std::to_string(extent.hot_rows) + " of " + std::to_string(list.version().hot.rows);
  return result;
}

duckdb::InsertionOrderPreservingMap<duckdb::string> ToString(duckdb::TableFunctionToStringInput& input) {
  const auto& bind_data = input.bind_data->Cast<duckdb::MultiFileBindData>();
  auto result = Describe(bind_data.file_list->Cast<ArcFileList>());
  const ArcTableEntry& table = bind_data.multi_file_reader->Cast<ArcMultiFileReader>().table();
  result["Table"] = table.schema.name + "." + table.name;
  return result;
}

duckdb::InsertionOrderPreservingMap<duckdb::string> ToStringAfterwards(
    duckdb::TableFunctionDynamicToStringInput& input) {
  const auto& state = input.global_state->Cast<duckdb::MultiFileGlobalState>();
  auto result = Describe(state.file_list.Cast<ArcFileList>());
  size_t opened = 0;
  std::lock_guard lock(state.lock);
  for (const auto& reader : state.readers) {
    if (reader && !IsHot(reader->file_to_be_opened) && reader->file_state != duckdb::MultiFileFileState::UNOPENED) {
      ++opened;
    }
  }
  result["Files Opened"] = std::to_string(opened);
  return result;
}

// The Parquet scan that everything not replaced below comes from.
duckdb::TableFunction ParquetScan(duckdb::ClientContext& context) {
  auto& entry = duckdb::Catalog::GetSystemCatalog(context).GetEntry<duckdb::TableFunctionCatalogEntry>(
      context, DEFAULT_SCHEMA, "parquet_scan");
  return entry.functions.GetFunctionByOffset(0);
}

}  // namespace

duckdb::TableFunction BindArcScan(duckdb::ClientContext& context, ArcTableEntry& table,
                                  duckdb::unique_ptr<duckdb::FunctionData>& bind_data) {
  duckdb::TableFunction function = ParquetScan(context);
  function.name = "arc_scan";
  function.function_info = duckdb::make_shared_ptr<ArcScanInfo>(table);
  function.get_multi_file_reader = ArcMultiFileReader::Make;
  function.statistics = ColumnStatistics;
  function.statistics_extended = nullptr;
  function.get_bind_info = GetBindInfo;
  function.get_virtual_columns = GetVirtualColumns;
  function.get_row_id_columns = nullptr;
  function.get_partition_stats = PartitionStats;
  function.set_scan_order = SetScanOrder;
  function.to_string = ToString;
  function.dynamic_to_string = ToStringAfterwards;
  // A top-N would scan twice, the second time by row id.
  function.late_materialization = false;
  function.serialize = nullptr;
  function.deserialize = nullptr;
  function.verify_serialization = false;

  duckdb::vector<duckdb::Value> inputs{duckdb::Value("")};
  duckdb::named_parameter_map_t named_parameters;
  duckdb::vector<duckdb::LogicalType> input_types;
  duckdb::vector<duckdb::string> input_names;
  duckdb::TableFunctionRef reference;
  duckdb::TableFunctionBindInput input(inputs, named_parameters, input_types, input_names, nullptr, nullptr, function,
                                       reference);
  duckdb::vector<duckdb::LogicalType> types;
  duckdb::vector<duckdb::string> names;
  bind_data = function.bind(context, input, types, names);
  bind_data->Cast<duckdb::MultiFileBindData>().virtual_columns = table.GetVirtualColumns();
  return function;
}

}  // namespace arc
