// What `AT (VERSION => …)` and `AT (TIMESTAMP => …)` mean.
#pragma once

#include "arc/iceberg/snapshot_choice.h"
#include "duckdb/main/client_context.hpp"
#include "duckdb/planner/tableref/bound_at_clause.hpp"

namespace arc {

// VERSION takes a snapshot id, or a branch or tag by its name; TIMESTAMP what casts to a timestamp, in UTC. Throws a
// BinderException for anything else.
SnapshotSelector SelectorOf(duckdb::ClientContext& context, const duckdb::BoundAtClause& clause);

}  // namespace arc
