// Commits of single flushes, for tests.
#pragma once

#include <vector>

#include "arc/catalog/catalog.h"

namespace arc {

// What the flusher does with the files that it made of `input`.
inline Status CommitForTest(Catalog& catalog, ObjectStore& store, Table& table, const Table::FlushInput& input,
                            const std::vector<FlushedFile>& files) {
  const auto group = store.NewGroup();
  FlushCommit commit{&table, input.schema, files, input.last, {}};
  catalog.CommitFlushes(*group, {&commit, 1});
  return commit.outcome;
}

}  // namespace arc
