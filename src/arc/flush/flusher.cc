#include "arc/flush/flusher.h"

#include <arrow/array/data.h>
#include <arrow/record_batch.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <map>
#include <utility>

#include "arc/base/log.h"

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int64_t kDayMicros = 24 * kHourMicros;
constexpr int kNameAttempts = 1000;
constexpr size_t kNamePrefixBytes = 128;  // of the measurement in a file name: file systems take 255 bytes in all

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

std::tm UtcOf(int64_t micros) {
  std::time_t seconds = FloorDivide(micros, 1'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return utc;
}

std::string PartitionFolder(FlushedFile::Partition partition, int64_t value) {
  if (partition == FlushedFile::Partition::kHour) return fmt::format("{:%Y/%m/%d/%H}", UtcOf(value * kHourMicros));
  return fmt::format("{:%Y/%m/%d}", UtcOf(value * kDayMicros));
}

using Buckets = std::map<int64_t, std::vector<std::shared_ptr<arrow::RecordBatch>>>;

}  // namespace

Flusher::Flusher(Catalog& catalog, ObjectStore& store, ParquetOptions parquet, std::function<Status(Lsn)> sync_log)
    : catalog_(catalog), store_(store), parquet_(std::move(parquet)), sync_log_(std::move(sync_log)) {}

Result<FlushCounts> Flusher::Flush(Table& table) {
  auto turn = TurnOf(table.ref().id);
  std::lock_guard lock(*turn);
  auto input = table.BeginFlush();
  FlushCounts counts;
  if (input.chunks.empty()) return counts;
  // Iceberg must never hold a row that the log could lose: a replay would then count LSNs it has no record of.
  ARC_RETURN_IF_ERROR(sync_log_(input.last));
  ARC_ASSIGN_OR_RETURN(auto files, WriteFiles(table, input));
  auto committed = catalog_.CommitFlush(table, *input.schema, files, input.last);
  if (!committed.ok()) {
    if (committed.error().kind != ErrorKind::kUnknownOutcome) {
      for (const auto& file : files) (void)store_.Delete(file.file.key);
    }
    return std::move(committed).error();
  }
  for (const auto& file : files) {
    counts.rows += file.file.rows;
    counts.bytes += file.file.bytes;
    ++counts.files;
  }
  return counts;
}

Result<std::vector<FlushedFile>> Flusher::WriteFiles(const Table& table, const Table::FlushInput& input) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t min_time = input.chunks[0].min_time;
  int64_t max_time = input.chunks[0].max_time;
  for (const auto& chunk : input.chunks) {
    ARC_ASSIGN_OR_RETURN(auto batch, ToRecordBatch(chunk, *input.schema));
    batches.push_back(std::move(batch));
    min_time = std::min(min_time, chunk.min_time);
    max_time = std::max(max_time, chunk.max_time);
  }
  auto partition = FlushedFile::Partition::kHour;
  ARC_ASSIGN_OR_RETURN(Buckets buckets, SplitByTime(batches, kHourMicros));
  if (buckets.size() > kMaxHoursPerFlush) {
    partition = FlushedFile::Partition::kDay;
    ARC_ASSIGN_OR_RETURN(buckets, SplitByTime(batches, kDayMicros));
  }
  std::vector<FlushedFile> files;
  int number = 0;
  for (const auto& [value, rows] : buckets) {
    auto written =
        WriteOne(table, *input.schema, PartitionFolder(partition, value), input.chunks[0].first_lsn, rows, &number);
    if (!written.ok()) {
      for (const auto& file : files) (void)store_.Delete(file.file.key);
      return std::move(written).error();
    }
    files.push_back({std::move(*written), partition, value});
  }
  return files;
}

Result<WrittenFile> Flusher::WriteOne(const Table& table, const Schema& schema, const std::string& folder, Lsn first,
                                      const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, int* number) {
  int64_t rows = 0;
  for (const auto& batch : batches) rows += batch->num_rows();
  const auto& times = batches.front()->column_data(0);
  int64_t first_time = times->GetValues<int64_t>(1)[0];
  std::string prefix = EncodePathElement(table.ref().name).substr(0, kNamePrefixBytes);
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    std::string key = fmt::format("{}/{}/{}_{:%Y%m%d_%H%M%S}_{}_{}-{}-{}.parquet", TableFolder(table.ref()), folder,
                                  prefix, UtcOf(first_time), rows, lineage8_, first.value, (*number)++);
    auto written = WriteDataFile(store_, key, schema, batches, parquet_);
    // The name is taken by an attempt that a crash cut short; it is no part of the table.
    if (!written.ok() && written.error().kind == ErrorKind::kAlreadyExists) continue;
    return written;
  }
  return Internal("no free name for a data file in " + folder);
}

std::shared_ptr<std::mutex> Flusher::TurnOf(const Uuid& table) {
  std::lock_guard lock(mutex_);
  auto turn = turns_[table].lock();
  if (turn == nullptr) {
    turn = std::make_shared<std::mutex>();
    turns_[table] = turn;
  }
  return turn;
}

}  // namespace arc
