#include "arc/decode/batch_builder.h"

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>

#include <algorithm>
#include <utility>

#include "arc/base/check.h"
#include "arc/decode/utf8.h"

namespace arc {
namespace {

constexpr uint32_t kFirstRows = 32;
constexpr uint32_t kSlowGrowthRows = 4096;  // from here on rows double, before they quadruple

// Bookkeeping beside the buffers, charged so that a body of many names cannot grow without bound.
constexpr int64_t kColumnOverhead = 2048;
constexpr int64_t kBatchOverhead = 2048;

}  // namespace

BatchBuilder::BatchBuilder(uint32_t expected_rows, MemoryBudget* budget)
    : space_(budget), expected_rows_(expected_rows) {
  budget->Take(kBatchOverhead);
}

ColumnBuilder* BatchBuilder::Column(std::string_view name, ColumnRole role, const char* limit, bool role_known,
                                    Added* why) {
  StringTable& names = role == ColumnRole::kTag ? tag_names_ : field_names_;
  std::vector<ColumnBuilder*>& columns = role == ColumnRole::kTag ? tags_ : fields_;
  const int32_t known = names.Find(name, limit);
  if (known >= 0) {
    ColumnBuilder* column = columns[static_cast<size_t>(known)];
    column->role_known |= role_known;
    return column;
  }
  *why = CheckName(name);
  if (*why != Added::kOk) return nullptr;
  if (columns_.size() >= static_cast<size_t>(kMaxColumns)) {
    *why = Added::kTooManyColumns;
    return nullptr;
  }
  space_.budget->Take(kColumnOverhead);
  ARC_CHECK(names.Add(name, space_.budget) == static_cast<int32_t>(columns.size()));
  columns_.push_back(std::make_unique<ColumnBuilder>(name, role, &space_));
  columns.push_back(columns_.back().get());
  columns.back()->role_known = role_known;
  return columns.back();
}

void BatchBuilder::GrowRows(uint32_t rows) {
  const uint32_t held = space_.capacity;
  uint64_t grown = held == 0 ? std::max(kFirstRows, expected_rows_) : uint64_t{held} * (held < kSlowGrowthRows ? 4 : 2);
  grown = std::max<uint64_t>(grown, rows);
  if (grown > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) throw std::bad_alloc();
  time_.Reserve(static_cast<int64_t>(grown) * 8, space_.budget);
  space_.capacity = static_cast<uint32_t>(grown);
}

void BatchBuilder::NotePosition(uint32_t row, uint32_t position) {
  if (row == 0) {
    first_position_ = position;
    return;
  }
  if (positions_.size() == positions_.capacity()) {
    const uint32_t room = std::max(space_.capacity, row + 1);
    space_.budget->Take(static_cast<int64_t>(room - positions_.capacity()) * 4);
    positions_.reserve(room);
  }
  for (uint32_t i = static_cast<uint32_t>(positions_.size()); i < row; ++i) positions_.push_back(first_position_ + i);
  positions_.push_back(position);
}

void BatchBuilder::CommitBlock(uint32_t rows, int64_t min_time, int64_t max_time, uint32_t first_position) {
  const uint32_t begin = space_.rows;
  min_time_ = std::min(min_time_, min_time);
  max_time_ = std::max(max_time_, max_time);
  space_.Commit(rows);
  if (begin == 0) {
    first_position_ = first_position;
  } else if (!positions_.empty() || first_position != first_position_ + begin) {
    for (uint32_t i = 0; i < rows; ++i) NotePosition(begin + i, first_position + i);
  }
}

Batch BatchBuilder::Finish() {
  const uint32_t rows = space_.rows;
  ARC_CHECK(rows > 0);
  space_.End();
  Batch batch;
  batch.rows = rows;
  batch.min_time = min_time_;
  batch.max_time = max_time_;
  batch.first_position = first_position_;
  batch.positions = std::move(positions_);
  batch.columns.reserve(columns_.size() + 1);
  auto times = arrow::ArrayData::Make(BatchArrowType(ColumnType::kTimestamp, ColumnRole::kTime), rows,
                                      {nullptr, time_.Finish(int64_t{rows} * 8)}, 0);
  BatchColumn& time = batch.columns.emplace_back();
  time.name = "time";
  time.type = ColumnType::kTimestamp;
  time.role = ColumnRole::kTime;
  time.values = arrow::MakeArray(times);
  for (const auto& column : columns_) {
    if (auto finished = column->Finish(rows)) batch.columns.push_back(*std::move(finished));
  }
  return batch;
}

void MeasurementBuilder::AddVariant() {
  // Only the first is expected to take most rows.
  variants_.push_back(std::make_unique<BatchBuilder>(variants_.empty() ? expected_rows_ : 0, budget_));
}

MeasurementBuilder* RequestBuilder::Measurement(std::string_view name, const char* limit, Added* why) {
  const int32_t known = names_.Find(name, limit);
  if (known >= 0) return measurements_[static_cast<size_t>(known)].get();
  *why = CheckName(name);
  if (*why != Added::kOk) return nullptr;
  budget_.Take(kBatchOverhead);
  ARC_CHECK(names_.Add(name, &budget_) == static_cast<int32_t>(measurements_.size()));
  const uint32_t expected_rows = measurements_.empty() ? expected_rows_ : 0;
  measurements_.push_back(std::make_unique<MeasurementBuilder>(name, expected_rows, &budget_));
  return measurements_.back().get();
}

Status RequestBuilder::AddError(uint32_t position, std::string message) {
  if (errors_.size() == kMaxRowErrors) {
    return InvalidArgument("more than " + std::to_string(kMaxRowErrors) + " rows are bad; the first (" +
                           std::to_string(errors_.front().position) + "): " + errors_.front().message);
  }
  errors_.push_back({position, std::move(message)});
  return {};
}

WriteRequest RequestBuilder::Finish(std::string position_name) {
  WriteRequest request;
  request.position_name = std::move(position_name);
  for (const auto& measurement : measurements_) {
    for (const auto& variant : measurement->variants()) {
      if (variant->rows() == 0) continue;
      request.batches.push_back({measurement->name(), variant->Finish()});
    }
  }
  // A measurement (or variant) may have been met first by a row that was refused. Positions are unique.
  std::sort(request.batches.begin(), request.batches.end(),
            [](const auto& a, const auto& b) { return a.batch.PositionOf(0) < b.batch.PositionOf(0); });
  request.errors = std::move(errors_);
  std::sort(request.errors.begin(), request.errors.end(),
            [](const RowError& a, const RowError& b) { return a.position < b.position; });
  return request;
}

Added CheckName(std::string_view name) {
  if (name.empty()) return Added::kEmptyName;
  if (name.size() > kMaxNameBytes) return Added::kNameTooLong;
  return ValidUtf8(name) ? Added::kOk : Added::kBadUtf8;
}

std::string DescribeRefusal(Added added, std::string_view what, std::string_view name) {
  const std::string subject = std::string(what) + " " + Snippet(name);
  switch (added) {
    case Added::kOk:
    case Added::kConflict:
    case Added::kFault: break;
    case Added::kDuplicate: return subject + " is given twice";
    case Added::kBadUtf8: return subject + " is not valid UTF-8";
    case Added::kTooLong: return subject + " is longer than 16 MB";
    case Added::kColumnFull: return subject + " holds more than 2 GB of text in one request";
    case Added::kEmptyName: return std::string(what) + " name is empty";
    case Added::kNameTooLong: return subject + ": the name is longer than 255 bytes";
    case Added::kTooManyColumns: return subject + " is one too many: a measurement has at most 10000 columns";
    case Added::kTooManyKinds:
      return subject + ": rows of one request disagree about the kinds of its fields in more than 16 ways";
  }
  return subject + " cannot be taken";
}

std::string Snippet(std::string_view text) {
  static constexpr size_t kMaxSnippet = 64;
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out = "'";
  size_t used = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    // Bytes of valid multi-byte characters would be fine, but a cut one would not: the message must stay UTF-8.
    const bool plain = byte >= 0x20 && byte < 0x7F;
    const size_t need = plain ? 1 : 4;
    if (used + need > kMaxSnippet - 3) {
      out += "...";
      break;
    }
    used += need;
    if (plain) {
      out += c;
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out + "'";
}

Result<WriteRequest> TooLargeToDecode(size_t body_bytes) {
  return MakeError(ErrorKind::kTooLarge, "the body of " + std::to_string(body_bytes) +
                                             " bytes expands to too much memory (very many columns or measurements "
                                             "with few values each): send it in smaller requests");
}

}  // namespace arc
