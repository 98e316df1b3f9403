#include "arc/server/write_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace arc {

namespace {
constexpr int kBarWidth = 24;
constexpr int64_t kRedrawNanos = 200'000'000;
constexpr int64_t kLineNanos = 10'000'000'000;

std::string Duration(double seconds) {
  const int64_t whole = std::llround(seconds);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
}
}  // namespace

std::string Grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (int64_t at = static_cast<int64_t>(text.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    text.insert(static_cast<size_t>(at), 1, ',');
  }
  return text;
}

std::string ProgressLine(int64_t rows, int64_t done, int64_t done_before, int64_t total, double seconds) {
  const double share = total <= 0 ? 1 : std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
  const int filled = static_cast<int>(share * kBarWidth);
  std::string bar(static_cast<size_t>(filled), '=');
  if (filled < kBarWidth) bar += '>';
  bar.resize(kBarWidth, ' ');
  const double rate = seconds > 0 ? static_cast<double>(rows) / seconds : 0;
  std::string line = fmt::format("{:3.0f}% [{}] {} rows  {} rows/s", share * 100, bar, Grouped(rows),
                                 Grouped(static_cast<int64_t>(rate)));
  if (done > done_before && done < total) {
    const double left = seconds * static_cast<double>(total - done) / static_cast<double>(done - done_before);
    line += "  ETA " + Duration(left);
  }
  return line;
}

WriteProgress::WriteProgress(std::ostream& out, bool terminal, Clock& clock)
    : out_(out),
      terminal_(terminal),
      clock_(clock),
      started_nanos_(clock.MonotonicNanos()),
      shown_nanos_(terminal ? started_nanos_ - kRedrawNanos : started_nanos_) {}

void WriteProgress::Show(int64_t rows, int64_t done, int64_t total) {
  if (done_before_ < 0) done_before_ = rows == 0 ? done : 0;
  const int64_t now = clock_.MonotonicNanos();
  if (now - shown_nanos_ < (terminal_ ? kRedrawNanos : kLineNanos)) return;
  shown_nanos_ = now;
  const std::string line = ProgressLine(rows, done, done_before_, total, seconds());
  // Clears the rest of the line: it may have been longer.
  out_ << (terminal_ ? "\r" + line + "\x1b[K" : line + "\n") << std::flush;
  drawn_ = terminal_;
}

void WriteProgress::Clear() {
  if (drawn_) out_ << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

}  // namespace arc
