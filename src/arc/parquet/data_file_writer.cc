#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>

#include "arc/base/check.h"
#include "arc/parquet/arrow_error.h"
#include "arc/parquet/column_bounds.h"
#include "arc/parquet/data_file.h"
#include "arc/parquet/dictionary_choice.h"
#include "arc/parquet/tag_codes.h"
#include "arc/parquet/unsigned_decimal.h"

namespace arc {
namespace {

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

std::shared_ptr<arrow::Schema> FileSchema(const Schema& schema) {
  arrow::FieldVector fields;
  fields.reserve(schema.columns.size());
  for (const auto& column : schema.columns) {
    auto type = column.type == ColumnType::kUInt64 ? UnsignedDecimalType() : BatchArrowType(column.type, column.role);
    auto metadata = arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(column.field_id)});
    fields.push_back(arrow::field(column.name, std::move(type), column.role != ColumnRole::kTime, std::move(metadata)));
  }
  return arrow::schema(std::move(fields));
}

// One column of the file, whole: the arrays of all batches, tags over one dictionary.
struct FileColumn {
  explicit FileColumn(ColumnType type) : bounds(type) {}
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  ColumnBounds bounds;
  bool is_tag = false;
  bool measured = false;  // `bounds` is complete before the column is written
  std::shared_ptr<arrow::ArrayData> dictionary;
};

Result<std::shared_ptr<parquet::WriterProperties>> PropertiesFor(const Schema& schema,
                                                                 const std::vector<FileColumn>& columns,
                                                                 const ParquetOptions& options) {
  ARC_ASSIGN_OR_RETURN(const auto compression, CompressionOf(options.compression));
  parquet::WriterProperties::Builder builder;
  builder.version(parquet::ParquetVersion::PARQUET_2_6)
      ->data_page_version(parquet::ParquetDataPageVersion::V1)
      ->max_row_group_length(options.row_group_rows)
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
        if (columns[i].bounds.nans() > 0) builder.disable_statistics(name);
        break;
      case ColumnType::kBool: break;
      case ColumnType::kInt64:
        if (DictionaryPays(columns[i].arrays)) break;
        builder.disable_dictionary(name)->encoding(name, parquet::Encoding::DELTA_BINARY_PACKED);
        break;
      case ColumnType::kUInt64:
      case ColumnType::kString:
        if (!columns[i].is_tag && !DictionaryPays(columns[i].arrays)) builder.disable_dictionary(name);
        break;
    }
    if (columns[i].is_tag && !options.tag_statistics) builder.disable_statistics(name);
  }
  return builder.build();
}

class DataFileWriter {
 public:
  DataFileWriter(const Schema& schema, const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches)
      : schema_(schema) {
    for (const auto& batch : batches) {
      if (batch->num_rows() == 0) continue;
      batches_.push_back(batch.get());
      rows_ += batch->num_rows();
    }
  }

  int64_t rows() const { return rows_; }
  const std::vector<FileColumn>& columns() const { return columns_; }

  Status Prepare() {
    for (const auto* batch : batches_) {
      if (batch->num_columns() != static_cast<int>(schema_.columns.size())) return Misfit("the number of columns");
    }
    columns_.reserve(schema_.columns.size());
    for (size_t i = 0; i < schema_.columns.size(); ++i) {
      const Column& column = schema_.columns[i];
      const auto type = BatchArrowType(column.type, column.role);
      FileColumn& to = columns_.emplace_back(column.type);
      to.is_tag = type->id() == arrow::Type::DICTIONARY;
      for (const auto* batch : batches_) {
        to.arrays.push_back(batch->column(static_cast<int>(i)));
        if (!to.arrays.back()->type()->Equals(*type)) return Misfit("the type of column " + column.name);
      }
      if (to.is_tag) ARC_RETURN_IF_ERROR(PrepareTag(&to));
      if (column.type == ColumnType::kDouble) MeasureAll(&to);
      if (column.role == ColumnRole::kTime) ARC_RETURN_IF_ERROR(CheckTime(to));
    }
    return {};
  }

