// What one backup holds, as a value and as a file. docs/formats/backup.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/catalog/pointer_store.h"

namespace arc {

// An object of the backup. Immutable once it is in the target.
struct BackupObject {
  std::string key;  // in the lake it was copied from; of a file of the data folder its name there
  int64_t bytes = 0;
  std::string sha256;  // hexadecimal
};

struct BackupManifest {
  std::string id;  // "20261121T235900Z-1a2b3c4d": ids sort by time
  int64_t created_ms = 0;
  // Every row with an LSN up to here is in it; where `exact`, no other.
  uint64_t lsn = 0;
  bool exact = false;
  std::string lineage;      // whose LSN that is
  std::string arc_version;  // that made it
  std::string root;         // address of the lake it was copied from, with a slash at its end
  std::string cold_root;    // of the cold store that some objects were copied from; empty: none was
  PointerStoreContent catalog;
  std::vector<BackupObject> objects;  // of the lake, by key
  std::vector<BackupObject> files;    // of the data folder
  std::vector<std::string> problems;  // tables that are not in it, and why

  int64_t bytes() const;
};

// Text whose first line is the SHA-256 of the rest.
std::string BackupManifestText(const BackupManifest& manifest);
// kCorruption when the text is not what was written, kUnsupported when a newer Arc wrote it.
Result<BackupManifest> ParseBackupManifest(std::string_view text);

// The folder, in a target, of objects that come from the lake at this address: keys of two lakes do not meet.
std::string LakeFolder(std::string_view root);

// Keys in a target.
std::string ManifestKey(std::string_view id);
std::string ObjectKeyOf(const BackupManifest& manifest, const BackupObject& object);
std::string FileKeyOf(const BackupManifest& manifest, const BackupObject& file);

inline constexpr char kManifestFolder[] = "backups/";
inline constexpr char kObjectFolder[] = "objects/";
inline constexpr char kFileFolder[] = "files/";
inline constexpr char kManifestSuffix[] = ".manifest";

}  // namespace arc
