// Objects in a table's folder that belong to nothing: what crashes, lost commits and interrupted clean-ups left.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/catalog/catalog.h"
#include "arc/io/object_store.h"

namespace arc {

// The orphans of a table, in the cold store too, whose objects are older than `age_ms` by the store's clock; objects
// without a time count as young. Only what the call listed before it asked what is needed, so an object that is being
// written, committed or read is none of them as long as `age_ms` is longer than any write and commit of any writer
// takes. Folders that no table of this catalog has are never looked at: they may be another server's. Errors: those of
// the store, kNotFound when commits kept getting in the way, kConflict when the folder is not the table's alone (see
// UnneededObjects).
Result<std::vector<ObjectInfo>> FindOrphans(Catalog& catalog, ObjectStore& store, Table& table, int64_t age_ms,
                                            int64_t now_micros);

}  // namespace arc
