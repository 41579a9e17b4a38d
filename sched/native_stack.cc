// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See sched/native_stack.h.
#include "sched/native_stack.h"

#include "base/check.h"
#include "sched/tls.h"

namespace tricolor::sched {
namespace {

stacks::StackBounds stack_of(const G* g) {
  if (g->kind == GKind::kAttached) return g->m->stack;
  if (g->stack == nullptr) return {};
  return {g->stack->lo, g->stack->top()};
}

const char* first_frame(const G* g, const stacks::StackBounds& stack,
                        const char* here) {
  // ORDER-frames-1: pairs with with_frames(): sees the registers pushed there.
  const char* frames = g->frames.load_acquire();
  if (frames != nullptr) return frames;
  if (stack.contains(here)) return here;
  if (TRI_UNLIKELY(g->kind == GKind::kAttached)) {
    TRI_MISUSE("Options::conservative_stacks",
               "an attached thread runs managed code on a stack that is not "
               "its own and not a task's: it cannot be scanned");
  }
  return static_cast<const char*>(g->fiber.context.sp);
}

const char* round_down(const char* p) {
  return reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(p) &
                                       ~uintptr_t{7});
}

}  // namespace

void find_thread_stack(M* m) {
  if (!scans_native_stacks(m->rt)) return;
  for (uint64_t& word : m->spilled) word = 0;
  const auto* here = static_cast<char*>(__builtin_frame_address(0));
  // Inside a task of another runtime: on that task's stack.
  for (const M* outer = m->outer; outer != nullptr; outer = outer->outer) {
    if (outer->curg != nullptr && is_on_stack(outer->curg, here)) {
      m->stack = stack_of(outer->curg);
      return;
    }
  }
  m->stack = stacks::thread_stack_bounds();
  if (!m->stack.contains(here)) {
    TRI_MISUSE("Options::conservative_stacks",
               "run, step or AttachScope is called on a stack that is not the "
               "thread's own and not a task's: it cannot be scanned");
  }
}

bool is_on_stack(const G* g, const char* here) {
  return stack_of(g).contains(here);
}

void save_frame(G* g, const stacks::SpillFrame* frame) {
  if (!scans_native_stacks(g->rt)) return;
  for (size_t i = 0; i < sizeof(frame->registers) / 8; i++) {
    g->m->spilled[i] = frame->registers[i];
  }
  // The frame itself goes; that of the caller stays.
  auto* caller = reinterpret_cast<const char*>(frame + 1);
  // ORDER-frames-1: pairs with first_frame().
  g->frames.store_release(const_cast<char*>(caller));
}

void native_roots(void*, gc::RootOwner* owner, const char* here,
                  gc::NativeRoots* out) {
  G* g = static_cast<G*>(owner);
  const GState state = g_state(g);
  if (state == GState::kDead) {
    out->add(g->result, g->result + 2);
    return;
  }
  if (!scans_native_stacks(g->rt)) {  // async_stopped
    out->add(round_down(g->frames.load_acquire()), round_down(stack_of(g).hi));
    return;
  }
  if (g->plain_chunks != 0) {
    auto* plain = static_cast<char*>(spawned_plain(g));
    out->add(plain, plain + g->plain_chunks * kPlainChunk);
  }
  if (g->kind == GKind::kMain && g->started) {
    out->add(g->main_m->run_frames, round_down(g->main_m->stack.hi));
  }
  const stacks::StackBounds stack = stack_of(g);
  if (stack.hi == nullptr) return;  // it has not begun
  const char* from = round_down(first_frame(g, stack, here));
  TRI_CHECK(from >= stack.lo && from <= stack.hi,
            "G %u: frames at %p, but its stack is [%p, %p)", g->index,
            static_cast<const void*>(from), static_cast<void*>(stack.lo),
            static_cast<void*>(stack.hi));
  out->add(from, round_down(stack.hi));
  // Bound to its M, which runs nobody else meanwhile.
  if (state == GState::kNative) {
    out->add(g->m->spilled, g->m->spilled + 6);
  }
}

}  // namespace tricolor::sched
