#include <charconv>
#include <cstring>
#include <limits>
#include <string>

#include "arc/http/cell_writers.h"
#include "arc/http/time_text.h"

namespace arc {
namespace {

constexpr int64_t kDaySeconds = 86'400;

int64_t PerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND: return 1;
    case arrow::TimeUnit::MILLI: return 1'000;
    case arrow::TimeUnit::MICRO: return 1'000'000;
    case arrow::TimeUnit::NANO: return 1'000'000'000;
  }
  return 1;
}

// a / b and a mod b, rounded towards the past.
int64_t FloorDivide(int64_t a, int64_t b, int64_t* rest) {
  int64_t quotient = a / b;
  *rest = a % b;
  if (*rest < 0) {
    *rest += b;
    --quotient;
  }
  return quotient;
}

// DuckDB's infinities: the largest value and its negative.
template <typename T>
const char* Infinity(T value) {
  if (value == std::numeric_limits<T>::max()) return "infinity";
  if (value == -std::numeric_limits<T>::max()) return "-infinity";
  return nullptr;
}

// Dates repeat from row to row: the last one's text is kept.
class DateText {
 public:
  char* Write(int64_t days, char* to) {
    if (days != days_) {
      days_ = days;
      size_ = static_cast<size_t>(WriteDate(days, text_) - text_);
    }
    std::memcpy(to, text_, size_);
    return to + size_;
  }

 private:
  int64_t days_ = std::numeric_limits<int64_t>::min();
  char text_[32];
  size_t size_ = 0;
};

class TimestampCell : public NullableCell<TimestampCell> {
 public:
  TimestampCell(const std::shared_ptr<arrow::Array>& array, CellFormat format)
      : NullableCell(array, format), values_(array->data()->GetValues<int64_t>(1)) {
    const auto& type = static_cast<const arrow::TimestampType&>(*array->type());
    per_second_ = PerSecond(type.unit());
    zone_ = !type.timezone().empty();
  }
  void Value(int64_t row, OutputText* out) {
    char* to = out->Room(64);
    if (json()) *to++ = '"';
    int64_t value = values_[row];
    if (const char* infinity = Infinity(value)) {
      to = std::strcpy(to, infinity) + std::strlen(infinity);
    } else {
      int64_t fraction = 0;
      int64_t second_of_day = 0;
      int64_t seconds = FloorDivide(value, per_second_, &fraction);
      int64_t days = FloorDivide(seconds, kDaySeconds, &second_of_day);
      to = date_.Write(days, to);
      *to++ = 'T';
      to = WriteTimeOfDay(second_of_day * 1'000'000'000 + fraction * (1'000'000'000 / per_second_), to);
      if (zone_) *to++ = 'Z';
    }
    if (json()) *to++ = '"';
    out->Advance(to);
  }

 private:
  const int64_t* values_;
  int64_t per_second_ = 1;
  bool zone_ = false;
  DateText date_;
};

template <typename T>
class DateCell : public NullableCell<DateCell<T>> {
 public:
  DateCell(const std::shared_ptr<arrow::Array>& array, int64_t per_day, CellFormat format)
      : NullableCell<DateCell<T>>(array, format), values_(array->data()->template GetValues<T>(1)), per_day_(per_day) {}
  void Value(int64_t row, OutputText* out) {
    char* to = out->Room(40);
    if (this->json()) *to++ = '"';
    if (const char* infinity = Infinity(values_[row])) {
      to = std::strcpy(to, infinity) + std::strlen(infinity);
    } else {
      int64_t rest = 0;
      to = date_.Write(FloorDivide(values_[row], per_day_, &rest), to);
    }
    if (this->json()) *to++ = '"';
    out->Advance(to);
  }

 private:
  const T* values_;
  const int64_t per_day_;
  DateText date_;
};

