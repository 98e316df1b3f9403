// When the catalog is made anew from the object store: at a start that finds none, or on request while no server runs.
#pragma once

#include <string>

#include "arc/base/result.h"
#include "arc/catalog/rebuild.h"
#include "arc/engine/engine.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_store.h"

namespace arc {

// Before the catalog is opened: fills `database_file` from the store when it is not there or was never used, and logs
// what came of it. An unused file is no reason to fail when the store cannot be asked: then it held nothing when the
// file was made. Errors: those of the store, when the file is missing, and of the disk.
Status RebuildIfLost(const std::string& database_file, LocalDisk& disk, ObjectStore& store);

// `arc rebuild`: locks the data folder (kConflict while a server has it), opens the store and does the same.
// kAlreadyExists when the catalog holds tables. With `dry_run` nothing is locked, changed or refused.
Result<RebuildReport> RebuildCatalog(const EngineOptions& options, bool dry_run, LocalDisk& disk = SystemDisk());

}  // namespace arc
