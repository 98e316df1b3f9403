// Names to tables, in memory: the running server's own tables, and those of other engines that Arc cannot represent.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/names.h"
#include "arc/catalog/table.h"

namespace arc {

// Thread-safe. Find, FindDatabase, Tables and WhyForeign resolve names as SQL does; all else takes them exactly.
class NamedTables {
 public:
  std::vector<std::string> Databases() const;  // sorted
  // As it was first spelled; nothing when there is no such database.
  std::optional<std::string> FindDatabase(std::string_view name) const;
  std::vector<std::shared_ptr<Table>> Tables(std::string_view database) const;          // sorted by name
  std::shared_ptr<Table> Find(std::string_view database, std::string_view name) const;  // null: none
  // Why there is no Table for an Iceberg table of this name; empty: there is no such Iceberg table either.
  std::string WhyForeign(std::string_view database, std::string_view name) const;

  bool HasExactDatabase(const std::string& database) const;
  std::shared_ptr<Table> FindExact(const std::string& database, const std::string& name) const;
  std::shared_ptr<Table> FindById(const Uuid& id) const;
  std::vector<std::shared_ptr<Table>> All() const;

  void AddDatabase(const std::string& database);
  void RemoveDatabase(const std::string& database);
  void Add(std::shared_ptr<Table> table);
  // The table as SQL finds it, else what `make` gives for the name, with the database in its known spelling.
  // kInvalidArgument for an Iceberg table that Arc cannot represent, kUnavailable while the name is reserved.
  Result<std::shared_ptr<Table>> FindOrAdd(
      const std::string& database, const std::string& name,
      const std::function<std::shared_ptr<Table>(const std::string& database, const std::string& name)>& make);
  void SetForeign(const std::string& database, const std::string& name, const std::string& reason);
  void Remove(const std::string& database, const std::string& name);
  void Rename(const std::string& database, const std::string& name, const std::string& new_database,
              const std::string& new_name);
  // Keeps a name free for a table that is being made: false when it is taken already. Ended by Release.
  bool Reserve(const std::string& database, const std::string& name);
  void Release(const std::string& database, const std::string& name);
  bool IsTaken(const std::string& database, const std::string& name) const;

  // The metadata file that the table's file index stands for; empty: none.
  std::string LocationOf(const Uuid& table) const;
  void SetLocation(const Uuid& table, std::string location);

 private:
  using Names = NameMap<std::shared_ptr<Table>>;
  using Key = std::pair<std::string, std::string>;
  std::string WhyForeignLocked(std::string_view database, std::string_view name) const;
  bool IsTakenLocked(const Key& key) const;

  mutable std::shared_mutex mutex_;
  NameMap<Names> databases_;
  std::unordered_map<Uuid, std::shared_ptr<Table>> by_id_;
  std::map<Key, std::string> foreign_;
  std::set<Key> reserved_;
  std::unordered_map<Uuid, std::string> locations_;
};

}  // namespace arc
