#include "arc/parquet/sorted_file.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "arc/parquet/arrow_error.h"
#include "arc/parquet/object_file.h"
#include "arc/parquet/unsigned_decimal.h"

namespace arc {
namespace {

// Column chunks of row groups beyond this are read page by page.
constexpr int64_t kWholeChunksBytes = 32 << 20;

class SortedFileImpl : public SortedFile {
 public:
  SortedFileImpl(std::string key, int64_t rows, const Schema& schema)
      : key_(std::move(key)), rows_(rows), schema_(schema), leaves_(schema.columns.size(), -1) {
    arrow::FieldVector fields;
    for (const auto& column : schema.columns) {
      fields.push_back(arrow::field(column.name, BatchArrowType(column.type, column.role)));
    }
    arrow_schema_ = arrow::schema(std::move(fields));
    dictionaries_.resize(schema.columns.size());
    traits_.resize(schema.columns.size());
  }

  Status Open(ObjectStore& store, int64_t bytes) {
    ARC_ASSIGN_OR_RETURN(auto object, store.OpenKnown(key_, bytes));
    if (object->bytes() != bytes) {
      return Damaged("it has " + std::to_string(object->bytes()) + " bytes, not " + std::to_string(bytes));
    }
    object_ = std::make_shared<ObjectFile>(std::move(object));
    return Guarded([&]() -> Status {
      metadata_ = parquet::ReadMetaData(object_);
      if (metadata_->num_rows() != rows_) {
        return Damaged("it has " + std::to_string(metadata_->num_rows()) + " rows, not " + std::to_string(rows_));
      }
      return MapColumns();
    });
  }

  std::vector<FileColumnTraits> traits() const override { return traits_; }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARC_RETURN_IF_ERROR(Guarded([&]() -> Status { return ReadNext(&batch); }));
    return batch;
  }

 private:
  Error Damaged(const std::string& what) const { return Corruption("data file " + key_ + " is damaged: " + what); }
  Error Unfit(const std::string& what) const {
    return MakeError(ErrorKind::kUnsupported, "data file " + key_ + ": " + what);
  }
  Error Failed(const arrow::Status& status) const {
    if (object_->error()) return WithContext(*object_->error(), "data file " + key_);
    if (status.IsOutOfMemory()) return MakeError(ErrorKind::kOverloaded, "no memory to read " + key_);
    return Damaged(status.message());
  }
  // Exceptions of the Parquet library end here.
  template <typename Step>
  Status Guarded(Step&& step) const {
    try {
      return step();
    } catch (const std::bad_alloc&) {
      return MakeError(ErrorKind::kOverloaded, "no memory to read " + key_);
    } catch (const std::exception& exception) {
      return Failed(arrow::Status::IOError(exception.what()));
    }
  }

  Status MakeReader() {
    ARC_ASSIGN_OR_RETURN(const int64_t bytes, FromArrow(object_->GetSize()));
    std::shared_ptr<arrow::io::RandomAccessFile> file = object_;
    if (bytes <= kWholeFileBytes) {
      auto whole = object_->ReadAt(0, bytes);
      if (!whole.ok()) return Failed(whole.status());
      file = std::make_shared<arrow::io::BufferReader>(*whole);
    }
    parquet::ReaderProperties properties;
    properties.set_page_checksum_verification(true);
    for (int group = 0; group < metadata_->num_row_groups(); ++group) {
      if (metadata_->RowGroup(group)->total_compressed_size() <= kWholeChunksBytes) continue;
      properties.enable_buffered_stream();
      properties.set_buffer_size(256 << 10);
    }
    parquet::arrow::FileReaderBuilder builder;
    if (auto status = builder.Open(file, properties, metadata_); !status.ok()) return Failed(status);
    auto reader = builder.properties(arrow_properties_)->Build();
    if (!reader.ok()) return Failed(reader.status());
    reader_ = std::move(*reader);
    return {};
  }

  // Where each column of the schema is in the file.
  Status MapColumns() {
    arrow_properties_.set_batch_size(SortedFileBatchRows(schema_.columns.size()));
    arrow_properties_.set_pre_buffer(false);
    const parquet::SchemaDescriptor& columns = *metadata_->schema();
    if (columns.group_node()->field_count() != columns.num_columns()) return Unfit("it has nested columns");
    for (int leaf = 0; leaf < columns.num_columns(); ++leaf) {
      const auto& node = *columns.Column(leaf)->schema_node();
      const int at = node.field_id() > 0 ? schema_.FindById(node.field_id()) : -1;
      if (at < 0) return Unfit("the table does not know its column \"" + node.name() + "\"");
      const auto column = static_cast<size_t>(at);
      if (leaves_[column] >= 0) return Damaged("two columns of field id " + std::to_string(node.field_id()));
      leaves_[column] = leaf;
      traits_[column].nullable = !node.is_required();
      traits_[column].has_nan = schema_.columns[column].type == ColumnType::kDouble && MayHoldNan(leaf);
      wanted_.push_back(leaf);
      const bool tag = arrow_schema_->field(at)->type()->id() == arrow::Type::DICTIONARY;
      if (tag && columns.Column(leaf)->physical_type() == parquet::Type::BYTE_ARRAY) {
        arrow_properties_.set_read_dictionary(leaf, true);
      }
    }
    if (leaves_[0] < 0) return Unfit("it has no time");
    return CheckTypes();
  }

  Status CheckTypes() const {
    std::shared_ptr<arrow::Schema> file_schema;
    auto status = parquet::arrow::FromParquetSchema(metadata_->schema(), arrow_properties_,
                                                    metadata_->key_value_metadata(), &file_schema);
    if (!status.ok()) return Failed(status);
    for (size_t column = 0; column < leaves_.size(); ++column) {
      if (leaves_[column] < 0) continue;
      ARC_RETURN_IF_ERROR(CheckType(column, *file_schema->field(leaves_[column])->type()));
    }
    return {};
  }

