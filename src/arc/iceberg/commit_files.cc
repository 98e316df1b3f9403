#include "arc/iceberg/commit_files.h"

#include <utility>

#include "arc/base/log.h"
#include "arc/iceberg/table_files.h"

namespace arc {

CommitFiles::CommitFiles(ObjectStore& store, std::string table_key, RandomSource& random)
    : store_(store), table_key_(std::move(table_key)), random_(random), id_(Uuid::Random(random)) {}

CommitFiles::~CommitFiles() {
  for (const auto& key : keys_) {
    if (auto deleted = store_.Delete(key); !deleted.ok()) {
      Log(LogLevel::kWarning, "iceberg", "object of a failed commit stays behind",
          {{"key", key}, {"error", deleted.error().message}});
    }
  }
}

Result<std::string> CommitFiles::Put(std::string_view name, std::string_view bytes) {
  std::string key = MetadataKey(table_key_, name);
  // Remembered before the outcome is known: a put that failed late may have left the object.
  keys_.push_back(key);
  if (auto put = store_.PutIfAbsent(key, bytes); !put.ok()) {
    if (put.error().kind == ErrorKind::kAlreadyExists) keys_.pop_back();  // somebody else's
    return std::move(put).error();
  }
  return store_.UriOf(key);
}

Result<ManifestFile> CommitFiles::PutManifest(ManifestWriter& writer, int64_t sequence_number) {
  ARC_ASSIGN_OR_RETURN(ManifestWriter::Finished finished, writer.Finish(sequence_number));
  ARC_ASSIGN_OR_RETURN(finished.row.path, Put(ManifestFileName(id_, manifests_++), finished.bytes));
  return std::move(finished.row);
}

std::vector<std::string> CommitFiles::Keep() { return std::exchange(keys_, {}); }

}  // namespace arc
