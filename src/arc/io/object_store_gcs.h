// Objects in a bucket of Google Cloud Storage.
#pragma once

#include <memory>
#include <string>

#include "arc/base/result.h"
#include "arc/io/object_store.h"

namespace arc {

struct GcsStoreOptions {
  std::string bucket;
  std::string prefix;                    // of every key, without slashes at its ends; empty: none
  std::string credentials_file;          // a service account's key (JSON); empty: Google's default credentials
  std::string project_id;                // for making the bucket only
  std::string endpoint;                  // of an emulator, "http://host:port"; empty: Google
  bool make_bucket = false;              // when it is not there
  std::string ca_file;                   // PEM certificates to trust; empty: the machine's
  std::string spill_folder;              // on local disk, for large objects on their way
  std::string settings = "storage.gcs";  // for messages: the section of the settings
  double retry_limit_seconds = 10;       // of a request with its retries, which wait longer each time, by chance
};

// A store whose bucket is looked for by Check only. kInvalidArgument for options that make no sense together, or a
// credentials file that is none. With an endpoint and no credentials file requests carry no credentials. Tokens are
// renewed by Google's library before they expire.
//
// UriOf gives "gs://bucket/prefix/key". As with S3, PutIfAbsent and Create look first (docs/decisions/0009). The
// certificates of `ca_file` hold for the whole process.
Result<std::unique_ptr<ObjectStore>> OpenGcsObjectStore(const GcsStoreOptions& options);

}  // namespace arc
