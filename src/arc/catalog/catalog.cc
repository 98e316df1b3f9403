#include "arc/catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "arc/catalog/names.h"
#include "arc/catalog/pointer_store.h"
#include "arc/catalog/table_commits.h"
#include "arc/catalog/unneeded_objects.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/schema_conversion.h"

namespace arc {
namespace {

constexpr int64_t kMicrosPerMs = 1000;

Schema NewTableSchema() {
  Schema schema;
  schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, true}};
  return schema;
}

class CatalogImpl : public Catalog {
 public:
  CatalogImpl(ObjectStore& store, Clock& clock, RandomSource& random, ByteBudget* budget, const HistoryPolicy& history)
      : store_(store), clock_(clock), random_(random), budget_(budget), history_(history) {}

  Status Load(const std::string& database_file, LocalDisk& disk);

  std::vector<std::string> Databases() const override;
  std::optional<std::string> FindDatabase(std::string_view name) const override;
  std::vector<std::shared_ptr<Table>> Tables(std::string_view database) const override;
  std::shared_ptr<Table> Find(std::string_view database, std::string_view name) const override;
  Result<Lsn> UseLineage(const Uuid& lineage) override;
  Status CreateDatabase(const std::string& database) override;
  Result<std::shared_ptr<Table>> GetOrCreate(const std::string& database, const std::string& name) override;
  Result<std::shared_ptr<Table>> Restore(const TableRef& ref) override;
  std::vector<std::shared_ptr<Table>> AllTables() const override;
  void CommitFlushes(ObjectGroup& group, std::span<FlushCommit> commits) override { commits_->Flush(group, commits); }
  Status CommitReplace(Table& table, const FileReplacement& replacement) override {
    return commits_->Replace(table, replacement);
  }
  Result<ExpiryOutcome> ExpireSnapshots(Table& table) override { return commits_->Expire(table); }
  Result<std::vector<ObjectInfo>> Unneeded(const Table& table, std::vector<ObjectInfo> objects) override {
    return UnneededObjects(store_, *pointers_, commits_->retired(), table, std::move(objects));
  }
  int64_t last_commit_micros() const override { return last_commit_micros_; }

 private:
  // What the lake knew of a table at start, until the lineage says how much of it counts.
  struct Loaded {
    TableRef ref;
    Schema schema;
    std::shared_ptr<const FileIndex> files;
    TableMetadata metadata;
  };
  using TableMap = NameMap<std::shared_ptr<Table>>;

  Status LoadOne(const TablePointer& entry);
  std::shared_ptr<Table> MakeTable(const TableRef& ref, Schema schema, std::shared_ptr<const FileIndex> files,
                                   Lsn flushed);

  ObjectStore& store_;
  Clock& clock_;
  RandomSource& random_;
  ByteBudget* const budget_;
  const HistoryPolicy history_;
  int64_t last_commit_micros_ = 0;
  std::unique_ptr<PointerStore> pointers_;
  std::unique_ptr<TableCommits> commits_;
  std::vector<Loaded> loaded_;
  mutable std::shared_mutex mutex_;
  NameMap<TableMap> databases_;
  std::unordered_map<Uuid, std::shared_ptr<Table>> by_id_;
};

Status CatalogImpl::Load(const std::string& database_file, LocalDisk& disk) {
  ARC_ASSIGN_OR_RETURN(pointers_, PointerStore::Open(database_file, disk));
  commits_ = std::make_unique<TableCommits>(store_, clock_, random_, *pointers_, history_);
  ARC_ASSIGN_OR_RETURN(auto namespaces, pointers_->Namespaces());
  databases_.Get("default");
  for (const auto& name : namespaces) databases_.Get(name);
  ARC_ASSIGN_OR_RETURN(auto entries, pointers_->List());
  for (const auto& entry : entries) ARC_RETURN_IF_ERROR(LoadOne(entry));
  return {};
}

Status CatalogImpl::LoadOne(const TablePointer& entry) {
  auto metadata = ReadTableMetadata(store_, entry.metadata_location);
  if (!metadata.ok()) return WithContext(std::move(metadata).error(), "table " + entry.database + "." + entry.table);
  TableRef ref{metadata->table_uuid, entry.database, entry.table};
  ARC_ASSIGN_OR_RETURN(auto index, commits_->ReadAtStart(ref, entry.metadata_location, *metadata));
  ARC_ASSIGN_OR_RETURN(auto schema, ToArcSchema(*metadata));
  last_commit_micros_ = std::max(last_commit_micros_, metadata->last_updated_ms * kMicrosPerMs);
  loaded_.push_back({std::move(ref), std::move(schema), std::move(index), std::move(*metadata)});
  return {};
}

