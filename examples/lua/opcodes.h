// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The instruction set: 32-bit words, opcode in the low byte.
//
//    31      24 23      16 15       8 7        0
//   |    C     |    B     |    A     |   op     |   iABC
//   |         Bx          |    A     |   op     |   iABx (sBx: signed)
//   |              sJ                |   op     |   iJ
//
// R[x]: register, K[x]: constant, U[x]: upvalue, sB/sC: signed byte. A
// comparison or test is followed by a JMP, taken when its outcome equals k.
// "word": the next word is data.
#ifndef TLUA_OPCODES_H_
#define TLUA_OPCODES_H_

#include <cstdint>

namespace tlua {

// clang-format off
#define TLUA_OPCODES(X)                                                     \
  X(Move)        /* R[A] = R[B]                                        */   \
  X(LoadI)       /* R[A] = sBx                                         */   \
  X(LoadF)       /* R[A] = (float)sBx                                  */   \
  X(LoadK)       /* R[A] = K[Bx]                                       */   \
  X(LoadKX)      /* R[A] = K[word]                                     */   \
  X(LoadNil)     /* R[A..A+B] = nil                                    */   \
  X(LoadFalse)   /* R[A] = false                                       */   \
  X(LFalseSkip)  /* R[A] = false; skip one                             */   \
  X(LoadTrue)    /* R[A] = true                                        */   \
  X(GetUpval)    /* R[A] = U[B]                                        */   \
  X(SetUpval)    /* U[B] = R[A]                                        */   \
  X(GetTabUp)    /* R[A] = U[B][K[C]]                                  */   \
  X(SetTabUp)    /* U[A][K[B]] = R[C]                                  */   \
  X(SetTabUpK)   /* U[A][K[B]] = K[C]                                  */   \
  X(GetTable)    /* R[A] = R[B][R[C]]                                  */   \
  X(GetI)        /* R[A] = R[B][C]                                     */   \
  X(GetField)    /* R[A] = R[B][K[C]]                                  */   \
  X(SetTable)    /* R[A][R[B]] = R[C]                                  */   \
  X(SetTableK)   /* R[A][R[B]] = K[C]                                  */   \
  X(SetI)        /* R[A][B] = R[C]                                     */   \
  X(SetIK)       /* R[A][B] = K[C]                                     */   \
  X(SetField)    /* R[A][K[B]] = R[C]                                  */   \
  X(SetFieldK)   /* R[A][K[B]] = K[C]                                  */   \
  X(Self)        /* R[A+1] = R[B]; R[A] = R[B][K[C]]                   */   \
  X(SelfR)       /* R[A+1] = R[B]; R[A] = R[B][R[C]]                   */   \
  X(NewTable)    /* R[A] = {}; 2^(B-1) hash slots; word: array slots   */   \
  X(AddI)        /* R[A] = R[B] + sC                                   */   \
  X(SubI)        /* R[A] = R[B] - sC                                   */   \
  X(AddK) X(SubK) X(MulK) X(ModK) X(PowK) X(DivK) X(IdivK)                  \
  X(BandK) X(BorK) X(BxorK) X(ShlK) X(ShrK) /* R[A] = R[B] op K[C]     */   \
  X(Add) X(Sub) X(Mul) X(Mod) X(Pow) X(Div) X(Idiv)                         \
  X(Band) X(Bor) X(Bxor) X(Shl) X(Shr) /* R[A] = R[B] op R[C]          */   \
  X(Unm)         /* R[A] = -R[B]                                       */   \
  X(Bnot)        /* R[A] = ~R[B]                                       */   \
  X(Not)         /* R[A] = not R[B]                                    */   \
  X(Len)         /* R[A] = #R[B]                                       */   \
  X(Concat)      /* R[A] = R[A] .. ... .. R[A+B-1]                     */   \
  X(Close)       /* close upvalues of registers >= A                   */   \
  X(Jmp)         /* pc += sJ                                           */   \
  X(JmpBack)     /* the same, backwards, with a safepoint              */   \
  X(Eq)          /* if (R[A] == R[B]) == C then JMP                    */   \
  X(Lt) X(Le)    /* likewise <, <=                                     */   \
  X(EqK)         /* R[A] == K[B]                                       */   \
  X(EqI)         /* R[A] == sB                                         */   \
  X(LtI) X(LeI) X(GtI) X(GeI) /* R[A] op sB                            */   \
  X(Test)        /* if truth(R[A]) == C then JMP                       */   \
  X(TestSet)     /* if truth(R[B]) == C then R[A] = R[B], JMP          */   \
  X(Call)        /* R[A..A+C-2] = R[A](R[A+1..A+B-1]); 0: to the top   */   \
  X(TailCall)    /* return R[A](R[A+1..A+B-1]); C: close upvalues      */   \
  X(Return)      /* return R[A..A+B-2]; B = 0: to the top; C: close    */   \
  X(Return0)     /* return                                             */   \
  X(Return1)     /* return R[A]                                        */   \
  X(ForPrep)     /* prepare R[A..A+3]; jump Bx forward if it is empty  */   \
  X(ForLoop)     /* step; jump Bx back if it goes on                   */   \
  X(TForPrep)    /* pairs without calls if R[A] is next; jump Bx       */   \
  X(TForCall)    /* R[A+3..A+2+C] = R[A](R[A+1], R[A+2])               */   \
  X(TForLoop)    /* if R[A+3] ~= nil then R[A+2] = R[A+3], back Bx     */   \
  X(SetList)     /* R[A][word + i] = R[A+i], i <= B; B = 0: to the top */   \
  X(MakeClosure) /* R[A] = closure(child Bx)                           */   \
  X(Vararg)      /* R[A..A+C-2] = ...; C = 0: all                      */   \
  X(VarargPrep)  /* move the A fixed arguments above the others        */
// clang-format on

enum class Op : uint8_t {
#define TLUA_ENUM(name) k##name,
  TLUA_OPCODES(TLUA_ENUM)
#undef TLUA_ENUM
};

inline constexpr uint32_t kMaxByte = 255;
inline constexpr uint32_t kMaxBx = 65535;
inline constexpr int kMaxJump = (1 << 23) - 1;

inline Op op_of(uint32_t i) { return static_cast<Op>(i & 0xff); }
inline uint32_t a_of(uint32_t i) { return (i >> 8) & 0xff; }
inline uint32_t b_of(uint32_t i) { return (i >> 16) & 0xff; }
inline uint32_t c_of(uint32_t i) { return i >> 24; }
inline uint32_t bx_of(uint32_t i) { return i >> 16; }
inline int sb_of(uint32_t i) { return static_cast<int8_t>(i >> 16); }
inline int sc_of(uint32_t i) { return static_cast<int8_t>(i >> 24); }
inline int sbx_of(uint32_t i) { return static_cast<int16_t>(i >> 16); }
inline int sj_of(uint32_t i) { return static_cast<int32_t>(i) >> 8; }

inline uint32_t make_abc(Op op, uint32_t a, uint32_t b, uint32_t c) {
  return static_cast<uint32_t>(op) | a << 8 | b << 16 | c << 24;
}
inline uint32_t make_abx(Op op, uint32_t a, uint32_t bx) {
  return static_cast<uint32_t>(op) | a << 8 | bx << 16;
}
inline uint32_t make_j(Op op, int jump) {
  return static_cast<uint32_t>(op) | static_cast<uint32_t>(jump) << 8;
}

/// Whether a data word follows.
inline bool has_word(Op op) {
  return op == Op::kLoadKX || op == Op::kNewTable || op == Op::kSetList;
}

}  // namespace tlua

#endif  // TLUA_OPCODES_H_
