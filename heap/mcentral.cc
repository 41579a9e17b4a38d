// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/mcentral.h.
#include "heap/mcentral.h"

#include "base/check.h"
#include "heap/address_space.h"

namespace tricolor::heap {

void MCentral::push(AddressSpace& space, Span* span, bool full) {
  base::LockGuard guard(lock_);
  TRI_ASSERT(span->state == SpanState::kSmall ||
             span->state == SpanState::kLarge);
  TRI_ASSERT(span->home != SpanHome::kListed, "span %u is listed",
             span->first_page);
  List* list = &lists_[index(span->sweepgen.load_relaxed(), full)];
  span->next = list->head;
  span->prev = 0;
  if (list->head != 0) space.span(list->head)->prev = span->first_page;
  list->head = span->first_page;
  span->home = SpanHome::kListed;
}

Span* MCentral::pop_locked(AddressSpace& space, List* list) {
  if (list->head == 0) return nullptr;
  Span* span = space.span(list->head);
  TRI_ASSERT(span->home == SpanHome::kListed);
  list->head = span->next;
  if (span->next != 0) space.span(span->next)->prev = 0;
  span->next = 0;
  return span;
}

Span* MCentral::pop_partial_swept(AddressSpace& space, uint32_t sweepgen) {
  base::LockGuard guard(lock_);
  Span* span = pop_locked(space, &lists_[index(sweepgen, false)]);
  if (span != nullptr) {
    TRI_ASSERT(span->sweepgen.load_relaxed() == sweepgen);
    span->home = SpanHome::kCached;
  }
  return span;
}

Span* MCentral::pop_unswept(AddressSpace& space, uint32_t sweepgen) {
  base::LockGuard guard(lock_);
  Span* span = pop_locked(space, &lists_[index(sweepgen - 2, false)]);
  if (span == nullptr) {
    span = pop_locked(space, &lists_[index(sweepgen - 2, true)]);
  }
  if (span != nullptr) {
    TRI_ASSERT(span->sweepgen.load_relaxed() == sweepgen - 2);
    span->sweepgen.store_relaxed(sweepgen - 1);
    span->home = SpanHome::kSweeping;
  }
  return span;
}

}  // namespace tricolor::heap
