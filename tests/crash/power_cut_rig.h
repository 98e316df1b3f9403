// The database on a disk that loses its power, and what its client knows, across any number of power cuts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "arc/base/uuid.h"
#include "arc/engine/engine.h"
#include "arc/io/power_cut_disk.h"
#include "ledger.h"

namespace arc {

// That tells of names made by renaming: for planted bugs that do something too early.
class TellingDisk : public PowerCutDisk {
 public:
  std::function<void(const std::string& path)> renamed;  // may be empty

  Status Rename(const std::string& from, const std::string& to) override;
  Status RenameNoReplace(const std::string& from, const std::string& to) override;
};

// Not thread-safe.
class PowerCutRig {
 public:
  enum class Step { kWrite, kFlush, kCompact, kDeleteRows, kDeleteFiles, kExpire, kDrop };
  static constexpr int kTables = 3;

  explicit PowerCutRig(uint64_t seed);
  ~PowerCutRig();

  TellingDisk& disk() { return disk_; }
  Engine& engine() { return *engine_; }
  const Ledger& ledger() const { return ledger_; }

  Status Open();
  // Writes and flushes until done or the power is off.
  void RunWrites(bool truncate_early = false);
  // All kinds of steps in an order drawn from the seed, likewise. `around` is called before (true) and after each.
  using Around = std::function<void(Step step, bool before)>;
  void RunAll(const Around& around = {});
  // The machine stops and comes back with what its disk kept.
  void PowerCycle();

  // The rows that are there against what the client knows, which is settled by it.
  std::vector<std::string> Check();
  // What snapshots of all tables hold, each read wholly: the same rows as at any time before.
  std::vector<std::string> CheckSnapshots();
  // Steps that were acknowledged so far, by kind.
  const std::map<Step, int>& done() const { return done_; }

 private:
  struct Row {
    int64_t id = 0;
    int64_t hour = 0;
  };
  Status Do(Step step);
  Status Write(int table, int64_t hour);
  Status Compact();
  Status Delete(int table, const std::string& condition, const std::function<bool(const Row&)>& matches);
  Status Drop(int table);
  Result<std::vector<int64_t>> Numbers(const std::string& sql);
  int RandomTable() { return static_cast<int>(random_.NextU64() % kTables); }

  SeededRandom random_;
  TellingDisk disk_;
  std::filesystem::path temp_;
  std::unique_ptr<Engine> engine_;
  Ledger ledger_;
  int64_t next_id_ = 1;
  std::vector<std::vector<Row>> rows_;                         // ever written, by table
  std::map<int64_t, std::vector<int64_t>> rows_of_snapshots_;  // sorted ids
  std::map<Step, int> done_;
};

// A line each.
std::string Join(const std::vector<std::string>& lines);
int64_t FromEnvironment(const char* name, int64_t fallback);

}  // namespace arc
