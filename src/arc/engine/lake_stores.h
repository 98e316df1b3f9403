// The stores that an engine's tables live in, put together as its options say.
#pragma once

#include <memory>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/engine/engine.h"
#include "arc/io/local_disk.h"
#include "arc/io/metadata_copy_store.h"
#include "arc/io/monitored_store.h"
#include "arc/io/object_store.h"
#include "arc/io/read_ahead_store.h"
#include "arc/io/read_cache_store.h"
#include "arc/io/staged_store.h"
#include "arc/io/tiered_store.h"

namespace arc {

// The stores one upon the other, each thread-safe:
//
//   staging                     where the hot store is remote
//   read-ahead, read cache      over hot and cold where both are remote, else over the one that is
//   hot and cold                where there is a cold one
//   copies of metadata          where the hot store is remote
//   monitoring                  of each that is remote, and of the cold one
class LakeStores {
 public:
  // `disk` and `clock` outlive it. A remote hot store may be away where its metadata was
  // copied before, the cold one always; other errors of their Check are returned.
  static Result<std::unique_ptr<LakeStores>> Open(const EngineOptions& options, LocalDisk& disk, Clock& clock);

  ObjectStore& store() { return *store_; }
  // What is read once, all of it, should not push out of the caches what queries read.
  ObjectStore& past_caches() { return *past_caches_; }
  StagedStore* staging() { return staging_.get(); }            // null: the hot store is local
  const MonitoredStore* remote() const { return hot_.get(); }  // null: the hot store is local
  const MonitoredStore* cold() const { return cold_.get(); }   // null: there is none
  // Once, when all tables are loaded.
  Status DropUnusedCopies() { return copies_ == nullptr ? Status() : copies_->DropUnused(); }
  RemoteStats stats() const;

 private:
  Status OpenHot(const EngineOptions& options, LocalDisk& disk, Clock& clock);
  Status OpenCold(const EngineOptions& options, LocalDisk& disk, Clock& clock);
  Status PutTogether(const EngineOptions& options, LocalDisk& disk);
  Result<ObjectStore*> Cached(const EngineOptions& options, LocalDisk& disk, ObjectStore& remote);
  Result<ObjectStore*> Tiered(ObjectStore& hot, ObjectStore& cold);

  std::unique_ptr<ObjectStore> local_;
  std::unique_ptr<MonitoredStore> hot_;
  std::unique_ptr<MetadataCopyStore> copies_;
  std::unique_ptr<MonitoredStore> cold_;
  std::unique_ptr<TieredStore> tiered_;
  std::unique_ptr<ReadCacheStore> read_cache_;
  std::unique_ptr<ReadAheadStore> read_ahead_;
  std::unique_ptr<StagedStore> staging_;
  ObjectStore* store_ = nullptr;
  ObjectStore* past_caches_ = nullptr;
};

// The same without monitoring, caches and staging, for commands that need no engine. Both stores must answer.
Result<std::unique_ptr<ObjectStore>> OpenBareLake(const EngineOptions& options, LocalDisk& disk);

}  // namespace arc
