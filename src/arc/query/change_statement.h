// Statements that change something, as far as who carries them out must know.
#pragma once

#include <optional>
#include <string>

namespace arc {

struct ChangeStatement {
  enum class Kind { kDelete, kDropTable, kDropDatabase };
  Kind kind = Kind::kDelete;
  std::string database;    // empty: that of the request
  std::string table;       // empty for a database
  bool dry_run = false;    // EXPLAIN DELETE
  bool all_rows = false;   // DELETE without WHERE, TRUNCATE
  bool if_exists = false;  // of a DROP
};

// Nothing when `sql` is a query, or no valid single statement: the query engine then says what is wrong. For any text;
// only those that hold one of the words are parsed.
std::optional<ChangeStatement> ParseChange(const std::string& sql);

}  // namespace arc
