#include "arc/io/s3_session.h"

#include <arrow/filesystem/s3fs.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/util/io_util.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace arc {
namespace {

constexpr int64_t kFirstDelayMs = 100;
constexpr int64_t kLastDelayMs = 2'000;
constexpr const char* kDefaultRegion = "us-east-1";

class BoundedRetries : public arrow::fs::S3RetryStrategy {
 public:
  BoundedRetries(int retries, RandomSource& random) : retries_(retries), random_(random) {}
  bool ShouldRetry(const AWSErrorDetail& error, int64_t attempted) override {
    return error.should_retry && attempted < retries_;
  }
  int64_t CalculateDelayBeforeNextRetry(const AWSErrorDetail&, int64_t attempted) override {
    int64_t delay = std::min(kFirstDelayMs << std::min<int64_t>(attempted, 10), kLastDelayMs);
    return delay - static_cast<int64_t>(random_.NextU64() % static_cast<uint64_t>(delay / 2 + 1));
  }

 private:
  const int retries_;
  RandomSource& random_;
};

// Once for the process: the SDK cannot be started again.
Status StartSdk() {
  static const arrow::Status started = [] {
    auto options = arrow::fs::S3GlobalOptions::Defaults();
    options.log_level = arrow::fs::S3LogLevel::Off;
    return arrow::fs::InitializeS3(options);
  }();
  if (started.ok()) return {};
  return Internal("S3 cannot be used: " + started.ToString());
}

// The SDK has to be ended before the process tears down what it uses: statics that the first client makes, so this is
// asked for after them.
void EndSdkWithTheProcess() {
  static const int registered = std::atexit([] { (void)arrow::fs::EnsureS3Finalized(); });
  ARC_CHECK(registered == 0);
}

bool Contains(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

}  // namespace

Result<std::shared_ptr<arrow::fs::S3FileSystem>> ConnectS3(const S3StoreOptions& options, RandomSource& random) {
  ARC_RETURN_IF_ERROR(StartSdk());
  arrow::fs::S3Options client;
  if (options.access_key.empty()) {
    client.ConfigureDefaultCredentials();
  } else {
    client.ConfigureAccessKey(options.access_key, options.secret_key);
  }
  std::string_view endpoint = options.endpoint;
  client.scheme = options.use_ssl ? "https" : "http";
  for (std::string_view scheme : {"https", "http"}) {
    if (!endpoint.starts_with(std::string(scheme) + "://")) continue;
    client.scheme = scheme;
    endpoint.remove_prefix(scheme.size() + 3);
    break;
  }
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  client.endpoint_override = endpoint;
  client.region = options.region.empty() && !endpoint.empty() ? kDefaultRegion : options.region;
  client.connect_timeout = static_cast<double>(options.connect_timeout_ms) / 1000;
  client.request_timeout = static_cast<double>(options.request_timeout_ms) / 1000;
  client.allow_bucket_creation = options.make_bucket;
  // Small objects in one request instead of three, and no memory for parts that wait to be sent.
  client.allow_delayed_open = true;
  client.background_writes = false;
  client.retry_strategy = std::make_shared<BoundedRetries>(options.retries, random);
  auto made = arrow::fs::S3FileSystem::Make(client);
  EndSdkWithTheProcess();
  if (!made.ok()) return S3Error(made.status(), "connecting");
  return std::move(*made);
}

// Arrow tells the kind of an AWS error in its message only.
Error S3Error(const arrow::Status& status, const std::string& what) {
  std::string message = what + ": " + status.message();
  // What the store says of itself. A missing bucket is no missing object: its objects may be somewhere.
  if (Contains(message, {"NO_SUCH_BUCKET", "NoSuchBucket"})) return MakeError(ErrorKind::kUnavailable, message);
  if (arrow::internal::ErrnoFromStatus(status) == ENOENT || Contains(message, {"NO_SUCH_KEY", "RESOURCE_NOT_FOUND"})) {
    return MakeError(ErrorKind::kNotFound, message);
  }
  if (Contains(message, {"INVALID_ACCESS_KEY_ID", "InvalidAccessKeyId", "SIGNATURE_DOES_NOT_MATCH",
                         "SignatureDoesNotMatch", "INVALID_CLIENT_TOKEN_ID", "UNRECOGNIZED_CLIENT", "EXPIRED_TOKEN",
                         "ExpiredToken", "MISSING_AUTHENTICATION_TOKEN", "REQUEST_EXPIRED"})) {
    return MakeError(ErrorKind::kUnauthenticated, message);
  }
  if (Contains(message, {"ACCESS_DENIED", "AccessDenied", "HTTP response code 403", "(HTTP status 403)"})) {
    return MakeError(ErrorKind::kPermissionDenied, message);
  }
  if (status.IsOutOfMemory()) return MakeError(ErrorKind::kOverloaded, message);
  if (status.IsInvalid() || status.IsTypeError()) return MakeError(ErrorKind::kInvalidArgument, message);
  return MakeError(ErrorKind::kUnavailable, message);
}

}  // namespace arc
