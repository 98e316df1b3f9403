// How a batch as sent becomes a batch of the table: which column each value goes to, and in what type.
#pragma once

#include "arc/base/result.h"
#include "arc/catalog/table.h"
#include "arc/model/batch.h"
#include "arc/model/schema.h"

namespace arc {

inline constexpr size_t kMaxColumns = 10'000;  // per table

// True when every column of `batch` is a column of `schema` by exact name, type and role, none of them twice: the batch
// is aligned as it is.
bool MatchesExactly(const Schema& schema, const Batch& batch);

// Resolves the batch's columns against `schema`, which grows (and its version with it) by the columns it lacks and is
// widened BIGINT -> DOUBLE where types are not fixed. The rules, in this order (design section 4):
// - an existing column of the name (case-insensitive) and role takes the values; an existing column of another role
//   sends them to `<name>_tag` / `<name>_field`, then `<name>_1`, `<name>_2`, …; a column whose role was only guessed
//   takes the existing role when both hold strings;
// - BIGINT into DOUBLE converts; DOUBLE into BIGINT widens while the type is not fixed, else only values sent as
//   integers are taken; BIGINT and UBIGINT convert into each other where the value fits;
// - a row with any other value is refused, naming column and types.
// Pure but for `schema`. kInvalidArgument when the table would exceed kMaxColumns.
Result<AlignedBatch> AlignBatch(const TableRef& table, const Batch& batch, Schema* schema);

}  // namespace arc
