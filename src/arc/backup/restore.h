// A fresh data folder from a backup.
#pragma once

#include <cstdint>
#include <string>

#include "arc/backup/copy.h"
#include "arc/backup/manifest.h"
#include "arc/base/result.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_store.h"

namespace arc {

struct RestoreDestination {
  LocalDisk& disk;
  std::string data_folder;   // there and locked; holds nothing else
  std::string catalog_file;  // in it: written last
  ObjectStore& lake;         // holds nothing
};

// Copies every object with its checksum verified (kCorruption names the first that is not what was written), with the
// addresses in the tables' metadata changed where the lake is another than the one that was backed up; then the files
// of the data folder, then the catalog. kUnsupported when a table's addresses cannot be changed.
Status RestoreBackup(ObjectStore& source, const BackupManifest& manifest, const RestoreDestination& destination,
                     BackupProgress& progress);

}  // namespace arc
