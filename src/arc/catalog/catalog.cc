#include "arc/catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "arc/base/log.h"
#include "arc/catalog/committed_table.h"
#include "arc/catalog/lake_commits.h"
#include "arc/catalog/lake_parts.h"
#include "arc/catalog/names.h"
#include "arc/catalog/past_versions.h"
#include "arc/catalog/table_commits.h"
#include "arc/catalog/unneeded_objects.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/load.h"

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
  CatalogImpl(ObjectStore& store, Clock& clock, RandomSource& random, ByteBudget* budget, HistoryPolicy history,
              std::unique_ptr<PointerStore> pointers)
      : pointers_(std::move(pointers)),
        parts_{*pointers_, store, clock, random, tables_, turns_, retired_, budget, {}},
        commits_(parts_, std::move(history)),
        past_(parts_),
        iceberg_(MakeIcebergCatalog(parts_, commits_)) {}

  Status Load();

  std::vector<std::string> Databases() const override { return tables_.Databases(); }
  std::optional<std::string> FindDatabase(std::string_view name) const override { return tables_.FindDatabase(name); }
  std::vector<std::shared_ptr<Table>> Tables(std::string_view database) const override {
    return tables_.Tables(database);
  }
  std::shared_ptr<Table> Find(std::string_view database, std::string_view name) const override {
    return tables_.Find(database, name);
  }
  std::string WhyUnreadable(std::string_view database, std::string_view name) const override {
    return tables_.WhyForeign(database, name);
  }
  Result<std::shared_ptr<const TableVersion>> VersionAt(const Table& table,
                                                        const SnapshotSelector& selector) const override {
    return past_.At(table, selector);
  }
  Result<std::shared_ptr<const TableMetadata>> MetadataOf(const Table& table) const override {
    return past_.Metadata(table);
  }
  Result<Lsn> UseLineage(const Uuid& lineage) override;
  Status CreateDatabase(const std::string& database) override;
  Result<std::shared_ptr<Table>> GetOrCreate(const std::string& database, const std::string& name) override;
  Result<std::shared_ptr<Table>> Restore(const TableRef& ref) override;
  std::vector<std::shared_ptr<Table>> AllTables() const override { return tables_.All(); }
  void CommitFlushes(ObjectGroup& group, std::span<FlushCommit> commits) override { commits_.Flush(group, commits); }
  Result<int64_t> CommitReplace(Table& table, const FileReplacement& replacement) override {
    return commits_.Replace(table, replacement);
  }
  Result<ExpiryOutcome> ExpireSnapshots(Table& table) override { return commits_.Expire(table); }
  Result<std::vector<ObjectInfo>> Unneeded(const Table& table, std::vector<ObjectInfo> objects) override {
    return UnneededObjects(parts_.store, *pointers_, retired_, table, std::move(objects));
  }
  Result<PointerStoreContent> Content() override { return pointers_->Content(); }
  std::shared_ptr<const void> KeepObjects() override { return retired_.KeepAll(); }
  int64_t last_commit_micros() const override { return last_commit_micros_; }
  bool IsCommitted(const Table& table) const override { return !tables_.LocationOf(table.ref().id).empty(); }
  IcebergCatalog& iceberg() override { return *iceberg_; }

 private:
  // What the lake knew of a table at start, until the lineage says how much of it counts.
  struct Loaded {
    TableRef ref;
    CommittedTable committed;
    TableMetadata metadata;
  };

  Status LoadOne(const TablePointer& entry);
  std::shared_ptr<Table> NewTable(const TableRef& ref);

  const std::unique_ptr<PointerStore> pointers_;
  NamedTables tables_;
  CommitTurns turns_;
  RetiredFiles retired_;
  LakeParts parts_;
  TableCommits commits_;
  mutable PastVersions past_;
  const std::unique_ptr<IcebergCatalog> iceberg_;
  int64_t last_commit_micros_ = 0;
  std::vector<Loaded> loaded_;
};

Status CatalogImpl::Load() {
  ARC_ASSIGN_OR_RETURN(auto namespaces, pointers_->Namespaces());
  tables_.AddDatabase("default");
  for (const auto& name : namespaces) tables_.AddDatabase(name);
  ARC_ASSIGN_OR_RETURN(auto entries, pointers_->List());
  for (const auto& entry : entries) ARC_RETURN_IF_ERROR(LoadOne(entry));
  return {};
}

