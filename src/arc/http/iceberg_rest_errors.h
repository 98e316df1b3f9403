// Errors as clients of the Iceberg REST catalog read them.
#pragma once

#include <string_view>

#include "arc/base/result.h"
#include "arc/http/response.h"

namespace arc {

// Whether a path belongs to the Iceberg REST catalog, whose errors have a shape of their own.
bool IsIcebergPath(std::string_view path);

// {"error":{"message":…,"type":…,"code":…}} with the status the specification gives the error's kind, or `status` where
// it is not 0.
Response IcebergErrorResponse(const Error& error, int status = 0);

}  // namespace arc
