// One column of a batch while rows are decoded: values in the layout Arrow wants, written in place.
#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/decode/growing_buffer.h"
#include "arc/decode/string_table.h"
#include "arc/model/batch.h"

namespace arc {

// What became of a value (or a name) handed to a builder.
enum class Added : uint8_t {
  kOk,
  kConflict,     // the column holds values of another kind: try the next variant of the measurement
  kDuplicate,    // the row has this tag already
  kBadUtf8,      //
  kTooLong,      // a string over kMaxStringBytes
  kColumnFull,   // 2 GB of text in one column
  kEmptyName,    //
  kNameTooLong,  // over kMaxNameBytes
  kTooManyColumns,
  kTooManyKinds,  // over kMaxVariants
  kFault,         // the text is wrong, not the value; the decoder has the message
};

inline constexpr size_t kMaxStringBytes = 16 << 20;
inline constexpr size_t kMaxNameBytes = 255;

// How a number was sent. A kUInt is past INT64_MAX or was marked unsigned.
enum class NumberForm : uint8_t { kNone, kInt, kUInt, kDouble, kMixed };

// What the columns of a batch share: the rows, and the attempts to add some. An attempt that is not committed is
// abandoned: what it wrote is void, also where a later row took its place without touching the column. Columns find
// that out when they are next written or finished.
class RowSpace {
 public:
  explicit RowSpace(MemoryBudget* budget) : budget(budget) {}

  void BeginAttempt(bool block) {
    if (attempt != committed_) [[unlikely]]
      NoteAbandoned();
    ++attempt;
    expected = block ? attempt : committed_;
  }
  void Commit(uint32_t count) {
    rows += count;
    committed_ = attempt;
    expected = attempt;
  }
  // The attempt at hand, if not committed, is abandoned.
  void End() {
    if (attempt != committed_) NoteAbandoned();
  }
  // The committed rows when the attempt began, if it was abandoned.
  std::optional<uint32_t> AbandonedAt(uint32_t attempt) const;

  uint32_t rows = 0;      // committed
  uint32_t capacity = 0;  // rows that may be written before the next growth
  uint32_t attempt = 0;   // at hand
  uint32_t expected = 0;  // the attempt that wrote a column last when it has a value in every row so far
  MemoryBudget* const budget;

 private:
  struct Abandoned {
    uint32_t first_attempt;
    uint32_t last_attempt;
    uint32_t rows;
  };
  void NoteAbandoned();

  uint32_t committed_ = 0;
  std::vector<Abandoned> abandoned_;  // ascending
};

// The bytes by which a column (or measurement) was named last, as they stand in the body: sender's rows repeat
// themselves, so the next one is recognised by a compare instead of a look-up.
class SpelledKey {
 public:
  static constexpr size_t kMaxBytes = 32;
  // Longer spellings are not kept and never match.
  void Set(std::string_view spelling) {
    size_ = spelling.size() <= kMaxBytes ? static_cast<uint32_t>(spelling.size()) : 0;
    if (size_ != 0) std::memcpy(bytes_, spelling.data(), size_);
    unused_low_ = size_ >= 16 ? 0 : 0xFFFFU & ~((1U << size_) - 1);
    unused_high_ = size_ >= 32 ? 0 : size_ <= 16 ? 0xFFFFU : 0xFFFFU & ~((1U << (size_ - 16)) - 1);
  }
  uint32_t size() const { return size_; }
  // Reads kMaxBytes bytes at `p`.
  bool Matches(const char* p) const {
    if (Unequal(p, bytes_, unused_low_) || size_ == 0) return false;
    return size_ <= 16 || !Unequal(p + 16, bytes_ + 16, unused_high_);
  }

 private:
  static bool Unequal(const char* p, const char* bytes, uint32_t unused) {
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i b = _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
    return (static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b))) | unused) != 0xFFFFU;
  }
  alignas(16) char bytes_[kMaxBytes] = {};
  uint32_t size_ = 0;
  uint32_t unused_low_ = 0;
  uint32_t unused_high_ = 0;
};

// Rows are written at `row`, in ascending order; rows skipped become NULL. Not thread-safe.
class alignas(64) ColumnBuilder {
 public:
  ColumnBuilder(std::string_view name, ColumnRole role, const RowSpace* space)
      : role_(role), space_(space), name_(name) {}
  ColumnBuilder(const ColumnBuilder&) = delete;
  ColumnBuilder& operator=(const ColumnBuilder&) = delete;

  const std::string& name() const { return name_; }
  ColumnRole role() const { return role_; }

  SpelledKey key;
  ColumnBuilder* next = nullptr;  // the column that followed this one in the last row that had it
  bool role_known = false;        // some row said so, as BatchColumn means it

