// A data file in a store read in batches of a table's columns, with everything about it doubted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/object_store.h"
#include "arc/model/schema.h"

namespace arrow {
class RecordBatch;
}

namespace arc {

// What a look at a file's footer says of a column.
struct FileColumnTraits {
  bool nullable = true;  // also when the file lacks it
  bool has_nan = false;  // of doubles: may hold one, as no statistics say otherwise
};

// Errors of all calls: kCorruption when the file is damaged (page checksums are verified) or not what the catalog says
// of it, kUnsupported when it is sound but cannot be read in order into the table's columns; others are the store's.
// Not thread-safe.
class SortedFile {
 public:
  // An object of `bytes` with `rows`. `schema` outlives the file.
  static Result<std::unique_ptr<SortedFile>> Open(ObjectStore& store, const std::string& key, int64_t bytes,
                                                  int64_t rows, const Schema& schema);
  virtual ~SortedFile() = default;
  virtual std::vector<FileColumnTraits> traits() const = 0;  // by column of the schema
  // The next rows, by time, as ToRecordBatch would give them; columns that the file lacks are NULL. Null at the end.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
};

// A decoded value of a 64-bit column, the widest whose size does not depend on the values, with its validity.
inline constexpr int64_t kDecodedValueBytes = 9;
// The largest batch that Next gives: fewer rows of wide tables.
int64_t SortedFileBatchRows(size_t columns);
// Files of so many bytes and fewer are read in one go.
inline constexpr int64_t kWholeFileBytes = 8 << 20;

}  // namespace arc
