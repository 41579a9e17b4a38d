// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A runtime with tasks in known states, and then a trap: what run.py looks at.
#include <csignal>

#include "tricolor/all.h"

namespace {

using tricolor::Mutator;

__attribute__((noinline)) void wait_in_the_deep(Mutator& mu, int depth) {
  if (depth == 0) {
    tricolor::sleep_ns(mu, ~uint64_t{0});
  } else {
    wait_in_the_deep(mu, depth - 1);
  }
  __asm__ volatile("" ::: "memory");  // no tail call
}

}  // namespace

int main() {
  tricolor::Options options;
  options.env_prefix = "";
  options.max_procs = 1;
  options.background_threads = 0;
  tricolor::Error error;
  auto rt = tricolor::Runtime::create(options, &error);
  if (rt == nullptr) return 1;
  rt->run([](Mutator& mu) {
    tricolor::spawn(mu, [](Mutator& mu) {
      tricolor::set_task_name(mu, "sleeper");
      wait_in_the_deep(mu, 3);
    }).detach();
    tricolor::spawn(mu, [](Mutator& mu) {
      tricolor::Scope<1> scope(mu);
      tricolor::Local<tricolor::Channel<uint64_t>> ch(
          scope, tricolor::make_channel<uint64_t>(mu, 0));
      uint64_t value;
      (void)tricolor::receive(mu, ch.get(), &value);
    }).detach();
    for (int i = 0; i < 10; ++i) tricolor::yield(mu);
    std::raise(SIGTRAP);
  });
  return 0;
}
