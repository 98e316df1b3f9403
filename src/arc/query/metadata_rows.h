// What the metadata tables hold: columns and rows made from Iceberg metadata.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arc/iceberg/table_metadata.h"
#include "arc/io/object_store.h"
#include "arc/query/metadata_table.h"
#include "duckdb/common/types/value.hpp"

namespace arc {

struct MetadataColumn {
  std::string name;
  duckdb::LogicalType type;
};

// One scan. For one thread; throws DuckDB's exceptions.
class MetadataRows {
 public:
  virtual ~MetadataRows() = default;
  // Goes on to the next rows: how many, maybe none, maybe more than a vector holds. Not after ended().
  virtual size_t Advance() = 0;
  virtual bool ended() const = 0;
  // Of the rows that the last Advance came to.
  virtual duckdb::Value ValueAt(size_t row, size_t column) const = 0;
};

// Immutable.
class MetadataSource {
 public:
  virtual ~MetadataSource() = default;
  virtual std::vector<MetadataColumn> Columns() const = 0;
  // Only the values of the columns in `wanted` will be asked for.
  virtual std::unique_ptr<MetadataRows> Scan(const std::vector<size_t>& wanted) const = 0;
};

// Everything is at hand.
struct ReadyTable {
  std::vector<MetadataColumn> columns;
  std::vector<duckdb::vector<duckdb::Value>> rows;
};
std::unique_ptr<MetadataSource> MakeReadySource(ReadyTable table);
std::unique_ptr<MetadataRows> MakeReadyRows(std::shared_ptr<const ReadyTable> table);

// `metadata` may be null.
ReadyTable SnapshotsTable(const TableMetadata* metadata);
ReadyTable HistoryTable(const TableMetadata* metadata);
ReadyTable RefsTable(const TableMetadata* metadata);
// Of the current snapshot; they read the store when they are scanned.
std::unique_ptr<MetadataSource> MakeManifestsSource(std::shared_ptr<const TableMetadata> metadata, ObjectStore& store);
std::unique_ptr<MetadataSource> MakeFilesSource(std::shared_ptr<const TableMetadata> metadata, ObjectStore& store);
std::unique_ptr<MetadataSource> MakePartitionsSource(std::shared_ptr<const TableMetadata> metadata, ObjectStore& store);

// Iceberg's timestamptz of milliseconds.
duckdb::Value TimeValue(int64_t timestamp_ms);

}  // namespace arc
