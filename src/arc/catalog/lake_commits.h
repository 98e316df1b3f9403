// Commits to tables that come through the Iceberg protocol: from a request to the pointer's swap and the next version
// that Arc's own queries see.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/iceberg_catalog.h"
#include "arc/catalog/lake_parts.h"
#include "arc/catalog/table_commits.h"

namespace arc {

// A Table as committed metadata has it.
std::shared_ptr<Table> TableOf(const TableRef& ref, CommittedTable committed, Lsn flushed, ByteBudget* budget,
                               Clock& clock);

std::unique_ptr<IcebergCatalog> MakeIcebergCatalog(const LakeParts& parts, TableCommits& own);

// Thread-safe. Callers have checked names.
class LakeCommits {
 public:
  // `own` are Arc's own commits to the same tables.
  LakeCommits(const LakeParts& parts, TableCommits& own) : parts_(parts), own_(own) {}

  Result<MetadataFile> Commit(const TableChange& change);
  Status CommitAll(const std::vector<TableChange>& changes);
  // A new table with this metadata, written first where it has no location yet.
  Result<MetadataFile> Add(const IcebergTableName& name, MetadataFile metadata);
  // The metadata of a table; kNotFound as IcebergCatalog tells it.
  Result<MetadataFile> Load(const IcebergTableName& name);
  // URI of a folder that nothing lies in: for a new table.
  Result<std::string> NewLocation(const IcebergTableName& name);

 private:
  // What the metadata makes of the table for Arc.
  struct Judgement {
    Uuid id;
    Lsn flushed;
    std::optional<CommittedTable> committed;
    std::string reason;  // when there is none
  };
  // One table's part of a commit.
  struct Attempt {
    IcebergTableName name;
    std::shared_ptr<Table> table;              // null: new, or not represented
    std::unique_lock<std::mutex> schema_held;  // of `table`, where the change brings a schema
    bool reserved = false;                     // a new table's name
    std::optional<std::string> expected;       // where the pointer is
    ChangedMetadata next;
    std::string location;  // of the next metadata file
    Judgement judged;
  };
  class Reservations;

  Status Prepare(const TableChange& change, Attempt* attempt);
  Status Settle(const MetadataFile* current, const TableChange& change, Attempt* attempt);
  Result<Judgement> Judge(const IcebergTableName& name, const Table* table, const std::string& json);
  Status Write(Attempt* attempt);
  Result<bool> Swap(std::vector<Attempt>* attempts);
  void Publish(Attempt* attempt);
  void Remove(const std::string& uri);

  const LakeParts& parts_;
  TableCommits& own_;
};

}  // namespace arc
