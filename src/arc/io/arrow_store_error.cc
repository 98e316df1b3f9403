#include "arc/io/arrow_store_error.h"

#include <arrow/util/io_util.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <string_view>

namespace arc {
namespace {

bool Contains(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

// The query of an address may carry a signature (Azure's SAS).
std::string WithoutSignatures(std::string message) {
  for (std::string_view word : {"sig=", "Signature="}) {
    for (size_t at = message.find(word); at != std::string::npos; at = message.find(word, at)) {
      at += word.size();
      size_t end = message.find_first_of("& \"'\n", at);
      message.replace(at, std::min(end, message.size()) - at, "(hidden)");
    }
  }
  return message;
}

}  // namespace

// Arrow tells the kind of a store's error in its message only. The words are S3's, Google's and Azure's.
Error StoreError(const arrow::Status& status, const std::string& what) {
  std::string message = WithoutSignatures(what + ": " + status.message());
  if (IsMissingBucket(status)) return MakeError(ErrorKind::kUnavailable, message);
  if (arrow::internal::ErrnoFromStatus(status) == ENOENT ||
      Contains(message, {"NO_SUCH_KEY", "RESOURCE_NOT_FOUND", "Status(NOT_FOUND", "BlobNotFound", "PathNotFound"})) {
    return MakeError(ErrorKind::kNotFound, message);
  }
  if (Contains(message,
               {"INVALID_ACCESS_KEY_ID", "InvalidAccessKeyId", "SIGNATURE_DOES_NOT_MATCH", "SignatureDoesNotMatch",
                "INVALID_CLIENT_TOKEN_ID", "UNRECOGNIZED_CLIENT", "EXPIRED_TOKEN", "ExpiredToken",
                "MISSING_AUTHENTICATION_TOKEN", "REQUEST_EXPIRED", "Status(UNAUTHENTICATED", "AuthenticationFailed",
                "InvalidAuthenticationInfo", "NoAuthenticationInformation", "AuthenticationException"})) {
    return MakeError(ErrorKind::kUnauthenticated, message);
  }
  if (Contains(message, {"ACCESS_DENIED", "AccessDenied", "HTTP response code 403", "(HTTP status 403)",
                         "Status(PERMISSION_DENIED", "AuthorizationFailure", "AuthorizationPermissionMismatch",
                         "InsufficientAccountPermissions", "AccountIsDisabled", "] 403 "})) {
    return MakeError(ErrorKind::kPermissionDenied, message);
  }
  if (status.IsOutOfMemory()) return MakeError(ErrorKind::kOverloaded, message);
  if (status.IsInvalid() || status.IsTypeError()) return MakeError(ErrorKind::kInvalidArgument, message);
  return MakeError(ErrorKind::kUnavailable, message);
}

bool IsMissingBucket(const arrow::Status& status) {
  return Contains(status.message(), {"NO_SUCH_BUCKET", "NoSuchBucket", "ContainerNotFound", "FilesystemNotFound",
                                     "bucket does not exist"});
}

bool IsMissingToken(const Error& error) {
  return Contains(error.message, {"Failed to get token", "OAuth2 access token"});
}

bool IsUnknownHost(const Error& error) {
  return Contains(error.message, {"resolve host", "resolve hostname", "curlCode: 6,"});
}

bool IsUntrustedServer(const Error& error) {
  return Contains(error.message,
                  {"curlCode: 60,", "curlCode: 77,", "SSL peer certificate", "SSL certificate problem", "SSL CA cert"});
}

}  // namespace arc
