// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Collections asked for from wherever the caller is, and forbidden.
#include "base/check.h"
#include "sched/runtime.h"
#include "sched/sysmon.h"
#include "tricolor/gc.h"
#include "tricolor/runtime.h"
#include "tricolor/thread.h"

namespace tricolor {

void Runtime::collect() {
  Mutator* mu = current();
  if (mu != nullptr && &runtime_of(*mu) == this && mu->p != nullptr) {
    tricolor::collect(*mu);
    return;
  }
  if (mu != nullptr && &runtime_of(*mu) == this) {
    // In native code of this runtime: come back for the call.
    tri_enter_managed(mu);
    tricolor::collect(*mu);
    tri_leave_managed(mu);
    return;
  }
  AttachScope attach(*this);
  ManagedScope managed(attach);
  tricolor::collect(managed.mutator());
}

void request_collect(Runtime& api) {
  RuntimeImpl* rt = impl_of(api);
  rt->collector->ask_for_cycle();
  sched::wake_p(rt);
  sched::wake_sysmon(rt);  // for the time when no P can be had now
}

namespace detail {

void gc_disable(Runtime& rt) { impl_of(rt)->collector->suspend(+1); }

void gc_enable(Runtime& api) {
  RuntimeImpl* rt = impl_of(api);
  if (!rt->collector->suspend(-1)) {
    TRI_MISUSE("tri_gc_enable", "more often than tri_gc_disable");
  }
  // What was put off is due now, and so may be a cycle for its age.
  if (rt->collector->has_work()) sched::wake_p(rt);
  sched::wake_sysmon(rt);
}

}  // namespace detail
}  // namespace tricolor
