#include "arc/catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "arc/base/log.h"
#include "arc/catalog/names.h"
#include "arc/catalog/pointer_store.h"
#include "arc/catalog/retired_files.h"
#include "arc/catalog/unneeded_objects.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/expiry_commit.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/replace.h"
#include "arc/iceberg/schema_conversion.h"

namespace arc {
namespace {

constexpr int64_t kMicrosPerMs = 1000;
constexpr int kCommitAttempts = 4;

Schema NewTableSchema() {
  Schema schema;
  schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, true}};
  return schema;
}

AppendFile AppendOf(const FlushedFile& file) {
  const bool hour = file.partition == FlushedFile::Partition::kHour;
  return {file.file, hour ? PartitionKind::kHour : PartitionKind::kDay, file.value};
}

class CatalogImpl : public Catalog {
 public:
  CatalogImpl(ObjectStore& store, Clock& clock, RandomSource& random, ByteBudget* budget, const HistoryPolicy& history)
      : store_(store), clock_(clock), random_(random), budget_(budget), history_(history) {}

  Status Load(const std::string& database_file, LocalDisk& disk);

  std::vector<std::string> Databases() const override;
  bool HasDatabase(std::string_view database) const override;
  std::vector<std::shared_ptr<Table>> Tables(std::string_view database) const override;
  std::shared_ptr<Table> Find(std::string_view database, std::string_view name) const override;
  Result<Lsn> UseLineage(const Uuid& lineage) override;
  Status CreateDatabase(const std::string& database) override;
  Result<std::shared_ptr<Table>> GetOrCreate(const std::string& database, const std::string& name) override;
  Result<std::shared_ptr<Table>> Restore(const TableRef& ref) override;
  std::vector<std::shared_ptr<Table>> AllTables() const override;
  Status CommitFlush(Table& table, const Schema& schema, const std::vector<FlushedFile>& files, Lsn flushed) override;
  Status CommitReplace(Table& table, const FileReplacement& replacement) override;
  Result<ExpiryOutcome> ExpireSnapshots(Table& table) override;
  Result<std::vector<ObjectInfo>> Unneeded(const Table& table, std::vector<ObjectInfo> objects) override {
    return UnneededObjects(store_, *pointers_, retired_, table, std::move(objects));
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
  AppendRequest MakeRequest(const Table& table, const Schema& schema, const std::vector<FlushedFile>& files,
                            Lsn flushed);
  Result<std::shared_ptr<const FileIndex>> TryCommit(Table& table, const AppendRequest& request);
  ReplaceRequest MakeRequest(const Table& table, const FileReplacement& replacement);
  Result<std::shared_ptr<const FileIndex>> TryReplace(Table& table, const FileReplacement& replacement,
                                                      const ReplaceRequest& request);
  Result<std::optional<ExpiryOutcome>> TryExpire(Table& table);
  AppendPolicy CommitPolicy() const;
  Status CheckFlushed(const Table& table, const TableMetadata& current) const;
  Status Refresh(Table& table, const std::string& location, const TableMetadata& current);
  Result<bool> Swap(const TableRef& ref, const std::optional<std::string>& location, const PreparedCommit& prepared);
  Result<std::shared_ptr<const FileIndex>> NoteCommit(const Table& table, const std::optional<std::string>& replaced,
                                                      const PreparedCommit& prepared);
  Status LearnOutcome(Table& table, const TableMetadata& current);
  Result<std::shared_ptr<const FileIndex>> ReadIndex(const TableRef& ref, const TableMetadata& metadata,
                                                     const FileIndex* known);
  std::string& LocationOf(const Uuid& table);
  void Remove(const std::vector<std::string>& keys);

  ObjectStore& store_;
  Clock& clock_;
  RandomSource& random_;
  ByteBudget* const budget_;
  const HistoryPolicy history_;
  int64_t last_commit_micros_ = 0;
  std::unique_ptr<PointerStore> pointers_;
  std::vector<Loaded> loaded_;
  Uuid lineage_;
  mutable std::shared_mutex mutex_;
  NameMap<TableMap> databases_;
  std::unordered_map<Uuid, std::shared_ptr<Table>> by_id_;
  std::unordered_map<Uuid, std::string> locations_;  // metadata that our file index stands for
  RetiredFiles retired_;
};

Status CatalogImpl::Load(const std::string& database_file, LocalDisk& disk) {
  ARC_ASSIGN_OR_RETURN(pointers_, PointerStore::Open(database_file, disk));
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
  ARC_ASSIGN_OR_RETURN(auto index, ReadIndex(ref, *metadata, nullptr));
  ARC_ASSIGN_OR_RETURN(auto schema, ToArcSchema(*metadata));
  locations_[ref.id] = entry.metadata_location;
  last_commit_micros_ = std::max(last_commit_micros_, metadata->last_updated_ms * kMicrosPerMs);
  loaded_.push_back({std::move(ref), std::move(schema), std::move(index), std::move(*metadata)});
  return {};
}

Result<Lsn> CatalogImpl::UseLineage(const Uuid& lineage) {
  std::unique_lock lock(mutex_);
  lineage_ = lineage;
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

bool CatalogImpl::HasDatabase(std::string_view database) const {
  std::shared_lock lock(mutex_);
  return databases_.Find(database) != nullptr;
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

Status CatalogImpl::CommitFlush(Table& table, const Schema& schema, const std::vector<FlushedFile>& files,
                                Lsn flushed) {
  std::lock_guard turn(table.commit_turn());
  auto request = MakeRequest(table, schema, files, flushed);
  for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
    ARC_ASSIGN_OR_RETURN(auto index, TryCommit(table, request));
    if (index == nullptr) continue;  // another writer was first: again on top of its commit
    table.CommitFlush(std::move(index), flushed);
    return {};
  }
  return MakeError(ErrorKind::kConflict, "other writers kept committing first");
}

Status CatalogImpl::CommitReplace(Table& table, const FileReplacement& replacement) {
  const auto replace = [&]() -> Status {
    std::lock_guard turn(table.commit_turn());
    auto request = MakeRequest(table, replacement);
    for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
      request.now_ms = clock_.WallMicros() / kMicrosPerMs;
      ARC_ASSIGN_OR_RETURN(auto index, TryReplace(table, replacement, request));
      if (index == nullptr) continue;  // another writer was first: again on top of its commit
      table.ReplaceFiles(std::move(index));
      return {};
    }
    return MakeError(ErrorKind::kConflict, "other writers kept committing first");
  };
  auto replaced = replace();
  if (!replaced.ok() && replaced.error().kind != ErrorKind::kUnknownOutcome) {
    std::vector<std::string> keys;
    for (const auto& file : replacement.added) keys.push_back(file.file.key);
    Remove(keys);
  }
  return replaced;
}

AppendRequest CatalogImpl::MakeRequest(const Table& table, const Schema& schema, const std::vector<FlushedFile>& files,
                                       Lsn flushed) {
  AppendRequest request;
  request.table = table.ref();
  request.schema = schema;
  for (const auto& file : files) request.files.push_back(AppendOf(file));
  request.set_properties[FlushedLsnProperty(lineage_)] = std::to_string(flushed.value);
  request.now_ms = clock_.WallMicros() / kMicrosPerMs;
  request.policy = CommitPolicy();
  return request;
}

AppendPolicy CatalogImpl::CommitPolicy() const {
  AppendPolicy policy;
  policy.keep_metadata_files = history_.keep_metadata_files;
  policy.expiry = {history_.max_snapshots, history_.max_snapshot_age_ms,
                   history_.trusts_clock == nullptr || history_.trusts_clock()};
  return policy;
}

// One attempt: the files of the table after it, or null when the pointer has moved meanwhile.
Result<std::shared_ptr<const FileIndex>> CatalogImpl::TryCommit(Table& table, const AppendRequest& request) {
  const auto& [id, database, name] = table.ref();
  ARC_ASSIGN_OR_RETURN(auto location, pointers_->Load(database, name));
  std::optional<TableMetadata> current;
  if (location) {
    ARC_ASSIGN_OR_RETURN(current, ReadTableMetadata(store_, *location));
    ARC_RETURN_IF_ERROR(LearnOutcome(table, *current));
  } else {
    ARC_RETURN_IF_ERROR(pointers_->CreateNamespace(database));  // pyiceberg looks for its row
  }
  ARC_ASSIGN_OR_RETURN(auto prepared,
                       PrepareAppend(store_, location.value_or(""), current ? &*current : nullptr, request, random_));
  ARC_ASSIGN_OR_RETURN(const bool won, Swap(table.ref(), location, prepared));
  if (!won) return std::shared_ptr<const FileIndex>();
  ARC_ASSIGN_OR_RETURN(auto index, NoteCommit(table, location, prepared));
  if (index != nullptr) return index;
  std::vector<std::shared_ptr<const FileEntry>> entries;
  for (const auto& file : request.files) entries.push_back(EntryOf(file.file));
  return table.committed_files()->With(std::move(entries));
}

ReplaceRequest CatalogImpl::MakeRequest(const Table& table, const FileReplacement& replacement) {
  ReplaceRequest request;
  request.table = table.ref();
  for (const auto& file : replacement.removed) {
    request.removed.push_back({file->key, file->min_time, file->max_time});
  }
  for (const auto& file : replacement.added) request.added.push_back(AppendOf(file));
  request.same_rows = replacement.same_rows;
  request.policy = CommitPolicy();
  request.summary = replacement.summary;
  return request;
}

// One attempt, as TryCommit.
Result<std::shared_ptr<const FileIndex>> CatalogImpl::TryReplace(Table& table, const FileReplacement& replacement,
                                                                 const ReplaceRequest& request) {
  ARC_ASSIGN_OR_RETURN(auto location, pointers_->Load(table.ref().database, table.ref().name));
  if (!location) return NotFound("the table is not there any more");
  ARC_ASSIGN_OR_RETURN(const auto current, ReadTableMetadata(store_, *location));
  ARC_RETURN_IF_ERROR(CheckFlushed(table, current));
  auto prepared = PrepareReplace(store_, *location, current, request, random_);
  if (!prepared.ok()) {
    // Who looks again must see what others committed, also where nothing of ours follows.
    if (prepared.error().kind == ErrorKind::kNotFound) ARC_RETURN_IF_ERROR(Refresh(table, *location, current));
    return std::move(prepared).error();
  }
  ARC_ASSIGN_OR_RETURN(const bool won, Swap(table.ref(), location, *prepared));
  if (!won) return std::shared_ptr<const FileIndex>();
  // Before the commit's clean-up: it may have expired the last snapshot that had them.
  for (const auto& file : replacement.removed) retired_.Add(file);
  ARC_ASSIGN_OR_RETURN(auto index, NoteCommit(table, location, *prepared));
  if (index != nullptr) return index;
  std::unordered_set<std::string_view> removed;
  for (const auto& file : request.removed) removed.insert(file.key);
  std::vector<std::shared_ptr<const FileEntry>> entries;
  for (const auto& file : request.added) entries.push_back(EntryOf(file.file));
  return table.committed_files()->Without(removed)->With(std::move(entries));
}

Status CatalogImpl::CheckFlushed(const Table& table, const TableMetadata& current) const {
  ARC_ASSIGN_OR_RETURN(const Lsn flushed, FlushedLsn(current, lineage_));
  if (flushed <= table.flushed()) return {};
  // Publishing that commit's files here would show its rows twice: they are hot or staged still.
  return MakeError(ErrorKind::kConflict, "an earlier flush of unknown outcome has to be looked at first");
}

// Publishes the files of metadata that another writer committed.
Status CatalogImpl::Refresh(Table& table, const std::string& location, const TableMetadata& current) {
  std::string& known = LocationOf(table.ref().id);
  if (known == location) return {};
  ARC_ASSIGN_OR_RETURN(auto index, ReadIndex(table.ref(), current, table.committed_files().get()));
  table.ReplaceFiles(std::move(index));
  known = location;
  return {};
}

Result<ExpiryOutcome> CatalogImpl::ExpireSnapshots(Table& table) {
  std::lock_guard turn(table.commit_turn());
  for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
    ARC_ASSIGN_OR_RETURN(const auto outcome, TryExpire(table));
    if (outcome) return *outcome;
  }
  return MakeError(ErrorKind::kConflict, "other writers kept committing first");
}

