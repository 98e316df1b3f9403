#include "arc/engine/lake_stores.h"

#include <string>
#include <utility>

#include "arc/base/log.h"
#include "arc/io/path.h"

namespace arc {
namespace {

constexpr char kStagingFolder[] = "/staging";

bool IsAway(const Status& checked) {
  return checked.error().kind == ErrorKind::kUnavailable || checked.error().kind == ErrorKind::kTimeout;
}

}  // namespace

Result<std::unique_ptr<LakeStores>> LakeStores::Open(const EngineOptions& options, LocalDisk& disk, Clock& clock) {
  auto stores = std::make_unique<LakeStores>();
  ARC_RETURN_IF_ERROR(stores->OpenHot(options, disk, clock));
  ARC_RETURN_IF_ERROR(stores->OpenCold(options, disk, clock));
  ARC_RETURN_IF_ERROR(stores->PutTogether(options, disk));
  return stores;
}

// Which rows are committed stands in the tables' metadata. Where its copies are at hand the store may be away: rows are
// taken and queried, and what is in the store alone is missing until it is back.
Status LakeStores::OpenHot(const EngineOptions& options, LocalDisk& disk, Clock& clock) {
  if (!options.open_remote_store) {
    ARC_ASSIGN_OR_RETURN(local_, OpenLocalObjectStore(disk, StorageRootOf(options)));
    ARC_RETURN_IF_ERROR(local_->CleanTemporaries());
    return {};
  }
  const std::string copies_folder = JoinPath(options.data_folder, "metadata");
  ARC_ASSIGN_OR_RETURN(bool used_before, disk.Exists(copies_folder));
  ARC_ASSIGN_OR_RETURN(auto opened, options.open_remote_store());
  hot_ = std::make_unique<MonitoredStore>(std::move(opened), clock);
  if (Status checked = hot_->Check(); !checked.ok()) {
    if (!IsAway(checked) || !used_before) return checked;
    Log(LogLevel::kWarning, "engine", "starting without the object store, from the copies of its metadata", {});
  }
  ARC_ASSIGN_OR_RETURN(auto copies, OpenLocalObjectStore(disk, copies_folder));
  ARC_RETURN_IF_ERROR(copies->CleanTemporaries());
  copies_ = std::make_unique<MetadataCopyStore>(*hot_, std::move(copies));
  return {};
}

// A cold store holds no metadata: the server starts without it, and what is in it is missing until it is back.
Status LakeStores::OpenCold(const EngineOptions& options, LocalDisk& disk, Clock& clock) {
  if (!options.open_cold_store) return {};
  ARC_RETURN_IF_ERROR(disk.CreateDirectories(options.data_folder + kStagingFolder));  // some stores spill there
  ARC_ASSIGN_OR_RETURN(auto opened, options.open_cold_store());
  if (options.cold_is_local) ARC_RETURN_IF_ERROR(opened->CleanTemporaries());
  cold_ = std::make_unique<MonitoredStore>(std::move(opened), clock, "the cold store");
  const Status checked = cold_->Check();
  if (checked.ok()) return {};
  if (!IsAway(checked)) return WithContext(checked.error(), "the cold store");
  Log(LogLevel::kWarning, "engine", "starting without the cold store", {{"error", checked.error().message}});
  return {};
}

Status LakeStores::PutTogether(const EngineOptions& options, LocalDisk& disk) {
  ObjectStore* hot = copies_ != nullptr ? static_cast<ObjectStore*>(copies_.get()) : local_.get();
  ObjectStore* cold = cold_.get();
  const bool cold_is_remote = cold != nullptr && !options.cold_is_local;
  past_caches_ = hot;
  if (hot_ != nullptr && cold_is_remote) {
    ARC_ASSIGN_OR_RETURN(past_caches_, Tiered(*hot, *cold));
    ARC_ASSIGN_OR_RETURN(store_, Cached(options, disk, *past_caches_));
  } else {
    store_ = hot;
    if (hot_ != nullptr) {
      ARC_ASSIGN_OR_RETURN(store_, Cached(options, disk, *hot));
    } else if (cold_is_remote) {
      ARC_ASSIGN_OR_RETURN(cold, Cached(options, disk, *cold));
    }
    if (cold != nullptr) {
      // The caches pass through what is not read by ranges of a known file.
      ARC_ASSIGN_OR_RETURN(past_caches_, Tiered(*store_, *cold));
      store_ = past_caches_;
    }
  }
  if (hot_ == nullptr) return {};
  ARC_ASSIGN_OR_RETURN(auto local, OpenLocalObjectStore(disk, options.data_folder + kStagingFolder));
  ARC_ASSIGN_OR_RETURN(staging_, StagedStore::Open(*store_, std::move(local), options.staging_bytes));
  store_ = staging_.get();
  return {};
}

Result<ObjectStore*> LakeStores::Cached(const EngineOptions& options, LocalDisk& disk, ObjectStore& remote) {
  std::unique_ptr<DiskCache> cache;
  if (options.read_cache_bytes > 0) {
    const std::string folder =
        options.read_cache_folder.empty() ? options.data_folder + "/read-cache" : options.read_cache_folder;
    ARC_ASSIGN_OR_RETURN(cache, DiskCache::Open(disk, folder, options.read_cache_bytes));
  }
  read_cache_ = std::make_unique<ReadCacheStore>(remote, std::move(cache));
  read_ahead_ = std::make_unique<ReadAheadStore>(*read_cache_, options.read_ahead_bytes);
  return read_ahead_.get();
}

Result<ObjectStore*> LakeStores::Tiered(ObjectStore& hot, ObjectStore& cold) {
  ARC_ASSIGN_OR_RETURN(tiered_, TieredStore::Over(hot, cold));
  return tiered_.get();
}

RemoteStats LakeStores::stats() const {
  RemoteStats stats;
  if (hot_ != nullptr) stats.store = hot_->stats();
  if (cold_ != nullptr) stats.cold = cold_->stats();
  if (read_ahead_ != nullptr) stats.caches = CacheStats{read_ahead_->stats(), read_cache_->stats()};
  if (staging_ != nullptr) stats.staged_bytes = staging_->staged_bytes();
  return stats;
}

Result<std::unique_ptr<ObjectStore>> OpenBareLake(const EngineOptions& options, LocalDisk& disk) {
  std::unique_ptr<ObjectStore> hot;
  if (options.open_remote_store) {
    ARC_ASSIGN_OR_RETURN(hot, options.open_remote_store());
    ARC_RETURN_IF_ERROR(hot->Check());
  } else {
    ARC_ASSIGN_OR_RETURN(hot, OpenLocalObjectStore(disk, StorageRootOf(options)));
  }
  if (!options.open_cold_store) return hot;
  ARC_ASSIGN_OR_RETURN(auto cold, options.open_cold_store());
  if (const Status checked = cold->Check(); !checked.ok()) return WithContext(checked.error(), "the cold store");
  ARC_ASSIGN_OR_RETURN(auto tiered, TieredStore::Of(std::move(hot), std::move(cold)));
  return std::unique_ptr<ObjectStore>(std::move(tiered));
}

}  // namespace arc
