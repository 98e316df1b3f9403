#include <algorithm>
#include <limits>
#include <utility>

#include "arc/decode/msgpack_decoder.h"

namespace arc {
namespace {

using namespace msgpack_tag;

// How the integers of a tag are read from the eight bytes behind it: shifted down, with sign or without; or they stand
// in the tag itself.
struct IntegerShape {
  uint8_t size = 0;  // with the tag; 0: no integer
  uint8_t shift = 0;
  bool is_signed = false;
};

constexpr std::array<IntegerShape, 256> MakeIntegerShapes() {
  std::array<IntegerShape, 256> shapes{};
  for (int tag = 0; tag < 0x80; ++tag) shapes[tag] = {1, 0, false};
  for (int tag = 0xE0; tag < 0x100; ++tag) shapes[tag] = {1, 0, true};
  shapes[kUInt8] = {2, 56, false};
  shapes[kUInt16] = {3, 48, false};
  shapes[kUInt32] = {5, 32, false};
  shapes[kUInt64] = {9, 0, false};
  shapes[kInt8] = {2, 56, true};
  shapes[kInt16] = {3, 48, true};
  shapes[kInt32] = {5, 32, true};
  shapes[kInt64] = {9, 0, true};
  return shapes;
}
constexpr std::array<IntegerShape, 256> kIntegers = MakeIntegerShapes();

// Reads up to `count` integers at `*p` into `out`; stops before anything else, before a uint64 past INT64_MAX and
// within 9 bytes of `end`. Returns how many.
uint32_t ReadIntegers(const char** p, const char* end, uint32_t count, uint64_t* out) {
  const char* at = *p;
  uint32_t done = 0;
  while (done < count && end - at >= 9) {
    const auto tag = static_cast<uint8_t>(*at);
    const IntegerShape shape = kIntegers[tag];
    if (shape.size == 1) {
      do {
        out[done++] = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(*at++)));
      } while (done < count && end - at >= 9 && kIntegers[static_cast<uint8_t>(*at)].size == 1);
      continue;
    }
    if (shape.size == 0) break;
    // Values of one column mostly share their tag: a run of them is a plain loop.
    const auto run = [&](auto convert) {
      do {
        const uint64_t value = convert(LoadBig64(at + 1));
        if (tag == kUInt64 && value >> 63 != 0) return false;
        out[done++] = value;
        at += shape.size;
      } while (done < count && end - at >= 9 && static_cast<uint8_t>(*at) == tag);
      return true;
    };
    const bool plain =
        shape.is_signed
            ? run([&](uint64_t big) { return static_cast<uint64_t>(static_cast<int64_t>(big) >> shape.shift); })
            : run([&](uint64_t big) { return big >> shape.shift; });
    if (!plain) break;
  }
  *p = at;
  return done;
}

}  // namespace

Status MsgpackDecoder::Columns(const Item& item) {
  Block block;
  block.columns = item.columns;
  std::string error;
  if (ReadTagKeys(item, &block, &error)) {
    block.measurement = writer_.Measurement(item.measurement);
    if (block.measurement == nullptr) error = writer_.error();
  }
  Plain plain = Plain::kNotPlain;
  if (error.empty()) {
    block.measurement->InSomeVariant([&](BatchBuilder& batch) {
      plain = PlainBlock(&block, batch);
      return Added::kOk;  // the first variant, or else row by row
    });
  }
  if (plain == Plain::kMalformed) return Malformed();
  if (plain == Plain::kDone) {
    writer_.Advance(block.rows);
  } else {
    // Walking over it first tells where the item ends and that the bytes are sound.
    reader_.set_position(item.columns);
    if (!reader_.Skip()) return Malformed();
    const char* const end = reader_.position();
    std::string unsound;
    if (!InspectBlock(&block, &unsound) && error.empty()) error = std::move(unsound);
    if (!error.empty()) {
      ARC_RETURN_IF_ERROR(writer_.Refuse("block of columns: " + error, std::max(1U, block.rows)));
    } else if (block.rows > 0) {
      ARC_RETURN_IF_ERROR(BlockByRows(block));
    }
    reader_.set_position(end);
  }
  if (item.end != nullptr) reader_.set_position(item.end);
  return {};
}

