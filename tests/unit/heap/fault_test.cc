// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The OS refuses: at every call in turn, while a heap is made and while it
// grows. A refusal comes back as an error or a null, and nothing is lost.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "base/os_memory.h"
#include "tests/support/heap_alone.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;

/// Fails the nth call of a kind (from 0), or every one from it on.
struct FailAt {
  base::OsCall kind;
  int at;
  bool onwards = false;
  int seen = 0;
  int failed = 0;
  static bool fail(void* ctx, base::OsCall call, size_t) {
    auto* self = static_cast<FailAt*>(ctx);
    if (call != self->kind) return false;
    int n = self->seen++;
    bool now = n == self->at || (self->onwards && n > self->at);
    self->failed += now ? 1 : 0;
    return now;
  }
  base::OsFaultHook hook() { return {&fail, this}; }
};

size_t mapped_kib() {
  size_t pages = 0;
  std::FILE* f = std::fopen("/proc/self/statm", "r");
  if (f == nullptr || std::fscanf(f, "%zu", &pages) != 1) pages = 0;
  if (f != nullptr) std::fclose(f);
  return pages * 4;
}

Heap* create(base::MetaArena* meta, Error* error) {
  HeapOptions options;
  options.reservation_bytes = size_t{128} << 20;
  return Heap::create(meta, options, error);
}

TEST(heap_fault, creation_survives_each_refused_mapping) {
  bool done = false;
  int refused = 0;
  for (int at = 0; !done; ++at) {
    ASSERT_LT(at, 100);
    base::MetaArena meta;
    Error error;
    FailAt fault{base::OsCall::kMmap, at};
    base::OsFaultHook hook = fault.hook();
    Heap* heap;
    {
      base::OsFaultScope scope(hook);
      heap = create(&meta, &error);
    }
    done = fault.failed == 0;
    if (heap == nullptr) {
      ++refused;
      EXPECT_EQ(error.code, ErrorCode::kOutOfMemory);
      EXPECT_NE(error.text[0], '\0');
      continue;
    }
    // A refused reservation was halved.
    MCache cache;
    heap->mcache_init(&cache);
    heap->mcache_destroy(&cache);
    heap->destroy();
  }
  EXPECT_GE(refused, 4) << "tables that have no fallback";
}

TEST(heap_fault, a_refused_heap_leaves_no_mapping) {
  // Warm up what libc and the sanitizers map once.
  for (int at = 0; at < 2; ++at) {
    size_t before = mapped_kib();
    for (int i = 0; i < 12; ++i) {
      base::MetaArena meta;
      Error error;
      FailAt fault{base::OsCall::kMmap, i};
      base::OsFaultHook hook = fault.hook();
      base::OsFaultScope scope(hook);
      Heap* heap = create(&meta, &error);
      if (heap != nullptr) heap->destroy();
    }
    if (at == 1 && !TRI_ASAN && !TRI_TSAN) {
      EXPECT_EQ(mapped_kib(), before);
    }
  }
}

TEST(heap_fault, an_mcache_survives_each_refused_mapping) {
  HeapAlone heap;
  const LayoutId layout = heap.layout("First");
  void* cell = heap.allocate(layout, 64);  // commits some heap
  int refused = 0;
  for (base::OsCall call : {base::OsCall::kMmap, base::OsCall::kMprotect}) {
    for (int at = 0; at < 4; ++at) {
      tricolor::testing::TestMutator m(&heap.heap());
      {
        FailAt fault{call, at};
        base::OsFaultHook hook = fault.hook();
        base::OsFaultScope scope(hook);
        if (try_allocate(m.mu, layout, 64) == nullptr) {
          ++refused;
          EXPECT_EQ(m.cache.slots, nullptr);
          EXPECT_EQ(m.mu.slots, heap->empty_slots());
        }
      }
      EXPECT_NE(try_allocate(m.mu, layout, 64), nullptr);
      EXPECT_EQ(m.mu.slots, m.cache.slots);
    }
  }
  // Each of three tables; and a reservation that cannot do without its guard.
  EXPECT_EQ(refused, base::os_address_space_is_limited() ? 4 : 3);
  // A P that never allocated may release.
  tricolor::testing::TestMutator m(&heap.heap());
  FailAt fault{base::OsCall::kMmap, 0, true};
  base::OsFaultHook hook = fault.hook();
  {
    base::OsFaultScope scope(hook);
    EXPECT_FALSE(heap->release(&m.mu, cell)) << "left to the sweep";
  }
  EXPECT_TRUE(heap->release(&m.mu, cell));
}

