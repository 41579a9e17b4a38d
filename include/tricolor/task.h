// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Tasks: stackful green threads over G, M and P. spawn takes a function and
// its arguments; pointers to cells among them are rooted in the child, for its
// whole life, before the parent goes on.
//
//   Task<long> t = spawn(mu, [](Mutator& mu, Node* n, int k) { ... }, n, 3);
//   long sum = join(mu, t);
//
// Arguments are trivially copyable; a T* whose T is not a cell type is passed
// as `plain(p)`. The callable is a function or a captureless lambda. It must
// not throw: an exception that leaves a task ends the process.
#ifndef TRICOLOR_TASK_H_
#define TRICOLOR_TASK_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"
#include "tricolor/park.h"
#include "tricolor/wait.h"

namespace tricolor {

class Runtime;

/// Marks a pointer argument as unmanaged.
template <class T>
struct Plain {
  T* p;
  operator T*() const { return p; }  // NOLINT: passes as the pointer it is
};
template <class T>
Plain<T> plain(T* p) {
  return {p};
}

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
  size_t stack_bytes = 0;       ///< 0: the runtime's
  bool result_is_cell = false;  ///< the result word is a root
};
struct TaskRef {
  void* g = nullptr;
  uint64_t id = 0;
};
TaskRef spawn(Mutator& mu, const SpawnRequest& request);
/// Copies `bytes` (<= 16) of the result, frees the G.
void join(Mutator& mu, TaskRef ref, void* result, size_t bytes);
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

  static void entry(Mutator& mu, void* plain, void**, void* result) {
    auto* packed = static_cast<Packed*>(plain);
    auto call = [&](auto&&... a) { return packed->fn(mu, a...); };
    if constexpr (std::is_void_v<Result>) {
      std::apply(call, packed->args);
    } else {
      ::new (result) Result(std::apply(call, packed->args));
    }
  }
};

}  // namespace detail

/// Owns the right to join; dropping it detaches. Move-only, any thread.
template <class R>
class [[nodiscard]] Task {
 public:
  Task() = default;
  explicit Task(detail::TaskRef ref) : ref_(ref) {}
  Task(Task&& o) noexcept : ref_(std::exchange(o.ref_, {})) {}
  Task& operator=(Task&& o) noexcept {
    std::swap(ref_, o.ref_);
    return *this;
  }
  ~Task() {
    if (ref_.g != nullptr) detail::detach(ref_);
  }
  bool joinable() const { return ref_.g != nullptr; }
  void detach() { detail::detach(std::exchange(ref_, {})); }
  detail::TaskRef ref() const { return ref_; }
  detail::TaskRef release() { return std::exchange(ref_, {}); }

 private:
  detail::TaskRef ref_;
};

/// Starts a task. A safepoint; does not wait. Ends the process with a message
/// when Options::max_tasks is reached or memory is gone.
template <class F, class... Args>
auto spawn(Mutator& mu, F fn, Args... args) {
  using Thunk = detail::SpawnThunk<F, Args...>;
  using R = typename Thunk::Result;
  static_assert(std::is_empty_v<F> || std::is_pointer_v<F>,
                "spawn takes a function or a captureless lambda; pass data as "
                "arguments so that managed pointers are rooted");
  static_assert((std::is_trivially_copyable_v<Args> && ...),
                "spawn arguments are trivially copyable");
  static_assert(detail::count_cells<Args...>() <= detail::kSpawnRootsMax,
                "at most 8 managed arguments");
  static_assert(sizeof(typename Thunk::Packed) <= detail::kSpawnPlainBytesMax,
                "at most 128 bytes of arguments");
  void* roots[detail::kSpawnRootsMax + 1];
  size_t n = 0;
  [[maybe_unused]] auto add_root = [&](auto a) {
    if constexpr (detail::kHasCell<decltype(a)>) {
      roots[n++] = ValueTraits<decltype(a)>::cell(a);
    }
  };
  (add_root(args), ...);
  typename Thunk::Packed packed{fn, std::tuple<Args...>(args...)};
  detail::SpawnRequest request;
  request.entry = &Thunk::entry;
  request.plain = &packed;
  request.plain_bytes = sizeof(packed);
  request.roots = roots;
  request.root_count = n;
  if constexpr (!std::is_void_v<R>) {
    static_assert(std::is_trivially_copyable_v<R> && sizeof(R) <= 16,
                  "a task returns void, a cell pointer, or up to 16 plain "
                  "bytes");
    static_assert(detail::kIsCell<R> || !detail::kHasCell<R>,
                  "a task cannot return an encoded value, which nothing would "
                  "root until the join: return a cell that holds it");
    request.result_is_cell = detail::kIsCell<R>;
  }
  return Task<R>(detail::spawn(mu, request));
}

/// Waits for a task and takes its result; suspends. The Task is spent: joining
/// it again is a misuse.
template <class R>
R join(Mutator& mu, Task<R>& task) {
  if constexpr (std::is_void_v<R>) {
    detail::join(mu, task.release(), nullptr, 0);
  } else {
    alignas(16) unsigned char result[16];
    detail::join(mu, task.release(), result, sizeof(R));
    return *std::launder(reinterpret_cast<R*>(result));
  }
}

/// Waits for the task's end without taking its result: then join() does not
/// wait. kOk, kTimeout or kCancelled. Suspends.
template <class R>
WaitResult wait_for(Mutator& mu, Task<R>& task, Deadline deadline = {}) {
  return detail::wait_for(mu, task.ref(), deadline);
}

/// Asks the task to end: the wait that it is in, and all that would begin, end
/// with kCancelled, but those that say that they do not. What it does then is
/// its own affair. Any thread; does not wait.
template <class R>
void cancel(Task<R>& task) {
  detail::cancel(task.ref());
}
/// Whether somebody has asked the calling task so.
bool is_cancelled(const Mutator& mu);

}  // namespace tricolor

#endif  // TRICOLOR_TASK_H_
