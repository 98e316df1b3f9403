// arc-bench query: a fixed set of queries over HTTP on rows that are hot, in files, or both.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "machine/target.h"

namespace arc::bench {

// Where the rows are when they are asked for.
enum class Place { kHot, kFiles, kMixed };
const char* PlaceName(Place place);

struct QueryOptions {
  TargetOptions target;
  std::vector<Place> places;
  int64_t rows = 10'000'000;  // spread evenly over ten hours
  int runs = 21;              // measured, after two that are not
  std::string json_file;      // empty: none
};

struct QueryTimes {
  std::string name;
  std::string format;       // json, csv, arrow
  std::vector<int64_t> ns;  // sorted; from the first byte sent to the last received
  int64_t answer_bytes = 0;
  double server_cpu_ms = 0;  // a run; steps of 10 ms over all runs
};

struct PlaceResult {
  Place place = Place::kHot;
  double load_s = 0;
  double flush_s = 0;
  int64_t files = 0;  // Parquet files of the table
  std::vector<QueryTimes> queries;
};

// Loads a fresh server for each place. An error when an answer is not what it must be.
Result<std::vector<PlaceResult>> RunQueries(const QueryOptions& options);

}  // namespace arc::bench
