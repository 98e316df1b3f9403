#include "ingest/row_count.h"

#include <cmath>
#include <cstdlib>
#include <utility>

namespace arc::bench {
namespace {

constexpr std::string_view kMeasurement = "{measurement}";

std::string Filled(std::string text, const std::string& measurement) {
  for (size_t at = text.find(kMeasurement); at != std::string::npos; at = text.find(kMeasurement)) {
    text.replace(at, kMeasurement.size(), measurement);
  }
  return text;
}

}  // namespace

Result<RowCount> RowCount::Make(const CountOptions& options, const PayloadOptions& payload) {
  try {
    return RowCount(options, payload, std::regex(options.result));
  } catch (const std::regex_error& error) {
    return InvalidArgument("the count's result \"" + options.result + "\": " + error.what());
  }
}

Result<int64_t> RowCount::Ask(HttpClient& client) const {
  const bool each =
      options_.request.find(kMeasurement) != std::string::npos || options_.body.find(kMeasurement) != std::string::npos;
  int64_t total = 0;
  for (int i = 0; i < (each ? payload_.measurements : 1); ++i) {
    const std::string name = MeasurementName(payload_, i);
    ARC_ASSIGN_OR_RETURN(const Endpoint endpoint, ParseEndpoint(Filled(options_.request, name)));
    ARC_ASSIGN_OR_RETURN(const Answer answer,
                         client.Send(endpoint, options_.content_type, Filled(options_.body, name)));
    std::smatch match;
    // As a number of any notation: some servers write 1e+07.
    if (std::regex_search(answer.body, match, result_))
      total += std::llround(std::strtod(match[1].str().c_str(), nullptr));
  }
  return total / options_.per_record;
}

}  // namespace arc::bench
