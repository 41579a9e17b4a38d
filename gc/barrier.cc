// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The hybrid barrier's buffer. A shade appends to the P's buffer; a full buffer
// is marked at once. The inline test and the store around it are in
// tricolor/field.h; no safepoint lies between them, so the buffer belongs to
// the P that the test was made for. The rules, their argument and their model:
// docs/design/0011-barrier.md, tests/model/barrier.pml.
#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/runtime_base.h"

namespace tricolor::gc {

void CollectorImpl::flush_barrier(ProcGc* p) {
  p->worker.shade_all(p->barrier_buffer, p->barrier_count);
  p->barrier_count = 0;
}

void CollectorImpl::shade_from_mutator(ProcGc* p, void* cell) {
  if (TRI_UNLIKELY(options.test_drop_barrier != 0) &&
      barriers_.fetch_add_relaxed(1) % options.test_drop_barrier == 0) {
    return;  // the planted bug that gccheckmark has to find
  }
  if (p->barrier_count == p->barrier_limit) flush_barrier(p);
  p->barrier_buffer[p->barrier_count++] = cell;
}

}  // namespace tricolor::gc

// The states of tests/model/barrier.pml.
static_assert(TRI_BARRIER_OFF == 0 && TRI_BARRIER_GREY == 1 &&
              TRI_BARRIER_BLACK == 2);

extern "C" void tri_detail_shade_pair(tri_mutator* mu, void* old_cell,
                                      void* new_cell) {
  if (TRI_UNLIKELY(mu->p == nullptr)) {
    tricolor::gc::misuse_in_native("a store of a managed pointer");
  }
  tricolor::gc::ProcGc* p = tricolor::gc::proc_of(mu);
  if (TRI_UNLIKELY(p->audits != 0)) {
    p->collector->impl()->auditor.note_store(old_cell, new_cell);
    if (p->barrier_on == 0) return;  // every store comes here: gc/audit.h
  }
  // Most values are null or already black: one look at the mark byte, with what
  // the P's worker keeps at hand.
  if (p->worker.is_white(old_cell)) {
    p->collector->impl()->shade_from_mutator(p, old_cell);
  }
  // A black G has nothing that is not marked in the end, whoever stores it.
  if (mu->barrier_on != TRI_BARRIER_BLACK && p->worker.is_white(new_cell)) {
    p->collector->impl()->shade_from_mutator(p, new_cell);
  }
}
