// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Mounting a value stack on a G. It is a root of that G and goes with it.
#include "tricolor/value_stack.h"

#include "base/check.h"
#include "sched/runtime.h"

namespace tricolor {

void sched::drop_value_stack(RuntimeImpl* rt, G* g) {
  tri_value_stack& stack = g->value_stack;
  if (stack.base == nullptr) return;
  stacks::ValueBlock block;
  block.lo = reinterpret_cast<char*>(stack.base);
  block.bytes =
      static_cast<size_t>(stack.limit - stack.base) * sizeof(uint64_t);
  block.klass = g->value_class;
  g->mu.value_stack = nullptr;
  stack = tri_value_stack{};
  rt->stacks.put_value(block);
}

ValueStack* mount_value_stack(Mutator& mu, size_t bytes, EncodingId encoding) {
  RuntimeImpl* rt = impl_of(mu);
  sched::G* g = sched::g_of(&mu);
  if (mu.p == nullptr) {
    sched::misused_mutator(mu, "mount_value_stack");
  }
  if (g->value_stack.base != nullptr) {
    TRI_MISUSE("mount_value_stack", "this task has a value stack already");
  }
  if (encoding >= rt->heap->layouts().encoding_count()) {
    TRI_MISUSE("mount_value_stack", "encoding %u is not registered", encoding);
  }
  if (rt->heap->layouts().encoding(encoding).stride != sizeof(uint64_t)) {
    TRI_MISUSE("mount_value_stack",
               "encoding %u is that of values of 16 bytes; a value stack holds "
               "words",
               encoding);
  }
  const stacks::ValueBlock block = rt->stacks.get_value(bytes);
  if (block.lo == nullptr) return nullptr;
  auto* words = reinterpret_cast<uint64_t*>(block.lo);
  g->value_class = block.klass;
  g->value_stack.base = words;
  g->value_stack.top = words;
  g->value_stack.limit = words + block.bytes / sizeof(uint64_t);
  g->value_stack.encoding = encoding;
  mu.value_stack = &g->value_stack;
  return mu.value_stack;
}

}  // namespace tricolor
