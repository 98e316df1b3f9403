// The catalog made anew from the object store alone: for a data folder whose arc.db is lost, and for a new node on a
// lake that is there. docs/backup.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/catalog/pointer_store.h"
#include "arc/catalog/table_heads.h"
#include "arc/io/object_store.h"

namespace arc {

struct RebuiltTable {
  std::string database;
  std::string table;
  std::string uuid;
  std::string metadata_location;  // URI
  int64_t rows = -1;              // -1: its metadata does not say
  // The name that its folder has, when another table took that; empty: it is called so.
  std::string name_taken;
  // What is missing or unreadable of its files; empty: nothing.
  std::string damage;
};

struct RebuildReport {
  std::vector<RebuiltTable> tables;  // by database, then name
  std::vector<StrayMetadata> left;   // metadata files that became no table
  std::vector<std::string> dropped;  // UUIDs of tables among them that were dropped: rows in a log stay away
  uint64_t objects = 0;              // that the store holds
};

// What the store holds, and which tables a catalog made of it has. Reads only. Two tables of one name: the younger has
// it, the other gets "<name>-<8 digits of its UUID>". Errors: those of a store that cannot be asked now.
Result<RebuildReport> PlanRebuild(ObjectStore& store);

// Fills the catalog with the plan's tables, all at once. kConflict unless it is unused.
Status CarryOut(const RebuildReport& plan, PointerStore& pointers);

}  // namespace arc
