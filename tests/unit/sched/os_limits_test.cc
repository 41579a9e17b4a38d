// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Under limits of the system's own, each in a process of its own: RLIMIT_AS,
// which counts what is reserved, and RLIMIT_DATA, which counts what has been
// made writable, as overcommit mode 2 does.
#include <sys/resource.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/macros.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

constexpr size_t kMib = size_t{1} << 20;

constexpr bool kSanitized = TRI_ASAN || TRI_TSAN;

/// Kibibytes of a line of /proc/self/status.
size_t status_kib(const char* format) {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  char line[256];
  size_t kib = 0;
  while (status != nullptr && std::fgets(line, sizeof(line), status)) {
    if (std::sscanf(line, format, &kib) == 1) break;
  }
  if (status != nullptr) std::fclose(status);
  return kib;
}

void allow(int resource, size_t bytes) {
  const rlimit limit{bytes, bytes};
  ASSERT_EQ(setrlimit(resource, &limit), 0);
}

/// Lists of cells until there are no more, twice; how many bytes the shorter
/// one was.
size_t exhaust(Runtime& rt) {
  const Type<Link> type = link_type(rt);
  size_t least = SIZE_MAX;
  rt.run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Link> list(scope);
    for (int round = 0; round < 2; ++round) {
      constexpr size_t kCell = 256;
      uint64_t n = 0;
      while (auto* cell =
                 static_cast<Link*>(try_allocate(mu, type.layout, kCell))) {
        cell->value = ++n;
        cell->next.init(mu, list.get());
        list = cell;
      }
      EXPECT_TRUE(check_list(list, n)) << "nothing is lost";
      if (n * kCell < least) least = n * kCell;
      list = nullptr;
      collect(mu);
    }
    verify_heap(mu);
  });
  return least;
}

/// In the child: a default runtime under a limit of `mib` more than is used.
[[noreturn]] void run_under(int resource, const char* used, size_t mib) {
  allow(resource, status_kib(used) * 1024 + mib * kMib);
  Options o = options(1, 0);
  o.reservation_bytes = 0;
  o.gc_percent = kGcOff;
  RuntimePtr rt = make_runtime(o);
  const size_t bytes = exhaust(*rt);
  EXPECT_GE(bytes, mib * kMib / 8) << "most of it is for tables and cells";
  EXPECT_LE(bytes, mib * kMib);
  rt.reset();
  std::_Exit(::testing::Test::HasFailure() ? 1 : 0);
}

TEST(sched_os_limits, a_reservation_fits_the_address_space_that_is_allowed) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's shadow is address space";
  EXPECT_EXIT(run_under(RLIMIT_AS, "VmSize: %zu", 400),
              ::testing::ExitedWithCode(0), "");
}

/// In the child: what the least reservation needs, and a little more or less. A
/// runtime that can be created can allocate; else creation says why not.
[[noreturn]] void run_within(size_t mib, uint32_t procs) {
  allow(RLIMIT_AS, status_kib("VmSize: %zu") * 1024 + mib * kMib);
  Options o = options(procs, 0);
  o.reservation_bytes = 0;
  o.gc_percent = kGcOff;
  Error error;
  RuntimePtr rt = Runtime::create(o, &error);
  if (rt == nullptr) {
    std::fprintf(stderr, "refused: %s\n", error.text);
    std::_Exit(error.code == ErrorCode::kOutOfMemory ? 0 : 1);
  }
  const size_t bytes = exhaust(*rt);
  rt.reset();
  std::fprintf(stderr, "%s, %zu bytes\n", bytes < 32 * kMib ? "fails" : "runs",
               bytes);
  std::_Exit(::testing::Test::HasFailure() ? 1 : 0);
}

TEST(sched_os_limits, a_runtime_that_can_be_created_can_allocate) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's shadow is address space";
  for (size_t mib = 60; mib <= 300; mib += 15) {
    EXPECT_EXIT(run_within(mib, 1), ::testing::ExitedWithCode(0),
                mib < 100   ? "^refused: .*RLIMIT_AS"
                : mib > 200 ? "^runs"
                            : "^runs|^refused: .*RLIMIT_AS")
        << mib;
  }
  EXPECT_EXIT(run_within(300, 64), ::testing::ExitedWithCode(0), "^runs");
}

