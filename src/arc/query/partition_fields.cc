#include "arc/query/partition_fields.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "arc/model/schema.h"

namespace arc {
namespace {

using duckdb::LogicalType;
using duckdb::Value;

constexpr int64_t kHourSeconds = 3600;
constexpr int64_t kDaySeconds = 24 * kHourSeconds;
constexpr int kMonths = 12;
constexpr int kEpochYear = 1970;

bool IsNumber(const std::string& transform) {
  return transform == "hour" || transform == "day" || transform == "month" || transform == "year" ||
         transform.starts_with("bucket[");
}

LogicalType TypeOf(const std::string& transform) {
  return transform == "day" ? LogicalType::DATE : LogicalType::INTEGER;
}

std::tm CalendarAt(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm calendar{};
  gmtime_r(&time, &calendar);
  return calendar;
}

// As Iceberg's transforms write values for people.
std::string Text(const std::string& transform, int32_t value) {
  if (transform == "hour") return fmt::format("{:%Y-%m-%d-%H}", CalendarAt(value * kHourSeconds));
  if (transform == "day") return fmt::format("{:%Y-%m-%d}", CalendarAt(value * kDaySeconds));
  if (transform == "month") {
    const int year = value / kMonths - (value % kMonths < 0 ? 1 : 0);
    return fmt::format("{:04}-{:02}", kEpochYear + year, value - year * kMonths + 1);
  }
  if (transform == "year") return fmt::format("{:04}", int64_t{kEpochYear} + value);
  return std::to_string(value);
}

}  // namespace

PartitionFields::PartitionFields(const TableMetadata& metadata) {
  for (const auto& spec : metadata.partition_specs) {
    if (spec.fields.size() != 1 || !IsNumber(spec.fields[0].transform)) continue;
    const PartitionField& field = spec.fields[0];
    const auto same = std::find_if(fields_.begin(), fields_.end(), [&](const Field& known) {
      return known.field_id == field.field_id || SameIdentifier(known.name, field.name);
    });
    if (same == fields_.end()) {
      fields_.push_back({field.field_id, field.name, field.transform, {spec.spec_id}});
    } else if (same->field_id == field.field_id && same->transform == field.transform) {
      same->spec_ids.push_back(spec.spec_id);
    }
  }
  if (fields_.empty()) return;
  duckdb::child_list_t<LogicalType> children;
  for (const auto& field : fields_) children.emplace_back(field.name, TypeOf(field.transform));
  type_ = LogicalType::STRUCT(std::move(children));
}

const PartitionFields::Field* PartitionFields::Find(int32_t spec_id) const {
  for (const auto& field : fields_) {
    if (std::find(field.spec_ids.begin(), field.spec_ids.end(), spec_id) != field.spec_ids.end()) return &field;
  }
  return nullptr;
}

Value PartitionFields::ValueOf(int32_t spec_id, const std::optional<int32_t>& value) const {
  const Field* set = Find(spec_id);
  duckdb::vector<Value> values;
  for (const auto& field : fields_) {
    const LogicalType type = TypeOf(field.transform);
    if (&field != set || !value) {
      values.emplace_back(type);
    } else if (type == LogicalType::DATE) {
      values.push_back(Value::DATE(duckdb::date_t(*value)));
    } else {
      values.push_back(Value::INTEGER(*value));
    }
  }
  return Value::STRUCT(type_, std::move(values));
}

Value PartitionFields::BoundText(int32_t spec_id, const std::optional<std::string>& bound) const {
  const Field* field = Find(spec_id);
  if (field == nullptr || !bound || bound->size() != sizeof(int32_t)) return Value(LogicalType::VARCHAR);
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>((*bound)[static_cast<size_t>(i)]);
  return Value(Text(field->transform, static_cast<int32_t>(value)));
}

}  // namespace arc
