// Case files: statements and what they answer. The format is in README.md.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/query/query_engine.h"

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
// All files "*.test" of a folder, in the order of their names.
std::vector<std::string> SqlCaseFiles(const std::string& folder);

// Runs the statement and expects what the case says; `place` stands before every failure.
void CheckSqlCase(const SqlCase& test, const std::string& place,
                  const std::function<Result<std::vector<std::string>>(const QueryRequest&)>& run);

}  // namespace arc
