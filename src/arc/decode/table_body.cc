#include "arc/decode/table_body.h"

#include <algorithm>
#include <unordered_map>

#include "arc/decode/batch_builder.h"

namespace arc {
namespace {

using Places = std::unordered_map<std::string_view, size_t>;

Result<Places> PlacesOf(const std::vector<std::string>& names) {
  Places places;
  for (size_t i = 0; i < names.size(); ++i) {
    const Added named = CheckName(names[i]);
    if (named == Added::kEmptyName) return InvalidArgument("column " + std::to_string(i + 1) + " has no name");
    if (named != Added::kOk) return InvalidArgument(DescribeRefusal(named, "column", names[i]));
    if (!places.emplace(names[i], i).second) return InvalidArgument("column " + Snippet(names[i]) + " is there twice");
  }
  return places;
}

Result<size_t> PlaceOfTime(const Places& places, const std::string& wanted) {
  if (!wanted.empty()) {
    if (const auto found = places.find(wanted); found != places.end()) return found->second;
    return InvalidArgument("there is no column " + Snippet(wanted) + " to take the times from");
  }
  for (const std::string_view usual : {"time", "timestamp", "_time"}) {
    if (const auto found = places.find(usual); found != places.end()) return found->second;
  }
  return InvalidArgument("no column is named time, timestamp or _time: say with time_column which one holds the times");
}

}  // namespace

Result<TableBodyLayout> LayOutTableBody(const std::vector<std::string>& names, const TableBodyOptions& options) {
  if (options.measurement.empty()) return InvalidArgument("the parameter measurement is missing");
  if (const Added named = CheckName(options.measurement); named != Added::kOk) {
    return InvalidArgument(DescribeRefusal(named, "measurement", options.measurement));
  }
  if (names.size() > static_cast<size_t>(kMaxColumns)) {
    return InvalidArgument("there are " + std::to_string(names.size()) + " columns; a measurement has at most " +
                           std::to_string(kMaxColumns));
  }
  ARC_ASSIGN_OR_RETURN(const Places places, PlacesOf(names));
  TableBodyLayout layout;
  ARC_ASSIGN_OR_RETURN(layout.time, PlaceOfTime(places, options.time_column));
  if (names.size() < 2) return InvalidArgument("there is no column beside " + Snippet(names[layout.time]));
  layout.roles.assign(names.size(), ColumnRole::kField);
  layout.roles[layout.time] = ColumnRole::kTime;
  if (!options.tags) return layout;
  for (const std::string& tag : *options.tags) {
    const auto found = places.find(tag);
    if (found == places.end()) return InvalidArgument("there is no column " + Snippet(tag) + " to be a tag");
    if (found->second == layout.time) {
      return InvalidArgument("column " + Snippet(tag) + " holds the times and cannot be a tag");
    }
    layout.roles[found->second] = ColumnRole::kTag;
  }
  return layout;
}

}  // namespace arc
