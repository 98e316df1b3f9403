// What all commits of a catalog work on.
#pragma once

#include "arc/base/byte_budget.h"
#include "arc/base/clock.h"
#include "arc/base/uuid.h"
#include "arc/catalog/commit_turns.h"
#include "arc/catalog/named_tables.h"
#include "arc/catalog/pointer_store.h"
#include "arc/catalog/retired_files.h"
#include "arc/io/object_store.h"

namespace arc {

// All outlives its users. Thread-safe but for the lineage, which is set before anything is committed.
struct LakeParts {
  PointerStore& pointers;
  ObjectStore& store;
  Clock& clock;
  RandomSource& random;
  NamedTables& tables;
  CommitTurns& turns;
  RetiredFiles& retired;
  ByteBudget* budget = nullptr;
  Uuid lineage;

  // Best effort: what stays is an orphan, not an error.
  void Remove(const std::vector<std::string>& keys) const;
  // For readers that open a table by its folder; best effort too.
  void NoteVersion(const TableRef& ref, const std::string& metadata_location) const;
};

}  // namespace arc
