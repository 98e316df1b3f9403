// Rows of a request on their way into batches: one builder per measurement and agreement about column kinds.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/decode/column_builder.h"
#include "arc/decode/growing_buffer.h"
#include "arc/decode/string_table.h"
#include "arc/model/batch.h"

namespace arc {

inline constexpr int32_t kMaxColumns = 10'000;       // per batch
inline constexpr size_t kMaxVariants = 16;           // batches per measurement
inline constexpr size_t kMaxRowErrors = 100'000;     // per request
inline constexpr uint32_t kMaxPresizedRows = 65536;  // rows that a mere estimate may reserve

// One batch. Rows: BeginRow, values into columns at row(), then CommitRow, or nothing to abandon the row. Blocks:
// BeginBlock, values at row() + i, CommitBlock. Not thread-safe.
class BatchBuilder {
 public:
  // `expected_rows` only sizes the first allocation.
  BatchBuilder(uint32_t expected_rows, MemoryBudget* budget);

  uint32_t row() const { return space_.rows; }
  uint32_t rows() const { return space_.rows; }

  // The column of that name and role, made if absent; null with the reason in `why`. Bytes up to `limit` may be read.
  // `role_known` is false where the role is a guess (BatchColumn::role_known).
  ColumnBuilder* Column(std::string_view name, ColumnRole role, const char* limit, bool role_known, Added* why);
  // The column that the last row had first.
  ColumnBuilder* first = nullptr;

  void BeginRow() {
    space_.BeginAttempt(/*block=*/false);
    if (space_.rows == space_.capacity) [[unlikely]]
      GrowRows(space_.rows + 1);
  }
  void CommitRow(int64_t time, uint32_t position) {
    const uint32_t row = space_.rows;
    space_.Commit(1);
    reinterpret_cast<int64_t*>(time_.data())[row] = time;
    if (time < min_time_) min_time_ = time;
    if (time > max_time_) max_time_ = time;
    if (!positions_.empty() || position != first_position_ + row) [[unlikely]]
      NotePosition(row, position);
  }

  void BeginBlock(uint32_t rows) {
    space_.BeginAttempt(/*block=*/true);
    if (rows > space_.capacity - space_.rows) GrowRows(space_.rows + rows);
  }
  // Where the block's times are to be written, one per row.
  int64_t* block_times() { return reinterpret_cast<int64_t*>(time_.data()) + space_.rows; }
  void CommitBlock(uint32_t rows, int64_t min_time, int64_t max_time, uint32_t first_position);

  // Requires rows() > 0. Call once.
  Batch Finish();
  uint32_t first_position() const { return positions_.empty() ? first_position_ : positions_.front(); }

 private:
  void GrowRows(uint32_t rows);
  void NotePosition(uint32_t row, uint32_t position);

  RowSpace space_;
  const uint32_t expected_rows_;
  GrowingBuffer time_;
  int64_t min_time_ = std::numeric_limits<int64_t>::max();
  int64_t max_time_ = std::numeric_limits<int64_t>::min();
  uint32_t first_position_ = 0;
  std::vector<uint32_t> positions_;  // empty while they are contiguous
  StringTable tag_names_;
  StringTable field_names_;
  std::vector<ColumnBuilder*> tags_;
  std::vector<ColumnBuilder*> fields_;
  std::vector<std::unique_ptr<ColumnBuilder>> columns_;  // in order of appearance
};

// All batches of one measurement.
class MeasurementBuilder {
 public:
  MeasurementBuilder(std::string_view name, uint32_t expected_rows, MemoryBudget* budget)
      : name_(name), expected_rows_(expected_rows), budget_(budget) {}

  const std::string& name() const { return name_; }
  SpelledKey key;
  MeasurementBuilder* next = nullptr;  // the measurement that followed this one last time

  // Calls `add(BatchBuilder&)` with each variant in turn, a new one at last, until it returns something other than
  // kConflict, and returns that.
  template <typename Add>
  Added InSomeVariant(const Add& add) {
    for (size_t i = 0; i < kMaxVariants; ++i) {
      if (i == variants_.size()) AddVariant();
      const Added added = add(*variants_[i]);
      if (added != Added::kConflict) [[likely]]
        return added;
    }
    return Added::kTooManyKinds;
  }
  const std::vector<std::unique_ptr<BatchBuilder>>& variants() const { return variants_; }

 private:
  void AddVariant();

  const std::string name_;
  const uint32_t expected_rows_;
  MemoryBudget* const budget_;
  std::vector<std::unique_ptr<BatchBuilder>> variants_;
};

// A whole request. Not thread-safe. Growth throws std::bad_alloc when the budget is spent; DecodeGuarded turns that
// into an Error.
class RequestBuilder {
 public:
  explicit RequestBuilder(size_t body_bytes) : budget_(body_bytes) {}

  MemoryBudget* budget() { return &budget_; }
  // How many rows the first measurement will probably have.
  void ExpectRows(size_t rows) {
    expected_rows_ = static_cast<uint32_t>(rows < kMaxPresizedRows ? rows : kMaxPresizedRows);
  }
  // The measurement, made if absent; null with the reason in `why`. Bytes up to `limit` may be read.
  MeasurementBuilder* Measurement(std::string_view name, const char* limit, Added* why);
  // Fails once there are more than kMaxRowErrors.
  Status AddError(uint32_t position, std::string message);
  WriteRequest Finish(std::string position_name);

 private:
  MemoryBudget budget_;
  uint32_t expected_rows_ = 0;
  StringTable names_;
  std::vector<std::unique_ptr<MeasurementBuilder>> measurements_;
  std::vector<RowError> errors_;
};

// Whether a measurement or column may be so named: kOk, kEmptyName, kNameTooLong or kBadUtf8.
Added CheckName(std::string_view name);
// "field 'x' …": what `added` means for a value or name. `what` is "field", "tag", "measurement" …
std::string DescribeRefusal(Added added, std::string_view what, std::string_view name);
// At most 64 bytes of a body for a message, unprintable bytes as \xNN, in single quotes.
std::string Snippet(std::string_view text);

// Calls `decode` and turns running out of memory or budget into kTooLarge.
Result<WriteRequest> TooLargeToDecode(size_t body_bytes);
template <typename Decode>
Result<WriteRequest> DecodeGuarded(std::string_view body, const Decode& decode) {
  try {
    return decode();
  } catch (const std::bad_alloc&) {
    return TooLargeToDecode(body.size());
  }
}

}  // namespace arc
