// Rows of a table's committed files that a condition is true for.
#pragma once

#include <cstdint>
#include <memory>

#include "arc/catalog/file_index.h"
#include "arc/model/row_set.h"

namespace arc {

// Those of one file.
struct RowMatches {
  std::shared_ptr<const FileEntry> file;
  int64_t rows = 0;  // at least one
  RowSet set;        // empty where all rows match
  bool all() const { return rows == file->rows; }
};

}  // namespace arc
