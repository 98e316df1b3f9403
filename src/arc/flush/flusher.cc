#include "arc/flush/flusher.h"

#include <arrow/array/data.h>
#include <arrow/record_batch.h>

#include <algorithm>
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
      store_(store),
      files_(staging != nullptr ? staging->local() : store),
      parquet_(std::move(parquet)),
      sync_log_(std::move(sync_log)) {}

std::vector<Result<FlushCounts>> Flusher::Flush(std::span<const std::shared_ptr<Table>> tables) {
  // Turns are taken in one order by all, so that two groups with tables in common do not wait for each other.
  std::vector<Uuid> ids;
  for (const auto& table : tables) ids.push_back(table->ref().id);
  std::sort(ids.begin(), ids.end());
  std::vector<std::shared_ptr<std::mutex>> turns;
  for (const auto& id : ids) turns.push_back(TurnOf(&flush_turns_, id));
  std::vector<std::unique_lock<std::mutex>> locks;
  for (const auto& turn : turns) locks.emplace_back(*turn);

  std::vector<Part> parts;
  for (const auto& table : tables) parts.push_back({table.get(), {}, {}, {}});
  auto all = FlushTogether(parts);
  std::vector<Result<FlushCounts>> results;
  for (auto& part : parts) {
    if (!all.ok()) {
      results.push_back(all.error());
    } else if (!part.status.ok()) {
      results.push_back(std::move(part.status).error());
    } else {
      results.push_back(CountsOf(part.files));
    }
  }
  return results;
}

// An error is that of every table.
Status Flusher::FlushTogether(std::span<Part> parts) {
  if (staging_ != nullptr) ARC_RETURN_IF_ERROR(staging_->CheckRoom());
  Lsn last;
  for (auto& part : parts) {
    part.input = part.table->BeginFlush();
    last = std::max(last, part.input.last);
  }
  if (last.value == 0) return {};
  // Iceberg must never hold a row that the log could lose: a replay would then count LSNs it has no record of.
  ARC_RETURN_IF_ERROR(sync_log_(last));
  const auto group = files_.NewGroup();
  for (auto& part : parts) {
    if (!part.input.chunks.empty()) part.status = WriteFiles(*group, &part);
  }
  if (staging_ == nullptr) {
    Commit(*group, parts);
  } else {
    Stage(*group, parts);
  }
  return {};
}

void Flusher::Commit(ObjectGroup& group, std::span<Part> parts) {
  std::vector<FlushCommit> commits;
  std::vector<Part*> committing;
  for (auto& part : parts) {
    if (part.files.empty()) continue;
    commits.push_back({part.table, part.input.schema, part.files, part.input.last, {}});
    committing.push_back(&part);
  }
  catalog_.CommitFlushes(group, commits);
  for (size_t i = 0; i < commits.size(); ++i) {
    auto& outcome = commits[i].outcome;
    if (!outcome.ok() && outcome.error().kind != ErrorKind::kUnknownOutcome) Discard(group, committing[i]->files);
    committing[i]->status = std::move(outcome);
  }
}

void Flusher::Stage(ObjectGroup& group, std::span<Part> parts) {
  const auto synced = group.Sync();
  for (auto& part : parts) {
    if (part.files.empty()) continue;
    if (!synced.ok()) {
      part.status = synced.error();
      continue;
    }
    staging_->Staged(CountsOf(part.files).bytes);
    part.table->Stage(std::make_shared<const StagedRun>(
        StagedRun{part.input.schema, part.files, part.input.chunks[0].first_lsn, part.input.last}));
  }
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
  const auto group = store_.NewGroup();
  FlushCommit commit{&table, run.schema, run.files, run.last, {}};
  catalog_.CommitFlushes(*group, {&commit, 1});
  // A commit of these very files whose answer was lost may show only now.
  if (!commit.outcome.ok() && table.flushed() < run.last) return commit.outcome;
  for (const auto& file : run.files) staging_->Drop(file.file.key, file.file.bytes);
  return {};
}

void Flusher::Discard(ObjectStore& store, const std::vector<FlushedFile>& files) {
  for (const auto& file : files) (void)store.Delete(file.file.key);
}

// Leaves no files behind when it fails.
Status Flusher::WriteFiles(ObjectGroup& group, Part* part) {
  const Table::FlushInput& input = part->input;
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
  int number = 0;
  for (const auto& [value, rows] : buckets) {
    const auto next_key = [&, first_time = rows.first_time(), count = rows.rows(), value = value] {
      return FlushedFileKey(part->table->ref(), partition, value, first_time, count, lineage8_,
                            input.chunks[0].first_lsn, number++);
    };
    auto written = WriteOne(group, *input.schema, rows, next_key);
    if (!written.ok()) {
      Discard(group, std::exchange(part->files, {}));
      return std::move(written).error();
    }
    part->files.push_back({std::move(*written), partition, value});
  }
  return {};
}

Result<WrittenFile> Flusher::WriteOne(ObjectGroup& group, const Schema& schema, const SortedRows& rows,
                                      const std::function<std::string()>& next_key) {
  std::string key;
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    key = next_key();
    auto written = WriteDataFile(group, key, schema, rows, parquet_);
    // The name is taken by an attempt that a crash cut short; it is no part of the table.
    if (!written.ok() && written.error().kind == ErrorKind::kAlreadyExists) continue;
    return written;
  }
  return Internal("no free name for a data file: " + key);
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
