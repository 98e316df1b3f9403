#include "arc/flush/flush_groups.h"

#include <utility>

namespace arc {

std::vector<TableGroup> GroupForFlush(std::vector<std::shared_ptr<Table>> tables) {
  std::vector<TableGroup> groups;
  TableGroup small;
  int64_t small_bytes = 0;
  auto finish = [&] {
    if (!small.empty()) groups.push_back(std::exchange(small, {}));
    small_bytes = 0;
  };
  for (auto& table : tables) {
    const int64_t bytes = table->hot().bytes;
    if (bytes > kSmallTableBytes) {
      groups.push_back({std::move(table)});
      continue;
    }
    if (small.size() == kTablesPerGroup || small_bytes + bytes > kBytesPerGroup) finish();
    small.push_back(std::move(table));
    small_bytes += bytes;
  }
  finish();
  return groups;
}

}  // namespace arc
