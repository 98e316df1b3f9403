#include "arc/catalog/iceberg_catalog.h"

#include <algorithm>
#include <set>
#include <utility>

#include "arc/base/log.h"
#include "arc/catalog/lake_commits.h"
#include "arc/catalog/names.h"
#include "arc/catalog/table_marker.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/reachable_files.h"

namespace arc {
namespace {

constexpr int64_t kMicrosPerMs = 1000;
constexpr std::string_view kDefaultDatabase = "default";  // always there

std::string Text(const IcebergTableName& name) { return name.database + "." + name.table; }

class IcebergCatalogImpl : public IcebergCatalog {
 public:
  IcebergCatalogImpl(const LakeParts& parts, TableCommits& own) : parts_(parts), commits_(parts, own) {}

  Result<std::vector<std::string>> Namespaces() override { return parts_.tables.Databases(); }

  Result<std::map<std::string, std::string>> LoadNamespace(const std::string& database) override {
    ARC_RETURN_IF_ERROR(CheckNamespace(database));
    return parts_.pointers.NamespaceProperties(database);
  }

  Status CreateNamespace(const CreateNamespaceRequest& request) override;
  Result<NamespaceChange> ChangeNamespace(const std::string& database,
                                          const NamespacePropertiesRequest& request) override;
  Status DropNamespace(const std::string& database) override;

  Result<std::vector<std::string>> TableNames(const std::string& database) override;
  Result<MetadataFile> LoadTable(const IcebergTableName& name) override { return commits_.Load(name); }
  Result<MetadataFile> CreateTable(const std::string& database, const CreateTableRequest& request) override;
  Result<MetadataFile> CommitTable(const TableChange& change) override {
    ARC_RETURN_IF_ERROR(CheckTableName(change.table));
    return commits_.Commit(change);
  }
  Status CommitTransaction(const std::vector<TableChange>& changes) override {
    for (const auto& change : changes) ARC_RETURN_IF_ERROR(CheckTableName(change.table));
    return commits_.CommitAll(changes);
  }
  Status DropTable(const IcebergTableName& name, bool purge) override;
  Status RenameTable(const RenameTableRequest& request) override;
  Result<MetadataFile> RegisterTable(const std::string& database, const RegisterTableRequest& request) override;

 private:
  Status CheckNamespace(const std::string& database) const {
    if (parts_.tables.HasExactDatabase(database)) return {};
    return NotFound(std::string(kNoNamespace) + database);
  }
  static Status CheckTableName(const IcebergTableName& name) {
    ARC_RETURN_IF_ERROR(CheckName("namespace", name.database));
    return CheckName("table", name.table);
  }
  Status CheckFlushedLsn(const std::string& json) const;
  void Mark(const MetadataFile& metadata, const TableMarker& marker);
  void Purge(const MetadataFile& metadata);

