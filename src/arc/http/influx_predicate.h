// Which points InfluxDB 2's delete is for.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arc/base/result.h"

namespace arc {

struct InfluxPredicate {
  std::string measurement;  // empty: all
  std::vector<std::pair<std::string, std::string>> tags;
};

// `_measurement="cpu" AND host="a"`: names and values bare, in double or in single quotes with \ before a quote that is
// theirs; only = and AND, as in InfluxDB. Empty text: everything. kInvalidArgument.
Result<InfluxPredicate> ParseInfluxPredicate(std::string_view text);

}  // namespace arc
