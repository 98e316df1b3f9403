// Names to tables, and the way from a table to its committed state and back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/catalog/table.h"

namespace arc {

// What name look-up gives readers. Databases and tables are found by exact spelling first, then by a single
// case-insensitive match. Thread-safe; tables live as long as somebody holds them.
class CatalogView {
 public:
  virtual ~CatalogView() = default;
  virtual std::vector<std::string> Databases() const = 0;  // sorted
  virtual bool HasDatabase(std::string_view database) const = 0;
  virtual std::vector<std::shared_ptr<Table>> Tables(std::string_view database) const = 0;          // sorted by name
  virtual std::shared_ptr<Table> Find(std::string_view database, std::string_view name) const = 0;  // null: none
};

}  // namespace arc
