#include "arc/decode/item_writer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace arc {

ItemKey ClassifyItemKey(std::string_view key) {
  static constexpr std::array<std::pair<std::string_view, ItemKey>, 11> kKeys = {{
      {"m", ItemKey::kMeasurement},
      {"t", ItemKey::kTime},
      {"h", ItemKey::kHost},
      {"tags", ItemKey::kTags},
      {"fields", ItemKey::kFields},
      {"columns", ItemKey::kColumns},
      {"tag_keys", ItemKey::kTagKeys},
      {"batch", ItemKey::kBatch},
      {"measurement", ItemKey::kMeasurement},
      {"time", ItemKey::kTime},
      {"timestamp", ItemKey::kTime},
  }};
  for (const auto& [word, meaning] : kKeys) {
    if (word == key) return meaning;
  }
  return ItemKey::kUnknown;
}

bool IsListed(const std::vector<std::string_view>& tag_keys, std::string_view name) {
  return std::find(tag_keys.begin(), tag_keys.end(), name) != tag_keys.end();
}

void ScalarBlock::Add(std::string_view name, std::vector<Scalar> values) {
  if (name == "time") {
    times = std::move(values);
    return;
  }
  std::erase_if(columns, [&](const ScalarColumn& column) { return column.name == name; });
  columns.push_back({name, std::move(values)});
}

Status ItemWriter::Refuse(std::string message, uint32_t rows) {
  ARC_RETURN_IF_ERROR(request_->AddError(position_, std::move(message)));
  position_ += rows;
  return {};
}

Added ItemWriter::Refused(Added added, std::string_view what, std::string_view name) {
  if (added == Added::kConflict) return added;
  error_ = added == Added::kFault ? std::string(what) + " " + Snippet(name) + " is neither a number, a boolean nor text"
                                  : DescribeRefusal(added, what, name);
  return added;
}

MeasurementBuilder* ItemWriter::Measurement(const Scalar& name) {
  if (name.kind != ScalarKind::kText) {
    error_ = name.kind == ScalarKind::kNil ? "the measurement (m) is missing" : "the measurement (m) is no text";
    return nullptr;
  }
  if (current_ != nullptr && current_->name() == name.text()) return current_;
  Added why = Added::kOk;
  MeasurementBuilder* found = request_->Measurement(name.text(), LimitOf(name.text()), &why);
  if (found == nullptr) {
    Refused(why, "measurement", name.text());
    return nullptr;
  }
  return current_ = found;
}

Added ItemWriter::TagValue(ColumnBuilder& column, uint32_t row, const Scalar& value) {
  ScalarTextBuffer buffer;
  const auto text = TextOfScalar(value, buffer);
  const Added added = text ? column.AddTag(row, *text, LimitOf(*text)) : Added::kFault;
  return added == Added::kOk ? added : Refused(added, "tag", column.name());
}

Added ItemWriter::FieldValue(ColumnBuilder& column, uint32_t row, const Scalar& value) {
  const Added added = AddFieldScalar(column, row, value);
  return added == Added::kOk ? added : Refused(added, "field", column.name());
}

Added ItemWriter::NamedTag(BatchBuilder& batch, std::string_view name, const Scalar& value) {
  if (value.kind == ScalarKind::kNil) return Added::kOk;
  Added why = Added::kOk;
  ColumnBuilder* column = batch.Column(name, ColumnRole::kTag, LimitOf(name), /*role_known=*/true, &why);
  return column == nullptr ? Refused(why, "tag", name) : TagValue(*column, batch.row(), value);
}

Added ItemWriter::AddHost(BatchBuilder& batch, const Scalar& value) {
  has_host_ |= value.kind != ScalarKind::kNil;
  return NamedTag(batch, "host", value);
}

Added ItemWriter::AddTag(BatchBuilder& batch, std::string_view name, const Scalar& value) {
  return NamedTag(batch, has_host_ && name == "host" ? "host_1" : name, value);
}

Added ItemWriter::AddField(BatchBuilder& batch, std::string_view name, const Scalar& value) {
  if (value.kind == ScalarKind::kNil) return Added::kOk;
  Added why = Added::kOk;
  ColumnBuilder* column = batch.Column(name, ColumnRole::kField, LimitOf(name), /*role_known=*/true, &why);
  if (column == nullptr) return Refused(why, "field", name);
  has_field_ = true;
  return FieldValue(*column, batch.row(), value);
}

Added ItemWriter::CommitRow(BatchBuilder& batch, int64_t time) {
  if (!has_field_) {
    error_ = "the row has no fields";
    return Added::kFault;
  }
  batch.CommitRow(time, position_);
  return Added::kOk;
}

