#include "power_cut_rig.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int kWritesPerRun = 12;
constexpr int kRowsPerWrite = 3;
constexpr int kHours = 3;
const char* const kTableNames[PowerCutRig::kTables] = {"cpu", "mem", "disk io"};

std::string Quoted(const std::string& name) { return "\"default\".\"" + name + "\""; }

bool IsMissing(const Error& error) { return error.message.find("does not exist") != std::string::npos; }

}  // namespace

Status TellingDisk::Rename(const std::string& from, const std::string& to) {
  ARC_RETURN_IF_ERROR(PowerCutDisk::Rename(from, to));
  if (renamed) renamed(to);
  return {};
}

Status TellingDisk::RenameNoReplace(const std::string& from, const std::string& to) {
  ARC_RETURN_IF_ERROR(PowerCutDisk::RenameNoReplace(from, to));
  if (renamed) renamed(to);
  return {};
}

PowerCutRig::PowerCutRig(uint64_t seed) : random_(seed), rows_(kTables) {
  temp_ = std::filesystem::temp_directory_path() / ("arc-power-cut-" + std::to_string(SystemRandom().NextU64()));
}

PowerCutRig::~PowerCutRig() {
  engine_.reset();
  std::filesystem::remove_all(temp_);
}

Status PowerCutRig::Open() {
  EngineOptions options;
  options.data_folder = "/data";
  options.log.segment_bytes = 16 << 10;  // rotation and recycling happen within a run
  options.query.temp_folder = temp_.string();
  options.query.threads = 1;
  options.query.memory_limit_bytes = 256 << 20;
  options.history.max_snapshots = 3;
  options.history.keep_metadata_files = 2;
  options.upkeep.enabled = false;  // by hand only
  options.compaction.policy.min_files = 2;
  options.compaction.policy.min_age_ms = 0;
  auto engine = Engine::Open(options, disk_, SystemClock(), random_);
  if (!engine.ok()) return std::move(engine).error();
  engine_ = std::move(*engine);
  return {};
}

void PowerCutRig::RunWrites(bool truncate_early) {
  for (int i = 0; i < kWritesPerRun && disk_.power_is_on(); ++i) {
    (void)Write(i % kTables, i % kHours);
    if (truncate_early) (void)engine_->log().SetFlushed(engine_->log().positions().applied);
    if (i % 4 == 3) (void)engine_->Flush();
  }
}

void PowerCutRig::RunAll(const Around& around) {
  std::vector<Step> steps(kWritesPerRun, Step::kWrite);
  const std::pair<Step, size_t> others[] = {{Step::kFlush, 6},       {Step::kCompact, 3}, {Step::kDeleteRows, 2},
                                            {Step::kDeleteFiles, 2}, {Step::kExpire, 2},  {Step::kDrop, 1}};
  for (const auto& [step, count] : others) steps.insert(steps.end(), count, step);
  for (size_t i = steps.size() - 1; i > 0; --i) std::swap(steps[i], steps[random_.NextU64() % (i + 1)]);
  for (const Step step : steps) {
    if (!disk_.power_is_on()) return;
    if (around) around(step, true);
    if (Do(step).ok()) ++done_[step];
    if (around) around(step, false);
  }
}

void PowerCutRig::PowerCycle() {
  engine_.reset();
  disk_.Restart(random_);
}

Status PowerCutRig::Do(Step step) {
  const int table = RandomTable();
  switch (step) {
    case Step::kWrite: return Write(table, static_cast<int64_t>(random_.NextU64() % kHours));
    case Step::kFlush: return engine_->Flush();
    case Step::kCompact: return Compact();
    case Step::kDeleteRows: {
      const int64_t rest = static_cast<int64_t>(random_.NextU64() % 3);
      return Delete(table, "id % 3 = " + std::to_string(rest), [&](const Row& row) { return row.id % 3 == rest; });
    }
    case Step::kDeleteFiles:
      return Delete(table, "time < '1970-01-01 01:00:00'", [](const Row& row) { return row.hour < 1; });
    case Step::kExpire: {
      auto expired = engine_->upkeep().ExpireSnapshots("", "");
      return expired.ok() ? Status() : Status(std::move(expired).error());
    }
    case Step::kDrop: return Drop(table);
  }
  return {};
}

