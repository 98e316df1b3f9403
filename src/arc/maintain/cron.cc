#include "arc/maintain/cron.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <string>

namespace arc {
namespace {

constexpr int64_t kMinuteMicros = 60'000'000;
constexpr int64_t kMinutesPerDay = 1440;
constexpr int64_t kSearchDays = 8 * 366;

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kWeekdays = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct Field {
  std::string_view name;
  int least;
  int most;
  std::span<const std::string_view> words;  // of the numbers from `least` on
};

constexpr int kFields = 5;
const std::array<Field, kFields> kFieldsOf = {{{"minute", 0, 59, {}},
                                               {"hour", 0, 23, {}},
                                               {"day of the month", 1, 31, {}},
                                               {"month", 1, 12, kMonths},
                                               {"day of the week", 0, 7, kWeekdays}}};

Error Bad(const Field& field, std::string_view text) {
  return InvalidArgument(fmt::format("\"{}\" is no {} of a schedule: *, or numbers {} to {}, ranges a-b and steps /n",
                                     text, field.name, field.least, field.most));
}

std::string_view CutAt(char separator, std::string_view* text) {
  const size_t at = text->find(separator);
  const std::string_view part = text->substr(0, at);
  *text = at == std::string_view::npos ? std::string_view() : text->substr(at + 1);
  return part;
}

std::optional<int> NumberOf(const Field& field, std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  for (size_t i = 0; i < field.words.size(); ++i) {
    if (upper == field.words[i]) return field.least + static_cast<int>(i);
  }
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < field.least || number > field.most) {
    return std::nullopt;
  }
  return number;
}

Result<uint64_t> ParseItem(const Field& field, std::string_view item) {
  std::string_view rest = item;
  const bool stepped = item.find('/') != std::string_view::npos;
  std::string_view range = CutAt('/', &rest);
  std::optional<int> step = 1;
  if (stepped) step = NumberOf({field.name, 1, field.most, {}}, rest);
  std::optional<int> first = field.least;
  std::optional<int> last = field.most;
  if (range != "*") {
    const bool ends = range.find('-') != std::string_view::npos;
    std::string_view end = range;
    first = NumberOf(field, CutAt('-', &end));
    if (ends) {
      last = NumberOf(field, end);
    } else if (!stepped) {
      last = first;
    }
  }
  if (!first || !last || !step || *first > *last) return Bad(field, item);
  uint64_t bits = 0;
  for (int number = *first; number <= *last; number += *step) bits |= uint64_t{1} << number;
  return bits;
}

Result<uint64_t> ParseField(const Field& field, std::string_view text) {
  uint64_t bits = 0;
  if (text.ends_with(',')) return Bad(field, text);
  while (!text.empty()) {
    ARC_ASSIGN_OR_RETURN(const uint64_t more, ParseItem(field, CutAt(',', &text)));
    bits |= more;
  }
  return bits;
}

bool Has(uint64_t bits, int64_t number) { return (bits >> number & 1) != 0; }

}  // namespace

Result<CronSchedule> CronSchedule::Parse(std::string_view text) {
  std::array<uint64_t, kFields> bits{};
  std::array<std::string_view, kFields> parts;
  size_t count = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view part = CutAt(' ', &rest);
    if (part.empty()) continue;
    if (count == kFields) return InvalidArgument(fmt::format("the schedule \"{}\" has more than five fields", text));
    parts[count] = part;
    ARC_ASSIGN_OR_RETURN(bits[count], ParseField(kFieldsOf[count], part));
    ++count;
  }
  if (count < kFields) {
    return InvalidArgument(
        fmt::format("the schedule \"{}\" has {} fields, not five: minute, hour, day, month, weekday", text, count));
  }
  CronSchedule schedule;
  schedule.minutes_ = bits[0];
  schedule.hours_ = bits[1];
  schedule.days_ = bits[2];
  schedule.months_ = bits[3];
  schedule.weekdays_ = bits[4] | bits[4] >> 7;  // Sunday is 7, too
  schedule.any_day_ = parts[2].starts_with('*');
  schedule.any_weekday_ = parts[4].starts_with('*');
  return schedule;
}

bool CronSchedule::FitsDay(int64_t days) const {
  const std::chrono::sys_days point{std::chrono::days(days)};
  const std::chrono::year_month_day date(point);
  if (!Has(months_, static_cast<unsigned>(date.month()))) return false;
  const bool day = Has(days_, static_cast<unsigned>(date.day()));
  const bool weekday = Has(weekdays_, std::chrono::weekday(point).c_encoding());
  return any_day_ || any_weekday_ ? day && weekday : day || weekday;
}

std::optional<int64_t> CronSchedule::Next(int64_t micros) const {
  const int64_t minute = micros / kMinuteMicros - (micros % kMinuteMicros < 0 ? 1 : 0) + 1;
  int64_t day = minute / kMinutesPerDay - (minute % kMinutesPerDay < 0 ? 1 : 0);
  int64_t from = minute - day * kMinutesPerDay;
  for (const int64_t last = day + kSearchDays; day <= last; ++day, from = 0) {
    if (!FitsDay(day)) continue;
    for (int64_t of_day = from; of_day < kMinutesPerDay; ++of_day) {
      if (Has(hours_, of_day / 60) && Has(minutes_, of_day % 60)) {
        return (day * kMinutesPerDay + of_day) * kMinuteMicros;
      }
    }
  }
  return std::nullopt;
}

}  // namespace arc
