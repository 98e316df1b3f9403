// Objects in a container of Azure Blob Storage (also Data Lake Storage Gen2).
#pragma once

#include <memory>
#include <string>

#include "arc/base/result.h"
#include "arc/io/object_store.h"

namespace arc {

struct AzureStoreOptions {
  std::string container;
  std::string prefix;        // of every key, without slashes at its ends; empty: none
  std::string account_name;  //
  std::string
      account_key;        // empty, and no sas_token: Azure's default chain (environment, workload or managed identity)
  std::string sas_token;  // of the container or account, with or without its "?"
  std::string endpoint;   // of an emulator, "http://host:port"; empty: Azure
  bool make_container = false;             // when it is not there
  std::string ca_file;                     // PEM certificates to trust; empty: the machine's
  std::string spill_folder;                // on local disk, for large objects on their way
  std::string settings = "storage.azure";  // for messages: the section of the settings
};

// A store whose container is looked for by Check only. kInvalidArgument for options that make no sense together.
// Tokens of the default chain are renewed by Azure's SDK before they expire.
//
// UriOf gives "abfss://container@account.dfs.core.windows.net/prefix/key", as Spark writes it; KeyOf also takes
// wasbs://container@account.blob.core.windows.net/. As with S3, PutIfAbsent and Create look first
// (docs/decisions/0009). A write that the process does not survive may leave an empty object under its key. The
// certificates of `ca_file` hold for the whole process.
Result<std::unique_ptr<ObjectStore>> OpenAzureObjectStore(const AzureStoreOptions& options);

}  // namespace arc