Status CatalogImpl::LoadOne(const TablePointer& entry) {
  const auto foreign = [&](const std::string& reason) {
    Log(LogLevel::kWarning, "catalog", "a table can be read by other engines only",
        {{"table", entry.database + "." + entry.table}, {"reason", reason}});
    tables_.SetForeign(entry.database, entry.table, reason);
    return Status();
  };
  auto metadata = ReadTableMetadata(parts_.store, entry.metadata_location);
  if (!metadata.ok()) {
    if (metadata.error().kind == ErrorKind::kUnsupported) return foreign(metadata.error().message);
    return WithContext(std::move(metadata).error(), "table " + entry.database + "." + entry.table);
  }
  TableRef ref{metadata->table_uuid, entry.database, entry.table};
  for (const auto& other : loaded_) {
    if (other.ref.id == ref.id) return foreign("it has the UUID of " + other.ref.database + "." + other.ref.name);
  }
  auto committed = ReadCommittedTable(parts_.store, *metadata);
  if (!committed.ok()) {
    if (committed.error().kind == ErrorKind::kUnsupported) return foreign(committed.error().message);
    return std::move(committed).error();
  }
  tables_.SetLocation(ref.id, entry.metadata_location);
  last_commit_micros_ = std::max(last_commit_micros_, metadata->last_updated_ms * kMicrosPerMs);
  loaded_.push_back({std::move(ref), std::move(*committed), std::move(*metadata)});
  return {};
}

Result<Lsn> CatalogImpl::UseLineage(const Uuid& lineage) {
  parts_.lineage = lineage;
  Lsn highest;
  for (auto& loaded : loaded_) {
    ARC_ASSIGN_OR_RETURN(Lsn flushed, FlushedLsn(loaded.metadata, lineage));
    highest = std::max(highest, flushed);
    tables_.Add(TableOf(loaded.ref, std::move(loaded.committed), flushed, parts_.budget, parts_.clock));
  }
  loaded_.clear();
  return highest;
}

std::shared_ptr<Table> CatalogImpl::NewTable(const TableRef& ref) {
  return std::make_shared<Table>(ref, parts_.budget, parts_.clock, NewTableSchema(), nullptr, Lsn{});
}

Status CatalogImpl::CreateDatabase(const std::string& database) {
  ARC_RETURN_IF_ERROR(CheckName("database", database));
  ARC_RETURN_IF_ERROR(pointers_->CreateNamespace(database));
  tables_.AddDatabase(database);
  return {};
}

Result<std::shared_ptr<Table>> CatalogImpl::GetOrCreate(const std::string& database, const std::string& name) {
  if (auto table = Find(database, name)) return table;
  ARC_RETURN_IF_ERROR(CheckName("database", database));
  ARC_RETURN_IF_ERROR(CheckName("measurement", name));
  return tables_.FindOrAdd(database, name, [this](const std::string& stored, const std::string& table) {
    return NewTable({Uuid::Random(parts_.random), stored, table});
  });
}

Result<std::shared_ptr<Table>> CatalogImpl::Restore(const TableRef& ref) {
  if (auto table = tables_.FindById(ref.id)) return table;
  ARC_ASSIGN_OR_RETURN(const bool dropped, pointers_->WasDropped(ref.id));
  if (dropped) return std::shared_ptr<Table>();
  if (tables_.IsTaken(ref.database, ref.name)) {
    return Corruption(fmt::format("the log holds rows of {}.{} with UUID {}, but the table there {}", ref.database,
                                  ref.name, ref.id.ToString(),
                                  tables_.FindExact(ref.database, ref.name) ? "has another UUID" : "cannot take them"));
  }
  auto table = NewTable(ref);
  tables_.Add(table);
  return table;
}

}  // namespace

std::string TableFolder(const TableRef& ref) { return TableKey(ref); }

Result<std::unique_ptr<Catalog>> Catalog::Open(const std::string& database_file, LocalDisk& disk, ObjectStore& store,
                                               Clock& clock, RandomSource& random, ByteBudget* budget,
                                               const HistoryPolicy& history) {
  ARC_ASSIGN_OR_RETURN(auto pointers, PointerStore::Open(database_file, disk));
  auto catalog = std::make_unique<CatalogImpl>(store, clock, random, budget, history, std::move(pointers));
  ARC_RETURN_IF_ERROR(catalog->Load());
  return std::unique_ptr<Catalog>(std::move(catalog));
}

}  // namespace arc
