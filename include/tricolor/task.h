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
// as `plain(p)`. The callable is a function or a captureless lambda. An
// exception that leaves it goes to whoever joins the task; of a task that is
// detached, to Options::on_task_failure. The exception is not scanned: what it
// refers to must be rooted elsewhere. Other ends: tricolor/task_end.h.
#ifndef TRICOLOR_TASK_H_
#define TRICOLOR_TASK_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "tricolor/detail/spawn.h"
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

/// Owns the right to join; dropping it detaches. Move-only, any thread. Not to
/// be dropped later than its Runtime, nor joined.
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

/// What spawn may be told beside the body.
struct SpawnOptions {
  const char* name = nullptr;  ///< as set_task_name()
  size_t stack_bytes = 0;      ///< 0: the runtime's
};

/// Starts a task. A safepoint; does not wait. Of the tasks that one has spawned
/// the last mostly begins first: there is no order to rely on. Ends the process
/// with a message when Options::max_tasks is reached or memory is gone.
template <bool kCatch = TRI_DETAIL_EXCEPTIONS, class F, class... Args>
auto spawn(Mutator& mu, const SpawnOptions& options, F fn, Args... args) {
  detail::SpawnRequest request;
  request.name = options.name;
  request.stack_bytes = options.stack_bytes;
  return Task<typename detail::SpawnThunk<F, Args...>::Result>(
      detail::spawn_packed<kCatch>(mu, request, fn, args...));
}
template <bool kCatch = TRI_DETAIL_EXCEPTIONS, class F, class... Args>
requires(!std::is_same_v<F, SpawnOptions>) auto spawn(Mutator& mu, F fn,
                                                      Args... args) {
  return Task<typename detail::SpawnThunk<F, Args...>::Result>(
      detail::spawn_packed<kCatch>(mu, {}, fn, args...));
}

/// Waits for a task and takes its result; suspends. The Task is spent: joining
/// it again is a misuse. Throws here what has left the task's body. A task that
/// ended by goexit gives zeros: try_join() of task_end.h tells them from a
/// value.
template <class R, bool kThrow = TRI_DETAIL_EXCEPTIONS>
R join(Mutator& mu, Task<R>& task) {
  const detail::TaskRef ref = task.release();
  detail::Failure failure;
  alignas(16) unsigned char result[16];
  constexpr size_t kBytes = detail::result_bytes<R>();
  if (detail::join(mu, ref, result, kBytes, &failure) == Outcome::kFailed) {
    detail::raise_failure<kThrow>(mu, ref.id, failure);
  }
  if constexpr (!std::is_void_v<R>) {
    return *std::launder(reinterpret_cast<R*>(result));
  }
}

/// Waits for the task's end without taking its result: then join() does not
/// wait. kOk, kTimeout or kCancelled. Suspends.
template <class R>
WaitResult wait_for(Mutator& mu, Task<R>& task, Deadline deadline = {}) {
  return detail::wait_for(mu, task.ref(), deadline);
}

/// The id of the calling task, which no other of the runtime ever has (in a
/// coroutine: of the task that runs it; on an attached thread: the thread's).
uint64_t task_id(Mutator& mu);

/// The name of the calling task, coroutine or attached thread, for dumps; 31
/// bytes of it are copied. Null or "": none. The pointer is good until the next
/// set_task_name or the end of the task; "" if there is none. Any mode.
void set_task_name(Mutator& mu, const char* name);
const char* task_name(Mutator& mu);

/// Whom to cancel, for any number of holders: a task that somebody joins, or
/// that was detached, has no Task to name it by. A copy of a word or two; good
/// for as long as the runtime is, also when the task has ended.
class CancelHandle {
 public:
  explicit CancelHandle(detail::TaskRef ref) : ref_(ref) {}
  template <class R>
  explicit CancelHandle(const Task<R>& task) : ref_(task.ref()) {}
  detail::TaskRef ref() const { return ref_; }

 private:
  detail::TaskRef ref_;
};
/// Of the calling task (in a coroutine, of the one that runs it) or thread.
CancelHandle cancel_handle(Mutator& mu);

/// Asks the task to end: the wait that it is in, and all that would begin, end
/// with kCancelled, but those that say that they do not. What it does then is
/// its own affair. Nothing if it has ended. Any thread; does not wait.
template <class R>
void cancel(Task<R>& task) {
  detail::cancel(task.ref());
}
inline void cancel(const CancelHandle& handle) { detail::cancel(handle.ref()); }
/// Whether somebody has asked the calling task so.
bool is_cancelled(const Mutator& mu);

}  // namespace tricolor

#endif  // TRICOLOR_TASK_H_
