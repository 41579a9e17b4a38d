// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Part of execute() (vm.cc): loads, upvalues, tables and closures. Included
// there and nowhere else, hence no include guard.

CASE(Move) {
  RA = RB;
  NEXT();
}
CASE(LoadI) {
  RA = Value::small_int(sbx_of(i));
  NEXT();
}
CASE(LoadF) {
  RA = Value::raw_double(sbx_of(i));
  NEXT();
}
CASE(LoadK) {
  RA = k[bx_of(i)];
  NEXT();
}
CASE(LoadKX) {
  RA = k[*pc++];
  NEXT();
}
CASE(LoadNil) {
  Value* ra = &RA;
  for (uint32_t n = b_of(i) + 1; n > 0; --n) *ra++ = Value::nil();
  NEXT();
}
CASE(LoadFalse) {
  RA = Value::boolean(false);
  NEXT();
}
CASE(LFalseSkip) {
  RA = Value::boolean(false);
  ++pc;
  NEXT();
}
CASE(LoadTrue) {
  RA = Value::boolean(true);
  NEXT();
}

CASE(GetUpval) {
  RA = get_upvalue(cl->upvalues[b_of(i)].load());
  NEXT();
}
CASE(SetUpval) {
  set_upvalue(L, cl->upvalues[b_of(i)].load(), RA);
  NEXT();
}

CASE(GetTabUp) {
  Value object = get_upvalue(cl->upvalues[b_of(i)].load());
  Value v;
  if (TLUA_LIKELY(get_const_fast(object, KC, &v))) {
    RA = v;
    NEXT();
  }
  SLOW(index(L, object, KC));
}
CASE(GetTable) {
  Value v;
  if (TLUA_LIKELY(get_any_fast(RB, RC, &v))) {
    RA = v;
    NEXT();
  }
  SLOW(index(L, RB, RC));
}
CASE(GetI) {
  Value v;
  if (TLUA_LIKELY(get_small_fast(RB, c_of(i), &v))) {
    RA = v;
    NEXT();
  }
  SLOW(index(L, RB, Value::small_int(c_of(i))));
}
CASE(GetField) {
  Value v;
  if (TLUA_LIKELY(get_const_fast(RB, KC, &v))) {
    RA = v;
    NEXT();
  }
  SLOW(index(L, RB, KC));
}
CASE(Self) {
  Value object = RB;
  Value key = KC;
  base[a_of(i) + 1] = object;
  Value v;
  if (TLUA_LIKELY(get_const_fast(object, key, &v))) {
    RA = v;
    NEXT();
  }
  SLOW(index(L, object, key));
}
CASE(SelfR) {
  Value object = RB;
  Value key = RC;
  RA = key;  // keeps it alive while index() runs
  base[a_of(i) + 1] = object;
  SLOW(index(L, object, key));
}

#define SET_SLOW(object, key, v) \
  do {                           \
    SAVE();                      \
    set_slow(L, object, key, v); \
    RELOAD();                    \
    NEXT();                      \
  } while (0)
#define SETTERS(name, value)                                                 \
  CASE(SetTabUp##name) {                                                     \
    Value object = get_upvalue(cl->upvalues[a_of(i)].load());                \
    if (TLUA_LIKELY(set_const_fast(mu, object, KB, value))) NEXT();          \
    SET_SLOW(object, KB, value);                                             \
  }                                                                          \
  CASE(SetTable##name) {                                                     \
    Value key = RB;                                                          \
    uint64_t at = static_cast<uint64_t>(key.as_small_int()) - 1;             \
    if (TLUA_LIKELY(key.is_small_int() && set_at_fast(mu, RA, at, value))) { \
      NEXT();                                                                \
    }                                                                        \
    SET_SLOW(RA, key, value);                                                \
  }                                                                          \
  CASE(SetI##name) {                                                         \
    uint32_t key = b_of(i);                                                  \
    if (TLUA_LIKELY(set_at_fast(mu, RA, uint64_t{key} - 1, value))) {        \
      NEXT();                                                                \
    }                                                                        \
    SET_SLOW(RA, Value::small_int(key), value);                              \
  }                                                                          \
  CASE(SetField##name) {                                                     \
    if (TLUA_LIKELY(set_const_fast(mu, RA, KB, value))) NEXT();              \
    SET_SLOW(RA, KB, value);                                                 \
  }
SETTERS(, RC)
SETTERS(K, KC)
#undef SETTERS
#undef SET_SLOW

CASE(NewTable) {
  uint32_t array = *pc++;
  SAVE();
  Table* t = new_table(L);
  RA = Value::of(t);
  uint32_t log = b_of(i);
  if ((array | log) != 0) {
    init_table(L, t, array, log == 0 ? 0 : size_t{1} << (log - 1));
  }
  RELOAD();
  NEXT();
}
CASE(SetList) {
  uint32_t first = *pc++;
  Value* ra = &RA;
  auto n = static_cast<int>(b_of(i));
  if (n == 0) n = static_cast<int>(L.top - ra) - 1;
  SAVE();
  set_list(L, ra, n, first);
  RELOAD();
  restore_top(L, frame, nullptr);
  NEXT();
}

CASE(MakeClosure) {
  SAVE();
  make_closure(L, a_of(i), bx_of(i));
  RELOAD();
  NEXT();
}
CASE(Close) {
  close_upvalues(L, frame->base + a_of(i));
  NEXT();
}
CASE(Vararg) {
  SAVE();
  get_varargs(L, a_of(i), static_cast<int>(c_of(i)) - 1);
  RELOAD();
  NEXT();
}
CASE(VarargPrep) {
  SAVE();
  prepare_varargs(L, static_cast<int>(a_of(i)));
  RELOAD();
  NEXT();
}
