#include "arc/catalog/rebuild.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "arc/base/uuid.h"
#include "arc/catalog/committed_table.h"
#include "arc/catalog/names.h"
#include "arc/catalog/table_marker.h"
#include "arc/iceberg/load.h"

namespace arc {
namespace {

constexpr size_t kUuidText = 36;
constexpr size_t kShortUuid = 8;

struct Name {
  std::string database;
  std::string table;
  auto operator<=>(const Name&) const = default;
};

// "cpu-<uuid>" is the folder of a table whose name's own folder was taken.
std::string WithoutUuid(std::string name) {
  if (name.size() <= kUuidText + 1 || name[name.size() - kUuidText - 1] != '-') return name;
  if (!Uuid::Parse(std::string_view(name).substr(name.size() - kUuidText)).ok()) return name;
  name.resize(name.size() - kUuidText - 1);
  return name;
}

// From "<database>/<table>/metadata", percent-encoded; nothing for folders that name no table.
std::optional<Name> NameOf(const std::string& folder) {
  const size_t slash = folder.find('/');
  const size_t end = folder.rfind('/');
  if (slash == std::string::npos || slash == end || folder.find('/', slash + 1) != end) return std::nullopt;
  auto database = DecodePathElement(folder.substr(0, slash));
  auto table = DecodePathElement(folder.substr(slash + 1, end - slash - 1));
  if (!database.ok() || !table.ok()) return std::nullopt;
  Name name{std::move(*database), WithoutUuid(std::move(*table))};
  if (!CheckName("database", name.database).ok() || !CheckName("measurement", name.table).ok()) return std::nullopt;
  return name;
}

// Why the server could not open the table; empty: it can, if only to serve it to other engines.
Result<std::string> WhyUnusable(ObjectStore& store, const TableHead& head) {
  const auto metadata = ReadTableMetadata(store, store.UriOf(head.key));
  if (metadata.ok() || metadata.error().kind == ErrorKind::kUnsupported) return std::string();
  if (IsPassing(metadata.error().kind)) return metadata.error();
  return metadata.error().message;
}

class Planner {
 public:
  Planner(ObjectStore& store, const StoreListing& listing, FoundHeads found)
      : store_(store), listing_(listing), found_(std::move(found)) {}

  Result<RebuildReport> Plan() {
    report_.left = std::move(found_.strays);
    for (auto& head : found_.tables) ARC_RETURN_IF_ERROR(Place(std::move(head)));
    for (const auto& [name, _] : named_) taken_.insert(name);
    for (auto& [name, heads] : named_) AddAll(name, &heads);
    std::sort(report_.tables.begin(), report_.tables.end(), [](const RebuiltTable& a, const RebuiltTable& b) {
      return std::tie(a.database, a.table) < std::tie(b.database, b.table);
    });
    return std::move(report_);
  }

 private:
  Status Place(TableHead head) {
    auto name = NameOf(head.folder);
    ARC_ASSIGN_OR_RETURN(std::string problem, WhyUnusable(store_, head));
    ARC_ASSIGN_OR_RETURN(const auto marker, MarkerOf(head));
    if (marker) name = Name{marker->database, marker->table};
    if (!name) problem = "its folder is not that of a database and a measurement";
    if (marker && marker->dropped) {
      report_.dropped.push_back(head.history.table_uuid);
      problem = "it was dropped; it was called " + name->database + "." + name->table;
    }
    if (!problem.empty()) {
      report_.left.push_back({head.key, std::move(problem)});
    } else {
      named_[*name].push_back(std::move(head));
    }
    return {};
  }

  Result<std::optional<TableMarker>> MarkerOf(const TableHead& head) {
    const std::string key = TableMarkerKey(head.key, head.history.table_uuid);
    if (!listing_.Has(key)) return std::optional<TableMarker>();
    return ReadTableMarker(store_, key);
  }

  // A name was free before its present table took it, so that is the younger one, as far as histories tell.
  void AddAll(const Name& name, std::vector<TableHead>* heads) {
    std::sort(heads->begin(), heads->end(), [](const TableHead& a, const TableHead& b) {
      return std::tuple(a.history.first_known_ms, a.history.last_updated_ms, a.key) >
             std::tuple(b.history.first_known_ms, b.history.last_updated_ms, b.key);
    });
    for (size_t i = 0; i < heads->size(); ++i) {
      TableHead& head = (*heads)[i];
      RebuiltTable table{name.database,     name.table, head.history.table_uuid, store_.UriOf(head.key),
                         head.history.rows, {},         std::move(head.damage)};
      if (i > 0) {
        const std::string uuid = table.uuid.empty() ? std::to_string(i) : table.uuid;
        for (size_t digits : {kShortUuid, kUuidText}) {
          table.table = name.table + "-" + uuid.substr(0, digits);
          if (taken_.insert({name.database, table.table}).second) break;
        }
        table.name_taken = name.table;
      }
      report_.tables.push_back(std::move(table));
    }
  }

  ObjectStore& store_;
  const StoreListing& listing_;
  FoundHeads found_;
  std::map<Name, std::vector<TableHead>> named_;
  std::set<Name> taken_;
  RebuildReport report_;
};

}  // namespace

Result<RebuildReport> PlanRebuild(ObjectStore& store) {
  ARC_ASSIGN_OR_RETURN(auto objects, store.List(""));
  const StoreListing listing(std::move(objects));
  ARC_ASSIGN_OR_RETURN(auto found, FindTableHeads(store, listing));
  ARC_ASSIGN_OR_RETURN(auto report, Planner(store, listing, std::move(found)).Plan());
  report.objects = listing.size();
  return report;
}

Status CarryOut(const RebuildReport& plan, PointerStore& pointers) {
  PointerStoreContent content;
  content.dropped = plan.dropped;
  for (const auto& table : plan.tables) {
    if (content.namespaces.empty() || content.namespaces.back().database != table.database) {
      content.namespaces.push_back({table.database, {}});
    }
    content.tables.push_back({table.database, table.table, table.metadata_location});
  }
  return pointers.Fill(content);
}

}  // namespace arc
