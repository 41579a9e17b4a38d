// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Globals: what one Lua state owns besides its threads; and the stack and error
// primitives that all C code of the VM uses.
//
// How C code keeps values alive: whatever may allocate is a safepoint, so a
// value that is needed afterwards is an argument of the running function, has
// been pushed on the stack, or hangs on something that is. A function whose
// comment says "may allocate" expects its arguments to be rooted so.
//
// The stack of a thread: words in [vs->base, vs->top) are roots and always
// initialised. While C code runs, L.top is its end of stack and never above
// vs->top; the words between the two are old but still valid values, because
// they have been roots without a break.
#ifndef TLUA_STATE_H_
#define TLUA_STATE_H_

#include <string>
#include <string_view>

#include "objects.h"
#include "tricolor/allocate.h"
#include "tricolor/global.h"
#include "types.h"

namespace tlua {

/// Metamethods, in the order of kMetaNames. The first eight have a bit in
/// Table::absent.
enum class Meta : uint8_t {
  kIndex,
  kNewIndex,
  kEq,
  kLen,
  kCall,
  kLt,
  kLe,
  kConcat,
  kAdd,
  kSub,
  kMul,
  kMod,
  kPow,
  kDiv,
  kIdiv,
  kBand,
  kBor,
  kBxor,
  kShl,
  kShr,
  kUnm,
  kBnot,
  kToString,
  kName,
  kPairs,
  kMetatable,
  kCount
};
inline constexpr size_t kMetaCount = static_cast<size_t>(Meta::kCount);

/// Indices into Globals::roots.
enum Root : size_t {
  kRootGlobalTable,
  kRootInterned,
  kRootStringMeta,
  kRootFileMeta,
  kRootTaskMeta,
  kRootMainThread,
  kRootTasks,
  kRootNext,
  kRootIpairs,
  kRootMemoryError,
  kRootHandlingError,
  kRootStdout,
  kRootType0,                   // 8 names of types, in the order of kTypeNames
  kRootMeta0 = kRootType0 + 8,  // kMetaCount names
  kRootChar0 = kRootMeta0 + kMetaCount,  // 256 strings of one byte
  kRootCount = kRootChar0 + 256
};

struct Globals {
  explicit Globals(Universe& u)
      : universe(u), roots(u.runtime, kRootCount, u.encoding) {}

  Universe& universe;
  tri::RootTable<Value> roots;
  State* main = nullptr;
  String* meta_names[kMetaCount] = {};
  Value next_function = Value::nil();    // as kRootNext
  Value ipairs_iterator = Value::nil();  // as kRootIpairs
  uint32_t threads = 0;                  // started so far
  uint64_t random_state[4] = {};
  int gc_percent = 100;  // before collectgarbage("stop")
  bool gc_stopped = false;

