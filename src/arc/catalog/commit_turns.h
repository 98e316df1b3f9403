// Who may commit to a table now, within this process. Against other processes the pointer's compare-and-swap decides.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include "arc/catalog/table.h"

namespace arc {

// A commit holds its turn from reading the pointer to publishing the table's new version, so that versions are
// published in the order of the commits. Lock order: a turn, then Table::HoldSchema, then the catalog's own lock.
// Thread-safe.
class CommitTurns {
 public:
  // Given back by its destructor.
  class Turn {
   public:
    Turn(Turn&&) = default;
    Turn& operator=(Turn&&) = delete;

   private:
    friend class CommitTurns;
    Turn() = default;
    std::shared_lock<std::shared_mutex> among_tables_;
    std::shared_ptr<std::mutex> mutex_;
    std::unique_lock<std::mutex> lock_;  // before what it locks is destroyed
  };

  Turn Of(const std::string& database, const std::string& table) {
    Turn turn;
    turn.among_tables_ = std::shared_lock(tables_);
    Take(database, table, &turn);
    return turn;
  }
  // Under the name the table has by then.
  Turn Of(const Table& table) {
    Turn turn;
    turn.among_tables_ = std::shared_lock(tables_);
    const TableRef& ref = table.ref();
    Take(ref.database, ref.name, &turn);
    return turn;
  }
  // The turn of all tables at once: for what changes names or several tables.
  std::unique_lock<std::shared_mutex> OfAll() { return std::unique_lock(tables_); }

 private:
  void Take(const std::string& database, const std::string& table, Turn* turn) {
    {
      std::lock_guard lock(mutex_);
      auto& known = turns_[{database, table}];
      turn->mutex_ = known.lock();
      if (turn->mutex_ == nullptr) {
        turn->mutex_ = std::make_shared<std::mutex>();
        known = turn->mutex_;
      }
    }
    turn->lock_ = std::unique_lock(*turn->mutex_);
  }

  std::shared_mutex tables_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<std::mutex>> turns_;
};

}  // namespace arc
