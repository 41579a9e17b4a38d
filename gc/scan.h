// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Scanning: calls a visitor for every managed pointer in a cell, in a stretch
// of words, or among an owner's roots. Shared by the markers (through their
// list of edges) and by the second mark (gc/checkmark.cc), so that both see the
// same edges.
//
// Words are read one by one with relaxed loads (acquire under
// ThreadSanitizer), beside the mutators: see tricolor/field.h for what makes
// the cell behind a fresh pointer readable.
#ifndef TRICOLOR_GC_SCAN_H_
#define TRICOLOR_GC_SCAN_H_

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "gc/mark_worker.h"
#include "gc/root_owner.h"
#include "heap/heap.h"
#include "tricolor/layout.h"

namespace tricolor {

/// The private door between Tracer and the collector.
struct TracerAccess {
  static Tracer make(gc::TracerImpl* impl) { return Tracer(impl); }
  static gc::TracerImpl* impl(const Tracer& t) {
    return static_cast<gc::TracerImpl*>(t.impl_);
  }
};

namespace gc {

inline uint64_t load_word(const uint64_t* p) {
  return __atomic_load_n(p, TRI_DETAIL_SLOT_LOAD);
}

template <class Visit>
inline void scan_pointers(const uint64_t* words, size_t n, Visit&& visit) {
  for (size_t i = 0; i < n; ++i) {
    visit(reinterpret_cast<void*>(load_word(&words[i])));
  }
}

/// A value of 16 bytes. Its writer may be between the two words; see
/// tricolor/encoding.h for why half of each value is good enough.
template <class Visit>
inline void scan_pair(const Encoding& e, const uint64_t* at, Visit&& visit) {
  void* cell = heap::decode_pair(e, load_word(at + e.tag_offset / 8),
                                 load_word(at + e.payload_offset / 8));
  if (cell != nullptr) visit(cell);
}

// Out of line, as is scan_elements: the loops over words, which most heaps have
// and no others, keep their registers. Those are inlined by force, for the
// compiler thinks them too many by now: a call more for each cell.
template <class Visit>
TRI_NOINLINE void scan_pairs(const Encoding& e, const uint64_t* words, size_t n,
                             Visit& visit) {
  for (size_t i = 0; i + 2 <= n; i += 2) scan_pair(e, &words[i], visit);
}

template <class Visit>
TRI_NOINLINE void scan_pairs_at(const Encoding& e, const uint64_t* words,
                                uint64_t bits, Visit& visit) {
  for (; bits != 0; bits &= bits - 1) {
    scan_pair(e, &words[__builtin_ctzll(bits)], visit);
  }
}

/// Calls f(rule), where rule(word) is the managed pointer in a word, as a word,
/// or 0.
/// One instance of f for each kind: the rule's constants are in registers, and
/// what is no pointer is computed, not branched on.
template <class F>
TRI_ALWAYS_INLINE void with_rule(const Encoding& e, F&& f) {
  const uint64_t mask = e.payload_mask;
  switch (e.kind) {
    case EncodingKind::kRaw:
      f([mask](uint64_t word) { return word & mask; });
      return;
    case EncodingKind::kRange: {
      const uint64_t lo = e.range_lo;
      const uint64_t span = e.range_hi - e.range_lo;
      f([mask, lo, span](uint64_t word) {
        return word & mask & (0 - uint64_t{word - lo <= span});
      });
      return;
    }
    case EncodingKind::kTagSet: {
      const uint64_t set[4] = {e.tag_set[0], e.tag_set[1], e.tag_set[2],
                               e.tag_set[3]};
      const uint8_t shift = e.tag_shift;
      const uint8_t tags = e.tag_mask;
      f([mask, &set, shift, tags](uint64_t word) {
        const uint64_t tag = word >> shift & tags;
        const uint64_t all = 0 - (set[tag >> 6] >> (tag & 63) & 1);
        return word & mask & all;
      });
      return;
    }
  }
}

template <class Visit>
TRI_ALWAYS_INLINE void scan_encoded(const Encoding& e, const uint64_t* words,
                                    size_t n, Visit&& visit) {
  if (TRI_UNLIKELY(e.stride == 16)) return scan_pairs(e, words, n, visit);
  with_rule(e, [&](auto&& rule) {
    for (size_t i = 0; i < n; ++i)
      visit(reinterpret_cast<void*>(rule(load_word(&words[i]))));
  });
}

template <class Visit>
TRI_ALWAYS_INLINE void scan_pointers_at(const uint64_t* words, uint64_t bits,
                                        Visit&& visit) {
  for (; bits != 0; bits &= bits - 1) {
    visit(reinterpret_cast<void*>(load_word(&words[__builtin_ctzll(bits)])));
  }
}

template <class Visit>
TRI_ALWAYS_INLINE void scan_encoded_at(const Encoding& e, const uint64_t* words,
                                       uint64_t bits, Visit&& visit) {
  if (TRI_UNLIKELY(e.stride == 16)) {
    return scan_pairs_at(e, words, bits, visit);
  }
  with_rule(e, [&](auto&& rule) {
    for (; bits != 0; bits &= bits - 1) {
      visit(reinterpret_cast<void*>(
          rule(load_word(&words[__builtin_ctzll(bits)]))));
    }
  });
}

/// Words [from, to) of a cell whose tail is of kElements. A piece may begin and
/// end inside an element.
template <class Visit>
TRI_NOINLINE void scan_elements(const heap::LayoutTable& layouts,
                                const heap::HotLayout& hot,
                                const uint64_t* words, size_t from, size_t to,
                                Visit& visit) {
  const heap::TailPattern pattern = *hot.pattern;
  const Encoding& e = layouts.encoding(hot.encoding);
  auto element = [&](const uint64_t* at, uint64_t mask) {
    scan_pointers_at(at, pattern.pointers & mask, visit);
    const uint64_t encoded = pattern.encoded & mask;
    if (encoded != 0) scan_encoded_at(e, at, encoded, visit);
  };
  constexpr uint64_t kAll = ~uint64_t{0};
  const size_t in = (from - hot.head_bytes / 8) % pattern.words;
  if (in != 0) {
    const size_t left = pattern.words - in;
    const size_t n = left < to - from ? left : to - from;
    element(words + from - in, kAll >> (64 - n) << in);
    from += n;
  }
  for (; to - from >= pattern.words; from += pattern.words) {
    element(words + from, kAll);
  }
  if (from < to) element(words + from, kAll >> (64 - (to - from)));
}

/// Words [from, to) of a cell whose scan is by words of one kind or whose head
/// is over: the piece of a large array.
template <class Visit>
TRI_ALWAYS_INLINE void scan_tail(const heap::LayoutTable& layouts,
                                 const heap::HotLayout& hot,
                                 const uint64_t* words, size_t from, size_t to,
                                 Visit&& visit) {
  TRI_ASSERT(from <= to);
  if (TRI_UNLIKELY(from >= to)) return;
  bool encoded = hot.kind == heap::ScanKind::kAllEncoded ||
                 hot.tail == LayoutSpec::Tail::kEncoded;
  if (encoded) {
    scan_encoded(layouts.encoding(hot.encoding), words + from, to - from,
                 visit);
  } else if (hot.kind == heap::ScanKind::kAllPointers ||
             hot.tail == LayoutSpec::Tail::kPointers) {
    scan_pointers(words + from, to - from, visit);
  } else if (hot.tail == LayoutSpec::Tail::kElements) {
    scan_elements(layouts, hot, words, from, to, visit);
  }
}

template <class Visit>
inline void scan_head(const heap::LayoutTable& layouts,
                      const heap::HotLayout& hot, const uint64_t* words,
                      Visit&& visit) {
  scan_pointers_at(words, hot.head_pointers, visit);
  if (hot.head_encoded == 0) return;
  scan_encoded_at(layouts.encoding(hot.encoding), words, hot.head_encoded,
                  visit);
}

/// What a cell of ScanKind::kWeak keeps alive whatever else lives.
template <class Visit>
TRI_NOINLINE void scan_strong(const heap::LayoutTable& layouts, LayoutId layout,
                              const void* cell, size_t bytes, Visit&& visit) {
  using Strength = LayoutSpec::Strength;
  const heap::HotLayout& hot = layouts.hot(layout);
  const heap::ColdLayout& cold = layouts.cold(layout);
  auto* words = static_cast<const uint64_t*>(cell);
  if (cold.head_strength == Strength::kStrong) {
    scan_head(layouts, hot, words, visit);
  }
  if (cold.tail_strength == Strength::kStrong) {
    scan_tail(layouts, hot, words, hot.head_bytes / 8, bytes / 8, visit);
  }
}

/// Every strong edge of a cell. `tracer` reports the same edges as `visit`; it
/// is what a custom trace function gets.
template <class Visit>
inline void scan_cell(heap::Heap* heap, TracerImpl* tracer,
                      const heap::HotLayout& hot, LayoutId layout, void* cell,
                      size_t bytes, Visit&& visit) {
  if (TRI_ASAN && heap->is_released(cell)) return;  // poisoned
  auto* words = static_cast<const uint64_t*>(cell);
  const heap::LayoutTable& layouts = heap->layouts();
  switch (hot.kind) {
    case heap::ScanKind::kNoscan:
      return;
    case heap::ScanKind::kHeadPointers:
      scan_pointers_at(words, hot.head_pointers, visit);
      return;
    case heap::ScanKind::kAllPointers:
    case heap::ScanKind::kAllEncoded:
      scan_tail(layouts, hot, words, 0, bytes / 8, visit);
      return;
    case heap::ScanKind::kElements:
    case heap::ScanKind::kMixed:
      scan_head(layouts, hot, words, visit);
      scan_tail(layouts, hot, words, hot.head_bytes / 8, bytes / 8, visit);
      return;
    case heap::ScanKind::kCustom: {
      // A stale Local may lead here: nothing in a released cell means anything
      // to a trace function.
      if (TRI_UNLIKELY(heap->is_released(cell))) return;
      Tracer t = TracerAccess::make(tracer);
      hot.trace(t, cell, bytes, layouts.cold(layout).user);
      return;
    }
    case heap::ScanKind::kWeak:
      scan_strong(layouts, layout, cell, bytes, visit);
      return;
  }
}

/// Calls fn(words, n) for the words of an owner that are bare pointers: all its
/// roots but the value stack. The caller has suspended it, or is it.
template <class Fn>
inline void each_owner_range(RootOwner* owner, Fn&& fn) {
  auto slots = [&fn](void** from, void** to) {
    fn(reinterpret_cast<const uint64_t*>(from), static_cast<size_t>(to - from));
  };
  void** top = owner->mu.shadow_top;
  for (ShadowChunk* c = owner->shadow_chunk; c != nullptr; c = c->prev) {
    slots(c->slots(), top);
    top = c->saved_top;
  }
  slots(owner->inline_slots + 1, top);
  for (const uint64_t* word : {&owner->result_root, &owner->self_root,
                               &owner->wait_root, &owner->waits_for}) {
    fn(word, size_t{1});
  }
}

/// Every root of an owner the caller has suspended (or is).
template <class Visit>
inline void scan_owner_roots(heap::Heap* heap, RootOwner* owner,
                             Visit&& visit) {
  tri_mutator& mu = owner->mu;
  each_owner_range(owner, [&visit](const uint64_t* words, size_t n) {
    scan_pointers(words, n, visit);
  });
  if (tri_value_stack* vs = mu.value_stack) {
    scan_encoded(
        heap->layouts().encoding(static_cast<EncodingId>(vs->encoding)),
        vs->base, static_cast<size_t>(vs->top - vs->base), visit);
  }
}

}  // namespace gc
}  // namespace tricolor

#endif  // TRICOLOR_GC_SCAN_H_
