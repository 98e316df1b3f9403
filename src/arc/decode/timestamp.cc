#include "arc/decode/timestamp.h"

#include <array>
#include <cmath>
#include <utility>

namespace arc {
namespace {

constexpr int64_t kSecond = 1'000'000;

std::optional<int64_t> InBounds(int64_t micros) {
  if (micros < kMinTimeMicros || micros > kMaxTimeMicros) return std::nullopt;
  return micros;
}

// Microseconds in one unit; nanoseconds are handled apart.
int64_t MicrosPerUnit(TimePrecision precision) {
  switch (precision) {
    case TimePrecision::kMicros: return 1;
    case TimePrecision::kMillis: return 1000;
    case TimePrecision::kSeconds: return kSecond;
    case TimePrecision::kMinutes: return 60 * kSecond;
    case TimePrecision::kHours: return 3600 * kSecond;
    case TimePrecision::kNanos:
    case TimePrecision::kAuto: break;
  }
  return 1;
}

TimePrecision GuessPrecision(double magnitude) {
  if (magnitude < 5e9) return TimePrecision::kSeconds;
  if (magnitude < 5e12) return TimePrecision::kMillis;
  if (magnitude < 5e15) return TimePrecision::kMicros;
  return TimePrecision::kNanos;
}

// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
int64_t DaysFromDate(int64_t year, int month, int day) {
  // Counted in years that start in March, so that the leap day is the last of its year.
  const int64_t shifted = year - (month <= 2 ? 1 : 0);
  const int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
  const int64_t year_of_era = shifted - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

int DaysInMonth(int64_t year, int month) {
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<size_t>(month - 1)];
}

// Reads fixed-width parts of a text from left to right; any mismatch makes it fail for good.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : text_(text) {}
  bool ok() const { return ok_; }
  bool done() const { return at_ == text_.size(); }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  int Digits(int count) {
    int value = 0;
    for (int i = 0; i < count; ++i) {
      const char c = peek();
      if (c < '0' || c > '9') return ok_ = false, 0;
      value = value * 10 + (c - '0');
      ++at_;
    }
    return value;
  }
  void OneOf(std::string_view set) {
    if (done() || set.find(text_[at_]) == std::string_view::npos) {
      ok_ = false;
    } else {
      ++at_;  // never past the end: later calls compare with it
    }
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
  bool ok_ = true;
};

// ".123456789" -> 123456; 0 when there is no fraction.
int64_t Fraction(TextReader* reader) {
  if (reader->peek() != '.') return 0;
  reader->OneOf(".");
  int64_t micros = reader->Digits(1) * (kSecond / 10);
  for (int64_t unit = kSecond / 100; reader->ok() && reader->peek() >= '0' && reader->peek() <= '9'; unit /= 10) {
    micros += reader->Digits(1) * unit;
  }
  return micros;
}

}  // namespace

std::optional<TimePrecision> ParseTimePrecision(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, TimePrecision>, 14> kNames = {{
      {"ns", TimePrecision::kNanos},
      {"n", TimePrecision::kNanos},
      {"us", TimePrecision::kMicros},
      {"u", TimePrecision::kMicros},
      {"\xC2\xB5s", TimePrecision::kMicros},
      {"ms", TimePrecision::kMillis},
      {"s", TimePrecision::kSeconds},
      {"m", TimePrecision::kMinutes},
      {"h", TimePrecision::kHours},
      {"auto", TimePrecision::kAuto},
      {"nanosecond", TimePrecision::kNanos},
      {"microsecond", TimePrecision::kMicros},
      {"millisecond", TimePrecision::kMillis},
      {"second", TimePrecision::kSeconds},
  }};
  for (const auto& [word, precision] : kNames) {
    if (word == name) return precision;
  }
  return std::nullopt;
}

std::optional<int64_t> ToMicros(int64_t value, TimePrecision precision) {
  if (precision == TimePrecision::kAuto) precision = GuessPrecision(std::fabs(static_cast<double>(value)));
  if (precision == TimePrecision::kNanos) return FastToMicros(value, precision);
  int64_t micros = 0;
  if (__builtin_mul_overflow(value, MicrosPerUnit(precision), &micros)) return std::nullopt;
  return InBounds(micros);
}

std::optional<int64_t> ToMicros(double value, TimePrecision precision) {
  if (!std::isfinite(value)) return std::nullopt;
  if (precision == TimePrecision::kAuto) precision = GuessPrecision(std::fabs(value));
  const double micros =
      precision == TimePrecision::kNanos ? value / 1000 : value * static_cast<double>(MicrosPerUnit(precision));
  if (micros < static_cast<double>(kMinTimeMicros) || micros > static_cast<double>(kMaxTimeMicros)) return std::nullopt;
  return InBounds(std::llround(micros));
}

std::optional<int64_t> ToMicros(int64_t seconds, uint32_t nanos) {
  int64_t micros = 0;
  if (nanos > 999'999'999 || __builtin_mul_overflow(seconds, kSecond, &micros)) return std::nullopt;
  if (__builtin_add_overflow(micros, static_cast<int64_t>(nanos / 1000), &micros)) return std::nullopt;
  return InBounds(micros);
}

std::optional<int64_t> ParseRfc3339(std::string_view text) {
  TextReader reader(text);
  const int year = reader.Digits(4);
  reader.OneOf("-");
  const int month = reader.Digits(2);
  reader.OneOf("-");
  const int day = reader.Digits(2);
  reader.OneOf("Tt ");
  const int hour = reader.Digits(2);
  reader.OneOf(":");
  const int minute = reader.Digits(2);
  reader.OneOf(":");
  const int second = reader.Digits(2);
  const int64_t fraction = Fraction(&reader);
  int offset_minutes = 0;
  const char zone = reader.peek();
  reader.OneOf("Zz+-");
  if (zone == '+' || zone == '-') {
    const int hours = reader.Digits(2);
    reader.OneOf(":");
    const int minutes = reader.Digits(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset_minutes = (zone == '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  if (!reader.ok() || !reader.done()) return std::nullopt;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const int64_t minutes = (DaysFromDate(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
  return InBounds((minutes * 60 + second) * kSecond + fraction);
}

std::string TimeOutOfRange(std::string_view value, TimePrecision precision) {
  std::string message = "time " + std::string(value);
  switch (precision) {
    case TimePrecision::kNanos: message += " ns"; break;
    case TimePrecision::kMicros: message += " us"; break;
    case TimePrecision::kMillis: message += " ms"; break;
    case TimePrecision::kSeconds: message += " s"; break;
    case TimePrecision::kMinutes: message += " m"; break;
    case TimePrecision::kHours: message += " h"; break;
    case TimePrecision::kAuto: break;
  }
  return message + " is outside the years 1 to 9999 (is it in another unit?)";
}

}  // namespace arc
