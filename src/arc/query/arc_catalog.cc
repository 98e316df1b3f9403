#include "arc/query/arc_catalog.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "arc/query/arc_scan.h"
#include "arc/query/duck_error.h"
#include "arc/query/snapshot_clause.h"
#include "duckdb/catalog/entry_lookup_info.hpp"
#include "duckdb/parser/parsed_data/create_schema_info.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/planner/tableref/bound_at_clause.hpp"
#include "duckdb/storage/database_size.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"
#include "duckdb/storage/storage_extension.hpp"
#include "duckdb/storage/table_storage_info.hpp"

namespace arc {
namespace {

[[noreturn]] void Refuse(const char* what) {
  throw duckdb::PermissionException("%s is not possible here: tables are made and changed through Arc's own interfaces",
                                    what);
}

[[noreturn]] void ThrowUnreadable(const std::string& database, const std::string& table, const std::string& reason) {
  throw duckdb::BinderException("Iceberg table \"%s.%s\" can be read by other engines only: %s", database, table,
                                reason);
}

// Of a transaction's entry: one for each AT clause, however it is spelled.
std::string KeyOf(const std::string& name, const duckdb::BoundAtClause* clause) {
  if (clause == nullptr) return name;
  return name + '\0' + clause->Unit() + '\0' + clause->GetValue().ToSQLString();
}

// The metadata of a table as of a snapshot; `metadata` null: it has none.
Result<std::shared_ptr<const TableMetadata>> MetadataAt(const std::shared_ptr<const TableMetadata>& metadata,
                                                        const SnapshotSelector& selector) {
  const TableMetadata none;
  const TableMetadata& now = metadata ? *metadata : none;
  ARC_ASSIGN_OR_RETURN(const Snapshot* snapshot, ChooseSnapshot(now, selector));
  ARC_ASSIGN_OR_RETURN(auto then, AsOfSnapshot(now, *snapshot));
  return std::make_shared<const TableMetadata>(std::move(then));
}

class ArcCatalog : public duckdb::Catalog {
 public:
  ArcCatalog(duckdb::AttachedDatabase& db, const QuerySources& sources) : Catalog(db), sources_(sources) {}

  const QuerySources& sources() const { return sources_; }

  void Initialize(bool) override {}
  duckdb::string GetCatalogType() override { return kArcCatalog; }
  duckdb::string GetDefaultSchema() const override { return "default"; }
  bool SupportsTimeTravel() const override { return true; }
  bool InMemory() override { return true; }
  duckdb::string GetDBPath() override { return ""; }
  duckdb::DatabaseSize GetDatabaseSize(duckdb::ClientContext&) override { return {}; }

  // We hold tables only: functions, types and the like are never looked for here.
  duckdb::CatalogLookupBehavior CatalogTypeLookupRule(duckdb::CatalogType type) const override {
    return type == duckdb::CatalogType::TABLE_ENTRY ? duckdb::CatalogLookupBehavior::STANDARD
                                                    : duckdb::CatalogLookupBehavior::NEVER_LOOKUP;
  }

  duckdb::optional_ptr<duckdb::SchemaCatalogEntry> LookupSchema(duckdb::CatalogTransaction transaction,
                                                                const duckdb::EntryLookupInfo& lookup,
                                                                duckdb::OnEntryNotFound if_not_found) override {
    ArcSchemaEntry* schema = nullptr;
    if (transaction.transaction) {
      schema = transaction.transaction->Cast<ArcTransaction>().FindSchema(*this, lookup.GetEntryName());
    }
    if (schema != nullptr) return schema;
    if (if_not_found == duckdb::OnEntryNotFound::THROW_EXCEPTION) {
      throw duckdb::CatalogException("Database \"%s\" does not exist", lookup.GetEntryName());
    }
    return nullptr;
  }

