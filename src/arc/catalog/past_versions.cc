#include "arc/catalog/past_versions.h"

#include <utility>

#include "arc/catalog/committed_table.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/schema_conversion.h"

namespace arc {
namespace {

// A metadata file may be replaced and removed between the look at the pointer and the read: then again.
constexpr int kReadAttempts = 4;

Error OfTable(const Table& table, Error error) {
  return WithContext(std::move(error), "table " + table.ref().database + "." + table.ref().name);
}

// Everything that ReadCommittedTable goes by: the manifests, and what says how to understand them.
std::string CacheKey(const TableMetadata& then) {
  const auto property = [&](std::string_view name) {
    const auto found = then.properties.find(std::string(name));
    return found == then.properties.end() ? std::string() : found->second;
  };
  return then.current_snapshot()->manifest_list + "\n" + std::to_string(then.current_schema_id) + "\n" +
         property(kColumnRolesProperty) + "\n" + property("schema.name-mapping.default");
}

}  // namespace

Result<PastVersions::Current> PastVersions::ReadCurrent(const Table& table) {
  for (int attempt = 1;; ++attempt) {
    ARC_ASSIGN_OR_RETURN(const auto location, parts_.pointers.Load(table.ref().database, table.ref().name));
    if (!location) return Current();
    auto metadata = ReadTableMetadata(parts_.store, *location);
    if (metadata.ok()) return Current{*location, std::make_shared<const TableMetadata>(std::move(*metadata))};
    if (metadata.error().kind != ErrorKind::kNotFound || attempt == kReadAttempts) {
      return OfTable(table, std::move(metadata).error());
    }
  }
}

Result<std::shared_ptr<const TableMetadata>> PastVersions::Metadata(const Table& table) {
  ARC_ASSIGN_OR_RETURN(auto current, ReadCurrent(table));
  return std::move(current.metadata);
}

Result<std::shared_ptr<const TableVersion>> PastVersions::At(const Table& table, const SnapshotSelector& selector) {
  ARC_ASSIGN_OR_RETURN(const auto current, ReadCurrent(table));
  const TableMetadata none;
  const TableMetadata& metadata = current.metadata ? *current.metadata : none;
  auto snapshot = ChooseSnapshot(metadata, selector);
  if (!snapshot.ok()) return OfTable(table, std::move(snapshot).error());
  const int64_t id = (*snapshot)->snapshot_id;
  auto then = AsOfSnapshot(metadata, **snapshot);
  if (!then.ok()) return OfTable(table, std::move(then).error());
  auto contents = ContentsOf(*then);
  if (!contents.ok()) {
    // A manifest may have gone with the snapshot while it was read: that is what the user is told then.
    ARC_RETURN_IF_ERROR(CheckThere(table, current.location, id));
    return OfTable(table, std::move(contents).error());
  }
  auto version = Hold(**contents);
  ARC_RETURN_IF_ERROR(CheckThere(table, current.location, id));
  return version;
}

Result<std::shared_ptr<const PastVersions::Contents>> PastVersions::ContentsOf(const TableMetadata& then) {
  const std::string key = CacheKey(then);
  if (auto known = Find(key)) return known;
  ARC_ASSIGN_OR_RETURN(auto committed, ReadCommittedTable(parts_.store, then));
  auto contents = std::make_shared<Contents>();
  contents->schema = std::make_shared<const Schema>(std::move(committed.schema));
  contents->unreadable = std::move(committed.unreadable);
  contents->bytes = sizeof(Contents) + key.size();
  contents->files.reserve(committed.files->files().size());
  for (const auto& file : committed.files->files()) {
    contents->files.push_back(*file);
    contents->bytes += sizeof(FileEntry) + file->key.size();
  }
  Keep(key, contents);
  return std::shared_ptr<const Contents>(std::move(contents));
}

// Files of the version are not removed from now on, unless they were doomed before: see CheckThere.
std::shared_ptr<const TableVersion> PastVersions::Hold(const Contents& contents) {
  std::vector<std::shared_ptr<const FileEntry>> entries;
  entries.reserve(contents.files.size());
  for (const auto& file : contents.files) entries.push_back(std::make_shared<const FileEntry>(file));
  auto version = std::make_shared<TableVersion>();
  version->schema = contents.schema;
  version->files = std::make_shared<const FileIndex>(std::move(entries));
  version->unreadable = contents.unreadable;
  parts_.retired.Hold(*version->files);
  return version;
}

// Whether the snapshot is still there after its files have been put on hold. Then a commit that expires it comes later,
// and only after its swap it asks which files are read.
Status PastVersions::CheckThere(const Table& table, const std::string& location, int64_t snapshot_id) {
  ARC_ASSIGN_OR_RETURN(const auto now, parts_.pointers.Load(table.ref().database, table.ref().name));
  if (now == location) return {};
  ARC_ASSIGN_OR_RETURN(const auto current, ReadCurrent(table));
  if (current.metadata && current.metadata->FindSnapshot(snapshot_id) != nullptr) return {};
  return OfTable(table, NotFound("snapshot " + std::to_string(snapshot_id) + " has expired just now"));
}

std::shared_ptr<const PastVersions::Contents> PastVersions::Find(const std::string& key) {
  std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  cached_.splice(cached_.begin(), cached_, found->second);
  return found->second->contents;
}

void PastVersions::Keep(const std::string& key, std::shared_ptr<const Contents> contents) {
  std::lock_guard lock(mutex_);
  if (contents->bytes > kept_bytes_ || by_key_.contains(key)) return;
  cached_bytes_ += contents->bytes;
  cached_.push_front({key, std::move(contents)});
  by_key_[key] = cached_.begin();
  while (cached_bytes_ > kept_bytes_) {
    cached_bytes_ -= cached_.back().contents->bytes;
    by_key_.erase(cached_.back().key);
    cached_.pop_back();
  }
}

size_t PastVersions::cached_bytes() const {
  std::lock_guard lock(mutex_);
  return cached_bytes_;
}

}  // namespace arc
