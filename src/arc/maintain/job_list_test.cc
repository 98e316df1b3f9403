#include "arc/maintain/job_list.h"

#include <gtest/gtest.h>

namespace arc {
namespace {

struct NumberedJob {
  enum class State { kQueued, kRunning, kCompleted };
  int number = 0;
  State state = State::kQueued;
};

struct NumberedActive {
  NumberedJob job;
};

using State = NumberedJob::State;

TEST(JobList, HasJobsUntilTheyEndAndThenTheLastOfThem) {
  JobList<NumberedActive> jobs;
  std::vector<std::shared_ptr<NumberedActive>> all;
  for (int number = 0; number < 150; ++number) {
    all.push_back(std::make_shared<NumberedActive>(NumberedActive{{.number = number}}));
    jobs.Add(all.back());
  }
  all[0]->job.state = State::kRunning;
  EXPECT_EQ(jobs.Count(State::kRunning), 1);
  EXPECT_EQ(jobs.Count(State::kQueued), 149);
  EXPECT_EQ(jobs.Jobs()[149].number, 149);
  for (int number = 0; number < 120; ++number) {
    all[number]->job.state = State::kCompleted;
    jobs.End(all[number]);
  }
  ASSERT_EQ(jobs.Ended().size(), JobList<NumberedActive>::kMaxEnded);
  EXPECT_EQ(jobs.Ended().front().number, 119);
  EXPECT_EQ(jobs.Ended().back().number, 20);
  EXPECT_EQ(jobs.Jobs().front().number, 120);

  all[121]->job.state = State::kRunning;
  jobs.DropQueued();
  ASSERT_EQ(jobs.active().size(), 1u);
  EXPECT_EQ(jobs.Jobs()[0].number, 121);
  EXPECT_EQ(jobs.Ended().size(), JobList<NumberedActive>::kMaxEnded);
}

}  // namespace
}  // namespace arc