// One attempt; nothing when the pointer has moved meanwhile.
Result<std::optional<ExpiryOutcome>> CatalogImpl::TryExpire(Table& table) {
  ExpiryOutcome outcome;
  ARC_ASSIGN_OR_RETURN(auto location, pointers_->Load(table.ref().database, table.ref().name));
  if (!location) return std::optional(outcome);
  ARC_ASSIGN_OR_RETURN(const auto current, ReadTableMetadata(store_, *location));
  ARC_RETURN_IF_ERROR(CheckFlushed(table, current));
  const int64_t now_ms = clock_.WallMicros() / kMicrosPerMs;
  ARC_ASSIGN_OR_RETURN(const auto prepared, PrepareExpiry(store_, *location, current, CommitPolicy(), now_ms, random_));
  if (!prepared) {
    Remove(retired_.Unread({}));
    return std::optional(outcome);
  }
  ARC_ASSIGN_OR_RETURN(const bool won, Swap(table.ref(), location, *prepared));
  if (!won) return std::optional<ExpiryOutcome>();
  ARC_ASSIGN_OR_RETURN(auto index, NoteCommit(table, location, *prepared));
  if (index != nullptr) table.ReplaceFiles(std::move(index));
  outcome.snapshots = current.snapshots.size() - prepared->metadata.snapshots.size();
  outcome.objects = prepared->obsolete_keys.size();
  return std::optional(outcome);
}

