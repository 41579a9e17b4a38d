// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/mcentral.h.
#include "heap/mcentral.h"

#include "base/check.h"
#include "base/sched_point.h"
#include "heap/address_space.h"

namespace tricolor::heap {

namespace {

uint32_t top_of(uint64_t word) { return static_cast<uint32_t>(word); }

uint64_t with_top(uint64_t word, uint32_t top, uint64_t pushes) {
  return ((word >> 32) + pushes) << 32 | top;
}

}  // namespace

MCentral::Fill MCentral::fill_of(const Span* span) {
  if (span->live == span->cells) return kFull;
  uint32_t quarters = span->live * 4;
  if (quarters <= span->cells * 2) return kHalf;
  return quarters <= span->cells * 3 ? kPartial : kHeld;
}

void MCentral::push(AddressSpace& space, Span* span) {
  TRI_SCHED_POINT(mcentral_push);
  TRI_ASSERT(space.span(span->first_page) == span);
  TRI_ASSERT(span->state == SpanState::kSmall);
  TRI_ASSERT(span->home != SpanHome::kListed, "span %u is listed",
             span->first_page);
  Stack& s = stack(span->sweepgen.load_relaxed(), fill_of(span), span->shard);
  span->home = SpanHome::kListed;
  uint64_t word = s.load_relaxed();
  do {
    span->next.store_relaxed(top_of(word));
    // ORDER-mcentral-1: pairs with pop(): publishes what the holder wrote.
  } while (!s.compare_exchange_weak_release(
      word, with_top(word, span->first_page, 1)));
}

Span* MCentral::pop(AddressSpace& space, Stack& s) {
  TRI_SCHED_POINT(mcentral_pop);
  // ORDER-mcentral-1: pairs with push(): sees the span as it was given up.
  uint64_t word = s.load_acquire();
  for (;;) {
    if (top_of(word) == 0) return nullptr;
    Span* span = space.span(top_of(word));
    // May be stale if somebody else takes the span: then the tag has changed,
    // or the top has, and the exchange fails.
    uint32_t next = span->next.load_relaxed();
    if (s.compare_exchange_weak_acquire(word, with_top(word, next, 0))) {
      TRI_ASSERT(span->home == SpanHome::kListed);
      return span;
    }
  }
}

Span* MCentral::cached(Span* span, uint32_t sweepgen) {
  if (span != nullptr) {
    TRI_ASSERT(span->sweepgen.load_relaxed() == sweepgen);
    span->home = SpanHome::kCached;
  }
  return span;
}

Span* MCentral::pop_swept(AddressSpace& space, uint32_t sweepgen,
                          uint32_t shard) {
  Span* span = pop(space, stack(sweepgen, kHalf, shard));
  if (span == nullptr) span = pop(space, stack(sweepgen, kPartial, shard));
  return cached(span, sweepgen);
}

Span* MCentral::pop_held(AddressSpace& space, uint32_t sweepgen,
                         uint32_t shard) {
  return cached(pop(space, stack(sweepgen, kHeld, shard)), sweepgen);
}

Span* MCentral::pop_unswept(AddressSpace& space, uint32_t sweepgen,
                            uint32_t shard) {
  Span* span = nullptr;
  for (uint32_t fill = kHalf; fill < kFills && span == nullptr; ++fill) {
    span = pop(space, stack(sweepgen - 2, fill, shard));
  }
  if (span != nullptr) {
    TRI_ASSERT(span->sweepgen.load_relaxed() == sweepgen - 2);
    span->sweepgen.store_relaxed(sweepgen - 1);
    span->home = SpanHome::kSweeping;
  }
  return span;
}

}  // namespace tricolor::heap
