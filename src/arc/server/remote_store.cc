#include "arc/server/remote_store.h"

#include <string>

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

}  // namespace

std::function<Result<std::unique_ptr<ObjectStore>>()> RemoteStoreOf(const Config& config) {
  const std::string& backend = config.Text("storage.backend");
  if (backend == "local") return {};
  const auto common = [&](auto options) {
    options.prefix = config.Text("storage.prefix");
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

}  // namespace arc