  Table* string_meta() const { return roots.get(kRootStringMeta).as_table(); }
};

/// What is thrown for a Lua error; the value lies in State::error.
struct LuaError {};

inline Mutator& mutator(State& L) { return *L.mu; }

/// A new thread without a stack. May allocate; the result is not rooted.
State* new_thread(Mutator& mu, Globals& g);
/// Makes L the running thread of `mu`: mounts its value stack of `stack_bytes`
/// and enters the frame below all others. `native_bytes`: the size of the
/// native stack it runs on, near whose start this is called. False: no memory.
bool start_thread(State& L, Mutator& mu, size_t stack_bytes,
                  size_t native_bytes);

/// Makes the main thread of `g` and opens the libraries; the running task is
/// its home until close_state(). Null: no memory.
State* open_state(Globals& g, Mutator& mu, size_t native_bytes);
/// Waits for the tasks the state has spawned and nobody joined.
void close_state(State& L);

/// Room for what is kept for handlers, and as much again.
inline constexpr size_t kFirstStackBytes = size_t{16} << 10;
inline constexpr size_t kMainStackBytes = size_t{8} << 20;
inline constexpr size_t kCoroutineStackBytes = size_t{256} << 10;
// Sanitizers make frames several times larger.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr size_t kFrameScale = 4;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr size_t kFrameScale = 4;
#else
inline constexpr size_t kFrameScale = 1;
#endif
#else
inline constexpr size_t kFrameScale = 1;
#endif
inline constexpr size_t kStateNativeBytes = kFrameScale << 20;
inline constexpr size_t kCoroutineNativeBytes =
    size_t{kFrameScale == 1 ? 128 : 256} << 10;
/// Kept free for what follows the check, and what a message handler may use.
inline constexpr size_t kNativeReserveBytes = kFrameScale * (24 << 10);
inline constexpr size_t kHandlerNativeBytes = kFrameScale * (8 << 10);

// Stack ----------------------------------------------------------------------

/// Raises vs->top so that `n` words above L.top are initialised roots; a Lua
/// error when the stack is full. May move the stack.
void grow_top_slow(State& L, size_t n);

inline void ensure_stack(State& L, size_t n) {
  // Where the limit was lowered it wants to become smaller, or to be moved.
  if (static_cast<size_t>(reinterpret_cast<Value*>(L.vs->top) - L.top) < n ||
      L.vs->limit == L.vs->base) {
    grow_top_slow(L, n);
  }
}
inline void push(State& L, Value v) {
  if (reinterpret_cast<uint64_t*>(L.top) == L.vs->top) {
    if (L.top >= L.push_limit) {
      grow_top_slow(L, 1);
    } else {
      ++L.vs->top;  // the word is initialised below
    }
  }
  *L.top++ = v;
}
inline void pop(State& L, size_t n = 1) { L.top -= n; }
inline uint32_t index_of(State& L, const Value* p) {
  return static_cast<uint32_t>(p - L.stack());
}
inline int arg_count(State& L) {
  return static_cast<int>(L.top - (L.stack() + L.frame->base));
}

// Numbers --------------------------------------------------------------------

/// May allocate when `i` needs more than 48 bits.
Value box_integer(State& L, int64_t i);
inline Value make_integer(State& L, int64_t i) {
  return fits_small(i) ? Value::small_int(i) : box_integer(L, i);
}
inline void push_integer(State& L, int64_t i) { push(L, make_integer(L, i)); }

// Errors ---------------------------------------------------------------------

/// Raises `v` as the error value; runs xpcall's handler first.
[[noreturn]] void throw_value(State& L, Value v);
/// Raises kRootMemoryError, or kRootHandlingError: the stack is so full that
/// even what is kept for handlers is used up. Runs no handler and does not
/// allocate.
[[noreturn]] void throw_unhandled(State& L, Root text);
/// An error of the language: "file:line:" in front if a Lua function runs.
[[noreturn, gnu::format(printf, 2, 3)]] void run_error(State& L,
                                                       const char* format, ...);
/// An error of a library function: the position is its caller's.
[[noreturn, gnu::format(printf, 2, 3)]] void lib_error(State& L,
                                                       const char* format, ...);
/// "bad argument #i to 'name' (text)".
[[noreturn]] void arg_error(State& L, int i, const char* text);
/// "bad argument #i to 'name' (expected expected, got ...)".
[[noreturn]] void arg_type_error(State& L, int i, const char* expected);

/// Which of Lua's types v has, as an index of kTypeNames.
size_t type_index(Value v);
inline constexpr size_t kTypeCount = 8;
extern const char* const kTypeNames[kTypeCount];
/// The name of v's type, as type() gives it.
inline const char* type_name(Value v) { return kTypeNames[type_index(v)]; }
/// The same, but __name of its metatable wins; valid while v lives.
std::string type_name_of(State& L, Value v);

/// v's metatable or null.
Table* metatable_of(State& L, Value v);
/// v's metamethod or nil.
Value metamethod(State& L, Value v, Meta event);
extern const char* const kMetaNames[kMetaCount];

}  // namespace tlua

#endif  // TLUA_STATE_H_
