// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The cells of this VM: what lies on the managed heap, field by field. The
// layouts that describe them to the collector are registered in types.cc, which
// must be changed together with this file.
//
// Invariants
// 1. Every reference in a cell is a Field; every other member is never read by
//    the collector.
// 2. Strings, boxed integers, and prototypes once published are immutable
//    (a string's hash is filled in late, with relaxed stores of equal values).
#ifndef TLUA_OBJECTS_H_
#define TLUA_OBJECTS_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/coroutine.h"
#include "tricolor/field.h"
#include "tricolor/task.h"
#include "tricolor/value_stack.h"
#include "value.h"

namespace tlua {

using tri::Field;
using tri::Mutator;
using ValueSlot = Field<Value>;
using Instr = uint32_t;

struct State;
struct Globals;

/// Bytes with a length; data is followed by a NUL. hash 0: not computed.
struct String {
  uint32_t length;
  uint32_t hash;
  char data[8];  // really length + 1 bytes

  static constexpr size_t kHeaderBytes = 8;
};

/// One entry of a table's hash part. `meta` joins the distance to the next
/// node of the chain (low half, signed, 0 ends it) and the key's 31-bit hash;
/// its top bits are clear, so the collector takes it for a double.
struct Node {
  ValueSlot key;
  ValueSlot value;
  uint64_t meta;

  int32_t next() const { return static_cast<int32_t>(load_meta()); }
  uint32_t hash() const { return static_cast<uint32_t>(load_meta() >> 32); }
  uint64_t load_meta() const {
    return __atomic_load_n(&meta, __ATOMIC_RELAXED);
  }
  void set_meta(uint32_t hash, int32_t next) {
    // Relaxed: the collector reads the word but never follows it.
    __atomic_store_n(&meta,
                     (uint64_t{hash} << 32) | static_cast<uint32_t>(next),
                     __ATOMIC_RELAXED);
  }
};
static_assert(sizeof(Node) == 24);

/// See table.h for the meaning of the numbers.
struct Table {
  Field<ValueSlot> array;
  Field<Node> nodes;
  Field<Table> meta;
  uint32_t array_used;
  uint32_t array_size;
  uint32_t node_mask;
  uint32_t free_node;   // nodes at and above it are taken
  uint8_t absent;       // metamethods known to be missing, as bits
  uint8_t int_in_hash;  // the hash part has had a positive integer key
};
static_assert(sizeof(Table) == 48);

/// A compiled function. Arrays are cells of their own.
struct Proto {
  Field<Instr> code;
  Field<ValueSlot> constants;
  Field<Field<Proto>> children;
  Field<uint32_t> lines;     // of each instruction
  Field<uint32_t> upvalues;  // in_stack << 8 | index
  Field<uint32_t> locals;    // three words each: first pc, end pc, register
  Field<ValueSlot> names;    // of the upvalues, then of the locals
  Field<String> source;
  uint32_t code_count;
  uint32_t constant_count;
  uint32_t child_count;
  uint32_t local_count;
  uint32_t line_defined;  // 0: the main chunk
  uint8_t upvalue_count;
  uint8_t param_count;
  uint8_t max_stack;
  uint8_t is_vararg;
};

/// A captured variable. Open: `at` is a word of owner's value stack; when that
/// stack moves, grow_top_slow() adjusts it. Closed (owner null): `at` is
/// `value`. The owner stays alive as long as one of its variables is open.
struct Upvalue {
  Field<State> owner;
  Field<Upvalue> next;  // of the owner's open ones, by falling address
  ValueSlot value;
  Value* at;

  Value* closed_place() { return reinterpret_cast<Value*>(&value); }
};

struct Closure {
  Field<Proto> proto;
  uint32_t upvalue_count;
  uint32_t reserved;
  Field<Upvalue> upvalues[1];  // really upvalue_count

