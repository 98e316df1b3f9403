#include "arc/query/show_functions.h"

#include <algorithm>
#include <optional>

#include "duckdb/function/table_function.hpp"
#include "duckdb/main/client_context.hpp"
#include "duckdb/main/extension/extension_loader.hpp"

namespace arc {
namespace {

using Row = duckdb::vector<duckdb::Value>;

struct ShowInfo : duckdb::TableFunctionInfo {
  explicit ShowInfo(const QuerySources& sources) : sources(sources) {}
  const QuerySources& sources;
};

struct ShowData : duckdb::TableFunctionData {
  std::vector<Row> rows;
};

struct ShowState : duckdb::GlobalTableFunctionState {
  size_t next = 0;
};

void AddTables(const QuerySources& sources, const std::string& database, std::vector<Row>* rows) {
  for (const std::shared_ptr<Table>& table : sources.catalog.Tables(database)) {
    std::shared_ptr<const TableVersion> version = table->Current();
    std::string path = sources.store.UriOf(TableFolder(table->ref()));
    double megabytes = static_cast<double>(version->files->bytes()) / (1024.0 * 1024.0);
    rows->push_back({duckdb::Value(database), duckdb::Value(table->ref().name), duckdb::Value(path + "/"),
                     duckdb::Value::BIGINT(static_cast<int64_t>(version->files->files().size())),
                     duckdb::Value::DOUBLE(megabytes)});
  }
}

duckdb::unique_ptr<duckdb::FunctionData> BindDatabases(duckdb::ClientContext& context,
                                                       duckdb::TableFunctionBindInput& input,
                                                       duckdb::vector<duckdb::LogicalType>& types,
                                                       duckdb::vector<duckdb::string>& names) {
  types = {duckdb::LogicalType::VARCHAR};
  names = {"database"};
  auto data = duckdb::make_uniq<ShowData>();
  const Principal& principal = ClientState::Of(context).principal;
  for (const std::string& database : input.info->Cast<ShowInfo>().sources.catalog.Databases()) {
    if (principal.CanRead(database)) data->rows.push_back({duckdb::Value(database)});
  }
  return data;
}

duckdb::unique_ptr<duckdb::FunctionData> BindTables(duckdb::ClientContext& context,
                                                    duckdb::TableFunctionBindInput& input,
                                                    duckdb::vector<duckdb::LogicalType>& types,
                                                    duckdb::vector<duckdb::string>& names) {
  types = {duckdb::LogicalType::VARCHAR, duckdb::LogicalType::VARCHAR, duckdb::LogicalType::VARCHAR,
           duckdb::LogicalType::BIGINT, duckdb::LogicalType::DOUBLE};
  names = {"database", "table_name", "storage_path", "file_count", "total_size_mb"};
  auto data = duckdb::make_uniq<ShowData>();
  const QuerySources& sources = input.info->Cast<ShowInfo>().sources;
  const ClientState& client = ClientState::Of(context);
  if (input.inputs.empty()) {
    for (const std::string& database : sources.catalog.Databases()) {
      if (client.principal.CanRead(database)) AddTables(sources, database, &data->rows);
    }
    return data;
  }
  bool named = !input.inputs[0].IsNull();
  std::string name = named ? input.inputs[0].ToString() : client.database;
  const std::optional<std::string> database = sources.catalog.FindDatabase(name);
  if (database && client.principal.CanRead(*database)) {
    AddTables(sources, *database, &data->rows);
  } else if (named) {
    throw duckdb::CatalogException("Database \"%s\" does not exist", name);
  }
  return data;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> Init(duckdb::ClientContext&, duckdb::TableFunctionInitInput&) {
  return duckdb::make_uniq<ShowState>();
}

void Produce(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  const auto& data = input.bind_data->Cast<ShowData>();
  auto& state = input.global_state->Cast<ShowState>();
  size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, data.rows.size() - state.next);
  for (size_t row = 0; row < count; ++row) {
    const Row& values = data.rows[state.next + row];
    for (size_t column = 0; column < values.size(); ++column) output.SetValue(column, row, values[column]);
  }
  state.next += count;
  output.SetCardinality(count);
}

duckdb::TableFunction MakeFunction(std::string_view name, duckdb::vector<duckdb::LogicalType> arguments,
                                   duckdb::table_function_bind_t bind, const QuerySources& sources) {
  duckdb::TableFunction function(duckdb::string(name), arguments, Produce, bind, Init);
  function.function_info = duckdb::make_shared_ptr<ShowInfo>(sources);
  return function;
}

}  // namespace

void RegisterShowFunctions(duckdb::DatabaseInstance& instance, const QuerySources& sources) {
  duckdb::ExtensionLoader loader(instance, "arc");
  loader.RegisterFunction(MakeFunction(kShowDatabasesFunction, {}, BindDatabases, sources));
  duckdb::TableFunctionSet tables{duckdb::string(kShowTablesFunction)};
  tables.AddFunction(MakeFunction(kShowTablesFunction, {}, BindTables, sources));
  tables.AddFunction(MakeFunction(kShowTablesFunction, {duckdb::LogicalType::VARCHAR}, BindTables, sources));
  loader.RegisterFunction(tables);
}

}  // namespace arc
