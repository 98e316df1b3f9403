// The objects one commit attempt writes, remembered so that a lost or failed attempt can be cleaned up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/iceberg/manifest.h"
#include "arc/io/object_store.h"

namespace arc {

// Not thread-safe. Destroyed before Keep(), it deletes what it wrote (best effort).
class CommitFiles {
 public:
  CommitFiles(ObjectStore& store, std::string table_key, RandomSource& random);
  CommitFiles(const CommitFiles&) = delete;
  CommitFiles& operator=(const CommitFiles&) = delete;
  ~CommitFiles();

  ObjectStore& store() { return store_; }
  const Uuid& id() const { return id_; }
  Uuid NewSync() { return Uuid::Random(random_); }
  // Writes "<table folder>/metadata/<name>" and returns its URI.
  Result<std::string> Put(std::string_view name, std::string_view bytes);
  // Finishes a manifest and writes it; the row is complete.
  Result<ManifestFile> PutManifest(ManifestWriter& writer, int64_t sequence_number);
  // From here on the caller answers for the objects.
  std::vector<std::string> Keep();

 private:
  ObjectStore& store_;
  const std::string table_key_;
  RandomSource& random_;
  const Uuid id_;
  int manifests_ = 0;
  std::vector<std::string> keys_;
};

}  // namespace arc
