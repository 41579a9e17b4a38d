// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Runtime: one managed heap with its collector, scheduler, stacks and poller.
// An object, not a process-wide state: create, run and destroy any number,
// several at once; nothing is left behind.
//
//   tricolor::RuntimePtr rt = tricolor::Runtime::create({});
//   rt->run([](tricolor::Mutator& mu) { ... });
#ifndef TRICOLOR_RUNTIME_H_
#define TRICOLOR_RUNTIME_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "tricolor/detail/failure.h"
#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"
#include "tricolor/error.h"
#include "tricolor/layout.h"
#include "tricolor/options.h"

namespace tricolor {

struct RuntimeDeleter {
  void operator()(Runtime* rt) const;
};
using RuntimePtr = std::unique_ptr<Runtime, RuntimeDeleter>;

class Runtime {
 public:
  /// Null on failure, with the reason in *error if given. Owns no thread until
  /// a cell is allocated or a task spawned. Any thread.
  static RuntimePtr create(const Options& options, Error* error = nullptr);

  /// Runs `main` as a task with the calling thread as its first worker, and
  /// returns when `main` has; other tasks go on if background threads exist.
  /// The calling thread must not be attached to this runtime. `main` is any
  /// callable taking Mutator&; run throws what it throws.
  template <bool kCatch = TRI_DETAIL_EXCEPTIONS, class F>
  void run(F&& main) {
    struct Call {
      std::remove_reference_t<F>* fn;
      detail::Failure failure;
    } call{&main, {}};
    run_main(
        [](Mutator& mu, void* ctx) {
          auto* call = static_cast<Call*>(ctx);
          bool exited = false;
          call->failure =
              detail::call_caught<kCatch>(&exited, [&] { (*call->fn)(mu); });
        },
        &call);
#if TRI_DETAIL_EXCEPTIONS
    if constexpr (kCatch) {
      if (call.failure.kind != nullptr) {
        call.failure.kind->rethrow(call.failure.word);
      }
    }
#endif
  }

  /// Registers a layout. Any thread; may not be called inside a trace function.
  /// Calls spec.trace, if there is one. On a bad spec returns kInvalidLayout;
  /// the error names the field.
  LayoutId register_layout(const LayoutSpec& spec, Error* error = nullptr);

  /// Registers how this VM encodes values; kInvalidEncoding on a bad one.
  EncodingId register_encoding(const Encoding& encoding,
                               Error* error = nullptr);
  static constexpr EncodingId kInvalidEncoding = 0xff;

  /// The `user` pointer and name of a layout; the name is that of the first
  /// registration where several were merged (LayoutSpec::distinct).
  void* layout_user(LayoutId id) const;
  const char* layout_name(LayoutId id) const;

  /// Ps now; set by Options::max_procs, the environment, or this:
  uint32_t max_procs() const;

  /// Changes the number of Ps, from 1 to 1024; 0: does not. Returns the old
  /// one. Any thread (one that is not in this runtime is attached for the
  /// call). Stops the world for a moment. When it returns no more tasks than
  /// that run; so it waits, in native code, until those that hold Ps beyond the
  /// number reach a safepoint. A task may find itself on another thread. Of two
  /// calls at once one is the last. Where memory is refused there are fewer Ps:
  /// see max_procs().
  uint32_t set_max_procs(uint32_t n);

  /// Runs one full collection, as collect(mu) in tricolor/gc.h, from any
  /// thread: one that is not in this runtime is attached for the call.
  void collect();

  /// Changes the GC percent; returns the old one. kGcOff, or like Go's
  /// SetGCPercent any negative number: off. Any thread.
  int set_gc_percent(int percent);

  /// Changes the soft limit (Options::memory_limit_bytes); takes effect at
  /// once. Returns the old one. Any thread.
  uint64_t set_memory_limit(uint64_t bytes);

  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

 private:
  friend struct RuntimeDeleter;
  friend struct RuntimeImpl;
  Runtime() = default;
  ~Runtime() = default;
  void run_main(void (*fn)(Mutator&, void*), void* ctx);
};

/// The runtime a mutator belongs to.
inline Runtime& runtime_of(Mutator& mu) {
  return *reinterpret_cast<Runtime*>(mu.runtime);
}

/// The Mutator of the calling task or attached thread of the innermost runtime
/// entered on this thread; null if there is none. Never cache it across a call
/// that may suspend: a task may continue on another thread.
Mutator* current();

}  // namespace tricolor

#endif  // TRICOLOR_RUNTIME_H_
