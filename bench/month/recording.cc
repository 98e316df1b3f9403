#include "month/recording.h"

#include <fstream>
#include <map>
#include <string_view>

#include "arc/base/check.h"

namespace arc::bench {

Recording Recording::Read(const std::string& file) {
  std::map<std::string, std::vector<Line>> by_time;
  std::ifstream input(file);
  constexpr std::string_view kTag = ",host=";
  for (std::string line; std::getline(input, line);) {
    const size_t time = line.rfind(' ');
    const size_t tag = line.find(kTag);
    ARC_CHECK(time != std::string::npos && tag != std::string::npos);
    const size_t name = tag + kTag.size();
    const size_t end = line.find_first_of(", ", name);
    by_time[line.substr(time + 1)].push_back({line.substr(0, name), line.substr(end, time - end)});
  }
  Recording recording;
  for (auto& [time, lines] : by_time) recording.rounds_.push_back(std::move(lines));
  return recording;
}

void Recording::Append(size_t round, int host, int64_t time_micros, std::string* body) const {
  const std::string name = "host-" + std::to_string(host);
  const std::string time = " " + std::to_string(time_micros * 1000) + "\n";
  for (const Line& line : rounds_[round % rounds_.size()]) {
    body->append(line.before).append(name).append(line.after).append(time);
  }
}

}  // namespace arc::bench
