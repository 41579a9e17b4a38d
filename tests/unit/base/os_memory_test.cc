// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/os_memory.h: the life of a reservation, guards, fault injection, the
// limits of the machine, membarrier, and errno left alone.
#include "base/os_memory.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tricolor::base {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

size_t resident_pages(void* p, size_t bytes) {
  unsigned char in_core[256];
  const size_t pages = bytes / os_page_size();
  if (pages > sizeof(in_core) || mincore(p, bytes, in_core) != 0) return ~0u;
  size_t n = 0;
  for (size_t i = 0; i < pages; i++) n += in_core[i] & 1;
  return n;
}

// Whether the kernel can read the byte, without a signal in this process.
bool readable(const void* p) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  const bool ok = write(ends[1], p, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return ok;
}

TEST(base_os_memory, reserve_commit_decommit) {
  const size_t bytes = 64 * kMiB;
  char* p = static_cast<char*>(os_reserve(bytes, 4 * kMiB));
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % (4 * kMiB), 0u);
  EXPECT_FALSE(readable(p));
  const size_t part = 16 * os_page_size();
  ASSERT_TRUE(os_commit(p, part));
  EXPECT_TRUE(readable(p));
  EXPECT_FALSE(readable(p + part));
  for (size_t i = 0; i < part; i++) ASSERT_EQ(p[i], 0);
  p[0] = p[part - 1] = 1;
  ASSERT_TRUE(os_discard(p, part));
  EXPECT_EQ(p[0], 0);
  p[1] = 1;
  ASSERT_TRUE(os_decommit(p, part));
  EXPECT_FALSE(readable(p));
  ASSERT_TRUE(os_commit(p, part));
  EXPECT_EQ(p[1], 0);
  os_release(p, bytes);
  EXPECT_FALSE(readable(p));
}

TEST(base_os_memory, impossible_reservations_are_null) {
  EXPECT_EQ(os_reserve(SIZE_MAX, 4096), nullptr);
  EXPECT_EQ(os_reserve(size_t{1} << 62, 4096), nullptr);
  EXPECT_EQ(os_reserve(0, 4096), nullptr);
  EXPECT_EQ(os_reserve(4096, 3), nullptr);
  EXPECT_EQ(os_map(0), nullptr);
  EXPECT_EQ(os_map(SIZE_MAX), nullptr);
}

TEST(base_os_memory, map_is_zero_and_lazy) {
  const size_t bytes = 64 * os_page_size();
  char* p = static_cast<char*>(os_map(bytes));
  ASSERT_NE(p, nullptr);
  os_nohugepage(p, bytes);
  EXPECT_EQ(resident_pages(p, bytes), 0u);
  p[0] = 1;
  EXPECT_EQ(p[bytes - 1], 0);
  EXPECT_LE(resident_pages(p, bytes), 2u);
  ASSERT_TRUE(os_discard(p, bytes));
  EXPECT_EQ(resident_pages(p, bytes), 0u);
  os_release(p, bytes);
}

// Whether /proc/self/smaps has the flag "nh" on the mapping around p.
bool refuses_huge_pages(const void* p) {
  const auto address = reinterpret_cast<unsigned long>(p);
  std::FILE* f = std::fopen("/proc/self/smaps", "r");
  char line[512];
  bool here = false;
  bool refuses = false;
  while (f != nullptr && std::fgets(line, sizeof(line), f) != nullptr) {
    unsigned long from = 0;
    unsigned long to = 0;
    if (std::sscanf(line, "%lx-%lx ", &from, &to) == 2) {
      here = from <= address && address < to;
    } else if (here && std::strncmp(line, "VmFlags:", 8) == 0) {
      refuses = std::strstr(line, " nh") != nullptr;
    }
  }
  if (f != nullptr) std::fclose(f);
  return refuses;
}