  void ScanSchemas(duckdb::ClientContext& context, std::function<void(duckdb::SchemaCatalogEntry&)> callback) override {
    auto& transaction = duckdb::Transaction::Get(context, *this).Cast<ArcTransaction>();
    for (ArcSchemaEntry* schema : transaction.Schemas(*this)) callback(*schema);
  }

  duckdb::optional_ptr<duckdb::CatalogEntry> CreateSchema(duckdb::CatalogTransaction,
                                                          duckdb::CreateSchemaInfo&) override {
    Refuse("CREATE SCHEMA");
  }
  void DropSchema(duckdb::ClientContext&, duckdb::DropInfo&) override { Refuse("DROP SCHEMA"); }
  duckdb::PhysicalOperator& PlanCreateTableAs(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator&,
                                              duckdb::LogicalCreateTable&, duckdb::PhysicalOperator&) override {
    Refuse("CREATE TABLE AS");
  }
  duckdb::PhysicalOperator& PlanInsert(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator&, duckdb::LogicalInsert&,
                                       duckdb::optional_ptr<duckdb::PhysicalOperator>) override {
    Refuse("INSERT");
  }
  duckdb::PhysicalOperator& PlanDelete(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator&, duckdb::LogicalDelete&,
                                       duckdb::PhysicalOperator&) override {
    Refuse("DELETE");
  }
  duckdb::PhysicalOperator& PlanUpdate(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator&, duckdb::LogicalUpdate&,
                                       duckdb::PhysicalOperator&) override {
    Refuse("UPDATE");
  }

 private:
  const QuerySources& sources_;
};

class ArcTransactionManager : public duckdb::TransactionManager {
 public:
  ArcTransactionManager(duckdb::AttachedDatabase& db, const QuerySources& sources)
      : TransactionManager(db), sources_(sources) {}

  duckdb::Transaction& StartTransaction(duckdb::ClientContext& context) override {
    auto transaction = std::make_unique<ArcTransaction>(*this, context, sources_);
    duckdb::Transaction& result = *transaction;
    std::lock_guard lock(mutex_);
    running_[&result] = std::move(transaction);
    return result;
  }
  duckdb::ErrorData CommitTransaction(duckdb::ClientContext&, duckdb::Transaction& transaction) override {
    End(transaction);
    return {};
  }
  void RollbackTransaction(duckdb::Transaction& transaction) override { End(transaction); }
  void Checkpoint(duckdb::ClientContext&, bool) override {}

 private:
  void End(duckdb::Transaction& transaction) {
    std::unique_ptr<ArcTransaction> ended;  // destroyed after the lock: it may be the last owner of many chunks
    std::lock_guard lock(mutex_);
    auto found = running_.find(&transaction);
    if (found == running_.end()) return;
    ended = std::move(found->second);
    running_.erase(found);
  }

