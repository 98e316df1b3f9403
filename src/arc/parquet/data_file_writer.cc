#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/io/interfaces.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <deque>

#include "arc/base/check.h"
#include "arc/parquet/arrow_error.h"
#include "arc/parquet/column_bounds.h"
#include "arc/parquet/data_file.h"
#include "arc/parquet/dictionary_choice.h"
#include "arc/parquet/gather.h"
#include "arc/parquet/tag_codes.h"
#include "arc/parquet/unsigned_decimal.h"

namespace arc {
namespace {

// Ten of DuckDB's vectors, and a sixth of a row group: a vector made of two pages loses its dictionary, and grouping by
// it hashes every string.
constexpr int64_t kPageRows = 10 * 2048;

// Passes everything on and remembers whether the object's stream refused: then the object knows the precise error.
class ObjectStream : public arrow::io::OutputStream {
 public:
  explicit ObjectStream(arrow::io::OutputStream& to) : to_(to) {}
  arrow::Status Write(const void* data, int64_t bytes) override { return Note(to_.Write(data, bytes)); }
  arrow::Status Write(const std::shared_ptr<arrow::Buffer>& data) override { return Note(to_.Write(data)); }
  arrow::Status Flush() override { return Note(to_.Flush()); }
  // Commit closes the object's stream.
  arrow::Status Close() override { return arrow::Status::OK(); }
  arrow::Result<int64_t> Tell() const override { return to_.Tell(); }
  bool closed() const override { return to_.closed(); }
  bool failed() const { return failed_; }

 private:
  arrow::Status Note(arrow::Status status) {
    failed_ |= !status.ok();
    return status;
  }

  arrow::io::OutputStream& to_;
  bool failed_ = false;
};

Result<parquet::Compression::type> CompressionOf(const std::string& name) {
  if (name == "lz4_raw") return parquet::Compression::LZ4;  // written as LZ4_RAW since Arrow 5
  if (name == "snappy") return parquet::Compression::SNAPPY;
  if (name == "zstd") return parquet::Compression::ZSTD;
  if (name == "none") return parquet::Compression::UNCOMPRESSED;
  return InvalidArgument("unknown Parquet compression \"" + name + "\": lz4_raw, snappy, zstd or none");
}

// A column without NULLs is `required` in the file, whatever it is in the table: no definition levels to write and
// read. Iceberg readers take it, as a table's column may have become optional after a file was written.
std::shared_ptr<arrow::Schema> FileSchema(const Schema& schema, const Gatherer& batches) {
  arrow::FieldVector fields;
  fields.reserve(schema.columns.size());
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    auto type = column.type == ColumnType::kUInt64 ? UnsignedDecimalType() : BatchArrowType(column.type, column.role);
    auto metadata = arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(column.field_id)});
    fields.push_back(arrow::field(column.name, std::move(type), batches.nullable(i), std::move(metadata)));
  }
  return arrow::schema(std::move(fields));
}

// What is known of a column ahead of writing, and measured meanwhile.
struct FileColumn {
  explicit FileColumn(ColumnType type) : bounds(type) {}
  bool is_tag = false;
  bool has_nan = false;
  bool dictionary = false;  // of integers and strings: worth a dictionary
  ColumnBounds bounds;
  std::vector<uint8_t> used_tags;  // of each code: 1 if a row has it
};

Result<std::shared_ptr<parquet::WriterProperties>> PropertiesFor(const Schema& schema,
                                                                 const std::deque<FileColumn>& columns,
                                                                 const ParquetOptions& options) {
  ARC_ASSIGN_OR_RETURN(const auto compression, CompressionOf(options.compression));
  parquet::WriterProperties::Builder builder;
  builder.version(parquet::ParquetVersion::PARQUET_2_6)
      ->data_page_version(parquet::ParquetDataPageVersion::V1)
      ->max_row_group_length(options.row_group_rows)
      ->max_rows_per_page(kPageRows)
      ->compression(compression)
      ->enable_write_page_index()
      ->enable_page_checksum();
  if (options.compression == "zstd") builder.compression_level(options.compression_level);
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = schema.columns[i].name;
    switch (schema.columns[i].type) {
      case ColumnType::kTimestamp:
        builder.disable_dictionary(name)->encoding(name, parquet::Encoding::DELTA_BINARY_PACKED);
        break;
      case ColumnType::kDouble:
        builder.disable_dictionary(name);
        // Parquet leaves NaN out of its bounds, and readers that order NaN above all numbers (DuckDB) would prune it.
        if (columns[i].has_nan) builder.disable_statistics(name);
        break;
      case ColumnType::kBool: break;
      case ColumnType::kInt64:
        if (columns[i].dictionary) break;
        builder.disable_dictionary(name)->encoding(name, parquet::Encoding::DELTA_BINARY_PACKED);
        break;
      case ColumnType::kUInt64:
      case ColumnType::kString:
        if (!columns[i].is_tag && !columns[i].dictionary) builder.disable_dictionary(name);
        break;
    }
    if (columns[i].is_tag && !options.tag_statistics) builder.disable_statistics(name);
  }
  return builder.build();
}

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

