// What the errors of Arrow's file systems mean.
#pragma once

#include <string>

#include "arc/base/result.h"

namespace arrow {
class Status;
}

namespace arc {

// `what` failed with a status that is not OK. kNotFound: no such object; kUnauthenticated and kPermissionDenied: the
// store refused the credentials; kUnavailable for whatever may heal, a missing bucket included: its objects may be
// somewhere. The message holds no secrets.
Error StoreError(const arrow::Status& status, const std::string& what);

// Whether the error is that of a bucket or container that is not there.
bool IsMissingBucket(const arrow::Status& status);

// Whether the store's host has no address.
bool IsUnknownHost(const Error& error);
// Whether the server's TLS certificate was refused.
bool IsUntrustedServer(const Error& error);

}  // namespace arc
