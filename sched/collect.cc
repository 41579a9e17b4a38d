// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Runtime::collect(): a forced collection from wherever the caller is.
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
    detail::enter_managed(*mu);
    tricolor::collect(*mu);
    detail::leave_managed(*mu);
    return;
  }
  AttachScope attach(*this);
  ManagedScope managed(attach);
  tricolor::collect(managed.mutator());
}

}  // namespace tricolor