class DataFileWriter {
 public:
  DataFileWriter(const Schema& schema, const SortedRows& rows) : schema_(schema), rows_(rows) {}

  const std::deque<FileColumn>& columns() const { return columns_; }

  Status Prepare() {
    const Gatherer& batches = rows_.batches();
    if (batches.columns() != schema_.columns.size()) return Misfit("the number of columns");
    const std::vector<RowRange> sample = SampleRows(rows_.ranges());
    for (size_t i = 0; i < schema_.columns.size(); ++i) {
      const Column& column = schema_.columns[i];
      const auto type = BatchArrowType(column.type, column.role);
      if (!batches.type(i).Equals(*type)) return Misfit("the type of column " + column.name);
      FileColumn& to = columns_.emplace_back(column.type);
      to.is_tag = type->id() == arrow::Type::DICTIONARY;
      to.has_nan = column.type == ColumnType::kDouble && batches.HasNan(i, rows_.ranges());
      const bool choice = column.type == ColumnType::kInt64 || column.type == ColumnType::kUInt64 ||
                          (column.type == ColumnType::kString && !to.is_tag);
      if (!choice) continue;
      ARC_ASSIGN_OR_RETURN(const auto values, FromArrow(batches.Column(i, sample)));
      to.dictionary = DictionaryPays(values);
    }
    return {};
  }

  arrow::Status Write(std::shared_ptr<arrow::io::OutputStream> stream,
                      std::shared_ptr<parquet::WriterProperties> properties, int64_t row_group_rows) {
    // One thread: several flushes run at a time, each on its own.
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder().set_use_threads(false)->build();
    ARROW_ASSIGN_OR_RAISE(auto writer, parquet::arrow::FileWriter::Open(*FileSchema(schema_, rows_.batches()),
                                                                        arrow::default_memory_pool(), std::move(stream),
                                                                        std::move(properties), arrow_properties));
    std::span<const RowRange> left = rows_.ranges();
    uint32_t skip = 0;
    for (int64_t from = 0; from < rows_.rows(); from += row_group_rows) {
      const auto group = TakeRows(std::min(row_group_rows, rows_.rows() - from), &left, &skip);
      ARROW_RETURN_NOT_OK(writer->NewRowGroup());
      for (size_t i = 0; i < columns_.size(); ++i) ARROW_RETURN_NOT_OK(WriteColumn(i, group, writer.get()));
    }
    ARROW_RETURN_NOT_OK(writer->Close());
    metadata_ = writer->metadata();
    return arrow::Status::OK();
  }

  void Describe(WrittenFile* file) const {
    file->rows = rows_.rows();
    file->min_time = columns_[0].bounds.min_integer();
    file->max_time = columns_[0].bounds.max_integer();
    std::vector<ColumnMetrics> metrics;
    for (const auto& column : columns_) metrics.push_back(column.bounds.Finish());
    for (int group = 0; group < metadata_->num_row_groups(); ++group) {
      const auto row_group = metadata_->RowGroup(group);
      for (size_t i = 0; i < metrics.size(); ++i) {
        const auto chunk = row_group->ColumnChunk(static_cast<int>(i));
        metrics[i].bytes += chunk->total_compressed_size();
        if (i > 0) continue;
        file->split_offsets.push_back(chunk->has_dictionary_page() ? chunk->dictionary_page_offset()
                                                                   : chunk->data_page_offset());
      }
    }
    for (size_t i = 0; i < metrics.size(); ++i) {
      file->metrics.emplace(schema_.columns[i].field_id, std::move(metrics[i]));
    }
  }

