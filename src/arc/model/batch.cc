#include "arc/model/batch.h"

#include <arrow/array.h>
#include <arrow/buffer.h>

namespace arc {
namespace {

// Arrow's own TotalBufferSize keeps a set of the buffers it has seen: for each batch written that costs more than it
// tells.
int64_t BytesOf(const arrow::ArrayData& data) {
  int64_t bytes = data.dictionary == nullptr ? 0 : BytesOf(*data.dictionary);
  for (const auto& buffer : data.buffers) bytes += buffer == nullptr ? 0 : buffer->size();
  for (const auto& child : data.child_data) bytes += BytesOf(*child);
  return bytes;
}

}  // namespace

int64_t Batch::ByteSize() const {
  int64_t bytes = 0;
  for (const auto& column : columns) bytes += BytesOf(*column.values->data());
  return bytes;
}

}  // namespace arc
