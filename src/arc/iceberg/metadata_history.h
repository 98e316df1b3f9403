// What a metadata file of any format version says of its place in the table's history: for finding the current one
// among many without a catalog.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"

namespace arc {

struct MetadataHistory {
  std::string table_uuid;  // empty: a version 1 table that never got one
  std::string location;
  int64_t last_sequence_number = 0;  // 0 in format version 1
  int64_t last_updated_ms = 0;
  int64_t first_known_ms = 0;               // the earliest time that the file's logs still tell
  std::string current_manifest_list;        // URI; empty: no snapshot
  std::vector<std::string> manifest_lists;  // URIs, of all snapshots
  std::vector<std::string> statistics;      // URIs
  std::vector<std::string> previous;        // URIs of earlier metadata files, oldest first; the last is the parent
  int64_t rows = -1;                        // of the current snapshot; -1: its summary does not say
};

// kCorruption, or kUnsupported for a newer format version.
Result<MetadataHistory> ReadHistory(std::string_view json);

}  // namespace arc
