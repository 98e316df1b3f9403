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
  std::string bucket;
  std::string prefix;      // of every key, without slashes at its ends; empty: none
  std::string endpoint;    // "host:port", also with http:// or https:// before it; empty: AWS
  bool use_ssl = true;     // where the endpoint names no scheme
  std::string region;      // empty: us-east-1 with an endpoint, else what AWS's SDK finds
  std::string access_key;  // empty: AWS's chain (environment, profile, instance role)
  std::string secret_key;
  bool make_bucket = false;  // when it is not there
  int64_t connect_timeout_ms = 2'000;
  int64_t request_timeout_ms = 10'000;  // without a byte moving
  int retries = 3;                      // of a request, after 100 ms doubling up to 2 s, each less a random half
};

// Opens the bucket: kUnauthenticated or kPermissionDenied when the credentials do not do, kNotFound for a bucket that
// is not there, kUnavailable when nobody answers. `random` must outlive the store.
//
// The store's calls give these kinds too, with kUnavailable for whatever may heal. UriOf gives
// "s3://bucket/prefix/key". S3 has no conditional write through Arrow: PutIfAbsent and Create look first, so of two
// writers at the same moment both may succeed, the last one staying. Keys that several processes could write at once
// need a UUID in them (docs/decisions/0009). Overwriting an object changes what its open readers see.
Result<std::unique_ptr<ObjectStore>> OpenS3ObjectStore(S3StoreOptions options, RandomSource& random);

}  // namespace arc
