// What `arc write` shows while it runs.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "arc/base/clock.h"

namespace arc {

// "45% [=====>     ] 1,234,000 rows  812,000 rows/s  ETA 12s". `done` of `total` in any unit; `seconds` since the
// start, at which `done_before` was done already.
std::string ProgressLine(int64_t rows, int64_t done, int64_t done_before, int64_t total, double seconds);

// "1,234,000"
std::string Grouped(int64_t number);

// A bar that redraws itself on a terminal, else a line every ten seconds. Not thread-safe.
class WriteProgress {
 public:
  WriteProgress(std::ostream& out, bool terminal, Clock& clock);
  // Rows of this run and what of the file is done; draws if it is time to.
  void Show(int64_t rows, int64_t done, int64_t total);
  // Takes the bar away, so that something else can be printed.
  void Clear();
  double seconds() const { return static_cast<double>(clock_.MonotonicNanos() - started_nanos_) / 1e9; }

 private:
  std::ostream& out_;
  const bool terminal_;
  Clock& clock_;
  const int64_t started_nanos_;
  int64_t shown_nanos_;
  int64_t done_before_ = -1;
  bool drawn_ = false;
};

}  // namespace arc
