#include "arc/maintain/cron_ticker.h"

#include <utility>

namespace arc {

CronTicker::CronTicker(const std::string& name, std::optional<CronSchedule> schedule, Clock& clock,
                       std::function<void()> body, std::chrono::milliseconds period)
    : schedule_(schedule), clock_(clock), body_(std::move(body)), looked_micros_(clock.WallMicros()) {
  if (schedule_) ticker_ = std::make_unique<Ticker>(name, period, [this] { Look(); });
}

std::optional<int64_t> CronTicker::Next() const {
  return schedule_ ? schedule_->Next(clock_.WallMicros()) : std::nullopt;
}

void CronTicker::Stop() {
  if (ticker_ != nullptr) ticker_->Stop();
}

void CronTicker::Look() {
  const int64_t now = clock_.WallMicros();
  const int64_t last = std::exchange(looked_micros_, now);
  if (now <= last) return;
  const auto due = schedule_->Next(last);
  if (due && *due <= now) body_();
}

}  // namespace arc