struct AllAtOnce {
  Type<Link> type;
  uint32_t procs;
  std::atomic<uint32_t> at_once{0};
};

/// Cells from every P, not from the first one alone.
void make_all_at_once(Mutator& mu, Plain<AllAtOnce> all) {
  all.p->at_once.fetch_add(1);
  while (all.p->at_once.load() < all.p->procs) poll(mu);
  for (int k = 0; k < 1000; ++k) make(mu, all.p->type);
}

/// In the child: what runs at once on all Ps there are can allocate.
[[noreturn]] void run_on_all_procs(size_t mib) {
  allow(RLIMIT_AS, status_kib("VmSize: %zu") * 1024 + mib * kMib);
  Options o = options(2, -1);
  o.reservation_bytes = 0;
  Error error;
  RuntimePtr rt = Runtime::create(o, &error);
  if (rt == nullptr) {
    std::fprintf(stderr, "refused: %s\n", error.text);
    std::_Exit(0);
  }
  const Type<Link> type = link_type(*rt);
  const uint32_t procs = rt->max_procs();
  rt->run([&](Mutator& mu) {
    std::vector<Task<void>> tasks;
    AllAtOnce all{type, procs};
    for (int i = 0; i < 8; ++i) {
      tasks.push_back(spawn(mu, &make_all_at_once, plain(&all)));
    }
    for (Task<void>& task : tasks) join(mu, task);
  });
  rt.reset();
  std::fprintf(stderr, "runs on %u\n", procs);
  std::_Exit(0);
}

TEST(sched_os_limits, as_many_procs_as_there_is_room_for) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's shadow is address space";
  for (size_t mib = 100; mib <= 400; mib += 20) {
    EXPECT_EXIT(run_on_all_procs(mib), ::testing::ExitedWithCode(0),
                mib < 180   ? "^refused: .*RLIMIT_AS|^runs on [12]"
                : mib < 340 ? "^runs on [12]"
                            : "^runs on 2")
        << mib;
  }
}

/// In the child: asks again and again for more Ps than there is room for.
[[noreturn]] void ask_for_procs(size_t mib) {
  allow(RLIMIT_AS, status_kib("VmSize: %zu") * 1024 + mib * kMib);
  Options o = options(1, -1);
  o.reservation_bytes = 128 * kMib;
  RuntimePtr rt = make_runtime(o);
  const Type<Link> type = link_type(*rt);
  rt->set_max_procs(64);
  const uint32_t first = rt->max_procs();
  for (int i = 0; i < 100; ++i) {
    rt->set_max_procs(64);
    EXPECT_EQ(rt->max_procs(), first);
  }
  rt->run([&](Mutator& mu) {
    std::vector<Task<void>> tasks;
    AllAtOnce all{type, first};
    for (uint32_t i = 0; i < 2 * first; ++i) {
      tasks.push_back(spawn(mu, &make_all_at_once, plain(&all)));
    }
    for (Task<void>& task : tasks) join(mu, task);
  });
  rt.reset();
  std::fprintf(stderr, "%u\n", first);
  std::_Exit(::testing::Test::HasFailure() || first >= 64 ? 1 : 0);
}

TEST(sched_os_limits, asking_again_makes_no_procs_without_room) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's shadow is address space";
  for (size_t mib : {300, 400, 700}) {
    EXPECT_EXIT(ask_for_procs(mib), ::testing::ExitedWithCode(0), "") << mib;
  }
}

/// In the child: Ps that may allocate leave the cells their share.
[[noreturn]] void run_with_room(size_t mib, uint32_t procs) {
  allow(RLIMIT_AS, status_kib("VmSize: %zu") * 1024 + mib * kMib);
  const size_t before = status_kib("VmSize: %zu");
  Options o = options(procs, 0);
  o.reservation_bytes = 0;
  Error error;
  RuntimePtr rt = Runtime::create(o, &error);
  const size_t kib = status_kib("VmSize: %zu") - before;
  std::fprintf(stderr, "%s: %zu MiB\n",
               rt != nullptr && kib / 1024 >= mib / 4 ? "enough" : "less",
               kib / 1024);
  rt.reset();
  std::_Exit(0);
}

