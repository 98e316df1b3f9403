#include "arc/wal/group_decoder.h"

#include <arrow/buffer.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "arc/io/crc32c.h"
#include "arc/wal/arrow_door.h"

namespace arc {
namespace {

using Messages = std::span<const GroupView::Message>;

bool IsEndMarker(std::span<const uint8_t> bytes) {
  return bytes.size() >= sizeof(kEndMarker) && std::memcmp(bytes.data(), kEndMarker, sizeof(kEndMarker)) == 0;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> CopyBuffer(std::span<const uint8_t> bytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(static_cast<int64_t>(bytes.size())));
  if (!bytes.empty()) std::memcpy(buffer->mutable_data(), bytes.data(), bytes.size());
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

// Hands one stream's messages to Arrow, each in memory of its own, so that a batch kept for long pins nothing else.
class CopyingMessageReader : public arrow::ipc::MessageReader {
 public:
  CopyingMessageReader(std::span<const uint8_t> bytes, Messages messages) : bytes_(bytes), messages_(messages) {}

  arrow::Result<std::unique_ptr<arrow::ipc::Message>> ReadNextMessage() override {
    if (next_ == messages_.size()) return nullptr;
    const auto& message = messages_[next_++];
    const auto head = bytes_.subspan(message.start, static_cast<size_t>(message.frame.head_bytes));
    ARROW_ASSIGN_OR_RAISE(auto metadata, CopyBuffer(head.subspan(8)));
    ARROW_ASSIGN_OR_RAISE(auto body, CopyBuffer(bytes_.subspan(message.start + head.size(),
                                                               static_cast<size_t>(message.frame.body_bytes))));
    return arrow::ipc::Message::Open(std::move(metadata), std::move(body));
  }

 private:
  std::span<const uint8_t> bytes_;
  Messages messages_;
  size_t next_ = 0;
};

// The messages of each stream: from one schema to before the next.
std::vector<Messages> SplitStreams(const GroupView& group) {
  std::vector<Messages> streams;
  const Messages all(group.messages);
  for (size_t i = 0; i < all.size();) {
    size_t end = i + 1;
    while (end < all.size() && all[end].frame.type != FrameType::kSchema) ++end;
    streams.push_back(all.subspan(i, end - i));
    i = end;
  }
  return streams;
}

LogRecord::Kind RecordKind(StreamKind kind) {
  switch (kind) {
    case StreamKind::kDropTable: return LogRecord::Kind::kDropTable;
    case StreamKind::kCreateDatabase: return LogRecord::Kind::kCreateDatabase;
    default: return LogRecord::Kind::kRows;
  }
}

struct OpenStream {
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader;
  StreamMeaning meaning;
};

Result<OpenStream> Open(const GroupView& group, Messages messages) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  auto reader =
      arrow::ipc::RecordBatchStreamReader::Open(std::make_unique<CopyingMessageReader>(group.bytes, messages), options);
  if (!reader.ok()) return ArrowCorruption(reader.status());
  OpenStream stream{*std::move(reader), {}};
  ARC_ASSIGN_OR_RETURN(stream.meaning, ReadStreamSchema(*stream.reader->schema()));
  return stream;
}

// Calls take(Lsn, batch) for each batch of the stream; frames give the LSNs.
template <typename Take>
Status ForEachBatch(OpenStream& stream, Messages messages, const Take& take) {
  for (const auto& message : messages) {
    if (message.frame.type != FrameType::kBatch) continue;
    std::shared_ptr<arrow::RecordBatch> batch;
    auto status = stream.reader->ReadNext(&batch);
    // Fully: offsets, dictionary codes and run ends are used unchecked from here on.
    if (status.ok() && batch != nullptr) status = batch->ValidateFull();
    if (!status.ok()) return ArrowCorruption(status);
    if (batch == nullptr) return Corruption("a logged stream ends early");
    ARC_RETURN_IF_ERROR(take(message.frame.first, *batch));
  }
  return {};
}

}  // namespace

std::optional<GroupView> CheckGroup(std::span<const uint8_t> bytes, int64_t offset) {
  GroupView group;
  group.offset = offset;
  group.bytes = bytes;
  bool in_stream = false;
  size_t at = 0;
  while (at < bytes.size()) {
    const auto rest = bytes.subspan(at);
    if (in_stream && IsEndMarker(rest)) {
      in_stream = false;
      at += sizeof(kEndMarker);
      continue;
    }
    const auto head_bytes = FramedHeadBytes(rest);
    if (!head_bytes || *head_bytes > static_cast<int64_t>(rest.size())) return std::nullopt;
    const auto head = rest.first(static_cast<size_t>(*head_bytes));
    const auto frame = ParseFrame(head);
    if (!frame || frame->body_bytes > static_cast<int64_t>(rest.size() - head.size())) return std::nullopt;
    const auto body = rest.subspan(head.size(), static_cast<size_t>(frame->body_bytes));
    if (group.messages.empty()) {
      group.first = frame->group_first;
      group.durable = frame->durable;
      group.epoch = frame->epoch;
    }
    const bool is_schema = frame->type == FrameType::kSchema;
    if (is_schema == in_stream || Crc32c(body) != frame->body_crc || frame->at != offset + static_cast<int64_t>(at) ||
        frame->group_offset != offset || frame->group_bytes != static_cast<int64_t>(bytes.size()) ||
        frame->group_first != group.first || frame->durable != group.durable || frame->epoch != group.epoch ||
        frame->first < group.first || frame->last < frame->first) {
      return std::nullopt;
    }
    in_stream = true;
    group.last = std::max(group.last, frame->last);
    group.messages.push_back({at, *frame});
    at += static_cast<size_t>(frame->bytes());
  }
  if (in_stream || group.messages.empty()) return std::nullopt;
  return group;
}

Status DecodeGroup(const GroupView& group, const Uuid& lineage, Lsn after,
                   const std::function<Status(Lsn, LogRecord&&)>& take) {
  std::vector<std::pair<Lsn, LogRecord>> records;
  for (const auto messages : SplitStreams(group)) {
    if (messages.front().frame.last <= after) continue;
    ARC_ASSIGN_OR_RETURN(auto stream, Open(group, messages));
    if (stream.meaning.lineage != lineage) {
      return Corruption("a logged group is of the lineage " + stream.meaning.lineage.ToString() + ", not of " +
                        lineage.ToString());
    }
    ARC_RETURN_IF_ERROR(ForEachBatch(stream, messages, [&](Lsn lsn, const arrow::RecordBatch& rows) -> Status {
      if (lsn <= after) return {};
      LogRecord record{RecordKind(stream.meaning.kind), stream.meaning.table, {}};
      if (stream.meaning.kind == StreamKind::kRows) {
        ARC_ASSIGN_OR_RETURN(record.batch, BatchFromStream(stream.meaning, rows));
      }
      records.emplace_back(lsn, std::move(record));
      return {};
    }));
  }
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 1; i < records.size(); ++i) {
    if (records[i].first == records[i - 1].first) {
      return Corruption("LSN " + std::to_string(records[i].first.value) + " stands twice in one group");
    }
  }
  for (auto& [lsn, record] : records) ARC_RETURN_IF_ERROR(take(lsn, std::move(record)));
  return {};
}

Result<std::vector<StreamSummary>> SummarizeGroup(const GroupView& group) {
  std::vector<StreamSummary> summaries;
  for (const auto messages : SplitStreams(group)) {
    ARC_ASSIGN_OR_RETURN(auto stream, Open(group, messages));
    StreamSummary summary;
    summary.first = messages.front().frame.first;
    summary.last = messages.front().frame.last;
    ARC_RETURN_IF_ERROR(ForEachBatch(stream, messages, [&](Lsn, const arrow::RecordBatch& rows) -> Status {
      ++summary.records;
      summary.rows += static_cast<uint64_t>(rows.num_rows());
      return {};
    }));
    summary.meaning = std::move(stream.meaning);
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

}  // namespace arc
