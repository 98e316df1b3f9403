#include "arc/query/snapshot_clause.h"

#include "arc/model/schema.h"
#include "duckdb/common/exception/binder_exception.hpp"

namespace arc {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::Value;

SnapshotSelector ByVersion(duckdb::ClientContext& context, const Value& value) {
  SnapshotSelector selector;
  Value id;
  duckdb::string error;
  const duckdb::string text = value.ToString();
  const bool is_text = value.type().id() == LogicalTypeId::VARCHAR;
  if (!is_text && !value.type().IsIntegral()) {
    throw duckdb::BinderException("AT (VERSION => …) takes a snapshot id, or the name of a branch or tag, not a %s",
                                  value.type().ToString());
  }
  if (is_text && text.find_first_not_of("0123456789") != duckdb::string::npos) {
    selector.ref = text;
  } else if (value.TryCastAs(context, LogicalType::BIGINT, id, &error)) {
    selector.snapshot_id = id.GetValue<int64_t>();
  } else {
    throw duckdb::BinderException("AT (VERSION => …): '%s' is no snapshot id", text);
  }
  return selector;
}

SnapshotSelector ByTime(duckdb::ClientContext& context, const Value& value) {
  Value time;
  duckdb::string error;
  switch (value.type().id()) {
    case LogicalTypeId::DATE:
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
    case LogicalTypeId::TIMESTAMP_TZ:
    case LogicalTypeId::VARCHAR:
      if (value.TryCastAs(context, LogicalType::TIMESTAMP, time, &error)) break;
      throw duckdb::BinderException("AT (TIMESTAMP => …): %s", error);
    default: throw duckdb::BinderException("AT (TIMESTAMP => …) takes a timestamp, not a %s", value.type().ToString());
  }
  SnapshotSelector selector;
  selector.at_micros = time.GetValue<duckdb::timestamp_t>().value;
  return selector;
}

}  // namespace

SnapshotSelector SelectorOf(duckdb::ClientContext& context, const duckdb::BoundAtClause& clause) {
  if (clause.GetValue().IsNull()) throw duckdb::BinderException("AT (%s => …) takes no NULL", clause.Unit());
  if (SameIdentifier(clause.Unit(), "version")) return ByVersion(context, clause.GetValue());
  if (SameIdentifier(clause.Unit(), "timestamp")) return ByTime(context, clause.GetValue());
  throw duckdb::BinderException("AT takes VERSION or TIMESTAMP, not %s", clause.Unit());
}

}  // namespace arc