TEST(sched_os_limits, many_procs_leave_a_quarter_for_cells) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's shadow is address space";
  for (uint32_t procs : {1u, 16u, 64u}) {
    EXPECT_EXIT(run_with_room(3072, procs), ::testing::ExitedWithCode(0),
                "^enough")
        << procs;
    EXPECT_EXIT(run_with_room(1024, procs), ::testing::ExitedWithCode(0),
                "^enough")
        << procs;
  }
}

/// In the child: attached threads until there is no room for one, which says
/// so when it attaches, and not when it allocates.
[[noreturn]] void attach_within(size_t mib) {
  allow(RLIMIT_AS, status_kib("VmSize: %zu") * 1024 + mib * kMib);
  Options o = options(1, 0);
  o.reservation_bytes = 0;
  Error error;
  RuntimePtr rt = Runtime::create(o, &error);
  if (rt == nullptr) std::_Exit(1);
  const Type<Link> type = link_type(*rt);
  // Nested runtimes on one thread would share its attachment: so by P.
  bool ok = true;
  for (int i = 0; i < 3 && ok; ++i) {
    RuntimePtr other = i == 0 ? nullptr : Runtime::create(o, &error);
    AttachScope attach(other != nullptr ? *other : *rt, &error);
    if (!attach.ok()) {
      ok = error.code == ErrorCode::kOutOfMemory;
      break;
    }
    ManagedScope managed(attach);
    if (other == nullptr) {
      ok = try_make(managed.mutator(), type) != nullptr;
    }
  }
  std::fputs(ok ? "said so\n" : "silent\n", stderr);
  std::_Exit(0);
}

TEST(sched_os_limits, an_attached_thread_without_room_is_an_error) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's shadow is address space";
  for (size_t mib : {200, 260, 330}) {
    EXPECT_EXIT(attach_within(mib), ::testing::ExitedWithCode(0), "^said so")
        << mib;
  }
}

TEST(sched_os_limits, what_is_only_reserved_is_not_charged) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's shadow is charged";
  EXPECT_EXIT(run_under(RLIMIT_DATA, "VmData: %zu", 200),
              ::testing::ExitedWithCode(0), "");
}

/// In the child: 64 Ps, whose tables for all the layouts there may ever be
/// would take 2 GiB, under a limit of 128 MiB.
[[noreturn]] void run_with_many_procs() {
  allow(RLIMIT_DATA, status_kib("VmData: %zu") * 1024 + 128 * kMib);
  Error error;
  RuntimePtr rt = Runtime::create(options(64, 0), &error);
  EXPECT_NE(rt, nullptr) << error.text;
  if (rt != nullptr) {
    EXPECT_GT(exhaust(*rt), 8 * kMib);
    // Layouts until there is no room for their slots; the last ones work.
    LayoutSpec spec;
    spec.name = "Many";
    spec.tail = LayoutSpec::Tail::kNoscan;
    spec.distinct = true;
    LayoutId last = kInvalidLayout;
    for (int i = 0; i < 4000; ++i) {
      const LayoutId id = rt->register_layout(spec, &error);
      if (id == kInvalidLayout) break;
      last = id;
    }
    if (!error.ok()) {
      EXPECT_EQ(error.code, ErrorCode::kOutOfMemory);
    }
    rt->run([&](Mutator& mu) {
      for (size_t n : {16, 512, 2048}) try_allocate(mu, last, n);
      collect(mu);
      verify_heap(mu);
    });
  }
  rt.reset();
  std::_Exit(::testing::Test::HasFailure() ? 1 : 0);
}

TEST(sched_os_limits, procs_are_charged_for_the_layouts_there_are) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's shadow is charged";
  EXPECT_EXIT(run_with_many_procs(), ::testing::ExitedWithCode(0), "");
}

TEST(sched_os_limits, no_room_for_a_runtime_is_an_error) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's shadow is address space";
  EXPECT_EXIT(
      {
        allow(RLIMIT_AS, status_kib("VmSize: %zu") * 1024 + 16 * kMib);
        Error error;
        Options o = options(1, 0);
        RuntimePtr rt = Runtime::create(o, &error);
        std::fprintf(stderr, "%s\n", error.text);
        std::_Exit(rt == nullptr && error.code == ErrorCode::kOutOfMemory ? 0
                                                                          : 1);
      },
      ::testing::ExitedWithCode(0), "RLIMIT_AS");
}

}  // namespace
}  // namespace tricolor::testing
