// Case files: statements and what they answer. The format is in README.md.
#pragma once

#include <string>
#include <vector>

#include "arc/base/result.h"

namespace arc {

struct SqlCase {
  int line = 0;  // of the statement
  std::string sql;
  std::string user = "admin";
  std::string database = "default";
  bool sorted = false;
  std::string error;                  // name of the kind; empty: rows are expected
  std::vector<std::string> expected;  // rows, or parts of the message
};

Result<std::vector<SqlCase>> ReadSqlCases(const std::string& path);

}  // namespace arc