TEST(base_os_memory, long_maps_have_no_huge_pages) {
  void* table = os_map(16 * kMiB);
  ASSERT_NE(table, nullptr);
  EXPECT_TRUE(refuses_huge_pages(table));
  os_release(table, 16 * kMiB);
  // The check itself: it can say no.
  void* plain = mmap(nullptr, 16 * kMiB, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(plain, MAP_FAILED);
  EXPECT_FALSE(refuses_huge_pages(plain));
  munmap(plain, 16 * kMiB);
}

TEST(base_os_memory, guards) {
  const size_t page = os_page_size();
  char* p = static_cast<char*>(os_map(4 * page));
  ASSERT_NE(p, nullptr);
  if (os_guard_install(p, page)) {
    EXPECT_FALSE(readable(p));
    EXPECT_TRUE(readable(p + page));
    ASSERT_TRUE(os_guard_remove(p, page));
    EXPECT_TRUE(readable(p));
  }
  ASSERT_TRUE(os_guard_mprotect(p, page));
  EXPECT_FALSE(readable(p));
  EXPECT_TRUE(readable(p + page));
  os_release(p, 4 * page);
}

TEST(base_os_memory, many_guards_in_one_call) {
  const size_t page = os_page_size();
  constexpr size_t kMany = 64;
  char* p = static_cast<char*>(os_map(4 * kMany * page));
  ASSERT_NE(p, nullptr);
  EXPECT_FALSE(os_guard_install_each(p, 4 * page, kMany + 1, page));
  if (os_guard_install_each(p, 4 * page, kMany, page)) {
    // Again is no harm.
    EXPECT_TRUE(os_guard_install_each(p, 4 * page, kMany, page));
    for (size_t i = 0; i < 4 * kMany; i++) {
      EXPECT_EQ(readable(p + i * page), i % 4 != 0) << i;
    }
  } else {
    EXPECT_TRUE(readable(p + page));
  }
  os_release(p, 4 * kMany * page);
}

TEST(base_os_memory_DeathTest, guard_faults) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const size_t page = os_page_size();
  volatile char* p = static_cast<volatile char*>(os_map(page));
  ASSERT_NE(p, nullptr);
  void* q = const_cast<char*>(p);
  ASSERT_TRUE(os_guard_install(q, page) || os_guard_mprotect(q, page));
  EXPECT_DEATH(p[0] = 1, "");
  os_release(q, page);
}

struct FaultPlan {
  OsCall call;
  int fail_at;  // the n-th such call, from 0
  int calls = 0;
  size_t last_bytes = 0;

  static bool decide(void* self, OsCall call, size_t bytes) {
    FaultPlan* plan = static_cast<FaultPlan*>(self);
    if (call != plan->call) return false;
    plan->last_bytes = bytes;
    return plan->calls++ == plan->fail_at;
  }
  OsFaultHook hook() { return {&FaultPlan::decide, this}; }
};

TEST(base_os_fault, mmap) {
  FaultPlan plan{OsCall::kMmap, 1};
  const OsFaultHook hook = plan.hook();
  OsFaultScope scope(hook);
  void* p = os_map(3 * os_page_size());
  EXPECT_NE(p, nullptr);
  EXPECT_EQ(plan.last_bytes, 3 * os_page_size());
  EXPECT_EQ(os_reserve(kMiB, 4096), nullptr);
  EXPECT_EQ(plan.calls, 2);
  os_release(p, 3 * os_page_size());
}

TEST(base_os_fault, commit_and_decommit) {
  void* p = os_reserve(kMiB, 4096);
  ASSERT_NE(p, nullptr);
  {
    FaultPlan plan{OsCall::kMprotect, 0};
    const OsFaultHook hook = plan.hook();
    OsFaultScope scope(hook);
    EXPECT_FALSE(os_commit(p, kMiB));
    EXPECT_FALSE(readable(p));
    EXPECT_TRUE(os_commit(p, kMiB));
  }
  {
    FaultPlan plan{OsCall::kMadvise, 0};
    const OsFaultHook hook = plan.hook();
    OsFaultScope scope(hook);
    EXPECT_FALSE(os_decommit(p, kMiB));
    EXPECT_TRUE(readable(p));
    EXPECT_TRUE(os_discard(p, kMiB));
  }
  os_release(p, kMiB);
}

