// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// External bytes (tricolor/external.h). They are added wherever the heap's live
// bytes meet the pacer: trigger, assist ratio, proportional sweep. The goal is
// computed at the end of marking with what is held then, the belongings of the
// dead included, and again when the sweep is over and on_dead has given those
// back; else one cycle too late would be the rule.
#include "tricolor/external.h"

#include "gc/collector_impl.h"
#include "gc/runtime_base.h"
#include "heap/callback.h"

namespace tricolor {

namespace gc {

namespace {
constexpr int64_t kExternalStep = 64 * 1024;
}

void CollectorImpl::add_external(int64_t delta) {
  int64_t old = external_.load_relaxed();
  int64_t sum;
  do {
    if (__builtin_add_overflow(old, delta, &sum)) {
      sum = delta < 0 ? INT64_MIN : INT64_MAX;
    }
  } while (!external_.compare_exchange_weak_relaxed(old, sum));
}

void CollectorImpl::adjust_external(tri_mutator* mu, int64_t delta) {
  ProcGc* p = proc_of(mu);
  if (delta > 0) heap::check_no_callback(p, "adjust_external");
  add_external(delta);
  if (delta <= 0 || p->in_collector) return;
  int64_t grown = p->external_grown;
  if (__builtin_add_overflow(grown, delta, &grown)) grown = delta;
  if (grown < kExternalStep) {
    p->external_grown = grown;
    return;
  }
  p->external_grown = 0;
  before_refill(mu, static_cast<size_t>(grown), /*object=*/false);
}

}  // namespace gc

void adjust_external(Mutator& mu, int64_t delta) {
  if (TRI_UNLIKELY(mu.p == nullptr)) gc::misuse_in_native("adjust_external");
  gc::proc_of(&mu)->collector->impl()->adjust_external(&mu, delta);
}

void adjust_external(Runtime& rt, int64_t delta) {
  gc::CollectorImpl* c = gc::runtime_base(rt)->collector->impl();
  c->add_external(delta);
}

uint64_t external_bytes(const Runtime& rt) {
  return gc::runtime_base(rt)->collector->impl()->reported();
}

}  // namespace tricolor