  Status CheckType(size_t column, const arrow::DataType& type) const {
    const Column& wanted = schema_.columns[column];
    const auto expected = wanted.type == ColumnType::kUInt64 ? UnsignedDecimalType()
                                                             : arrow_schema_->field(static_cast<int>(column))->type();
    if (type.Equals(*expected)) return {};
    return Unfit("its column \"" + wanted.name + "\" is " + type.ToString() + ", not " + expected->ToString());
  }

  // Arc leaves out the statistics of a column with NaN; without them nothing is known.
  bool MayHoldNan(int leaf) const {
    for (int group = 0; group < metadata_->num_row_groups(); ++group) {
      const auto chunk = metadata_->RowGroup(group)->ColumnChunk(leaf);
      const auto statistics = chunk->is_stats_set() ? chunk->statistics() : nullptr;
      if (statistics == nullptr) return true;
      const bool all_null = statistics->HasNullCount() && statistics->null_count() == chunk->num_values();
      if (!statistics->HasMinMax() && !all_null) return true;
    }
    return false;
  }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
    *batch = nullptr;
    if (reader_ == nullptr) ARC_RETURN_IF_ERROR(MakeReader());
    std::shared_ptr<arrow::RecordBatch> read;
    while (read == nullptr || read->num_rows() == 0) {
      if (batches_ == nullptr) {
        if (group_ == metadata_->num_row_groups()) {
          if (seen_ != rows_) return Damaged("it ends after " + std::to_string(seen_) + " rows");
          return {};
        }
        // One row group at a time: dictionaries of tags are theirs.
        auto reader = reader_->GetRecordBatchReader({group_++}, wanted_);
        if (!reader.ok()) return Failed(reader.status());
        batches_ = std::move(*reader);
      }
      if (auto status = batches_->ReadNext(&read); !status.ok()) return Failed(status);
      if (read == nullptr) batches_.reset();
    }
    seen_ += read->num_rows();
    ARC_RETURN_IF_ERROR(Arrange(*read, batch));
    return CheckOrder(**batch);
  }

  Status Arrange(const arrow::RecordBatch& read, std::shared_ptr<arrow::RecordBatch>* batch) {
    arrow::ArrayVector arrays;
    for (size_t i = 0; i < leaves_.size(); ++i) {
      const auto& type = arrow_schema_->field(static_cast<int>(i))->type();
      auto array = leaves_[i] >= 0 ? arrow::Result<std::shared_ptr<arrow::Array>>(read.column(leaves_[i]))
                                   : arrow::MakeArrayOfNull(type, read.num_rows());
      if (array.ok() && (*array)->type_id() == arrow::Type::DECIMAL128) array = FromUnsignedDecimal(**array);
      if (!array.ok()) return Failed(array.status());
      if ((*array)->type_id() == arrow::Type::DICTIONARY) *array = WithKnownDictionary(i, *array);
      arrays.push_back(std::move(*array));
    }
    *batch = arrow::RecordBatch::Make(arrow_schema_, read.num_rows(), std::move(arrays));
    return {};
  }

  // The reader copies a row group's dictionary for every batch; one that stays the same need not be looked up anew.
  std::shared_ptr<arrow::Array> WithKnownDictionary(size_t column, const std::shared_ptr<arrow::Array>& tags) {
    auto& known = dictionaries_[column];
    const auto& dictionary = tags->data()->dictionary;
    if (known == nullptr || !arrow::MakeArray(known)->Equals(arrow::MakeArray(dictionary))) {
      known = dictionary;
      return tags;
    }
    auto data = tags->data()->Copy();
    data->dictionary = known;
    return arrow::MakeArray(data);
  }

  Status CheckOrder(const arrow::RecordBatch& batch) {
    if (batch.column(0)->null_count() > 0) return Unfit("it has rows without a time");
    const auto* times = batch.column(0)->data()->GetValues<int64_t>(1);
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (times[row] < last_time_) return Unfit("it is not sorted by time");
      last_time_ = times[row];
    }
    return {};
  }

  const std::string key_;
  const int64_t rows_;
  const Schema& schema_;
  std::shared_ptr<arrow::Schema> arrow_schema_;
  std::vector<int> leaves_;  // of each column of the schema: its place in the file, or -1
  std::vector<int> wanted_;  // all of the file
  parquet::ArrowReaderProperties arrow_properties_{/*use_threads=*/false};
  std::vector<FileColumnTraits> traits_;
  std::vector<std::shared_ptr<arrow::ArrayData>> dictionaries_;  // by column: the last one seen
  std::shared_ptr<ObjectFile> object_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  int group_ = 0;
  int64_t seen_ = 0;
  int64_t last_time_ = INT64_MIN;
};

}  // namespace

int64_t SortedFileBatchRows(size_t columns) {
  constexpr int64_t kBatchBytes = 16 << 20;
  return std::clamp<int64_t>(kBatchBytes / (static_cast<int64_t>(columns) * kDecodedValueBytes), 1024, 32'768);
}

Result<std::unique_ptr<SortedFile>> SortedFile::Open(ObjectStore& store, const std::string& key, int64_t bytes,
                                                     int64_t rows, const Schema& schema) {
  auto file = std::make_unique<SortedFileImpl>(key, rows, schema);
  ARC_RETURN_IF_ERROR(file->Open(store, bytes));
  return std::unique_ptr<SortedFile>(std::move(file));
}

}  // namespace arc
