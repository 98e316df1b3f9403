#include "query/query_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "ingest/load.h"
#include "machine/target_options.h"
#include "query/query_bench.h"

namespace arc::bench {
namespace {

double Millis(const QueryTimes& query, double share) { return Percentile(query.ns, share) / 1e6; }

void Print(const QueryOptions& options, const PlaceResult& result) {
  std::printf("%s: %lld rows in %.1f s, flushed in %.1f s, %lld files; %d runs\n", PlaceName(result.place),
              static_cast<long long>(options.rows), result.load_s, result.flush_s, static_cast<long long>(result.files),
              options.runs);
  std::printf("  %-28s %-6s %10s %10s %10s %12s %12s\n", "", "", "median ms", "p95 ms", "best ms", "server CPU ms",
              "answer MB");
  for (const QueryTimes& query : result.queries) {
    std::printf("  %-28s %-6s %10.2f %10.2f %10.2f %12.1f %12.3f\n", query.name.c_str(), query.format.c_str(),
                Millis(query, 0.5), Millis(query, 0.95), Millis(query, 0), query.server_cpu_ms,
                static_cast<double>(query.answer_bytes) / 1e6);
  }
}

bool WriteJson(const QueryOptions& options, const std::vector<PlaceResult>& results) {
  nlohmann::ordered_json out;
  out["bench"] = "query";
  out["rows"] = options.rows;
  out["runs"] = options.runs;
  for (const PlaceResult& result : results) {
    nlohmann::ordered_json place = {{"place", PlaceName(result.place)},
                                    {"load_s", result.load_s},
                                    {"flush_s", result.flush_s},
                                    {"files", result.files}};
    for (const QueryTimes& query : result.queries) {
      place["queries"].push_back({{"name", query.name},
                                  {"format", query.format},
                                  {"median_ms", Millis(query, 0.5)},
                                  {"p95_ms", Millis(query, 0.95)},
                                  {"best_ms", Millis(query, 0)},
                                  {"server_cpu_ms", query.server_cpu_ms},
                                  {"answer_bytes", query.answer_bytes}});
    }
    out["places"].push_back(std::move(place));
  }
  std::ofstream file(options.json_file);
  file << out.dump(2) << "\n";
  file.close();
  return static_cast<bool>(file);
}

// What a whole number of rows in each minute, and of requests in a tenth, asks for.
std::string FitsTenHours(const std::string& text) {
  const int64_t rows = std::strtoll(text.c_str(), nullptr, 10);
  const bool fits = rows >= 100'000 && rows % 100'000 == 0 && int64_t{36'000'000'000} % rows == 0;
  return fits ? "" : text + " does not fit: 100000, 1000000, 5000000, 10000000, 100000000 and others do";
}

int Run(const QueryOptions& options) {
  const Result<std::vector<PlaceResult>> results = RunQueries(options);
  if (!results.ok()) {
    std::fprintf(stderr, "arc-bench: %s\n", results.error().message.c_str());
    return 2;
  }
  for (const PlaceResult& result : *results) Print(options, result);
  if (options.json_file.empty() || WriteJson(options, *results)) return 0;
  std::fprintf(stderr, "arc-bench: cannot write %s\n", options.json_file.c_str());
  return 2;
}

}  // namespace

void AddQueryCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand("query", "loads rows and measures a fixed set of queries");
  auto options = std::make_shared<QueryOptions>();
  options->places = {Place::kHot, Place::kFiles, Place::kMixed};
  const std::map<std::string, Place> places = {
      {"hot", Place::kHot}, {"files", Place::kFiles}, {"mixed", Place::kMixed}};
  command
      ->add_option("--rows", options->rows,
                   "loaded, over ten hours: a multiple of 100000 that divides ten hours into microseconds")
      ->check(CLI::Validator(FitsTenHours, ""));
  command->add_option("--runs", options->runs, "of each query")->check(CLI::Range(1, 100'000));
  command->add_option("--place", options->places, "hot, files, mixed (default: all), separated by commas")
      ->delimiter(',')
      ->transform(CLI::CheckedTransformer(places).description(""));
  command->add_option("--json", options->json_file, "file for the figures");
  AddTargetOptions(*command, &options->target);
  command->final_callback([options, status] { *status = Run(*options); });
}

}  // namespace arc::bench
