// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The soft limit: the pacer's goal under it, `auto` on trees of cgroup files,
// and a heap that keeps to it.
#include "gc/memory_limit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/gc_alone.h"
#include "tricolor/external.h"

namespace tricolor::testing {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

/// A root with /proc/self/cgroup and a v2 tree.
class CgroupRoot {
 public:
  CgroupRoot() {
    root_ = (std::filesystem::temp_directory_path() / "tricolor-limit-XXXXXX");
    root_ = mkdtemp(root_.data());
    file("/proc/self/cgroup", "0::/app\n");
  }
  ~CgroupRoot() { std::filesystem::remove_all(root_); }
  CgroupRoot(const CgroupRoot&) = delete;
  CgroupRoot& operator=(const CgroupRoot&) = delete;

  const char* path() const { return root_.c_str(); }
  void file(const std::string& path, const std::string& text) {
    const std::filesystem::path whole = root_ + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }
  void limit(uint64_t bytes) {
    file("/sys/fs/cgroup/app/memory.max", std::to_string(bytes) + "\n");
  }
  void usage(uint64_t bytes) {
    file("/sys/fs/cgroup/app/memory.current", std::to_string(bytes) + "\n");
  }

 private:
  std::string root_;
};

TEST(gc_memory_limit, goal_leaves_headroom_and_what_is_no_cell) {
  using gc::MemoryLimit;
  EXPECT_EQ(MemoryLimit::goal(MemoryLimit::kNone, kMiB), MemoryLimit::kNone);
  EXPECT_EQ(MemoryLimit::goal(1000 * kMiB, 100 * kMiB), 870 * kMiB);
  EXPECT_EQ(MemoryLimit::goal(10 * kMiB, 2 * kMiB), 7 * kMiB);
  EXPECT_EQ(MemoryLimit::goal(2 * kMiB, 0), 2 * kMiB - kMiB / 2);
  EXPECT_EQ(MemoryLimit::goal(2 * kMiB, 3 * kMiB), 0u);
}

gc::CycleWork all_survive(uint64_t bytes) {
  gc::CycleWork w;
  w.marked = w.scanned = bytes;
  return w;
}

TEST(gc_memory_limit, the_pacer_keeps_below_it) {
  gc::Pacer p;
  p.init(100, 0, 1);
  p.end_cycle(all_survive(100 * kMiB));
  EXPECT_NEAR(static_cast<double>(p.goal()), 200.0 * kMiB, kMiB);
  p.set_limit(150 * kMiB);
  EXPECT_EQ(p.goal(), 150 * kMiB);
  EXPECT_LT(p.trigger(), 150 * kMiB);
  p.set_percent(-1);
  EXPECT_EQ(p.goal(), 150 * kMiB) << "also with percent off";
  EXPECT_GT(p.assist_ratio(149 * kMiB, 0), 0);
  p.set_limit(UINT64_MAX);
  EXPECT_EQ(p.goal(), UINT64_MAX);
  p.set_percent(20);
  p.set_limit(150 * kMiB);
  EXPECT_NEAR(static_cast<double>(p.goal()), 120.0 * kMiB, kMiB)
      << "a limit is no target";
}

TEST(gc_memory_limit, no_room_at_all_still_lets_the_program_go_on) {
  gc::Pacer p;
  p.init(100, 0, 1);
  p.end_cycle(all_survive(100 * kMiB));
  p.set_limit(30 * kMiB);
  EXPECT_GT(p.goal(), 100 * kMiB);
  EXPECT_LT(p.goal(), 103 * kMiB);
  EXPECT_GT(p.trigger(), 100 * kMiB);
  p.set_external(50 * kMiB);
  EXPECT_GT(p.goal(), 150 * kMiB);
  EXPECT_GE(p.heap_goal(), 100 * kMiB);
}

TEST(gc_memory_limit, auto_is_what_the_cgroup_leaves) {
  CgroupRoot root;
  gc::MemoryLimit limit;
  ASSERT_TRUE(limit.init(kAutoMemoryLimit, root.path()));
  EXPECT_EQ(limit.read(5 * kMiB), gc::MemoryLimit::kNone) << "no limit";
  root.limit(100 * kMiB);
  root.usage(40 * kMiB);
  EXPECT_EQ(limit.read(40 * kMiB), 90 * kMiB);
  EXPECT_EQ(limit.read(10 * kMiB), 60 * kMiB);
  root.limit(50 * kMiB);
  EXPECT_EQ(limit.read(10 * kMiB), 15 * kMiB) << "read again";
  EXPECT_EQ(limit.bytes(), 15 * kMiB);
  EXPECT_EQ(limit.set(7), kAutoMemoryLimit);
  EXPECT_EQ(limit.read(10 * kMiB), 7u);
  limit.set(kNoMemoryLimit);
  EXPECT_EQ(limit.read(10 * kMiB), gc::MemoryLimit::kNone);
  const std::string longest(300, 'x');
  EXPECT_FALSE(limit.init(kAutoMemoryLimit, longest.c_str()));
}

/// A ring of `kept` bytes live; the rest is garbage.
class Churn {
 public:
  Churn(GcAlone& gc, size_t kept) : gc_(gc), cells_(kept / kCell) {
    LayoutSpec spec;
    spec.name = "Churn";
    spec.tail = LayoutSpec::Tail::kNoscan;
    layout_ = gc.layout(spec);
    spec = {};
    spec.name = "Ring";
    spec.tail = LayoutSpec::Tail::kPointers;
    ring_layout_ = gc.layout(spec);
    Scope<1> scope(gc.mu());
    Local<Field<char>> ring(
        scope, make_array<Field<char>>(gc.mu(), ring_layout_, cells_));
    ring_ = Global<Field<char>>(gc.mu(), ring.get());
  }

