// From a metadata location to what is in the table now.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/iceberg/schema_conversion.h"
#include "arc/iceberg/table_metadata.h"
#include "arc/io/object_store.h"

namespace arc {

struct LiveDataFile {
  std::string key;  // in the object store; empty when the file lies outside its root
  std::string uri;  // only when key is empty: as the manifest has it
  int64_t bytes = 0;
  int64_t rows = 0;
  // µs, inclusive. From the bounds of the time column, else from the partition value, else everything.
  int64_t min_time = 0;
  int64_t max_time = 0;
  bool times_known = false;                     // from the bounds: exact
  std::optional<PartitionKind> partition_kind;  // none: another writer's partition spec
  int32_t partition_value = 0;                  // hours or days since 1970
  int64_t sequence_number = 0;
  std::string format;  // "PARQUET"
};

struct LoadedTable {
  TableMetadata metadata;
  std::vector<LiveDataFile> files;
};

// The text of the metadata file at a URI; gzip-compressed files of other writers too.
Result<std::string> ReadMetadataText(ObjectStore& store, std::string_view metadata_location);
// The same, parsed.
Result<TableMetadata> ReadTableMetadata(ObjectStore& store, std::string_view metadata_location);

// The live data files of the current snapshot. kUnsupported, naming the file, when the snapshot has row-level deletes:
// reading on would show deleted rows.
Result<std::vector<LiveDataFile>> ReadLiveFiles(ObjectStore& store, const TableMetadata& metadata);

// Both. A TableMetadata with long histories takes tens of kilobytes: whoever watches many tables should keep the
// location and the files, and read the metadata again to commit.
Result<LoadedTable> LoadTable(ObjectStore& store, std::string_view metadata_location);

}  // namespace arc
