#include "arc/server/storage_settings.h"

#include <string_view>

namespace arc {

namespace {

constexpr int64_t kMostMegabytes = 1 << 30;

std::vector<Setting> CommonSettings() {
  return {
      {.key = "storage.data_dir",
       .fallback = "./data",
       .doc = "Folder of the write-ahead log, the catalog, the tokens and temporary files; one server at a time.",
       .names = {"ARC_DATA_DIR"}},
      {.key = "storage.backend",
       .type = SettingType::kChoice,
       .fallback = "local",
       .doc = "Where tables live: `local` disk, a `minio` server or another that speaks S3, AWS `s3`, Google Cloud "
              "Storage (`gcs`) or `azure` Blob Storage. The log and the catalog stay in the data folder. See "
              "[storage.md](storage.md).",
       .choices = {"local", "minio", "s3", "gcs", "azure"},
       .names = {"STORAGE_BACKEND"}},
      {.key = "storage.local_path",
       .doc = "Folder of the tables on local disk; empty is `arc` inside the data folder.",
       .names = {"LOCAL_STORAGE_PATH"}},
      {.key = "storage.prefix",
       .doc = "In a remote store: what every object's key begins with, such as `team/arc`; empty is the whole bucket. "
              "Each server needs a prefix of its own."},
      {.key = "storage.ca_file",
       .doc = "CA certificates (PEM) to trust when talking TLS to a remote store; empty is the machine's."},
      {.key = "storage.rebuild_catalog",
       .type = SettingType::kBool,
       .fallback = "true",
       .doc =
           "A start without a catalog (`arc.db` is lost, or the data folder is new) makes one of the tables that the "
           "store holds ([backup.md](backup.md)). `false` starts without tables."},
      {.key = "storage.staging_limit_mb",
       .type = SettingType::kInt,
       .fallback = "10240",
       .doc = "With a remote store: data files that may wait in `staging` inside the data folder while the store does "
              "not answer. Beyond it rows stay in memory, and writers get 503 when that is full.",
       .min = 1,
       .max = kMostMegabytes},
      {.key = "storage.read_ahead_mb",
       .type = SettingType::kInt,
       .fallback = "64",
       .doc = "With a remote store: memory for the ends of data files, read ahead of the queries that begin there.",
       .min = 1,
       .max = 1 << 20},
      {.key = "storage.read_cache_mb",
       .type = SettingType::kInt,
       .fallback = "4096",
       .doc = "With a remote store: local disk for what queries read of data files, the last used; 0 keeps nothing. "
              "Gives way when the disk has less than 1 GB left.",
       .max = kMostMegabytes},
      {.key = "storage.read_cache_dir",
       .doc = "Folder of the read cache; empty is `read-cache` inside the data folder."},
  };
}

std::vector<Setting> S3Settings() {
  return {
      {.key = "storage.minio.endpoint",
       .fallback = "http://localhost:9000",
       .doc = "Address of the server; its scheme, where given, goes before `use_ssl`.",
       .names = {"MINIO_ENDPOINT"}},
      {.key = "storage.minio.bucket",
       .fallback = "arc",
       .doc = "Made when it is not there.",
       .names = {"MINIO_BUCKET"}},
      {.key = "storage.minio.access_key", .doc = "User of the server.", .names = {"MINIO_ACCESS_KEY"}},
      {.key = "storage.minio.secret_key", .doc = "The user's password.", .names = {"MINIO_SECRET_KEY"}, .secret = true},
      {.key = "storage.minio.use_ssl",
       .type = SettingType::kBool,
       .fallback = "false",
       .doc = "Talk TLS.",
       .names = {"MINIO_USE_SSL"}},
      {.key = "storage.s3.bucket", .doc = "Must be there.", .names = {"S3_BUCKET"}},
      {.key = "storage.s3.region", .fallback = "us-east-1", .doc = "Region of the bucket.", .names = {"S3_REGION"}},
      {.key = "storage.s3.endpoint",
       .doc = "Address of a store other than AWS, with or without `https://`.",
       .names = {"S3_ENDPOINT"}},
      {.key = "storage.s3.access_key",
       .doc = "Empty: AWS's own chain, that is its environment variables, profile, web identity, or the container's or "
              "machine's role; these renew themselves.",
       .names = {"S3_ACCESS_KEY"}},
      {.key = "storage.s3.secret_key", .doc = "Belongs to `access_key`.", .names = {"S3_SECRET_KEY"}, .secret = true},
      {.key = "storage.s3.session_token",
       .doc = "Belongs to a temporary `access_key`; not renewed.",
       .names = {"S3_SESSION_TOKEN"},
       .secret = true},
      {.key = "storage.s3.use_ssl",
       .type = SettingType::kBool,
       .fallback = "true",
       .doc = "Talk TLS, where the endpoint names no scheme.",
       .names = {"S3_USE_SSL"}},
      {.key = "storage.s3.url_style",
       .type = SettingType::kChoice,
       .fallback = "auto",
       .doc = "How addresses name the bucket: in their `path`, in the host's name (`virtual`), or `auto`: as a path "
              "where there is an endpoint.",
       .choices = {"auto", "path", "virtual"},
       .names = {"S3_URL_STYLE"}},
  };
}

std::vector<Setting> OtherCloudSettings() {
  return {
      {.key = "storage.gcs.bucket", .doc = "Must be there.", .names = {"GCS_BUCKET"}},
      {.key = "storage.gcs.credentials_file",
       .doc = "Key of a service account (JSON). Empty: Google's default credentials, that is "
              "`GOOGLE_APPLICATION_CREDENTIALS`, gcloud's, or the machine's account.",
       .names = {"GCS_CREDENTIALS_FILE"}},
      {.key = "storage.gcs.project_id", .doc = "Project of the bucket.", .names = {"GCS_PROJECT_ID", "GCS_PROJECT"}},
      {.key = "storage.gcs.endpoint",
       .doc =
           "Address of an emulator; the bucket is made when it is not there, and without a credentials file requests "
           "carry no credentials.",
       .names = {"GCS_ENDPOINT"}},
      {.key = "storage.azure.container", .doc = "Must be there.", .names = {"AZURE_CONTAINER"}},
      {.key = "storage.azure.account_name",
       .doc = "Storage account of the container.",
       .names = {"AZURE_STORAGE_ACCOUNT", "AZURE_ACCOUNT_NAME"}},
      {.key = "storage.azure.account_key",
       .doc = "Key of the account. Empty, and no SAS token: Azure's default chain, that is `AZURE_TENANT_ID`, "
              "`AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`, workload identity, or managed identity.",
       .names = {"AZURE_STORAGE_KEY", "AZURE_ACCOUNT_KEY"},
       .secret = true},
      {.key = "storage.azure.sas_token",
       .doc = "Shared access signature of the account or container, instead of a key.",
       .names = {"AZURE_STORAGE_SAS_TOKEN"},
       .secret = true},
      {.key = "storage.azure.endpoint",
       .doc = "Address of an emulator, without the account; the container is made when it is not there.",
       .names = {"AZURE_STORAGE_ENDPOINT"}},
  };
}

// Collects problems, each beginning with the setting to change.
class Checker {
 public:
  explicit Checker(const StoreSection& store) : store_(store) {}

