// Objects behind one of Arrow's file systems: what S3, Google Cloud Storage and Azure Blob Storage have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/object_store.h"

namespace arrow::fs {
class FileSystem;
}

namespace arc {

struct ArrowStoreOptions {
  std::shared_ptr<arrow::fs::FileSystem> files;
  std::string bucket;
  std::string prefix;  // of every key; empty: none
  // Addresses of the bucket without a slash at their end ("s3://lake"). UriOf uses the first, KeyOf takes all.
  std::vector<std::string> uris;
  bool make_bucket = false;
  // Where large objects wait on local disk until Commit, for stores whose streams show an object before it is whole;
  // empty: streams go to the store as they are written, and abandoning one leaves nothing.
  std::string spill_folder;
  std::string server;    // for messages: where the store is
  std::string settings;  // for messages: the section of its settings, such as "storage.s3"
};

// Asks nothing of the store: that is Check's work. Thread-safe, as every ObjectStore.
Result<std::unique_ptr<ObjectStore>> MakeArrowObjectStore(ArrowStoreOptions options);

}  // namespace arc
