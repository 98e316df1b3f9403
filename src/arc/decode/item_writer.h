// What MessagePack and JSON bodies share: items are rows or blocks of columns, and what their keys mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/decode/batch_builder.h"
#include "arc/decode/scalar.h"
#include "arc/decode/timestamp.h"

namespace arc {

// What a key at the top of an item stands for.
enum class ItemKey : uint8_t { kUnknown, kMeasurement, kTime, kHost, kTags, kFields, kColumns, kTagKeys, kBatch };
ItemKey ClassifyItemKey(std::string_view key);

// Batches within batches may nest this deep.
inline constexpr int kMaxItemDepth = 8;

struct ItemOptions {
  int64_t server_time_micros = 0;
  TimePrecision precision = TimePrecision::kMillis;
};

// A column of a block, taken apart: the way for blocks whose values do not fit one plain run.
struct ScalarColumn {
  std::string_view name;
  std::vector<Scalar> values;
};
struct ScalarBlock {
  uint32_t rows = 0;
  std::vector<Scalar> times;  // empty where the block has no time column
  std::vector<ScalarColumn> columns;
  const std::vector<std::string_view>* tag_keys = nullptr;  // null: the sender does not tell

  // `time` becomes the times; of two columns of one name the last counts.
  void Add(std::string_view name, std::vector<Scalar> values);
};

// Writes rows into a request and counts positions. Not thread-safe.
class ItemWriter {
 public:
  // Bytes of [body, limit) may be read at any time, past the end of texts within too.
  ItemWriter(const ItemOptions& options, RequestBuilder* request, const char* body, const char* limit)
      : options_(options), request_(request), body_(body), limit_(limit) {}

  const ItemOptions& options() const { return options_; }
  RequestBuilder* request() const { return request_; }
  uint32_t position() const { return position_; }
  void Advance(uint32_t rows) { position_ += rows; }
  // The rows from position() on are refused because of `message`; `rows` >= 1.
  Status Refuse(std::string message, uint32_t rows = 1);

  // The measurement of that name; null with error() set. The one before is tried first.
  MeasurementBuilder* Measurement(const Scalar& name);
  MeasurementBuilder* current() const { return current_; }

  // Values of a row in `batch`; error() tells what an Added other than kOk and kConflict means. `host` of `tags`
  // becomes host_1 once AddHost gave the row its host.
  void BeginRow(BatchBuilder& batch) {
    batch.BeginRow();
    has_host_ = false;
    has_field_ = false;
  }
  Added AddHost(BatchBuilder& batch, const Scalar& value);
  Added AddTag(BatchBuilder& batch, std::string_view name, const Scalar& value);
  Added AddField(BatchBuilder& batch, std::string_view name, const Scalar& value);
  // kFault when the row has no field.
  Added CommitRow(BatchBuilder& batch, int64_t time);
  // Server time when `value` is nil; false with error() set.
  bool Time(const Scalar& value, int64_t* micros);

  // Appends a block of one row or more: column by column where all of it fits into the first variant, else row by row,
  // each to the variant that takes it. Columns listed in tag_keys are tags; without a list those of only strings.
  Status AppendBlock(MeasurementBuilder& measurement, const ScalarBlock& block);

  const std::string& error() const { return error_; }
  void set_error(std::string error) { error_ = std::move(error); }
  const char* LimitOf(std::string_view text) const {
    return text.data() >= body_ && text.data() < limit_ ? limit_ : text.data() + text.size();
  }
  Added Refused(Added added, std::string_view what, std::string_view name);

 private:
  Added TagValue(ColumnBuilder& column, uint32_t row, const Scalar& value);
  Added FieldValue(ColumnBuilder& column, uint32_t row, const Scalar& value);
  static std::vector<ColumnRole> Roles(const ScalarBlock& block);
  bool AppendColumns(const ScalarBlock& block, const std::vector<ColumnRole>& roles, BatchBuilder& batch);
  Added AppendBlockRow(const ScalarBlock& block, const std::vector<ColumnRole>& roles, uint32_t row, int64_t time,
                       BatchBuilder& batch);
  // A tag whose name is as final as names get.
  Added NamedTag(BatchBuilder& batch, std::string_view name, const Scalar& value);

  const ItemOptions options_;
  RequestBuilder* const request_;
  const char* const body_;
  const char* const limit_;
  MeasurementBuilder* current_ = nullptr;
  uint32_t position_ = 0;
  bool has_host_ = false;
  bool has_field_ = false;
  std::string error_;
};

// The block's column of that name is a tag because the sender listed it.
bool IsListed(const std::vector<std::string_view>& tag_keys, std::string_view name);

}  // namespace arc