  // `bits` are those of an int64, uint64 or double as `form` says. A second value for a row replaces the first.
  [[gnu::always_inline]] Added AddNumber(uint32_t row, uint64_t bits, NumberForm form) {
    if (form == form_ && IsNext(row)) [[likely]] {
      reinterpret_cast<uint64_t*>(values_.data())[row] = bits;
      MarkValid(row);
      return Added::kOk;
    }
    return AddNumberSlow(row, bits, form);
  }
  Added AddInt(uint32_t row, int64_t value) { return AddNumber(row, static_cast<uint64_t>(value), NumberForm::kInt); }
  Added AddUInt(uint32_t row, uint64_t value) { return AddNumber(row, value, NumberForm::kUInt); }
  Added AddDouble(uint32_t row, double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, 8);
    return AddNumber(row, bits, NumberForm::kDouble);
  }
  Added AddBool(uint32_t row, bool value);
  Added AddString(uint32_t row, std::string_view value);
  // Bytes up to `limit` may be read, past the end of the value too. A second value for a row is kDuplicate.
  [[gnu::always_inline]] Added AddTag(uint32_t row, std::string_view value, const char* limit) {
    const int32_t code = tags_.FindNext(value, limit);
    if (code >= 0 && kind_ == Kind::kTag && IsNext(row)) [[likely]] {
      reinterpret_cast<int32_t*>(values_.data())[row] = code;
      MarkValid(row);
      return Added::kOk;
    }
    return AddTagSlow(row, value, code);
  }

  // Before the block at hand is written into this column. A second time for one block drops what the first wrote.
  void BeginBlock();
  // Where to write numbers of one form from `row` on, how many is then told by EndRun; null when the column holds other
  // forms or another kind: add them one by one.
  uint64_t* BeginRun(uint32_t row, NumberForm form);
  // The same for a tag's codes: those of values that CodeOf knows. Null while the column holds none.
  int32_t* BeginTagRun(uint32_t row);
  [[gnu::always_inline]] int32_t CodeOf(std::string_view value, const char* limit) {
    return tags_.FindNext(value, limit);
  }
  void EndRun(uint32_t row, uint32_t count);

  // The column with `rows` rows; nothing when no row has a value. Call once.
  std::optional<BatchColumn> Finish(uint32_t rows);

 private:
  enum class Kind : uint8_t { kNone, kNumber, kBool, kString, kTag };

  static void SetBit(uint8_t* bits, uint32_t i) { bits[i >> 3] |= static_cast<uint8_t>(1U << (i & 7)); }
  static void ClearBit(uint8_t* bits, uint32_t i) { bits[i >> 3] &= static_cast<uint8_t>(~(1U << (i & 7))); }

  Added AddNumberSlow(uint32_t row, uint64_t bits, NumberForm form);
  Added AddTagSlow(uint32_t row, std::string_view value, int32_t code);
  // Every row before `row` is filled and none of it void, and there is room.
  bool IsNext(uint32_t row) const { return attempt_ == space_->expected && filled_ == row && row < capacity_; }
  void MarkValid(uint32_t row) {
    if (validity_ != nullptr) SetBit(validity_, row);
    filled_ = row + 1;
    attempt_ = space_->attempt;
  }
  // Makes `row` the next to be written, as a value of `kind`; kConflict when committed rows hold another kind.
  Added Place(uint32_t row, Kind kind);
  // Drops what abandoned attempts left.
  void DropVoid();
  void Rewind(uint32_t row);
  void Reset();
  void EnsureCapacity(uint32_t rows);
  // Makes room for every row that the block at hand may have, not only for the next.
  void FitSpace();
  void EnsureValidity();
  void PadTo(uint32_t row);
  void BecomeMixed();

  BatchColumn Described(ColumnType type) const;
  BatchColumn FinishNumbers(uint32_t rows, std::shared_ptr<arrow::Buffer> validity, int64_t nulls);
  ColumnType SettleMixed(uint32_t rows, std::shared_ptr<arrow::Buffer>* integral);

  const ColumnRole role_;
  // In the order of use: a value written touches three cache lines.
  uint32_t filled_ = 0;          // rows written or padded
  uint32_t capacity_ = 0;        // rows that fit into the buffers
  uint32_t attempt_ = 0;         // the RowSpace::attempt that wrote last
  uint32_t first_row_ = 0;       // of the first value since the kind was settled
  uint8_t* validity_ = nullptr;  // bitmap; null while no row is NULL
  GrowingBuffer values_;         // 8-byte numbers, int32 codes, int32 offsets or a bitmap
  Kind kind_ = Kind::kNone;
  NumberForm form_ = NumberForm::kNone;  // kNone unless the kind is kNumber
  const RowSpace* const space_;
  StringTable tags_;
  const std::string name_;
  int32_t text_bytes_ = 0;
  GrowingBuffer text_;
  GrowingBuffer validity_bits_;
  GrowingBuffer forms_;  // a NumberForm per row, once form_ is kMixed
};

}  // namespace arc
