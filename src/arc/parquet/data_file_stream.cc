#include "arc/parquet/data_file_stream.h"

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

#include <deque>
#include <utility>

#include "arc/base/check.h"
#include "arc/parquet/arrow_error.h"
#include "arc/parquet/column_bounds.h"
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

bool IsTag(const Column& column) { return BatchArrowType(column.type, column.role)->id() == arrow::Type::DICTIONARY; }

std::shared_ptr<arrow::Schema> FileSchema(const Schema& schema, const std::vector<ColumnChoice>& choices) {
  arrow::FieldVector fields;
  fields.reserve(schema.columns.size());
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    auto type = column.type == ColumnType::kUInt64 ? UnsignedDecimalType() : BatchArrowType(column.type, column.role);
    auto metadata = arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(column.field_id)});
    fields.push_back(arrow::field(column.name, std::move(type), choices[i].nullable, std::move(metadata)));
  }
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<parquet::WriterProperties>> PropertiesFor(const Schema& schema,
                                                                 const std::vector<ColumnChoice>& columns,
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
        if (!columns[i].dictionary) builder.disable_dictionary(name);
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
        if (!IsTag(schema.columns[i]) && !columns[i].dictionary) builder.disable_dictionary(name);
        break;
    }
    if (IsTag(schema.columns[i]) && !options.tag_statistics) builder.disable_statistics(name);
  }
  return builder.build();
}

// What is measured of a column while it is written.
struct FileColumn {
  explicit FileColumn(ColumnType type) : bounds(type) {}
  bool is_tag = false;
  ColumnBounds bounds;
  std::shared_ptr<arrow::ArrayData> dictionary;  // that the codes of used_tags are of
  std::vector<uint8_t> used_tags;                // of each code: 1 if a row has it
};

class DataFileStreamImpl : public DataFileStream {
 public:
  DataFileStreamImpl(const Schema& schema, std::string key, std::unique_ptr<ObjectWriter> object)
      : schema_(schema),
        key_(std::move(key)),
        object_(std::move(object)),
        stream_(std::make_shared<ObjectStream>(object_->stream())) {
    for (const auto& column : schema_.columns) columns_.emplace_back(column.type).is_tag = IsTag(column);
  }

  Status Open(const std::vector<ColumnChoice>& choices, std::shared_ptr<parquet::WriterProperties> properties) {
    return Guarded([&]() -> arrow::Status {
      // One thread: several files are written at a time, each on its own.
      const auto arrow_properties = parquet::ArrowWriterProperties::Builder().set_use_threads(false)->build();
      ARROW_ASSIGN_OR_RAISE(
          writer_, parquet::arrow::FileWriter::Open(*FileSchema(schema_, choices), arrow::default_memory_pool(),
                                                    stream_, std::move(properties), arrow_properties));
      return arrow::Status::OK();
    });
  }

  Status WriteGroup(const Gatherer& batches, std::span<const RowRange> ranges) override {
    ARC_CHECK(batches.columns() == columns_.size());
    return Guarded([&]() -> arrow::Status {
      ARROW_RETURN_NOT_OK(writer_->NewRowGroup());
      for (size_t i = 0; i < columns_.size(); ++i) ARROW_RETURN_NOT_OK(WriteColumn(i, batches, ranges));
      for (const RowRange& range : ranges) rows_ += range.rows;
      return arrow::Status::OK();
    });
  }

  int64_t rows() const override { return rows_; }
  int64_t bytes() const override { return stream_->Tell().ValueOr(0); }

  Result<WrittenFile> Finish() override {
    ARC_CHECK(rows_ > 0);
    ARC_RETURN_IF_ERROR(Guarded([&] { return writer_->Close(); }));
    WrittenFile file;
    file.key = key_;
    const arrow::Result<int64_t> bytes = stream_->Tell();
    if (!bytes.ok()) return FromArrowStatus(bytes.status());
    file.bytes = *bytes;
    Describe(&file);
    ARC_RETURN_IF_ERROR(object_->Commit());
    return file;
  }

