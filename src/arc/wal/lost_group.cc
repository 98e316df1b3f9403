#include "arc/wal/lost_group.h"

#include <arrow/buffer.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <string>

#include "arc/io/crc32c.h"
#include "arc/wal/arrow_door.h"
#include "arc/wal/message_frame.h"
#include "arc/wal/stream_schema.h"

namespace arc {
namespace {

Result<std::vector<uint8_t>> Encode(const LostGroup& lost, int64_t padding) {
  StreamMeaning meaning;
  meaning.kind = StreamKind::kLost;
  meaning.lineage = lost.lineage;
  auto schema = MakeStreamSchema(meaning);
  auto metadata = schema->metadata()->Copy();
  metadata->Append("arc.padding", std::string(static_cast<size_t>(padding), '.'));
  schema = schema->WithMetadata(metadata);
  arrow::ipc::IpcPayload payload;
  const arrow::ipc::DictionaryFieldMapper mapper(*schema);
  ARC_RETURN_IF_ERROR(
      FromArrow(arrow::ipc::GetSchemaPayload(*schema, arrow::ipc::IpcWriteOptions::Defaults(), mapper, &payload)));

  MessageFrame frame;
  frame.first = frame.group_first = lost.first;
  frame.last = lost.last;
  frame.epoch = lost.epoch;
  frame.group_offset = frame.at = lost.offset;
  frame.body_crc = Crc32c({});
  std::vector<uint8_t> bytes;
  ARC_RETURN_IF_ERROR(
      AppendFramedHead({payload.metadata->data(), static_cast<size_t>(payload.metadata->size())}, 0, &frame, &bytes));
  frame.group_bytes = static_cast<int64_t>(bytes.size()) + kEndMarkerBytes;
  SealFrame(frame, bytes);
  bytes.insert(bytes.end(), std::begin(kEndMarker), std::end(kEndMarker));
  return bytes;
}

}  // namespace

Result<std::vector<uint8_t>> EncodeLostGroup(const LostGroup& lost) {
  ARC_ASSIGN_OR_RETURN(auto smallest, Encode(lost, 0));
  const int64_t extra = lost.bytes - static_cast<int64_t>(smallest.size());
  if (lost.bytes == 0 || extra == 0) return smallest;
  // Arrow rounds the padding up in ways not promised anywhere: try around the difference.
  for (int64_t padding = std::max<int64_t>(0, extra - 16); padding <= extra; padding += 4) {
    ARC_ASSIGN_OR_RETURN(auto bytes, Encode(lost, padding));
    if (static_cast<int64_t>(bytes.size()) == lost.bytes) return bytes;
  }
  return MakeError(ErrorKind::kUnsupported, std::to_string(lost.bytes) + " damaged bytes cannot be replaced in place");
}

}  // namespace arc
