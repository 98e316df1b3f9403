// A catalog of real tables without a disk, and result rows as text. For tests and benches.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/base/clock.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/query/query_engine.h"

namespace arc {

// Writes go through Align and Apply as in the server; nothing is durable. Not thread-safe but for the view.
class CatalogForTest : public CatalogView {
 public:
  std::vector<std::string> Databases() const override {
    std::lock_guard lock(mutex_);
    std::vector<std::string> result;
    for (const auto& [name, tables] : databases_) result.push_back(name);
    return result;
  }
  bool HasDatabase(std::string_view database) const override {
    std::lock_guard lock(mutex_);
    return FindName(databases_, database) != databases_.end();
  }
  std::vector<std::shared_ptr<Table>> Tables(std::string_view database) const override {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Table>> result;
    auto found = FindName(databases_, database);
    if (found == databases_.end()) return result;
    for (const auto& [name, table] : found->second) result.push_back(table);
    return result;
  }
  std::shared_ptr<Table> Find(std::string_view database, std::string_view name) const override {
    std::lock_guard lock(mutex_);
    auto tables = FindName(databases_, database);
    if (tables == databases_.end()) return nullptr;
    auto table = FindName(tables->second, name);
    return table == tables->second.end() ? nullptr : table->second;
  }

  void AddDatabase(const std::string& database) {
    std::lock_guard lock(mutex_);
    databases_[database];
  }
  Table& TableOf(const std::string& database, const std::string& name) {
    std::lock_guard lock(mutex_);
    auto& table = databases_[database][name];
    if (!table) {
      Schema schema;
      schema.columns.push_back({"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, false});
      table = std::make_shared<Table>(TableRef{Uuid::Random(random_), database, name}, &budget_, SystemClock(),
                                      std::move(schema), nullptr, Lsn{});
    }
    return *table;
  }
  // A new table of files that need not exist as long as they are only planned with.
  void AddFiles(const std::string& database, const std::string& name, Schema schema,
                std::vector<std::shared_ptr<const FileEntry>> files) {
    std::lock_guard lock(mutex_);
    databases_[database][name] =
        std::make_shared<Table>(TableRef{Uuid::Random(random_), database, name}, &budget_, SystemClock(),
                                std::move(schema), std::make_shared<const FileIndex>(std::move(files)), Lsn{});
  }
  void Write(const std::string& database, const std::string& name, const Batch& batch) {
    Table& table = TableOf(database, name);
    Result<AlignedBatch> aligned = table.Align(batch);
    ARC_CHECK(aligned.ok() && aligned->errors.empty());
    int64_t bytes = aligned->batch.ByteSize();
    table.Apply(Lsn{++lsn_}, aligned->batch, budget_.Force(bytes));
  }
  ByteBudget& budget() { return budget_; }

 private:
  template <typename Map>
  static typename Map::const_iterator FindName(const Map& map, std::string_view name) {
    auto exact = map.find(std::string(name));
    if (exact != map.end()) return exact;
    auto found = map.end();
    for (auto entry = map.begin(); entry != map.end(); ++entry) {
      if (!SameIdentifier(entry->first, name)) continue;
      if (found != map.end()) return map.end();
      found = entry;
    }
    return found;
  }

  ByteBudget budget_{int64_t{8} << 30};
  SeededRandom random_{42};
  uint64_t lsn_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, std::shared_ptr<Table>>> databases_;
};

// Everything the stream gives: one line a row, values parted by " | ", NULL for nulls.
inline Result<std::vector<std::string>> RowsForTest(ResultStream& stream) {
  std::vector<std::string> rows;
  while (true) {
    ARC_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> batch, stream.Next());
    if (!batch) return rows;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::string line;
      for (const auto& column : batch->columns()) {
        if (!line.empty()) line += " | ";
        line += column->IsNull(row) ? "NULL" : (*column->GetScalar(row))->ToString();
      }
      rows.push_back(std::move(line));
    }
  }
}

}  // namespace arc
