// arc-compact: data files of an hour, made as a flush makes them, and their merge, timed. bench/compaction.py runs it
// beside DuckDB.
//   arc-compact make FOLDER SHAPE FILES ROWS OVERLAP   OVERLAP of the files cover the same times, 1: none do
//   arc-compact merge FOLDER SHAPE LEVEL
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/base/check.h"
#include "arc/base/clock.h"
#include "arc/buffer/table_buffer.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_store.h"
#include "arc/parquet/data_file.h"
#include "arc/parquet/merge.h"
#include "work/input.h"

namespace arc::bench {
namespace {

constexpr int64_t kDayMicros = 86'400'000'000;

// Hot rows of `batches`, as a flush gets them.
SortedRows Rows(const std::vector<Batch>& batches, const Schema& schema, ByteBudget* budget) {
  TableBuffer buffer(budget);
  uint64_t lsn = 0;
  for (const Batch& batch : batches) buffer.Append(schema, batch, Lsn{++lsn}, budget->Force(batch.ByteSize()));
  buffer.Seal();
  std::vector<std::shared_ptr<arrow::RecordBatch>> chunks;
  for (const ChunkView& view : *buffer.View().sealed) chunks.push_back(*ToRecordBatch(view, schema));
  auto days = SplitByTime(chunks, 365 * kDayMicros);
  ARC_CHECK(days.ok() && days->size() == 1);
  return std::move(days->begin()->second);
}

// Writes the files and, beside them, what merge has to know.
int Make(ObjectStore& store, Shape shape, int files, int rows, int overlap) {
  const int batches = files * (rows / kBatchRows);
  std::string index;
  // Files of a group take turns, batch by batch.
  const int per_group = overlap * (rows / kBatchRows);
  Schema schema;
  ByteBudget budget{int64_t{4} << 30};
  for (int group = 0; group * per_group < batches; ++group) {
    std::vector<std::vector<Batch>> members(static_cast<size_t>(overlap));
    for (int i = 0; i < per_group; ++i) {
      members[static_cast<size_t>(i % overlap)].push_back(BatchOf(shape, group * per_group + i));
    }
    for (int member = 0; member < overlap; ++member) {
      schema = SchemaOf(members[static_cast<size_t>(member)][0]);
      const SortedRows sorted = Rows(members[static_cast<size_t>(member)], schema, &budget);
      const std::string key = "in" + std::to_string(group * overlap + member) + ".parquet";
      const auto file = WriteDataFile(store, key, schema, sorted, {});
      ARC_CHECK(file.ok());
      const auto snappy = WriteDataFile(store, "snappy/" + key, schema, sorted, {.compression = "snappy"});
      ARC_CHECK(snappy.ok());
      index += key + " " + std::to_string(file->bytes) + " " + std::to_string(file->rows) + " " +
               std::to_string(file->min_time) + " " + std::to_string(snappy->bytes) + "\n";
    }
  }
  ARC_CHECK(store.PutOverwrite("index.txt", index).ok());
  return 0;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int64_t PeakBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} << 10;
}

int Run(ObjectStore& store, Shape shape, const std::string& folder, int level) {
  const Schema schema = SchemaOf(BatchOf(shape, 0));
  std::vector<MergeInput> inputs;
  int64_t bytes = 0;
  int64_t rows = 0;
  int64_t snappy_bytes = 0;
  std::ifstream index(folder + "/index.txt");
  MergeInput input;
  for (int64_t snappy = 0; index >> input.key >> input.bytes >> input.rows >> input.min_time >> snappy;) {
    inputs.push_back(input);
    bytes += input.bytes;
    rows += input.rows;
    snappy_bytes += snappy;
  }
  std::stable_sort(inputs.begin(), inputs.end(),
                   [](const MergeInput& a, const MergeInput& b) { return a.min_time < b.min_time; });
  MergeOptions options;
  options.parquet.compression = "zstd";
  options.parquet.compression_level = level;
  options.parquet.double_dictionaries = true;
  std::vector<MergeRefusal> refused;
  int number = 0;
  const int64_t peak_before = PeakBytes();
  const double cpu = CpuSeconds();
  const int64_t start = SystemClock().MonotonicNanos();
  const auto merged = MergeDataFiles(
      store, schema, inputs, options,
      [&](int64_t) { return "out" + std::to_string(level) + "-" + std::to_string(number++) + ".parquet"; }, &refused);
  const double seconds = static_cast<double>(SystemClock().MonotonicNanos() - start) / 1e9;
  ARC_CHECK(merged.ok());
  int64_t written = 0;
  for (const auto& file : *merged) written += file.bytes;
  std::printf(R"({"files":%zu,"rows":%ld,"bytes_in":%ld,"bytes_out":%ld,"snappy_bytes":%ld,"seconds":%.3f,)"
              R"("cpu_seconds":%.3f,"peak_bytes":%ld,"peak_before_bytes":%ld})"
              "\n",
              inputs.size(), rows, bytes, written, snappy_bytes, seconds, CpuSeconds() - cpu, PeakBytes(), peak_before);
  return 0;
}

int Main(const std::vector<std::string>& words) {
  if (words.size() < 4) {
    std::fputs("arc-compact make FOLDER small|tsbs FILES ROWS OVERLAP\narc-compact merge FOLDER small|tsbs LEVEL\n",
               stderr);
    return 2;
  }
  const Shape shape = words[2] == "tsbs" ? Shape::kTsbs : Shape::kSmall;
  const auto store = OpenLocalObjectStore(SystemDisk(), words[1]);
  ARC_CHECK(store.ok());
  if (words[0] == "make" && words.size() == 6) {
    return Make(**store, shape, std::stoi(words[3]), std::stoi(words[4]), std::stoi(words[5]));
  }
  return Run(**store, shape, words[1], std::stoi(words[3]));
}

}  // namespace
}  // namespace arc::bench

int main(int argc, char** argv) { return arc::bench::Main({argv + 1, argv + argc}); }