Status PowerCutRig::Write(int table, int64_t hour) {
  std::vector<int64_t> times;
  std::vector<std::optional<int64_t>> ids;
  std::vector<std::optional<std::string>> hosts;
  for (int row = 0; row < kRowsPerWrite; ++row) {
    const int64_t id = next_id_++;
    ids.push_back(id);
    times.push_back(hour * kHourMicros + id);
    hosts.push_back("host" + std::to_string(row));
    ledger_.Sent(id);
    rows_[static_cast<size_t>(table)].push_back({id, hour});
  }
  WriteRequest request;
  BatchForTest batch(times);
  batch.Tags("host", hosts).Ints("id", ids);
  request.batches.push_back({kTableNames[table], batch.Done()});
  auto outcome = engine_->WriteAndWait(std::move(request), {});
  if (!outcome.ok()) return std::move(outcome).error();
  for (const auto& id : ids) ledger_.Acknowledged(*id);
  return {};
}

Status PowerCutRig::Compact() {
  const uint64_t failed = engine_->compaction().stats().failed;
  engine_->compaction().Trigger("", "");
  engine_->compaction().Wait();
  return engine_->compaction().stats().failed == failed ? Status() : Internal("a job failed");
}

Status PowerCutRig::Delete(int table, const std::string& condition, const std::function<bool(const Row&)>& matches) {
  std::vector<int64_t> doomed;
  for (const Row& row : rows_[static_cast<size_t>(table)]) {
    if (matches(row)) doomed.push_back(row.id);
  }
  ledger_.Deleting(doomed);
  auto answer = Numbers("DELETE FROM " + Quoted(kTableNames[table]) + " WHERE " + condition);
  if (!answer.ok() && !IsMissing(answer.error())) return std::move(answer).error();
  ledger_.Deleted();
  return {};
}

Status PowerCutRig::Drop(int table) {
  DropRequest request;
  request.database = "default";
  request.measurement = kTableNames[table];
  request.if_exists = true;
  request.principal = Principal::Admin("test");
  ARC_ASSIGN_OR_RETURN(const auto asked, engine_->deletions().Drop(request));
  std::vector<int64_t> doomed;
  for (const Row& row : rows_[static_cast<size_t>(table)]) doomed.push_back(row.id);
  ledger_.Deleting(doomed);
  request.confirmation = asked.confirmation;
  if (!request.confirmation.empty()) {
    auto dropped = engine_->deletions().Drop(request);
    if (!dropped.ok()) return std::move(dropped).error();
  }
  ledger_.Deleted();
  return {};
}

// Its first column.
Result<std::vector<int64_t>> PowerCutRig::Numbers(const std::string& sql) {
  QueryRequest request;
  request.sql = sql;
  request.principal = Principal::Admin("test");
  ARC_ASSIGN_OR_RETURN(auto stream, engine_->Query(request));
  std::vector<int64_t> numbers;
  while (true) {
    ARC_ASSIGN_OR_RETURN(const auto batch, stream->Next());
    if (batch == nullptr) return numbers;
    const auto& column = static_cast<const arrow::Int64Array&>(*batch->column(0));
    for (int64_t row = 0; row < column.length(); ++row) numbers.push_back(column.Value(row));
  }
}

std::vector<std::string> PowerCutRig::Check() {
  std::vector<int64_t> found;
  for (const char* table : kTableNames) {
    if (engine_->catalog().Find("default", table) == nullptr) continue;
    auto ids = Numbers("SELECT id FROM " + Quoted(table));
    if (!ids.ok()) return {"query failed: " + ids.error().message};
    found.insert(found.end(), ids->begin(), ids->end());
  }
  auto violations = ledger_.Check(found);
  ledger_.Settle(found);
  return violations;
}

std::vector<std::string> PowerCutRig::CheckSnapshots() {
  std::vector<std::string> violations;
  for (const char* table : kTableNames) {
    if (engine_->catalog().Find("default", table) == nullptr) continue;
    const auto snapshots = Numbers("SELECT snapshot_id FROM \"default\".\"" + std::string(table) + "$snapshots\"");
    if (!snapshots.ok()) {
      violations.push_back("snapshots of " + std::string(table) + ": " + snapshots.error().message);
      continue;
    }
    for (const int64_t snapshot : *snapshots) {
      const std::string name = "snapshot " + std::to_string(snapshot) + " of " + table;
      auto ids = Numbers("SELECT id FROM " + Quoted(table) + " AT (VERSION => " + std::to_string(snapshot) + ")");
      if (!ids.ok()) {
        violations.push_back(name + ": " + ids.error().message);
        continue;
      }
      std::sort(ids->begin(), ids->end());
      const auto [known, is_new] = rows_of_snapshots_.try_emplace(snapshot, *ids);
      if (!is_new && known->second != *ids) violations.push_back(name + " has other rows than before");
    }
  }
  return violations;
}

std::string Join(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

int64_t FromEnvironment(const char* name, int64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::atoll(text);
}

}  // namespace arc
