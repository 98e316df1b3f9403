#include "arc/server/remote_store.h"

#include <string>

#include "arc/io/local_disk.h"
#include "arc/io/object_store_azure.h"
#include "arc/io/object_store_gcs.h"
#include "arc/io/object_store_s3.h"

namespace arc {

namespace {

S3StoreOptions MinioOptions(const Config& config) {
  S3StoreOptions options;
  options.settings = "storage.minio";
  options.endpoint = config.Text("storage.minio.endpoint");
  options.bucket = config.Text("storage.minio.bucket");
  options.access_key = config.Text("storage.minio.access_key");
  options.secret_key = config.Text("storage.minio.secret_key");
  options.use_ssl = config.Bool("storage.minio.use_ssl");
  options.make_bucket = true;
  return options;
}

S3StoreOptions S3Options(const Config& config) {
  S3StoreOptions options;
  options.endpoint = config.Text("storage.s3.endpoint");
  options.bucket = config.Text("storage.s3.bucket");
  options.region = config.Text("storage.s3.region");
  options.access_key = config.Text("storage.s3.access_key");
  options.secret_key = config.Text("storage.s3.secret_key");
  options.session_token = config.Text("storage.s3.session_token");
  options.use_ssl = config.Bool("storage.s3.use_ssl");
  const std::string& style = config.Text("storage.s3.url_style");
  if (style == "path") options.url_style = S3StoreOptions::UrlStyle::kPath;
  if (style == "virtual") options.url_style = S3StoreOptions::UrlStyle::kVirtual;
  return options;
}

GcsStoreOptions GcsOptions(const Config& config) {
  GcsStoreOptions options;
  options.bucket = config.Text("storage.gcs.bucket");
  options.credentials_file = config.Text("storage.gcs.credentials_file");
  options.project_id = config.Text("storage.gcs.project_id");
  options.endpoint = config.Text("storage.gcs.endpoint");
  options.make_bucket = !options.endpoint.empty();
  return options;
}

AzureStoreOptions AzureOptions(const Config& config) {
  AzureStoreOptions options;
  options.container = config.Text("storage.azure.container");
  options.account_name = config.Text("storage.azure.account_name");
  options.account_key = config.Text("storage.azure.account_key");
  options.sas_token = config.Text("storage.azure.sas_token");
  options.endpoint = config.Text("storage.azure.endpoint");
  options.make_container = !options.endpoint.empty();
  return options;
}

using OpenStore = std::function<Result<std::unique_ptr<ObjectStore>>()>;

// A bucket and the prefix of its keys.
struct Place {
  std::string bucket;
  std::string prefix;
};

// `place`: another one of the same store (null: that of the configuration).
OpenStore StoreAt(const Config& config, const Place* place) {
  const std::string& backend = config.Text("storage.backend");
  const auto common = [&](auto options) {
    options.prefix = place == nullptr ? config.Text("storage.prefix") : place->prefix;
    if constexpr (requires { options.bucket; }) {
      if (place != nullptr) options.bucket = place->bucket;
    }
    options.ca_file = config.Text("storage.ca_file");
    return options;
  };
  if (backend == "gcs" || backend == "azure") {
    const auto spilling = [&](auto options) {
      options.spill_folder = config.Text("storage.data_dir") + "/staging";
      return common(std::move(options));
    };
    if (backend == "gcs") return [options = spilling(GcsOptions(config))] { return OpenGcsObjectStore(options); };
    return [options = spilling(AzureOptions(config))] { return OpenAzureObjectStore(options); };
  }
  const S3StoreOptions options = common(backend == "minio" ? MinioOptions(config) : S3Options(config));
  return [options] { return OpenS3ObjectStore(options, SystemRandom()); };
}

}  // namespace

OpenStore RemoteStoreOf(const Config& config) {
  if (config.Text("storage.backend") == "local") return {};
  return StoreAt(config, nullptr);
}

Result<BackupTarget> OpenTarget(const Config& config, const std::string& target, bool to_change) {
  const size_t scheme = target.find("://");
  if (scheme == std::string::npos) return OpenFolderTarget(SystemDisk(), target, to_change);
  const std::string& backend = config.Text("storage.backend");
  const std::string wanted = backend == "gcs" ? "gs" : backend == "minio" || backend == "s3" ? "s3" : "";
  if (wanted.empty() || target.substr(0, scheme) != wanted) {
    return InvalidArgument(target + " is neither an absolute path nor an address of storage.backend = '" + backend +
                           "' (s3://bucket/prefix with minio and s3, gs://bucket/prefix with gcs)");
  }
  std::string place = target.substr(scheme + 3);
  while (place.ends_with('/')) place.pop_back();
  const size_t slash = place.find('/');
  Place at{place.substr(0, slash), slash == std::string::npos ? "" : place.substr(slash + 1)};
  if (at.bucket.empty() || at.prefix.empty()) {
    return InvalidArgument(target + " names no bucket and prefix, such as " + wanted + "://bucket/backups");
  }
  BackupTarget opened;
  ARC_ASSIGN_OR_RETURN(opened.store, StoreAt(config, &at)());
  ARC_RETURN_IF_ERROR(opened.store->Check());
  return opened;
}

}  // namespace arc
