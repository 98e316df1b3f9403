#include "arc/catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "arc/base/log.h"
#include "arc/catalog/commit_turns.h"
#include "arc/catalog/committed_table.h"
#include "arc/catalog/lake_commits.h"
#include "arc/catalog/named_tables.h"
#include "arc/catalog/pointer_store.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/schema_conversion.h"

namespace arc {
namespace {

constexpr int64_t kMicrosPerMs = 1000;
constexpr int kCommitAttempts = 4;
constexpr size_t kMaxNameBytes = 255;

Schema NewTableSchema() {
  Schema schema;
  schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, true}};
  return schema;
}

}  // namespace

Status CheckStoredName(std::string_view what, const std::string& name) {
  if (name.empty()) return InvalidArgument(fmt::format("the {} name is empty", what));
  if (name.find('\0') != std::string::npos) return InvalidArgument(fmt::format("the {} name holds a NUL", what));
  std::string start = name.substr(0, 32);
  if (name.size() > kMaxNameBytes) {
    return InvalidArgument(
        fmt::format("the {} name \"{}…\" has {} bytes; {} are allowed", what, start, name.size(), kMaxNameBytes));
  }
  if (EncodePathElement(name).size() > kMaxNameBytes) {
    return InvalidArgument(fmt::format(
        "the {} name \"{}…\" is longer than {} bytes once percent-encoded for its folder", what, start, kMaxNameBytes));
  }
  return {};
}

namespace {

class CatalogImpl : public Catalog {
 public:
  CatalogImpl(ObjectStore& store, Clock& clock, RandomSource& random, ByteBudget* budget)
      : store_(store), clock_(clock), random_(random), budget_(budget) {}

  Status Load(const std::string& database_file, LocalDisk& disk);

  std::vector<std::string> Databases() const override { return tables_.Databases(); }
  bool HasDatabase(std::string_view database) const override { return tables_.HasDatabase(database); }
  std::vector<std::shared_ptr<Table>> Tables(std::string_view database) const override {
    return tables_.Tables(database);
  }
  std::shared_ptr<Table> Find(std::string_view database, std::string_view name) const override {
    return tables_.Find(database, name);
  }
  std::string WhyUnreadable(std::string_view database, std::string_view name) const override {
    return tables_.WhyForeign(database, name);
  }
  Result<Lsn> UseLineage(const Uuid& lineage) override;
  Status CreateDatabase(const std::string& database) override;
  Result<std::shared_ptr<Table>> GetOrCreate(const std::string& database, const std::string& name) override;
  Result<std::shared_ptr<Table>> Restore(const TableRef& ref) override;
  std::vector<std::shared_ptr<Table>> AllTables() const override { return tables_.All(); }
  Status CommitFlush(Table& table, const Schema& schema, const std::vector<FlushedFile>& files, Lsn flushed) override;
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
  Status CommitColumns(Table& table);
  AppendRequest MakeRequest(const Table& table, const Schema& schema, const std::vector<FlushedFile>& files,
                            Lsn flushed);
  Result<std::shared_ptr<const FileIndex>> TryCommit(Table& table, const AppendRequest& request);
  Status LearnOutcome(Table& table, const TableMetadata& current);
  void Remove(const std::vector<std::string>& keys);

