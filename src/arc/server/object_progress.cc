#include "arc/server/object_progress.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "arc/server/table_printer.h"

namespace arc {

std::string BytesText(int64_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string ObjectProgressText(uint64_t done, uint64_t total, int64_t bytes) {
  if (total == 0) return "looking for what is to be done";
  return GroupDigits(static_cast<int64_t>(done)) + " of " + GroupDigits(static_cast<int64_t>(total)) + " objects, " +
         BytesText(bytes);
}

ObjectProgress::ObjectProgress(std::ostream& out, bool terminal, std::function<std::string()> text)
    : out_(out), terminal_(terminal) {
  const auto period = terminal ? std::chrono::milliseconds(1000) : std::chrono::milliseconds(10'000);
  ticker_ = std::make_unique<Ticker>("progress", period, [this, text = std::move(text)] {
    out_ << (terminal_ ? "\r\x1b[K" : "") << text() << (terminal_ ? "" : "\n") << std::flush;
  });
}

ObjectProgress::~ObjectProgress() {
  ticker_.reset();
  if (terminal_) out_ << "\r\x1b[K" << std::flush;
}

}  // namespace arc
