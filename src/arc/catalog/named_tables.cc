#include "arc/catalog/named_tables.h"

#include <mutex>

namespace arc {

std::vector<std::string> NamedTables::Databases() const {
  std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, tables] : databases_.values()) names.push_back(name);
  return names;
}

std::optional<std::string> NamedTables::FindDatabase(std::string_view name) const {
  std::shared_lock lock(mutex_);
  const std::string* spelling = databases_.Spelling(name);
  return spelling == nullptr ? std::nullopt : std::optional<std::string>(*spelling);
}

std::vector<std::shared_ptr<Table>> NamedTables::Tables(std::string_view database) const {
  std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<Table>> tables;
  const Names* names = databases_.Find(database);
  if (names == nullptr) return tables;
  for (const auto& [name, table] : names->values()) tables.push_back(table);
  return tables;
}

std::shared_ptr<Table> NamedTables::Find(std::string_view database, std::string_view name) const {
  std::shared_lock lock(mutex_);
  const Names* names = databases_.Find(database);
  const std::shared_ptr<Table>* table = names == nullptr ? nullptr : names->Find(name);
  return table == nullptr ? nullptr : *table;
}

std::string NamedTables::WhyForeign(std::string_view database, std::string_view name) const {
  std::shared_lock lock(mutex_);
  return WhyForeignLocked(database, name);
}

std::string NamedTables::WhyForeignLocked(std::string_view database, std::string_view name) const {
  const std::string* spelling = databases_.Spelling(database);
  if (spelling == nullptr) return {};
  for (auto at = foreign_.lower_bound({*spelling, ""}); at != foreign_.end() && at->first.first == *spelling; ++at) {
    if (SameIdentifier(at->first.second, name)) return at->second;
  }
  return {};
}

bool NamedTables::HasExactDatabase(const std::string& database) const {
  std::shared_lock lock(mutex_);
  return databases_.FindExact(database) != nullptr;
}

std::shared_ptr<Table> NamedTables::FindExact(const std::string& database, const std::string& name) const {
  std::shared_lock lock(mutex_);
  const Names* names = databases_.FindExact(database);
  const std::shared_ptr<Table>* table = names == nullptr ? nullptr : names->FindExact(name);
  return table == nullptr ? nullptr : *table;
}

std::shared_ptr<Table> NamedTables::FindById(const Uuid& id) const {
  std::shared_lock lock(mutex_);
  auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Table>> NamedTables::All() const {
  std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<Table>> tables;
  tables.reserve(by_id_.size());
  for (const auto& [id, table] : by_id_) tables.push_back(table);
  return tables;
}

void NamedTables::AddDatabase(const std::string& database) {
  std::unique_lock lock(mutex_);
  databases_.Get(database);
}

void NamedTables::RemoveDatabase(const std::string& database) {
  std::unique_lock lock(mutex_);
  databases_.Remove(database);
}

void NamedTables::Add(std::shared_ptr<Table> table) {
  std::unique_lock lock(mutex_);
  const TableRef& ref = table->ref();
  foreign_.erase({ref.database, ref.name});
  by_id_[ref.id] = table;
  databases_.Get(ref.database).Get(ref.name) = std::move(table);
}

Result<std::shared_ptr<Table>> NamedTables::FindOrAdd(
    const std::string& database, const std::string& name,
    const std::function<std::shared_ptr<Table>(const std::string& database, const std::string& name)>& make) {
  std::unique_lock lock(mutex_);
  const Names* names = databases_.Find(database);
  if (names != nullptr) {
    if (const auto* table = names->Find(name)) return *table;
  }
  // A second spelling of a database joins the first, as readers resolve it.
  const std::string* spelling = databases_.Spelling(database);
  const std::string stored = spelling == nullptr ? database : *spelling;
  if (auto reason = WhyForeignLocked(stored, name); !reason.empty()) {
    return InvalidArgument("table " + stored + "." + name + " takes no rows: " + reason);
  }
  if (reserved_.contains({stored, name})) return Unavailable("table " + stored + "." + name + " is just being made");
  auto table = make(stored, name);
  by_id_[table->ref().id] = table;
  databases_.Get(stored).Get(name) = table;
  return table;
}

void NamedTables::SetForeign(const std::string& database, const std::string& name, const std::string& reason) {
  std::unique_lock lock(mutex_);
  databases_.Get(database);
  foreign_[{database, name}] = reason;
}

void NamedTables::Remove(const std::string& database, const std::string& name) {
  std::unique_lock lock(mutex_);
  foreign_.erase({database, name});
  const Names* names = databases_.FindExact(database);
  const std::shared_ptr<Table>* table = names == nullptr ? nullptr : names->FindExact(name);
  if (table == nullptr) return;
  locations_.erase((*table)->ref().id);
  by_id_.erase((*table)->ref().id);
  databases_.Get(database).Remove(name);
}

void NamedTables::Rename(const std::string& database, const std::string& name, const std::string& new_database,
                         const std::string& new_name) {
  std::unique_lock lock(mutex_);
  if (auto reason = foreign_.extract({database, name})) {
    reason.key() = {new_database, new_name};
    foreign_.insert(std::move(reason));
  }
  const Names* names = databases_.FindExact(database);
  const std::shared_ptr<Table>* found = names == nullptr ? nullptr : names->FindExact(name);
  if (found == nullptr) return;
  std::shared_ptr<Table> table = *found;
  databases_.Get(database).Remove(name);
  table->Rename(new_database, new_name);
  databases_.Get(new_database).Get(new_name) = std::move(table);
}

bool NamedTables::IsTakenLocked(const Key& key) const {
  if (foreign_.contains(key) || reserved_.contains(key)) return true;
  const Names* names = databases_.FindExact(key.first);
  return names != nullptr && names->FindExact(key.second) != nullptr;
}

bool NamedTables::IsTaken(const std::string& database, const std::string& name) const {
  std::shared_lock lock(mutex_);
  return IsTakenLocked({database, name});
}

bool NamedTables::Reserve(const std::string& database, const std::string& name) {
  std::unique_lock lock(mutex_);
  if (IsTakenLocked({database, name})) return false;
  reserved_.insert({database, name});
  return true;
}

void NamedTables::Release(const std::string& database, const std::string& name) {
  std::unique_lock lock(mutex_);
  reserved_.erase({database, name});
}

std::string NamedTables::LocationOf(const Uuid& table) const {
  std::shared_lock lock(mutex_);
  const auto found = locations_.find(table);
  return found == locations_.end() ? std::string() : found->second;
}

void NamedTables::SetLocation(const Uuid& table, std::string location) {
  std::unique_lock lock(mutex_);
  locations_[table] = std::move(location);
}

}  // namespace arc
