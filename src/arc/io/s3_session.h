// Arrow's door to S3: its life cycle, the way its clients are set up and what its errors mean.
#pragma once

#include <memory>
#include <string>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/io/object_store_s3.h"

namespace arrow {
class Status;
}
namespace arrow::fs {
class S3FileSystem;
}

namespace arc {

// A client for the endpoint and credentials of `options`. The first one of the process starts AWS's SDK, which ends
// with the process. `random` must outlive the client.
Result<std::shared_ptr<arrow::fs::S3FileSystem>> ConnectS3(const S3StoreOptions& options, RandomSource& random);

// `what` failed with a status that is not OK.
Error S3Error(const arrow::Status& status, const std::string& what);

}  // namespace arc
