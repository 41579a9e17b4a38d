// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A thousand runtimes at once in one process, each with the default options.
// Their default reservations together would be more than the address space
// has: see fair_share() in heap/address_space.cc. Nothing is left of
// them.
#include <vector>

#include "base/macros.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

// The sanitizers leave a heap a fraction of the address space (ThreadSanitizer
// the least: its shadow follows every mapping) and make each mapping slow.
constexpr int kRuntimes = TRI_TSAN ? 50 : TRI_ASAN ? 200 : 1000;

struct Tenant {
  RuntimePtr rt;
  Type<Link> type;
  Global<Link> list;
};

void allocate_in(Tenant* tenant, uint64_t n) {
  tenant->rt->run([&](Mutator& mu) {
    tenant->list = Global<Link>(mu, make_list(mu, tenant->type, n));
  });
}

void make_and_drop(int n) {
  std::vector<Tenant> tenants(static_cast<size_t>(n));
  Options defaults;
  defaults.env_prefix = "";
  uint64_t length = 100;
  for (Tenant& t : tenants) {
    Error error;
    t.rt = Runtime::create(defaults, &error);
    ASSERT_NE(t.rt, nullptr)
        << "runtime " << &t - tenants.data() << ": " << error.text;
    t.type = link_type(*t.rt);
    allocate_in(&t, length++);
  }
  // All of them are there, and go on working.
  length = 100;
  for (Tenant& t : tenants) {
    t.rt->run([&](Mutator& mu) {
      EXPECT_TRUE(check_list(t.list.get(), length));
      make_list(mu, t.type, 1000);
    });
    // Starts a thread, and takes milliseconds where CPUs are scarce.
    if (length % 10 == 0) t.rt->collect();
    EXPECT_TRUE(check_list(t.list.get(), length));
    ++length;
  }
  for (Tenant& t : tenants) t.list = Global<Link>();
}

TEST(sched_many_runtimes, at_once_and_nothing_is_left) {
  // What the C library and the sanitizers keep: malloc's arenas, one for every
  // few threads, and cached thread stacks.
  make_and_drop(kRuntimes);
  const int threads = settled_thread_count();
  const int fds = fd_count();
  const int mappings = mapping_count();
  make_and_drop(kRuntimes);
  EXPECT_TRUE(thread_count_becomes(threads));
  EXPECT_EQ(fd_count(), fds);
  // Those come and go by a few; a leak would be a thousand.
  EXPECT_LE(mapping_count(), mappings + 20);
}

}  // namespace
}  // namespace tricolor::testing