  const std::string& Text(std::string_view name) const { return store_.Text(part_ + std::string(name)); }
  bool Has(std::string_view name) const { return !Text(name).empty(); }
  void Part(const std::string& backend) { part_ = backend + "."; }

  void Need(std::string_view name) {
    if (!Has(name)) Problem(name, "needed for " + store_.Key("backend") + " = '" + store_.backend() + "'");
  }
  void Together(std::string_view a, std::string_view b) {
    if (Has(a) != Has(b)) {
      Problem(Has(a) ? b : a, "needed with " + KeyOf(Has(a) ? a : b));
    }
  }
  void Problem(std::string_view name, const std::string& why) {
    const Setting* setting = FindSetting(KeyOf(name));
    std::string line(setting->key);
    const std::string variable =
        setting->names.empty() ? EnvironmentName(setting->key) : std::string(setting->names[0]);
    problems.push_back(line + " (" + variable + "): " + why);
  }

  std::string KeyOf(std::string_view name) const { return store_.Key(part_ + std::string(name)); }

  std::vector<std::string> problems;

 private:
  const StoreSection& store_;
  std::string part_;
};

bool IsPrefix(std::string_view text) {
  return !text.starts_with('/') && !text.ends_with('/') && text.find("//") == std::string_view::npos;
}

}  // namespace

std::vector<Setting> StorageSettings() {
  std::vector<Setting> all;
  for (auto part : {CommonSettings(), S3Settings(), OtherCloudSettings()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<std::string> StoreProblems(const StoreSection& store) {
  const std::string& backend = store.backend();
  Checker check(store);
  if (backend == "local") return {};
  if (!IsPrefix(check.Text("prefix"))) check.Problem("prefix", "names joined by single slashes, such as team/arc");
  check.Part(backend);
  if (backend == "minio" || backend == "s3") {
    check.Need("bucket");
    check.Together("access_key", "secret_key");
  }
  if (backend == "minio") check.Need("endpoint");
  if (backend == "s3") {
    if (check.Has("session_token")) check.Need("access_key");
    if (check.Text("url_style") == "path") check.Need("endpoint");
  }
  if (backend == "gcs") check.Need("bucket");
  if (backend == "azure") {
    check.Need("container");
    check.Need("account_name");
    if (check.Has("account_key") && check.Has("sas_token")) {
      check.Problem("sas_token", "not together with " + check.KeyOf("account_key"));
    }
  }
  return std::move(check.problems);
}

}  // namespace arc
