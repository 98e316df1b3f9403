#include "arc/maintain/upkeep.h"

#include <chrono>
#include <utility>

#include "arc/base/log.h"
#include "arc/maintain/orphans.h"

namespace arc {
namespace {

constexpr int64_t kNanosPerMs = 1'000'000;
constexpr auto kPeriod = std::chrono::minutes(1);
constexpr int64_t kRecordNanos = 1800 * 1'000'000'000LL;  // leaps are told from a day on

std::string NameOf(const Table& table) { return table.ref().database + "." + table.ref().name; }

}  // namespace

Upkeep::Upkeep(Catalog& catalog, ObjectStore& store, MaintenanceStore& record, Retention& retention, ClockWatch& watch,
               Clock& clock, const UpkeepOptions& options)
    : catalog_(catalog),
      store_(store),
      record_(record),
      retention_(retention),
      watch_(watch),
      clock_(clock),
      options_(options),
      round_at_nanos_(clock.MonotonicNanos() + options.interval_ms * kNanosPerMs),
      orphans_at_nanos_(clock.MonotonicNanos() + options.orphan_interval_ms * kNanosPerMs) {}

void Upkeep::Start() {
  ticker_ = std::make_unique<Ticker>("upkeep", kPeriod, [this] { RunDue(); });
}

void Upkeep::Stop() {
  stopping_ = true;
  if (ticker_ != nullptr) ticker_->Stop();
}

void Upkeep::RunDue() {
  std::lock_guard work(work_mutex_);
  if (stopping_) return;
  RecordClock();
  const int64_t now = clock_.MonotonicNanos();
  if (!options_.enabled || !watch_.IsTrusted()) return;
  if (now >= round_at_nanos_) {
    round_at_nanos_ = now + options_.interval_ms * kNanosPerMs;
    retention_.RunScheduled();
    (void)ExpireLocked(TablesOf("", ""));
  }
  if (now >= orphans_at_nanos_) {
    orphans_at_nanos_ = now + options_.orphan_interval_ms * kNanosPerMs;
    LookForOrphans();
  }
}

void Upkeep::RecordClock() {
  const int64_t hold_ms = watch_.HoldMs();
  {
    std::lock_guard lock(mutex_);
    stats_.clock_hold_ms = hold_ms;
  }
  const int64_t now = clock_.MonotonicNanos();
  const bool leapt = hold_ms > 0 && recorded_hold_ms_ == 0;
  if (recorded_at_nanos_ && now - *recorded_at_nanos_ < kRecordNanos && !leapt) return;
  recorded_at_nanos_ = now;
  recorded_hold_ms_ = hold_ms;
  if (auto recorded = record_.RecordClock({clock_.WallMicros(), hold_ms}); !recorded.ok()) {
    Log(LogLevel::kWarning, "maintain", "the clock was not recorded", {{"error", recorded.error().message}});
  }
}

Result<ExpiryOutcome> Upkeep::ExpireSnapshots(const std::string& database, const std::string& measurement) {
  std::lock_guard work(work_mutex_);
  return ExpireLocked(TablesOf(database, measurement));
}

Result<ExpiryOutcome> Upkeep::ExpireLocked(const std::vector<std::shared_ptr<Table>>& tables) {
  ExpiryOutcome total;
  Status first;
  uint64_t errors = 0;
  for (const auto& table : tables) {
    if (stopping_) break;
    const auto outcome = catalog_.ExpireSnapshots(*table);
    if (outcome.ok()) {
      total.snapshots += outcome->snapshots;
      total.objects += outcome->objects;
      continue;
    }
    ++errors;
    if (first.ok()) first = WithContext(outcome.error(), NameOf(*table));
  }
  std::lock_guard lock(mutex_);
  ++stats_.rounds;
  stats_.errors += errors;
  stats_.snapshots_expired += total.snapshots;
  stats_.objects_expired += total.objects;
  stats_.last_error = first.ok() ? "" : first.error().message;
  if (first.ok()) return total;
  Log(LogLevel::kWarning, "maintain", "snapshots of some tables were not expired",
      {{"tables", errors}, {"error", first.error().message}});
  return first.error();
}

Result<OrphanOutcome> Upkeep::RemoveOrphans(const std::string& database, const std::string& measurement, int64_t age_ms,
                                            bool dry_run) {
  if (age_ms < options_.orphan_age_ms) {
    return InvalidArgument(
        "objects younger than the setting maintenance.orphan_age_hours may belong to a commit "
        "under way");
  }
  if (!watch_.IsTrusted()) return Unavailable("the wall clock has leapt: ages cannot be told for now");
  std::lock_guard work(work_mutex_);
  return CollectOrphans(TablesOf(database, measurement), age_ms, !dry_run, nullptr, nullptr);
}

// The dry run of the schedule is its look before: only what was an orphan a whole interval ago goes.
void Upkeep::LookForOrphans() {
  Keys found;
  const auto outcome =
      CollectOrphans(TablesOf("", ""), options_.orphan_age_ms, options_.remove_orphans, &found_before_, &found);
  found_before_ = std::move(found);
  if (outcome.count == 0 && outcome.errors.empty()) return;
  Log(LogLevel::kInfo, "maintain", "looked for orphaned objects",
      {{"found", outcome.count},
       {"bytes", outcome.bytes},
       {"removed", outcome.removed},
       {"error", outcome.errors.empty() ? "" : outcome.errors[0]}});
}

// Removes those of `only` (null: all), and tells in `found` (unless null) which are left.
OrphanOutcome Upkeep::CollectOrphans(const std::vector<std::shared_ptr<Table>>& tables, int64_t age_ms, bool remove,
                                     const Keys* only, Keys* found) {
  OrphanOutcome outcome;
  for (const auto& table : tables) {
    if (stopping_) break;
    auto orphans = FindOrphans(catalog_, store_, *table, age_ms, clock_.WallMicros());
    if (!orphans.ok()) {
      if (outcome.errors.size() < OrphanOutcome::kNamed) {
        outcome.errors.push_back(NameOf(*table) + ": " + orphans.error().message);
      }
      continue;
    }
    for (auto& orphan : *orphans) {
      ++outcome.count;
      outcome.bytes += orphan.bytes;
      const bool goes = remove && (only == nullptr || only->contains(orphan.key)) && store_.Delete(orphan.key).ok();
      if (goes) {
        ++outcome.removed;
      } else if (found != nullptr) {
        found->insert(orphan.key);
      }
      if (outcome.objects.size() < OrphanOutcome::kNamed) outcome.objects.push_back(std::move(orphan));
    }
  }
  std::lock_guard lock(mutex_);
  stats_.orphans_found = outcome.count - outcome.removed;
  stats_.orphan_bytes = outcome.bytes;
  stats_.orphans_removed += outcome.removed;
  return outcome;
}

std::vector<std::shared_ptr<Table>> Upkeep::TablesOf(const std::string& database,
                                                     const std::string& measurement) const {
  if (database.empty()) return catalog_.AllTables();
  if (measurement.empty()) return catalog_.Tables(database);
  std::vector<std::shared_ptr<Table>> tables;
  if (auto table = catalog_.Find(database, measurement)) tables.push_back(std::move(table));
  return tables;
}

UpkeepStats Upkeep::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace arc
