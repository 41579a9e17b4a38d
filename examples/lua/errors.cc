// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The texts of run-time errors and tracebacks, worded as PUC Lua words them.
// Declared in state.h and vm.h.
#include <cstdarg>
#include <cstdio>
#include <vector>

#include "debug.h"
#include "lexer.h"
#include "number.h"
#include "opcodes.h"
#include "vm.h"

namespace tlua {

const char* const kMetaNames[kMetaCount] = {
    "__index", "__newindex", "__eq",   "__len",  "__call",     "__lt",
    "__le",    "__concat",   "__add",  "__sub",  "__mul",      "__mod",
    "__pow",   "__div",      "__idiv", "__band", "__bor",      "__bxor",
    "__shl",   "__shr",      "__unm",  "__bnot", "__tostring", "__name",
    "__pairs", "__metatable"};

const char* const kTypeNames[kTypeCount] = {"nil",    "boolean", "number",
                                            "string", "table",   "function",
                                            "thread", "userdata"};

size_t type_index(Value v) {
  if (v.is_nil()) return 0;
  if (v.is_boolean()) return 1;
  if (v.is_number()) return 2;
  if (v.is_string()) return 3;
  if (v.is_table()) return 4;
  if (is_function(v)) return 5;
  return is_thread(v) ? 6 : 7;
}

std::string type_name_of(State& L, Value v) {
  if (v.is_table() || is_userdata(v)) {
    Value name = metamethod(L, v, Meta::kName);
    if (name.is_string()) return std::string(view(name));
  }
  return type_name(v);
}

// Raising --------------------------------------------------------------------

namespace {

/// While a message handler runs, which has a reserve of both stacks.
class HandlerScope {
 public:
  explicit HandlerScope(State& L) : L_(L), outer_(L.in_handler) {
    L.in_handler = true;
  }
  ~HandlerScope() { L_.in_handler = outer_; }

