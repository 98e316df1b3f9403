// The objects of a table's metadata folder: their names, and reading by the URIs that metadata holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/iceberg/manifest.h"
#include "arc/io/object_store.h"

namespace arc {

// Key of "<table folder>/metadata/<name>".
std::string MetadataKey(std::string_view table_key, std::string_view name);
// "00003-<uuid>.metadata.json", Java's naming: the version after that of `previous_location` ("" before the first).
std::string MetadataFileName(std::string_view previous_location, const Uuid& uuid);
std::string ManifestFileName(const Uuid& commit, int number);
std::string ManifestListFileName(const Uuid& commit, int64_t snapshot_id);

// The object at a URI; errors name it.
Result<std::string> ReadObjectAt(ObjectStore& store, std::string_view uri);
Result<std::vector<ManifestFile>> ReadManifestListAt(ObjectStore& store, std::string_view uri);

// Counts the entries of manifests whose row leaves that out (old writers), so that the row can be carried on.
Status FillCounts(ObjectStore& store, std::vector<ManifestFile>* manifests);

}  // namespace arc
