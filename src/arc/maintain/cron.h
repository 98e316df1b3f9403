// Schedules as cron writes them: "5 * * * *".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "arc/base/result.h"

namespace arc {

// Minute, hour, day of month, month (1-12 or JAN-DEC), day of week (0-7 or SUN-SAT, 0 and 7 being Sunday), in UTC. A
// field is *, or a list of numbers and ranges a-b, each with an optional step /n. When both days are restricted, either
// fits, as in cron. An immutable value.
class CronSchedule {
 public:
  // kInvalidArgument, naming the field.
  static Result<CronSchedule> Parse(std::string_view text);
  // The first minute after `micros` (since 1970) that fits; none when there is none within eight years (30 February).
  std::optional<int64_t> Next(int64_t micros) const;

 private:
  bool FitsDay(int64_t days) const;

  // Bit n stands for the number n.
  uint64_t minutes_ = 0;
  uint64_t hours_ = 0;
  uint64_t days_ = 0;
  uint64_t months_ = 0;
  uint64_t weekdays_ = 0;
  bool any_day_ = false;
  bool any_weekday_ = false;
};

}  // namespace arc