 private:
  State& L_;
  bool outer_;
};

}  // namespace

void throw_value(State& L, Value v) {
  if (L.handler != 0) {
    // An error in the handler is handled by the handler again, until a stack
    // is used up: throw_unhandled().
    HandlerScope scope(L);
    ensure_stack(L, 2);
    L.top[0] = L.stack()[L.handler];
    L.top[1] = v;
    L.top += 2;
    call(L, 1, 1);
    v = *--L.top;
  }
  L.error.store(mutator(L), v);
  throw LuaError();
}

void throw_unhandled(State& L, Root text) {
  L.error.store(mutator(L), L.g->roots.get(text));
  throw LuaError();
}

namespace {

std::string position(State& L, const Frame* frame) {
  if ((frame->flags & kFrameLua) == 0) return "";
  std::string source(view(proto_of(L, frame)->source.load()));
  return chunk_display_name(source) + ":" +
         std::to_string(current_line(L, frame)) + ": ";
}

std::string format_text(const char* format, va_list args) {
  char text[512];
  std::vsnprintf(text, sizeof(text), format, args);
  return text;
}

[[noreturn]] void throw_text(State& L, const std::string& text) {
  // The frame on top may be a Lua one, whose registers end at L.top.
  push_string(L, text);
  throw_value(L, L.top[-1]);
}

}  // namespace

void run_error(State& L, const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::string text = format_text(format, args);
  va_end(args);
  throw_text(L, position(L, L.frame) + text);
}

void lib_error(State& L, const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::string text = format_text(format, args);
  va_end(args);
  const Frame* frame = L.frame;
  if ((frame->flags & kFrameLua) == 0 && frame > L.frames.load()) --frame;
  throw_text(L, position(L, frame) + text);
}

std::string position_of_level(State& L, int level) {
  const Frame* frame = L.frame - level;
  return frame < L.frames.load() ? "" : position(L, frame);
}

namespace {

bool has_global_name(Value f) {
  return is_c_function(f) && as_c_function(f)->name[0] != ':';
}

}  // namespace

std::string called_name(State& L, const Frame* frame, bool* is_method) {
  ObjectName name = name_of_function(L, frame);
  *is_method = false;
  if (name.kind != nullptr) {
    *is_method = std::string_view(name.kind) == "method";
    return name.name;
  }
  Value f = L.stack()[frame->func];
  return has_global_name(f) ? as_c_function(f)->name : "?";
}

void arg_error(State& L, int i, const char* text) {
  bool is_method;
  std::string name = called_name(L, L.frame, &is_method);
  if (is_method && --i == 0) {
    lib_error(L, "calling '%s' on bad self (%s)", name.c_str(), text);
  }
  lib_error(L, "bad argument #%d to '%s' (%s)", i, name.c_str(), text);
}

void arg_type_error(State& L, int i, const char* expected) {
  std::string got = i <= arg_count(L) ? type_name_of(L, L.arg(i)) : "no value";
  std::string text = std::string(expected) + " expected, got " + got;
  arg_error(L, i, text.c_str());
}

// Operands -------------------------------------------------------------------

namespace {

/// The registers and upvalue an instruction reads a failing operand from.
void operand_registers(Instr i, std::vector<int>* regs, int* upvalue) {
  int a = static_cast<int>(a_of(i)), b = static_cast<int>(b_of(i)),
      c = static_cast<int>(c_of(i));
  Op op = op_of(i);
  *upvalue = -1;
  if (op == Op::kGetTabUp) {
    *upvalue = b;
  } else if (op == Op::kSetTabUp || op == Op::kSetTabUpK) {
    *upvalue = a;
  } else if (op >= Op::kGetTable && op <= Op::kGetField) {
    *regs = {b};
  } else if (op >= Op::kSetTable && op <= Op::kSetFieldK) {
    *regs = {a};
  } else if (op >= Op::kAdd && op <= Op::kShr) {
    *regs = {c, b};
  } else if (op == Op::kSelf || op == Op::kSelfR ||
             (op >= Op::kAddI && op <= Op::kShrK) ||
             (op >= Op::kUnm && op <= Op::kLen)) {
    *regs = {b};
  } else if (op == Op::kCall || op == Op::kTailCall) {
    *regs = {a};
  } else if (op == Op::kConcat) {
    for (int r = a + b - 1; r >= a; --r) regs->push_back(r);
  }
}

/// " (local 'x')" if the running instruction's operand v has a name.
std::string variable_info(State& L, Value v) {
  const Frame* frame = L.frame;
  if ((frame->flags & kFrameLua) == 0) return "";
  const Proto* p = proto_of(L, frame);
  int pc = current_pc(L, frame);
  Instr i = p->code.load()[pc];
  std::vector<int> regs;
  int upvalue;
  operand_registers(i, &regs, &upvalue);
  ObjectName name{nullptr, ""};
  if (upvalue >= 0) {
    name = name_of_upvalue(p, upvalue);
  } else if (op_of(i) == Op::kTForCall) {
    name = {"for iterator", "for iterator"};
  }
  for (int reg : regs) {
    if (!same_bits(L.stack()[frame->base + static_cast<uint32_t>(reg)], v)) {
      continue;
    }
    name = name_of_register(p, pc, reg);
    break;
  }
  if (name.kind == nullptr) {
    bool constant = op_of(i) >= Op::kAddK && op_of(i) <= Op::kShrK;
    if (!constant || !v.is_string()) return "";
  }
  if (name.kind == nullptr) return "";
  return std::string(" (") + name.kind + " '" + name.name + "')";
}

}  // namespace

void operand_error(State& L, const char* what, Value v) {
  std::string info = variable_info(L, v);
  run_error(L, "attempt to %s a %s value%s", what, type_name_of(L, v).c_str(),
            info.c_str());
}

void call_error(State& L, Value v) { operand_error(L, "call", v); }
void index_error(State& L, Value object) { operand_error(L, "index", object); }

void arith_error(State& L, ArithOp op, Value a, Value b) {
  if (op >= ArithOp::kBand) {
    if (a.is_number() && b.is_number()) {
      int64_t i;
      Value culprit = to_integer(a, &i) ? b : a;
      std::string info = variable_info(L, culprit);
      run_error(L, "number%s has no integer representation", info.c_str());
    }
    operand_error(L, "perform bitwise operation on", a.is_number() ? b : a);
  }
  if (a.is_string() || b.is_string()) {
    auto event = static_cast<size_t>(Meta::kAdd) + static_cast<size_t>(op);
    run_error(L, "attempt to %s a '%s' with a '%s'", kMetaNames[event] + 2,
              type_name(a), type_name(b));
  }
  operand_error(L, "perform arithmetic on", a.is_number() ? b : a);
}

void concat_error(State& L, Value a, Value b) {
  bool a_ok = a.is_string() || a.is_number();
  operand_error(L, "concatenate", a_ok ? b : a);
}

void compare_error(State& L, Value a, Value b) {
  std::string x = type_name_of(L, a), y = type_name_of(L, b);
  if (x == y) run_error(L, "attempt to compare two %s values", x.c_str());
  run_error(L, "attempt to compare %s with %s", x.c_str(), y.c_str());
}

// Traceback ------------------------------------------------------------------

namespace {

std::string describe_frame(State& L, const Frame* frame) {
  Value f = L.stack()[frame->func];
  if (has_global_name(f)) {
    return std::string("[C]: in function '") + as_c_function(f)->name + "'";
  }
  if ((frame->flags & kFrameLua) == 0) {
    ObjectName name = name_of_function(L, frame);
    if (name.kind == nullptr) return "[C]: in ?";
    std::string kind = name.kind;
    if (kind == "global") kind = "function";
    return "[C]: in " + kind + " '" + name.name + "'";
  }
  const Proto* p = proto_of(L, frame);
  std::string where = position(L, frame) + "in ";
  if (p->line_defined == 0) return where + "main chunk";
  ObjectName name = name_of_function(L, frame);
  if (name.kind == nullptr) {
    return where + "function <" + chunk_display_name(view(p->source.load())) +
           ":" + std::to_string(p->line_defined) + ">";
  }
  std::string kind = name.kind;
  if (kind == "global") kind = "function";
  return where + kind + " '" + name.name + "'";
}

}  // namespace

std::string traceback(State& L, std::string_view message, int level) {
  constexpr int kHead = 10, kTail = 11;
  std::string text(message);
  if (!text.empty()) text += "\n";
  text += "stack traceback:";
  auto depth = static_cast<int>(L.frame - L.frames.load());
  for (int i = level; i < depth; ++i) {
    int shown = i - level;
    if (shown == kHead && depth - i > kTail) {
      text += "\n\t...\t(skipping " + std::to_string(depth - i - kTail) +
              " levels)";
      i = depth - kTail - 1;
      continue;
    }
    const Frame* frame = L.frame - i;
    text += "\n\t" + describe_frame(L, frame);
    if ((frame->flags & kFrameTail) != 0) text += "\n\t(...tail calls...)";
  }
  return text + "\n\t[C]: in ?";
}

}  // namespace tlua
