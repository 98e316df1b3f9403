// Arrow's statuses turned into Arc's errors, at this room's door.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include "arc/base/result.h"

namespace arc {

// For bytes made here: a failure is a bug or a lack of memory.
inline Status FromArrow(const arrow::Status& status) {
  if (status.ok()) return {};
  return Internal(status.ToString());
}

// For bytes read from disk.
inline Error ArrowCorruption(const arrow::Status& status) { return Corruption(status.ToString()); }

}  // namespace arc