TEST(base_os_fault, advice_that_fails_does_not_fail_the_reservation) {
  const OsFaultHook hook{
      [](void*, OsCall call, size_t) { return call == OsCall::kMadvise; },
      nullptr};
  OsFaultScope scope(hook);
  void* p = os_reserve(kMiB, 4096);
  ASSERT_NE(p, nullptr);
  EXPECT_TRUE(os_commit(p, kMiB));
  EXPECT_FALSE(os_guard_install(p, os_page_size()));
  EXPECT_FALSE(os_nohugepage(p, kMiB));
  os_release(p, kMiB);
}

// What Linux says to advice that splits a mapping, at vm.max_map_count: each
// time it is asked.
TEST(base_os_fault, a_kernel_that_always_says_again_is_believed_at_last) {
  int asked = 0;
  const OsFaultHook hook{[](void* ctx, OsCall call, size_t) {
                           return call == OsCall::kMadvise &&
                                  ++*static_cast<int*>(ctx) < 1000;
                         },
                         &asked, /*again=*/true};
  OsFaultScope scope(hook);
  void* p = os_reserve(kMiB, 4096);
  ASSERT_NE(p, nullptr);
  EXPECT_GT(asked, 1) << "tried again";
  EXPECT_LT(asked, 50) << "and not forever";
  EXPECT_TRUE(os_commit(p, kMiB));
  EXPECT_FALSE(os_discard(p, kMiB));
  os_release(p, kMiB);
}

TEST(base_os_fault, again_for_a_moment_is_not_a_refusal) {
  void* p = os_map(kMiB);
  ASSERT_NE(p, nullptr);
  int asked = 0;
  const OsFaultHook hook{[](void* ctx, OsCall call, size_t) {
                           return call == OsCall::kMadvise &&
                                  ++*static_cast<int*>(ctx) < 3;
                         },
                         &asked, /*again=*/true};
  OsFaultScope scope(hook);
  EXPECT_TRUE(os_discard(p, kMiB));
  EXPECT_EQ(asked, 3);
  os_release(p, kMiB);
}

TEST(base_os_fault, scopes_nest) {
  EXPECT_EQ(os_fault.load_acquire(), nullptr);
  const OsFaultHook outer{[](void*, OsCall, size_t) { return false; }, nullptr};
  const OsFaultHook inner{[](void*, OsCall, size_t) { return true; }, nullptr};
  {
    OsFaultScope a(outer);
    {
      OsFaultScope b(inner);
      EXPECT_EQ(os_map(4096), nullptr);
    }
    EXPECT_EQ(os_fault.load_acquire(), &outer);
  }
  EXPECT_EQ(os_fault.load_acquire(), nullptr);
}

TEST(base_os_memory, limits_are_plausible) {
  EXPECT_GE(os_memory_limit_bytes(), 16 * kMiB);
  const long physical = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  EXPECT_LE(os_memory_limit_bytes(), static_cast<size_t>(physical));
  EXPECT_GE(os_cpu_quota(), 1u);
  EXPECT_LE(os_cpu_quota(),
            static_cast<unsigned>(sysconf(_SC_NPROCESSORS_CONF)));
}

TEST(base_os_memory, quota_follows_the_affinity_mask) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(os_cpu_quota(), 1u);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

TEST(base_os_memory, membarrier_after_registration) {
  if (!os_membarrier_register()) GTEST_SKIP() << "no membarrier here";
  EXPECT_TRUE(os_membarrier());
  EXPECT_TRUE(os_membarrier_register());
}

TEST(base_os_memory, cpu_time_advances) {
  const uint64_t thread = os_thread_cpu_ns();
  const uint64_t process = os_process_cpu_ns();
  while (os_thread_cpu_ns() - thread < 1'000'000) {
  }
  EXPECT_GE(os_process_cpu_ns() - process, 500'000u);
}

TEST(base_os_memory, errno_is_left_alone) {
  errno = 77;
  EXPECT_EQ(os_reserve(size_t{1} << 62, 4096), nullptr);
  EXPECT_FALSE(os_discard(reinterpret_cast<void*>(1), 4096));
  EXPECT_FALSE(os_commit(reinterpret_cast<void*>(1), 4096));
  os_memory_limit_bytes();
  os_cpu_quota();
  EXPECT_EQ(errno, 77);
}

}  // namespace
}  // namespace tricolor::base
