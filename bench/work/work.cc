#include "work/work.h"

#include <utility>

namespace arc::bench {

std::vector<Work> AllWork() {
  std::vector<Work> all;
  for (auto* room : {DecodeWork, WalWork, BufferWork, FlushWork}) {
    for (Work& work : room()) all.push_back(std::move(work));
  }
  return all;
}

}  // namespace arc::bench
