// The object store that the configuration names.
#pragma once

#include <functional>
#include <memory>

#include "arc/base/result.h"
#include "arc/io/object_store.h"
#include "arc/server/config.h"

namespace arc {

// Opens it, without asking it anything; empty for the local disk.
std::function<Result<std::unique_ptr<ObjectStore>>()> RemoteStoreOf(const Config& config);

}  // namespace arc
