// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// clobberfree=2: what is free keeps a pattern until it is used again, so that a
// write through a stale pointer, or past the end of a neighbour, is found with
// its address, and not as damage to whoever gets the cell next.
//
// Invariant while HeapOptions::check_free is set: each word of a free cell (its
// mark byte is 0) and of a free page is 0, as the OS and a taken run leave it,
// or the pattern, as sweep, release and whoever frees pages do. Looked at by
// who takes a run, a released cell or dirty pages for an object, and by
// verify_heap().
//
// The words may be poisoned for AddressSanitizer, hence the loops.
#include "base/check.h"
#include "heap/heap.h"

namespace tricolor::heap {

namespace {

constexpr uint64_t kDead = 0xdbdb'dbdb'dbdb'dbdb;

TRI_NOINLINE TRI_NO_SANITIZE_ADDRESS TRI_NO_SANITIZE_THREAD void fill(
    char* at, size_t bytes) {
  auto* words = reinterpret_cast<uint64_t*>(at);
  for (size_t i = 0; i < bytes / 8; ++i) {
    __atomic_store_n(&words[i], kDead, __ATOMIC_RELAXED);
  }
}

/// The first word that is neither; n: none.
TRI_NOINLINE TRI_NO_SANITIZE_ADDRESS TRI_NO_SANITIZE_THREAD size_t
find_written(const uint64_t* words, size_t n, uint64_t* found) {
  for (size_t i = 0; i < n; ++i) {
    *found = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
    if (*found != 0 && *found != kDead) return i;
  }
  return n;
}

}  // namespace

void Heap::clobber_free(char* at, size_t bytes) {
  if (TRI_UNLIKELY(options_.check_free)) fill(at, bytes);
}

void Heap::check_free_slow(const char* at, size_t bytes, size_t skip,
                           const char* what) const {
  uint64_t found = 0;
  const auto* words = reinterpret_cast<const uint64_t*>(at + skip);
  const size_t n = (bytes - skip) / 8;
  const size_t i = find_written(words, n, &found);
  if (i == n) return;
  TRI_FATAL(
      "clobberfree: %s at %p (%zu bytes) was written to while it was free: the "
      "word at offset %zu is 0x%llx. A store through a stale pointer, or past "
      "the end of another cell",
      what, static_cast<const void*>(at), bytes, skip + i * 8,
      static_cast<unsigned long long>(found));
}

void Heap::check_free_cells_stw(const Span* span) const {
  if (!options_.check_free || span->state != SpanState::kSmall) return;
  const char* start = space_.page_address(span->first_page);
  for (size_t i = 0; i < span->cells; ++i) {
    const char* cell = start + i * span->cell_bytes;
    if (base::load_relaxed(space_.mark_of(space_.offset_of(cell))) != 0) {
      continue;
    }
    check_free_slow(cell, span->cell_bytes, 0, "the free cell");
  }
}

}  // namespace tricolor::heap
