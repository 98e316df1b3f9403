// Iceberg's metadata tables: `m$snapshots`, `m$files` and so on beside each table `m`, with the columns that Iceberg's
// own libraries give them. They are no entries of any listing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "arc/iceberg/table_metadata.h"
#include "arc/io/object_store.h"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"

namespace arc {

enum class MetadataTableKind { kSnapshots, kHistory, kRefs, kManifests, kFiles, kPartitions };

std::string_view NameOf(MetadataTableKind kind);  // "snapshots"
// Whether it describes one snapshot, so that AT has a meaning.
bool IsOfOneSnapshot(MetadataTableKind kind);

struct MetadataTableName {
  std::string table;
  MetadataTableKind kind;
};
// Of "m$files", in any case; nothing for other names.
std::optional<MetadataTableName> ParseMetadataTableName(std::string_view name);

// `metadata` null: nothing of the table is committed yet, there are no rows. `store` outlives the entry.
std::unique_ptr<duckdb::TableCatalogEntry> MakeMetadataEntry(duckdb::SchemaCatalogEntry& schema,
                                                             const std::string& name, MetadataTableKind kind,
                                                             std::shared_ptr<const TableMetadata> metadata,
                                                             ObjectStore& store);

}  // namespace arc
