// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// How spawn() packs a function and its arguments, and what it calls; see
// tricolor/task.h.
#ifndef TRICOLOR_DETAIL_SPAWN_H_
#define TRICOLOR_DETAIL_SPAWN_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <tuple>
#include <type_traits>

#include "tricolor/detail/failure.h"
#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"
#include "tricolor/wait.h"

namespace tricolor {

/// How a task has ended.
enum class Outcome : uint8_t {
  kValue,   ///< its body has returned
  kExited,  ///< goexit: there is no value
  kFailed,  ///< by an exception, or exit_with_error
};

namespace detail {

inline constexpr size_t kSpawnRootsMax = 8;
inline constexpr size_t kSpawnPlainBytesMax = 128;

/// A spawn request: plain data is copied, roots are shaded and stored in the
/// child's first shadow slots. entry(mu, plain, roots, result).
struct SpawnRequest {
  void (*entry)(Mutator& mu, void* plain, void** roots, void* result) = nullptr;
  const void* plain = nullptr;
  size_t plain_bytes = 0;
  void* const* roots = nullptr;
  size_t root_count = 0;
  const char* name = nullptr;   ///< copied
  size_t stack_bytes = 0;       ///< 0: the runtime's
  bool result_is_cell = false;  ///< the result word is a root
};
struct TaskRef {
  void* g = nullptr;
  uint64_t id = 0;
};
TaskRef spawn(Mutator& mu, const SpawnRequest& request);
/// Copies `bytes` (<= 16) of the result, frees the G. Without a value they are
/// zeros. With kFailed *failure is set, and the caller's; null: nobody can take
/// it, and it is reported as that of a detached task.
Outcome join(Mutator& mu, TaskRef ref, void* result, size_t bytes,
             Failure* failure = nullptr);
void detach(TaskRef ref);
WaitResult wait_for(Mutator& mu, TaskRef ref, Deadline deadline);
void cancel(TaskRef ref);

template <class A>
inline constexpr bool kIsCell =
    std::is_pointer_v<A> && !std::is_function_v<std::remove_pointer_t<A>>;

/// A cell pointer or an encoded value: what has to be rooted in the child.
template <class A, class = void>
inline constexpr bool kHasCell = kIsCell<A>;
template <class A>
inline constexpr bool kHasCell<
    A, std::enable_if_t<!std::is_pointer_v<A>,
                        std::void_t<decltype(&ValueTraits<A>::cell)>>> = true;

template <class R>
constexpr size_t result_bytes() {
  if constexpr (std::is_void_v<R>) {
    return 0;
  } else {
    return sizeof(R);
  }
}

template <class... Args>
constexpr size_t count_cells() {
  return (size_t{0} + ... + (kHasCell<Args> ? 1 : 0));
}

template <class F, class... Args>
struct SpawnThunk {
  struct Packed {
    F fn;
    std::tuple<Args...> args;
  };
  using Result = std::invoke_result_t<F, Mutator&, Args...>;

  template <bool kCatch>
  static void entry(Mutator& mu, void* plain, void**, void* result) {
    auto* packed = static_cast<Packed*>(plain);
    auto call = [&](auto&&... a) { return packed->fn(mu, a...); };
    call_body<kCatch>(mu, [&] {
      if constexpr (std::is_void_v<Result>) {
        std::apply(call, packed->args);
      } else {
        ::new (result) Result(std::apply(call, packed->args));
      }
    });
  }

  static void check() {
    static_assert(std::is_empty_v<F> || std::is_pointer_v<F>,
                  "spawn takes a function or a captureless lambda; pass data "
                  "as arguments so that managed pointers are rooted");
    static_assert((std::is_trivially_copyable_v<Args> && ...),
                  "spawn arguments are trivially copyable");
    static_assert(count_cells<Args...>() <= kSpawnRootsMax,
                  "at most 8 managed arguments");
    static_assert(sizeof(Packed) <= kSpawnPlainBytesMax,
                  "at most 128 bytes of arguments");
    if constexpr (!std::is_void_v<Result>) {
      static_assert(
          std::is_trivially_copyable_v<Result> && sizeof(Result) <= 16,
          "a task returns void, a cell pointer, or up to 16 plain bytes");
      static_assert(kIsCell<Result> || !kHasCell<Result>,
                    "a task cannot return an encoded value, which nothing "
                    "would root until the join: return a cell that holds it");
    }
  }
};

/// Fills in `request` and spawns.
template <bool kCatch, class F, class... Args>
TaskRef spawn_packed(Mutator& mu, SpawnRequest request, F fn, Args... args) {
  using Thunk = SpawnThunk<F, Args...>;
  Thunk::check();
  void* roots[kSpawnRootsMax + 1];
  size_t n = 0;
  [[maybe_unused]] auto add_root = [&](auto a) {
    if constexpr (kHasCell<decltype(a)>) {
      roots[n++] = ValueTraits<decltype(a)>::cell(a);
    }
  };
  (add_root(args), ...);
  typename Thunk::Packed packed{fn, std::tuple<Args...>(args...)};
  request.entry = &Thunk::template entry<kCatch>;
  request.plain = &packed;
  request.plain_bytes =
      std::is_empty_v<F> && sizeof...(Args) == 0 ? 0 : sizeof(packed);
  request.roots = roots;
  request.root_count = n;
  request.result_is_cell = kIsCell<typename Thunk::Result>;
  return spawn(mu, request);
}

}  // namespace detail
}  // namespace tricolor

#endif  // TRICOLOR_DETAIL_SPAWN_H_
