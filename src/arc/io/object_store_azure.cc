#include "arc/io/object_store_azure.h"

#include <arrow/filesystem/azurefs.h>
#include <arrow/result.h>

#include <utility>

#include "arc/io/arrow_object_store.h"
#include "arc/io/endpoint_url.h"
#include "arc/io/trusted_certificates.h"

namespace arc {
namespace {

Status CheckOptions(const AzureStoreOptions& options) {
  const std::string in = " (" + options.settings + ")";
  if (options.account_name.empty()) return InvalidArgument("the storage account has no name" + in);
  if (!options.account_key.empty() && !options.sas_token.empty()) {
    return InvalidArgument("an account key and a SAS token are not used together" + in);
  }
  return {};
}

arrow::Status SetCredentials(const AzureStoreOptions& options, arrow::fs::AzureOptions* client) {
  if (!options.account_key.empty()) return client->ConfigureAccountKeyCredential(options.account_key);
  if (options.sas_token.empty()) return client->ConfigureDefaultCredential();
  return client->ConfigureSASCredential(options.sas_token.starts_with('?') ? options.sas_token
                                                                           : "?" + options.sas_token);
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenAzureObjectStore(const AzureStoreOptions& options) {
  ARC_RETURN_IF_ERROR(CheckOptions(options));
  ARC_RETURN_IF_ERROR(TrustCertificates(options.ca_file));
  arrow::fs::AzureOptions client;
  client.account_name = options.account_name;
  client.background_writes = false;
  EndpointUrl endpoint = ParseEndpoint(options.endpoint, "https");
  if (!endpoint.host.empty()) {
    client.blob_storage_authority = client.dfs_storage_authority = endpoint.host;
    client.blob_storage_scheme = client.dfs_storage_scheme = endpoint.scheme;
  }
  arrow::Status set = SetCredentials(options, &client);
  auto files = set.ok() ? arrow::fs::AzureFileSystem::Make(client)
                        : arrow::Result<std::shared_ptr<arrow::fs::AzureFileSystem>>(set);
  if (!files.ok()) return InvalidArgument(files.status().message() + " (" + options.settings + ")");
  ArrowStoreOptions store;
  store.files = std::move(*files);
  store.bucket = options.container;
  store.prefix = options.prefix;
  for (const char* scheme : {"abfss://", "abfs://"}) {
    store.uris.push_back(scheme + options.container + "@" + options.account_name + ".dfs.core.windows.net");
  }
  for (const char* scheme : {"wasbs://", "wasb://"}) {
    store.uris.push_back(scheme + options.container + "@" + options.account_name + ".blob.core.windows.net");
  }
  store.make_bucket = options.make_container;
  store.spill_folder = options.spill_folder;
  store.server = options.endpoint.empty() ? options.account_name + ".blob.core.windows.net" : options.endpoint;
  store.settings = options.settings;
  return MakeArrowObjectStore(std::move(store));
}

}  // namespace arc