  arrow::Status Write(std::shared_ptr<arrow::io::OutputStream> stream,
                      std::shared_ptr<parquet::WriterProperties> properties, int64_t row_group_rows) {
    // One thread: several flushes run at a time, each on its own.
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder().set_use_threads(false)->build();
    ARROW_ASSIGN_OR_RAISE(auto writer,
                          parquet::arrow::FileWriter::Open(*FileSchema(schema_), arrow::default_memory_pool(),
                                                           std::move(stream), std::move(properties), arrow_properties));
    for (int64_t from = 0; from < rows_; from += row_group_rows) {
      ARROW_RETURN_NOT_OK(writer->NewRowGroup());
      for (auto& column : columns_) {
        ARROW_RETURN_NOT_OK(WriteColumn(&column, from, std::min(row_group_rows, rows_ - from), writer.get()));
      }
    }
    ARROW_RETURN_NOT_OK(writer->Close());
    metadata_ = writer->metadata();
    return arrow::Status::OK();
  }

  void Describe(WrittenFile* file) const {
    file->rows = rows_;
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

  static Status PrepareTag(FileColumn* column) {
    ARC_ASSIGN_OR_RETURN(CommonTags tags, UnifyTags(column->arrays));
    column->arrays = std::move(tags.arrays);
    const arrow::StringArray values(tags.dictionary);
    for (size_t code = 0; code < tags.used.size(); ++code) {
      if (tags.used[code]) column->bounds.AddUsedValue(values.GetView(static_cast<int64_t>(code)));
    }
    // Bounds point into the dictionary, which must outlive them even if no array holds it.
    column->dictionary = std::move(tags.dictionary);
    return {};
  }

  // Ahead of writing: whether there is a NaN decides how the column is written.
  static void MeasureAll(FileColumn* column) {
    for (const auto& array : column->arrays) column->bounds.Add(*array);
    column->measured = true;
  }

  static Status CheckTime(const FileColumn& column) {
    for (const auto& array : column.arrays) {
      if (array->null_count() > 0) return Misfit("a time");
    }
    return {};
  }

  // Measured right before it is encoded, while it is in the cache.
  arrow::Status WriteColumn(FileColumn* column, int64_t from, int64_t rows, parquet::arrow::FileWriter* writer) {
    arrow::ArrayVector slices;
    int64_t start = 0;
    for (const auto& array : column->arrays) {
      const int64_t end = start + array->length();
      const int64_t first = std::max(from, start);
      const int64_t last = std::min(from + rows, end);
      if (first < last) {
        auto slice = first == start && last == end ? array : array->Slice(first - start, last - first);
        if (column->is_tag) {
          column->bounds.AddCounts(slice->length(), slice->null_count());
        } else if (!column->measured) {
          column->bounds.Add(*slice);
        }
        if (slice->type_id() == arrow::Type::UINT64) {
          ARROW_ASSIGN_OR_RAISE(slice, ToUnsignedDecimal(*slice));
        }
        slices.push_back(std::move(slice));
      }
      start = end;
    }
    return writer->WriteColumnChunk(std::make_shared<arrow::ChunkedArray>(std::move(slices)));
  }

  const Schema& schema_;
  std::vector<const arrow::RecordBatch*> batches_;
  int64_t rows_ = 0;
  std::vector<FileColumn> columns_;
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
                                  const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                                  const ParquetOptions& options) {
  if (options.row_group_rows <= 0) return InvalidArgument("row groups need at least one row");
  ARC_CHECK(!schema.columns.empty() && schema.columns[0].role == ColumnRole::kTime);
  DataFileWriter writer(schema, batches);
  if (writer.rows() == 0) return InvalidArgument("a data file without rows");
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
