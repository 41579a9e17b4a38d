// SPDX-License-Identifier: MIT
//
// The peer `boost_fiber` of the workload sched: round_robin on one thread,
// work_stealing on several. Fibers have stacks of 8 KiB from fixedsize_stack,
// as in the benchmarks that come with Boost.Fiber: the default of 128 KiB is
// more than a machine has for a million of them. Empty tasks on one thread come
// from pooled_fixedsize_stack, which is quicker there and not for several. The
// coroutine is that of Boost.Coroutine2. The arguments and the output are those
// of bench/workloads/sched.cc; here the scheduler can be chosen once in a
// process, so this is one mode a process, too.
#include <boost/coroutine2/all.hpp>
#include <boost/fiber/all.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using boost::fibers::fiber;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kStackBytes = 8 << 10;

struct Arguments {
  const char* mode;
  uint32_t threads;
  uint64_t a;
  uint64_t b;
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void print_checksum(const Arguments& args, uint64_t sum) {
  std::printf("checksum sched %s %u %llu %llu: %llu\n", args.mode, args.threads,
              static_cast<unsigned long long>(args.a),
              static_cast<unsigned long long>(args.b),
              static_cast<unsigned long long>(sum));
}

void print_metric(const char* name, double value) {
  std::printf("metric %s %.6g\n", name, value);
}

template <class F>
fiber start(F&& fn) {
  return fiber(std::allocator_arg, boost::fibers::fixedsize_stack(kStackBytes),
               std::forward<F>(fn));
}

/// Threads that share the fibers of the calling one until the end.
class Threads {
 public:
  /// `suspend`: an idle thread sleeps, and is not woken for what it could
  /// steal; the default is that it does not.
  explicit Threads(uint32_t count, bool suspend = false) {
    if (count < 2) return;
    for (uint32_t i = 1; i < count; ++i) {
      threads_.emplace_back([this, count, suspend] {
        join_in(count, suspend);
        std::unique_lock<boost::fibers::mutex> lock(mutex_);
        ended_.wait(lock, [this] { return over_; });
      });
    }
    join_in(count, suspend);
  }
  ~Threads() {
    {
      std::unique_lock<boost::fibers::mutex> lock(mutex_);
      over_ = true;
    }
    ended_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

 private:
  static void join_in(uint32_t count, bool suspend) {
    boost::fibers::use_scheduling_algorithm<boost::fibers::algo::work_stealing>(
        count, suspend);
  }

  std::vector<std::thread> threads_;
  boost::fibers::mutex mutex_;
  boost::fibers::condition_variable ended_;
  bool over_ = false;
};

/// A microsecond or so of arithmetic.
uint64_t compute(uint64_t x) {
  for (int i = 0; i < 512; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}

void run_yield(const Arguments& args) {
  Threads threads(args.threads);
  const auto begin = Clock::now();
  std::vector<fiber> tasks;
  for (int task = 0; task < 2; ++task) {
    tasks.push_back(start([&args] {
      for (uint64_t i = 0; i < args.a; ++i) boost::this_fiber::yield();
    }));
  }
  for (auto& task : tasks) task.join();
  const double s = seconds_since(begin);
  print_checksum(args, 2 * args.a);
  print_metric("yield_ns", s * 1e9 / static_cast<double>(2 * args.a));
}

/// Starts and joins so many batches; returns how many fibers that were.
template <class Stack>
uint64_t spawn_batches(Stack& stack, uint64_t batches) {
  std::vector<fiber> tasks(1000);
  uint64_t ended = 0;
  for (uint64_t batch = 0; batch < batches; ++batch) {
    for (auto& task : tasks) task = fiber(std::allocator_arg, stack, [] {});
    for (auto& task : tasks) {
      task.join();
      ++ended;
    }
  }
  return ended;
}

template <class Stack>
void time_spawn(const Arguments& args, Stack stack) {
  spawn_batches(stack, 1);
  const auto begin = Clock::now();
  const uint64_t tasks = spawn_batches(stack, args.a);
  const double s = seconds_since(begin);
  print_checksum(args, tasks);
  print_metric("spawn_ns", s * 1e9 / static_cast<double>(tasks));
}

void run_spawn(const Arguments& args) {
  Threads threads(args.threads);
  if (args.threads == 1) {
    time_spawn(args, boost::fibers::pooled_fixedsize_stack(kStackBytes));
  } else {
    time_spawn(args, boost::fibers::fixedsize_stack(kStackBytes));
  }
}

void run_chan(const Arguments& args) {
  Threads threads(args.threads);
  boost::fibers::unbuffered_channel<uint64_t> request;
  boost::fibers::unbuffered_channel<uint64_t> reply;
  uint64_t sum = 0;
  const auto begin = Clock::now();
  fiber answers = start([&] {
    for (uint64_t value : request) reply.push(value + 1);
  });
  fiber asks = start([&] {
    for (uint64_t i = 0; i < args.a; ++i) {
      request.push(i);
      sum += reply.value_pop();
    }
    request.close();
  });
  asks.join();
  answers.join();
  const double s = seconds_since(begin);
  print_checksum(args, sum);
  print_metric("chan_ns", s * 1e9 / static_cast<double>(args.a));
}

void run_coro(const Arguments& args) {
  using Coroutine = boost::coroutines2::coroutine<uint64_t>;
  // Runs until its first yield.
  Coroutine::pull_type source([](Coroutine::push_type& sink) {
    for (uint64_t value = 1;; ++value) sink(value);
  });
  uint64_t sum = 0;
  const auto begin = Clock::now();
  for (uint64_t i = 0; i < args.a; ++i) {
    source();
    sum += source.get();
  }
  const double s = seconds_since(begin);
  print_checksum(args, sum);
  print_metric("coro_ns", s * 1e9 / static_cast<double>(2 * args.a));
}

constexpr uint64_t kFan = 10;
using Channel = boost::fibers::buffered_channel<uint64_t>;

// As performance/fiber/skynet_detach.cpp of Boost.Fiber.
void skynet(Channel& parent, uint64_t first, uint64_t leaves) {
  if (leaves == 1) {
    parent.push(first);
    return;
  }
  Channel children(16);
  for (uint64_t i = 0; i < kFan; ++i) {
    fiber(boost::fibers::launch::dispatch, std::allocator_arg,
          boost::fibers::fixedsize_stack(kStackBytes), skynet,
          std::ref(children), first + i * leaves / kFan, leaves / kFan)
        .detach();
  }
  uint64_t sum = 0;
  for (uint64_t i = 0; i < kFan; ++i) sum += children.value_pop();
  parent.push(sum);
}

void run_skynet(const Arguments& args) {
  Threads threads(args.threads);
  Channel result(2);
  const auto begin = Clock::now();
  start([&] { skynet(result, 0, args.a); }).detach();
  const uint64_t sum = result.value_pop();
  const double s = seconds_since(begin);
  print_checksum(args, sum);
  print_metric("skynet_s", s);
}

void run_sleepers(const Arguments& args) {
  Threads threads(args.threads);
  std::vector<fiber> tasks(args.a);
  std::atomic<uint64_t> slept{0};
  const auto begin = Clock::now();
  for (auto& task : tasks) {
    task = start([&] {
      boost::this_fiber::sleep_for(std::chrono::nanoseconds(args.b));
      slept.fetch_add(1, std::memory_order_relaxed);
    });
  }
  for (auto& task : tasks) task.join();
  const double s = seconds_since(begin);
  print_checksum(args, slept.load());
  print_metric("sleepers_s", s);
}

/// A line of /proc/self/status, in bytes.
double status_bytes(const char* name) {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  char line[256];
  double bytes = 0;
  const std::size_t length = std::strlen(name);
  while (status != nullptr && std::fgets(line, sizeof(line), status)) {
    if (std::strncmp(line, name, length) == 0 && line[length] == ':') {
      bytes = std::strtod(line + length + 1, nullptr) * 1024;
    }
  }
  if (status != nullptr) std::fclose(status);
  return bytes;
}

void run_parked(const Arguments& args) {
  Threads threads(args.threads);
  std::vector<fiber> tasks(args.a);
  boost::fibers::mutex mutex;
  boost::fibers::condition_variable wake;
  std::atomic<uint64_t> asleep{0};
  uint64_t woken = 0;
  bool up = false;
  const double rss = status_bytes("VmRSS");
  const double pte = status_bytes("VmPTE");
  auto begin = Clock::now();
  for (auto& task : tasks) {
    task = start([&] {
      std::unique_lock<boost::fibers::mutex> lock(mutex);
      asleep.fetch_add(1, std::memory_order_relaxed);
      wake.wait(lock, [&] { return up; });
      ++woken;
    });
  }
  while (asleep.load(std::memory_order_relaxed) < args.a) {
    boost::this_fiber::sleep_for(std::chrono::milliseconds(1));
  }
  double s = seconds_since(begin);
  const double parked_rss = status_bytes("VmRSS");
  const double parked_pte = status_bytes("VmPTE");
  begin = Clock::now();
  {
    std::unique_lock<boost::fibers::mutex> lock(mutex);
    up = true;
  }
  wake.notify_all();
  for (auto& task : tasks) task.join();
  s += seconds_since(begin);
  const auto count = static_cast<double>(args.a);
  print_checksum(args, woken);
  print_metric("parked_bytes", (parked_rss - rss) / count);
  print_metric("parked_pte_bytes", (parked_pte - pte) / count);
  print_metric("parked_s", s);
}

/// Seconds for the tasks of run_scale.
double time_work(const Arguments& args, uint64_t* sum) {
  std::vector<fiber> tasks(args.a);
  std::vector<uint64_t> results(args.a);
  const auto begin = Clock::now();
  for (uint64_t i = 0; i < args.a; ++i) {
    tasks[i] = start([&args, &results, i] {
      uint64_t x = i + 1;
      for (uint64_t piece = 0; piece < args.b; ++piece) x = compute(x);
      results[i] = x;
    });
  }
  for (auto& task : tasks) task.join();
  const double s = seconds_since(begin);
  *sum = 0;
  for (uint64_t result : results) *sum += result;
  return s;
}

void run_scale(const Arguments& args) {
  uint64_t sum = 0;
  const double one = time_work(args, &sum);
  Threads threads(args.threads);
  const double all = time_work(args, &sum);
  print_checksum(args, sum);
  print_metric("scale", one / all);
}

void run_ready(const Arguments& args) {
  Threads threads(args.threads);
  std::vector<fiber> tasks(args.a);
  std::vector<uint64_t> yields(args.a);
  const auto end = Clock::now() + std::chrono::milliseconds(args.b);
  for (uint64_t i = 0; i < args.a; ++i) {
    tasks[i] = start([&yields, end, i] {
      do {
        boost::this_fiber::yield();
        ++yields[i];
      } while (Clock::now() < end);
    });
  }
  for (auto& task : tasks) task.join();
  uint64_t least = yields[0];
  uint64_t sum = 0;
  for (uint64_t each : yields) {
    least = std::min(least, each);
    sum += each;
  }
  print_checksum(args, 0);
  print_metric("ready_share", static_cast<double>(least) /
                                  static_cast<double>(sum) *
                                  static_cast<double>(args.a));
}

double cpu_ms() {
  std::timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 +
         static_cast<double>(t.tv_nsec) / 1e6;
}

void run_idle(const Arguments& args) {
  Threads threads(args.threads, /*suspend=*/true);
  std::vector<fiber> tasks(1000);
  uint64_t ended = 0;
  for (auto& task : tasks) {
    task = start(
        [] { boost::this_fiber::sleep_for(std::chrono::milliseconds(1)); });
  }
  for (auto& task : tasks) {
    task.join();
    ++ended;
  }
  const double begin = cpu_ms();
  boost::this_fiber::sleep_for(std::chrono::milliseconds(args.a));
  const double ms = cpu_ms() - begin;
  print_checksum(args, ended);
  print_metric("idle_cpu_ms", ms * 30'000 / static_cast<double>(args.a));
}

}  // namespace

int main(int argc, char** argv) {
  static constexpr std::pair<const char*, void (*)(const Arguments&)> kModes[] =
      {{"yield", run_yield},       {"spawn", run_spawn},
       {"chan", run_chan},         {"coro", run_coro},
       {"skynet", run_skynet},     {"skynet_chan", run_skynet},
       {"sleepers", run_sleepers}, {"parked", run_parked},
       {"scale", run_scale},       {"ready", run_ready},
       {"idle", run_idle}};
  for (const auto& [name, run] : kModes) {
    if (argc != 5 || std::strcmp(argv[1], name) != 0) continue;
    run({name, static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)),
         std::strtoull(argv[3], nullptr, 10),
         std::strtoull(argv[4], nullptr, 10)});
    return 0;
  }
  std::fprintf(stderr, "usage: %s MODE THREADS A B\n", argv[0]);
  return 2;
}
