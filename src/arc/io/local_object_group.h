// The local store's group: temporary files that are synced, named and synced again by their names, all together.
#pragma once

#include <memory>

#include "arc/io/local_disk.h"
#include "arc/io/local_folders.h"
#include "arc/io/object_group.h"

namespace arc {

// Of `store`, whose keys are paths on `disk` and whose folders are `folders`; all must outlive it.
std::unique_ptr<ObjectGroup> NewLocalObjectGroup(ObjectStore& store, LocalDisk& disk, LocalFolders& folders);

}  // namespace arc
