// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The thread-local word, see sched/tls.h, and current().
#include "sched/tls.h"

#include "base/macros.h"
#include "tricolor/runtime.h"

namespace tricolor::sched {
namespace {

__attribute__((tls_model("initial-exec"))) constinit thread_local M* t_m =
    nullptr;

}  // namespace

TRI_NOINLINE M* current_m() {
  M* m = t_m;
  // Keeps callers from believing that two calls give the same.
  __asm__ volatile("" : "+r"(m)::"memory");
  return m;
}

TRI_NOINLINE void set_current_m(M* m) {
  t_m = m;
  __asm__ volatile("" ::: "memory");
}

M* current_m_of(const RuntimeImpl* rt) {
  for (M* m = current_m(); m != nullptr; m = m->outer) {
    if (m->rt == rt) return m;
  }
  return nullptr;
}

}  // namespace tricolor::sched

namespace tricolor {

Mutator* current() {
  const sched::M* m = sched::current_m();
  return m == nullptr || m->curg == nullptr ? nullptr : &m->curg->mu;
}

}  // namespace tricolor
