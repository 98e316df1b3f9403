#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>

#include "arc/base/check.h"
#include "arc/parquet/arrow_error.h"
#include "arc/parquet/data_file.h"
#include "arc/parquet/data_file_stream.h"
#include "arc/parquet/dictionary_choice.h"
#include "arc/parquet/gather.h"

namespace arc {
namespace {

// The first `rows` rows of `ranges` from row `skip` of the first range on; both move past them.
std::vector<RowRange> TakeRows(int64_t rows, std::span<const RowRange>* ranges, uint32_t* skip) {
  std::vector<RowRange> taken;
  taken.reserve(std::min(static_cast<size_t>(rows), ranges->size()));
  while (rows > 0) {
    RowRange range = ranges->front();
    range.first += *skip;
    range.rows -= *skip;
    if (range.rows > rows) {
      range.rows = static_cast<uint32_t>(rows);
      *skip += range.rows;
    } else {
      *skip = 0;
      *ranges = ranges->subspan(1);
    }
    taken.push_back(range);
    rows -= range.rows;
  }
  return taken;
}

Error Misfit(const std::string& what) { return Internal(what + " of a batch is not the schema's"); }

Result<std::vector<ColumnChoice>> Choose(const Schema& schema, const SortedRows& rows, const ParquetOptions& options) {
  const Gatherer& batches = rows.batches();
  if (batches.columns() != schema.columns.size()) return Misfit("the number of columns");
  const std::vector<RowRange> sample = SampleRows(rows.ranges());
  std::vector<ColumnChoice> choices(schema.columns.size());
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    const auto type = BatchArrowType(column.type, column.role);
    if (!batches.type(i).Equals(*type)) return Misfit("the type of column " + column.name);
    choices[i].nullable = batches.nullable(i);
    choices[i].has_nan = column.type == ColumnType::kDouble && batches.HasNan(i, rows.ranges());
    if (!HasDictionaryChoice(column, options)) continue;
    ARC_ASSIGN_OR_RETURN(const auto values, FromArrow(batches.Column(i, sample)));
    choices[i].dictionary = DictionaryPays(values);
  }
  return choices;
}

}  // namespace

Result<WrittenFile> WriteDataFile(ObjectStore& store, const std::string& key, const Schema& schema,
                                  const SortedRows& rows, const ParquetOptions& options) {
  if (options.row_group_rows <= 0) return InvalidArgument("row groups need at least one row");
  if (rows.rows() == 0) return InvalidArgument("a data file without rows");
  ARC_ASSIGN_OR_RETURN(const auto choices, Choose(schema, rows, options));
  ARC_ASSIGN_OR_RETURN(const auto stream, DataFileStream::Create(store, key, schema, choices, options));
  std::span<const RowRange> left = rows.ranges();
  uint32_t skip = 0;
  for (int64_t from = 0; from < rows.rows(); from += options.row_group_rows) {
    const auto group = TakeRows(std::min(options.row_group_rows, rows.rows() - from), &left, &skip);
    ARC_RETURN_IF_ERROR(stream->WriteGroup(rows.batches(), group));
  }
  return stream->Finish();
}

}  // namespace arc
