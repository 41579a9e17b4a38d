// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Names of values, by following the bytecode backwards; see debug.h.
#include "debug.h"

#include <algorithm>

#include "opcodes.h"
#include "string.h"
#include "vm.h"

namespace tlua {

namespace {

std::string constant_text(const Proto* p, uint32_t k) {
  Value v = p->constants.load()[k].load();
  return v.is_string() ? std::string(view(v)) : "?";
}

/// Whether the instruction writes register `reg`.
bool writes(Instr i, int reg) {
  int a = static_cast<int>(a_of(i));
  switch (op_of(i)) {
    case Op::kLoadNil:
      return reg >= a && reg <= a + static_cast<int>(b_of(i));
    case Op::kCall:
    case Op::kVararg:
      return reg >= a;
    case Op::kTForCall:
      return reg >= a + 3;
    case Op::kTForLoop:
      return reg == a + 2;
    case Op::kForLoop:
    case Op::kForPrep:
      return reg >= a && reg <= a + 3;
    case Op::kSelf:
    case Op::kSelfR:
      return reg == a || reg == a + 1;
    case Op::kSetUpval:
    case Op::kSetTabUp:
    case Op::kSetTabUpK:
    case Op::kSetTable:
    case Op::kSetTableK:
    case Op::kSetI:
    case Op::kSetIK:
    case Op::kSetField:
    case Op::kSetFieldK:
    case Op::kClose:
    case Op::kJmp:
    case Op::kJmpBack:
    case Op::kEq:
    case Op::kLt:
    case Op::kLe:
    case Op::kEqK:
    case Op::kEqI:
    case Op::kLtI:
    case Op::kLeI:
    case Op::kGtI:
    case Op::kGeI:
    case Op::kTest:
    case Op::kTailCall:
    case Op::kReturn:
    case Op::kReturn0:
    case Op::kReturn1:
    case Op::kTForPrep:
    case Op::kSetList:
    case Op::kVarargPrep:
      return false;
    default:
      return reg == a;
  }
}

/// The last instruction before `pc` that set `reg` on every path; -1 if none.
int find_setter(const Proto* p, int pc, int reg) {
  const Instr* code = p->code.load();
  int setter = -1;
  int jump_end = 0;  // code before it is conditional
  for (int i = 0; i < pc; ++i) {
    Instr instr = code[i];
    if (op_of(instr) == Op::kJmp) {
      int target = i + 1 + sj_of(instr);
      if (target <= pc) jump_end = std::max(jump_end, target);
    } else if (writes(instr, reg)) {
      setter = i < jump_end ? -1 : i;
    }
    if (has_word(op_of(instr))) ++i;
  }
  return setter;
}

const char* table_kind(const std::string& table_name) {
  return table_name == "_ENV" ? "global" : "field";
}

ObjectName name_from_setter(const Proto* p, int pc) {
  Instr i = p->code.load()[pc];
  int b = static_cast<int>(b_of(i)), c = static_cast<int>(c_of(i));
  switch (op_of(i)) {
    case Op::kMove:
      if (b < static_cast<int>(a_of(i))) return name_of_register(p, pc, b);
      break;
    case Op::kGetTabUp:
      return {table_kind(name_of_upvalue(p, b).name),
              constant_text(p, c_of(i))};
    case Op::kGetField:
      return {table_kind(name_of_register(p, pc, b).name),
              constant_text(p, c_of(i))};
    case Op::kGetTable: {
      ObjectName key = name_of_register(p, pc, c);
      bool constant = key.kind != nullptr && key.kind[0] == 'c';
      return {table_kind(name_of_register(p, pc, b).name),
              constant ? key.name : "?"};
    }
    case Op::kGetI:
      return {"field", "integer index"};
    case Op::kGetUpval:
      return name_of_upvalue(p, b);
    case Op::kLoadK:
    case Op::kLoadKX: {
      bool wide = op_of(i) == Op::kLoadKX;
      uint32_t k = wide ? p->code.load()[pc + 1] : bx_of(i);
      Value v = p->constants.load()[k].load();
      if (v.is_string()) return {"constant", std::string(view(v))};
      break;
    }
    case Op::kSelf:
      return {"method", constant_text(p, c_of(i))};
    case Op::kSelfR: {
      ObjectName key = name_of_register(p, pc, c);
      return {"method", key.kind != nullptr ? key.name : "?"};
    }
    default:
      break;
  }
  return {nullptr, ""};
}

}  // namespace

const Proto* proto_of(const State& L, const Frame* frame) {
  return L.stack()[frame->func].as_closure()->proto.load();
}

int current_pc(const State& L, const Frame* frame) {
  return static_cast<int>(frame->pc - proto_of(L, frame)->code.load()) - 1;
}

int current_line(const State& L, const Frame* frame) {
  const Proto* p = proto_of(L, frame);
  int pc = std::max(0, current_pc(L, frame));
  return static_cast<int>(p->lines.load()[pc]);
}

ObjectName name_of_upvalue(const Proto* p, int index) {
  Value name = p->names.load()[index].load();
  return {"upvalue", std::string(view(name))};
}

ObjectName name_of_register(const Proto* p, int pc, int reg) {
  const uint32_t* locals = p->locals.load();
  for (uint32_t i = p->local_count; i > 0; --i) {
    const uint32_t* l = locals + (i - 1) * 3;
    if (static_cast<int>(l[2]) != reg || static_cast<int>(l[0]) > pc ||
        static_cast<int>(l[1]) <= pc) {
      continue;
    }
    Value name = p->names.load()[p->upvalue_count + i - 1].load();
    return {"local", std::string(view(name))};
  }
  int setter = find_setter(p, pc, reg);
  if (setter < 0) return {nullptr, ""};
  return name_from_setter(p, setter);
}

ObjectName name_of_function(State& L, const Frame* frame) {
  if ((frame->flags & kFrameTail) != 0) return {nullptr, ""};
  if (frame == L.frames.load()) return {nullptr, ""};
  const Frame* caller = frame - 1;
  if ((caller->flags & kFrameLua) == 0) return {nullptr, ""};
  const Proto* p = proto_of(L, caller);
  int pc = current_pc(L, caller);
  if (pc < 0) return {nullptr, ""};
  Instr i = p->code.load()[pc];
  switch (op_of(i)) {
    case Op::kCall:
    case Op::kTailCall:
      return name_of_register(p, pc, static_cast<int>(a_of(i)));
    case Op::kTForCall:
      return {"for iterator", "for iterator"};
    case Op::kSelf:
    case Op::kSelfR:
    case Op::kGetTabUp:
    case Op::kGetTable:
    case Op::kGetI:
    case Op::kGetField:
      return {"metamethod", "index"};
    case Op::kSetTabUp:
    case Op::kSetTabUpK:
    case Op::kSetTable:
    case Op::kSetTableK:
    case Op::kSetI:
    case Op::kSetIK:
    case Op::kSetField:
    case Op::kSetFieldK:
      return {"metamethod", "newindex"};
    case Op::kConcat:
      return {"metamethod", "concat"};
    case Op::kUnm:
      return {"metamethod", "unm"};
    case Op::kBnot:
      return {"metamethod", "bnot"};
    case Op::kLen:
      return {"metamethod", "len"};
    case Op::kEq:
      return {"metamethod", "eq"};
    case Op::kLt:
    case Op::kLtI:
    case Op::kGtI:
      return {"metamethod", "lt"};
    case Op::kLe:
    case Op::kLeI:
    case Op::kGeI:
      return {"metamethod", "le"};
    default:
      break;
  }
  Op op = op_of(i);
  if (op < Op::kAddI || op > Op::kShr) return {nullptr, ""};
  int first = static_cast<int>(op >= Op::kAdd ? Op::kAdd : Op::kAddK);
  int nth = op == Op::kAddI   ? 0
            : op == Op::kSubI ? 1
                              : static_cast<int>(op) - first;
  auto event = static_cast<size_t>(Meta::kAdd) + static_cast<size_t>(nth);
  return {"metamethod", kMetaNames[event] + 2};
}

}  // namespace tlua
