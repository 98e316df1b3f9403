#include "arc/backup/restore.h"

#include <span>
#include <utility>
#include <vector>

#include "arc/backup/make_backup.h"
#include "arc/backup/sha256.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/table_marker.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/metadata_history.h"
#include "arc/iceberg/relocate.h"

namespace arc {
namespace {

constexpr std::string_view kGzip = "\x1f\x8b";

class Restorer {
 public:
  Restorer(ObjectStore& source, const BackupManifest& manifest, const RestoreDestination& destination,
           BackupProgress& progress)
      : source_(source),
        manifest_(manifest),
        destination_(destination),
        progress_(progress),
        relocation_{manifest.root, RootOf(destination.lake)},
        copier_(source, destination.lake, progress) {}

  Status Restore() {
    ARC_RETURN_IF_ERROR(CheckColdStore());
    progress_.objects_total = manifest_.objects.size() + manifest_.files.size();
    progress_.bytes_total = manifest_.bytes();
    ARC_RETURN_IF_ERROR(relocation_.moves() ? RestoreMoved() : RestoreAsItIs());
    ARC_RETURN_IF_ERROR(copier_.Finish());
    for (const auto& file : manifest_.files) ARC_RETURN_IF_ERROR(RestoreFile(file));
    return RestoreCatalog();
  }

 private:
  // Addresses of cold objects are not rewritten.
  Status CheckColdStore() const {
    const std::string& from = manifest_.cold_root;
    if (from.empty() || ColdRootOf(destination_.lake) == from) return {};
    return MakeError(ErrorKind::kUnsupported, "the backup has files of the cold store " + from +
                                                  ": they can be restored to that address only, which the settings "
                                                  "[tiering] must name");
  }

  Status RestoreAsItIs() {
    for (const auto& object : manifest_.objects) ARC_RETURN_IF_ERROR(Copy(object));
    return {};
  }

  // Manifests first: lists tell their sizes.
  Status RestoreMoved() {
    std::vector<const BackupObject*> lists;
    for (const auto& object : manifest_.objects) {
      if (object.key.ends_with(".metadata.json") || object.key.ends_with(".metadata.json.gz")) {
        ARC_RETURN_IF_ERROR(RestoreMetadata(object));
      } else if (!object.key.ends_with(".avro")) {
        ARC_RETURN_IF_ERROR(Copy(object));
      } else {
        ARC_ASSIGN_OR_RETURN(const bool is_list, RestoreAvroUnlessList(object));
        if (is_list) lists.push_back(&object);
      }
    }
    for (const auto* list : lists) {
      ARC_ASSIGN_OR_RETURN(const auto bytes, Read(*list));
      ARC_RETURN_IF_ERROR(PutRelocated(*list, RelocateAvro(bytes, relocation_, sizes_)));
    }
    return {};
  }

  Status RestoreMetadata(const BackupObject& object) {
    ARC_ASSIGN_OR_RETURN(const auto text, Read(object));
    if (text.starts_with(kGzip)) {
      return MakeError(ErrorKind::kUnsupported,
                       object.key + " is compressed: restore to " + manifest_.root + ", where it was");
    }
    return PutRelocated(object, RelocateMetadata(text, relocation_));
  }

  Result<bool> RestoreAvroUnlessList(const BackupObject& object) {
    ARC_ASSIGN_OR_RETURN(const auto bytes, Read(object));
    const auto role = RoleOfAvro(bytes);
    if (!role.ok()) return WithContext(role.error(), object.key);
    if (*role == AvroRole::kManifestList) return true;
    if (*role == AvroRole::kOther) {
      ARC_RETURN_IF_ERROR(copier_.Put(object.key, bytes));
      ++progress_.objects_done;
      return false;
    }
    auto relocated = RelocateAvro(bytes, relocation_, sizes_);
    if (relocated.ok()) sizes_[relocation_.from + object.key] = static_cast<int64_t>(relocated->size());
    ARC_RETURN_IF_ERROR(PutRelocated(object, std::move(relocated)));
    return false;
  }

  Status PutRelocated(const BackupObject& object, Result<std::string> relocated) {
    if (!relocated.ok()) {
      return WithContext(std::move(relocated).error(),
                         object.key + " cannot be moved from " + relocation_.from + " to " + relocation_.to);
    }
    ++progress_.objects_done;
    return copier_.Put(object.key, *relocated);
  }

  Status Copy(const BackupObject& object) {
    ARC_ASSIGN_OR_RETURN(const auto copied, copier_.Copy(ObjectKeyOf(manifest_, object), object.key, false));
    ++progress_.objects_done;
    return Check(object, copied.sha256);
  }

  // For what fits into memory.
  Result<std::string> Read(const BackupObject& object) {
    if (progress_.cancelled) return MakeError(ErrorKind::kCancelled, "stopped");
    ARC_ASSIGN_OR_RETURN(auto bytes, source_.ReadAll(ObjectKeyOf(manifest_, object)));
    ARC_RETURN_IF_ERROR(Check(object, Sha256Of(bytes)));
    return bytes;
  }

  static Status Check(const BackupObject& object, const std::string& sha256) {
    if (object.sha256 == sha256) return {};
    return Corruption(object.key + " is damaged in the backup: its SHA-256 is not the one noted");
  }

  Status RestoreFile(const BackupObject& file) {
    ARC_ASSIGN_OR_RETURN(const auto bytes, source_.ReadAll(FileKeyOf(manifest_, file)));
    ARC_RETURN_IF_ERROR(Check(file, Sha256Of(bytes)));
    ++progress_.objects_done;
    progress_.bytes_done += file.bytes;
    return DurablePut(destination_.disk, destination_.data_folder + "/" + file.key,
                      std::span(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  }

  Status RestoreCatalog() {
    PointerStoreContent catalog = manifest_.catalog;
    for (auto& table : catalog.tables) table.metadata_location = relocation_.Apply(table.metadata_location);
    for (const auto& table : catalog.tables) ARC_RETURN_IF_ERROR(NoteName(table));
    ARC_ASSIGN_OR_RETURN(const auto pointers, PointerStore::Open(destination_.catalog_file, destination_.disk));
    return pointers->Fill(catalog);
  }

  // Of tables whose folder has another name: the markers, which change, are not in the backup.
  Status NoteName(const TablePointer& table) {
    ARC_ASSIGN_OR_RETURN(const std::string key, destination_.lake.KeyOf(table.metadata_location));
    if (key.starts_with(TableFolder({{}, table.database, table.table}) + "/")) return {};
    ARC_ASSIGN_OR_RETURN(const auto text, ReadMetadataText(destination_.lake, table.metadata_location));
    ARC_ASSIGN_OR_RETURN(const auto history, ReadHistory(text));
    MarkTable(destination_.lake, table.metadata_location, history.table_uuid, {table.database, table.table, false});
    return {};
  }

  ObjectStore& source_;
  const BackupManifest& manifest_;
  const RestoreDestination& destination_;
  BackupProgress& progress_;
  const Relocation relocation_;
  Copier copier_;
  ManifestSizes sizes_;
};

}  // namespace

Status RestoreBackup(ObjectStore& source, const BackupManifest& manifest, const RestoreDestination& destination,
                     BackupProgress& progress) {
  return Restorer(source, manifest, destination, progress).Restore();
}

}  // namespace arc
