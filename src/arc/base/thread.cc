#include "arc/base/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace arc {

Thread::Thread(const std::string& name, std::function<void()> body, ThreadPriority priority)
    : thread_([name = name.substr(0, 15), body = std::move(body), priority] {
        pthread_setname_np(pthread_self(), name.c_str());
        // On Linux "process" means this thread alone. Where it is refused, the thread is merely not as polite.
        constexpr int kNice = 5;
        const auto self = static_cast<id_t>(gettid());
        if (priority == ThreadPriority::kYielding && getpriority(PRIO_PROCESS, self) < kNice) {
          setpriority(PRIO_PROCESS, self, kNice);
        }
        body();
      }) {}

void Thread::Join() {
  if (thread_.joinable()) thread_.join();
}

Executor::Executor(const std::string& name, int threads, ThreadPriority priority) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back(name + "-" + std::to_string(i), [this] { Run(); }, priority);
}

void Executor::Post(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  if (idle_.empty()) return;
  Sleeper* sleeper = idle_.back();
  idle_.pop_back();
  sleeper->woken = true;
  sleeper->wake.notify_one();
}

void Executor::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Sleeper* sleeper : std::exchange(idle_, {})) {
      sleeper->woken = true;
      sleeper->wake.notify_one();
    }
  }
  for (auto& thread : threads_) thread.Join();
}

size_t Executor::queued() const {
  std::lock_guard lock(mutex_);
  return tasks_.size();
}

void Executor::Run() {
  Sleeper self;
  std::unique_lock lock(mutex_);
  while (true) {
    if (!tasks_.empty()) {
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    } else if (stopping_) {
      return;
    } else {
      idle_.push_back(&self);
      self.wake.wait(lock, [&self] { return self.woken; });
      self.woken = false;
    }
  }
}

Ticker::Ticker(const std::string& name, std::chrono::milliseconds period, std::function<void()> body)
    : thread_(name, [this, period, body = std::move(body)] { Run(period, body); }) {}

void Ticker::Wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_all();
}

void Ticker::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.Join();
}

void Ticker::Run(std::chrono::milliseconds period, const std::function<void()>& body) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, period, [this] { return stopping_ || woken_; });
    if (stopping_) return;
    woken_ = false;
    lock.unlock();
    body();
    lock.lock();
  }
}

}  // namespace arc
