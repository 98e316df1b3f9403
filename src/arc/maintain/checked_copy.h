// A copy of an object that can take its place.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "arc/base/result.h"
#include "arc/io/object_store.h"

namespace arc {

// Makes `to` the same bytes as `from`, an immutable object of that many bytes, in a few megabytes of memory, and reads
// the copy back: its size and its checksum are those of what was read. Past the read cache. On error nothing that could
// be deleted is left under `to`. kAlreadyExists when the key is taken; kCorruption when the object is not of that size,
// or the copy is not what was written; kCancelled.
Status CopyChecked(ObjectStore& store, const std::string& from, const std::string& to, int64_t bytes,
                   const std::function<bool()>& is_cancelled);

}  // namespace arc
