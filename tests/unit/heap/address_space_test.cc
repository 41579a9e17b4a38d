// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// heap/address_space.h: the reservation and its side tables, up to the last
// page, and the way down by halves when the OS refuses.
#include "heap/address_space.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "base/os_memory.h"

namespace tricolor::heap {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

struct RefuseAbove {
  size_t bytes;
  int asked = 0;
  static bool fail(void* ctx, base::OsCall call, size_t bytes) {
    auto* self = static_cast<RefuseAbove*>(ctx);
    if (call != base::OsCall::kMmap) return false;
    ++self->asked;
    return bytes > self->bytes;
  }
  base::OsFaultHook hook() { return {&fail, this}; }
};

TEST(heap_address_space, rounds_what_is_asked_for) {
  Error error;
  for (size_t mib : {0, 1, 64, 65, 68, 100}) {
    AddressSpace space;
    ASSERT_TRUE(space.init(mib * kMiB, HugePages::kOff, &error)) << error.text;
    EXPECT_GE(space.reserved_bytes(), mib * kMiB);
    EXPECT_GE(space.reserved_bytes(), kReserveMin);
    EXPECT_EQ(space.reserved_bytes() % kGrowBytes, 0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(space.base()) % kGrowBytes, 0u);
    EXPECT_EQ(space.committed_bytes(), 0u);
    EXPECT_FALSE(space.contains(space.base()));
    space.destroy();
  }
}

// 68 MiB: its tables do not end where a page of ours does.
TEST(heap_address_space, every_page_and_its_table_entries_are_usable) {
  Error error;
  AddressSpace space;
  ASSERT_TRUE(space.init(68 * kMiB, HugePages::kOff, &error));
  int steps = 0;
  while (space.grow(kGrowBytes)) {
    size_t last = space.committed_pages() - 1;
    std::memset(space.page_address(last), 1, kPageBytes);
    std::memset(space.mark_of(last << kPageShift), 1, kPageBytes / 16);
    space.entry(last)->bits.store_relaxed(1);
    space.span(last)->first_page = static_cast<uint32_t>(last);
    ++steps;
  }
  EXPECT_EQ(space.committed_bytes(), space.reserved_bytes());
  EXPECT_GE(steps, 10);
  EXPECT_TRUE(space.contains(space.base() + space.reserved_bytes() - 1));
  EXPECT_FALSE(space.contains(space.base() + space.reserved_bytes()));
  EXPECT_FALSE(space.contains(space.base() - 1));
  space.destroy();
}

TEST(heap_address_space, grows_by_an_eighth_and_refuses_too_much) {
  Error error;
  AddressSpace space;
  ASSERT_TRUE(space.init(256 * kMiB, HugePages::kOff, &error));
  ASSERT_TRUE(space.grow(128 * kMiB));
  ASSERT_TRUE(space.grow(1));
  EXPECT_EQ(space.committed_bytes(), (128 + 16) * kMiB);
  EXPECT_FALSE(space.grow(256 * kMiB));
  EXPECT_EQ(space.committed_bytes(), (128 + 16) * kMiB);
  ASSERT_TRUE(space.grow(112 * kMiB)) << "exactly the rest";
  EXPECT_FALSE(space.grow(1));
  space.destroy();
}

TEST(heap_address_space, halves_until_the_os_agrees) {
  // Alignment and tables ask for a little more than the heap itself.
  for (size_t allowed : {1100, 600, 300, 150, 80}) {
    RefuseAbove refuse{allowed * kMiB};
    base::OsFaultHook hook = refuse.hook();
    base::OsFaultScope scope(hook);
    Error error;
    AddressSpace space;
    ASSERT_TRUE(space.init(1024 * kMiB, HugePages::kOff, &error)) << error.text;
    EXPECT_LE(space.reserved_bytes(), allowed * kMiB);
    EXPECT_GT(space.reserved_bytes() * 2, allowed * kMiB * 3 / 4);
    EXPECT_TRUE(space.grow(kGrowBytes));
    space.destroy();
  }
}

TEST(heap_address_space, odd_sizes_halve_down_to_the_minimum) {
  RefuseAbove refuse{80 * kMiB};
  base::OsFaultHook hook = refuse.hook();
  base::OsFaultScope scope(hook);
  Error error;
  AddressSpace space;
  ASSERT_TRUE(space.init(100 * kMiB, HugePages::kOff, &error)) << error.text;
  EXPECT_EQ(space.reserved_bytes(), kReserveMin);
  space.destroy();
}

/// Whether the mapping that `address` is in has been advised to be huge ("hg"
/// among its flags).
bool is_advised(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto at = reinterpret_cast<uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t from = 0;
    uintptr_t to = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx ", &from, &to) == 2) {
      inside = from <= at && at < to;
    } else if (inside && line.rfind("VmFlags:", 0) == 0) {
      return line.find(" hg") != std::string::npos;
    }
  }
  return false;
}

