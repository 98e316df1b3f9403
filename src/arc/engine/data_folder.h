// Names in a data folder that the engine and the offline commands must agree on.
#pragma once

namespace arc {

// Locked while an engine has the folder open; commands that work on its files lock it too.
inline constexpr char kDataFolderLock[] = "/LOCK";

}  // namespace arc
