#include "arc/server/remote_store.h"

#include <string>

#include "arc/io/local_disk.h"
#include "arc/io/object_store_azure.h"
#include "arc/io/object_store_gcs.h"
#include "arc/io/object_store_s3.h"
#include "arc/server/store_section.h"

namespace arc {

namespace {

S3StoreOptions MinioOptions(const StoreSection& store) {
  S3StoreOptions options;
  options.settings = store.Key("minio");
  options.endpoint = store.Text("minio.endpoint");
  options.bucket = store.Text("minio.bucket");
  options.access_key = store.Text("minio.access_key");
  options.secret_key = store.Text("minio.secret_key");
  options.use_ssl = store.Bool("minio.use_ssl");
  options.make_bucket = true;
  return options;
}

S3StoreOptions S3Options(const StoreSection& store) {
  S3StoreOptions options;
  options.settings = store.Key("s3");
  options.endpoint = store.Text("s3.endpoint");
  options.bucket = store.Text("s3.bucket");
  options.region = store.Text("s3.region");
  options.access_key = store.Text("s3.access_key");
  options.secret_key = store.Text("s3.secret_key");
  options.session_token = store.Text("s3.session_token");
  options.use_ssl = store.Bool("s3.use_ssl");
  const std::string& style = store.Text("s3.url_style");
  if (style == "path") options.url_style = S3StoreOptions::UrlStyle::kPath;
  if (style == "virtual") options.url_style = S3StoreOptions::UrlStyle::kVirtual;
  return options;
}

GcsStoreOptions GcsOptions(const StoreSection& store) {
  GcsStoreOptions options;
  options.bucket = store.Text("gcs.bucket");
  options.credentials_file = store.Text("gcs.credentials_file");
  options.project_id = store.Text("gcs.project_id");
  options.endpoint = store.Text("gcs.endpoint");
  options.make_bucket = !options.endpoint.empty();
  return options;
}

AzureStoreOptions AzureOptions(const StoreSection& store) {
  AzureStoreOptions options;
  options.container = store.Text("azure.container");
  options.account_name = store.Text("azure.account_name");
  options.account_key = store.Text("azure.account_key");
  options.sas_token = store.Text("azure.sas_token");
  options.endpoint = store.Text("azure.endpoint");
  options.make_container = !options.endpoint.empty();
  return options;
}

using OpenStore = std::function<Result<std::unique_ptr<ObjectStore>>()>;

// A bucket and the prefix of its keys.
struct Place {
  std::string bucket;
  std::string prefix;
};

// `place`: another one of the same store (null: that of the configuration). `spill_folder`: for stores that take no
// object piece by piece.
OpenStore StoreAt(const StoreSection& store, const std::string& spill_folder, const Place* place) {
  const std::string& backend = store.backend();
  const auto common = [&](auto options) {
    options.prefix = place == nullptr ? store.Text("prefix") : place->prefix;
    if constexpr (requires { options.bucket; }) {
      if (place != nullptr) options.bucket = place->bucket;
    }
    options.ca_file = store.Text("ca_file");
    if constexpr (requires { options.spill_folder; }) options.spill_folder = spill_folder;
    return options;
  };
  if (backend == "gcs") return [options = common(GcsOptions(store))] { return OpenGcsObjectStore(options); };
  if (backend == "azure") return [options = common(AzureOptions(store))] { return OpenAzureObjectStore(options); };
  const S3StoreOptions options = common(backend == "minio" ? MinioOptions(store) : S3Options(store));
  return [options] { return OpenS3ObjectStore(options, SystemRandom()); };
}

// Among what waits for the store of the tables, where that is remote.
std::string SpillFolderOf(const Config& config) { return config.Text("storage.data_dir") + "/staging"; }

}  // namespace

OpenStore RemoteStoreOf(const Config& config) {
  const auto store = StoreSection::OfTables(config);
  if (store.backend() == "local") return {};
  return StoreAt(store, SpillFolderOf(config), nullptr);
}

OpenStore ColdStoreOf(const Config& config) {
  const auto store = StoreSection::OfCold(config);
  if (store.backend() == "none") return {};
  if (store.backend() == "local") {
    return [path = store.Text("local_path")] { return OpenLocalObjectStore(SystemDisk(), path); };
  }
  return StoreAt(store, SpillFolderOf(config), nullptr);
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
  ARC_ASSIGN_OR_RETURN(opened.store, StoreAt(StoreSection::OfTables(config), SpillFolderOf(config), &at)());
  ARC_RETURN_IF_ERROR(opened.store->Check());
  return opened;
}

}  // namespace arc
