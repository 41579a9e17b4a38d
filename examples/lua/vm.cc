// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// execute(): the interpreter loop. The common case of each instruction is done
// here, everything else in the functions of vm.h.
//
// Registers of the loop: `frame` (L.frame), `base` (first register), `pc` (next
// instruction), `k` (constants), `cl` (the closure). Before anything that may
// raise an error or reach a safepoint, SAVE() stores pc in the frame; after
// anything that may have moved the stack or the frames, RELOAD() refreshes
// frame and base.
//
// Stack: while a Lua frame runs, L.top is frame->top, except between an
// instruction that leaves "all results" and the one that takes them, where it
// is the end of those. frame->top never lies below the caller's: words that
// were not roots for a while would be stale when they become roots again.
#include "vm.h"
#include "opcodes.h"
#include "vm_arith.h"
#include "vm_frame.h"

#define TLUA_LIKELY(x) __builtin_expect(!!(x), 1)
#define TLUA_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define RA base[a_of(i)]
#define RB base[b_of(i)]
#define RC base[c_of(i)]
#define KB k[b_of(i)]
#define KC k[c_of(i)]

#define SAVE() (frame->pc = pc)
#define RELOAD() (frame = L.frame, base = L.stack() + frame->base)
#define NEXT()               \
  do {                       \
    i = *pc++;               \
    goto* kLabels[i & 0xff]; \
  } while (0)
#define POLL()                                                               \
  do {                                                                       \
    if (TLUA_UNLIKELY(__atomic_load_n(&mu.poll_request, __ATOMIC_RELAXED) != \
                      0)) {                                                  \
      SAVE();                                                                \
      tri::poll(mu);                                                         \
      RELOAD();                                                              \
    }                                                                        \
  } while (0)
/// Stores the result of a slow operation in R[A].
#define SLOW(expr)     \
  do {                 \
    SAVE();            \
    Value r_ = (expr); \
    RELOAD();          \
    RA = r_;           \
    NEXT();            \
  } while (0)
/// The jump that follows a comparison, taken if cond equals `want`.
#define JUMP_IF(cond, want) \
  do {                      \
    if ((cond) == (want)) { \
      pc += sj_of(*pc) + 1; \
    } else {                \
      ++pc;                 \
    }                       \
    NEXT();                 \
  } while (0)

namespace tlua {

namespace {

/// `[key]` of a table without metamethods in the way; false: ask index().
TLUA_INLINE bool get_const_fast(Value object, Value key, Value* out) {
  if (TLUA_UNLIKELY(!object.is_table())) return false;
  const Table* t = object.as_table();
  const String* s = key.as_string();
  const Node* n = t->nodes.load() + (s->hash & t->node_mask);
  if (TLUA_LIKELY(same_bits(n->key.load(), key))) {
    *out = n->value.load();
  } else {
    *out = get_string(t, s);
  }
  return TLUA_LIKELY(!out->is_nil()) || t->meta.load() == nullptr;
}

TLUA_INLINE bool get_any_fast(Value object, Value key, Value* out) {
  if (TLUA_UNLIKELY(!object.is_table())) return false;
  const Table* t = object.as_table();
  uint64_t at = static_cast<uint64_t>(key.as_small_int()) - 1;
  if (TLUA_LIKELY(key.is_small_int() && at < t->array_used)) {
    *out = t->array.load()[at].load();
  } else if (key.is_string()) {
    *out = get_string(t, key.as_string());
  } else {
    *out = get(t, key);
  }
  return !out->is_nil() || t->meta.load() == nullptr;
}

TLUA_INLINE bool get_small_fast(Value object, uint32_t key, Value* out) {
  if (TLUA_UNLIKELY(!object.is_table())) return false;
  const Table* t = object.as_table();
  *out = TLUA_LIKELY(key - 1 < t->array_used) ? t->array.load()[key - 1].load()
                                              : get_integer(t, key);
  return !out->is_nil() || t->meta.load() == nullptr;
}

/// Overwrites a field that is there; false: nothing done.
TLUA_INLINE bool set_const_fast(Mutator& mu, Value object, Value key, Value v) {
  if (TLUA_UNLIKELY(!object.is_table())) return false;
  Table* t = object.as_table();
  const String* s = key.as_string();
  Node* n = t->nodes.load() + (s->hash & t->node_mask);
  ValueSlot* slot = TLUA_LIKELY(same_bits(n->key.load(), key))
                        ? &n->value
                        : find_string(t, s);
  if (TLUA_UNLIKELY(slot == nullptr || slot->load().is_nil())) return false;
  slot->store(mu, v);
  return true;
}

TLUA_INLINE bool set_at_fast(Mutator& mu, Value object, uint64_t at, Value v) {
  if (TLUA_UNLIKELY(!object.is_table())) return false;
  Table* t = object.as_table();
  if (TLUA_UNLIKELY(at >= t->array_used || v.is_nil())) return false;
  ValueSlot* slot = &t->array.load()[at];
  if (slot->load().is_nil() && t->meta.load() != nullptr) return false;
  slot->store(mu, v);
  return true;
}

/// The rest of an assignment: no metatable means no metamethod.
void set_slow(State& L, Value object, Value key, Value v) {
  if (object.is_table() && object.as_table()->meta.load() == nullptr) {
    return set(L, object.as_table(), key, v);
  }
  set_index(L, object, key, v);
}

TLUA_INLINE bool equal_fast(State& L, Value a, Value b) {
  if (same_bits(a, b) && !a.is_double()) return true;
  if (a.is_table() && b.is_table()) return equal(L, a, b);
  return raw_equal(a, b) || (a.is_object() && equal(L, a, b));
}

}  // namespace

void execute(State& L) {
#define TLUA_LABEL(name) &&op_##name,
  static const void* const kLabels[256] = {TLUA_OPCODES(TLUA_LABEL)};
#undef TLUA_LABEL
  Mutator& mu = mutator(L);
  Frame* frame = L.frame;
  Value* base;
  const Instr* pc;
  const Value* k;
  Closure* cl;
  Instr i;
  Value* results;  // of a return, and how many
  int count;

resume:
  cl = L.stack()[frame->func].as_closure();
  k = constants_of(cl->proto.load());
  base = L.stack() + frame->base;
  pc = frame->pc;
  NEXT();

#define CASE(name) op_##name:
#include "vm_ops_arith.h"
#include "vm_ops_call.h"
#include "vm_ops_data.h"
#undef CASE
}

}  // namespace tlua
