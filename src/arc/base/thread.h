// Named threads and a small pool: the only place where raw threads are made.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace arc {

// kYielding gets a third of a processor that a normal thread wants as well (nice 5), all of it when none does: for
// queries, which may take what they find but must not hold up the writers. Threads that such a thread makes are the
// same.
enum class ThreadPriority { kNormal, kYielding };

// A thread with a name (visible in top and gdb) that is joined when destroyed.
class Thread {
 public:
  Thread() = default;
  // Names longer than 15 characters are cut, a limit of the kernel.
  Thread(const std::string& name, std::function<void()> body, ThreadPriority priority = ThreadPriority::kNormal);
  Thread(Thread&&) = default;
  Thread& operator=(Thread&&) = default;
  ~Thread() { Join(); }
  void Join();

 private:
  std::thread thread_;
};

// Runs posted tasks on a fixed number of threads, in the order posted. Stop() runs what was posted and joins.
// Thread-safe. The queue is not bounded: callers bound what they post. Of idle threads the one that worked last is
// woken: what allocators keep for a thread then grows with the tasks that run at once, not with the number of threads.
class Executor {
 public:
  Executor(const std::string& name, int threads, ThreadPriority priority = ThreadPriority::kNormal);
  ~Executor() { Stop(); }
  void Post(std::function<void()> task);
  void Stop();
  size_t queued() const;

 private:
  struct Sleeper {
    std::condition_variable wake;
    bool woken = false;
  };

  void Run();

  mutable std::mutex mutex_;
  std::vector<Sleeper*> idle_;  // the last to fall asleep at the end
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<Thread> threads_;
};

// Calls `body` every `period` (real time) on a thread of its own until destroyed; Wake() calls it at once.
class Ticker {
 public:
  Ticker(const std::string& name, std::chrono::milliseconds period, std::function<void()> body);
  ~Ticker() { Stop(); }
  void Wake();
  // Waits for a running call to end; none follows.
  void Stop();

 private:
  void Run(std::chrono::milliseconds period, const std::function<void()>& body);

  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace arc
