// What a key of the object store may be, for every store alike.
#pragma once

#include <string>

#include "arc/base/result.h"

namespace arc {

// kInvalidArgument unless `key` is elements joined by single slashes, none empty, "." or ".." or beginning with
// kTemporaryPrefix, and without NUL bytes.
Status CheckObjectKey(const std::string& key);

}  // namespace arc
