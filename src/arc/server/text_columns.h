// Lists for people: cells in columns, two spaces apart.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace arc {

// Every row has as many cells as the first. No spaces at the ends of lines.
void PrintColumns(const std::vector<std::vector<std::string>>& rows, std::ostream& out);

}  // namespace arc
