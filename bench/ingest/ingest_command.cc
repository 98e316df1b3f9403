#include "ingest/ingest_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "arc/base/clock.h"
#include "ingest/ingest.h"
#include "machine/target_options.h"

namespace arc::bench {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;

void AddPayloadOptions(CLI::App& command, PayloadOptions* payload) {
  const std::map<std::string, Format> formats = {
      {"rows", Format::kRows}, {"columns", Format::kColumns}, {"lp", Format::kLineProtocol}, {"json", Format::kJson}};
  const std::map<std::string, Shape> shapes = {{"small", Shape::kSmall}, {"tsbs", Shape::kTsbs}};
  command.add_option("--format", payload->format, "rows, columns (MessagePack), lp (line protocol) or json (rows)")
      ->transform(CLI::CheckedTransformer(formats).description(""));
  command.add_option("--shape", payload->shape, "small (2 tags, 3 doubles) or tsbs (10 tags, 10 integers)")
      ->transform(CLI::CheckedTransformer(shapes).description(""));
  command.add_option("--batch", payload->batch, "records a request")->check(CLI::Range(1, 1'000'000));
  command.add_option("--measurements", payload->measurements, "tables; each request is for one, in turns")
      ->check(CLI::Range(1, 1'000'000));
  command.add_option("--series", payload->series, "different hosts")->check(CLI::Range(1, 100'000'000));
  command.add_option("--decimals", payload->decimals, "of the random values of the small shape")
      ->check(CLI::Range(0, 15));
  command.add_option("--step-us", payload->step_micros, "microseconds between a record and the next")
      ->check(CLI::Range(1, 1'000'000'000));
  command
      .add_option("--start-us", payload->start_micros,
                  "timestamp of the first record (default: an hour before this one began)")
      ->check(CLI::Range(1'000'000'000'000'000, 8'000'000'000'000'000));
  command.add_option("--seed", payload->seed, "of the random values");
}

void AddLoadOptions(CLI::App& command, IngestOptions* options) {
  LoadOptions* load = &options->load;
  command.add_option("--connections", load->connections, "keep-alive connections")->check(CLI::Range(1, 10'000));
  command.add_option("--rate", load->records_per_s,
                     "records/s to send at, whatever the answers (default: closed loop)");
  CLI::Option* records = command.add_option("--records", load->records, "how many to send");
  CLI::Option* seconds = command.add_option("--seconds", load->seconds, "how long to send (default: 10)");
  records->excludes(seconds);
  command.add_option("--pool-mb", options->pool_mb, "most that is encoded beforehand")->check(CLI::Range(1, 16'384));
}

void AddServerRequests(CLI::App& command, IngestOptions* options) {
  command.add_option("--write", options->write,
                     "request that writes, as \"POST /path\" (default: Arc's of the format)");
  command.add_option("--flush", options->flush, "request that flushes; - for none");
  command.add_option("--count", options->count.request, "request that counts; {measurement} is asked for one by one");
  command.add_option("--count-body", options->count.body, "its body");
  command.add_option("--count-type", options->count.content_type, "its Content-Type");
  command.add_option("--count-result", options->count.result, "regular expression whose group is the number");
  command.add_option("--count-per-record", options->count.per_record, "what the server counts for one record")
      ->check(CLI::Range(1, 1000));
  command.add_option("--count-patience", options->count_patience_s, "seconds to wait for all records in the count");
  command.add_option("--settle-s", options->settle_s,
                     "seconds a server needs to write its files where nothing asks it to");
  command.add_option("--disk-suffix", options->disk_suffix, "ending of the files that are the data");
  command.add_option("--disk-skip", options->disk_skip, "beginning of folders' names to leave out");
  command.add_option("--json", options->json_file, "file for the figures");
}

const char* ArcWriteRequest(Format format) {
  switch (format) {
    case Format::kLineProtocol: return "POST /api/v1/write/line-protocol";
    case Format::kJson: return "POST /api/v1/write/json?precision=us";
    case Format::kRows:
    case Format::kColumns: break;
  }
  return "POST /api/v1/write/msgpack?precision=us";
}

int Run(IngestOptions options) {
  if (options.write.empty()) options.write = ArcWriteRequest(options.payload.format);
  if (options.flush == "-") options.flush.clear();
  if (options.load.records == 0 && options.load.seconds == 0) options.load.seconds = 10;
  options.load.batch = options.payload.batch;
  if (options.payload.start_micros == 0) {
    options.payload.start_micros = (SystemClock().WallMicros() / kHourMicros - 1) * kHourMicros;
  }
  const Result<IngestResult> result = RunIngest(options);
  if (!result.ok()) {
    std::fprintf(stderr, "arc-bench: %s\n", result.error().message.c_str());
    return 2;
  }
  PrintIngest(options, *result);
  if (!options.json_file.empty()) {
    const Status written = WriteIngestJson(options, *result);
    if (!written.ok()) {
      std::fprintf(stderr, "arc-bench: %s\n", written.error().message.c_str());
      return 2;
    }
  }
  const LoadResult& load = result->load;
  return result->exact() && load.acknowledged > 0 && load.refused == 0 && load.unknown == 0 ? 0 : 1;
}

}  // namespace

void AddIngestCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand("ingest", "writes records and measures how they are taken");
  auto options = std::make_shared<IngestOptions>();
  options->flush = "POST /write/flush";
  options->count.request = "POST /api/v1/query";
  options->count.body = R"({"sql":"SELECT count(*) FROM {measurement}"})";
  options->count.result = R"re("data":\s*\[\[(\d+)\]\])re";
  options->disk_suffix = ".parquet";
  AddPayloadOptions(*command, &options->payload);
  AddLoadOptions(*command, options.get());
  AddServerRequests(*command, options.get());
  AddTargetOptions(*command, &options->target);
  command->final_callback([options, status] { *status = Run(*options); });
}

}  // namespace arc::bench
