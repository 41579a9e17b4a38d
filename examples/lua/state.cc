// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The stack of a thread and the making of states and threads; see state.h.
#include "state.h"

#include <algorithm>

#include "call.h"
#include "lib.h"
#include "string.h"
#include "table.h"

namespace tlua {

namespace {

/// Words kept for message handlers that run on a full stack.
constexpr size_t kHandlerWords = 1000;
constexpr uint32_t kStackColours = 16;
constexpr uint32_t kColourWords = 8;  // a cache line
/// Words a slow extension adds beyond need, so that it is rare.
constexpr size_t kExtraWords = 16;

void set_push_limit(State& L) {
  L.push_limit = reinterpret_cast<Value*>(L.vs->limit) - kHandlerWords;
}

/// Whether `words` more fit; may move the stack.
bool reserve_words(State& L, size_t words) {
  const auto top = L.top - L.stack();
  const char* old_base = reinterpret_cast<char*>(L.vs->base);
  if (!tri::reserve_no_safepoint(mutator(L), words)) return false;
  ptrdiff_t moved = reinterpret_cast<char*>(L.vs->base) - old_base;
  if (moved != 0) move_upvalues(L, moved);
  set_push_limit(L);
  L.top = L.stack() + top;
  return true;
}

}  // namespace

void grow_top_slow(State& L, size_t n) {
  auto have = static_cast<size_t>(reinterpret_cast<Value*>(L.vs->top) - L.top);
  size_t missing = have < n ? n - have : 0;
  size_t reserved = L.in_handler ? 0 : kHandlerWords;
  size_t extended = missing + kExtraWords;
  if (!reserve_words(L, extended + reserved)) {
    extended = missing;
    if (!reserve_words(L, extended + reserved)) {
      if (L.in_handler) throw_unhandled(L, kRootHandlingError);
      // The message needs a few words itself; they are in the reserve.
      bool outer = L.in_handler;
      L.in_handler = true;
      ensure_stack(L, 32);
      L.in_handler = outer;
      run_error(L, "stack overflow");
    }
  }
  auto* from = reinterpret_cast<Value*>(L.vs->top);
  for (size_t i = 0; i < extended; ++i) from[i] = Value::nil();
  L.vs->top += extended;
}

Value box_integer(State& L, int64_t i) {
  auto* box = tri::make(mutator(L), L.g->universe.boxed_int);
  box->value = i;
  return Value::of(box);
}

State* new_thread(Mutator& mu, Globals& g) {
  State* thread = tri::make(mu, g.universe.thread);
  thread->kind = ObjectKind::kThread;
  thread->status = ThreadStatus::kSuspended;
  thread->g = &g;
  thread->error.init(mu, Value::nil());
  for (ValueSlot& slot : thread->transfer) slot.init(mu, Value::nil());
  return thread;
}

bool start_thread(State& L, Mutator& mu, size_t stack_bytes,
                  size_t native_bytes) {
  L.mu = &mu;
  mu.user = &L;
  tri::ValueStackOptions options;
  options.encoding = L.g->universe.encoding;
  options.initial_bytes = kFirstStackBytes;
  options.limit_bytes = stack_bytes;
  L.vs = tri::mount_value_stack(mu, options);
  if (L.vs == nullptr) return false;
  char* here = static_cast<char*>(__builtin_frame_address(0));
  L.native_limit = here - (native_bytes - kNativeReserveBytes);
  L.status = ThreadStatus::kRunning;
  L.started = true;
  L.top = L.stack();
  set_push_limit(L);
  // Stacks begin at page boundaries: without a colour all of them would
  // compete for the same sets of the cache.
  uint32_t colour = (L.g->threads++ % kStackColours) * kColourWords;
  ensure_stack(L, colour + 8);
  L.top += colour;
  *L.top++ = Value::nil();  // the function of the lowest frame
  grow_frames(L);
  L.frame->func = colour;
  L.frame->base = colour + 1;
  return true;
}

namespace {

void fill_roots(State& L) {
  Globals& g = *L.g;
  Mutator& mu = mutator(L);
  for (size_t root : {kRootInterned, kRootGlobalTable, kRootTasks}) {
    g.roots.set(mu, root, Value::of(new_table(L)));
  }
  for (size_t i = 0; i < kMetaCount; ++i) {
    g.meta_names[i] = intern(L, kMetaNames[i]);
    g.roots.set(mu, kRootMeta0 + i, Value::of(g.meta_names[i]));
  }
  for (size_t i = 0; i < kTypeCount; ++i) {
    g.roots.set(mu, kRootType0 + i, Value::of(intern(L, kTypeNames[i])));
  }
  for (size_t c = 0; c < 256; ++c) {
    auto byte = static_cast<char>(c);
    g.roots.set(mu, kRootChar0 + c, Value::of(intern(L, {&byte, 1})));
  }
  g.roots.set(mu, kRootMemoryError, Value::of(intern(L, "not enough memory")));
  g.roots.set(mu, kRootHandlingError,
              Value::of(intern(L, "error in error handling")));
}

}  // namespace

State* open_state(Globals& g, Mutator& mu, size_t native_bytes) {
  State* thread = new_thread(mu, g);
  g.main = thread;
  g.roots.set(mu, kRootMainThread, Value::of(thread));
  if (!start_thread(*thread, mu, kMainStackBytes, native_bytes)) {
    return nullptr;
  }
  State& L = *thread;
  fill_roots(L);
  open_base(L);
  open_collect(L);
  open_coroutine(L);
  open_io(L);
  open_math(L);
  open_os(L);
  open_string(L);
  open_table(L);
  open_task(L);
  open_utf8(L);
  return thread;
}

void close_state(State& L) { join_all_tasks(L); }

}  // namespace tlua
