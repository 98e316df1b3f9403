#include "arc/backup/backup_set.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace arc {
namespace {

constexpr char kLockFile[] = "/LOCK";

// Every object of the target that the backup needs besides its manifest: keys in the target, sizes, checksums.
std::vector<BackupObject> InTarget(const BackupManifest& manifest) {
  std::vector<BackupObject> all;
  all.reserve(manifest.objects.size() + manifest.files.size());
  for (const auto& object : manifest.objects) {
    all.push_back({ObjectKeyOf(manifest, object), object.bytes, object.sha256});
  }
  for (const auto& file : manifest.files) all.push_back({FileKeyOf(manifest, file), file.bytes, file.sha256});
  return all;
}

// Empty: it is what was written.
Result<std::string> DamageOf(ObjectStore& target, const BackupObject& object, BackupProgress& progress) {
  auto found = HashObject(target, object.key, progress);
  if (!found.ok()) {
    const ErrorKind kind = found.error().kind;
    if (kind == ErrorKind::kNotFound) return object.key + " is missing";
    if (kind == ErrorKind::kCorruption) return found.error().message;
    return std::move(found).error();
  }
  if (found->bytes != object.bytes) {
    return object.key + " has " + std::to_string(found->bytes) + " bytes in place of " + std::to_string(object.bytes);
  }
  if (found->sha256 != object.sha256) return object.key + " is damaged: its SHA-256 is not the one noted";
  return std::string();
}

}  // namespace

Result<BackupTarget> OpenFolderTarget(LocalDisk& disk, const std::string& folder, bool to_change) {
  BackupTarget target;
  if (!folder.starts_with('/')) return InvalidArgument(folder + " is no absolute path");
  if (!to_change) {
    ARC_ASSIGN_OR_RETURN(const bool there, disk.IsDirectory(folder));
    if (!there) return NotFound("there is no folder " + folder);
    ARC_ASSIGN_OR_RETURN(target.store, OpenLocalObjectStore(disk, folder));
    return target;
  }
  ARC_ASSIGN_OR_RETURN(target.store, OpenLocalObjectStore(disk, folder));
  auto lock = disk.Lock(folder + kLockFile);
  if (!lock.ok()) return WithContext(std::move(lock).error(), "somebody else changes the backups in " + folder);
  target.lock = std::move(*lock);
  ARC_RETURN_IF_ERROR(target.store->CleanTemporaries());
  return target;
}

Result<std::vector<std::string>> ListBackups(ObjectStore& target) {
  const std::string_view folder = kManifestFolder;
  const std::string_view suffix = kManifestSuffix;
  ARC_ASSIGN_OR_RETURN(const auto objects, target.List(std::string(folder)));
  std::vector<std::string> ids;
  for (const auto& object : objects) {
    if (!object.key.ends_with(suffix)) continue;
    ids.push_back(object.key.substr(folder.size(), object.key.size() - folder.size() - suffix.size()));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<BackupManifest> LoadBackup(ObjectStore& target, const std::string& id) {
  std::string wanted = id;
  if (wanted.empty()) {
    ARC_ASSIGN_OR_RETURN(auto ids, ListBackups(target));
    if (ids.empty()) return NotFound("there is no backup in " + target.UriOf("backups"));
    wanted = std::move(ids.back());
  }
  auto text = target.ReadAll(ManifestKey(wanted));
  if (!text.ok() && text.error().kind == ErrorKind::kNotFound) return NotFound("there is no backup " + wanted);
  if (!text.ok()) return std::move(text).error();
  auto manifest = ParseBackupManifest(*text);
  if (!manifest.ok()) return WithContext(std::move(manifest).error(), "backup " + wanted);
  return manifest;
}

Result<VerifyReport> VerifyBackups(ObjectStore& target, const std::string& id, BackupProgress& progress) {
  VerifyReport report;
  std::vector<std::string> ids = {id};
  if (id.empty()) {
    ARC_ASSIGN_OR_RETURN(ids, ListBackups(target));
  }
  std::vector<BackupObject> objects;
  std::unordered_set<std::string> seen;
  for (const auto& one : ids) {
    auto manifest = LoadBackup(target, one);
    if (!manifest.ok() && manifest.error().kind != ErrorKind::kCorruption) return std::move(manifest).error();
    ++report.backups;
    if (!manifest.ok()) {
      report.damages.push_back(manifest.error().message);
      continue;
    }
    for (auto& object : InTarget(*manifest)) {
      // An object that two backups note differently is looked at twice.
      if (!seen.insert(object.key + " " + object.sha256).second) continue;
      progress.bytes_total += object.bytes;
      objects.push_back(std::move(object));
    }
  }
  progress.objects_total = objects.size();
  for (const auto& object : objects) {
    if (progress.cancelled) return MakeError(ErrorKind::kCancelled, "stopped");
    ARC_ASSIGN_OR_RETURN(auto damage, DamageOf(target, object, progress));
    if (!damage.empty()) report.damages.push_back(std::move(damage));
    ++report.objects;
    report.bytes += object.bytes;
    ++progress.objects_done;
  }
  return report;
}

Result<PruneReport> PruneBackups(ObjectStore& target, size_t keep) {
  PruneReport report;
  ARC_ASSIGN_OR_RETURN(auto ids, ListBackups(target));
  const size_t removed = ids.size() - std::min(std::max<size_t>(keep, 1), ids.size());
  // What is kept is read first: where one cannot be read nobody knows what it needs, and nothing goes.
  std::unordered_set<std::string> needed;
  for (size_t i = removed; i < ids.size(); ++i) {
    ARC_ASSIGN_OR_RETURN(const auto manifest, LoadBackup(target, ids[i]));
    for (auto& object : InTarget(manifest)) needed.insert(std::move(object.key));
  }
  for (size_t i = 0; i < removed; ++i) {
    ARC_RETURN_IF_ERROR(target.Delete(ManifestKey(ids[i])));
    report.backups.push_back(std::move(ids[i]));
  }
  for (const char* folder : {kObjectFolder, kFileFolder}) {
    ARC_ASSIGN_OR_RETURN(const auto objects, target.List(folder));
    for (const auto& object : objects) {
      if (needed.contains(object.key)) continue;
      ARC_RETURN_IF_ERROR(target.Delete(object.key));
      ++report.objects;
      report.bytes += object.bytes;
    }
  }
  return report;
}

}  // namespace arc
