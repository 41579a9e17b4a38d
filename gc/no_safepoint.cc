// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// NoSafepointScope, see tricolor/no_safepoint.h. The P remembers that one is
// open where it remembers the embedder's callbacks (heap/callback.h): each
// safepoint asks there. Inline code is made to come to one by what it looks at:
// slots without a run, and a poll word that is set.
//
// A stop waits for the P, so nobody changes what the Mutator has of it.
#include "tricolor/no_safepoint.h"

#include "base/check.h"
#include "gc/proc.h"
#include "heap/callback.h"

bool tri_no_safepoint_begin(tri_mutator* mu) {
  namespace heap = tricolor::heap;
  if (mu->p == nullptr) {
    TRI_MISUSE("NoSafepointScope", "called in native code");
  }
  tricolor::gc::ProcGc* p = tricolor::gc::proc_of(mu);
  if (p->callback != nullptr) return false;
  p->callback = heap::kNoSafepoint;
  heap::hide_slots(p, mu);
  return true;
}

void tri_no_safepoint_end(tri_mutator* mu, bool began) {
  if (!began) return;
  tricolor::gc::ProcGc* p = tricolor::gc::proc_of(mu);
  if (mu->p == nullptr || p->callback != tricolor::heap::kNoSafepoint) {
    TRI_MISUSE("NoSafepointScope",
               "its end is not on the task, or not where it began");
  }
  p->callback = nullptr;
  mu->slots = p->visible;  // the next poll looks for what came meanwhile
}