Result<Lsn> CatalogImpl::UseLineage(const Uuid& lineage) {
  std::unique_lock lock(mutex_);
  commits_->UseLineage(lineage);
  Lsn highest;
  for (auto& table : loaded_) {
    ARC_ASSIGN_OR_RETURN(Lsn flushed, FlushedLsn(table.metadata, lineage));
    highest = std::max(highest, flushed);
    MakeTable(table.ref, std::move(table.schema), std::move(table.files), flushed);
  }
  loaded_.clear();
  return highest;
}

std::shared_ptr<Table> CatalogImpl::MakeTable(const TableRef& ref, Schema schema,
                                              std::shared_ptr<const FileIndex> files, Lsn flushed) {
  auto table = std::make_shared<Table>(ref, budget_, clock_, std::move(schema), std::move(files), flushed);
  databases_.Get(ref.database).Get(ref.name) = table;
  by_id_[ref.id] = table;
  return table;
}

std::vector<std::string> CatalogImpl::Databases() const {
  std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, tables] : databases_.values()) names.push_back(name);
  return names;
}

std::optional<std::string> CatalogImpl::FindDatabase(std::string_view name) const {
  std::shared_lock lock(mutex_);
  const auto* entry = databases_.FindEntry(name);
  return entry == nullptr ? std::nullopt : std::optional<std::string>(entry->first);
}

std::vector<std::shared_ptr<Table>> CatalogImpl::Tables(std::string_view database) const {
  std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<Table>> tables;
  const TableMap* map = databases_.Find(database);
  if (map == nullptr) return tables;
  for (const auto& [name, table] : map->values()) tables.push_back(table);
  return tables;
}

std::shared_ptr<Table> CatalogImpl::Find(std::string_view database, std::string_view name) const {
  std::shared_lock lock(mutex_);
  const TableMap* map = databases_.Find(database);
  const std::shared_ptr<Table>* table = map == nullptr ? nullptr : map->Find(name);
  return table == nullptr ? nullptr : *table;
}

Status CatalogImpl::CreateDatabase(const std::string& database) {
  ARC_RETURN_IF_ERROR(CheckName("database", database));
  ARC_RETURN_IF_ERROR(pointers_->CreateNamespace(database));
  std::unique_lock lock(mutex_);
  databases_.Get(database);
  return {};
}

Result<std::shared_ptr<Table>> CatalogImpl::GetOrCreate(const std::string& database, const std::string& name) {
  if (auto table = Find(database, name)) return table;
  ARC_RETURN_IF_ERROR(CheckName("database", database));
  ARC_RETURN_IF_ERROR(CheckName("measurement", name));
  std::unique_lock lock(mutex_);
  TableMap* map = databases_.Find(database);
  if (map != nullptr) {
    if (auto* table = map->Find(name)) return *table;
  }
  // A second spelling of a database joins the first, as readers resolve it.
  std::string stored = database;
  if (map != nullptr && !databases_.HasExact(database)) {
    for (const auto& [spelling, tables] : databases_.values()) {
      if (&tables == map) stored = spelling;
    }
  }
  return MakeTable({Uuid::Random(random_), stored, name}, NewTableSchema(), nullptr, {});
}

Result<std::shared_ptr<Table>> CatalogImpl::Restore(const TableRef& ref) {
  std::unique_lock lock(mutex_);
  if (auto found = by_id_.find(ref.id); found != by_id_.end()) return found->second;
  TableMap& map = databases_.Get(ref.database);
  if (map.HasExact(ref.name)) {
    return Corruption(fmt::format("the log holds rows of {}.{} with UUID {}, but the table there has another UUID",
                                  ref.database, ref.name, ref.id.ToString()));
  }
  return MakeTable(ref, NewTableSchema(), nullptr, {});
}

std::vector<std::shared_ptr<Table>> CatalogImpl::AllTables() const {
  std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<Table>> tables;
  tables.reserve(by_id_.size());
  for (const auto& [id, table] : by_id_) tables.push_back(table);
  return tables;
}

}  // namespace

std::string TableFolder(const TableRef& ref) { return TableKey(ref); }

Result<std::unique_ptr<Catalog>> Catalog::Open(const std::string& database_file, LocalDisk& disk, ObjectStore& store,
                                               Clock& clock, RandomSource& random, ByteBudget* budget,
                                               const HistoryPolicy& history) {
  auto catalog = std::make_unique<CatalogImpl>(store, clock, random, budget, history);
  ARC_RETURN_IF_ERROR(catalog->Load(database_file, disk));
  return std::unique_ptr<Catalog>(std::move(catalog));
}

}  // namespace arc
