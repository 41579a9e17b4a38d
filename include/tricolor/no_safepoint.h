// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// NoSafepointScope: the promise that no safepoint lies in a stretch of code, so
// that raw pointers to cells may be held there without a Local.
//
//   {
//     NoSafepointScope scope(mu);
//     Node* n = list->head.load();          // unrooted, and good to the brace
//     n->next.store(mu, find(table, n));    // find() must not allocate
//   }
//
// In every build a call inside that may collect or suspend ends the process and
// says which: any allocation, also one that would have found room without; poll
// and all that parks; collect, step; a bulk call that is long enough to poll.
// Loads and stores, shade() and release() are free, and so is a Mutex that
// nobody holds.
//
// The P waits for nobody meanwhile, and everybody waits for it at the next stop
// of the world: a stretch is to be short. Scopes nest. None is left by longjmp
// or a switch of stacks. Costs a few stores; a call in native code is a misuse.
// Source of the idea: V8's DisallowGarbageCollection, which checking builds
// have alone.
#ifndef TRICOLOR_NO_SAFEPOINT_H_
#define TRICOLOR_NO_SAFEPOINT_H_

#include "tricolor/detail/mutator.h"
#include "tricolor/tricolor_tasks.h"

namespace tricolor {

class NoSafepointScope {
 public:
  explicit NoSafepointScope(Mutator& mu)
      : mu_(mu), began_(tri_no_safepoint_begin(&mu)) {}
  ~NoSafepointScope() { tri_no_safepoint_end(&mu_, began_); }
  NoSafepointScope(const NoSafepointScope&) = delete;
  NoSafepointScope& operator=(const NoSafepointScope&) = delete;

 private:
  Mutator& mu_;
  bool began_;
};

}  // namespace tricolor

#endif  // TRICOLOR_NO_SAFEPOINT_H_
