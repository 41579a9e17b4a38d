// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Runtime calls that may come from anywhere but need a P: by a task or thread
// of the runtime as it is, from native code by coming back for the call, by
// anybody else attached for it.
#ifndef TRICOLOR_SCHED_MANAGED_CALL_H_
#define TRICOLOR_SCHED_MANAGED_CALL_H_

#include "heap/callback.h"
#include "sched/runtime.h"
#include "tricolor/thread.h"

namespace tricolor::sched {

/// Calls f(mu) in managed code of `rt`. False, without having called it, if the
/// thread had to be attached and could not.
template <class F>
bool call_managed(Runtime& rt, const char* call, F f) {
  Mutator* mu = current();
  if (mu == nullptr || &runtime_of(*mu) != &rt) {
    Error error;
    AttachScope attach(rt, &error);
    if (!attach.ok()) return false;
    ManagedScope managed(attach);
    f(managed.mutator());
  } else if (mu->p != nullptr) {
    heap::check_no_callback(p_of(mu), call);
    f(*mu);
  } else {
    tri_enter_managed(mu);
    f(*mu);
    tri_leave_managed(mu);
  }
  return true;
}

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_MANAGED_CALL_H_