  uint64_t worst = 0;  ///< Stats::memory_bytes

  void allocate_bytes(size_t bytes) {
    for (size_t i = 0; i < bytes / kCell; ++i) {
      auto* cell = static_cast<char*>(allocate(gc_.mu(), layout_, kCell));
      ring_.get()[i % cells_].store(gc_.mu(), cell);
      if (i % 64 != 0) continue;
      Stats s{};
      gc_.collector().stats(&s);
      if (s.memory_bytes > worst) worst = s.memory_bytes;
    }
  }
  Stats stats() {
    Stats s{};
    gc_.collector().stats(&s);
    return s;
  }

 private:
  static constexpr size_t kCell = 1024;
  GcAlone& gc_;
  size_t cells_;
  LayoutId layout_;
  LayoutId ring_layout_;
  Global<Field<char>> ring_;
};

gc::CollectorOptions with_percent(int percent) {
  gc::CollectorOptions o;
  o.gc_percent = percent;
  return o;
}

TEST(gc_memory_limit, a_heap_keeps_to_it) {
  for (int percent : {400, -1}) {
    GcAlone gc(with_percent(percent));
    Churn churn(gc, 16 * kMiB);
    churn.allocate_bytes(32 * kMiB);  // and the goal is 80 MiB, or none
    gc.collector().set_memory_limit(48 * kMiB);
    churn.allocate_bytes(64 * kMiB);  // what is over it goes back by and by
    churn.worst = 0;
    churn.allocate_bytes(400 * kMiB);
    EXPECT_LE(churn.worst, 48 * kMiB) << percent;
    EXPECT_GE(churn.worst, 36 * kMiB) << "room is used; percent " << percent;
    EXPECT_EQ(churn.stats().memory_limit_bytes, 48 * kMiB);
    EXPECT_EQ(gc.collector().set_memory_limit(kNoMemoryLimit), 48 * kMiB);
    const uint64_t before = churn.stats().cycles;
    churn.allocate_bytes(40 * kMiB);
    EXPECT_LE(churn.stats().cycles - before, 1u) << "no limit, few cycles";
    EXPECT_EQ(churn.stats().memory_limit_bytes, UINT64_MAX);
  }
}

TEST(gc_memory_limit, free_pages_go_back_before_the_limit_is_passed) {
  GcAlone gc(with_percent(-1));
  Churn churn(gc, kMiB);
  churn.allocate_bytes(60 * kMiB);
  gc.collect();  // 60 MiB free, in pieces of 64 KiB at most
  gc.collector().set_memory_limit(80 * kMiB);
  LayoutSpec spec;
  spec.name = "Large";
  spec.tail = LayoutSpec::Tail::kNoscan;
  const LayoutId layout = gc.layout(spec);
  // Too long for a hole: fresh pages, so as many others go back.
  const uint64_t returned = churn.stats().heap_returned_bytes;
  ASSERT_NE(allocate(gc.mu(), layout, 70 * kMiB), nullptr);
  EXPECT_LE(churn.stats().memory_bytes, 80 * kMiB + kMiB);
  EXPECT_GT(churn.stats().heap_returned_bytes, returned);
}

TEST(gc_memory_limit, external_bytes_count) {
  GcAlone gc(with_percent(-1));
  gc.collector().set_memory_limit(64 * kMiB);
  Churn churn(gc, 4 * kMiB);
  churn.allocate_bytes(40 * kMiB);
  const uint64_t without = churn.stats().cycles;
  adjust_external(gc.runtime(), static_cast<int64_t>(40 * kMiB));
  gc.collect();
  churn.allocate_bytes(40 * kMiB);
  churn.worst = 0;
  churn.allocate_bytes(60 * kMiB);
  EXPECT_GE(churn.stats().cycles, without + 6);
  EXPECT_LE(churn.worst, 64 * kMiB);
}

TEST(gc_memory_limit, external_bytes_are_ours_in_a_cgroup) {
  CgroupRoot root;
  root.limit(1000 * kMiB);
  root.usage(400 * kMiB);
  gc::CollectorOptions o = with_percent(100);
  o.memory_limit_bytes = kAutoMemoryLimit;
  o.cgroup_root = root.path();
  GcAlone gc(o);
  Stats s{};
  gc.collector().stats(&s);
  const uint64_t before = s.memory_limit_bytes;
  adjust_external(gc.runtime(), static_cast<int64_t>(300 * kMiB));
  gc.collect();
  gc.collector().stats(&s);
  EXPECT_NEAR(static_cast<double>(s.memory_limit_bytes),
              static_cast<double>(before + 300 * kMiB), 2.0 * kMiB);
}

// Between the end of the mark and that of the sweep the heap is full of dead
// cells, which are not to be taken for what the limit has lost.
TEST(gc_memory_limit, the_goal_does_not_fall_while_cells_wait_for_the_sweep) {
  GcAlone gc(with_percent(100));
  Churn churn(gc, 30 * kMiB);
  gc.collector().set_memory_limit(90 * kMiB);
  uint64_t least = UINT64_MAX;
  churn.allocate_bytes(100 * kMiB);
  for (int i = 0; i < 400; ++i) {
    churn.allocate_bytes(kMiB / 2);
    const Stats s = churn.stats();
    if (s.heap_goal_bytes < least) least = s.heap_goal_bytes;
  }
  EXPECT_GE(least, 55 * kMiB) << "twice the live bytes are within the limit";
}

TEST(gc_memory_limit, two_runtimes_share_a_cgroup) {
  CgroupRoot root;
  root.limit(100 * kMiB);  // 90 for both
  gc::CollectorOptions o = with_percent(-1);
  o.memory_limit_bytes = kAutoMemoryLimit;
  o.cgroup_root = root.path();
  GcAlone one(o);
  GcAlone two(o);
  Churn first(one, 8 * kMiB);
  Churn second(two, 8 * kMiB);
  uint64_t worst = 0;
  auto both = [&] {
    return first.stats().memory_bytes + second.stats().memory_bytes;
  };
  for (int i = 0; i < 200; ++i) {
    // The kernel would say so at once.
    root.usage(both());
    first.allocate_bytes(2 * kMiB);
    root.usage(both());
    if (i >= 50) second.allocate_bytes(2 * kMiB);
    if (both() > worst) worst = both();
  }
  EXPECT_LE(worst, 100 * kMiB);
  EXPECT_GE(worst, 70 * kMiB) << "what is there is used";
  EXPECT_GT(second.stats().cycles, 0u);
  const uint64_t less = first.stats().memory_limit_bytes;
  EXPECT_LT(less, 85 * kMiB) << "the other takes its part";
}

}  // namespace
}  // namespace tricolor::testing