bool MsgpackDecoder::InspectBlock(Block* block, std::string* error) {
  block->rows = 0;
  reader_.set_position(block->columns);
  if (!reader_.at_map()) return *error = "columns is no map", false;
  uint32_t columns = 0;
  reader_.ReadCount(&columns);  // Columns has walked over all of it: reading cannot fail
  bool has_values = false;
  std::string first_name;
  for (uint32_t i = 0; i < columns; ++i) {
    Scalar name;
    uint32_t rows = 0;
    reader_.ReadScalar(&name);
    if (name.kind != ScalarKind::kText) return *error = "the name of a column is no text", false;
    const std::string column = "column " + Snippet(name.text());
    if (!reader_.at_array()) return *error = column + " is no array", false;
    const char* const array = reader_.position();
    reader_.ReadCount(&rows);
    if (i == 0) {
      block->rows = rows;
      first_name = name.text();
    }
    if (rows != block->rows) {
      *error = column + " has " + std::to_string(rows) + " values, " + Snippet(first_name) + " has " +
               std::to_string(block->rows);
      return false;
    }
    if (const Added named = CheckName(name.text()); named != Added::kOk) {
      return *error = DescribeRefusal(named, "column", name.text()), false;
    }
    has_values |= name.text() != "time";
    reader_.set_position(array);
    reader_.Skip();
  }
  if (!has_values) return *error = "there is no column beside time", false;
  return true;
}

bool MsgpackDecoder::ReadTagKeys(const Item& item, Block* block, std::string* error) {
  const char* const list = item.tag_keys != nullptr ? item.tag_keys : item.tags;
  if (list == nullptr) return true;
  reader_.set_position(list);
  if (reader_.peek() == kNil) return true;
  if (!reader_.at_array()) {
    return *error = "tag_keys (or tags) beside columns is no list of column names", false;
  }
  block->has_tag_keys = true;
  uint32_t count = 0;
  reader_.ReadCount(&count);  // ScanItem has walked over it: reading cannot fail
  for (uint32_t i = 0; i < count; ++i) {
    Scalar name;
    reader_.ReadScalar(&name);
    if (name.kind != ScalarKind::kText) return *error = "a name in tag_keys is no text", false;
    block->tag_keys.push_back(name.text());
  }
  return true;
}

MsgpackDecoder::Plain MsgpackDecoder::PlainBlock(Block* block, BatchBuilder& batch) {
  int64_t min_time = writer_.options().server_time_micros;
  int64_t max_time = min_time;
  bool has_time = false, has_values = false;
  reader_.set_position(block->columns);
  uint32_t columns = 0;
  if (!reader_.at_map()) return Plain::kNotPlain;
  if (!reader_.ReadCount(&columns)) return Plain::kMalformed;
  for (uint32_t i = 0; i < columns; ++i) {
    Scalar name;
    uint32_t rows = 0;
    if (!reader_.ReadScalar(&name)) return Plain::kMalformed;
    if (name.kind != ScalarKind::kText || !reader_.at_array()) return Plain::kNotPlain;
    if (!reader_.ReadCount(&rows)) return Plain::kMalformed;
    if (i == 0) {
      block->rows = rows;
      if (rows > 0) batch.BeginBlock(rows);
    }
    if (rows != block->rows || rows == 0) return Plain::kNotPlain;
    const bool time = name.text() == "time";
    Plain plain = Plain::kDone;
    if (time) {
      plain = PlainTimes(batch, rows, &min_time, &max_time);
    } else {
      plain = PlainColumn(*block, batch, name.text(), &has_values);
    }
    has_time |= time;
    if (plain != Plain::kDone) return plain;
  }
  if (!has_values) return Plain::kNotPlain;
  if (!has_time) std::fill_n(batch.block_times(), block->rows, min_time);
  batch.CommitBlock(block->rows, min_time, max_time, writer_.position());
  return Plain::kDone;
}