  const LakeParts& parts_;
  LakeCommits commits_;
};

Status IcebergCatalogImpl::CreateNamespace(const CreateNamespaceRequest& request) {
  ARC_RETURN_IF_ERROR(CheckName("namespace", request.database));
  auto turn = parts_.turns.OfAll();
  if (parts_.tables.HasExactDatabase(request.database)) {
    return MakeError(ErrorKind::kAlreadyExists, "Namespace already exists: " + request.database);
  }
  ARC_RETURN_IF_ERROR(parts_.pointers.CreateNamespace(request.database));
  ARC_RETURN_IF_ERROR(parts_.pointers.ChangeNamespaceProperties(request.database, request.properties, {}));
  parts_.tables.AddDatabase(request.database);
  return {};
}

Result<NamespaceChange> IcebergCatalogImpl::ChangeNamespace(const std::string& database,
                                                            const NamespacePropertiesRequest& request) {
  auto turn = parts_.turns.OfAll();
  ARC_RETURN_IF_ERROR(CheckNamespace(database));
  ARC_ASSIGN_OR_RETURN(const auto before, parts_.pointers.NamespaceProperties(database));
  NamespaceChange change;
  for (const auto& [name, value] : request.updates) change.updated.push_back(name);
  for (const auto& name : request.removals) (before.contains(name) ? change.removed : change.missing).push_back(name);
  ARC_RETURN_IF_ERROR(parts_.pointers.ChangeNamespaceProperties(database, request.updates, request.removals));
  return change;
}

Status IcebergCatalogImpl::DropNamespace(const std::string& database) {
  auto turn = parts_.turns.OfAll();
  ARC_RETURN_IF_ERROR(CheckNamespace(database));
  if (database == kDefaultDatabase) return InvalidArgument("the namespace default cannot be dropped");
  ARC_ASSIGN_OR_RETURN(const auto tables, parts_.pointers.List());
  const auto in_it = [&](const TablePointer& table) { return table.database == database; };
  if (std::any_of(tables.begin(), tables.end(), in_it) || !parts_.tables.Tables(database).empty()) {
    return MakeError(ErrorKind::kConflict, "Namespace " + database + std::string(kNotEmpty));
  }
  ARC_RETURN_IF_ERROR(parts_.pointers.DropNamespace(database));
  parts_.tables.RemoveDatabase(database);
  return {};
}

Result<std::vector<std::string>> IcebergCatalogImpl::TableNames(const std::string& database) {
  ARC_RETURN_IF_ERROR(CheckNamespace(database));
  ARC_ASSIGN_OR_RETURN(const auto pointers, parts_.pointers.List());
  std::set<std::string> names;
  for (const auto& pointer : pointers) {
    if (pointer.database == database) names.insert(pointer.table);
  }
  for (const auto& table : parts_.tables.Tables(database)) {
    if (table->ref().database == database && table->first_unflushed().value > 0) names.insert(table->ref().name);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<MetadataFile> IcebergCatalogImpl::CreateTable(const std::string& database, const CreateTableRequest& request) {
  const IcebergTableName name{database, request.table};
  ARC_RETURN_IF_ERROR(CheckTableName(name));
  ARC_RETURN_IF_ERROR(CheckNamespace(database));
  ARC_ASSIGN_OR_RETURN(const auto there, parts_.pointers.Load(database, request.table));
  if (there || parts_.tables.IsTaken(database, request.table)) {
    return MakeError(ErrorKind::kAlreadyExists, "Table already exists: " + Text(name));
  }
  std::string location = request.location;
  while (location.size() > 1 && location.ends_with('/')) location.pop_back();
  if (location.empty()) {
    ARC_ASSIGN_OR_RETURN(location, commits_.NewLocation(name));
  }
  MetadataFile made;
  ARC_ASSIGN_OR_RETURN(made.json, NewTableMetadata(request, location, Uuid::Random(parts_.random),
                                                   parts_.clock.WallMicros() / kMicrosPerMs));
  if (request.stage) return made;
  return commits_.Add(name, std::move(made));
}

Status IcebergCatalogImpl::DropTable(const IcebergTableName& name, bool purge) {
  MetadataFile metadata;
  {
    auto turn = parts_.turns.OfAll();
    const auto table = parts_.tables.FindExact(name.database, name.table);
    auto loaded = commits_.Load(name);
    if (loaded.ok()) {
      metadata = std::move(*loaded);
    } else if (!loaded.error().message.starts_with(kNoMetadataFile)) {
      // Of a table all of whose rows are hot there is nothing else.
      const bool is_hot_only = table != nullptr && loaded.error().message.starts_with(kNoTable);
      if (!is_hot_only) return std::move(loaded).error();
    }
    // Before the pointer goes: rows in the log then belong to a table that is there or to one known to be gone.
    if (table != nullptr) ARC_RETURN_IF_ERROR(parts_.pointers.RememberDropped(table->ref().id));
    ARC_RETURN_IF_ERROR(parts_.pointers.Drop(name.database, name.table));
    parts_.tables.Remove(name.database, name.table);
    if (table != nullptr) parts_.retired.AddGone(*table->committed_files(), {});
  }
  if (metadata.json.empty()) return {};
  // Purged ones too: what a backup keeps goes later, or never.
  Mark(metadata, {name.database, name.table, true});
  if (purge) Purge(metadata);
  return {};
}

// For a catalog made anew from the store.
void IcebergCatalogImpl::Mark(const MetadataFile& metadata, const TableMarker& marker) {
  if (auto facts = ReadFacts(metadata.json); facts.ok() && !facts->table_uuid.empty()) {
    MarkTable(parts_.store, metadata.location, facts->table_uuid, marker);
  }
}

// Best effort: the table is gone already, what stays is an orphan.
void IcebergCatalogImpl::Purge(const MetadataFile& metadata) {
  auto uris = ReachableFiles(parts_.store, metadata);
  if (!uris.ok()) {
    Log(LogLevel::kWarning, "catalog", "the files of a dropped table stay behind",
        {{"metadata", metadata.location}, {"error", uris.error().message}});
    return;
  }
  std::vector<std::string> keys;
  for (const auto& uri : *uris) {
    if (auto key = parts_.store.KeyOf(uri); key.ok()) keys.push_back(std::move(*key));  // else not ours to delete
  }
  const auto key = parts_.store.KeyOf(metadata.location);
  const auto facts = ReadFacts(metadata.json);
  if (key.ok() && facts.ok()) keys.push_back(TableMarkerKey(*key, facts->table_uuid));
  parts_.Remove(parts_.retired.Unread(keys));
}

Status IcebergCatalogImpl::RenameTable(const RenameTableRequest& request) {
  const auto& [from, to] = request;
  ARC_RETURN_IF_ERROR(CheckTableName(to));
  auto turn = parts_.turns.OfAll();
  ARC_ASSIGN_OR_RETURN(const auto location, parts_.pointers.Load(from.database, from.table));
  if (!location) return NotFound(std::string(kNoTable) + Text(from));
  ARC_RETURN_IF_ERROR(CheckNamespace(to.database));
  if (parts_.tables.IsTaken(to.database, to.table)) {
    return MakeError(ErrorKind::kAlreadyExists, "Table already exists: " + Text(to));
  }
  ARC_RETURN_IF_ERROR(parts_.pointers.Rename({from.database, from.table, *location}, to.database, to.table));
  parts_.tables.Rename(from.database, from.table, to.database, to.table);
  if (auto renamed = commits_.Load(to); renamed.ok()) Mark(*renamed, {to.database, to.table, false});
  return {};
}

// Rows of the log at or below a table's flushed LSN are taken for flushed: a made-up one would make Arc skip rows.
Status IcebergCatalogImpl::CheckFlushedLsn(const std::string& json) const {
  auto metadata = ParseTableMetadata(json);
  if (!metadata.ok()) return {};  // Arc will not represent it
  ARC_ASSIGN_OR_RETURN(const Lsn flushed, FlushedLsn(*metadata, parts_.lineage));
  Lsn highest;
  for (const auto& table : parts_.tables.All()) highest = std::max(highest, table->Current()->applied);
  if (flushed <= highest) return {};
  return InvalidArgument("the metadata says that rows up to LSN " + std::to_string(flushed.value) +
                         " are flushed, but there are none above " + std::to_string(highest.value));
}

Result<MetadataFile> IcebergCatalogImpl::RegisterTable(const std::string& database,
                                                       const RegisterTableRequest& request) {
  const IcebergTableName name{database, request.table};
  ARC_RETURN_IF_ERROR(CheckTableName(name));
  ARC_RETURN_IF_ERROR(CheckNamespace(database));
  if (request.overwrite) {
    return MakeError(ErrorKind::kUnsupported, "a registered table cannot overwrite one that is there; drop that first");
  }
  MetadataFile metadata{request.metadata_location, {}};
  auto json = ReadMetadataText(parts_.store, request.metadata_location);
  if (!json.ok() && json.error().kind == ErrorKind::kNotFound) {
    return NotFound(std::string(kNoMetadataFile) + request.metadata_location);
  }
  if (!json.ok()) return std::move(json).error();
  metadata.json = std::move(*json);
  auto facts = ReadFacts(metadata.json);
  if (!facts.ok()) return InvalidArgument(request.metadata_location + ": " + facts.error().message);
  ARC_RETURN_IF_ERROR(CheckFlushedLsn(metadata.json));
  auto added = commits_.Add(name, std::move(metadata));
  if (added.ok()) Mark(*added, {database, request.table, false});  // it may have been dropped, or be called otherwise
  return added;
}

}  // namespace

std::unique_ptr<IcebergCatalog> MakeIcebergCatalog(const LakeParts& parts, TableCommits& own) {
  return std::make_unique<IcebergCatalogImpl>(parts, own);
}

}  // namespace arc