bool ItemWriter::Time(const Scalar& value, int64_t* micros) {
  *micros = options_.server_time_micros;
  if (value.kind == ScalarKind::kNil) return true;
  const auto converted = TimeOfScalar(value, options_.precision, &error_);
  if (converted) *micros = *converted;
  return converted.has_value();
}

std::vector<ColumnRole> ItemWriter::Roles(const ScalarBlock& block) {
  std::vector<ColumnRole> roles;
  for (const ScalarColumn& column : block.columns) {
    const auto is_text = [](const Scalar& v) { return v.kind == ScalarKind::kText || v.kind == ScalarKind::kNil; };
    const bool tag = block.tag_keys != nullptr ? IsListed(*block.tag_keys, column.name)
                                               : std::all_of(column.values.begin(), column.values.end(), is_text);
    roles.push_back(tag ? ColumnRole::kTag : ColumnRole::kField);
  }
  return roles;
}

bool ItemWriter::AppendColumns(const ScalarBlock& block, const std::vector<ColumnRole>& roles, BatchBuilder& batch) {
  batch.BeginBlock(block.rows);
  int64_t* const times = batch.block_times();
  int64_t min_time = std::numeric_limits<int64_t>::max();
  int64_t max_time = std::numeric_limits<int64_t>::min();
  for (uint32_t i = 0; i < block.rows; ++i) {
    times[i] = options_.server_time_micros;
    if (!block.times.empty()) {
      if (block.times[i].kind == ScalarKind::kNil || !Time(block.times[i], &times[i])) return false;
    }
    min_time = std::min(min_time, times[i]);
    max_time = std::max(max_time, times[i]);
  }
  for (size_t c = 0; c < block.columns.size(); ++c) {
    const ScalarColumn& source = block.columns[c];
    ColumnBuilder* column = nullptr;
    for (uint32_t i = 0; i < block.rows; ++i) {
      const Scalar& value = source.values[i];
      if (value.kind == ScalarKind::kNil) continue;
      if (column == nullptr) {
        Added why = Added::kOk;
        column = batch.Column(source.name, roles[c], LimitOf(source.name), block.tag_keys != nullptr, &why);
        if (column == nullptr) return false;
        column->BeginBlock();
      }
      const uint32_t row = batch.row() + i;
      const Added added =
          roles[c] == ColumnRole::kTag ? TagValue(*column, row, value) : AddFieldScalar(*column, row, value);
      if (added != Added::kOk) return false;
    }
  }
  batch.CommitBlock(block.rows, min_time, max_time, position_);
  return true;
}

Added ItemWriter::AppendBlockRow(const ScalarBlock& block, const std::vector<ColumnRole>& roles, uint32_t row,
                                 int64_t time, BatchBuilder& batch) {
  batch.BeginRow();
  for (size_t c = 0; c < block.columns.size(); ++c) {
    const std::string_view name = block.columns[c].name;
    const Scalar& value = block.columns[c].values[row];
    if (value.kind == ScalarKind::kNil) continue;
    Added why = Added::kOk;
    ColumnBuilder* column = batch.Column(name, roles[c], LimitOf(name), block.tag_keys != nullptr, &why);
    if (column == nullptr) return Refused(why, "column", name);
    const Added added =
        roles[c] == ColumnRole::kTag ? TagValue(*column, batch.row(), value) : FieldValue(*column, batch.row(), value);
    if (added != Added::kOk) return added;
  }
  batch.CommitRow(time, position_);
  return Added::kOk;
}

Status ItemWriter::AppendBlock(MeasurementBuilder& measurement, const ScalarBlock& block) {
  const std::vector<ColumnRole> roles = Roles(block);
  bool appended = false;
  measurement.InSomeVariant([&](BatchBuilder& batch) {
    appended = AppendColumns(block, roles, batch);
    return Added::kOk;  // the first variant, or else row by row
  });
  if (appended) {
    Advance(block.rows);
    return {};
  }
  for (uint32_t row = 0; row < block.rows; ++row) {
    int64_t micros = options_.server_time_micros;
    Added added = Added::kFault;
    if (!block.times.empty() && block.times[row].kind == ScalarKind::kNil) {
      error_ = "time is null";
    } else if (block.times.empty() || Time(block.times[row], &micros)) {
      added = measurement.InSomeVariant(
          [&](BatchBuilder& batch) { return AppendBlockRow(block, roles, row, micros, batch); });
      if (added == Added::kTooManyKinds) Refused(added, "measurement", measurement.name());
    }
    if (added == Added::kOk) {
      ++position_;
    } else {
      ARC_RETURN_IF_ERROR(Refuse(error_));
    }
  }
  return {};
}

}  // namespace arc
