// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What the scheduler's tests share: runtimes that ignore the environment, a
// cell type to allocate, and a count of what the process owns.
#ifndef TESTS_UNIT_SCHED_FIXTURE_H_
#define TESTS_UNIT_SCHED_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>

#include "tests/support/stress.h"
#include "tricolor/all.h"

namespace tricolor::testing {

inline Options options(uint32_t procs, int threads = -1) {
  Options o;
  o.env_prefix = "";
  o.max_procs = procs;
  o.background_threads = threads;
  o.reservation_bytes = size_t{1} << 30;
  return o;
}

inline RuntimePtr make_runtime(const Options& o) {
  Error error;
  RuntimePtr rt = Runtime::create(o, &error);
  EXPECT_NE(rt, nullptr) << error.text;
  return rt;
}

/// A linked cell with a check word.
struct Link {
  Field<Link> next;
  uint64_t value;
};

inline Type<Link> link_type(Runtime& rt) {
  const uint32_t offsets[] = {0};
  LayoutSpec spec;
  spec.name = "Link";
  spec.head_bytes = sizeof(Link);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 1;
  return Type<Link>(rt.register_layout(spec));
}

/// A list n, n-1, ... 1.
inline Link* make_list(Mutator& mu, const Type<Link>& type, uint64_t n) {
  Scope<2> scope(mu);
  Local<Link> head(scope);
  for (uint64_t i = 1; i <= n; i++) {
    Local<Link>& h = head;
    Link* link = make(mu, type);
    link->value = i;
    link->next.store(mu, h.get());
    head = link;
  }
  return head;
}

/// Whether `list` is n, n-1, ... 1.
inline bool check_list(const Link* list, uint64_t n) {
  for (; list != nullptr; list = list->next.load(), n--) {
    if (list->value != n) return false;
  }
  return n == 0;
}

/// Files in a directory of /proc/self.
int count_entries(const char* path);
int thread_count();
/// True as soon as there are `n` threads; false after ten seconds. (A thread
/// that has been joined may stay in /proc for a moment.)
bool thread_count_becomes(int n);
/// The program's threads when no runtime has any; waits until that is so.
int settled_thread_count();
int fd_count();
int mapping_count();

/// Runs the test at 1, 2 and 8 Ps.
class AtProcs : public ::testing::TestWithParam<uint32_t> {
 protected:
  RuntimePtr rt_ = make_runtime(options(GetParam()));
};

}  // namespace tricolor::testing

#endif  // TESTS_UNIT_SCHED_FIXTURE_H_
