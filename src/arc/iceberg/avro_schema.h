// The writer's schema of an Avro file, as far as reading by it needs.
// https://avro.apache.org/docs/1.12.0/specification/
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"

namespace arc {

enum class AvroKind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kFixed,
  kEnum,
  kRecord,
  kArray,
  kMap,
  kUnion
};

struct AvroType;

struct AvroField {
  std::string name;
  int32_t field_id = -1;  // Iceberg's "field-id"; -1 if the writer gave none
  const AvroType* type = nullptr;
};

struct AvroType {
  AvroKind kind = AvroKind::kNull;
  // A value takes no bytes at all (null, fixed(0), records of such): skipped without a loop.
  bool zero_size = true;
  int depth = 1;                          // levels below and with this one; at most 32
  int64_t fixed_size = 0;                 // kFixed
  const AvroType* items = nullptr;        // kArray, kMap (the values)
  std::vector<AvroField> fields;          // kRecord
  std::vector<const AvroType*> branches;  // kUnion
};

// Owns its types; immutable, movable (types stay where they are).
class AvroSchema {
 public:
  // Like Parse; files of one table repeat the same text, so the last few are remembered per thread.
  static Result<std::shared_ptr<const AvroSchema>> Remembered(std::string_view json);
  // Refused: recursive types, nesting beyond 32, arrays and maps of values that take no bytes. They do not occur in
  // Iceberg and would let a few bytes demand endless work. kCorruption or kUnsupported.
  static Result<AvroSchema> Parse(std::string_view json);
  const AvroType& root() const { return *root_; }

 private:
  friend class AvroSchemaParser;
  std::vector<std::unique_ptr<AvroType>> types_;
  const AvroType* root_ = nullptr;
};

}  // namespace arc
