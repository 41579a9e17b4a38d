// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Value stacks: mounting, growing, shrinking. One is a root of its G and goes
// with it.
//
// Why a stack may move while a cycle marks. Its owner runs, so no marker looks
// at it (a scan that had begun was forgotten when it began to run); what is
// black stays so, for the words are the same. The old block may be another
// owner's at once.
#include "sched/value_stack.h"

#include <cstring>

#include "base/check.h"
#include "base/sched_point.h"
#include "sched/runtime.h"
#include "tricolor/allocate.h"

namespace tricolor {
namespace sched {
namespace {

constexpr size_t kPageBytes = 4096;

// Blocks that grow are in use, to a quarter at least; one that does not may be
// large and hardly touched.
uint32_t pages_of(const ValueHeader* h) {
  const size_t bytes = h->grows != 0 ? h->bytes : 2 * kPageBytes;
  return static_cast<uint32_t>(bytes / kPageBytes);
}

// To the memory limit; those of coroutines to the pacer, too, for they go when
// a cycle finds their owners dead.
void count_pages(RuntimeImpl* rt, const G* g, int64_t pages) {
  const int64_t bytes = pages * static_cast<int64_t>(kPageBytes);
  if (g->kind == GKind::kCoroutine) {
    rt->collector->add_coroutine_bytes(bytes);
  } else {
    rt->value_stack_bytes.fetch_add_relaxed(static_cast<uint64_t>(bytes));
  }
}

stacks::ValueBlock block_of(const ValueHeader* h) {
  stacks::ValueBlock block;
  block.lo = reinterpret_cast<char*>(const_cast<ValueHeader*>(h));
  block.bytes = h->bytes;
  block.klass = h->klass;
  return block;
}

// `stack` has the words of the block from now on, up to its top.
void settle_in(G* g, const stacks::ValueBlock& block, size_t used) {
  auto* h = reinterpret_cast<ValueHeader*>(block.lo);
  tri_value_stack& stack = g->value_stack;
  stack.base = reinterpret_cast<uint64_t*>(h + 1);
  stack.top = stack.base + used;
  stack.limit = stack.base + capacity_of(h);
}

// Into a block of at least `bytes`; false: there is no memory.
bool move_stack(RuntimeImpl* rt, G* g, size_t bytes) {
  TRI_SCHED_POINT(value_stack_move);
  tri_value_stack& stack = g->value_stack;
  ValueHeader* old = header_of(stack);
  const stacks::ValueBlock block = rt->stacks.get_value(bytes);
  if (block.lo == nullptr) return false;
  const auto used = static_cast<size_t>(stack.top - stack.base);
  auto* h = reinterpret_cast<ValueHeader*>(block.lo);
  std::memcpy(block.lo, old, sizeof(ValueHeader) + used * sizeof(uint64_t));
  h->bytes = block.bytes;
  h->klass = block.klass;
  h->counted = pages_of(h);
  count_pages(rt, g, int64_t{h->counted} - int64_t{old->counted});
  settle_in(g, block, used);
  const ptrdiff_t by = block.lo - reinterpret_cast<char*>(old);
  for (detail::StackPointerLink* p = h->pointers; p != nullptr; p = p->next) {
    p->at = reinterpret_cast<uint64_t*>(reinterpret_cast<char*>(p->at) + by);
  }
  const stacks::ValueBlock gone = block_of(old);
  // Who has kept an address is to find out.
  if (TRI_UNLIKELY(rt->settings.debug.movestack != 0)) {
    std::memset(gone.lo, 0xdb, gone.bytes);
  }
  rt->stacks.put_value(gone);
  if (h->on_moved != nullptr) h->on_moved(g->mu, by, h->ctx);
  return true;
}

bool moves_for_zeal(RuntimeImpl* rt) {
  const uint32_t every = rt->settings.debug.movestack;
  return TRI_UNLIKELY(every != 0) &&
         rt->stack_zeal.fetch_add_relaxed(1) % every == 0;
}

}  // namespace

int64_t uncount_value_stack(G* g) {
  if (g->value_stack.base == nullptr) return 0;
  ValueHeader* h = header_of(g->value_stack);
  const auto bytes = static_cast<int64_t>(size_t{h->counted} * kPageBytes);
  h->counted = 0;
  return bytes;
}

void drop_value_stack(RuntimeImpl* rt, G* g) {
  tri_value_stack& stack = g->value_stack;
  if (stack.base == nullptr) return;
  ValueHeader* h = header_of(stack);
  count_pages(rt, g, -int64_t{h->counted});
  for (detail::StackPointerLink* p = h->pointers; p != nullptr; p = p->next) {
    p->at = nullptr;
  }
  const stacks::ValueBlock block = block_of(h);
  g->mu.value_stack = nullptr;
  stack = tri_value_stack{};
  rt->stacks.put_value(block);
}

}  // namespace sched

ValueStack* mount_value_stack(Mutator& mu, const ValueStackOptions& options) {
  constexpr const char* kCall = "mount_value_stack";
  using sched::ValueHeader;
  RuntimeImpl* rt = impl_of(mu);
  sched::G* g = sched::g_of(&mu);
  if (mu.p == nullptr) sched::misused_mutator(mu, kCall);
  if (g->value_stack.base != nullptr) {
    TRI_MISUSE(kCall, "this task has a value stack already");
  }
  if (options.encoding >= rt->heap->layouts().encoding_count()) {
    TRI_MISUSE(kCall, "encoding %u is not registered", options.encoding);
  }
  if (rt->heap->layouts().encoding(options.encoding).stride !=
      sizeof(uint64_t)) {
    TRI_MISUSE(kCall,
               "encoding %u is that of values of 16 bytes; a value stack holds "
               "words",
               options.encoding);
  }
  if (options.limit_bytes < options.initial_bytes ||
      options.limit_bytes > kMaxValueStackBytes) {
    TRI_MISUSE(kCall,
               "a limit of %zu bytes: at least the initial %zu, at most %zu",
               options.limit_bytes, options.initial_bytes, kMaxValueStackBytes);
  }
  const bool grows = options.limit_bytes > options.initial_bytes;
  // Of one that grows the header is a part of the first size.
  size_t initial = options.initial_bytes + (grows ? 0 : sizeof(ValueHeader));
  if (initial < 2 * sizeof(ValueHeader)) initial = 2 * sizeof(ValueHeader);
  const stacks::ValueBlock block = rt->stacks.get_value(initial);
  if (block.lo == nullptr) return nullptr;
  auto* h = ::new (static_cast<void*>(block.lo)) ValueHeader{};
  h->bytes = block.bytes;
  h->klass = block.klass;
  h->least_bytes = block.bytes;
  h->grows = grows ? 1 : 0;
  // All of a block is its owner's unless it has a limit to keep to.
  h->limit_words =
      (grows ? options.limit_bytes : block.bytes) / sizeof(uint64_t);
  h->on_moved = options.on_moved;
  h->ctx = options.ctx;
  sched::settle_in(g, block, 0);
  g->value_stack.encoding = options.encoding;
  g->value_stack.grows = grows ? 1 : 0;
  h->counted = sched::pages_of(h);
  sched::count_pages(rt, g, h->counted);
  if (grows && rt->settings.debug.movestack != 0) {
    g->value_stack.limit = g->value_stack.base;
  }
  mu.value_stack = &g->value_stack;
  return mu.value_stack;
}

namespace detail {

void link_stack_pointer(Mutator& mu, StackPointerLink* link) {
  const tri_value_stack* stack = mu.value_stack;
  if (stack == nullptr || link->at < stack->base || link->at > stack->top) {
    TRI_MISUSE("StackPointer", "%p is not in the value stack of this task",
               static_cast<void*>(link->at));
  }
  sched::ValueHeader* h = sched::header_of(*stack);
  link->prev = nullptr;
  link->next = h->pointers;
  if (link->next != nullptr) link->next->prev = link;
  h->pointers = link;
}

void unlink_stack_pointer(Mutator& mu, StackPointerLink* link) {
  if (link->at == nullptr) return;  // the stack has gone before
  if (link->next != nullptr) link->next->prev = link->prev;
  if (link->prev != nullptr) {
    link->prev->next = link->next;
  } else {
    sched::header_of(*mu.value_stack)->pointers = link->next;
  }
}

}  // namespace detail
}  // namespace tricolor