  static constexpr size_t kHeaderBytes = 16;
};

enum class ObjectKind : uint8_t { kCFunction, kThread, kUserdata };

struct Object {
  ObjectKind kind;
};

/// Arguments are at arg(1..n) of the state; returns how many results it pushed.
using CFunctionPtr = int (*)(State& L, int n);

struct CFunction : Object {
  uint32_t upvalue_count;
  CFunctionPtr fn;
  const char* name;  // static: "string.rep", or ":read" if no global has it
  uint64_t reserved;
  ValueSlot upvalues[1];  // really upvalue_count

  static constexpr size_t kHeaderBytes = 32;
};

enum class UserdataKind : uint8_t { kFile, kTask };

struct Userdata : Object {
  UserdataKind type;
  bool joined;   // a task: by its parent
  bool claimed;  // a task: the script has asked for its outcome
  Field<Table> meta;
  ValueSlot value;  // a task's results
  void* pointer;    // a file's FILE*
  tri::detail::TaskRef task;
  uint64_t flags;
};

/// An activation. Indices count words from the value stack's base.
struct Frame {
  const Instr* pc;      // Lua: the next instruction, saved at calls
  uint32_t func;        // where the function is; results go there
  uint32_t base;        // first register or argument
  uint32_t top;         // Lua: the stack's end; not below the caller's
  uint32_t extra_args;  // Lua, vararg: how many lie below base
  int16_t wanted;       // results the caller wants; -1: all
  uint8_t flags;
};
static_assert(sizeof(Frame) == 32);

inline constexpr uint8_t kFrameLua = 1;
inline constexpr uint8_t kFrameEntry = 2;  // execute() returns after it
inline constexpr uint8_t kFrameTail = 4;   // reached by a tail call

enum class ThreadStatus : uint8_t { kSuspended, kRunning, kNormal, kDead };

/// A Lua thread: the main one of a state, or a coroutine. All C code gets the
/// running one. Owner only, but for open upvalues (see upvalue.h).
struct State : Object {
  ThreadStatus status;
  bool started;
  bool failed;  // a coroutine that died of an error
  uint16_t c_depth;
  // scanned
  Field<tri::Coroutine> coroutine;
  Field<Frame> frames;
  Field<Upvalue> open;
  Field<State> resumer;
  ValueSlot error;  // of the exception in flight; before the start: the body
  Field<ValueSlot> transfer_array;
  ValueSlot transfer[4];
  // not scanned
  uint32_t transfer_count;
  uint32_t frame_limit;  // frames allocated
  Mutator* mu;
  Globals* g;
  Frame* frame;  // the running one
  Frame* frame_end;
  Value* top;         // C: end of arguments and pushes; Lua: end of the frame
  Value* push_limit;  // above it, pushes go through grow_top_slow()
  tri::ValueStack* vs;
  char* native_limit;  // no deeper C calls below this address
  uint32_t handler;    // stack index of xpcall's message handler, or 0
  bool in_handler;

  Value* stack() const { return reinterpret_cast<Value*>(vs->base); }
  /// Argument i, 1-based; nil if there are fewer.
  Value arg(int i) const {
    Value* p = stack() + frame->base + (i - 1);
    return p < top ? *p : Value::nil();
  }
  Value& slot(int i) const { return stack()[frame->base + (i - 1)]; }
};

inline CFunction* as_c_function(Value v) {
  return static_cast<CFunction*>(v.as_object());
}
inline bool is_c_function(Value v) {
  return v.is_object() && v.as_object()->kind == ObjectKind::kCFunction;
}
inline bool is_function(Value v) { return v.is_closure() || is_c_function(v); }
inline bool is_thread(Value v) {
  return v.is_object() && v.as_object()->kind == ObjectKind::kThread;
}
inline bool is_userdata(Value v) {
  return v.is_object() && v.as_object()->kind == ObjectKind::kUserdata;
}

}  // namespace tlua

#endif  // TLUA_OBJECTS_H_
