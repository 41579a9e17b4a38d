// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/conservative.h. A stack is scanned once in a cycle, as a shadow stack
// is, and for the same reason that is enough: what a grey owner stores
// elsewhere is shaded by the insertion half of its barrier, and a black one
// gets pointers from where the snapshot reaches, or new (black) ones.
//
// A scan of a suspended owner is not interrupted, since the owner cannot run
// meanwhile: 2 ns a word, 20 if it is a cell's address (measured, see there).
//
// AddressSanitizer: the variables of a frame lie in the frame, unless
// detect_stack_use_after_return is on, which these scans do not follow.
#include "gc/conservative.h"

#include "base/check.h"
#include "gc/collector_impl.h"
#include "stacks/spill.h"

namespace tricolor::gc {
namespace {

constexpr size_t kWordsAtATime = 64;

// Out of others' frames: red zones, dead variables, and what a sanitizer takes
// for a race with an owner that is suspended. Volatile: else the compiler makes
// it a memcpy, which sanitizers check.
TRI_NOINLINE TRI_NO_SANITIZE_ADDRESS TRI_NO_SANITIZE_THREAD void copy_words(
    const uint64_t* from, size_t n, uint64_t* to) {
  const volatile uint64_t* words = from;
  for (size_t i = 0; i < n; ++i) to[i] = words[i];
}

}  // namespace

size_t visit_words_conservatively(heap::Heap* heap, const void* from,
                                  const void* to, bool marked_only,
                                  VisitCell visit, void* arg) {
  const heap::AddressSpace& space = heap->space();
  const size_t committed = space.committed_bytes();
  const auto* at = static_cast<const uint64_t*>(from);
  const auto* end = static_cast<const uint64_t*>(to);
  TRI_ASSERT(at <= end && reinterpret_cast<uintptr_t>(at) % 8 == 0);
  uint64_t words[kWordsAtATime];
  while (at < end) {
    const auto left = static_cast<size_t>(end - at);
    const size_t n = left < kWordsAtATime ? left : kWordsAtATime;
    copy_words(at, n, words);
    at += n;
    for (size_t i = 0; i < n; ++i) {
      const void* p = reinterpret_cast<const void*>(words[i]);
      if (TRI_LIKELY(space.offset_of(p) >= committed)) continue;
      void* cell = heap->cell_around(p);
      if (cell == nullptr) continue;
      if (marked_only && base::load_relaxed(space.mark_of(
                             space.offset_of(cell))) != heap->cur()) {
        continue;
      }
      visit(arg, cell);
    }
  }
  return static_cast<size_t>(static_cast<const char*>(to) -
                             static_cast<const char*>(from));
}

size_t CollectorImpl::visit_native_roots(RootOwner* owner, VisitCell visit,
                                         void* arg) {
  if (TRI_LIKELY(!world.conservative && !owner->async_stopped)) return 0;
  // Who marks (settling does, too: a coroutine may be resurrected) takes every
  // word. The second mark follows marked cells only: a word that has come up in
  // a frame since the scan may be a stale one, and no root.
  const bool marked_only =
      phase() != Phase::kMark && weak.step != SettleStep::kRevive;
  size_t bytes = 0;
  stacks::spill_call([&](char* here) {
    NativeRoots roots;
    world.native_roots(world.ctx, owner, here, &roots);
    for (uint32_t i = 0; i < roots.count; ++i) {
      bytes += visit_words_conservatively(heap, roots.ranges[i].from,
                                          roots.ranges[i].to, marked_only,
                                          visit, arg);
    }
  });
  return bytes;
}

void CollectorImpl::shade_native_words(ProcGc* p, const void* from,
                                       size_t bytes) {
  if (TRI_LIKELY(!world.conservative || p->barrier_on == 0)) return;
  visit_words_conservatively(
      heap, from, static_cast<const char*>(from) + bytes,
      /*marked_only=*/false,
      [](void* worker, void* cell) {
        static_cast<MarkWorker*>(worker)->shade(cell);
      },
      &p->worker);
}

}  // namespace tricolor::gc
