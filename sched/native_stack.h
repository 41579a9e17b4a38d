// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Which words of a G's native stack are roots (Options::conservative_stacks):
// from where its frames begin up to the stack's base. Called at the places
// where a G stops running but stays on its stack, and by the collector through
// World::native_roots.
//
// Where the frames of a G begin:
//
//   switched away (queued, parked,     its context's sp: the switch has pushed
//   suspended)                         the callee-saved registers there
//   stopped, native, parked on its     G::frames, set before the state says so:
//   own thread, has resumed a          a frame that lasts as long as the state,
//   coroutine                          with the registers in it or in
//   M::spilled running, and scans itself          the scan's own spill_call
//
// async_stopped                         G::frames, whatever its state: see
//                                       sched/async.h
//
// G::frames is null in all other states. The owner writes it: before it leaves
// kRunning, back to null when it is kRunning again, when nobody may read it;
// and once while it is kNative, in leave_native_current(), from one such place
// to another, both of which are right.
//
// A task that has not begun holds its plain arguments, one that has ended its
// result; main, beside its own stack, that of the thread inside run(), which
// waits there.
//
// Threads: with_frames on the G itself; native_roots as in gc/world.h.
#ifndef TRICOLOR_SCHED_NATIVE_STACK_H_
#define TRICOLOR_SCHED_NATIVE_STACK_H_

#include "gc/conservative.h"
#include "sched/runtime.h"
#include "stacks/spill.h"

namespace tricolor::sched {

inline bool scans_native_stacks(const RuntimeImpl* rt) {
  return TRI_UNLIKELY(rt->settings.options.conservative_stacks);
}

/// Finds out on which stack the calling thread is: for m->stack. To be called
/// when the thread becomes an M that others may scan, after push_m().
void find_thread_stack(M* m);

/// World::native_roots.
void native_roots(void* ctx, gc::RootOwner* owner, const char* here,
                  gc::NativeRoots* out);

/// Whether `here`, an address in the caller's frame, is on g's stack.
bool is_on_stack(const G* g, const char* here);

/// The frames of g begin here as long as f() runs, which changes its state.
template <class F>
inline void with_frames(G* g, F&& f) {
  if (TRI_LIKELY(!scans_native_stacks(g->rt))) {
    f();
    return;
  }
  stacks::spill_call([&](char* sp) {
    char* outer = g->frames.load_relaxed();
    // ORDER-frames-1: pairs with native_roots(): the registers come first.
    g->frames.store_release(sp);
    f();
    // ORDER-frames-1: as above.
    g->frames.store_release(outer);
  });
}

/// The same for the G on `p`, if there is one and it is the caller: it may also
/// be about to be switched to.
template <class F>
inline void with_frames_on(P* p, F&& f) {
  G* g = p->curg.load_relaxed();
  const auto* here = static_cast<char*>(__builtin_frame_address(0));
  if (g != nullptr && scans_native_stacks(p->rt) && is_on_stack(g, here)) {
    with_frames(g, f);
  } else {
    f();
  }
}

/// `g` goes native in its caller's function, whose registers are in `frame`.
void save_frame(G* g, const stacks::SpillFrame* frame);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_NATIVE_STACK_H_