 private:
  // Exceptions of the Parquet library end here.
  template <typename Step>
  Status Guarded(Step&& step) {
    arrow::Status status;
    try {
      status = step();
    } catch (const std::bad_alloc&) {
      status = arrow::Status::OutOfMemory("no memory to write a Parquet file");
    } catch (const std::exception& exception) {
      status = arrow::Status::UnknownError(exception.what());
    }
    if (status.ok()) return {};
    if (!stream_->failed()) return WithContext(FromArrowStatus(status), "writing " + key_);
    // Commit refuses after a failed write and says why in our own terms.
    const Status refused = object_->Commit();
    return WithContext(refused.ok() ? FromArrowStatus(status) : refused.error(), "writing " + key_);
  }

  // Measured right before it is encoded, while it is in the cache.
  arrow::Status WriteColumn(size_t index, const Gatherer& batches, std::span<const RowRange> group) {
    FileColumn& column = columns_[index];
    ARROW_ASSIGN_OR_RAISE(auto arrays, batches.Column(index, group));
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
    return writer_->WriteColumnChunk(std::make_shared<arrow::ChunkedArray>(std::move(arrays)));
  }

  // All arrays of a tag within one Gatherer share a dictionary: a value is measured when it is first seen in it.
  static arrow::Result<std::shared_ptr<arrow::Array>> NoteTags(const std::shared_ptr<arrow::Array>& tags,
                                                               FileColumn* column) {
    column->bounds.AddCounts(tags->length(), tags->null_count());
    ARROW_ASSIGN_OR_RAISE(auto group, DropUnusedTags(tags));
    const auto& dictionary = tags->data()->dictionary;
    if (column->dictionary != dictionary) column->used_tags.clear();
    column->dictionary = dictionary;
    const arrow::StringArray values(dictionary);
    column->used_tags.resize(group.used.size(), 0);
    for (size_t code = 0; code < group.used.size(); ++code) {
      if (group.used[code] <= column->used_tags[code]) continue;
      column->used_tags[code] = 1;
      column->bounds.AddUsedValue(values.GetView(static_cast<int64_t>(code)));
    }
    return group.array;
  }

  void Describe(WrittenFile* file) const {
    file->rows = rows_;
    file->min_time = columns_[0].bounds.min_integer();
    file->max_time = columns_[0].bounds.max_integer();
    std::vector<ColumnMetrics> metrics;
    for (const auto& column : columns_) metrics.push_back(column.bounds.Finish());
    const auto metadata = writer_->metadata();
    for (int group = 0; group < metadata->num_row_groups(); ++group) {
      const auto row_group = metadata->RowGroup(group);
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

  const Schema& schema_;
  const std::string key_;
  const std::unique_ptr<ObjectWriter> object_;
  const std::shared_ptr<ObjectStream> stream_;
  std::deque<FileColumn> columns_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t rows_ = 0;
};

}  // namespace

bool HasDictionaryChoice(const Column& column, const ParquetOptions& options) {
  if (column.type == ColumnType::kDouble) return options.double_dictionaries;
  return column.type == ColumnType::kInt64 || column.type == ColumnType::kUInt64 ||
         (column.type == ColumnType::kString && !IsTag(column));
}

Result<std::unique_ptr<DataFileStream>> DataFileStream::Create(ObjectStore& store, const std::string& key,
                                                               const Schema& schema,
                                                               const std::vector<ColumnChoice>& choices,
                                                               const ParquetOptions& options) {
  ARC_CHECK(!schema.columns.empty() && schema.columns[0].role == ColumnRole::kTime);
  ARC_CHECK(choices.size() == schema.columns.size());
  ARC_ASSIGN_OR_RETURN(auto properties, PropertiesFor(schema, choices, options));
  ARC_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> object, store.Create(key));
  auto stream = std::make_unique<DataFileStreamImpl>(schema, key, std::move(object));
  ARC_RETURN_IF_ERROR(stream->Open(choices, std::move(properties)));
  return std::unique_ptr<DataFileStream>(std::move(stream));
}

}  // namespace arc
