// Table metadata as a JSON document whose members are known to be there and of the right kind. Not for public headers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/iceberg/json_value.h"

namespace arc {

inline constexpr int32_t kNewestFormatVersion = 3;
inline constexpr int64_t kNoSnapshot = -1;

// Parses and completes a document, so that every member that changes read is there: a version 1 document gets `schemas`
// and `partition-specs` from its single ones, any gets `sort-orders`, `refs` and the logs. kCorruption, kUnsupported.
Result<Json> ParseDocument(std::string_view text);

// A table without schema, spec or order, for updates to begin on.
Json EmptyDocument(int32_t format_version, const Uuid& uuid, const std::string& location);

// The document as a file's text. Version 1 wants the current schema and spec repeated.
std::string PrintDocument(Json document);

// The element of `document[list]` whose member `id_name` is `id`; null if there is none.
const Json* FindById(const Json& document, const char* list, const char* id_name, int64_t id);

// The last `metadata-log` entries that the table's properties keep, after adding `replaced` (empty: none).
// Returns the URIs of files that may be deleted.
std::vector<std::string> RollMetadataLog(const std::string& replaced, int64_t replaced_ms, Json* document);

}  // namespace arc
