// Changes to table metadata as the Iceberg REST protocol asks for them, made on the JSON document: whatever another
// engine put there (any format version, nested types, statistics, members nobody here knows) stays as it is. Pure.
// https://iceberg.apache.org/rest-catalog-spec/ (CommitTableRequest)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/iceberg/rest_requests.h"

namespace arc {

// A metadata file: where it is and what it says.
struct MetadataFile {
  std::string location;  // URI; empty: not written (yet)
  std::string json;
};

struct ChangedMetadata {
  std::string json;
  bool changed = false;  // false: `json` is what was there
  // Metadata files that fell off the log and that the table's properties allow to delete, once this is committed.
  std::vector<std::string> dropped_files;
};

// What the catalog needs to know of any table's metadata.
struct MetadataFacts {
  int32_t format_version = 0;
  std::string table_uuid;
  std::string location;
};

// The metadata of a new table as `request` describes it, with field ids given anew. Properties `format-version` (1 to
// 3; 2 if absent) and those that only describe a table are obeyed and not kept.
Result<std::string> NewTableMetadata(const CreateTableRequest& request, const std::string& location, const Uuid& uuid,
                                     int64_t now_ms);

// `change` made on top of `current` (null: there is no such table; `uuid` and `location` are then those it gets unless
// the updates say otherwise). Errors: kConflict "Requirement failed: …" when a requirement does not hold or the change
// was made for older metadata; kAlreadyExists when the table was to be absent; kInvalidArgument when an update asks for
// what cannot be, or touches a property that belongs to Arc (`arc.…`); kUnsupported for a format version above 3.
Result<ChangedMetadata> ChangeMetadata(const MetadataFile* current, const TableChange& change, const Uuid& uuid,
                                       const std::string& location, int64_t now_ms);

// Whether the change asks that the table does not exist yet, and whether it brings a schema.
Result<bool> IsCreation(const TableChange& change);
Result<bool> AddsSchema(const TableChange& change);

// The document without snapshots that no branch or tag points at, as clients ask for with `snapshots=refs`.
Result<std::string> WithoutHistory(std::string_view json);

// Checks that a document is metadata this module can change. kCorruption, or kUnsupported for a newer version.
Result<MetadataFacts> ReadFacts(std::string_view json);

}  // namespace arc
