// What commands that copy or read many objects show while they run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "arc/base/thread.h"

namespace arc {

// "1,234 of 5,000 objects, 12.3 MB"; a total of 0 is not known yet.
std::string ObjectProgressText(uint64_t done, uint64_t total, int64_t bytes);
// "12.3 MB".
std::string BytesText(int64_t bytes);

// A line that redraws itself each second on a terminal, else one every ten seconds. `text` is called from a thread of
// its own until this is destroyed.
class ObjectProgress {
 public:
  ObjectProgress(std::ostream& out, bool terminal, std::function<std::string()> text);
  ~ObjectProgress();

 private:
  std::ostream& out_;
  const bool terminal_;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace arc
