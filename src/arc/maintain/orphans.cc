#include "arc/maintain/orphans.h"

#include <iterator>
#include <utility>

#include "arc/io/cold_key.h"

namespace arc {
namespace {

constexpr int64_t kMicrosPerMs = 1000;
constexpr int kAttempts = 3;

// Whether a table has data files in the folder of another one, `folder`.
bool IsShared(const Catalog& catalog, const std::string& folder) {
  for (const auto& table : catalog.AllTables()) {
    if (TableFolder(table->ref()) + "/" == folder) continue;
    const auto version = table->Current();
    for (const auto& file : version->files->files()) {
      if (file->key.starts_with(folder) || file->key.starts_with(ColdKey(folder))) return true;
    }
  }
  return false;
}

Result<std::vector<ObjectInfo>> Look(Catalog& catalog, ObjectStore& store, const Table& table,
                                     const std::string& folder) {
  ARC_ASSIGN_OR_RETURN(auto objects, store.List(folder));
  ARC_ASSIGN_OR_RETURN(auto cold, store.List(ColdKey(folder)));
  objects.insert(objects.end(), std::make_move_iterator(cold.begin()), std::make_move_iterator(cold.end()));
  return catalog.Unneeded(table, std::move(objects));
}

}  // namespace

Result<std::vector<ObjectInfo>> FindOrphans(Catalog& catalog, ObjectStore& store, Table& table, int64_t age_ms,
                                            int64_t now_micros) {
  const std::string folder = TableFolder(table.ref()) + "/";
  const int64_t newest = now_micros - age_ms * kMicrosPerMs;
  auto orphans = Look(catalog, store, table, folder);
  for (int attempt = 1; attempt < kAttempts && !orphans.ok(); ++attempt) {
    const ErrorKind kind = orphans.error().kind;
    if (kind != ErrorKind::kNotFound && kind != ErrorKind::kConflict) break;
    orphans = Look(catalog, store, table, folder);  // a commit under way may look like trouble
  }
  if (!orphans.ok()) return std::move(orphans).error();
  std::erase_if(*orphans, [&](const ObjectInfo& object) {
    return object.modified_micros == 0 || object.modified_micros > newest;
  });
  if (!orphans->empty() && IsShared(catalog, folder)) {
    return MakeError(ErrorKind::kConflict, "another table has data files in the folder " + folder);
  }
  return orphans;
}

}  // namespace arc
