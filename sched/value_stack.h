// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// ValueHeader: what the runtime knows of a mounted value stack. It lies in
// front of the first word and moves with it.
//
//   | ValueHeader | words [base, top) | free up to the end | rest of the block
//   | block.lo      base                top                  end_of()
//
// tri_value_stack::limit is the end, or the base where the owner is to come to
// tri_detail_value_stack_reserve(): to move it (movestack), or because a marker
// has found it too large. The owner writes it while it runs, a marker while it
// has the owner's scan bit.
#ifndef TRICOLOR_SCHED_VALUE_STACK_H_
#define TRICOLOR_SCHED_VALUE_STACK_H_

#include <cstddef>
#include <cstdint>

#include "sched/g.h"
#include "tricolor/value_stack.h"

namespace tricolor::sched {

struct ValueHeader {
  size_t bytes;        ///< of the block
  uint32_t klass;      ///< of the pool
  uint32_t counted;    ///< pages told to the collector, see count_pages()
  size_t limit_words;  ///< that it may have
  size_t least_bytes;  ///< of the block
  void (*on_moved)(Mutator& mu, ptrdiff_t bytes, void* ctx);
  void* ctx;
  detail::StackPointerLink* pointers;
  uint64_t grows;  ///< 0: it never moves
};
static_assert(sizeof(ValueHeader) == 64);

inline ValueHeader* header_of(const tri_value_stack& stack) {
  return reinterpret_cast<ValueHeader*>(stack.base) - 1;
}
/// Words it has now.
inline size_t capacity_of(const ValueHeader* h) {
  const size_t words = (h->bytes - sizeof(ValueHeader)) / sizeof(uint64_t);
  return words < h->limit_words ? words : h->limit_words;
}

/// `g` is a coroutine that has been found dead: what its stack counts for is
/// the next cycle's no more. Returns the bytes.
int64_t uncount_value_stack(G* g);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_VALUE_STACK_H_