bool tri_detail_value_stack_reserve(tri_mutator* mu, size_t words, bool polls) {
  using namespace tricolor;  // NOLINT: one function
  if (mu->p == nullptr) sched::misused_mutator(*mu, "reserve");
  if (mu->value_stack == nullptr) {
    TRI_MISUSE("reserve", "no value stack is mounted on this task");
  }
  if (polls) poll(*mu);
  RuntimeImpl* rt = impl_of(*mu);
  sched::G* g = sched::g_of(mu);
  tri_value_stack& stack = g->value_stack;
  sched::ValueHeader* h = sched::header_of(stack);
  const size_t capacity = sched::capacity_of(h);
  stack.limit = stack.base + capacity;
  const auto used = static_cast<size_t>(stack.top - stack.base);
  TRI_ASSERT(used <= capacity, "words were pushed that were not reserved");
  if (words > h->limit_words - used) return false;
  const size_t need = used + words;
  if (need > capacity) {
    if (stack.grows == 0) return false;
    size_t bytes = need * sizeof(uint64_t) + sizeof(*h);
    // Twice as large, or where there is no memory for that, as large as it has
    // to be.
    const bool moved =
        (bytes <= 2 * h->bytes && sched::move_stack(rt, g, 2 * h->bytes)) ||
        sched::move_stack(rt, g, bytes);
    if (!moved) return false;
  } else if (stack.grows != 0) {
    if (h->bytes > h->least_bytes && need <= capacity / 4) {
      sched::move_stack(rt, g, h->bytes / 2);
    } else if (sched::moves_for_zeal(rt)) {
      sched::move_stack(rt, g, h->bytes);
    }
  }
  if (TRI_UNLIKELY(rt->settings.debug.movestack != 0) && stack.grows != 0) {
    stack.limit = stack.base;
  }
  return true;
}
