// Pieces of work of one room each, in process and on one thread: what the micro-benchmarks time and what callgrind
// counts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace arc::bench {

struct Work {
  std::string name;  // "decode/lp_small"
  int64_t rows = 0;  // of one run
  // Makes the input, which is the same every time; what it returns does the work once and aborts when it fails.
  std::function<std::function<void()>()> prepare;
};

std::vector<Work> DecodeWork();  // every decoder, a body of 1,000 rows
std::vector<Work> WalWork();     // a group of 8 records of 1,000 rows to the bytes of the log
std::vector<Work> BufferWork();  // 64 batches of 1,000 rows into an empty buffer
std::vector<Work> FlushWork();   // 64,000 hot rows to a Parquet file in memory; in order of time, and not

std::vector<Work> AllWork();

}  // namespace arc::bench
