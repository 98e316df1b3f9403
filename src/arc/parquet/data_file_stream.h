// A data file written row group by row group, by whoever knows its rows only piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/object_store.h"
#include "arc/model/data_file.h"
#include "arc/model/schema.h"
#include "arc/parquet/data_file.h"
#include "arc/parquet/gather.h"
#include "arc/parquet/row_order.h"

namespace arc {

// What has to be known of a column before its first value is written.
struct ColumnChoice {
  // A column without NULLs is `required` in the file, whatever it is in the table: no definition levels to write and
  // read. Iceberg readers take it, as a table's column may have become optional after a file was written.
  bool nullable = true;
  bool has_nan = false;     // of doubles: may hold one
  bool dictionary = false;  // where there is a choice: worth a dictionary
};

// Whether such a column has a choice of a dictionary at all.
bool HasDictionaryChoice(const Column& column, const ParquetOptions& options);

// Not thread-safe. Destroyed before Finish() returned success, nothing remains of the object.
class DataFileStream {
 public:
  // The file is as WriteDataFile says. `schema` outlives the stream; `choices` are of its columns.
  static Result<std::unique_ptr<DataFileStream>> Create(ObjectStore& store, const std::string& key,
                                                        const Schema& schema, const std::vector<ColumnChoice>& choices,
                                                        const ParquetOptions& options);
  virtual ~DataFileStream() = default;

  // One row group: the `ranges` of `batches`, whose columns are the schema's.
  virtual Status WriteGroup(const Gatherer& batches, std::span<const RowRange> ranges) = 0;
  virtual int64_t rows() const = 0;
  virtual int64_t bytes() const = 0;  // so far
  // Makes the object durable. At least one row group has been written.
  virtual Result<WrittenFile> Finish() = 0;
};

}  // namespace arc
