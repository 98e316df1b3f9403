#include "arc/parquet/arrow_error.h"

#include <arrow/util/io_util.h>

#include <cerrno>

namespace arc {

Error FromArrowStatus(const arrow::Status& status) {
  const int error = arrow::internal::ErrnoFromStatus(status);
  ErrorKind kind = ErrorKind::kInternal;
  if (error == ENOSPC || error == EDQUOT) {
    kind = ErrorKind::kDiskFull;
  } else if (status.IsIOError()) {
    kind = ErrorKind::kUnavailable;
  } else if (status.IsOutOfMemory()) {
    kind = ErrorKind::kOverloaded;
  } else if (status.IsCancelled()) {
    kind = ErrorKind::kCancelled;
  }
  return MakeError(kind, status.message());
}

}  // namespace arc
