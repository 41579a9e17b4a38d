// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// try_allocate() by a function of the library that has a Scope open. The
// callback of an allocation profile may throw, and our frames have no
// destructors that an unwinder would run (base/call_then.h): whatever leaves
// the call finds the shadow stack as it was outside.
#ifndef TRICOLOR_GC_ALLOCATE_IN_SCOPE_H_
#define TRICOLOR_GC_ALLOCATE_IN_SCOPE_H_

#include "base/call_then.h"
#include "tricolor/allocate.h"
#include "tricolor/local.h"

namespace tricolor::gc {

/// `outside`: from before the caller's Scope. Null as of try_allocate().
inline void* try_allocate_in_scope(Mutator& mu, ScopeMark outside,
                                   LayoutId layout, size_t bytes) {
  struct Call {
    Mutator& mu;
    ScopeMark outside;
    LayoutId layout;
    size_t bytes;
    void* cell;
    bool returned;
  } call{mu, outside, layout, bytes, nullptr, false};
  tri_base_call_then(
      [](void* arg) {
        auto* c = static_cast<Call*>(arg);
        c->cell = tricolor::try_allocate(c->mu, c->layout, c->bytes);
        c->returned = true;
      },
      [](void* arg) {
        auto* c = static_cast<Call*>(arg);
        if (!c->returned) scope_reset(c->mu, c->outside);
      },
      &call);
  return call.cell;
}

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_ALLOCATE_IN_SCOPE_H_
