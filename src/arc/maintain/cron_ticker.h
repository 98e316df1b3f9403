// What runs by a cron schedule.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "arc/base/clock.h"
#include "arc/base/thread.h"
#include "arc/maintain/cron.h"

namespace arc {

// Thread-safe. Looks at the wall clock every `period` of real time, on a thread of its own, and calls `body` when the
// schedule came due since the look before: once, however often it did. A clock that was set back makes nothing due.
class CronTicker {
 public:
  // `clock` outlives it. No schedule: `body` is never called.
  CronTicker(const std::string& name, std::optional<CronSchedule> schedule, Clock& clock, std::function<void()> body,
             std::chrono::milliseconds period = std::chrono::seconds(1));

  // Wall µs at which it is due next; none when never.
  std::optional<int64_t> Next() const;
  // Waits for a running call to end; none follows.
  void Stop();

 private:
  void Look();

  const std::optional<CronSchedule> schedule_;
  Clock& clock_;
  const std::function<void()> body_;
  int64_t looked_micros_;
  std::unique_ptr<Ticker> ticker_;  // last: it uses the members above
};

}  // namespace arc
