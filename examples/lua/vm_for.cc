// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What execute() needs besides its instructions: varargs, tail calls, closures,
// list constructors, and generic loops without calls; see vm_frame.h.
//
// A loop over next(t) keeps, in place of the function, the position it has
// reached, as an internal value (kIterBase + position): no lookup of the last
// key, no call. A loop over ipairs(t) of a table is recognised at each step by
// its iterator function.
#include <algorithm>

#include "load.h"
#include "vm_frame.h"

namespace tlua {

void prepare_varargs(State& L, int params) {
  Frame* frame = L.frame;
  auto nargs = static_cast<int>(frame->extra_args);
  frame->extra_args = 0;
  if (nargs <= params) return;
  const Proto* p = L.stack()[frame->func].as_closure()->proto.load();
  uint32_t old_base = frame->base;
  L.top = L.stack() + old_base + nargs;
  ensure_stack(L, p->max_stack);
  Value* from = L.stack() + old_base;
  Value* to = from + nargs;
  for (int i = 0; i < params; ++i) {
    to[i] = from[i];
    from[i] = Value::nil();
  }
  for (int i = params; i < p->max_stack; ++i) to[i] = Value::nil();
  frame->extra_args = static_cast<uint32_t>(nargs - params);
  frame->base = old_base + static_cast<uint32_t>(nargs);
  take_top(L, frame);
}

void get_varargs(State& L, uint32_t a, int wanted) {
  Frame* frame = L.frame;
  auto have = static_cast<int>(frame->extra_args);
  bool all = wanted < 0;
  if (all) {
    wanted = have;
    L.top = L.stack() + frame->base + a;
    ensure_stack(L, static_cast<size_t>(have) + 1);
  }
  Value* to = L.stack() + L.frame->base + a;
  const Value* from = L.stack() + L.frame->base - have;
  int i = 0;
  for (; i < have && i < wanted; ++i) to[i] = from[i];
  for (; i < wanted; ++i) to[i] = Value::nil();
  if (all) L.top = to + wanted;
}

void replace_frame(State& L, Value* ra, int nargs) {
  Frame* frame = L.frame;
  const Proto* p = ra->as_closure()->proto.load();
  Value* to = L.stack() + frame->func;
  for (int i = 0; i <= nargs; ++i) to[i] = ra[i];
  L.top = to + 1 + nargs;
  if (nargs < p->max_stack) {
    ensure_stack(L, static_cast<size_t>(p->max_stack - nargs));
  }
  Value* base = L.stack() + frame->func + 1;
  for (int i = nargs; i < p->param_count; ++i) base[i] = Value::nil();
  frame->base = frame->func + 1;
  frame->extra_args = static_cast<uint32_t>(nargs);
  frame->pc = p->code.load();
  frame->flags |= kFrameTail;
  take_top(L, frame);
}

void make_closure(State& L, uint32_t a, uint32_t child) {
  const Frame* frame = L.frame;
  const Closure* outer = L.stack()[frame->func].as_closure();
  Proto* p = outer->proto.load()->children.load()[child].load();
  Closure* c = new_closure(L, p, p->upvalue_count);
  L.stack()[frame->base + a] = Value::of(c);
  const uint32_t* descs = p->upvalues.load();
  for (uint32_t i = 0; i < p->upvalue_count; ++i) {
    uint32_t index = descs[i] & 0xff;
    Upvalue* u = (descs[i] & 256) != 0 ? find_upvalue(L, frame->base + index)
                                       : outer->upvalues[index].load();
    c->upvalues[i].init(mutator(L), u);
  }
}

void set_list(State& L, Value* ra, int n, uint32_t first) {
  Table* t = ra->as_table();
  uint32_t at = index_of(L, ra);
  uint64_t last = uint64_t{first} + static_cast<uint64_t>(n);
  if (last > t->array_size) {
    L.top = ra + 1 + n;
    resize(L, t, last, node_count(t));
  }
  ra = L.stack() + at;
  Mutator& mu = mutator(L);
  ValueSlot* array = t->array.load();
  for (int i = 1; i <= n; ++i) {
    array[first + static_cast<uint32_t>(i) - 1].store(mu, ra[i]);
  }
  if (last > t->array_used) {
    t->array_used = static_cast<uint32_t>(last);
    trim_array(L, t);
  }
}

void for_in_prepare(State& L, Value* ra) {
  if (same_bits(ra[0], L.g->next_function) && ra[1].is_table() &&
      ra[2].is_nil()) {
    ra[0] = {kIterBase};
  }
}

bool for_in_step(State& L, Value* ra, int vars) {
  Value fn = ra[0];
  if (fn.tag() == kTagMisc && fn.bits >= kIterBase) {
    uint64_t position = fn.bits - kIterBase;
    Value key, v;
    if (next_entry(L, ra[1].as_table(), &position, &key, &v)) {
      ra[0] = {kIterBase + position};
      ra[3] = key;
      if (vars > 1) ra[4] = v;
      for (int i = 2; i < vars; ++i) ra[3 + i] = Value::nil();
    } else {
      ra[3] = Value::nil();
    }
    return true;
  }
  if (!same_bits(fn, L.g->ipairs_iterator) || !ra[1].is_table() ||
      !ra[2].is_small_int()) {
    return false;
  }
  const Table* t = ra[1].as_table();
  int64_t at = ra[2].as_small_int() + 1;
  Value v = get_integer(t, at);
  if (v.is_nil() && t->meta.load() != nullptr) return false;
  ra[3] = v.is_nil() ? v : Value::small_int(at);
  if (vars > 1) ra[4] = v;
  for (int i = 2; i < vars; ++i) ra[3 + i] = Value::nil();
  return true;
}

}  // namespace tlua
