// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// RuntimeBase: the first base of the runtime object, so that the layers below
// sched find their part from a Runtime& or a Mutator&. Immutable after create.
#ifndef TRICOLOR_GC_RUNTIME_BASE_H_
#define TRICOLOR_GC_RUNTIME_BASE_H_

#include <cstddef>

#include "heap/misuse.h"
#include "tricolor/detail/mutator.h"

namespace tricolor {
class Runtime;
namespace heap {
class Heap;
}
namespace gc {

class Collector;

struct RuntimeBase {
  heap::Heap* heap = nullptr;
  Collector* collector = nullptr;
};

using heap::misuse_in_native;

/// The embedder's handler, then the end. Not under a Scope: the handler may
/// throw or longjmp, and the library's frames have no cleanups.
[[noreturn]] void out_of_memory(const tri_mutator& mu, size_t bytes);

inline RuntimeBase* runtime_base(const tri_mutator* mu) {
  return reinterpret_cast<RuntimeBase*>(mu->runtime);
}
inline RuntimeBase* runtime_base(const Runtime& rt) {
  return reinterpret_cast<RuntimeBase*>(const_cast<Runtime*>(&rt));
}

}  // namespace gc
}  // namespace tricolor

#endif  // TRICOLOR_GC_RUNTIME_BASE_H_
