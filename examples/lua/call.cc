// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Frames, calls and upvalues; see call.h.
#include "call.h"

#include <algorithm>
#include <cstring>

#include "vm_frame.h"

namespace tlua {

void grow_frames(State& L) {
  auto used = static_cast<uint32_t>(L.frame_end - L.frames.load());
  uint32_t size = used == 0 ? 16 : used * 2;
  auto* frames = static_cast<Frame*>(
      tri::allocate(mutator(L), L.g->universe.bytes, size * sizeof(Frame)));
  Frame* old = L.frames.load();
  if (old != nullptr) std::memcpy(frames, old, used * sizeof(Frame));
  auto at = old == nullptr ? 0 : L.frame - old;
  L.frames.store(mutator(L), frames);
  L.frame = frames + at;
  L.frame_end = frames + size;
}

Value* insert_call_metamethod(State& L, Value* func) {
  Value handler = metamethod(L, *func, Meta::kCall);
  if (handler.is_nil()) call_error(L, *func);
  uint32_t index = index_of(L, func);
  ensure_stack(L, 1);
  func = L.stack() + index;
  for (Value* p = L.top; p > func; --p) *p = p[-1];
  ++L.top;
  *func = handler;
  return func;
}

void call_c(State& L, Value* func, int nargs, int wanted) {
  Frame* frame = push_frame(L);
  frame->pc = nullptr;
  frame->func = index_of(L, func);
  frame->base = frame->func + 1;
  frame->extra_args = 0;
  frame->wanted = static_cast<int16_t>(wanted);
  frame->flags = 0;
  L.top = func + 1 + nargs;
  int n = as_c_function(*func)->fn(L, nargs);
  Value* to = L.stack() + L.frame->func;
  Value* from = L.top - n;
  --L.frame;
  if (wanted < 0) {
    for (int i = 0; i < n; ++i) to[i] = from[i];
    L.top = to + n;
    return;
  }
  int copied = std::min(n, wanted);
  for (int i = 0; i < copied; ++i) to[i] = from[i];
  L.top = to + copied;
  if (copied == wanted) return;
  ensure_stack(L, static_cast<size_t>(wanted - copied));
  for (int i = copied; i < wanted; ++i) *L.top++ = Value::nil();
}

void enter_closure(State& L, Value* func, int nargs, int wanted) {
  Proto* p = func->as_closure()->proto.load();
  uint32_t index = index_of(L, func);
  L.top = func + 1 + nargs;
  if (nargs < p->max_stack) {
    ensure_stack(L, static_cast<size_t>(p->max_stack - nargs));
  }
  Frame* frame = push_frame(L);
  Value* base = L.stack() + index + 1;
  for (int i = nargs; i < p->param_count; ++i) base[i] = Value::nil();
  frame->pc = p->code.load();
  frame->func = index;
  frame->base = index + 1;
  frame->extra_args = static_cast<uint32_t>(nargs);
  frame->wanted = static_cast<int16_t>(wanted);
  frame->flags = kFrameLua;
  take_top(L, frame);
}

namespace {

/// Counts C calls of this thread, and keeps clear of the native stack's end.
/// Message handlers may go a little deeper than what they report on.
void enter_c(State& L) {
  char* here = static_cast<char*>(__builtin_frame_address(0));
  if (L.in_handler) {
    if (L.c_depth >= kMaxCDepth + kHandlerCDepth ||
        here < L.native_limit - kHandlerNativeBytes) {
      throw_unhandled(L, kRootHandlingError);
    }
  } else if (L.c_depth >= kMaxCDepth || here < L.native_limit) {
    run_error(L, "C stack overflow");
  }
  ++L.c_depth;
}

}  // namespace

void call(State& L, int nargs, int wanted) {
  Value* func = L.top - nargs - 1;
  while (!func->is_closure() && !is_c_function(*func)) {
    func = insert_call_metamethod(L, func);
    ++nargs;
  }
  enter_c(L);
  if (func->is_closure()) {
    enter_closure(L, func, nargs, wanted);
    L.frame->flags |= kFrameEntry;
    execute(L);
  } else {
    call_c(L, func, nargs, wanted);
  }
  --L.c_depth;
}

bool protected_call(State& L, int nargs, int wanted, uint32_t handler) {
  auto frame = L.frame - L.frames.load();
  uint32_t func = index_of(L, L.top) - static_cast<uint32_t>(nargs) - 1;
  uint16_t c_depth = L.c_depth;
  uint32_t outer_handler = L.handler;
  L.handler = handler;
  bool ok = true;
  try {
    call(L, nargs, wanted);
  } catch (const LuaError&) {
    ok = false;
  }
  L.handler = outer_handler;
  if (ok) return true;
  L.frame = L.frames.load() + frame;
  L.c_depth = c_depth;
  close_upvalues(L, func);
  L.top = L.stack() + func;
  push(L, L.error.load());
  L.error.store(mutator(L), Value::nil());
  return false;
}

Value call_meta(State& L, Value f, Value a, Value b) {
  ensure_stack(L, 3);
  L.top[0] = f;
  L.top[1] = a;
  L.top[2] = b;
  L.top += 3;
  call(L, 2, 1);
  return *--L.top;
}

// Upvalues -------------------------------------------------------------------

Upvalue* find_upvalue(State& L, uint32_t index) {
  Value* at = L.stack() + index;
  Upvalue* before = nullptr;
  Upvalue* u = L.open.load();
  while (u != nullptr && u->at > at) {
    before = u;
    u = u->next.load();
  }
  if (u != nullptr && u->at == at) return u;
  Mutator& mu = mutator(L);
  Upvalue* fresh = tri::make(mu, L.g->universe.upvalue);
  fresh->owner.init(mu, &L);
  fresh->next.init(mu, u);
  fresh->value.init(mu, Value::nil());
  fresh->at = at;
  if (before == nullptr) {
    L.open.store(mu, fresh);
  } else {
    before->next.store(mu, fresh);
  }
  return fresh;
}

void close_upvalues(Mutator& mu, State& owner, uint32_t index) {
  const Value* level = owner.stack() + index;
  for (Upvalue* u = owner.open.load(); u != nullptr && u->at >= level;
       u = owner.open.load()) {
    u->value.store(mu, *u->at);
    u->at = u->closed_place();
    u->owner.store(mu, nullptr);
    owner.open.store(mu, u->next.load());
  }
}

void move_upvalues(State& L, ptrdiff_t bytes) {
  for (Upvalue* u = L.open.load(); u != nullptr; u = u->next.load()) {
    u->at = reinterpret_cast<Value*>(reinterpret_cast<char*>(u->at) + bytes);
  }
}

}  // namespace tlua
