// Objects in an S3 bucket: AWS S3, MinIO and others that speak its protocol.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/io/object_store.h"

namespace arc {

struct S3StoreOptions {
  // How a bucket stands in an address: in its path, or as the first part of its host's name.
  enum class UrlStyle { kAuto, kPath, kVirtual };

  std::string bucket;
  std::string prefix;         // of every key, without slashes at its ends; empty: none
  std::string endpoint;       // "host:port", also with http:// or https:// before it; empty: AWS
  bool use_ssl = true;        // where the endpoint names no scheme
  std::string ca_file;        // PEM certificates to trust; empty: the machine's
  std::string region;         // empty: us-east-1 with an endpoint, else what AWS's SDK finds
  std::string access_key;     // empty: AWS's chain (environment, profile, web identity, container or instance role)
  std::string secret_key;     //
  std::string session_token;  // of temporary keys, which are not renewed; empty: none
  UrlStyle url_style = UrlStyle::kAuto;  // kAuto: kVirtual for AWS, kPath with an endpoint
  bool make_bucket = false;              // when it is not there
  std::string settings = "storage.s3";   // for messages: the section of the settings
  int64_t connect_timeout_ms = 2'000;
  int64_t request_timeout_ms = 10'000;  // without a byte moving
  int retries = 3;                      // of a request, after 100 ms doubling up to 2 s, each less a random half
};

// A store whose bucket is looked for by Check only. kInvalidArgument for options that make no sense together. `random`
// must outlive the store. Credentials of AWS's chain are renewed by AWS's SDK before they expire.
//
// UriOf gives "s3://bucket/prefix/key". S3 has no conditional write through Arrow: PutIfAbsent and Create look first,
// so of two writers at the same moment both may succeed, the last one staying. Keys that several processes could write
// at once need a UUID in them (docs/decisions/0009). Overwriting an object changes what its open readers see.
Result<std::unique_ptr<ObjectStore>> OpenS3ObjectStore(const S3StoreOptions& options, RandomSource& random);

}  // namespace arc
