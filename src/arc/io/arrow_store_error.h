// What the errors of Arrow's file systems mean.
#pragma once

#include <arrow/status.h>

#include <exception>
#include <string>

#include "arc/base/result.h"

namespace arc {

// Calls into a file system and turns what it throws into a status: Azure's identity library throws through Arrow when
// no token is to be had.
template <typename Call>
auto Caught(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& exception) {
    return arrow::Status::IOError(exception.what());
  }
}

// `what` failed with a status that is not OK. kNotFound: no such object; kUnauthenticated and kPermissionDenied: the
// store refused the credentials; kUnavailable for whatever may heal, a missing bucket included: its objects may be
// somewhere. The message holds no secrets.
Error StoreError(const arrow::Status& status, const std::string& what);

// Whether the error is that of a bucket or container that is not there.
bool IsMissingBucket(const arrow::Status& status);

// Whether no access token was given, so that the store was not asked.
bool IsMissingToken(const Error& error);
// Whether the store's host has no address.
bool IsUnknownHost(const Error& error);
// Whether the server's TLS certificate was refused.
bool IsUntrustedServer(const Error& error);

}  // namespace arc
