// DuckDB's view of our databases and tables: catalog `arc`, one schema per database, one table entry per measurement.
// Entries live as long as the transaction that looked them up, so a query sees one version of each table however often
// it names it, and nothing is kept afterwards. `m AT (…)` is an entry of its own for each clause, and so is `m$files`.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "arc/auth/token_store.h"
#include "arc/catalog/catalog.h"
#include "arc/io/object_store.h"
#include "arc/query/metadata_table.h"
#include "arc/query/query_engine.h"
#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/common/multi_file/multi_file_reader.hpp"
#include "duckdb/main/client_context_state.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/planner/tableref/bound_at_clause.hpp"
#include "duckdb/transaction/transaction.hpp"
#include "duckdb/transaction/transaction_manager.hpp"

namespace arc {

inline constexpr const char* kArcCatalog = "arc";

// Column id under which `timestamp` is bound where a table has no such column. plan_guard.cc replaces it by `time`
// before anything else sees the plan.
inline constexpr duckdb::column_t kTimestampAlias = (duckdb::column_t{1} << 63) + 64;  // a virtual column

// Columns that only the table of a DELETE has: the file's position in the table's version, and the row's number in the
// file, under which DuckDB's Parquet reader knows it.
inline constexpr duckdb::column_t kFilePosition = kTimestampAlias + 1;
inline constexpr const char* kFilePositionName = "\x1f_file";
inline constexpr duckdb::column_t kRowNumber = duckdb::MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER;
inline constexpr const char* kRowNumberName = "\x1f_row";
// The unit of the AT clause by which statement.cc marks that table.
inline constexpr const char* kDeleteTargetUnit = "\x1f_delete";

// How statement.cc spells the database `main` where a query names it: DuckDB looks for unqualified names in a schema
// `main` too, and must not find that database then.
inline constexpr const char* kMainDatabase = "\x1fmain";

// What the whole instance reads from. Immutable.
struct QuerySources {
  const CatalogView& catalog;
  ObjectStore& store;
  // Files open only for who knows this; SQL cannot put it into an OpenFileInfo.
  std::string capability;
};

// Who runs the statement of a connection. Set before each statement.
struct ClientState : duckdb::ClientContextState {
  static constexpr const char* kName = "arc_client";
  static ClientState& Of(duckdb::ClientContext& context);
  Principal principal;
  std::string database;                         // where unqualified names are looked for
  std::shared_ptr<DeleteTarget> delete_target;  // as in QueryRequest
  bool trusted = false;                         // the statement is ours, not the user's
};

duckdb::LogicalType ToDuckType(ColumnType type);

class ArcTableEntry : public duckdb::TableCatalogEntry {
 public:
  ArcTableEntry(duckdb::Catalog& catalog, duckdb::SchemaCatalogEntry& schema, duckdb::CreateTableInfo& info,
                std::shared_ptr<const TableVersion> version, const QuerySources& sources, bool is_delete_target);
  const std::shared_ptr<const TableVersion>& version() const { return version_; }
  const QuerySources& sources() const { return sources_; }
  // The table of the DELETE that runs, not one that its condition reads.
  bool is_delete_target() const { return is_delete_target_; }

  duckdb::unique_ptr<duckdb::BaseStatistics> GetStatistics(duckdb::ClientContext&, duckdb::column_t) override;
  duckdb::TableFunction GetScanFunction(duckdb::ClientContext& context,
                                        duckdb::unique_ptr<duckdb::FunctionData>& bind_data) override;
  duckdb::TableStorageInfo GetStorageInfo(duckdb::ClientContext&) override;
  duckdb::virtual_column_map_t GetVirtualColumns() const override;
  duckdb::vector<duckdb::column_t> GetRowIdColumns() const override { return {}; }

 private:
  const std::shared_ptr<const TableVersion> version_;
  const QuerySources& sources_;
  const bool is_delete_target_;
};

class ArcSchemaEntry : public duckdb::SchemaCatalogEntry {
 public:
  ArcSchemaEntry(duckdb::Catalog& catalog, duckdb::CreateSchemaInfo& info, const QuerySources& sources)
      : SchemaCatalogEntry(catalog, info), sources_(sources) {}

  duckdb::optional_ptr<duckdb::CatalogEntry> LookupEntry(duckdb::CatalogTransaction transaction,
                                                         const duckdb::EntryLookupInfo& lookup) override;
  void Scan(duckdb::ClientContext& context, duckdb::CatalogType type,
            const std::function<void(duckdb::CatalogEntry&)>& callback) override;
  void Scan(duckdb::CatalogType type, const std::function<void(duckdb::CatalogEntry&)>& callback) override;

  duckdb::optional_ptr<duckdb::CatalogEntry> CreateIndex(duckdb::CatalogTransaction, duckdb::CreateIndexInfo&,
                                                         duckdb::TableCatalogEntry&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateFunction(duckdb::CatalogTransaction,
                                                            duckdb::CreateFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateTable(duckdb::CatalogTransaction,
                                                         duckdb::BoundCreateTableInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateView(duckdb::CatalogTransaction, duckdb::CreateViewInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateSequence(duckdb::CatalogTransaction,
                                                            duckdb::CreateSequenceInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateTableFunction(duckdb::CatalogTransaction,
                                                                 duckdb::CreateTableFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateCopyFunction(duckdb::CatalogTransaction,
                                                                duckdb::CreateCopyFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreatePragmaFunction(duckdb::CatalogTransaction,
                                                                  duckdb::CreatePragmaFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateCollation(duckdb::CatalogTransaction,
                                                             duckdb::CreateCollationInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateType(duckdb::CatalogTransaction, duckdb::CreateTypeInfo&) override;
  void DropEntry(duckdb::ClientContext&, duckdb::DropInfo&) override;
  void Alter(duckdb::CatalogTransaction, duckdb::AlterInfo&) override;

 private:
  using Entry = duckdb::TableCatalogEntry;
  Entry& EntryOf(const Table& table);
  Entry& EntryAt(const Table& table, duckdb::ClientContext& context, const duckdb::BoundAtClause& clause);
  Entry& MetadataEntry(const Table& table, MetadataTableKind kind, duckdb::ClientContext& context,
                       const duckdb::BoundAtClause* clause);
  std::unique_ptr<Entry> NewEntry(const std::string& table, std::shared_ptr<const TableVersion> version,
                                  bool is_delete_target);

  const QuerySources& sources_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;  // by name, and what the AT clause says
};

// Holds every entry that one DuckDB transaction has seen.
class ArcTransaction : public duckdb::Transaction {
 public:
  ArcTransaction(duckdb::TransactionManager& manager, duckdb::ClientContext& context, const QuerySources& sources);
  // The database so named, if the connection's principal may read it; else null.
  ArcSchemaEntry* FindSchema(duckdb::Catalog& catalog, const std::string& name);
  // All that the principal may read.
  std::vector<ArcSchemaEntry*> Schemas(duckdb::Catalog& catalog);

 private:
  ArcSchemaEntry* SchemaOf(duckdb::Catalog& catalog, const std::string& database);

  const QuerySources& sources_;
  const Principal principal_;
  const bool in_main_;  // unqualified names are looked for in database `main`
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ArcSchemaEntry>, std::less<>> schemas_;  // by the database's own name
};

// Makes `ATTACH '' AS arc (TYPE arc)` give our catalog. `sources` outlives the instance.
void RegisterArcCatalog(duckdb::DBConfig& config, const QuerySources& sources);

}  // namespace arc
