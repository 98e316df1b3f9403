#include "arc/catalog/maintenance_store.h"

#include <gtest/gtest.h>

#include "arc/io/power_cut_disk.h"

namespace arc {
namespace {

using State = RetentionExecution::State;

class MaintenanceStoreTest : public ::testing::Test {
 protected:
  MaintenanceStoreTest() {
    EXPECT_TRUE(disk_.CreateDirectories("/data").ok());
    Reopen();
  }
  void Reopen() {
    store_.reset();
    auto store = MaintenanceStore::Open("/data/maintenance.db", disk_, clock_);
    ASSERT_TRUE(store.ok()) << store.error().message;
    store_ = std::move(*store);
  }
  static RetentionPolicy Policy(const std::string& name) {
    RetentionPolicy policy;
    policy.name = name;
    policy.database = "db";
    policy.measurement = "it's \"quoted\"";
    policy.retention_days = 7;
    policy.buffer_days = 1;
    return policy;
  }

  PowerCutDisk disk_;
  ManualClock clock_{1'700'000'000'000'000};
  std::unique_ptr<MaintenanceStore> store_;
};

TEST_F(MaintenanceStoreTest, PoliciesOutliveARestart) {
  const auto added = store_->AddPolicy(Policy("a"));
  ASSERT_TRUE(added.ok()) << added.error().message;
  EXPECT_EQ(added->created_micros, 1'700'000'000'000'000);
  ASSERT_TRUE(store_->AddPolicy(Policy("b")).ok());
  EXPECT_EQ(store_->AddPolicy(Policy("a")).error().kind, ErrorKind::kAlreadyExists);
  clock_.Advance(std::chrono::seconds(1));
  RetentionPolicy change = *added;
  change.retention_days = 9;
  change.active = false;
  ASSERT_TRUE(store_->ChangePolicy(change).ok());
  change.name = "b";
  EXPECT_EQ(store_->ChangePolicy(change).error().kind, ErrorKind::kAlreadyExists);
  change.id = 77;
  change.name = "c";
  EXPECT_EQ(store_->ChangePolicy(change).error().kind, ErrorKind::kNotFound);
  disk_.CutNow();
  SeededRandom random(1);
  disk_.Restart(random);
  Reopen();
  const auto policies = *store_->Policies();
  ASSERT_EQ(policies.size(), 2u);
  EXPECT_EQ(policies[0].name, "a");
  EXPECT_EQ(policies[0].measurement, "it's \"quoted\"");
  EXPECT_EQ(policies[0].retention_days, 9);
  EXPECT_EQ(policies[0].buffer_days, 1);
  EXPECT_FALSE(policies[0].active);
  EXPECT_EQ(policies[0].updated_micros - policies[0].created_micros, 1'000'000);
  EXPECT_TRUE(policies[1].active);
}

TEST_F(MaintenanceStoreTest, ExecutionsThatACrashCutShortAreKnown) {
  const int64_t id = store_->AddPolicy(Policy("a"))->id;
  RetentionExecution execution;
  execution.policy_id = id;
  execution.scheduled = true;
  execution.cutoff_micros = 5;
  execution.id = *store_->BeginExecution(execution);
  execution.state = State::kFailed;
  execution.files = 3;
  execution.rows = 30;
  execution.bytes = 300;
  execution.error = "disk full";
  ASSERT_TRUE(store_->EndExecution(execution).ok());
  ASSERT_TRUE(store_->BeginExecution(execution).ok());
  EXPECT_EQ(store_->Executions(id, 1)->at(0).state, State::kRunning);
  Reopen();
  const auto executions = *store_->Executions(id, 10);
  ASSERT_EQ(executions.size(), 2u);
  EXPECT_EQ(executions[0].state, State::kInterrupted);
  EXPECT_EQ(executions[1].state, State::kFailed);
  EXPECT_EQ(executions[1].error, "disk full");
  EXPECT_EQ(executions[1].files, 3);
  EXPECT_EQ(executions[1].rows, 30);
  EXPECT_EQ(executions[1].bytes, 300);
  EXPECT_EQ(executions[1].cutoff_micros, 5);
  EXPECT_TRUE(executions[1].scheduled);
  ASSERT_TRUE(store_->RemovePolicy(id).ok());
  EXPECT_TRUE(store_->Executions(id, 10)->empty());
  EXPECT_EQ(store_->RemovePolicy(id).error().kind, ErrorKind::kNotFound);
  EXPECT_GT(store_->AddPolicy(Policy("b"))->id, id);  // ids are never used again
}

TEST_F(MaintenanceStoreTest, TheHistoryIsBounded) {
  const int64_t id = store_->AddPolicy(Policy("a"))->id;
  const int64_t other = store_->AddPolicy(Policy("b"))->id;
  RetentionExecution execution;
  execution.policy_id = other;
  ASSERT_TRUE(store_->BeginExecution(execution).ok());
  execution.policy_id = id;
  int64_t last = 0;
  for (int i = 0; i < MaintenanceStore::kExecutionsKept + 5; ++i) last = *store_->BeginExecution(execution);
  const auto executions = *store_->Executions(id, 1000);
  EXPECT_EQ(executions.size(), static_cast<size_t>(MaintenanceStore::kExecutionsKept));
  EXPECT_EQ(executions[0].id, last);
  EXPECT_EQ(store_->Executions(other, 10)->size(), 1u);
}

TEST_F(MaintenanceStoreTest, RemembersTheClock) {
  EXPECT_EQ(store_->LastClock()->seen_micros, 0);
  ASSERT_TRUE(store_->RecordClock({10, 20}).ok());
  ASSERT_TRUE(store_->RecordClock({11, 21}).ok());
  Reopen();
  EXPECT_EQ(store_->LastClock()->seen_micros, 11);
  EXPECT_EQ(store_->LastClock()->hold_ms, 21);
}

}  // namespace
}  // namespace arc