template <typename T>
class TimeCell : public NullableCell<TimeCell<T>> {
 public:
  TimeCell(const std::shared_ptr<arrow::Array>& array, CellFormat format)
      : NullableCell<TimeCell<T>>(array, format),
        values_(array->data()->template GetValues<T>(1)),
        nanos_per_unit_(1'000'000'000 / PerSecond(static_cast<const arrow::TimeType&>(*array->type()).unit())) {}
  void Value(int64_t row, OutputText* out) {
    char* to = out->Room(40);
    if (this->json()) *to++ = '"';
    to = WriteTimeOfDay(static_cast<int64_t>(values_[row]) * nanos_per_unit_, to);
    if (this->json()) *to++ = '"';
    out->Advance(to);
  }

 private:
  const T* values_;
  const int64_t nanos_per_unit_;
};

void AppendPart(int64_t value, char unit, std::string* out) {
  if (value == 0) return;
  *out += std::to_string(value);
  out->push_back(unit);
}

// ISO 8601 "P1Y2M3DT4H5M6.789S"; each part carries its own sign, as PostgreSQL writes it.
std::string IsoDuration(int64_t months, int64_t days, int64_t nanos) {
  std::string text = "P";
  AppendPart(months / 12, 'Y', &text);
  AppendPart(months % 12, 'M', &text);
  AppendPart(days, 'D', &text);
  if (nanos != 0) {
    text.push_back('T');
    AppendPart(nanos / 3'600'000'000'000, 'H', &text);
    AppendPart(nanos / 60'000'000'000 % 60, 'M', &text);
    int64_t rest = nanos % 60'000'000'000;
    if (rest != 0) {
      if (rest < 0) text.push_back('-');
      uint64_t size = rest < 0 ? static_cast<uint64_t>(-rest) : static_cast<uint64_t>(rest);
      text += std::to_string(size / 1'000'000'000);
      if (uint64_t fraction = size % 1'000'000'000; fraction != 0) {
        std::string digits = std::to_string(1'000'000'000 + fraction).substr(1);
        digits.erase(digits.find_last_not_of('0') + 1);
        text += "." + digits;
      }
      text.push_back('S');
    }
  }
  return text == "P" ? "PT0S" : text;
}

class IntervalCell : public NullableCell<IntervalCell> {
 public:
  using NullableCell::NullableCell;
  void Value(int64_t row, OutputText* out) {
    if (json()) out->Put('"');
    out->Append(Text(row));
    if (json()) out->Put('"');
  }

 private:
  std::string Text(int64_t row) const {
    switch (array_->type_id()) {
      case arrow::Type::INTERVAL_MONTHS:
        return IsoDuration(static_cast<const arrow::MonthIntervalArray&>(*array_).Value(row), 0, 0);
      case arrow::Type::INTERVAL_DAY_TIME: {
        auto value = static_cast<const arrow::DayTimeIntervalArray&>(*array_).GetValue(row);
        return IsoDuration(0, value.days, static_cast<int64_t>(value.milliseconds) * 1'000'000);
      }
      case arrow::Type::INTERVAL_MONTH_DAY_NANO: {
        auto value = static_cast<const arrow::MonthDayNanoIntervalArray&>(*array_).GetValue(row);
        return IsoDuration(value.months, value.days, value.nanoseconds);
      }
      default: {
        int64_t per_second = PerSecond(static_cast<const arrow::DurationType&>(*array_->type()).unit());
        int64_t value = static_cast<const arrow::DurationArray&>(*array_).Value(row);
        // Whole days apart, so that seconds do not overflow as nanoseconds.
        int64_t per_day = kDaySeconds * per_second;
        return IsoDuration(0, value / per_day, value % per_day * (1'000'000'000 / per_second));
      }
    }
  }
};

}  // namespace

std::unique_ptr<CellWriter> MakeTimeCell(const std::shared_ptr<arrow::Array>& array, CellFormat format) {
  switch (array->type_id()) {
    case arrow::Type::TIMESTAMP: return std::make_unique<TimestampCell>(array, format);
    case arrow::Type::DATE32: return std::make_unique<DateCell<int32_t>>(array, 1, format);
    case arrow::Type::DATE64: return std::make_unique<DateCell<int64_t>>(array, kDaySeconds * 1'000, format);
    case arrow::Type::TIME32: return std::make_unique<TimeCell<int32_t>>(array, format);
    case arrow::Type::TIME64: return std::make_unique<TimeCell<int64_t>>(array, format);
    case arrow::Type::DURATION:
    case arrow::Type::INTERVAL_MONTHS:
    case arrow::Type::INTERVAL_DAY_TIME:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO: return std::make_unique<IntervalCell>(array, format);
    default: return nullptr;
  }
}

}  // namespace arc