struct Advised {
  bool cells, marks, entries, spans;
};
Advised advised(const AddressSpace& space, size_t offset) {
  const size_t page = offset >> kPageShift;
  return {is_advised(space.base() + offset), is_advised(space.mark_of(offset)),
          is_advised(space.entry(page)), is_advised(space.span(page))};
}

TEST(heap_address_space, huge_pages) {
  if (!std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled").good()) {
    GTEST_SKIP() << "this kernel has none";
  }
  for (HugePages wanted :
       {HugePages::kOff, HugePages::kTables, HugePages::kAll}) {
    const int what = static_cast<int>(wanted);
    Error error;
    AddressSpace space;
    ASSERT_TRUE(space.init(1024 * kMiB, wanted, &error)) << error.text;
    ASSERT_TRUE(space.grow(64 * kMiB));
    const Advised small = advised(space, 32 * kMiB);
    const bool all = wanted == HugePages::kAll;
    EXPECT_EQ(small.cells, all) << what;
    EXPECT_EQ(small.marks, all) << what;
    ASSERT_TRUE(space.grow(kHugeTablesFrom));
    const bool tables = wanted != HugePages::kOff;
    for (size_t offset : {32 * kMiB, 500 * kMiB}) {
      const Advised now = advised(space, offset);
      EXPECT_EQ(now.cells, all) << what;
      EXPECT_EQ(now.marks, tables) << what << " " << offset;
      EXPECT_EQ(now.entries, tables) << what << " " << offset;
      EXPECT_EQ(now.spans, tables) << what << " " << offset;
    }
    space.destroy();
  }
}

size_t default_bytes() {
  AddressSpace space;
  EXPECT_TRUE(space.init(0, HugePages::kOff, nullptr));
  const size_t bytes = space.reserved_bytes();
  space.destroy();
  return bytes;
}

// So that the last of a thousand runtimes finds room, too.
TEST(heap_address_space, a_default_is_a_share_of_what_heaps_have_left) {
  if (TRI_TSAN) GTEST_SKIP() << "1.5 TiB of address space are all there is";
  constexpr size_t kTiB = size_t{1} << 40;
  const size_t alone = default_bytes();
  std::vector<AddressSpace> others(6);  // up to 96 TiB, more than heaps get
  size_t taken = 0;
  for (AddressSpace& space : others) {
    ASSERT_TRUE(space.init(16 * kTiB, HugePages::kOff, nullptr));
    taken += space.reserved_bytes();
    const size_t rest = taken < 64 * kTiB ? 64 * kTiB - taken : 0;
    size_t most = rest / 256 < kReserveMin ? kReserveMin : rest / 256;
    EXPECT_LE(default_bytes(), most) << taken;
  }
  for (AddressSpace& space : others) space.destroy();
  EXPECT_EQ(default_bytes(), alone) << "given back";
}

TEST(heap_address_space, refused_altogether_is_an_error_with_advice) {
  for (size_t ask : {size_t{0}, size_t{1} << 30, SIZE_MAX}) {
    RefuseAbove refuse{1};
    base::OsFaultHook hook = refuse.hook();
    base::OsFaultScope scope(hook);
    Error error;
    AddressSpace space;
    EXPECT_FALSE(space.init(ask, HugePages::kOff, &error));
    EXPECT_EQ(error.code, ErrorCode::kOutOfMemory);
    EXPECT_NE(std::strstr(error.text, "RLIMIT_AS"), nullptr) << error.text;
    EXPECT_GT(refuse.asked, 0);
    EXPECT_EQ(space.base(), nullptr);
  }
}

}  // namespace
}  // namespace tricolor::heap
