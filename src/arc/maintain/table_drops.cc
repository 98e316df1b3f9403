#include "arc/maintain/table_drops.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "arc/base/log.h"

namespace arc {
namespace {

constexpr size_t kMaxPending = 1000;
constexpr int kAttempts = 5;  // at dropping a database that is written to
constexpr std::string_view kDefaultDatabase = "default";

void Add(const Table& table, DropOutcome* outcome) {
  const auto version = table.Current();
  ++outcome->tables;
  outcome->rows += version->files->rows() + static_cast<int64_t>(version->hot.rows);
  outcome->files += static_cast<int64_t>(version->files->files().size());
  outcome->bytes += version->files->bytes();
}

}  // namespace

Result<DropOutcome> TableDrops::DropTable(const std::string& database, const std::string& measurement,
                                          const std::string& confirmation) {
  auto table = catalog_.Find(database, measurement);
  if (table == nullptr) {
    const std::string reason = catalog_.WhyUnreadable(database, measurement);
    if (reason.empty()) return NotFound("there is no table " + database + "." + measurement);
    return MakeError(ErrorKind::kUnsupported, database + "." + measurement +
                                                  " is a table of other engines: drop it through the Iceberg catalog");
  }
  const TableRef ref = table->ref();
  DropOutcome outcome;
  outcome.database = ref.database;
  outcome.measurement = ref.name;
  Add(*table, &outcome);
  table.reset();  // files that somebody holds are not deleted yet
  const std::string what = "table " + ref.id.ToString();
  if (!Take(what, confirmation)) {
    outcome.confirmation = Ask(what);
    return outcome;
  }
  ARC_RETURN_IF_ERROR(DropOne(ref.database, ref.name));
  return outcome;
}

Result<DropOutcome> TableDrops::DropDatabase(const std::string& database, const std::string& confirmation) {
  const auto known = catalog_.FindDatabase(database);
  if (!known) return NotFound("there is no database " + database);
  if (*known == kDefaultDatabase) return InvalidArgument("the database default cannot be dropped; its tables can");
  DropOutcome outcome;
  outcome.database = *known;
  std::string what = "database " + *known;
  ARC_ASSIGN_OR_RETURN(auto names, TableNames(*known));
  for (const auto& name : names) {
    const auto table = catalog_.Find(*known, name);
    what += table == nullptr ? " " + name : " " + table->ref().id.ToString();
    if (table != nullptr) Add(*table, &outcome);
  }
  if (!Take(what, confirmation)) {
    outcome.confirmation = Ask(what);
    return outcome;
  }
  for (int attempt = 1;; ++attempt) {
    for (const auto& name : names) {
      const auto dropped = DropOne(*known, name);
      if (!dropped.ok() && dropped.error().kind != ErrorKind::kNotFound) return dropped.error();
    }
    const auto dropped = catalog_.iceberg().DropNamespace(*known);
    if (dropped.ok()) break;
    // Rows that came meanwhile have made tables.
    if (dropped.error().kind != ErrorKind::kConflict || attempt == kAttempts) return dropped.error();
    ARC_ASSIGN_OR_RETURN(names, TableNames(*known));
  }
  Log(LogLevel::kInfo, "drop", "a database was dropped", {{"database", *known}, {"tables", outcome.tables}});
  return outcome;
}

uint64_t TableDrops::dropped() const {
  std::lock_guard lock(mutex_);
  return dropped_;
}

// Those of other engines too.
Result<std::vector<std::string>> TableDrops::TableNames(const std::string& database) {
  ARC_ASSIGN_OR_RETURN(const auto committed, catalog_.iceberg().TableNames(database));
  std::set<std::string> names(committed.begin(), committed.end());
  for (const auto& table : catalog_.Tables(database)) names.insert(table->ref().name);
  return std::vector<std::string>(names.begin(), names.end());
}

Status TableDrops::DropOne(const std::string& database, const std::string& measurement) {
  ARC_RETURN_IF_ERROR(catalog_.iceberg().DropTable({database, measurement}, /*purge=*/true));
  Log(LogLevel::kInfo, "drop", "a table was dropped", {{"table", database + "." + measurement}});
  std::lock_guard lock(mutex_);
  ++dropped_;
  return {};
}

std::string TableDrops::Ask(const std::string& what) {
  Pending pending{what, Uuid::Random(random_).ToString(), clock_.MonotonicNanos() + kConfirmationMs * 1'000'000};
  std::lock_guard lock(mutex_);
  pending_.push_back(pending);
  if (pending_.size() > kMaxPending) pending_.pop_front();
  return pending.confirmation;
}

bool TableDrops::Take(const std::string& what, const std::string& confirmation) {
  const int64_t now = clock_.MonotonicNanos();
  std::lock_guard lock(mutex_);
  std::erase_if(pending_, [&](const Pending& pending) { return pending.until_nanos <= now; });
  const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& pending) {
    return pending.what == what && pending.confirmation == confirmation;
  });
  if (found == pending_.end()) return false;
  pending_.erase(found);
  return true;
}

}  // namespace arc
