// The work of one tiering job: files of a table, copied and committed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arc/base/result.h"
#include "arc/catalog/catalog.h"
#include "arc/io/object_store.h"

namespace arc {

// For one thread. What Tiering promises of a job.
class FileMover {
 public:
  static constexpr size_t kCommitFiles = 100;                // in one commit at most, for each is a snapshot
  static constexpr int64_t kCommitBytes = int64_t{4} << 30;  // copied, then committed

  using Files = std::vector<std::shared_ptr<const FileEntry>>;
  struct Events {
    std::function<bool()> is_cancelled;
    std::function<void(const std::vector<MovedFile>&)> moved;     // after each commit
    std::function<void(const FileEntry&, const Error&)> unmoved;  // a file stays where it is, the others go on
  };

  // References outlive it. Copies are called like the files, and `tag`.
  FileMover(Catalog& catalog, ObjectStore& store, Table& table, std::string tag, const Events& events)
      : catalog_(catalog), store_(store), table_(table), tag_(std::move(tag)), events_(events) {}

  // All of `files`, the cold keys among a store's being the cold ones. Ends at the first error that is no single file's
  // doing; what was committed before stays moved. Files that left the table meanwhile are passed over.
  Status Move(const Files& files);

 private:
  Status CopyOne(const std::shared_ptr<const FileEntry>& file, std::vector<MovedFile>* copies);
  Status Commit(std::vector<MovedFile> copies);
  Status CommitEach(const std::vector<MovedFile>& copies);
  bool IsMissing(const std::string& key);
  void Remove(const MovedFile& copy);
  std::string CopyKey(const std::string& key) const;

  Catalog& catalog_;
  ObjectStore& store_;
  Table& table_;
  const std::string tag_;
  const Events& events_;
};

}  // namespace arc
