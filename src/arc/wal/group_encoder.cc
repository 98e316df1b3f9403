#include "arc/wal/group_encoder.h"

#include <arrow/array.h>
#include <arrow/array/array_run_end.h>
#include <arrow/buffer.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <string>
#include <utility>

#include "arc/io/crc32c.h"
#include "arc/wal/arrow_door.h"
#include "arc/wal/stream_schema.h"

namespace arc {

// A schema with its message as Arrow made it: the same for every group until the table's columns change.
struct StreamShape {
  StreamMeaning meaning;
  std::shared_ptr<arrow::Schema> schema;
  arrow::ipc::IpcPayload payload;
};

struct GroupEncoder::Stream {
  std::shared_ptr<const StreamShape> shape;
  std::vector<size_t> records;  // places in the group, rising
};

namespace {

constexpr size_t kMaxShapes = 16'384;
constexpr size_t kKeptBufferBytes = 32 << 20;

const arrow::ipc::IpcWriteOptions& WriteOptions() {
  static const auto kOptions = [] {
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.use_threads = false;
    return options;
  }();
  return kOptions;
}

StreamKind KindOf(const LogRecord& record) {
  switch (record.kind) {
    case LogRecord::Kind::kRows: return StreamKind::kRows;
    case LogRecord::Kind::kDropTable: return StreamKind::kDropTable;
    case LogRecord::Kind::kCreateDatabase: return StreamKind::kCreateDatabase;
  }
  return StreamKind::kRows;
}

bool SameShape(const StreamShape& shape, const LogRecord& record) {
  const auto& columns = record.batch.columns;
  if (shape.meaning.columns.size() != columns.size()) return false;
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& known = shape.meaning.columns[i];
    if (known.type != columns[i].type || known.role != columns[i].role || known.name != columns[i].name) return false;
  }
  return shape.meaning.table.name == record.table.name && shape.meaning.table.database == record.table.database;
}

// Later steps trust lengths and types; a batch that breaks its promise must not reach the disk.
Status CheckBatch(const StreamShape& shape, const Batch& batch) {
  if (batch.rows < 1 || batch.rows > INT32_MAX) return Internal("a batch to be logged has no rows or too many");
  for (size_t i = 0; i < batch.columns.size(); ++i) {
    const auto& values = *batch.columns[i].values;
    const auto& type = shape.schema->field(kChangeColumns + static_cast<int>(i))->type();
    if (values.length() != batch.rows || (values.type() != type && !values.type()->Equals(*type))) {
      return Internal("column '" + batch.columns[i].name + "' of a batch to be logged is " + values.type()->ToString() +
                      " with " + std::to_string(values.length()) + " values instead of " + type->ToString() + " with " +
                      std::to_string(batch.rows));
    }
  }
  return {};
}

// An array of one value (or none), without a builder's allocations.
template <typename ArrayType, typename T>
std::shared_ptr<arrow::Array> OneValue(const std::shared_ptr<arrow::DataType>& type, T value, bool present) {
  auto buffer = arrow::Buffer::FromString(std::string(reinterpret_cast<const char*>(&value), sizeof(T)));
  return std::make_shared<ArrayType>(type, present ? 1 : 0, std::move(buffer), nullptr, 0);
}

std::shared_ptr<arrow::Array> InsertName(bool present) {
  static const auto make = [](bool one) {
    const int32_t ends[] = {0, 6};
    return std::make_shared<arrow::StringArray>(
        one ? 1 : 0,
        arrow::Buffer::FromString(std::string(reinterpret_cast<const char*>(ends), one ? sizeof(ends) : 4)),
        arrow::Buffer::FromString(one ? "INSERT" : ""), nullptr, 0);
  };
  static const std::shared_ptr<arrow::Array> kOne = make(true);
  static const std::shared_ptr<arrow::Array> kNone = make(false);
  return present ? kOne : kNone;
}

// __lsn, __change_type and __timestamp, each one run over all rows.
arrow::ArrayVector ChangeColumns(const arrow::Schema& schema, Lsn lsn, int64_t wall_micros, int64_t rows) {
  const bool present = rows > 0;
  auto ends = OneValue<arrow::Int32Array>(arrow::int32(), static_cast<int32_t>(rows), present);
  const arrow::ArrayVector values = {
      OneValue<arrow::UInt64Array>(arrow::uint64(), lsn.value, present), InsertName(present),
      OneValue<arrow::TimestampArray>(BatchArrowType(ColumnType::kTimestamp, ColumnRole::kTime), wall_micros, present)};
  arrow::ArrayVector columns;
  for (int i = 0; i < kChangeColumns; ++i) {
    columns.push_back(std::make_shared<arrow::RunEndEncodedArray>(schema.field(i)->type(), rows, ends,
                                                                  values[static_cast<size_t>(i)]));
  }
  return columns;
}

}  // namespace

GroupEncoder::GroupEncoder(const Uuid& lineage) : lineage_(lineage) {}
GroupEncoder::~GroupEncoder() = default;

Result<std::shared_ptr<const StreamShape>> GroupEncoder::ShapeOf(const LogRecord& record) {
  const bool is_rows = record.kind == LogRecord::Kind::kRows;
  if (is_rows) {
    auto known = shapes_.find(record.table.id);
    if (known != shapes_.end() && SameShape(*known->second, record)) return known->second;
  }
  auto shape = std::make_shared<StreamShape>();
  shape->meaning = {KindOf(record), record.table, lineage_, {}};
  if (is_rows) {
    for (const auto& column : record.batch.columns) {
      shape->meaning.columns.push_back({column.name, column.type, column.role});
    }
  }
  shape->schema = MakeStreamSchema(shape->meaning);
  const arrow::ipc::DictionaryFieldMapper mapper(*shape->schema);
  ARC_RETURN_IF_ERROR(FromArrow(arrow::ipc::GetSchemaPayload(*shape->schema, WriteOptions(), mapper, &shape->payload)));
  if (is_rows) {
    if (shapes_.size() >= kMaxShapes) shapes_.clear();
    shapes_[record.table.id] = shape;
  }
  return std::shared_ptr<const StreamShape>(std::move(shape));
}

