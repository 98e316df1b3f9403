#include "arc/maintain/cron_ticker.h"

#include <chrono>
#include <utility>

namespace arc {
namespace {

constexpr auto kPeriod = std::chrono::seconds(1);

}  // namespace

CronTicker::CronTicker(const std::string& name, std::optional<CronSchedule> schedule, Clock& clock,
                       std::function<void()> body)
    : schedule_(schedule), clock_(clock), body_(std::move(body)), looked_micros_(clock.WallMicros()) {
  if (schedule_) ticker_ = std::make_unique<Ticker>(name, kPeriod, [this] { Look(); });
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
