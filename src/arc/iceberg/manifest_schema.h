// The Avro schemas of Iceberg v2 manifests and manifest lists as text, field ids included, as Java writes them.
// https://iceberg.apache.org/spec/#manifests, https://iceberg.apache.org/spec/#avro
#pragma once

#include <string>
#include <string_view>

namespace arc {

// Of the entries of a manifest whose partition tuple has one optional int field; `date`: with the logical type date,
// as the result of `day(…)` is written.
std::string ManifestEntryAvroSchema(std::string_view partition_name, int partition_field_id, bool date);
// Of the rows of a manifest list.
std::string_view ManifestListAvroSchema();

}  // namespace arc
