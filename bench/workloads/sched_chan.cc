// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The modes of the workload sched that wait for each other through channels, or
// have timers: chan (A requests and replies), skynet_chan (skynet of A leaves
// with a channel for each task that has children), hog_chan (hog, beside a task
// that asks and one that answers), timers (A of them, and B times one more).
#include <deque>

#include "sched_modes.h"

namespace {

using tricolor::Channel;
using tricolor::Deadline;
using tricolor::Local;
using tricolor::Mutator;
using tricolor::Scope;
using tricolor::Task;
using tricolor::Timer;
using tricolor::WaitResult;

using Numbers = Channel<uint64_t>;

/// Sends request + 1 for each request until there are no more.
void answer(Mutator& mu, Numbers* requests, Numbers* replies) {
  uint64_t value = 0;
  while (receive(mu, requests, &value) == WaitResult::kOk) {
    send(mu, replies, value + 1);
  }
}

/// The sum of so many replies.
uint64_t ask(Mutator& mu, Numbers* requests, Numbers* replies, uint64_t times) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < times; ++i) {
    uint64_t reply = 0;
    send(mu, requests, i);
    receive(mu, replies, &reply);
    sum += reply;
  }
  close(mu, requests);
  return sum;
}

/// Asks until `end_ns`; returns how often.
uint64_t ask_until(Mutator& mu, Numbers* requests, Numbers* replies,
                   uint64_t end_ns) {
  uint64_t times = 0;
  do {
    uint64_t reply = 0;
    send(mu, requests, 0);
    receive(mu, replies, &reply);
    ++times;
  } while (bench::now_ns() < end_ns);
  close(mu, requests);
  return times;
}

constexpr uint64_t kFan = 10;

void skynet(Mutator& mu, Numbers* parent, uint64_t first, uint64_t leaves) {
  if (leaves == 1) {
    send(mu, parent, first);
    return;
  }
  Scope<1> scope(mu);
  Local<Numbers> children(scope, tricolor::make_channel<uint64_t>(mu, 0));
  for (uint64_t i = 0; i < kFan; ++i) {
    tricolor::spawn(mu, &skynet, children.get(), first + i * leaves / kFan,
                    leaves / kFan)
        .detach();
  }
  uint64_t sum = 0;
  for (uint64_t i = 0; i < kFan; ++i) {
    uint64_t part = 0;
    receive(mu, children.get(), &part);
    sum += part;
  }
  send(mu, parent, sum);
}

/// What a hog and a pair did in so much time, whichever of them there is.
struct Done {
  double hog = 0;
  double pair = 0;
};

Done hog_and_pair(Mutator& mu, uint64_t ms, bool hog, bool pair) {
  Scope<2> scope(mu);
  Local<Numbers> requests(scope, tricolor::make_channel<uint64_t>(mu, 0));
  Local<Numbers> replies(scope, tricolor::make_channel<uint64_t>(mu, 0));
  Task<uint64_t> hogs;
  Task<uint64_t> asks;
  Task<void> answers;
  const uint64_t end_ns = bench::now_ns() + ms * 1'000'000;
  if (hog) hogs = tricolor::spawn(mu, &bench::hog_until, end_ns);
  if (pair) {
    asks =
        tricolor::spawn(mu, &ask_until, requests.get(), replies.get(), end_ns);
    answers = tricolor::spawn(mu, &answer, requests.get(), replies.get());
  }
  Done done;
  if (hog) done.hog = static_cast<double>(tricolor::join(mu, hogs));
  if (pair) {
    done.pair = static_cast<double>(tricolor::join(mu, asks));
    tricolor::join(mu, answers);
  }
  return done;
}

/// From one hour to two from now.
Deadline some_time(bench::Random* random) {
  return Deadline::in((3600 + random->next() % 3600) * 1'000'000'000);
}

}  // namespace

namespace bench {

void run_chan(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Numbers> requests(scope, tricolor::make_channel<uint64_t>(mu, 0));
    Local<Numbers> replies(scope, tricolor::make_channel<uint64_t>(mu, 0));
    const uint64_t begin = now_ns();
    auto answers = tricolor::spawn(mu, &answer, requests.get(), replies.get());
    auto asks =
        tricolor::spawn(mu, &ask, requests.get(), replies.get(), args.a);
    const uint64_t sum = tricolor::join(mu, asks);
    const uint64_t ns = now_ns() - begin;
    tricolor::join(mu, answers);
    print_checksum("chan", args, sum);
    print_metric("chan_ns", per_operation(ns, args.a));
  });
}

void run_skynet_chan(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Numbers> result(scope, tricolor::make_channel<uint64_t>(mu, 0));
    uint64_t sum = 0;
    const uint64_t begin = now_ns();
    tricolor::spawn(mu, &skynet, result.get(), uint64_t{0}, args.a).detach();
    receive(mu, result.get(), &sum);
    const uint64_t ns = now_ns() - begin;
    print_checksum("skynet_chan", args, sum);
    print_metric("skynet_s", static_cast<double>(ns) / 1e9);
  });
}

void run_hog_chan(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    const Done hog = hog_and_pair(mu, args.a, true, false);
    const Done pair = hog_and_pair(mu, args.a, false, true);
    const Done both = hog_and_pair(mu, args.a, true, true);
    print_checksum("hog_chan", args, 0);
    print_metric("hog_share", both.hog / hog.hog * 2);
    print_metric("pair_share", both.pair / pair.pair * 2);
  });
}

void run_timers(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    auto fired = [](void*) { std::abort(); };
    tricolor::Runtime& rt = tricolor::runtime_of(mu);
    Random random(1);
    std::deque<Timer> timers;  // they cannot be moved
    for (uint64_t i = 0; i < args.a; ++i) {
      timers.emplace_back(rt, fired, nullptr).start(mu, some_time(&random));
    }
    Timer timer(rt, fired, nullptr);
    uint64_t stopped = 0;
    const uint64_t begin = now_ns();
    for (uint64_t i = 0; i < args.b; ++i) {
      timer.start(mu, some_time(&random));
      stopped += timer.stop() ? 1 : 0;
    }
    const uint64_t ns = now_ns() - begin;
    for (Timer& each : timers) stopped += each.stop() ? 1 : 0;
    print_checksum("timers", args, stopped);
    print_metric("timers_ns", per_operation(ns, args.b));
  });
}

}  // namespace bench