MsgpackDecoder::Plain MsgpackDecoder::PlainTimes(BatchBuilder& batch, uint32_t count, int64_t* min_time,
                                                 int64_t* max_time) {
  int64_t* const times = batch.block_times();
  const char* p = reader_.position();
  uint32_t done = ReadIntegers(&p, reader_.end(), count, reinterpret_cast<uint64_t*>(times));
  reader_.set_position(p);
  for (; done < count; ++done) {
    Scalar value;
    if (!reader_.ReadScalar(&value)) return Plain::kMalformed;
    if (value.kind != ScalarKind::kInt) return Plain::kNotPlain;
    times[done] = static_cast<int64_t>(value.bits);
  }
  const TimePrecision precision = writer_.options().precision;
  const auto [least, most] = std::minmax_element(times, times + count);
  const auto low = ToMicros(*least, precision);
  const auto high = ToMicros(*most, precision);
  if (!low || !high) return Plain::kNotPlain;
  *min_time = *low;
  *max_time = *high;
  if (precision == TimePrecision::kMicros) return Plain::kDone;
  if (precision == TimePrecision::kMillis) {
    for (uint32_t i = 0; i < count; ++i) times[i] *= 1000;
    return Plain::kDone;
  }
  // Where the unit is guessed, later times need not be greater numbers.
  for (uint32_t i = 0; i < count; ++i) {
    const auto micros = ToMicros(times[i], precision);
    if (!micros) return Plain::kNotPlain;
    times[i] = *micros;
    *min_time = std::min(*min_time, *micros);
    *max_time = std::max(*max_time, *micros);
  }
  return Plain::kDone;
}

MsgpackDecoder::Plain MsgpackDecoder::PlainColumn(const Block& block, BatchBuilder& batch, std::string_view name,
                                                  bool* has_values) {
  // The first value that is there decides what the column is; one that fits less well sends the block the other way.
  uint32_t nils = 0;
  while (nils < block.rows && reader_.peek() == kNil) {
    ++nils;
    reader_.set_position(reader_.position() + 1);
  }
  if (nils == block.rows) return Plain::kDone;
  *has_values = true;
  const char* const first = reader_.position();
  Scalar value;
  if (!reader_.ReadScalar(&value)) return Plain::kMalformed;
  reader_.set_position(first);
  const bool text = value.kind == ScalarKind::kText;
  const bool tag = block.has_tag_keys ? IsListed(block.tag_keys, name) : text;
  Added why = Added::kOk;
  ColumnBuilder* column =
      batch.Column(name, tag ? ColumnRole::kTag : ColumnRole::kField, reader_.end(), block.has_tag_keys, &why);
  if (column == nullptr) return Plain::kNotPlain;
  column->BeginBlock();
  uint32_t row = batch.row() + nils;
  const uint32_t end = batch.row() + block.rows;
  if (!tag) return PlainValues(*column, row, end - row);
  while (row < end) {
    row += TagRun(*column, row, end - row);
    if (row == end) break;
    if (!reader_.ReadScalar(&value)) return Plain::kMalformed;
    if (value.kind != ScalarKind::kNil) {
      if (value.kind != ScalarKind::kText) return Plain::kNotPlain;
      if (column->AddTag(row, value.text(), reader_.end()) != Added::kOk) return Plain::kNotPlain;
    }
    ++row;
  }
  return Plain::kDone;
}