// False when the pointer had moved; after that, and after an error but kUnknownOutcome, what was prepared is gone.
Result<bool> CatalogImpl::Swap(const TableRef& ref, const std::optional<std::string>& location,
                               const PreparedCommit& prepared) {
  auto swapped = pointers_->CompareAndSwap(ref.database, ref.name, location, prepared.metadata_location);
  if (swapped.ok()) return true;
  auto now = pointers_->Load(ref.database, ref.name);
  if (!now.ok()) {
    // Neither the swap nor a look at it answered. What was written must stay: it may be the table.
    return MakeError(ErrorKind::kUnknownOutcome, swapped.error().message + "; " + now.error().message);
  }
  if (*now == prepared.metadata_location) return true;
  Remove(prepared.written_keys);
  if (swapped.error().kind == ErrorKind::kConflict) return false;
  return std::move(swapped).error();
}

// After a swap. The files of the table when the commit came after one that was not ours, so that our index does not
// know them; else null. kUnknownOutcome when they cannot be read.
Result<std::shared_ptr<const FileIndex>> CatalogImpl::NoteCommit(const Table& table,
                                                                 const std::optional<std::string>& replaced,
                                                                 const PreparedCommit& prepared) {
  const TableRef& ref = table.ref();
  std::string& known = LocationOf(ref.id);
  std::shared_ptr<const FileIndex> index;
  if (known != replaced.value_or("")) {
    auto read = ReadIndex(ref, prepared.metadata, table.committed_files().get());
    // The commit has happened and must not be undone, though we cannot see the table as it is now.
    if (!read.ok()) return MakeError(ErrorKind::kUnknownOutcome, read.error().message);
    index = std::move(*read);
  }
  known = prepared.metadata_location;
  if (auto hint = WriteVersionHint(store_, prepared.metadata_location); !hint.ok()) {
    Log(LogLevel::kWarning, "catalog", "version-hint.text was not written",
        {{"table", ref.database + "." + ref.name}, {"error", hint.error().message}});
  }
  Remove(retired_.Unread(prepared.obsolete_keys));
  return index;
}