  ObjectStore& store_;
  Clock& clock_;
  RandomSource& random_;
  ByteBudget* const budget_;
  std::unique_ptr<PointerStore> pointers_;
  std::vector<Loaded> loaded_;
  Uuid lineage_;  // set before the catalog is shared between threads
  NamedTables tables_;
  CommitTurns turns_;
  std::unique_ptr<IcebergCatalog> iceberg_;
};

Status CatalogImpl::Load(const std::string& database_file, LocalDisk& disk) {
  ARC_ASSIGN_OR_RETURN(pointers_, PointerStore::Open(database_file, disk));
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
  auto metadata = ReadTableMetadata(store_, entry.metadata_location);
  if (!metadata.ok()) {
    if (metadata.error().kind == ErrorKind::kUnsupported) return foreign(metadata.error().message);
    return WithContext(std::move(metadata).error(), "table " + entry.database + "." + entry.table);
  }
  TableRef ref{metadata->table_uuid, entry.database, entry.table};
  for (const auto& other : loaded_) {
    if (other.ref.id == ref.id) return foreign("it has the UUID of " + other.ref.database + "." + other.ref.name);
  }
  auto committed = ReadCommittedTable(store_, *metadata);
  if (!committed.ok()) {
    if (committed.error().kind == ErrorKind::kUnsupported) return foreign(committed.error().message);
    return std::move(committed).error();
  }
  tables_.SetLocation(ref.id, entry.metadata_location);
  loaded_.push_back({std::move(ref), std::move(*committed), std::move(*metadata)});
  return {};
}

Result<Lsn> CatalogImpl::UseLineage(const Uuid& lineage) {
  lineage_ = lineage;
  Lsn highest;
  for (auto& loaded : loaded_) {
    ARC_ASSIGN_OR_RETURN(Lsn flushed, FlushedLsn(loaded.metadata, lineage));
    highest = std::max(highest, flushed);
    tables_.Add(TableOf(loaded.ref, std::move(loaded.committed), flushed, budget_, clock_));
  }
  loaded_.clear();
  iceberg_ = MakeIcebergCatalog({*pointers_, store_, clock_, random_, tables_, turns_, lineage_, budget_,
                                 [this](Table& table) { return CommitColumns(table); }});
  return highest;
}

std::shared_ptr<Table> CatalogImpl::NewTable(const TableRef& ref) {
  return std::make_shared<Table>(ref, budget_, clock_, NewTableSchema(), nullptr, Lsn{});
}

Status CatalogImpl::CreateDatabase(const std::string& database) {
  ARC_RETURN_IF_ERROR(CheckStoredName("database", database));
  ARC_RETURN_IF_ERROR(pointers_->CreateNamespace(database));
  tables_.AddDatabase(database);
  return {};
}

Result<std::shared_ptr<Table>> CatalogImpl::GetOrCreate(const std::string& database, const std::string& name) {
  if (auto table = Find(database, name)) return table;
  ARC_RETURN_IF_ERROR(CheckStoredName("database", database));
  ARC_RETURN_IF_ERROR(CheckStoredName("measurement", name));
  return tables_.FindOrAdd(database, name, [this](const std::string& stored, const std::string& table) {
    return NewTable({Uuid::Random(random_), stored, table});
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

// The schema that files were written with, as the table has it by now: another engine may have renamed or dropped
// columns since.
Schema AsNow(const Schema& written, const Schema& current) {
  Schema schema;
  for (const auto& column : written.columns) {
    const int at = current.FindById(column.field_id);
    if (at >= 0) schema.columns.push_back(current.columns[static_cast<size_t>(at)]);
  }
  return schema;
}

Status CatalogImpl::CommitFlush(Table& table, const Schema& schema, const std::vector<FlushedFile>& files,
                                Lsn flushed) {
  auto turn = turns_.Of(table);
  if (tables_.FindById(table.ref().id).get() != &table) {
    // Dropped meanwhile: its rows are nobody's.
    for (const auto& file : files) Remove({file.file.key});
    return {};
  }
  auto request = MakeRequest(table, AsNow(schema, *table.Current()->schema), files, flushed);
  for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
    ARC_ASSIGN_OR_RETURN(auto index, TryCommit(table, request));
    if (index == nullptr) continue;  // another writer was first: again on top of its commit
    table.CommitFlush(std::move(index), flushed);
    return {};
  }
  return MakeError(ErrorKind::kConflict, "other writers kept committing first");
}

AppendRequest CatalogImpl::MakeRequest(const Table& table, const Schema& schema, const std::vector<FlushedFile>& files,
                                       Lsn flushed) {
  AppendRequest request;
  request.table = table.ref();
  request.schema = schema;
  for (const auto& file : files) {
    auto kind = file.partition == FlushedFile::Partition::kHour ? PartitionKind::kHour : PartitionKind::kDay;
    request.files.push_back({file.file, kind, file.value});
  }
  request.set_properties[FlushedLsnProperty(lineage_)] = std::to_string(flushed.value);
  request.now_ms = clock_.WallMicros() / kMicrosPerMs;
  return request;
}

// One attempt: the files of the table after it, or null when the pointer has moved meanwhile.
Result<std::shared_ptr<const FileIndex>> CatalogImpl::TryCommit(Table& table, const AppendRequest& request) {
  const auto& [id, database, name] = table.ref();
  ARC_ASSIGN_OR_RETURN(auto location, pointers_->Load(database, name));
  std::optional<TableMetadata> current;
  std::shared_ptr<const FileIndex> before = table.committed_files();
  if (location) {
    ARC_ASSIGN_OR_RETURN(current, ReadTableMetadata(store_, *location));
    ARC_RETURN_IF_ERROR(LearnOutcome(table, *current));
    if (tables_.LocationOf(id) != *location) {
      // Another process has committed. Looked at before the swap: afterwards nothing may fail any more.
      ARC_ASSIGN_OR_RETURN(auto committed, ReadCommittedFiles(store_, *current));
      before = std::move(committed.files);
      table.SetUnreadable(committed.unreadable);
    }
  } else {
    ARC_RETURN_IF_ERROR(pointers_->CreateNamespace(database));  // pyiceberg looks for its row
  }
  ARC_ASSIGN_OR_RETURN(auto prepared,
                       PrepareAppend(store_, location.value_or(""), current ? &*current : nullptr, request, random_));
  auto swapped = pointers_->CompareAndSwap(database, name, location, prepared.metadata_location);
  if (!swapped.ok()) {
    auto now = pointers_->Load(database, name);
    if (!now.ok()) {
      // Neither the swap nor a look at it answered. What was written must stay: it may be the table.
      return MakeError(ErrorKind::kUnknownOutcome, swapped.error().message + "; " + now.error().message);
    }
    if (*now != prepared.metadata_location) {
      Remove(prepared.written_keys);
      if (swapped.error().kind == ErrorKind::kConflict) return std::shared_ptr<const FileIndex>();
      return std::move(swapped).error();
    }
  }
  tables_.SetLocation(id, prepared.metadata_location);
  if (auto hint = WriteVersionHint(store_, prepared.metadata_location); !hint.ok()) {
    Log(LogLevel::kWarning, "catalog", "version-hint.text was not written",
        {{"table", database + "." + name}, {"error", hint.error().message}});
  }
  Remove(prepared.obsolete_keys);
  std::vector<std::shared_ptr<const FileEntry>> entries;
  for (const auto& file : request.files) entries.push_back(EntryOf(file.file));
  return before->With(std::move(entries));
}

// A commit whose answer was lost shows itself by its property. Its rows leave the buffer now; the caller's files hold
// them too and must not be committed, so it is sent back to begin anew.
Status CatalogImpl::LearnOutcome(Table& table, const TableMetadata& current) {
  ARC_ASSIGN_OR_RETURN(Lsn flushed, FlushedLsn(current, lineage_));
  if (flushed <= table.flushed()) return {};
  ARC_ASSIGN_OR_RETURN(auto committed, ReadCommittedFiles(store_, current));
  table.SetUnreadable(committed.unreadable);
  table.CommitFlush(std::move(committed.files), flushed);
  return MakeError(ErrorKind::kConflict, "an earlier commit of unknown outcome turns out to have happened");
}

// Columns that only this process knows become the table's. In the table's turn, with its schema held.
Status CatalogImpl::CommitColumns(Table& table) {
  const TableRef& ref = table.ref();
  ARC_ASSIGN_OR_RETURN(auto location, pointers_->Load(ref.database, ref.name));
  if (!location) return {};
  ARC_ASSIGN_OR_RETURN(auto metadata, ReadTableMetadata(store_, *location));
  const auto schema = table.Current()->schema;
  const auto known = [&](const Column& column) { return column.field_id <= metadata.last_column_id; };
  if (std::all_of(schema->columns.begin(), schema->columns.end(), known)) return {};
  auto request = MakeRequest(table, *schema, {}, table.flushed());
  std::shared_ptr<const FileIndex> committed;
  for (int attempt = 0; attempt < kCommitAttempts && committed == nullptr; ++attempt) {
    ARC_ASSIGN_OR_RETURN(committed, TryCommit(table, request));
  }
  if (committed == nullptr) return MakeError(ErrorKind::kConflict, "other writers kept committing first");
  ARC_ASSIGN_OR_RETURN(location, pointers_->Load(ref.database, ref.name));
  ARC_ASSIGN_OR_RETURN(metadata, ReadTableMetadata(store_, location.value_or("")));
  ARC_ASSIGN_OR_RETURN(auto now, ReadCommittedTable(store_, metadata));
  table.Adopt(std::move(now));
  return {};
}

// Best effort: what stays is an orphan, not an error.
void CatalogImpl::Remove(const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    if (auto status = store_.Delete(key); !status.ok()) {
      Log(LogLevel::kWarning, "catalog", "an obsolete object was not removed",
          {{"key", key}, {"error", status.error().message}});
    }
  }
}

}  // namespace

std::string TableFolder(const TableRef& ref) { return TableKey(ref); }

Result<std::unique_ptr<Catalog>> Catalog::Open(const std::string& database_file, LocalDisk& disk, ObjectStore& store,
                                               Clock& clock, RandomSource& random, ByteBudget* budget) {
  auto catalog = std::make_unique<CatalogImpl>(store, clock, random, budget);
  ARC_RETURN_IF_ERROR(catalog->Load(database_file, disk));
  return std::unique_ptr<Catalog>(std::move(catalog));
}

}  // namespace arc