TEST(heap_fault, a_layout_without_room_is_refused) {
  HeapAlone heap;
  tricolor::testing::TestMutator& second = heap.add_mutator();
  LayoutSpec spec;
  spec.name = "Room";
  spec.tail = LayoutSpec::Tail::kNoscan;
  spec.distinct = true;
  LayoutId last = heap.layout(spec);
  heap.allocate(last, 16);
  ASSERT_NE(try_allocate(second.mu, last, 16), nullptr);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    // All steps of the first attempt, then one of the second, and so on.
    FailAt fault{base::OsCall::kMprotect, i % 8, true};
    base::OsFaultHook hook = fault.hook();
    base::OsFaultScope scope(hook);
    Error error;
    LayoutId id = heap->layouts().add(spec, 0, &error);
    if (id == kInvalidLayout) {
      ++refused;
      EXPECT_EQ(error.code, ErrorCode::kOutOfMemory);
      EXPECT_NE(std::strstr(error.text, "no memory for its"), nullptr);
      continue;
    }
    last = id;
  }
  EXPECT_GT(refused, 0);
  last = heap.layout(spec);
  for (size_t bytes = 16; bytes <= 32768; bytes *= 2) {
    EXPECT_NE(heap.allocate(last, bytes), nullptr);
    EXPECT_NE(try_allocate(second.mu, last, bytes), nullptr);
  }
}

// One refusal costs the tables their guard, and no more.
TEST(heap_fault, a_slot_table_does_without_most_of_its_guard) {
  HeapAlone heap;
  const LayoutId layout = heap.layout("Guarded");
  heap.allocate(layout, 16);
  const size_t whole = heap.cache().tables_reserved;
  tricolor::testing::TestMutator m(&heap.heap());
  {
    FailAt fault{base::OsCall::kMmap, 0};
    base::OsFaultHook hook = fault.hook();
    base::OsFaultScope scope(hook);
    const bool made = try_allocate(m.mu, layout, 16) != nullptr;
    EXPECT_EQ(made, !base::os_address_space_is_limited());
  }
  ASSERT_NE(try_allocate(m.mu, layout, 16), nullptr);
  if (!base::os_address_space_is_limited()) {
    EXPECT_GT(whole, size_t{128} << 20);
    EXPECT_LT(m.cache.tables_reserved, whole);
  }
  EXPECT_DEATH(m.cache.slots[kSlotCount] = {}, "");
}

TEST(heap_fault, growth_survives_each_refused_commit) {
  // One refusal is made good by asking for less; all of them give null. Each
  // commit is several calls (four tables and the heap), after the three for the
  // P's own tables.
  for (bool onwards : {false, true}) {
    for (int at = 0; at < 10; ++at) {
      SCOPED_TRACE(std::to_string(at) + (onwards ? " and all after" : ""));
      HeapAlone heap;
      LayoutId layout = heap.layout("Grow");
      FailAt fault{base::OsCall::kMprotect, at + 3, onwards};
      void* last = nullptr;
      int cells = 0;
      {
        base::OsFaultHook hook = fault.hook();
        base::OsFaultScope scope(hook);
        // Two growths' worth.
        for (; cells < 600; ++cells) {
          void* p = heap.try_allocate(layout, 16 << 10);
          if (p == nullptr) break;
          last = p;
        }
      }
      EXPECT_GT(fault.failed, 0);
      heap->validate_stw(true);
      if (onwards) {
        EXPECT_LT(cells, 600);
        EXPECT_EQ(at < 5, last == nullptr);
      } else {
        EXPECT_EQ(cells, 600);
      }
      // The OS agrees again: everything goes on, with the whole space.
      for (int i = 0; i < 2000; ++i) {
        auto* p = static_cast<char*>(heap.try_allocate(layout, 16 << 10));
        ASSERT_NE(p, nullptr);
        std::memset(p, 0x11, 64);
      }
      ASSERT_NE(heap.try_allocate(layout, size_t{64} << 20), nullptr);
      heap.collect({});
      EXPECT_EQ(heap->pages_in_use(), 0u);
    }
  }
}

TEST(heap_fault, large_and_manual_survive_refused_commits) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Large");
  for (int at = 0; at < 4; ++at) {
    FailAt fault{base::OsCall::kMprotect, at, /*onwards=*/true};
    base::OsFaultHook hook = fault.hook();
    base::OsFaultScope scope(hook);
    EXPECT_EQ(heap.try_allocate(layout, size_t{10} << 20), nullptr);
    fault.seen = 0;
    EXPECT_EQ(heap->alloc_manual(size_t{10} << 20), nullptr);
    EXPECT_EQ(heap->pages_in_use(), 0u);
  }
  EXPECT_NE(heap.try_allocate(layout, size_t{10} << 20), nullptr);
}

TEST(heap_fault, refused_advice_is_no_failure) {
  FailAt fault{base::OsCall::kMadvise, 0, /*onwards=*/true};
  base::OsFaultHook hook = fault.hook();
  base::OsFaultScope scope(hook);
  HeapAlone heap;
  EXPECT_NE(heap.try_allocate(heap.layout("Advice"), 16), nullptr);
  EXPECT_GT(fault.failed, 0);
}

}  // namespace
}  // namespace tricolor::heap
