#include <utility>

#include "arc/decode/msgpack_decoder.h"

namespace arc {
namespace {

using namespace msgpack_tag;

constexpr std::string_view kHost = "host";
// Tag and first letter of the keys of a row, as they are loaded from memory.
constexpr uint16_t Head(uint8_t tag, char letter) { return static_cast<uint16_t>(tag | letter << 8); }
constexpr uint16_t kKeyMeasurement = Head(0xA1, 'm'), kKeyTime = Head(0xA1, 't'), kKeyHost = Head(0xA1, 'h'),
                   kKeyTags = Head(0xA4, 't'), kKeyFields = Head(0xA6, 'f');

constexpr ptrdiff_t kFastRoom = 64;  // more than a key that SpelledKey compares and the longest number

}  // namespace

MsgpackDecoder::MsgpackDecoder(std::string_view body, const ItemOptions& options, RequestBuilder* request)
    : reader_(body),
      writer_(options, request, body.data(), body.data() + body.size()),
      fast_end_(body.size() > kFastRoom ? body.data() + body.size() - kFastRoom : body.data()) {}

Status MsgpackDecoder::Malformed() const { return InvalidArgument("not MessagePack: " + reader_.fault()); }

Status MsgpackDecoder::Run() {
  if (reader_.done()) return InvalidArgument("not MessagePack: the body is empty");
  if (!reader_.at_map() && !reader_.at_array()) {
    return InvalidArgument("neither a MessagePack map nor an array at byte 0");
  }
  ARC_RETURN_IF_ERROR(Value(0));
  if (!reader_.done()) {
    reader_.Fault("there are more bytes behind the end of the item");
    return Malformed();
  }
  return {};
}

Status MsgpackDecoder::Value(int depth) {
  if (reader_.at_array()) return Array(depth);
  if (reader_.at_map()) return Map(depth);
  if (!reader_.Skip()) return Malformed();
  return writer_.Refuse("the item is no map");
}

Status MsgpackDecoder::Array(int depth) {
  if (depth == kMaxItemDepth) {
    reader_.Fault("batches are nested too deep");
    return Malformed();
  }
  uint32_t count = 0;
  if (!reader_.ReadCount(&count)) return Malformed();
  if (depth == 0) writer_.request()->ExpectRows(count);
  for (uint32_t i = 0; i < count; ++i) ARC_RETURN_IF_ERROR(Value(depth + 1));
  return {};
}

Status MsgpackDecoder::Map(int depth) {
  const char* const begin = reader_.position();
  uint32_t keys = 0;
  if (!reader_.ReadCount(&keys)) return Malformed();
  const char* const pairs = reader_.position();
  if (writer_.current() != nullptr && begin < fast_end_) {
    if (const char* end = FastRow(pairs, keys)) {
      reader_.set_position(end);
      return {};
    }
  }
  Item item;
  if (!ScanItem(keys, &item)) return Malformed();
  if (item.batch != nullptr) {
    reader_.set_position(item.batch);
    if (!reader_.at_array()) {
      reader_.Fault("batch is no array");
      return Malformed();
    }
    ARC_RETURN_IF_ERROR(Array(depth == 0 ? 0 : depth + 1));
  } else if (item.columns != nullptr) {
    return Columns(item);
  } else {
    ARC_RETURN_IF_ERROR(Row(item));
  }
  if (item.end != nullptr) reader_.set_position(item.end);
  return {};
}

ColumnBuilder* MsgpackDecoder::FastColumn(BatchBuilder& batch, ColumnRole role, const char** p) {
  Scalar name;
  const char* const end = ReadCommonScalar(*p, reader_.end(), &name);
  if (end == nullptr || name.kind != ScalarKind::kText) return nullptr;
  Added why = Added::kOk;
  ColumnBuilder* column = batch.Column(name.text(), role, reader_.end(), /*role_known=*/true, &why);
  if (column != nullptr) column->key.Set({*p, static_cast<size_t>(end - *p)});
  *p = end;
  return column;
}

template <ColumnRole role>
[[gnu::always_inline]] inline const char* MsgpackDecoder::FastPairs(BatchBuilder& batch, const char* p,
                                                                    ColumnBuilder*** link, uint32_t* values) {
  const auto tag = static_cast<uint8_t>(*p);
  if ((tag & 0xF0) != 0x80 && tag != kMap16) return nullptr;
  uint32_t pairs = tag == kMap16 ? LoadBig16(p + 1) : tag & 0x0F;
  p += tag == kMap16 ? 3 : 1;
  const uint32_t row = batch.row();
  const char* const end = reader_.end();
  ColumnBuilder** next = *link;
  for (; pairs > 0; --pairs) {
    if (p >= fast_end_) return nullptr;
    ColumnBuilder* column = *next;
    if (column != nullptr && column->role() == role && column->key.Matches(p)) [[likely]] {
      p += column->key.size();
    } else {
      column = FastColumn(batch, role, &p);
      if (column == nullptr || p >= fast_end_) return nullptr;
      *next = column;
    }
    next = &column->next;
    Scalar value;
    p = ReadCommonScalar(p, end, &value);
    if (p == nullptr) return nullptr;
    if (value.kind == ScalarKind::kNil) continue;
    ++*values;
    if (role == ColumnRole::kField) {
      if (AddFieldScalar(*column, row, value) != Added::kOk) return nullptr;
    } else {
      if (value.kind != ScalarKind::kText) return nullptr;
      if (column->AddTag(row, value.text(), end) != Added::kOk) return nullptr;
    }
  }
  *link = next;
  return p;
}

const char* MsgpackDecoder::FastHost(BatchBuilder& batch, const char* p, ColumnBuilder*** link) {
  Scalar value;
  p = ReadCommonScalar(p, reader_.end(), &value);
  if (p == nullptr || value.kind != ScalarKind::kText) return nullptr;
  if (host_batch_ != &batch) {
    Added why = Added::kOk;
    host_column_ = batch.Column(kHost, ColumnRole::kTag, kHost.data() + kHost.size(), /*role_known=*/true, &why);
    host_batch_ = host_column_ == nullptr ? nullptr : &batch;
    if (host_batch_ == nullptr) return nullptr;
  }
  **link = host_column_;
  *link = &host_column_->next;
  return host_column_->AddTag(batch.row(), value.text(), reader_.end()) == Added::kOk ? p : nullptr;
}

const char* MsgpackDecoder::FastRow(const char* p, uint32_t keys) {
  MeasurementBuilder& measurement = *writer_.current();
  if (measurement.variants().empty()) return nullptr;
  BatchBuilder& batch = *measurement.variants().front();
  ColumnBuilder** link = &batch.first;
  int64_t time = writer_.options().server_time_micros;
  uint32_t fields = 0, tags = 0;
  bool named = false;
  for (; keys > 0; --keys) {
    if (p == nullptr || p >= fast_end_) return nullptr;
    uint16_t head;  // tag and first letter of the key
    std::memcpy(&head, p, 2);
    if (head == kKeyMeasurement) {
      // The name as it was spelled before, its tag included.
      if (named || !measurement.key.Matches(p + 2)) return nullptr;
      p += 2 + measurement.key.size();
      named = true;
      writer_.BeginRow(batch);
    } else if (head == kKeyTime) {
      Scalar value;
      p = ReadCommonScalar(p + 2, reader_.end(), &value);
      if (p == nullptr || value.kind != ScalarKind::kInt) return nullptr;
      const auto micros = FastToMicros(static_cast<int64_t>(value.bits), writer_.options().precision);
      if (!micros) return nullptr;
      time = *micros;
    } else if (!named) {
      return nullptr;
    } else if (head == kKeyFields && std::memcmp(p + 2, "ields", 5) == 0) {
      p = FastPairs<ColumnRole::kField>(batch, p + 7, &link, &fields);
    } else if (head == kKeyTags && std::memcmp(p + 2, "ags", 3) == 0) {
      p = FastPairs<ColumnRole::kTag>(batch, p + 5, &link, &tags);
    } else if (head == kKeyHost) {
      p = FastHost(batch, p + 2, &link);
    } else {
      return nullptr;
    }
  }
  if (p == nullptr || !named || fields == 0) return nullptr;
  batch.CommitRow(time, writer_.position());
  writer_.Advance(1);
  return p;
}

bool MsgpackDecoder::ScanItem(uint32_t keys, Item* item) {
  for (uint32_t i = 0; i < keys; ++i) {
    Scalar key;
    if (!reader_.ReadScalar(&key)) return false;
    const char* const value = reader_.position();
    switch (key.kind == ScalarKind::kText ? ClassifyItemKey(key.text()) : ItemKey::kUnknown) {
      case ItemKey::kMeasurement:
        if (!reader_.ReadScalar(&item->measurement)) return false;
        item->spelled_measurement = {value, static_cast<size_t>(reader_.position() - value)};
        continue;
      case ItemKey::kTime:
        if (!reader_.ReadScalar(&item->time)) return false;
        continue;
      case ItemKey::kHost:
        if (!reader_.ReadScalar(&item->host)) return false;
        continue;
      case ItemKey::kTags: item->tags = value; break;
      case ItemKey::kFields: item->fields = value; break;
      case ItemKey::kColumns:
        item->columns = value;
        // Nothing more to learn: the block itself tells where it ends.
        if (i + 1 == keys && item->batch == nullptr) return true;
        break;
      case ItemKey::kTagKeys: item->tag_keys = value; break;
      case ItemKey::kBatch:
        item->batch = value;
        if (i + 1 == keys) return true;
        break;
      case ItemKey::kUnknown: break;
    }
    if (!reader_.Skip()) return false;
  }
  item->end = reader_.position();
  return true;
}

Added MsgpackDecoder::Pairs(BatchBuilder& batch, const char* map, ColumnRole role) {
  if (map == nullptr) return Added::kOk;
  const bool tags = role == ColumnRole::kTag;
  reader_.set_position(map);
  if (reader_.peek() == kNil) return Added::kOk;
  if (!reader_.at_map()) {
    writer_.set_error(tags ? "tags is no map" : "fields is no map");
    return Added::kFault;
  }
  // ScanItem has walked over all of it: reading cannot fail.
  uint32_t pairs = 0;
  reader_.ReadCount(&pairs);
  for (uint32_t i = 0; i < pairs; ++i) {
    Scalar key, value;
    reader_.ReadScalar(&key);
    reader_.ReadScalar(&value);
    if (key.kind != ScalarKind::kText) {
      writer_.set_error(tags ? "the name of a tag is no text" : "the name of a field is no text");
      return Added::kFault;
    }
    const Added added = tags ? writer_.AddTag(batch, key.text(), value) : writer_.AddField(batch, key.text(), value);
    if (added != Added::kOk) return added;
  }
  return Added::kOk;
}

Added MsgpackDecoder::RowInto(BatchBuilder& batch, const Item& item, int64_t time) {
  writer_.BeginRow(batch);
  Added added = writer_.AddHost(batch, item.host);
  if (added == Added::kOk) added = Pairs(batch, item.tags, ColumnRole::kTag);
  if (added == Added::kOk) added = Pairs(batch, item.fields, ColumnRole::kField);
  return added == Added::kOk ? writer_.CommitRow(batch, time) : added;
}

Status MsgpackDecoder::Row(const Item& item) {
  MeasurementBuilder* measurement = writer_.Measurement(item.measurement);
  int64_t time = 0;
  if (measurement == nullptr || !writer_.Time(item.time, &time)) return writer_.Refuse(writer_.error());
  measurement->key.Set(item.spelled_measurement);
  const Added added = measurement->InSomeVariant([&](BatchBuilder& batch) { return RowInto(batch, item, time); });
  if (added == Added::kTooManyKinds) writer_.Refused(added, "measurement", measurement->name());
  if (added != Added::kOk) return writer_.Refuse(writer_.error());
  writer_.Advance(1);
  return {};
}

}  // namespace arc
