#include "arc/backup/make_backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <unordered_map>

#include "arc/backup/backup_set.h"
#include "arc/backup/sha256.h"
#include "arc/base/log.h"
#include "arc/catalog/committed_table.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/reachable.h"
#include "arc/io/cold_key.h"

namespace arc {
namespace {

std::string NewId(int64_t now_ms, RandomSource& random) {
  using namespace std::chrono;
  const sys_time<milliseconds> now{milliseconds(now_ms)};
  const auto day = floor<days>(now);
  const year_month_day date(day);
  const hh_mm_ss time(now - day);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}{:03}Z-{}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count(),
                     Uuid::Random(random).ToString().substr(0, 8));
}

class BackupMaker {
 public:
  BackupMaker(const BackupSource& source, ObjectStore& target, BackupProgress& progress)
      : source_(source), target_(target), progress_(progress), copier_(source.store, target, progress) {}

  Result<BackupManifest> Make(std::string id) {
    manifest_.id = std::move(id);
    manifest_.created_ms = source_.now_ms;
    manifest_.lsn = source_.lsn;
    manifest_.exact = source_.exact;
    manifest_.lineage = source_.lineage;
    manifest_.arc_version = ARC_VERSION;
    manifest_.root = RootOf(source_.store);
    manifest_.catalog.namespaces = source_.catalog.namespaces;
    manifest_.catalog.dropped = source_.catalog.dropped;
    for (const auto& table : source_.catalog.tables) ARC_RETURN_IF_ERROR(Collect(table));
    ARC_RETURN_IF_ERROR(LookAtTarget());
    progress_.objects_total = keys_.size();
    for (const auto& key : keys_) {
      if (progress_.cancelled) return MakeError(ErrorKind::kCancelled, "stopped");
      ARC_ASSIGN_OR_RETURN(auto object, Bring(key));
      manifest_.objects.push_back(std::move(object));
      ++progress_.objects_done;
    }
    for (const auto& [name, bytes] : source_.files) {
      BackupObject file{name, static_cast<int64_t>(bytes.size()), Sha256Of(bytes)};
      ARC_RETURN_IF_ERROR(copier_.Put(FileKeyOf(manifest_, file), bytes));
      manifest_.files.push_back(std::move(file));
    }
    ARC_RETURN_IF_ERROR(copier_.Finish());
    ARC_RETURN_IF_ERROR(target_.PutIfAbsent(ManifestKey(manifest_.id), BackupManifestText(manifest_)));
    return std::move(manifest_);
  }

 private:
  // What the table needs.
  Status Collect(const TablePointer& table) {
    auto needed = NeededBy(table);
    if (!needed.ok()) {
      if (IsPassing(needed.error().kind)) return std::move(needed).error();
      manifest_.problems.push_back(table.database + "." + table.table + " is left out: " + needed.error().message);
      return {};
    }
    if (needed->outside > 0) {
      manifest_.problems.push_back(fmt::format("{}.{} is not whole: {} of its objects lie outside the storage root",
                                               table.database, table.table, needed->outside));
    }
    keys_.insert(needed->keys.begin(), needed->keys.end());
    const auto is_cold = [](const std::string& key) { return IsColdKey(key); };
    if (std::any_of(needed->keys.begin(), needed->keys.end(), is_cold)) manifest_.cold_root = ColdRootOf(source_.store);
    manifest_.catalog.tables.push_back(table);
    return {};
  }

  Result<TableContent> NeededBy(const TablePointer& table) {
    ARC_ASSIGN_OR_RETURN(std::string key, source_.store.KeyOf(table.metadata_location));
    ARC_ASSIGN_OR_RETURN(const auto text, ReadMetadataText(source_.store, table.metadata_location));
    ARC_ASSIGN_OR_RETURN(const auto history, ReadHistory(text));
    ARC_ASSIGN_OR_RETURN(auto content, ContentOf(source_.store, history));
    content.keys.insert(std::move(key));
    return content;
  }

  Status LookAtTarget() {
    ARC_ASSIGN_OR_RETURN(const auto ids, ListBackups(target_));
    for (const auto& id : ids) {
      auto earlier = LoadBackup(target_, id);
      if (!earlier.ok() && IsPassing(earlier.error().kind)) return std::move(earlier).error();
      if (!earlier.ok()) {
        Log(LogLevel::kWarning, "backup", "an earlier backup cannot be read; its objects are read again",
            {{"backup", id}, {"error", earlier.error().message}});
        continue;
      }
      if (earlier->root != manifest_.root) continue;
      for (auto& object : earlier->objects) {
        std::string key = object.key;
        known_.insert_or_assign(std::move(key), std::move(object));
      }
    }
    const std::string folder = kObjectFolder + LakeFolder(manifest_.root) + "/";
    ARC_ASSIGN_OR_RETURN(const auto objects, target_.List(folder));
    for (const auto& object : objects) there_.emplace(object.key.substr(folder.size()), object.bytes);
    return {};
  }

  // The object is in the target when this returns, or from the copier's Finish on.
  Result<BackupObject> Bring(const std::string& key) {
    const auto known = known_.find(key);
    const auto there = there_.find(key);
    if (known != known_.end() && there != there_.end() && there->second == known->second.bytes) return known->second;
    ARC_ASSIGN_OR_RETURN(const auto reader, source_.store.Open(key));
    if (known != known_.end() && known->second.bytes != reader->bytes()) {
      return MakeError(ErrorKind::kConflict, key + " is not what an earlier backup in this target has under its name");
    }
    // From an interrupted backup, whole as every object of a store.
    if (known == known_.end() && there != there_.end() && there->second == reader->bytes()) {
      return HashObject(source_.store, key, progress_);
    }
    return copier_.Copy(key, ObjectKeyOf(manifest_, {key, 0, {}}), there != there_.end());
  }

  const BackupSource& source_;
  ObjectStore& target_;
  BackupProgress& progress_;
  Copier copier_;
  BackupManifest manifest_;
  std::set<std::string> keys_;
  std::unordered_map<std::string, BackupObject> known_;  // by key: what earlier backups noted
  std::unordered_map<std::string, int64_t> there_;       // by key: sizes in the target
};

}  // namespace

std::string RootOf(const ObjectStore& store) {
  std::string uri = store.UriOf("x");
  uri.pop_back();
  return uri;
}

std::string ColdRootOf(const ObjectStore& store) {
  std::string uri = store.UriOf(ColdKey("x"));
  uri.pop_back();
  return uri;
}

Result<BackupSummary> MakeBackup(const BackupSource& source, ObjectStore& target, RandomSource& random,
                                 BackupProgress& progress) {
  ARC_ASSIGN_OR_RETURN(const auto manifest, BackupMaker(source, target, progress).Make(NewId(source.now_ms, random)));
  return BackupSummary{manifest.id,
                       manifest.lsn,
                       manifest.exact,
                       manifest.catalog.tables.size(),
                       manifest.objects.size() + manifest.files.size(),
                       manifest.bytes(),
                       progress.objects_copied,
                       progress.bytes_copied,
                       manifest.problems};
}

}  // namespace arc
