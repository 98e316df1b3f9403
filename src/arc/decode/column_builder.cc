#include "arc/decode/column_builder.h"

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>

#include "arc/base/check.h"
#include "arc/decode/utf8.h"

namespace arc {
namespace {

int64_t BitmapBytes(uint32_t rows) { return (static_cast<int64_t>(rows) + 7) / 8; }

// Sets bits [from, to) to `value`.
void FillBits(uint8_t* bits, uint32_t from, uint32_t to, bool value) {
  arrow::bit_util::SetBitsTo(bits, from, static_cast<int64_t>(to) - from, value);
}

}  // namespace

void RowSpace::NoteAbandoned() {
  if (!abandoned_.empty() && abandoned_.back().rows == rows) {
    abandoned_.back().last_attempt = attempt;
    return;
  }
  budget->Take(2 * sizeof(Abandoned));
  abandoned_.push_back({attempt, attempt, rows});
}

std::optional<uint32_t> RowSpace::AbandonedAt(uint32_t attempt) const {
  if (abandoned_.empty() || attempt == committed_) return std::nullopt;
  const auto after = std::upper_bound(abandoned_.begin(), abandoned_.end(), attempt,
                                      [](uint32_t wanted, const Abandoned& run) { return wanted < run.first_attempt; });
  if (after == abandoned_.begin() || attempt > (after - 1)->last_attempt) return std::nullopt;
  return (after - 1)->rows;
}

Added ColumnBuilder::AddNumberSlow(uint32_t row, uint64_t bits, NumberForm form) {
  const Added placed = Place(row, Kind::kNumber);
  if (placed != Added::kOk) return placed;
  if (form_ == NumberForm::kNone) form_ = form;
  if (form_ != form && form_ != NumberForm::kMixed) BecomeMixed();
  if (form_ == NumberForm::kMixed) forms_.data()[row] = static_cast<uint8_t>(form);
  reinterpret_cast<uint64_t*>(values_.data())[row] = bits;
  MarkValid(row);
  return Added::kOk;
}

Added ColumnBuilder::AddBool(uint32_t row, bool value) {
  const Added placed = Place(row, Kind::kBool);
  if (placed != Added::kOk) return placed;
  if (value) {
    SetBit(values_.data(), row);
  } else {
    ClearBit(values_.data(), row);
  }
  MarkValid(row);
  return Added::kOk;
}

Added ColumnBuilder::AddString(uint32_t row, std::string_view value) {
  if (value.size() > kMaxStringBytes) return Added::kTooLong;
  if (!ValidUtf8(value)) return Added::kBadUtf8;
  const Added placed = Place(row, Kind::kString);
  if (placed != Added::kOk) return placed;
  const int64_t end = text_bytes_ + static_cast<int64_t>(value.size());
  if (end > std::numeric_limits<int32_t>::max()) return Added::kColumnFull;
  text_.Grow(end, space_->budget);
  if (!value.empty()) std::memcpy(text_.data() + text_bytes_, value.data(), value.size());
  text_bytes_ = static_cast<int32_t>(end);
  reinterpret_cast<int32_t*>(values_.data())[row + 1] = text_bytes_;
  MarkValid(row);
  return Added::kOk;
}

Added ColumnBuilder::AddTagSlow(uint32_t row, std::string_view value, int32_t code) {
  if (attempt_ == space_->attempt && filled_ > row) return Added::kDuplicate;
  if (code < 0) {
    if (value.size() > kMaxStringBytes) return Added::kTooLong;
    if (!ValidUtf8(value)) return Added::kBadUtf8;
    code = tags_.Add(value, space_->budget);
    if (code < 0) return Added::kColumnFull;
  }
  const Added placed = Place(row, Kind::kTag);
  if (placed != Added::kOk) return placed;
  reinterpret_cast<int32_t*>(values_.data())[row] = code;
  MarkValid(row);
  return Added::kOk;
}

uint64_t* ColumnBuilder::BeginRun(uint32_t row, NumberForm form) {
  if (kind_ == Kind::kNumber ? form_ != form : kind_ != Kind::kNone) return nullptr;
  if (Place(row, Kind::kNumber) != Added::kOk) return nullptr;
  form_ = form;
  FitSpace();
  return reinterpret_cast<uint64_t*>(values_.data()) + row;
}

int32_t* ColumnBuilder::BeginTagRun(uint32_t row) {
  if (kind_ != Kind::kTag || Place(row, Kind::kTag) != Added::kOk) return nullptr;
  FitSpace();
  return reinterpret_cast<int32_t*>(values_.data()) + row;
}

void ColumnBuilder::EndRun(uint32_t row, uint32_t count) {
  filled_ = row + count;
  if (validity_ != nullptr) FillBits(validity_, row, filled_, true);
}

Added ColumnBuilder::Place(uint32_t row, Kind kind) {
  DropVoid();
  if (filled_ > row) Rewind(row);
  if (kind_ != kind) {
    if (kind_ != Kind::kNone) return Added::kConflict;
    kind_ = kind;
    first_row_ = row;
  }
  if (row >= capacity_) EnsureCapacity(space_->capacity);
  if (filled_ < row) PadTo(row);
  return Added::kOk;
}

void ColumnBuilder::BeginBlock() {
  DropVoid();
  if (filled_ > space_->rows) Rewind(space_->rows);
  attempt_ = space_->attempt;
}

void ColumnBuilder::DropVoid() {
  if (attempt_ == space_->attempt) return;
  if (const auto rows = space_->AbandonedAt(attempt_); rows && filled_ > *rows) Rewind(*rows);
  attempt_ = space_->attempt;
}

void ColumnBuilder::Rewind(uint32_t row) {
  // No row before has a value: the kind is open again.
  if (first_row_ >= row) return Reset();
  filled_ = row;
  if (kind_ == Kind::kString) text_bytes_ = reinterpret_cast<const int32_t*>(values_.data())[row];
}

void ColumnBuilder::Reset() {
  filled_ = 0;
  capacity_ = 0;
  kind_ = Kind::kNone;
  form_ = NumberForm::kNone;
  validity_ = nullptr;
  text_bytes_ = 0;
}

void ColumnBuilder::EnsureCapacity(uint32_t rows) {
  MemoryBudget* budget = space_->budget;
  const auto count = static_cast<int64_t>(rows);
  switch (kind_) {
    case Kind::kNone: break;
    case Kind::kNumber:
      values_.Reserve(count * 8, budget);
      if (form_ == NumberForm::kMixed) forms_.Reserve(count, budget);
      break;
    case Kind::kBool: values_.Reserve(BitmapBytes(rows), budget); break;
    case Kind::kString:
      values_.Reserve((count + 1) * 4, budget);
      if (filled_ == 0) std::memset(values_.data(), 0, 4);
      break;
    case Kind::kTag: values_.Reserve(count * 4, budget); break;
  }
  if (validity_ != nullptr) {
    validity_bits_.Reserve(BitmapBytes(rows), budget);
    validity_ = validity_bits_.data();
  }
  capacity_ = rows;
}

void ColumnBuilder::FitSpace() {
  if (capacity_ < space_->capacity) EnsureCapacity(space_->capacity);
}

void ColumnBuilder::EnsureValidity() {
  if (validity_ != nullptr) return;
  validity_bits_.Reserve(BitmapBytes(capacity_), space_->budget);
  validity_ = validity_bits_.data();
  FillBits(validity_, 0, filled_, true);
}

void ColumnBuilder::PadTo(uint32_t row) {
  EnsureValidity();
  FillBits(validity_, filled_, row, false);
  const size_t count = row - filled_;
  switch (kind_) {
    case Kind::kNone: break;
    case Kind::kNumber:
      std::memset(values_.data() + size_t{filled_} * 8, 0, count * 8);
      if (form_ == NumberForm::kMixed) std::memset(forms_.data() + filled_, 0, count);
      break;
    case Kind::kBool: FillBits(values_.data(), filled_, row, false); break;
    case Kind::kString: {
      auto* offsets = reinterpret_cast<int32_t*>(values_.data());
      for (uint32_t i = filled_ + 1; i <= row; ++i) offsets[i] = text_bytes_;
      break;
    }
    case Kind::kTag: std::memset(values_.data() + size_t{filled_} * 4, 0, count * 4); break;
  }
  filled_ = row;
}

void ColumnBuilder::BecomeMixed() {
  forms_.Reserve(capacity_, space_->budget);
  std::memset(forms_.data(), static_cast<int>(form_), filled_);
  if (validity_ != nullptr) {
    for (uint32_t i = 0; i < filled_; ++i) {
      if (!arrow::bit_util::GetBit(validity_, i)) forms_.data()[i] = static_cast<uint8_t>(NumberForm::kNone);
    }
  }
  form_ = NumberForm::kMixed;
}

ColumnType ColumnBuilder::SettleMixed(uint32_t rows, std::shared_ptr<arrow::Buffer>* integral) {
  const uint8_t* forms = forms_.data();
  auto* bits = reinterpret_cast<uint64_t*>(values_.data());
  bool ints = false, doubles = false, negative = false, beyond = false;
  for (uint32_t i = 0; i < rows; ++i) {
    const auto form = static_cast<NumberForm>(forms[i]);
    doubles |= form == NumberForm::kDouble;
    ints |= form == NumberForm::kInt;
    negative |= form == NumberForm::kInt && static_cast<int64_t>(bits[i]) < 0;
    beyond |= form == NumberForm::kUInt && bits[i] > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  }
  // Integers only: both forms share their bits as long as all values fit.
  if (!doubles && !(negative && beyond)) return ints && !beyond ? ColumnType::kInt64 : ColumnType::kUInt64;
  GrowingBuffer bitmap;
  bitmap.Reserve(BitmapBytes(rows), space_->budget);
  std::memset(bitmap.data(), 0, static_cast<size_t>(BitmapBytes(rows)));
  bool any = false;
  for (uint32_t i = 0; i < rows; ++i) {
    const auto form = static_cast<NumberForm>(forms[i]);
    if (form != NumberForm::kInt && form != NumberForm::kUInt) continue;
    const uint64_t whole = bits[i];
    const double value =
        form == NumberForm::kInt ? static_cast<double>(static_cast<int64_t>(whole)) : static_cast<double>(whole);
    std::memcpy(&bits[i], &value, 8);
    // 2^63 and above is no BIGINT, and casting it back would be undefined.
    if (value < 0x1p63 && static_cast<uint64_t>(static_cast<int64_t>(value)) == whole) {
      SetBit(bitmap.data(), i);
      any = true;
    }
  }
  if (any) *integral = bitmap.Finish(BitmapBytes(rows));
  return ColumnType::kDouble;
}

BatchColumn ColumnBuilder::Described(ColumnType type) const {
  BatchColumn column;
  column.name = name_;
  column.type = type;
  column.role = role_;
  column.role_known = role_known;
  return column;
}

BatchColumn ColumnBuilder::FinishNumbers(uint32_t rows, std::shared_ptr<arrow::Buffer> validity, int64_t nulls) {
  BatchColumn column = Described(ColumnType::kDouble);
  switch (form_) {
    case NumberForm::kInt: column.type = ColumnType::kInt64; break;
    case NumberForm::kUInt: column.type = ColumnType::kUInt64; break;
    case NumberForm::kMixed: column.type = SettleMixed(rows, &column.integral); break;
    case NumberForm::kDouble:
    case NumberForm::kNone: break;
  }
  column.values = arrow::MakeArray(arrow::ArrayData::Make(
      BatchArrowType(column.type, role_), rows, {std::move(validity), values_.Finish(int64_t{rows} * 8)}, nulls));
  return column;
}

std::optional<BatchColumn> ColumnBuilder::Finish(uint32_t rows) {
  if (const auto base = space_->AbandonedAt(attempt_); base && filled_ > *base) Rewind(*base);
  ARC_CHECK(filled_ <= rows);
  if (kind_ == Kind::kNone) return std::nullopt;
  if (filled_ < rows) {
    if (capacity_ < rows) EnsureCapacity(rows);
    PadTo(rows);
  }
  int64_t nulls = 0;
  std::shared_ptr<arrow::Buffer> validity;
  if (validity_ != nullptr) {
    nulls = rows - arrow::internal::CountSetBits(validity_, 0, rows);
    // A NULL that an abandoned row forced may have been overwritten.
    if (nulls > 0) validity = validity_bits_.Finish(BitmapBytes(rows));
  }
  if (nulls == rows) return std::nullopt;
  if (kind_ == Kind::kNumber) return FinishNumbers(rows, std::move(validity), nulls);

  BatchColumn column = Described(kind_ == Kind::kBool ? ColumnType::kBool : ColumnType::kString);
  auto type = BatchArrowType(column.type, kind_ == Kind::kTag ? ColumnRole::kTag : ColumnRole::kField);
  std::shared_ptr<arrow::ArrayData> data;
  if (kind_ == Kind::kString) {
    data = arrow::ArrayData::Make(
        type, rows, {std::move(validity), values_.Finish((int64_t{rows} + 1) * 4), text_.Finish(text_bytes_)}, nulls);
  } else {
    const int64_t bytes = kind_ == Kind::kBool ? BitmapBytes(rows) : int64_t{rows} * 4;
    data = arrow::ArrayData::Make(type, rows, {std::move(validity), values_.Finish(bytes)}, nulls);
    if (kind_ == Kind::kTag) data->dictionary = tags_.Finish(space_->budget)->data();
  }
  column.values = arrow::MakeArray(data);
  return column;
}

}  // namespace arc
