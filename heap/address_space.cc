// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/address_space.h.
#include "heap/address_space.h"

#include <cerrno>
#include <cstdio>

#include "base/check.h"
#include "base/macros.h"
#include "base/os_memory.h"

namespace tricolor::heap {

namespace {

size_t default_reservation() {
  size_t memory = base::os_memory_limit_bytes();
  size_t want = memory > kReserveMax / 8 ? kReserveMax : memory * 8;
  size_t bytes = kReserveMin;
  while (bytes < want) bytes *= 2;
  return bytes > kReserveMax ? kReserveMax : bytes;
}

constexpr size_t kIdBytesPerPage =
    (kPageBytes >> kSideIdShift) * sizeof(uint16_t);

size_t round_up(size_t n, size_t to) { return (n + to - 1) & ~(to - 1); }
size_t round_down(size_t n, size_t to) { return n & ~(to - 1); }

/// At least the minimum, at most 16 TiB: page numbers have 32 bits.
size_t clamp_reservation(size_t bytes) {
  constexpr size_t kMost = size_t{1} << 44;
  if (bytes < kReserveMin) return kReserveMin;
  return bytes > kMost ? kMost : round_up(bytes, kGrowBytes);
}

/// Tables are committed in units of kPageBytes, so they end on one.
size_t table_bytes(size_t pages, size_t per_page) {
  return round_up(pages * per_page, kPageBytes);
}

/// Reserved for cells by every heap of the process. Relaxed everywhere: a stale
/// value only makes the next default a little too large.
base::Atomic<size_t> g_reserved{0};

/// A default reservation, or less. Halving on refusal alone would let 500
/// runtimes take the whole address space, the last few of them in ever smaller
/// pieces, and leave none for the next one, nor for a thread's stack. So it is
/// at most a 256th of what heaps have not taken yet of half the address space:
/// 256 GiB for the first, 5 GiB for the 1,000th, and the least there is from
/// the 2,100th on.
size_t fair_share(size_t bytes) {
  // ThreadSanitizer leaves a program 1.5 TiB up there.
  constexpr size_t kAllHeaps = size_t{1} << (TRI_TSAN ? 40 : 46);
  constexpr size_t kShare = 256;
  const size_t taken = g_reserved.load_relaxed();
  const size_t rest = taken < kAllHeaps ? kAllHeaps - taken : 0;
  if (bytes > rest / kShare) bytes = round_down(rest / kShare, kGrowBytes);
  return bytes < kReserveMin ? kReserveMin : bytes;
}

}  // namespace

bool AddressSpace::reserve(size_t bytes, size_t room) {
  base_ = static_cast<char*>(base::os_reserve(bytes, kGrowBytes));
  if (base_ == nullptr) return false;
  reserved_ = bytes;
  g_reserved.fetch_add_relaxed(bytes);
  if (reserve_tables()) {
    // As one piece, and a limit on addresses does not ask where they are.
    void* rest = room == 0 ? nullptr : base::os_reserve(room, kPageBytes);
    if (rest != nullptr) base::os_release(rest, room);
    if (room == 0 || rest != nullptr) return true;
  }
  destroy();
  return false;
}

bool AddressSpace::init(size_t bytes, HugePages huge_pages, Error* error,
                        const AddressRoom& room) {
  huge_pages_ = huge_pages;
  const bool limited = base::os_address_space_is_limited();
  size_t want =
      bytes == 0 ? fair_share(default_reservation()) : clamp_reservation(bytes);
  for (size_t n = want;; n = clamp_reservation(n / 2)) {
    // As many Ps as may allocate, but at least two thirds are for cells.
    size_t rest = room.all < n / 2 ? room.all : n / 2;
    if (rest < room.least) rest = room.least;
    if (reserve(n, limited ? rest : 0)) return true;
    if (n == kReserveMin) break;
  }
  if (error != nullptr) {
    error->code = ErrorCode::kOutOfMemory;
    size_t n = static_cast<size_t>(std::snprintf(
        error->text, sizeof(error->text),
        "cannot reserve %zu bytes of address space for the heap, nor any half "
        "of it down to %zu",
        want, kReserveMin));
    if (n > sizeof(error->text)) n = sizeof(error->text);
    std::snprintf(error->text + n, sizeof(error->text) - n,
                  limited ? ", and %zu for what allocates from it; raise "
                            "RLIMIT_AS (ulimit -v)"
                          : "; RLIMIT_AS (ulimit -v) is not set, so look at "
                            "vm.max_map_count and what else has reserved",
                  room.least);
  }
  return false;
}

bool AddressSpace::reserve_tables() {
  size_t pages = reserved_ >> kPageShift;
  marks_ = static_cast<uint8_t*>(
      base::os_reserve(reserved_ >> kGranuleShift, kGrowBytes));
  entries_ = static_cast<PageEntry*>(
      base::os_reserve(table_bytes(pages, sizeof(PageEntry)), kPageBytes));
  spans_ = static_cast<Span*>(
      base::os_reserve(table_bytes(pages, sizeof(Span)), kPageBytes));
  ids_ = static_cast<uint16_t*>(
      base::os_reserve(table_bytes(pages, kIdBytesPerPage), kPageBytes));
  return marks_ != nullptr && entries_ != nullptr && spans_ != nullptr &&
         ids_ != nullptr;
}

void AddressSpace::destroy() {
  size_t pages = reserved_ >> kPageShift;
  if (base_ != nullptr) {
    base::os_release(base_, reserved_);
    g_reserved.fetch_sub_relaxed(reserved_);
  }
  if (marks_ != nullptr) base::os_release(marks_, reserved_ >> kGranuleShift);
  if (entries_ != nullptr) {
    base::os_release(entries_, table_bytes(pages, sizeof(PageEntry)));
  }
  if (spans_ != nullptr) {
    base::os_release(spans_, table_bytes(pages, sizeof(Span)));
  }
  if (ids_ != nullptr) {
    base::os_release(ids_, table_bytes(pages, kIdBytesPerPage));
  }
  ids_ = nullptr;
  base_ = nullptr;
  marks_ = nullptr;
  entries_ = nullptr;
  spans_ = nullptr;
  reserved_ = 0;
}

void AddressSpace::discard_ids(size_t from, size_t to) {
  static_assert(128 * kIdBytesPerPage % 4096 == 0);
  base::os_discard(reinterpret_cast<char*>(ids_) + from * kIdBytesPerPage,
                   (to - from) * kIdBytesPerPage);
}

bool AddressSpace::commit_range(size_t from, size_t to) {
  auto commit_table = [&](void* table, size_t per_page) {
    size_t lo = round_down((from >> kPageShift) * per_page, kPageBytes);
    size_t hi = round_up((to >> kPageShift) * per_page, kPageBytes);
    return base::os_commit(static_cast<char*>(table) + lo, hi - lo);
  };
  // Tables first: were the last step to fail, a committed table page over
  // uncommitted heap does no harm.
  return commit_table(marks_, kPageBytes >> kGranuleShift) &&
         commit_table(entries_, sizeof(PageEntry)) &&
         commit_table(spans_, sizeof(Span)) &&
         commit_table(ids_, kIdBytesPerPage) &&
         base::os_commit(base_ + from, to - from);
}

// A mark of a large heap misses the TLB at most edges: for the cell, and for
// its mark byte. The tables are dense, so huge pages for them cost nothing; of
// the cells the kernel then also backs what the scavenger has given back, which
// is why these are the embedder's choice (docs/design/0015-marking.md).
void AddressSpace::advise_huge(size_t from, size_t to) {
  if (huge_pages_ == HugePages::kOff) return;
  if (huge_pages_ == HugePages::kAll) {
    base::os_hugepage(base_ + from, to - from);
  } else {
    if (to <= kHugeTablesFrom) return;
    if (from <= kHugeTablesFrom) from = 0;  // all there is, the first time
  }
  auto table = [&](void* start, size_t per_page) {
    const size_t lo = round_down((from >> kPageShift) * per_page, kPageBytes);
    const size_t hi = round_up((to >> kPageShift) * per_page, kPageBytes);
    base::os_hugepage(static_cast<char*>(start) + lo, hi - lo);
  };
  table(marks_, kPageBytes >> kGranuleShift);
  table(entries_, sizeof(PageEntry));
  table(spans_, sizeof(Span));
}

bool AddressSpace::grow(size_t bytes) {
  size_t from = committed_.load_relaxed();
  // An eighth more than is there keeps the number of calls logarithmic.
  size_t step = round_up(bytes > from / 8 ? bytes : from / 8, kGrowBytes);
  if (step > reserved_ - from) step = reserved_ - from;
  if (step < bytes) return false;
  if (!commit_range(from, from + step)) {
    step = round_up(bytes, kGrowBytes);
    if (step > reserved_ - from || !commit_range(from, from + step)) {
      return false;
    }
  }
  advise_huge(from, from + step);
  // ORDER-commit-1: pairs with any load of committed_bytes that follows a
  // pointer into the range: the tables are mapped before the bound moves.
  committed_.store_release(from + step);
  return true;
}

}  // namespace tricolor::heap
