// From committed Iceberg metadata, whoever wrote it, to what Arc's readers and writers can make of the table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "arc/base/result.h"
#include "arc/catalog/table.h"
#include "arc/iceberg/table_metadata.h"
#include "arc/io/object_store.h"

namespace arc {

// Whether an error may pass by itself: it says nothing about the table then.
bool IsPassing(ErrorKind kind);

struct CommittedFiles {
  std::shared_ptr<const FileIndex> files;  // empty when unreadable
  std::string unreadable;                  // why Arc would read them wrongly; empty: it would not
};

// The live data files of the current snapshot; unreadable are row-level deletes, files that are not Parquet, carry no
// field ids or lie outside the storage root, and unknown times. Entries of `known` are shared, as
// RetiredFiles needs it. Only errors of a store that cannot be asked now.
Result<CommittedFiles> ReadCommittedFiles(ObjectStore& store, const TableMetadata& metadata,
                                          const FileIndex* known = nullptr);

// Schema, files and what is to be refused of the table. kUnsupported when Arc can hold no rows of it at all (no `time`,
// columns that SQL cannot tell apart).
Result<CommittedTable> ReadCommittedTable(ObjectStore& store, const TableMetadata& metadata,
                                          const FileIndex* known = nullptr);

}  // namespace arc
