// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Part of execute() (vm.cc): arithmetic, comparison and jumps. Included there
// and nowhere else, hence no include guard.

#define ARITH(name, which)                                           \
  CASE(name) {                                                       \
    if (TLUA_LIKELY(fast_##which<BinaryOp::k##name>(RB, RC, &RA))) { \
      NEXT();                                                        \
    }                                                                \
    SLOW(arith(L, BinaryOp::k##name, RB, RC));                       \
  }                                                                  \
  CASE(name##K) {                                                    \
    if (TLUA_LIKELY(fast_##which<BinaryOp::k##name>(RB, KC, &RA))) { \
      NEXT();                                                        \
    }                                                                \
    SLOW(arith(L, BinaryOp::k##name, RB, KC));                       \
  }
ARITH(Add, arith)
ARITH(Sub, arith)
ARITH(Mul, arith)
ARITH(Mod, arith)
ARITH(Pow, arith)
ARITH(Div, arith)
ARITH(Idiv, arith)
ARITH(Band, bits)
ARITH(Bor, bits)
ARITH(Bxor, bits)
ARITH(Shl, bits)
ARITH(Shr, bits)
#undef ARITH

#define ARITH_IMMEDIATE(name, op)                                    \
  CASE(name) {                                                       \
    Value imm = Value::small_int(sc_of(i));                          \
    if (TLUA_LIKELY(fast_arith<BinaryOp::op>(RB, imm, &RA))) NEXT(); \
    SLOW(arith(L, BinaryOp::op, RB, imm));                           \
  }
ARITH_IMMEDIATE(AddI, kAdd)
ARITH_IMMEDIATE(SubI, kSub)
#undef ARITH_IMMEDIATE

CASE(Unm) {
  Value v = RB;
  if (v.is_double()) {
    RA = Value::raw_double(-v.as_double());
    NEXT();
  }
  SLOW(negate(L, v));
}
CASE(Bnot) { SLOW(bitwise_not(L, RB)); }
CASE(Not) {
  RA = Value::boolean(RB.is_falsy());
  NEXT();
}
CASE(Len) {
  Value v = RB;
  if (v.is_table() && v.as_table()->meta.load() == nullptr) {
    RA = Value::small_int(length(v.as_table()));
    NEXT();
  }
  SLOW(length_of(L, v));
}
CASE(Concat) {
  SAVE();
  concat(L, index_of(L, &RA), static_cast<int>(b_of(i)));
  RELOAD();
  NEXT();
}

CASE(Jmp) {
  pc += sj_of(i);
  NEXT();
}
CASE(JmpBack) {
  pc += sj_of(i);
  POLL();
  NEXT();
}

#define COMPARE(a, b, or_equal, slow)                   \
  do {                                                  \
    Order order = fast_less<or_equal>(a, b);            \
    if (TLUA_UNLIKELY(order == Order::kUnknown)) {      \
      SAVE();                                           \
      order = slow(L, a, b) ? Order::kYes : Order::kNo; \
      RELOAD();                                         \
    }                                                   \
    JUMP_IF(order == Order::kYes, c_of(i) != 0);        \
  } while (0)
CASE(Lt) { COMPARE(RA, RB, false, less); }
CASE(Le) { COMPARE(RA, RB, true, less_equal); }
CASE(LtI) { COMPARE(RA, Value::small_int(sb_of(i)), false, less); }
CASE(LeI) { COMPARE(RA, Value::small_int(sb_of(i)), true, less_equal); }
CASE(GtI) { COMPARE(Value::small_int(sb_of(i)), RA, false, less); }
CASE(GeI) { COMPARE(Value::small_int(sb_of(i)), RA, true, less_equal); }
#undef COMPARE

CASE(Eq) {
  SAVE();
  bool eq = equal_fast(L, RA, RB);
  RELOAD();
  JUMP_IF(eq, c_of(i) != 0);
}
CASE(EqK) {
  Value a = RA, b = KB;
  bool eq = same_bits(a, b) || raw_equal(a, b);
  JUMP_IF(eq, c_of(i) != 0);
}
CASE(EqI) {
  Value a = RA, b = Value::small_int(sb_of(i));
  bool eq = same_bits(a, b) ||
            (a.is_double() && a.as_double() == static_cast<double>(sb_of(i)));
  JUMP_IF(eq, c_of(i) != 0);
}
CASE(Test) { JUMP_IF(!RA.is_falsy(), c_of(i) != 0); }
CASE(TestSet) {
  Value v = RB;
  if (v.is_falsy() == (c_of(i) != 0)) {
    ++pc;
  } else {
    RA = v;
    pc += sj_of(*pc) + 1;
  }
  NEXT();
}

CASE(ForPrep) {
  SAVE();
  bool runs = for_prepare(L, &RA);
  RELOAD();
  if (!runs) pc += bx_of(i);
  NEXT();
}
CASE(ForLoop) {
  Value* ra = &RA;
  if (TLUA_LIKELY(ra[0].is_small_int() && ra[2].is_small_int())) {
    int64_t next;
    if (ra[1].bits == kTagInt << 48) NEXT();  // the count is used up
    if (TLUA_LIKELY(!__builtin_add_overflow(high_payload(ra[0]),
                                            high_payload(ra[2]), &next))) {
      --ra[1].bits;
      ra[0] = ra[3] = from_high_payload(next);
      pc -= bx_of(i);
      POLL();
      NEXT();
    }
  } else if (ra[0].is_double()) {
    double step = ra[2].as_double();
    double next = ra[0].as_double() + step;
    double limit = ra[1].as_double();
    if (step > 0 ? next <= limit : limit <= next) {
      ra[0] = ra[3] = Value::raw_double(next);
      pc -= bx_of(i);
      POLL();
    }
    NEXT();
  }
  SAVE();
  bool on = for_step_wide(L, ra);
  RELOAD();
  if (on) pc -= bx_of(i);
  POLL();
  NEXT();
}
