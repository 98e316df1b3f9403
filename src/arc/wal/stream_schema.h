// The Arrow schema of one stream of the log, and back: three columns about the change, then the table's. What the
// stream is about stands in the schema's metadata, a column's role in its field's.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/model/batch.h"
#include "arc/model/schema.h"

namespace arrow {
class Schema;
class RecordBatch;
}  // namespace arrow

namespace arc {

// kLost stands where `arc wal repair` cut damaged bytes out: no record, only the LSNs that are gone.
enum class StreamKind : uint8_t { kRows, kDropTable, kCreateDatabase, kLost };

std::string_view StreamKindName(StreamKind kind);  // "rows", "drop_table", "create_database", "lost"

// __lsn, __change_type, __timestamp.
inline constexpr int kChangeColumns = 3;

struct StreamColumn {
  std::string name;
  ColumnType type = ColumnType::kDouble;
  ColumnRole role = ColumnRole::kField;
  bool operator==(const StreamColumn&) const = default;
};

struct StreamMeaning {
  StreamKind kind = StreamKind::kRows;
  TableRef table;
  Uuid lineage;
  std::vector<StreamColumn> columns;  // the table's; empty unless kRows
};

std::shared_ptr<arrow::Schema> MakeStreamSchema(const StreamMeaning& meaning);

// kCorruption for a schema that MakeStreamSchema does not make.
Result<StreamMeaning> ReadStreamSchema(const arrow::Schema& schema);

// The record's rows as they were before logging; times are scanned for their bounds.
Result<Batch> BatchFromStream(const StreamMeaning& meaning, const arrow::RecordBatch& rows);

}  // namespace arc