 private:
  static Error Misfit(const std::string& what) { return Internal(what + " of a batch is not the schema's"); }

  // Measured right before it is encoded, while it is in the cache.
  arrow::Status WriteColumn(size_t index, std::span<const RowRange> group, parquet::arrow::FileWriter* writer) {
    FileColumn& column = columns_[index];
    ARROW_ASSIGN_OR_RAISE(auto arrays, rows_.batches().Column(index, group));
    for (auto& array : arrays) {
      if (column.is_tag) {
        ARROW_ASSIGN_OR_RAISE(array, NoteTags(array, &column));
      } else {
        column.bounds.Add(*array);
      }
      if (array->type_id() == arrow::Type::UINT64) {
        ARROW_ASSIGN_OR_RAISE(array, ToUnsignedDecimal(*array));
      }
    }
    return writer->WriteColumnChunk(std::make_shared<arrow::ChunkedArray>(std::move(arrays)));
  }

  // All arrays of a tag share a dictionary: a value is measured when it is first seen.
  static arrow::Result<std::shared_ptr<arrow::Array>> NoteTags(const std::shared_ptr<arrow::Array>& tags,
                                                               FileColumn* column) {
    column->bounds.AddCounts(tags->length(), tags->null_count());
    ARROW_ASSIGN_OR_RAISE(auto group, DropUnusedTags(tags));
    const arrow::StringArray values(tags->data()->dictionary);
    column->used_tags.resize(group.used.size(), 0);
    for (size_t code = 0; code < group.used.size(); ++code) {
      if (group.used[code] <= column->used_tags[code]) continue;
      column->used_tags[code] = 1;
      column->bounds.AddUsedValue(values.GetView(static_cast<int64_t>(code)));
    }
    return group.array;
  }

  const Schema& schema_;
  const SortedRows& rows_;
  std::deque<FileColumn> columns_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
};

// Exceptions of the Parquet library end here.
arrow::Status WriteGuarded(DataFileWriter* writer, const std::shared_ptr<ObjectStream>& stream,
                           std::shared_ptr<parquet::WriterProperties> properties, int64_t row_group_rows) {
  try {
    return writer->Write(stream, std::move(properties), row_group_rows);
  } catch (const std::bad_alloc&) {
    return arrow::Status::OutOfMemory("no memory to write a Parquet file");
  } catch (const std::exception& exception) {
    return arrow::Status::UnknownError(exception.what());
  }
}

}  // namespace

Result<WrittenFile> WriteDataFile(ObjectStore& store, const std::string& key, const Schema& schema,
                                  const SortedRows& rows, const ParquetOptions& options) {
  if (options.row_group_rows <= 0) return InvalidArgument("row groups need at least one row");
  ARC_CHECK(!schema.columns.empty() && schema.columns[0].role == ColumnRole::kTime);
  if (rows.rows() == 0) return InvalidArgument("a data file without rows");
  DataFileWriter writer(schema, rows);
  ARC_RETURN_IF_ERROR(writer.Prepare());
  ARC_ASSIGN_OR_RETURN(auto properties, PropertiesFor(schema, writer.columns(), options));
  ARC_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectWriter> object, store.Create(key));
  const auto stream = std::make_shared<ObjectStream>(object->stream());
  const arrow::Status status = WriteGuarded(&writer, stream, std::move(properties), options.row_group_rows);
  if (!status.ok()) {
    if (!stream->failed()) return WithContext(FromArrowStatus(status), "writing " + key);
    // Commit refuses after a failed write and says why in our own terms.
    const Status refused = object->Commit();
    return WithContext(refused.ok() ? FromArrowStatus(status) : refused.error(), "writing " + key);
  }
  WrittenFile file;
  file.key = key;
  const arrow::Result<int64_t> bytes = stream->Tell();
  if (!bytes.ok()) return FromArrowStatus(bytes.status());
  file.bytes = *bytes;
  writer.Describe(&file);
  ARC_RETURN_IF_ERROR(object->Commit());
  return file;
}

}  // namespace arc
