#include "arc/model/batch.h"

#include <arrow/array.h>
#include <arrow/util/byte_size.h>

namespace arc {

int64_t Batch::ByteSize() const {
  int64_t bytes = 0;
  for (const auto& column : columns) bytes += arrow::util::TotalBufferSize(*column.values);
  return bytes;
}

}  // namespace arc
