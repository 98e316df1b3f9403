#include "arc/io/object_store_gcs.h"

#include <arrow/filesystem/gcsfs.h>
#include <arrow/result.h>

#include <utility>

#include "arc/io/arrow_object_store.h"
#include "arc/io/endpoint_url.h"
#include "arc/io/local_disk.h"
#include "arc/io/trusted_certificates.h"

namespace arc {
namespace {

// Only the key of a service account can be handed over; Google's default credentials know the other kinds.
Result<arrow::fs::GcsOptions> Credentials(const GcsStoreOptions& options) {
  if (options.credentials_file.empty()) {
    return options.endpoint.empty() ? arrow::fs::GcsOptions::Defaults() : arrow::fs::GcsOptions::Anonymous();
  }
  const std::string setting = " (" + options.settings + ".credentials_file)";
  auto json = ReadWholeFile(SystemDisk(), options.credentials_file);
  if (!json.ok()) return InvalidArgument(json.error().message + setting);
  if (json->find("\"service_account\"") == std::string::npos || json->find("\"private_key\"") == std::string::npos) {
    return InvalidArgument(options.credentials_file +
                           " is no service account's key; for other credentials leave it empty and set "
                           "GOOGLE_APPLICATION_CREDENTIALS" +
                           setting);
  }
  return arrow::fs::GcsOptions::FromServiceAccountCredentials(*json);
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenGcsObjectStore(const GcsStoreOptions& options) {
  ARC_RETURN_IF_ERROR(TrustCertificates(options.ca_file));
  ARC_ASSIGN_OR_RETURN(auto client, Credentials(options));
  if (!options.endpoint.empty()) {
    EndpointUrl endpoint = ParseEndpoint(options.endpoint, "https");
    client.scheme = endpoint.scheme;
    client.endpoint_override = endpoint.host;
  }
  if (!options.project_id.empty()) client.project_id = options.project_id;
  client.retry_limit_seconds = options.retry_limit_seconds;
  auto files = arrow::fs::GcsFileSystem::Make(client);
  if (!files.ok()) return InvalidArgument(files.status().message() + " (" + options.settings + ")");
  ArrowStoreOptions store;
  store.files = std::move(*files);
  store.bucket = options.bucket;
  store.prefix = options.prefix;
  store.uris = {"gs://" + options.bucket, "gcs://" + options.bucket};
  store.make_bucket = options.make_bucket;
  store.spill_folder = options.spill_folder;
  store.server = options.endpoint.empty() ? "Google Cloud Storage" : options.endpoint;
  store.settings = options.settings;
  return MakeArrowObjectStore(std::move(store));
}

}  // namespace arc
