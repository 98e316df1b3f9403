// Partition tuples of data files as SQL shows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arc/iceberg/manifest.h"
#include "arc/iceberg/table_metadata.h"
#include "duckdb/common/types/value.hpp"

namespace arc {

// The fields of all partition specs of a table as one struct, as Iceberg's metadata tables have it. Of specs with one
// field that is a number (hours, days, months, years, buckets), which is all that Arc makes and reads; values of others
// are NULL. Immutable.
class PartitionFields {
 public:
  explicit PartitionFields(const TableMetadata& metadata);

  bool empty() const { return fields_.empty(); }
  const duckdb::LogicalType& type() const { return type_; }  // unless empty
  duckdb::Value ValueOf(int32_t spec_id, const std::optional<int32_t>& value) const;
  // A bound of a manifest's partition summary in words: "2025-10-16-14" of an hour. NULL where it cannot be told.
  duckdb::Value BoundText(int32_t spec_id, const std::optional<std::string>& bound) const;

 private:
  struct Field {
    int32_t field_id = 0;
    std::string name;
    std::string transform;
    std::vector<int32_t> spec_ids;
  };
  const Field* Find(int32_t spec_id) const;

  std::vector<Field> fields_;
  duckdb::LogicalType type_;
};

}  // namespace arc
