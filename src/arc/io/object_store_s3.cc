#include "arc/io/object_store_s3.h"

#include <arrow/filesystem/s3fs.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "arc/io/arrow_object_store.h"
#include "arc/io/endpoint_url.h"
#include "arc/io/trusted_certificates.h"

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

Status CheckOptions(const S3StoreOptions& options) {
  const std::string in = " (" + options.settings + ")";
  if (options.access_key.empty() != options.secret_key.empty()) {
    return InvalidArgument("an access key and its secret key are given together or not at all" + in);
  }
  if (options.access_key.empty() && !options.session_token.empty()) {
    return InvalidArgument("a session token needs the access key and secret key that came with it" + in);
  }
  if (options.url_style == S3StoreOptions::UrlStyle::kPath && options.endpoint.empty()) {
    return InvalidArgument("path style needs an endpoint, such as s3.REGION.amazonaws.com" + in);
  }
  return CheckCaFile(options.ca_file);
}

// Where AWS's SDK looks for the store; its region fills in what no endpoint says.
arrow::fs::S3Options ClientOptions(const S3StoreOptions& options, RandomSource& random) {
  arrow::fs::S3Options client;
  if (options.access_key.empty()) {
    client.ConfigureDefaultCredentials();
  } else {
    client.ConfigureAccessKey(options.access_key, options.secret_key, options.session_token);
  }
  EndpointUrl endpoint = ParseEndpoint(options.endpoint, options.use_ssl ? "https" : "http");
  client.scheme = endpoint.scheme;
  client.endpoint_override = endpoint.host;
  client.force_virtual_addressing = options.url_style == S3StoreOptions::UrlStyle::kVirtual;
  client.region = options.region.empty() && !endpoint.host.empty() ? kDefaultRegion : options.region;
  client.tls_ca_file_path = options.ca_file.empty() ? MachineCaFile() : options.ca_file;
  client.connect_timeout = static_cast<double>(options.connect_timeout_ms) / 1000;
  client.request_timeout = static_cast<double>(options.request_timeout_ms) / 1000;
  client.allow_bucket_creation = options.make_bucket;
  // Small objects in one request instead of three, and no memory for parts that wait to be sent.
  client.allow_delayed_open = true;
  client.background_writes = false;
  client.retry_strategy = std::make_shared<BoundedRetries>(options.retries, random);
  return client;
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenS3ObjectStore(const S3StoreOptions& options, RandomSource& random) {
  ARC_RETURN_IF_ERROR(CheckOptions(options));
  ARC_RETURN_IF_ERROR(StartSdk());
  auto files = arrow::fs::S3FileSystem::Make(ClientOptions(options, random));
  EndSdkWithTheProcess();
  if (!files.ok()) return InvalidArgument(files.status().message() + " (" + options.settings + ")");
  ArrowStoreOptions store;
  store.files = std::move(*files);
  store.bucket = options.bucket;
  store.prefix = options.prefix;
  // Hadoop's connectors write the same address with schemes of their own.
  for (const char* scheme : {"s3://", "s3a://", "s3n://"}) store.uris.push_back(scheme + options.bucket);
  store.make_bucket = options.make_bucket;
  store.server = options.endpoint.empty() ? "AWS in " + options.region : options.endpoint;
  store.settings = options.settings;
  return MakeArrowObjectStore(std::move(store));
}

}  // namespace arc
