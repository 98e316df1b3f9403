#include "arc/catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "arc/base/log.h"
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

// A name has to be a folder's too.
Status CheckName(std::string_view what, const std::string& name) {
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

// Folds names as DuckDB does, for look-up by another case.
std::string Fold(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return folded;
}

// Names to values, found by exact spelling, else by the only other spelling there is.
template <typename Value>
class NameMap {
 public:
  using Entry = std::pair<const std::string, Value>;

  Entry* FindEntry(std::string_view name) {
    if (auto exact = by_name_.find(std::string(name)); exact != by_name_.end()) return &*exact;
    auto folded = spellings_.find(Fold(name));
    if (folded == spellings_.end() || folded->second.size() != 1) return nullptr;
    return &*by_name_.find(*folded->second.begin());
  }
  const Entry* FindEntry(std::string_view name) const { return const_cast<NameMap*>(this)->FindEntry(name); }
  Value* Find(std::string_view name) {
    Entry* entry = FindEntry(name);
    return entry == nullptr ? nullptr : &entry->second;
  }
  const Value* Find(std::string_view name) const { return const_cast<NameMap*>(this)->Find(name); }
  bool HasExact(const std::string& name) const { return by_name_.contains(name); }
  Value& Get(const std::string& name) {
    spellings_[Fold(name)].insert(name);
    return by_name_[name];
  }
  const std::map<std::string, Value>& values() const { return by_name_; }

 private:
  std::map<std::string, Value> by_name_;
  std::unordered_map<std::string, std::set<std::string>> spellings_;
};

class CatalogImpl : public Catalog {
 public:
  CatalogImpl(ObjectStore& store, Clock& clock, RandomSource& random, ByteBudget* budget)
      : store_(store), clock_(clock), random_(random), budget_(budget) {}

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
  void CommitFlushes(ObjectGroup& group, std::span<FlushCommit> commits) override;

 private:
  // What the lake knew of a table at start, until the lineage says how much of it counts.
  struct Loaded {
    TableRef ref;
    Schema schema;
    std::shared_ptr<const FileIndex> files;
    TableMetadata metadata;
  };
  using TableMap = NameMap<std::shared_ptr<Table>>;
  // One table's commit in one round.
  struct Attempt {
    FlushCommit* commit = nullptr;
    AppendRequest request;
    std::optional<std::string> location;  // what it builds on
    PreparedCommit prepared;
  };
  using Attempts = std::vector<Attempt>;

  Status LoadOne(const TablePointer& entry);
  std::shared_ptr<Table> MakeTable(const TableRef& ref, Schema schema, std::shared_ptr<const FileIndex> files,
                                   Lsn flushed);
  AppendRequest MakeRequest(const FlushCommit& commit);
  Attempts TryCommits(ObjectGroup& group, Attempts attempts);
  Status Prepare(ObjectGroup& group, Attempt* attempt);
  Attempts SwapPointers(Attempts attempts);
  Status Publish(const Attempt& attempt);
  bool NoteCommit(const TableRef& ref, const std::optional<std::string>& replaced, const PreparedCommit& prepared);
  Status LearnOutcome(Table& table, const TableMetadata& current);
  Result<std::shared_ptr<const FileIndex>> ReadIndex(const TableRef& ref, const TableMetadata& metadata);
  std::string& LocationOf(const Uuid& table);
  void Remove(const std::vector<std::string>& keys);

  ObjectStore& store_;
  Clock& clock_;
  RandomSource& random_;
  ByteBudget* const budget_;
  std::unique_ptr<PointerStore> pointers_;
  std::vector<Loaded> loaded_;
  Uuid lineage_;
  mutable std::shared_mutex mutex_;
  NameMap<TableMap> databases_;
  std::unordered_map<Uuid, std::shared_ptr<Table>> by_id_;
  std::unordered_map<Uuid, std::string> locations_;  // metadata that our file index stands for
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
  ARC_ASSIGN_OR_RETURN(auto index, ReadIndex(ref, *metadata));
  ARC_ASSIGN_OR_RETURN(auto schema, ToArcSchema(*metadata));
  locations_[ref.id] = entry.metadata_location;
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

void CatalogImpl::CommitFlushes(ObjectGroup& group, std::span<FlushCommit> commits) {
  Attempts open;
  for (auto& commit : commits) open.push_back({&commit, MakeRequest(commit), std::nullopt, {}});
  for (int round = 0; round < kCommitAttempts && !open.empty(); ++round) open = TryCommits(group, std::move(open));
  for (auto& attempt : open) {
    attempt.commit->outcome = MakeError(ErrorKind::kConflict, "other writers kept committing first");
  }
}

AppendRequest CatalogImpl::MakeRequest(const FlushCommit& commit) {
  AppendRequest request;
  request.table = commit.table->ref();
  request.schema = *commit.schema;
  for (const auto& file : commit.files) {
    auto kind = file.partition == FlushedFile::Partition::kHour ? PartitionKind::kHour : PartitionKind::kDay;
    request.files.push_back({file.file, kind, file.value});
  }
  request.set_properties[FlushedLsnProperty(lineage_)] = std::to_string(commit.flushed.value);
  request.now_ms = clock_.WallMicros() / kMicrosPerMs;
  return request;
}

// One round for all; those whose pointer has moved meanwhile come back, to be tried again on top of the other's commit.
CatalogImpl::Attempts CatalogImpl::TryCommits(ObjectGroup& group, Attempts attempts) {
  Attempts ready;
  for (auto& attempt : attempts) {
    attempt.commit->outcome = Prepare(group, &attempt);
    if (attempt.commit->outcome.ok()) ready.push_back(std::move(attempt));
  }
  if (ready.empty()) return {};
  // No pointer may name what is not durable.
  if (auto synced = group.Sync(); !synced.ok()) {
    for (auto& attempt : ready) attempt.commit->outcome = synced.error();
    return {};
  }
  return SwapPointers(std::move(ready));
}

Status CatalogImpl::Prepare(ObjectGroup& group, Attempt* attempt) {
  Table& table = *attempt->commit->table;
  const auto& [id, database, name] = table.ref();
  ARC_ASSIGN_OR_RETURN(attempt->location, pointers_->Load(database, name));
  std::optional<TableMetadata> current;
  if (attempt->location) {
    ARC_ASSIGN_OR_RETURN(current, ReadTableMetadata(store_, *attempt->location));
    ARC_RETURN_IF_ERROR(LearnOutcome(table, *current));
  } else {
    ARC_RETURN_IF_ERROR(pointers_->CreateNamespace(database));  // pyiceberg looks for its row
  }
  ARC_ASSIGN_OR_RETURN(attempt->prepared, PrepareAppend(group, attempt->location.value_or(""),
                                                        current ? &*current : nullptr, attempt->request, random_));
  return {};
}

CatalogImpl::Attempts CatalogImpl::SwapPointers(Attempts attempts) {
  std::vector<PointerSwap> swaps;
  for (const auto& attempt : attempts) {
    const TableRef& ref = attempt.commit->table->ref();
    swaps.push_back({ref.database, ref.name, attempt.location, attempt.prepared.metadata_location});
  }
  const auto swapped = pointers_->SwapAll(swaps);
  Attempts lost;
  for (size_t i = 0; i < attempts.size(); ++i) {
    Attempt& attempt = attempts[i];
    Status& outcome = attempt.commit->outcome;
    if (!swapped.ok() || !(*swapped)[i]) {
      auto now = pointers_->Load(swaps[i].database, swaps[i].table);
      if (!now.ok()) {
        // Neither the swap nor a look at it answered. What was written must stay: it may be the table.
        std::string why = swapped.ok() ? "the pointer has moved" : swapped.error().message;
        outcome = MakeError(ErrorKind::kUnknownOutcome, why + "; " + now.error().message);
        continue;
      }
      if (*now != attempt.prepared.metadata_location) {
        Remove(attempt.prepared.written_keys);
        if (swapped.ok()) {
          lost.push_back(std::move(attempt));
        } else {
          outcome = swapped.error();
        }
        continue;
      }
    }
    outcome = Publish(attempt);
  }
  return lost;
}

// After a swap, which nothing can undo.
Status CatalogImpl::Publish(const Attempt& attempt) {
  Table& table = *attempt.commit->table;
  std::shared_ptr<const FileIndex> index;
  if (NoteCommit(table.ref(), attempt.location, attempt.prepared)) {
    auto read = ReadIndex(table.ref(), attempt.prepared.metadata);
    // The files are the table's by now, though we cannot see them: the next flush learns it from the property.
    if (!read.ok()) return MakeError(ErrorKind::kUnknownOutcome, read.error().message);
    index = std::move(*read);
  } else {
    std::vector<std::shared_ptr<const FileEntry>> entries;
    for (const auto& file : attempt.commit->files) entries.push_back(EntryOf(file.file));
    index = table.committed_files()->With(std::move(entries));
  }
  table.CommitFlush(std::move(index), attempt.commit->flushed);
  return {};
}

// After a swap. True when the commit came after one that was not ours, so that our file index does not know its files.
bool CatalogImpl::NoteCommit(const TableRef& ref, const std::optional<std::string>& replaced,
                             const PreparedCommit& prepared) {
  bool foreign = std::exchange(LocationOf(ref.id), prepared.metadata_location) != replaced.value_or("");
  if (auto hint = WriteVersionHint(store_, prepared.metadata_location); !hint.ok()) {
    Log(LogLevel::kWarning, "catalog", "version-hint.text was not written",
        {{"table", ref.database + "." + ref.name}, {"error", hint.error().message}});
  }
  Remove(prepared.obsolete_keys);
  return foreign;
}

// A commit whose answer was lost shows itself by its property. Its rows leave the buffer now; the caller's files hold
// them too and must not be committed, so it is sent back to begin anew.
Status CatalogImpl::LearnOutcome(Table& table, const TableMetadata& current) {
  ARC_ASSIGN_OR_RETURN(Lsn flushed, FlushedLsn(current, lineage_));
  if (flushed <= table.flushed()) return {};
  ARC_ASSIGN_OR_RETURN(auto index, ReadIndex(table.ref(), current));
  table.CommitFlush(std::move(index), flushed);
  return MakeError(ErrorKind::kConflict, "an earlier commit of unknown outcome turns out to have happened");
}

Result<std::shared_ptr<const FileIndex>> CatalogImpl::ReadIndex(const TableRef& ref, const TableMetadata& metadata) {
  ARC_ASSIGN_OR_RETURN(auto live, ReadLiveFiles(store_, metadata));
  std::vector<std::shared_ptr<const FileEntry>> files;
  files.reserve(live.size());
  for (const auto& file : live) {
    if (file.key.empty()) {
      return MakeError(ErrorKind::kUnsupported, fmt::format("table {}.{} has the data file {} outside the storage root",
                                                            ref.database, ref.name, file.uri));
    }
    files.push_back(
        std::make_shared<const FileEntry>(FileEntry{file.key, file.bytes, file.rows, file.min_time, file.max_time}));
  }
  return std::make_shared<const FileIndex>(std::move(files));
}

std::string& CatalogImpl::LocationOf(const Uuid& table) {
  std::unique_lock lock(mutex_);
  return locations_[table];  // stable, and only its table's flusher uses it
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
