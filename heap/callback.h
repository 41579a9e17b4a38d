// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The embedder's callbacks that run in the middle of something: of a walk, with
// the world stopped; of an allocation, with a cell that nobody has rooted. What
// is a safepoint, or changes the heap, is no call for them. The P remembers
// that one is running, and each such call asks here; misuse that went on would
// hang or damage the heap without a word.
//
// Invariant: MCache::callback is null unless the holder of the P is inside the
// callback; also after one that has thrown (longjmp is not for callbacks).
//
// Threads: the holder of the P.
#ifndef TRICOLOR_HEAP_CALLBACK_H_
#define TRICOLOR_HEAP_CALLBACK_H_

#include "base/call_then.h"
#include "base/check.h"
#include "heap/heap.h"

namespace tricolor::heap {

/// MCache::callback in a NoSafepointScope, which is no callback: what changes
/// the heap without a safepoint is free there.
inline constexpr char kNoSafepoint[] = "a NoSafepointScope";

[[noreturn]] TRI_NOINLINE inline void misuse_in_callback(const char* call,
                                                         const char* callback) {
  if (callback == kNoSafepoint) {
    TRI_MISUSE(
        call,
        "called in a NoSafepointScope, though it may collect or suspend; "
        "end the scope before, and root what it held");
  }
  TRI_MISUSE(call,
             "called from %s, which may read cells but not allocate, release, "
             "resize, collect, walk, poll or suspend; note down what is to be "
             "done and do it afterwards",
             callback);
}

/// For the calls that a callback may not make.
inline void check_no_callback(const MCache* mc, const char* call) {
  if (TRI_LIKELY(mc->callback == nullptr)) return;
  misuse_in_callback(call, mc->callback);
}

/// For those among them that are no safepoints.
inline void check_no_outer_code(const MCache* mc, const char* call) {
  if (TRI_LIKELY(mc->callback == nullptr || mc->callback == kNoSafepoint)) {
    return;
  }
  misuse_in_callback(call, mc->callback);
}

/// Sends what is inline to where the calls above are: slots without a run, and
/// a poll word that is set. refresh_mutator() shows the slots again. `mu` is
/// the Mutator of the P of `mc`.
inline void hide_slots(const MCache* mc, tri_mutator* mu) {
  mu->slots = mc->heap->empty_slots();
  __atomic_store_n(&mu->poll_request, 1, __ATOMIC_RELAXED);
}

/// Calls f(), which calls the embedder, as callback `what`; then, or when it
/// throws, undo(). The slots are the caller's to hide.
template <class F, class Undo>
void run_callback(MCache* mc, const char* what, F f, Undo undo) {
  struct Call {
    MCache* mc;
    const char* outer;
    F* f;
    Undo* undo;
  } call{mc, mc->callback, &f, &undo};
  mc->callback = what;
  tri_base_call_then([](void* arg) { (*static_cast<Call*>(arg)->f)(); },
                     [](void* arg) {
                       auto* c = static_cast<Call*>(arg);
                       c->mc->callback = c->outer;
                       (*c->undo)();
                     },
                     &call);
}

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_CALLBACK_H_
