// Metrics of one host as Telegraf wrote them, to be written again as other hosts' at other times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace arc::bench {

class Recording {
 public:
  // Reads line protocol with nanoseconds whose lines all have the tag `host`. Empty when there is no such file.
  static Recording Read(const std::string& file);

  // The rounds of metrics that Telegraf took, one for each timestamp.
  size_t rounds() const { return rounds_.size(); }
  // Appends round `round` (taken modulo rounds()) to `body` as host number `host`'s at `time_micros`.
  void Append(size_t round, int host, int64_t time_micros, std::string* body) const;

 private:
  // What stands before and after the host's name, without the timestamp.
  struct Line {
    std::string before;
    std::string after;
  };
  std::vector<std::vector<Line>> rounds_;
};

}  // namespace arc::bench
