// Who may commit to a table now, within this process. Against other processes the pointer's compare-and-swap decides.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

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
    struct One {
      std::shared_ptr<std::mutex> mutex;
      std::unique_lock<std::mutex> lock;  // before what it locks is destroyed
    };
    Turn() = default;
    std::shared_lock<std::shared_mutex> among_tables_;
    std::vector<One> tables_;
  };

  Turn Of(const std::string& database, const std::string& table) {
    Turn turn;
    turn.among_tables_ = std::shared_lock(tables_);
    Take(database, table, &turn);
    return turn;
  }
  // Under the name the table has by then.
  Turn Of(const Table& table) {
    const Table* const one = &table;
    return Of(std::span(&one, 1));
  }
  // Of different tables, in the one order that keeps two callers from waiting for each other.
  Turn Of(std::span<const Table* const> tables) {
    Turn turn;
    turn.among_tables_ = std::shared_lock(tables_);
    std::vector<const TableRef*> refs;
    for (const Table* table : tables) refs.push_back(&table->ref());
    std::sort(refs.begin(), refs.end(), [](const TableRef* a, const TableRef* b) {
      return std::tie(a->database, a->name) < std::tie(b->database, b->name);
    });
    for (const TableRef* ref : refs) Take(ref->database, ref->name, &turn);
    return turn;
  }
  // The turn of all tables at once: for what changes names or several tables.
  std::unique_lock<std::shared_mutex> OfAll() { return std::unique_lock(tables_); }

 private:
  void Take(const std::string& database, const std::string& table, Turn* turn) {
    std::shared_ptr<std::mutex> mutex;
    {
      std::lock_guard lock(mutex_);
      auto& known = turns_[{database, table}];
      mutex = known.lock();
      if (mutex == nullptr) {
        mutex = std::make_shared<std::mutex>();
        known = mutex;
      }
    }
    std::unique_lock lock(*mutex);
    turn->tables_.push_back({std::move(mutex), std::move(lock)});
  }

  std::shared_mutex tables_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<std::mutex>> turns_;
};

}  // namespace arc
