#include "arc/catalog/lake_commits.h"

#include <algorithm>
#include <utility>

#include "arc/catalog/committed_table.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/table_files.h"

namespace arc {
namespace {

constexpr int64_t kMicrosPerMs = 1000;
constexpr int kCommitAttempts = 4;

std::string Text(const IcebergTableName& name) { return name.database + "." + name.table; }

Error NoTable(const IcebergTableName& name) { return NotFound(std::string(kNoTable) + Text(name)); }

Error TableExists(const IcebergTableName& name) {
  return MakeError(ErrorKind::kAlreadyExists, "Table already exists: " + Text(name));
}

// Where Arc's own bookkeeping is in the metadata, Arc writes the table. Looked for in the text, for Arc may not be able
// to parse the rest.
bool HoldsArcRows(const std::string& json) { return json.find("\"arc.flushed-lsn.") != std::string::npos; }

}  // namespace

std::shared_ptr<Table> TableOf(const TableRef& ref, CommittedTable committed, Lsn flushed, ByteBudget* budget,
                               Clock& clock) {
  auto table = std::make_shared<Table>(ref, budget, clock, committed.schema, committed.files, flushed);
  table->Adopt(std::move(committed));
  return table;
}

// Names kept for new tables until the commit is over.
class LakeCommits::Reservations {
 public:
  explicit Reservations(NamedTables& tables) : tables_(tables) {}
  Reservations(const Reservations&) = delete;
  Reservations& operator=(const Reservations&) = delete;
  ~Reservations() {
    for (const auto& name : names_) tables_.Release(name.database, name.table);
  }
  bool Take(const IcebergTableName& name) {
    if (!tables_.Reserve(name.database, name.table)) return false;
    names_.push_back(name);
    return true;
  }

