// The object stores that the configuration names.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "arc/backup/backup_set.h"
#include "arc/base/result.h"
#include "arc/io/object_store.h"
#include "arc/server/config.h"

namespace arc {

// Opens it, without asking it anything; empty for the local disk.
std::function<Result<std::unique_ptr<ObjectStore>>()> RemoteStoreOf(const Config& config);

// The same for the cold store, on local disk too; empty where there is none.
std::function<Result<std::unique_ptr<ObjectStore>>()> ColdStoreOf(const Config& config);

// A place for backups: an absolute path, or an address of the kind of store that the configuration names
// ("s3://bucket/prefix" of `minio` and `s3`, "gs://bucket/prefix" of `gcs`), with its credentials. `to_change` as
// OpenFolderTarget has it. kInvalidArgument, kNotFound, and what the store's Check says.
Result<BackupTarget> OpenTarget(const Config& config, const std::string& target, bool to_change);

}  // namespace arc