  const QuerySources& sources_;
  std::mutex mutex_;
  std::map<duckdb::Transaction*, std::unique_ptr<ArcTransaction>> running_;
};

struct ArcStorageInfo : duckdb::StorageExtensionInfo {
  explicit ArcStorageInfo(const QuerySources& sources) : sources(sources) {}
  const QuerySources& sources;
};

duckdb::unique_ptr<duckdb::Catalog> AttachArc(duckdb::optional_ptr<duckdb::StorageExtensionInfo> info,
                                              duckdb::ClientContext&, duckdb::AttachedDatabase& db,
                                              const duckdb::string&, duckdb::AttachInfo&, duckdb::AttachOptions&) {
  return duckdb::make_uniq<ArcCatalog>(db, static_cast<ArcStorageInfo&>(*info).sources);
}

duckdb::unique_ptr<duckdb::TransactionManager> MakeTransactionManager(
    duckdb::optional_ptr<duckdb::StorageExtensionInfo> info, duckdb::AttachedDatabase& db, duckdb::Catalog&) {
  return duckdb::make_uniq<ArcTransactionManager>(db, static_cast<ArcStorageInfo&>(*info).sources);
}

}  // namespace

ClientState& ClientState::Of(duckdb::ClientContext& context) {
  return *context.registered_state->GetOrCreate<ClientState>(kName);
}

duckdb::LogicalType ToDuckType(ColumnType type) {
  switch (type) {
    case ColumnType::kTimestamp: return duckdb::LogicalType::TIMESTAMP;
    case ColumnType::kDouble: return duckdb::LogicalType::DOUBLE;
    case ColumnType::kInt64: return duckdb::LogicalType::BIGINT;
    case ColumnType::kUInt64: return duckdb::LogicalType::UBIGINT;
    case ColumnType::kBool: return duckdb::LogicalType::BOOLEAN;
    case ColumnType::kString: return duckdb::LogicalType::VARCHAR;
  }
  ARC_CHECK(false);
}

ArcTableEntry::ArcTableEntry(duckdb::Catalog& catalog, duckdb::SchemaCatalogEntry& schema,
                             duckdb::CreateTableInfo& info, std::shared_ptr<const TableVersion> version,
                             const QuerySources& sources, bool is_delete_target)
    : TableCatalogEntry(catalog, schema, info),
      version_(std::move(version)),
      sources_(sources),
      is_delete_target_(is_delete_target) {}

duckdb::unique_ptr<duckdb::BaseStatistics> ArcTableEntry::GetStatistics(duckdb::ClientContext&, duckdb::column_t) {
  return nullptr;  // the scan function gives them
}

duckdb::TableFunction ArcTableEntry::GetScanFunction(duckdb::ClientContext& context,
                                                     duckdb::unique_ptr<duckdb::FunctionData>& bind_data) {
  if (!version_->unreadable.empty()) ThrowUnreadable(schema.name, name, version_->unreadable);
  return BindArcScan(context, *this, bind_data);
}

duckdb::TableStorageInfo ArcTableEntry::GetStorageInfo(duckdb::ClientContext&) {
  duckdb::TableStorageInfo info;
  info.cardinality = static_cast<duckdb::idx_t>(version_->files->rows()) + version_->hot.rows;
  return info;
}

duckdb::virtual_column_map_t ArcTableEntry::GetVirtualColumns() const {
  duckdb::virtual_column_map_t result;
  result.insert({duckdb::COLUMN_IDENTIFIER_EMPTY, duckdb::TableColumn("", duckdb::LogicalType::BOOLEAN)});
  if (version_->schema->Find("timestamp") < 0) {
    result.insert({kTimestampAlias, duckdb::TableColumn("timestamp", duckdb::LogicalType::TIMESTAMP)});
  }
  if (is_delete_target_) {
    result.insert({kFilePosition, duckdb::TableColumn(kFilePositionName, duckdb::LogicalType::BIGINT)});
    result.insert({kRowNumber, duckdb::TableColumn(kRowNumberName, duckdb::LogicalType::BIGINT)});
  }
  return result;
}

std::unique_ptr<duckdb::TableCatalogEntry> ArcSchemaEntry::NewEntry(const std::string& table,
                                                                    std::shared_ptr<const TableVersion> version,
                                                                    bool is_delete_target) {
  duckdb::CreateTableInfo info(*this, table);
  for (const Column& column : version->schema->columns) {
    info.columns.AddColumn(duckdb::ColumnDefinition(column.name, ToDuckType(column.type)));
  }
  return std::make_unique<ArcTableEntry>(catalog, *this, info, std::move(version), sources_, is_delete_target);
}

duckdb::TableCatalogEntry& ArcSchemaEntry::EntryOf(const Table& table) {
  std::lock_guard lock(mutex_);
  auto& entry = entries_[table.ref().name];
  if (!entry) entry = NewEntry(table.ref().name, table.Current(), false);
  return *entry;
}

duckdb::TableCatalogEntry& ArcSchemaEntry::EntryAt(const Table& table, duckdb::ClientContext& context,
                                                   const duckdb::BoundAtClause& clause) {
  std::lock_guard lock(mutex_);
  auto& entry = entries_[KeyOf(table.ref().name, &clause)];
  const auto target = ClientState::Of(context).delete_target;
  if (!entry && target != nullptr && clause.Unit() == kDeleteTargetUnit) {
    entry = NewEntry(table.ref().name, target->version, true);
  } else if (!entry) {
    auto version = sources_.catalog.VersionAt(table, SelectorOf(context, clause));
    if (!version.ok()) ThrowDuckError(version.error());
    entry = NewEntry(table.ref().name, std::move(*version), false);
  }
  return *entry;
}

duckdb::TableCatalogEntry& ArcSchemaEntry::MetadataEntry(const Table& table, MetadataTableKind kind,
                                                         duckdb::ClientContext& context,
                                                         const duckdb::BoundAtClause* clause) {
  const std::string entry_name = table.ref().name + "$" + std::string(NameOf(kind));
  if (clause != nullptr && !IsOfOneSnapshot(kind)) {
    throw duckdb::BinderException("\"%s.%s\" is about all snapshots: AT is not possible here", name, entry_name);
  }
  std::lock_guard lock(mutex_);
  auto& entry = entries_[KeyOf(entry_name, clause)];
  if (!entry) {
    auto metadata = sources_.catalog.MetadataOf(table);
    if (!metadata.ok()) ThrowDuckError(metadata.error());
    if (clause != nullptr) metadata = MetadataAt(*metadata, SelectorOf(context, *clause));
    if (!metadata.ok()) ThrowDuckError(WithContext(metadata.error(), "table " + name + "." + table.ref().name));
    entry = MakeMetadataEntry(*this, entry_name, kind, std::move(*metadata), sources_.store);
  }
  return *entry;
}

duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::LookupEntry(duckdb::CatalogTransaction transaction,
                                                                       const duckdb::EntryLookupInfo& lookup) {
  if (lookup.GetCatalogType() != duckdb::CatalogType::TABLE_ENTRY) return nullptr;
  const std::string& asked = lookup.GetEntryName();
  const duckdb::BoundAtClause* clause = lookup.GetAtClause().get();
  if (const auto table = sources_.catalog.Find(name, asked)) {
    return clause == nullptr ? &EntryOf(*table) : &EntryAt(*table, transaction.GetContext(), *clause);
  }
  std::string reason = sources_.catalog.WhyUnreadable(name, asked);
  if (!reason.empty()) ThrowUnreadable(name, asked, reason);
  const auto metadata_table = ParseMetadataTableName(asked);
  if (!metadata_table) return nullptr;
  if (const auto table = sources_.catalog.Find(name, metadata_table->table)) {
    return &MetadataEntry(*table, metadata_table->kind, transaction.GetContext(), clause);
  }
  reason = sources_.catalog.WhyUnreadable(name, metadata_table->table);
  if (!reason.empty()) ThrowUnreadable(name, metadata_table->table, reason);
  return nullptr;
}

void ArcSchemaEntry::Scan(duckdb::ClientContext&, duckdb::CatalogType type,
                          const std::function<void(duckdb::CatalogEntry&)>& callback) {
  Scan(type, callback);
}

void ArcSchemaEntry::Scan(duckdb::CatalogType type, const std::function<void(duckdb::CatalogEntry&)>& callback) {
  if (type != duckdb::CatalogType::TABLE_ENTRY) return;
  for (const std::shared_ptr<Table>& table : sources_.catalog.Tables(name)) callback(EntryOf(*table));
}

duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::CreateIndex(duckdb::CatalogTransaction,
                                                                       duckdb::CreateIndexInfo&,
                                                                       duckdb::TableCatalogEntry&) {
  Refuse("CREATE INDEX");
}
duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::CreateFunction(duckdb::CatalogTransaction,
                                                                          duckdb::CreateFunctionInfo&) {
  Refuse("CREATE FUNCTION");
}
duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::CreateTable(duckdb::CatalogTransaction,
                                                                       duckdb::BoundCreateTableInfo&) {
  Refuse("CREATE TABLE");
}
duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::CreateView(duckdb::CatalogTransaction,
                                                                      duckdb::CreateViewInfo&) {
  Refuse("CREATE VIEW");
}
duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::CreateSequence(duckdb::CatalogTransaction,
                                                                          duckdb::CreateSequenceInfo&) {
  Refuse("CREATE SEQUENCE");
}
duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::CreateTableFunction(duckdb::CatalogTransaction,
                                                                               duckdb::CreateTableFunctionInfo&) {
  Refuse("CREATE FUNCTION");
}
duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::CreateCopyFunction(duckdb::CatalogTransaction,
                                                                              duckdb::CreateCopyFunctionInfo&) {
  Refuse("CREATE FUNCTION");
}
duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::CreatePragmaFunction(duckdb::CatalogTransaction,
                                                                                duckdb::CreatePragmaFunctionInfo&) {
  Refuse("CREATE FUNCTION");
}
duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::CreateCollation(duckdb::CatalogTransaction,
                                                                           duckdb::CreateCollationInfo&) {
  Refuse("CREATE COLLATION");
}
duckdb::optional_ptr<duckdb::CatalogEntry> ArcSchemaEntry::CreateType(duckdb::CatalogTransaction,
                                                                      duckdb::CreateTypeInfo&) {
  Refuse("CREATE TYPE");
}
void ArcSchemaEntry::DropEntry(duckdb::ClientContext&, duckdb::DropInfo&) { Refuse("DROP"); }
void ArcSchemaEntry::Alter(duckdb::CatalogTransaction, duckdb::AlterInfo&) { Refuse("ALTER"); }

ArcTransaction::ArcTransaction(duckdb::TransactionManager& manager, duckdb::ClientContext& context,
                               const QuerySources& sources)
    : Transaction(manager, context),
      sources_(sources),
      principal_(ClientState::Of(context).principal),
      in_main_(SameIdentifier(ClientState::Of(context).database, DEFAULT_SCHEMA)) {}

ArcSchemaEntry* ArcTransaction::FindSchema(duckdb::Catalog& catalog, const std::string& asked) {
  if (!in_main_ && SameIdentifier(asked, DEFAULT_SCHEMA)) return nullptr;
  const std::string name = asked == kMainDatabase ? DEFAULT_SCHEMA : asked;
  {
    std::lock_guard lock(mutex_);
    auto known = schemas_.find(name);
    if (known != schemas_.end()) return known->second.get();
  }
  const std::optional<std::string> database = sources_.catalog.FindDatabase(name);
  if (!database || !principal_.CanRead(*database)) return nullptr;
  return SchemaOf(catalog, *database);
}

std::vector<ArcSchemaEntry*> ArcTransaction::Schemas(duckdb::Catalog& catalog) {
  std::vector<ArcSchemaEntry*> result;
  for (const std::string& database : sources_.catalog.Databases()) {
    if (principal_.CanRead(database)) result.push_back(SchemaOf(catalog, database));
  }
  return result;
}

ArcSchemaEntry* ArcTransaction::SchemaOf(duckdb::Catalog& catalog, const std::string& database) {
  std::lock_guard lock(mutex_);
  auto& schema = schemas_[database];
  if (!schema) {
    duckdb::CreateSchemaInfo info;
    info.schema = database;
    schema = std::make_unique<ArcSchemaEntry>(catalog, info, sources_);
  }
  return schema.get();
}

void RegisterArcCatalog(duckdb::DBConfig& config, const QuerySources& sources) {
  auto extension = duckdb::make_shared_ptr<duckdb::StorageExtension>();
  extension->attach = AttachArc;
  extension->create_transaction_manager = MakeTransactionManager;
  extension->storage_info = duckdb::make_shared_ptr<ArcStorageInfo>(sources);
  duckdb::StorageExtension::Register(config, kArcCatalog, extension);
}

}  // namespace arc