// A commit whose answer was lost shows itself by its property. Its rows leave the buffer now; the caller's files hold
// them too and must not be committed, so it is sent back to begin anew.
Status CatalogImpl::LearnOutcome(Table& table, const TableMetadata& current) {
  ARC_ASSIGN_OR_RETURN(Lsn flushed, FlushedLsn(current, lineage_));
  if (flushed <= table.flushed()) return {};
  ARC_ASSIGN_OR_RETURN(auto index, ReadIndex(table.ref(), current, table.committed_files().get()));
  table.CommitFlush(std::move(index), flushed);
  return MakeError(ErrorKind::kConflict, "an earlier commit of unknown outcome turns out to have happened");
}

// Entries that `known` (may be null) has already are shared, as RetiredFiles needs it; those that are live no more are
// retired.
Result<std::shared_ptr<const FileIndex>> CatalogImpl::ReadIndex(const TableRef& ref, const TableMetadata& metadata,
                                                                const FileIndex* known) {
  ARC_ASSIGN_OR_RETURN(auto live, ReadLiveFiles(store_, metadata));
  std::unordered_map<std::string_view, std::shared_ptr<const FileEntry>> entries;
  if (known != nullptr) {
    for (const auto& file : known->files()) entries.emplace(file->key, file);
  }
  std::vector<std::shared_ptr<const FileEntry>> files;
  files.reserve(live.size());
  for (const auto& file : live) {
    if (file.key.empty()) {
      return MakeError(ErrorKind::kUnsupported, fmt::format("table {}.{} has the data file {} outside the storage root",
                                                            ref.database, ref.name, file.uri));
    }
    if (auto same = entries.extract(file.key)) {
      files.push_back(std::move(same.mapped()));
    } else {
      files.push_back(
          std::make_shared<const FileEntry>(FileEntry{file.key, file.bytes, file.rows, file.min_time, file.max_time}));
    }
  }
  for (const auto& [key, file] : entries) retired_.Add(file);
  return std::make_shared<const FileIndex>(std::move(files));
}

std::string& CatalogImpl::LocationOf(const Uuid& table) {
  std::unique_lock lock(mutex_);
  return locations_[table];  // stable, and used in its table's commit turn only
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
                                               Clock& clock, RandomSource& random, ByteBudget* budget,
                                               const HistoryPolicy& history) {
  auto catalog = std::make_unique<CatalogImpl>(store, clock, random, budget, history);
  ARC_RETURN_IF_ERROR(catalog->Load(database_file, disk));
  return std::unique_ptr<Catalog>(std::move(catalog));
}

}  // namespace arc
