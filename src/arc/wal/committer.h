// The thread that turns queued records into durable groups and publishes them in LSN order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/thread.h"
#include "arc/model/lsn.h"
#include "arc/wal/group_writer.h"
#include "arc/wal/log.h"

namespace arc {

// Thread-safe; functions mean what they mean in WriteAheadLog.
class Committer {
 public:
  // `full`: there is no segment to write to yet. The positions may be ahead of what the writer has, after a run without
  // a log.
  Committer(GroupWriter& writer, Clock& clock, const LogOptions& options, const LogPositions& positions, bool full);
  // Closes, and answers what is refused until then.
  ~Committer();

  void Append(std::vector<LogRecord> records, WriteAheadLog::Apply apply, WriteAheadLog::Done done);
  Status SyncThrough(Lsn lsn);
  Status Close();
  // Moves the flushed position; false when it is there already.
  Result<bool> SetFlushed(Lsn lsn);

  LogPositions positions() const;
  Lsn logged() const;
  LogStats stats() const;
  std::string poisoned() const;
  bool full() const;

 private:
  struct Request {
    std::vector<LogRecord> records;
    WriteAheadLog::Apply apply;
    WriteAheadLog::Done done;
    int64_t bytes = 0;
  };
  struct Refusal {
    WriteAheadLog::Done done;
    Error error;
  };
  using Lock = std::unique_lock<std::mutex>;

  bool unsynced() const { return logged_ < written_ && poisoned_.empty(); }
  std::optional<Error> RefusalNow(int64_t bytes) const;
  void Run();
  void WaitForWork(Lock& lock);
  void AnswerRefusals(Lock& lock);
  std::vector<Request> TakeGroup();
  void CommitGroup(std::vector<Request> group, Lock& lock);
  Status LogGroup(const std::vector<Request>& group, Lsn first);
  void Fail(std::vector<Request> group, Error error, Lock& lock);
  void Publish(std::vector<Request> group, Lsn first, Lock& lock);
  void SyncNow(Lock& lock);
  void RetryFullDisk(Lock& lock);
  void CopyWriterState();

  GroupWriter& writer_;
  Clock& clock_;
  const LogOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable work_;      // for the committer
  std::condition_variable progress_;  // for SyncThrough and Close
  std::deque<Request> queue_;
  std::vector<Refusal> refusals_;
  LogPositions positions_;
  LogStats stats_;
  Lsn written_;            // the writer's, as of the last group or sync
  Lsn logged_;             //
  uint64_t accepted_ = 0;  // requests
  uint64_t finished_ = 0;  //
  bool sync_wanted_ = false;
  int64_t sync_due_nanos_ = 0;
  bool full_ = false;
  int64_t retry_due_nanos_ = 0;
  std::string poisoned_;
  bool closing_ = false;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace arc
