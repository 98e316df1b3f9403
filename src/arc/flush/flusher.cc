#include "arc/flush/flusher.h"

#include <arrow/array/data.h>
#include <arrow/record_batch.h>

#include <map>
#include <utility>

#include "arc/flush/file_name.h"

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int64_t kDayMicros = 24 * kHourMicros;
constexpr int kNameAttempts = 1000;

FlushCounts CountsOf(const std::vector<FlushedFile>& files) {
  FlushCounts counts;
  for (const auto& file : files) {
    counts.rows += file.file.rows;
    counts.bytes += file.file.bytes;
    ++counts.files;
  }
  return counts;
}

}  // namespace

Flusher::Flusher(Catalog& catalog, ObjectStore& store, StagedStore* staging, ParquetOptions parquet,
                 std::function<Status(Lsn)> sync_log)
    : catalog_(catalog),
      staging_(staging),
      files_(staging != nullptr ? staging->local() : store),
      parquet_(std::move(parquet)),
      sync_log_(std::move(sync_log)) {}

Result<FlushCounts> Flusher::Flush(Table& table) {
  auto turn = TurnOf(&flush_turns_, table.ref().id);
  std::lock_guard lock(*turn);
  if (staging_ != nullptr) ARC_RETURN_IF_ERROR(staging_->CheckRoom());
  auto input = table.BeginFlush();
  if (input.chunks.empty()) return FlushCounts();
  // Iceberg must never hold a row that the log could lose: a replay would then count LSNs it has no record of.
  ARC_RETURN_IF_ERROR(sync_log_(input.last));
  ARC_ASSIGN_OR_RETURN(auto files, WriteFiles(table, input));
  FlushCounts counts = CountsOf(files);
  if (staging_ == nullptr) {
    ARC_RETURN_IF_ERROR(Commit(table, *input.schema, files, input.last));
    return counts;
  }
  staging_->Staged(counts.bytes);
  table.Stage(std::make_shared<const StagedRun>(
      StagedRun{input.schema, std::move(files), input.chunks[0].first_lsn, input.last}));
  return counts;
}

Status Flusher::Commit(Table& table, const Schema& schema, const std::vector<FlushedFile>& files, Lsn last) {
  auto committed = catalog_.CommitFlush(table, schema, files, last);
  if (!committed.ok() && committed.error().kind != ErrorKind::kUnknownOutcome) Discard(files);
  return committed;
}

Result<FlushCounts> Flusher::CommitStaged(Table& table) {
  auto turn = TurnOf(&commit_turns_, table.ref().id);
  std::lock_guard lock(*turn);
  FlushCounts counts;
  for (const auto& run : table.staged()) {
    ARC_RETURN_IF_ERROR(CommitRun(table, *run));
    FlushCounts more = CountsOf(run->files);
    counts.rows += more.rows;
    counts.bytes += more.bytes;
    counts.files += more.files;
  }
  return counts;
}

Status Flusher::CommitRun(Table& table, const StagedRun& run) {
  for (const auto& file : run.files) ARC_RETURN_IF_ERROR(staging_->Upload(file.file.key));
  auto committed = catalog_.CommitFlush(table, *run.schema, run.files, run.last);
  // A commit of these very files whose answer was lost may show only now.
  if (!committed.ok() && table.flushed() < run.last) return committed;
  for (const auto& file : run.files) staging_->Drop(file.file.key, file.file.bytes);
  return {};
}

void Flusher::Discard(const std::vector<FlushedFile>& files) {
  for (const auto& file : files) (void)files_.Delete(file.file.key);
}

Result<std::vector<FlushedFile>> Flusher::WriteFiles(const Table& table, const Table::FlushInput& input) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (const auto& chunk : input.chunks) {
    ARC_ASSIGN_OR_RETURN(auto batch, ToRecordBatch(chunk, *input.schema));
    batches.push_back(std::move(batch));
  }
  auto partition = FlushedFile::Partition::kHour;
  ARC_ASSIGN_OR_RETURN(auto buckets, SplitByTime(batches, kHourMicros));
  if (buckets.size() > kMaxHoursPerFlush) {
    partition = FlushedFile::Partition::kDay;
    ARC_ASSIGN_OR_RETURN(buckets, SplitByTime(batches, kDayMicros));
  }
  std::vector<FlushedFile> files;
  int number = 0;
  for (const auto& [value, rows] : buckets) {
    const auto next_key = [&, first_time = rows.first_time(), count = rows.rows(), value = value] {
      return FlushedFileKey(table.ref(), partition, value, first_time, count, lineage8_, input.chunks[0].first_lsn,
                            number++);
    };
    auto written = WriteOne(*input.schema, rows, next_key);
    if (!written.ok()) {
      Discard(files);
      return std::move(written).error();
    }
    files.push_back({std::move(*written), partition, value});
  }
  return files;
}

Result<WrittenFile> Flusher::WriteOne(const Schema& schema, const SortedRows& rows,
                                      const std::function<std::string()>& next_key) {
  std::string key;
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    key = next_key();
    auto written = WriteDataFile(files_, key, schema, rows, parquet_);
    // The name is taken by an attempt that a crash cut short; it is no part of the table.
    if (!written.ok() && written.error().kind == ErrorKind::kAlreadyExists) continue;
    return written;
  }
  return Internal("no free name for a data file like " + key);
}

std::shared_ptr<std::mutex> Flusher::TurnOf(Turns* turns, const Uuid& table) {
  std::lock_guard lock(mutex_);
  auto turn = (*turns)[table].lock();
  if (turn == nullptr) {
    turn = std::make_shared<std::mutex>();
    (*turns)[table] = turn;
  }
  return turn;
}

}  // namespace arc
