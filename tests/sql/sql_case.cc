#include "sql_case.h"

#include <fstream>

namespace arc {

Result<std::vector<SqlCase>> ReadSqlCases(const std::string& path) {
  std::ifstream file(path);
  if (!file.good()) return NotFound(path);
  std::vector<SqlCase> cases;
  SqlCase current;
  enum class State { kBetween, kStatement, kRows } state = State::kBetween;
  int number = 0;
  std::string line;
  auto wrong = [&](const std::string& what) {
    return InvalidArgument(path + ":" + std::to_string(number) + ": " + what);
  };
  auto finish = [&] {
    if (state == State::kRows) {
      cases.push_back(current);
      current.sql.clear();
      current.expected.clear();
      current.error.clear();
      current.sorted = false;
    }
    state = State::kBetween;
  };
  while (std::getline(file, line)) {
    ++number;
    if (line.empty()) {
      if (state == State::kStatement) return wrong("a statement without ----");
      finish();
    } else if (state == State::kStatement) {
      if (line == "----") {
        state = State::kRows;
      } else {
        current.sql += (current.sql.empty() ? "" : "\n") + line;
      }
    } else if (state == State::kRows) {
      current.expected.push_back(line);
    } else if (line[0] == '#') {
      continue;
    } else if (line.starts_with("user ")) {
      current.user = line.substr(5);
    } else if (line.starts_with("database ")) {
      current.database = line.substr(9);
    } else if (line == "query" || line == "query sorted" || line.starts_with("error ")) {
      current.sorted = line == "query sorted";
      if (line[0] == 'e') current.error = line.substr(6);
      current.line = number + 1;
      state = State::kStatement;
    } else {
      return wrong("unknown directive: " + line);
    }
  }
  if (state == State::kStatement) return wrong("a statement without ----");
  finish();
  return cases;
}

}  // namespace arc
