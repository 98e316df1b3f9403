// Arrow's and Parquet's failures as ours.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <utility>

#include "arc/base/result.h"

namespace arc {

Error FromArrowStatus(const arrow::Status& status);

template <typename T>
Result<T> FromArrow(arrow::Result<T> result) {
  if (!result.ok()) return FromArrowStatus(result.status());
  return std::move(result).ValueUnsafe();
}

}  // namespace arc