Status GroupEncoder::PlanStreams(std::span<const LogRecord* const> records) {
  streams_.clear();
  stream_of_table_.clear();
  for (size_t i = 0; i < records.size(); ++i) {
    const LogRecord& record = *records[i];
    ARC_ASSIGN_OR_RETURN(auto shape, ShapeOf(record));
    if (record.kind == LogRecord::Kind::kRows) {
      ARC_RETURN_IF_ERROR(CheckBatch(*shape, record.batch));
      auto known = stream_of_table_.find(record.table.id);
      if (known != stream_of_table_.end() && streams_[known->second].shape == shape) {
        streams_[known->second].records.push_back(i);
        continue;
      }
      stream_of_table_[record.table.id] = streams_.size();
    }
    streams_.push_back({std::move(shape), {i}});
  }
  return {};
}

Status GroupEncoder::Encode(std::span<const LogRecord* const> records, Lsn first, int64_t wall_micros) {
  DropLargeBuffer();
  bytes_.clear();
  messages_.clear();
  first_ = first;
  ARC_RETURN_IF_ERROR(PlanStreams(records));
  for (const auto& stream : streams_) {
    MessageFrame frame;
    frame.table = stream.shape->meaning.table.id;
    frame.first = Lsn{first.value + stream.records.front()};
    frame.last = Lsn{first.value + stream.records.back()};
    ARC_RETURN_IF_ERROR(AppendMessage(stream.shape->payload, frame));
    for (size_t i : stream.records) {
      frame.first = frame.last = Lsn{first.value + i};
      ARC_RETURN_IF_ERROR(EncodeRecord(*stream.shape, *records[i], frame, wall_micros));
    }
    bytes_.insert(bytes_.end(), std::begin(kEndMarker), std::end(kEndMarker));
  }
  bytes_.insert(bytes_.end(), std::begin(kEndMarker), std::end(kEndMarker));
  return {};
}

Status GroupEncoder::EncodeRecord(const StreamShape& shape, const LogRecord& record, MessageFrame frame,
                                  int64_t wall_micros) {
  const bool is_rows = record.kind == LogRecord::Kind::kRows;
  const int64_t rows = is_rows ? record.batch.rows : 0;
  auto columns = ChangeColumns(*shape.schema, frame.first, wall_micros, rows);
  int64_t dictionary = 0;
  if (is_rows) {
    for (const auto& column : record.batch.columns) {
      columns.push_back(column.values);
      if (column.values->type_id() != arrow::Type::DICTIONARY) continue;
      arrow::ipc::IpcPayload payload;
      const auto& values = static_cast<const arrow::DictionaryArray&>(*column.values).dictionary();
      // Arrow numbers a schema's dictionaries in the order of its fields.
      ARC_RETURN_IF_ERROR(FromArrow(arrow::ipc::GetDictionaryPayload(dictionary++, values, WriteOptions(), &payload)));
      ARC_RETURN_IF_ERROR(AppendMessage(payload, frame));
    }
  }
  arrow::ipc::IpcPayload payload;
  const auto batch = arrow::RecordBatch::Make(shape.schema, rows, std::move(columns));
  ARC_RETURN_IF_ERROR(FromArrow(arrow::ipc::GetRecordBatchPayload(*batch, WriteOptions(), &payload)));
  return AppendMessage(payload, frame);
}

Status GroupEncoder::AppendMessage(const arrow::ipc::IpcPayload& payload, MessageFrame frame) {
  const size_t start = bytes_.size();
  ARC_RETURN_IF_ERROR(AppendFramedHead({payload.metadata->data(), static_cast<size_t>(payload.metadata->size())},
                                       payload.body_length, &frame, &bytes_));
  const size_t body = bytes_.size();
  for (const auto& buffer : payload.body_buffers) {
    if (buffer == nullptr || buffer->size() == 0) continue;
    bytes_.insert(bytes_.end(), buffer->data(), buffer->data() + buffer->size());
    bytes_.insert(bytes_.end(), static_cast<size_t>(-buffer->size() & 7), 0);
  }
  ARC_CHECK(static_cast<int64_t>(bytes_.size() - body) == payload.body_length);
  frame.body_crc = Crc32c(std::span<const uint8_t>(bytes_).subspan(body));
  messages_.push_back({start, frame});
  return {};
}

std::span<const uint8_t> GroupEncoder::Seal(const GroupPlace& place) {
  for (auto& message : messages_) {
    auto& frame = message.frame;
    frame.group_first = first_;
    frame.group_offset = place.offset;
    frame.group_bytes = bytes();
    frame.at = place.offset + static_cast<int64_t>(message.start);
    frame.durable = place.durable;
    frame.epoch = place.epoch;
    SealFrame(frame, std::span(bytes_).subspan(message.start, static_cast<size_t>(frame.head_bytes)));
  }
  return bytes_;
}

// One giant group must not pin its memory for ever.
void GroupEncoder::DropLargeBuffer() {
  if (bytes_.capacity() > kKeptBufferBytes && bytes_.size() < kKeptBufferBytes / 2) std::vector<uint8_t>().swap(bytes_);
}

}  // namespace arc