uint32_t MsgpackDecoder::TagRun(ColumnBuilder& column, uint32_t row, uint32_t count) {
  int32_t* codes = column.BeginTagRun(row);
  if (codes == nullptr) return 0;
  const char* const end = reader_.end();
  const char* p = reader_.position();
  uint32_t done = 0;
  // The body's last values are left to the caller: no text of up to 31 bytes needs a look at where the body ends.
  for (; done < count && end - p > 32; ++done) {
    const auto tag = static_cast<uint8_t>(*p);
    const size_t size = tag & 0x1F;
    if ((tag & 0xE0) != 0xA0) break;
    const int32_t code = column.CodeOf({p + 1, size}, p + 1 + 16);
    if (code < 0) break;
    codes[done] = code;
    p += 1 + size;
  }
  reader_.set_position(p);
  column.EndRun(row, done);
  return done;
}

uint32_t MsgpackDecoder::DoubleRun(ColumnBuilder& column, uint32_t row, uint32_t count) {
  uint64_t* out = column.BeginRun(row, NumberForm::kDouble);
  if (out == nullptr) return 0;
  const char* p = reader_.position();
  const auto most = static_cast<uint32_t>(std::min<ptrdiff_t>(count, (reader_.end() - p) / 9));
  uint32_t done = 0;
  for (; done + 4 <= most; done += 4, p += 36) {
    uint64_t values[4];
    uint32_t others = 0;
    for (int i = 0; i < 4; ++i) {
      others |= static_cast<uint8_t>(p[9 * i]) ^ uint32_t { kFloat64 };
      values[i] = LoadBig64(p + 9 * i + 1);
    }
    if (others != 0) break;
    std::memcpy(out + done, values, sizeof(values));
  }
  for (; done < most && static_cast<uint8_t>(*p) == kFloat64; ++done, p += 9) out[done] = LoadBig64(p + 1);
  reader_.set_position(p);
  column.EndRun(row, done);
  return done;
}

MsgpackDecoder::Plain MsgpackDecoder::PlainValues(ColumnBuilder& column, uint32_t row, uint32_t count) {
  for (uint32_t i = 0; i < count;) {
    const uint8_t tag = reader_.peek();
    if (tag == kFloat64) {
      const uint32_t run = DoubleRun(column, row + i, count - i);
      i += run;
      if (run > 0) continue;
    } else if (kIntegers[tag].size != 0) {
      if (uint64_t* out = column.BeginRun(row + i, NumberForm::kInt)) {
        const char* p = reader_.position();
        const uint32_t run = ReadIntegers(&p, reader_.end(), count - i, out);
        column.EndRun(row + i, run);
        reader_.set_position(p);
        i += run;
        if (run > 0) continue;
      }
    }
    Scalar value;
    if (!reader_.ReadScalar(&value)) return Plain::kMalformed;
    if (AddFieldScalar(column, row + i, value) != Added::kOk) return Plain::kNotPlain;
    ++i;
  }
  return Plain::kDone;
}

Status MsgpackDecoder::BlockByRows(const Block& block) {
  reader_.set_position(block.columns);
  uint32_t count = 0;
  reader_.ReadCount(&count);  // ScanItem has walked over all of it: reading cannot fail
  MemoryBudget* const budget = writer_.request()->budget();
  const int64_t bytes = int64_t{count} * (int64_t{block.rows} * static_cast<int64_t>(sizeof(Scalar)) + 64);
  budget->Take(bytes);
  ScalarBlock scalars;
  scalars.rows = block.rows;
  scalars.tag_keys = block.has_tag_keys ? &block.tag_keys : nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    Scalar name;
    uint32_t rows = 0;
    reader_.ReadScalar(&name);
    reader_.ReadCount(&rows);
    std::vector<Scalar> values(rows);
    for (Scalar& value : values) reader_.ReadScalar(&value);
    scalars.Add(name.text(), std::move(values));
  }
  const Status appended = writer_.AppendBlock(*block.measurement, scalars);
  budget->GiveBack(bytes);
  return appended;
}

}  // namespace arc
