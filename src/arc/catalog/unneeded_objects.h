// Which objects in a table's folder nothing needs: the proof that the removal of orphans stands on.
#pragma once

#include <vector>

#include "arc/base/result.h"
#include "arc/catalog/pointer_store.h"
#include "arc/catalog/retired_files.h"
#include "arc/catalog/table.h"
#include "arc/io/object_store.h"

namespace arc {

// Of `objects`, all that the table's folder held at some moment before the call: those that no snapshot, no flush that
// waits for its commit and no query of this process needs. An error means that nothing is known. kNotFound: a commit
// got in the way. kConflict: the folder is not this table's alone, or not known well enough: another table has its
// metadata there (renamed by another engine; of a catalog that this one replaced; of another server), or there is newer
// metadata of the table than the catalog's (the catalog was put back to an earlier state, or a commit was cut short and
// none followed).
Result<std::vector<ObjectInfo>> UnneededObjects(ObjectStore& store, PointerStore& pointers, const RetiredFiles& retired,
                                                const Table& table, std::vector<ObjectInfo> objects);

}  // namespace arc
