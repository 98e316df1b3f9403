// Iceberg schemas, partition specs and sort orders as JSON, nested types included: what has to be known of them to
// check and renumber them without a model that could lose something. Not for public headers.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "arc/base/result.h"
#include "arc/iceberg/json_value.h"

namespace arc {

inline constexpr int32_t kFirstPartitionId = 1000;

// What a checked schema holds. Names of nested fields are joined by dots: "location.latitude", "tags.element".
struct SchemaFields {
  std::map<int32_t, std::string> names;  // by field id
  int32_t last_id = 0;
};

// Checks a schema (kinds of members, unique ids and names, types of the format version); kInvalidArgument.
Result<SchemaFields> CheckSchema(const Json& schema, int32_t format_version);

// The schema with field ids given anew from 1 on, outer fields before inner ones, as every catalog gives them to a new
// table. `schema` is checked. Fills `ids` with old -> new.
Json WithFreshIds(const Json& schema, std::map<int32_t, int32_t>* ids);

// Same fields and identifier fields; ids of the schemas apart.
bool SameSchema(const Json& a, const Json& b);

// Checks a spec or sort order whose fields refer to columns of `schema`; kInvalidArgument.
Status CheckSpec(const Json& spec, const SchemaFields& schema);
Status CheckSortOrder(const Json& order, const SchemaFields& schema);

// Same fields in the same order; ids apart.
bool SameSpec(const Json& a, const Json& b);
bool SameSortOrder(const Json& a, const Json& b);

// Replaces what `source-id` and `source-ids` of checked fields refer to; what is no key of `ids` stays.
void RenumberSources(const std::map<int32_t, int32_t>& ids, Json* fields);

}  // namespace arc
