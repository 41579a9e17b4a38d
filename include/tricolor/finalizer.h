// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Finalizers: a function that is called once with a cell that has died, and
// with all that hangs off it: the cell is resurrected for the call. Afterwards
// it is a cell like any other; the finalizer may store it somewhere, and may
// register it again.
//
// A cell that the collector finds dead goes to the runtime's queue. Nothing in
// the queue is ever called by itself: a task, the embedder's loop or whoever
// likes drains it (run_finalizers, or take_finalizable for a loop of one's
// own), so a finalizer runs where its locks and thread suit it, and may
// allocate, suspend, register, collect. Cells of a cycle are all finalized; the
// order among those that one collection found is that of their registration, or
// the reverse (set_finalizer_order), whoever refers to whom.
//
// Short weak references (Weak, LayoutSpec::Strength::kWeak) are cleared before
// a finalizer sees their target; LongWeak, kLongWeak and ephemeron keys stay.
//
// Source of the idea: guardians (Dybvig, Bruggeman, Eby, PLDI 1993), and
// bdwgc's GC_invoke_finalizers.
#ifndef TRICOLOR_FINALIZER_H_
#define TRICOLOR_FINALIZER_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/gc.h"
#include "tricolor/local.h"

namespace tricolor {

class Runtime;

/// `object` is rooted by the caller during the call.
using FinalizerFn = void (*)(Mutator& mu, void* object, void* data);

/// What is to be called. `object` is not rooted by this.
struct Finalizable {
  void* object;
  FinalizerFn fn;
  void* data;
};

/// Among those that one collection found.
enum class FinalizerOrder : uint8_t {
  kOldestFirst,  ///< in order of registration
  kNewestFirst,  ///< in reverse, as Lua's __gc
};

/// Has fn(mu, object, data) called when `object`, the start of a cell, has
/// died. `data` is the embedder's word, not a managed pointer. A second
/// registration takes the place of the first and the turn of a new one. False:
/// no memory, nothing is registered. Neither collects nor suspends.
bool try_add_finalizer(Mutator& mu, void* object, FinalizerFn fn,
                       void* data = nullptr);
/// The same; without memory as `make` (Options::on_out_of_memory).
void add_finalizer(Mutator& mu, void* object, FinalizerFn fn,
                   void* data = nullptr);
/// Whether there was one, not yet in the queue; it will not be called.
bool cancel_finalizer(Mutator& mu, const void* object);
/// Whether one is registered, and not yet in the queue.
bool has_finalizer(Mutator& mu, const void* object);

/// The next one of the queue, which leaves it; false: it is empty. Root
/// out->object before the next safepoint. Neither collects nor suspends.
bool take_finalizable(Mutator& mu, Finalizable* out);
/// How many wait in the queue. Any thread.
size_t finalizers_queued(const Runtime& rt);
/// Any thread; counts from the next collection on.
void set_finalizer_order(Runtime& rt, FinalizerOrder order);

/// Calls what is in the queue now, at most `most`; how many. What comes in
/// meanwhile is left for the next call. What a finalizer throws goes through,
/// and the rest stays in the queue.
inline size_t run_finalizers(Mutator& mu, size_t most = SIZE_MAX) {
  const size_t queued =
      finalizers_queued(*reinterpret_cast<const Runtime*>(mu.runtime));
  if (most > queued) most = queued;
  size_t n = 0;
  Finalizable next;
  while (n < most && take_finalizable(mu, &next)) {
    Scope<1> scope(mu);
    *scope.take() = next.object;
    ++n;
    next.fn(mu, next.object, next.data);
  }
  return n;
}

/// Collects and runs finalizers until a collection finds none, at most `rounds`
/// times: for the end of a program, whose finalizers may make garbage with
/// finalizers. How many it called.
inline size_t finalize_all(Mutator& mu, size_t rounds = 16) {
  size_t n = 0;
  for (size_t i = 0; i < rounds; ++i) {
    collect(mu);
    const size_t ran = run_finalizers(mu);
    n += ran;
    if (ran == 0) break;
  }
  return n;
}

}  // namespace tricolor

#endif  // TRICOLOR_FINALIZER_H_
