// DROP TABLE and DROP DATABASE, in two steps: the first says what would go, the second does it.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"

namespace arc {

struct DropOutcome {
  std::string database;     // as the catalog spells it
  std::string measurement;  // empty: the whole database
  int64_t tables = 0;       // those that Arc can read
  int64_t rows = 0;
  int64_t files = 0;
  int64_t bytes = 0;
  // Empty: it is done. Else nothing is: the same call with this does it, for a while and once.
  std::string confirmation;
};

// Thread-safe. Confirmations live as long as the process.
class TableDrops {
 public:
  static constexpr int64_t kConfirmationMs = 5 * 60'000;

  // References outlive it.
  TableDrops(Catalog& catalog, Clock& clock, RandomSource& random)
      : catalog_(catalog), clock_(clock), random_(random) {}

  // A table with its rows, hot or committed, and its files: nothing brings them back, but queries that began before
  // read on. Rows that come afterwards make a new table. Done when `confirmation` is what an earlier call answered for
  // the very same table. kNotFound.
  Result<DropOutcome> DropTable(const std::string& database, const std::string& measurement,
                                const std::string& confirmation);
  // All tables of a database, one after the other, and the database. The confirmation is for the very tables that were
  // there. After an error some may be gone. kNotFound; kInvalidArgument for the database "default", which stays;
  // kConflict when writers kept making tables meanwhile.
  Result<DropOutcome> DropDatabase(const std::string& database, const std::string& confirmation);
  uint64_t dropped() const;  // tables

 private:
  struct Pending {
    std::string what;
    std::string confirmation;
    int64_t until_nanos = 0;
  };
  std::string Ask(const std::string& what);
  bool Take(const std::string& what, const std::string& confirmation);
  Result<std::vector<std::string>> TableNames(const std::string& database);
  Status DropOne(const std::string& database, const std::string& measurement);

  Catalog& catalog_;
  Clock& clock_;
  RandomSource& random_;
  mutable std::mutex mutex_;
  std::deque<Pending> pending_;  // oldest first
  uint64_t dropped_ = 0;
};

}  // namespace arc
