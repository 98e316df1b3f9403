// Names in a data folder that the engine and the offline commands must agree on.
#pragma once

namespace arc {

// Locked while an engine has the folder open; commands that work on its files lock it too.
inline constexpr char kDataFolderLock[] = "/LOCK";
// The pointers of all tables.
inline constexpr char kCatalogFile[] = "/arc.db";
// There while a backup is being restored into the folder: what it holds is not whole.
inline constexpr char kRestoreMarker[] = "/restore.unfinished";

}  // namespace arc
