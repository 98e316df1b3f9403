// Arc's schema and partition kinds against Iceberg's.
//
// Every Arc column is an optional Iceberg field under its own field id. What Iceberg cannot say, the column's role, is
// in the table property `arc.column-roles`: "1=time,2=tag" (field id = role; columns not named are fields).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "arc/base/result.h"
#include "arc/iceberg/table_metadata.h"
#include "arc/model/schema.h"

namespace arc {

inline constexpr std::string_view kColumnRolesProperty = "arc.column-roles";

// How a data file is placed in time: all its rows in one hour (day) of UTC; the value counts hours (days) since 1970.
enum class PartitionKind : uint8_t { kHour, kDay };

int64_t PartitionMicros(PartitionKind kind);  // 3,600,000,000 or 86,400,000,000

// The columns Arc can read and write, `time` first, all with type_fixed; columns of other types (nested, date,
// timestamptz, …, or field id 0) stay in the table and are left out here. int reads as BIGINT and float as DOUBLE.
// kUnsupported when no timestamp column named `time` (or marked so by the property) exists.
Result<Schema> ToArcSchema(const TableMetadata& metadata);

// Field id of the time column, or -1.
int32_t TimeFieldId(const TableMetadata& metadata);

// Makes `schema` hold in `metadata`: columns it lacks are added in a new schema (the table's other columns stay), int
// and float columns that Arc writes are promoted, roles recorded. kConflict when a field id or a name means something
// else by now, because another writer changed the table.
Status AdoptSchema(const Schema& schema, TableMetadata* metadata);

// What the spec `spec_id` does with time, if it is one of Arc's shapes: exactly hour(time) or day(time).
std::optional<PartitionKind> PartitionKindOf(const TableMetadata& metadata, int32_t spec_id);

// Id of the spec of this kind, added if the table has none.
int32_t EnsureSpec(PartitionKind kind, TableMetadata* metadata);

}  // namespace arc