 private:
  NamedTables& tables_;
  std::vector<IcebergTableName> names_;
};

Result<MetadataFile> LakeCommits::Load(const IcebergTableName& name) {
  ARC_ASSIGN_OR_RETURN(auto location, parts_.pointers.Load(name.database, name.table));
  if (!location) return NoTable(name);
  auto json = ReadMetadataText(parts_.store, *location);
  if (json.ok()) return MetadataFile{*location, std::move(*json)};
  if (json.error().kind == ErrorKind::kNotFound) return NotFound(std::string(kNoMetadataFile) + *location);
  return std::move(json).error();
}

// In the turn of the table: what the change makes of it.
Status LakeCommits::Prepare(const TableChange& change, Attempt* attempt) {
  attempt->name = change.table;
  attempt->table = parts_.tables.FindExact(attempt->name.database, attempt->name.table);
  ARC_ASSIGN_OR_RETURN(const bool adds_schema, AddsSchema(change));
  if (attempt->table != nullptr && adds_schema) {
    attempt->schema_held = attempt->table->HoldSchema();
    // The client has to build on the columns that rows of Arc's own have brought: then its requirements fail, and it
    // looks again.
    ARC_RETURN_IF_ERROR(own_.CommitColumns(*attempt->table));
  }
  auto current = Load(attempt->name);
  if (current.ok()) {
    attempt->expected = current->location;
    return Settle(&*current, change, attempt);
  }
  if (current.error().kind != ErrorKind::kNotFound || current.error().message.starts_with(kNoMetadataFile)) {
    return std::move(current).error();
  }
  ARC_ASSIGN_OR_RETURN(const bool creation, IsCreation(change));
  if (!creation) return std::move(current).error();
  if (attempt->table != nullptr) return TableExists(attempt->name);
  if (!parts_.tables.HasExactDatabase(attempt->name.database)) {
    return NotFound(std::string(kNoNamespace) + attempt->name.database);
  }
  attempt->expected.reset();
  return Settle(nullptr, change, attempt);
}

Status LakeCommits::Settle(const MetadataFile* current, const TableChange& change, Attempt* attempt) {
  std::string location;
  if (current == nullptr) {
    ARC_ASSIGN_OR_RETURN(location, NewLocation(attempt->name));
  }
  auto next =
      ChangeMetadata(current, change, Uuid::Random(parts_.random), location, parts_.clock.WallMicros() / kMicrosPerMs);
  if (!next.ok()) return std::move(next).error();
  attempt->next = std::move(*next);
  attempt->location = current == nullptr ? std::string() : current->location;
  if (!attempt->next.changed) return {};
  ARC_ASSIGN_OR_RETURN(attempt->judged, Judge(attempt->name, attempt->table.get(), attempt->next.json));
  const auto& [id, flushed, committed, reason] = attempt->judged;
  const bool writes_it =
      attempt->table != nullptr && (HoldsArcRows(attempt->next.json) || attempt->table->first_unflushed().value > 0);
  if (!writes_it) return {};
  const std::string why = committed ? committed->unwritable : reason;
  if (!why.empty()) return InvalidArgument("Arc writes " + Text(attempt->name) + " and could not go on: " + why);
  if (!attempt->table->CanAdopt(committed->schema)) {
    return MakeError(ErrorKind::kConflict, "Arc holds rows of " + Text(attempt->name) +
                                               " in columns that are to get another type; try again");
  }
  return {};
}

Result<LakeCommits::Judgement> LakeCommits::Judge(const IcebergTableName& name, const Table* table,
                                                  const std::string& json) {
  Judgement judged;
  auto metadata = ParseTableMetadata(json);
  if (!metadata.ok()) {
    judged.reason = metadata.error().message;
    return judged;
  }
  judged.id = metadata->table_uuid;
  const auto other = parts_.tables.FindById(judged.id);
  if (other != nullptr && (other->ref().database != name.database || other->ref().name != name.table)) {
    judged.reason = "it has the UUID of " + other->ref().database + "." + other->ref().name;
    return judged;
  }
  ARC_ASSIGN_OR_RETURN(judged.flushed, FlushedLsn(*metadata, parts_.lineage));
  const auto known = table == nullptr ? nullptr : table->committed_files();
  auto committed = ReadCommittedTable(parts_.store, *metadata, known.get());
  if (committed.ok()) {
    judged.committed = std::move(*committed);
  } else if (committed.error().kind == ErrorKind::kUnsupported) {
    judged.reason = committed.error().message;
  } else {
    return std::move(committed).error();
  }
  return judged;
}

// A folder of its own, also where a renamed or dropped table has left its files.
Result<std::string> LakeCommits::NewLocation(const IcebergTableName& name) {
  const std::string key = TableKey({{}, name.database, name.table});
  ARC_ASSIGN_OR_RETURN(const auto there, parts_.store.List(key + "/"));
  if (there.empty()) return parts_.store.UriOf(key);
  return parts_.store.UriOf(key + "-" + Uuid::Random(parts_.random).ToString());
}

// Metadata files stay in the storage root, wherever the client wants its data.
Status LakeCommits::Write(Attempt* attempt) {
  ARC_ASSIGN_OR_RETURN(const auto facts, ReadFacts(attempt->next.json));
  auto folder = parts_.store.KeyOf(facts.location);
  const std::string table_key = folder.ok() ? *folder : TableKey({{}, attempt->name.database, attempt->name.table});
  const std::string name = MetadataFileName(attempt->location, Uuid::Random(parts_.random));
  const std::string key = MetadataKey(table_key, name);
  ARC_RETURN_IF_ERROR(parts_.store.PutIfAbsent(key, attempt->next.json));
  attempt->location = parts_.store.UriOf(key);
  return {};
}

// True when all pointers are where the attempts want them, false when another process was first.
Result<bool> LakeCommits::Swap(std::vector<Attempt>* attempts) {
  std::vector<PointerSwap> swaps;
  for (const auto& attempt : *attempts) {
    swaps.push_back({attempt.name.database, attempt.name.table, attempt.expected, attempt.location});
  }
  auto swapped = swaps.size() == 1 ? parts_.pointers.CompareAndSwap(swaps[0].database, swaps[0].table,
                                                                    swaps[0].expected, swaps[0].next)
                                   : parts_.pointers.CompareAndSwapAll(swaps);
  if (swapped.ok()) return true;
  // One transaction: where one pointer is, all are.
  auto now = parts_.pointers.Load(swaps[0].database, swaps[0].table);
  if (!now.ok()) {
    return MakeError(ErrorKind::kUnknownOutcome, swapped.error().message + "; " + now.error().message);
  }
  if (*now == swaps[0].next) return true;
  for (const auto& swap : swaps) Remove(swap.next);
  if (swapped.error().kind == ErrorKind::kConflict) return false;
  return std::move(swapped).error();
}

// Nothing fails here: the commit has happened.
void LakeCommits::Publish(Attempt* attempt) {
  auto& [id, flushed, committed, reason] = attempt->judged;
  const auto& [database, name] = attempt->name;
  if (!id.is_nil()) parts_.tables.SetLocation(id, attempt->location);
  if (attempt->table != nullptr && committed) {
    parts_.retired.AddGone(*attempt->table->committed_files(), *committed->files);
    // A flush whose answer was lost may show only now: its rows leave memory as its files come in.
    if (flushed > attempt->table->flushed()) attempt->table->CommitFlush(committed->files, flushed);
    attempt->table->Adopt(std::move(*committed));
  } else if (attempt->table != nullptr) {
    attempt->table->Refuse(reason);
  } else if (committed) {
    parts_.tables.Add(TableOf({id, database, name}, std::move(*committed), flushed, parts_.budget, parts_.clock));
  } else {
    parts_.tables.SetForeign(database, name, reason);
  }
  parts_.NoteVersion({id, database, name}, attempt->location);
  std::vector<std::string> dropped;
  for (const auto& uri : attempt->next.dropped_files) {
    if (auto key = parts_.store.KeyOf(uri); key.ok()) dropped.push_back(std::move(*key));  // else somebody else's
  }
  parts_.Remove(parts_.retired.Unread(dropped));
}

// Files outside the storage root are somebody else's.
void LakeCommits::Remove(const std::string& uri) {
  if (auto key = parts_.store.KeyOf(uri); key.ok()) parts_.Remove({*key});
}

Result<MetadataFile> LakeCommits::Commit(const TableChange& change) {
  auto turn = parts_.turns.Of(change.table.database, change.table.table);
  for (int round = 0; round < kCommitAttempts; ++round) {
    Reservations reservations(parts_.tables);
    std::vector<Attempt> attempts(1);
    Attempt& attempt = attempts[0];
    ARC_RETURN_IF_ERROR(Prepare(change, &attempt));
    if (!attempt.next.changed) return MetadataFile{attempt.location, std::move(attempt.next.json)};
    if (!attempt.expected && !reservations.Take(attempt.name)) return TableExists(attempt.name);
    ARC_RETURN_IF_ERROR(Write(&attempt));
    ARC_ASSIGN_OR_RETURN(const bool won, Swap(&attempts));
    if (!won) continue;  // another process was first: again on top of its commit
    Publish(&attempt);
    return MetadataFile{attempt.location, std::move(attempt.next.json)};
  }
  return MakeError(ErrorKind::kConflict, "other writers kept committing first");
}

Status LakeCommits::CommitAll(const std::vector<TableChange>& changes) {
  auto turn = parts_.turns.OfAll();
  for (int round = 0; round < kCommitAttempts; ++round) {
    Reservations reservations(parts_.tables);
    std::vector<Attempt> attempts;
    for (const auto& change : changes) {
      Attempt attempt;
      ARC_RETURN_IF_ERROR(Prepare(change, &attempt));
      if (!attempt.next.changed) continue;
      if (!attempt.expected && !reservations.Take(attempt.name)) return TableExists(attempt.name);
      attempts.push_back(std::move(attempt));
    }
    if (attempts.empty()) return {};
    for (size_t i = 0; i < attempts.size(); ++i) {
      auto written = Write(&attempts[i]);
      if (written.ok()) continue;
      for (size_t j = 0; j < i; ++j) Remove(attempts[j].location);
      return written;
    }
    ARC_ASSIGN_OR_RETURN(const bool won, Swap(&attempts));
    if (!won) continue;
    for (auto& attempt : attempts) Publish(&attempt);
    return {};
  }
  return MakeError(ErrorKind::kConflict, "other writers kept committing first");
}

Result<MetadataFile> LakeCommits::Add(const IcebergTableName& name, MetadataFile metadata) {
  auto turn = parts_.turns.Of(name.database, name.table);
  if (!parts_.tables.HasExactDatabase(name.database)) return NotFound(std::string(kNoNamespace) + name.database);
  ARC_ASSIGN_OR_RETURN(const auto there, parts_.pointers.Load(name.database, name.table));
  Reservations reservations(parts_.tables);
  if (there || !reservations.Take(name)) return TableExists(name);
  std::vector<Attempt> attempts(1);
  Attempt& attempt = attempts[0];
  attempt.name = name;
  attempt.next.json = std::move(metadata.json);
  ARC_ASSIGN_OR_RETURN(attempt.judged, Judge(name, nullptr, attempt.next.json));
  const bool written = metadata.location.empty();
  if (written) {
    ARC_RETURN_IF_ERROR(Write(&attempt));
    ARC_ASSIGN_OR_RETURN(const bool won, Swap(&attempts));
    if (!won) return TableExists(name);
  } else {
    attempt.location = metadata.location;
    auto swapped = parts_.pointers.CompareAndSwap(name.database, name.table, std::nullopt, attempt.location);
    if (!swapped.ok() && swapped.error().kind == ErrorKind::kConflict) return TableExists(name);
    if (!swapped.ok()) return std::move(swapped).error();
  }
  Publish(&attempt);
  return MetadataFile{attempt.location, std::move(attempt.next.json)};
}

}  // namespace arc
