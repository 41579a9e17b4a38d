// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// WeakWords: which words of a cell are held with a given strength, and how each
// is read. For cells whose layout is ScanKind::kWeak.
#ifndef TRICOLOR_GC_WEAK_WORDS_H_
#define TRICOLOR_GC_WEAK_WORDS_H_

#include <cstddef>
#include <cstdint>

#include "heap/layout_table.h"

namespace tricolor::gc {

class WeakWords {
 public:
  using Strength = LayoutSpec::Strength;

  WeakWords(const heap::LayoutTable& layouts, LayoutId layout)
      : hot_(layouts.hot(layout)),
        cold_(layouts.cold(layout)),
        raw_(layouts.encoding(kRawPointers)),
        encoded_(layouts.encoding(hot_.encoding)) {}

  bool any(Strength s) const {
    return cold_.head_strength == s || cold_.tail_strength == s;
  }
  uint32_t cleared_count() const { return cold_.cleared_count; }

  /// How word `i` is read, or null if it is not of strength `s`.
  const Encoding* at(size_t i, Strength s) const {
    const size_t head = hot_.head_bytes / 8;
    if (i < head) {
      if (cold_.head_strength != s || i >= heap::kMaxHeadWords) return nullptr;
      return of_bits(hot_.head_pointers, hot_.head_encoded, i);
    }
    if (cold_.tail_strength != s) return nullptr;
    switch (hot_.tail) {
      case LayoutSpec::Tail::kPointers:
        return &raw_;
      case LayoutSpec::Tail::kEncoded:
        return &encoded_;
      case LayoutSpec::Tail::kElements: {
        const heap::TailPattern& p = *hot_.pattern;
        return of_bits(p.pointers, p.encoded, (i - head) % p.words);
      }
      default:
        return nullptr;
    }
  }

 private:
  const Encoding* of_bits(uint64_t pointers, uint64_t encoded, size_t i) const {
    if ((pointers >> i & 1) != 0) return &raw_;
    return (encoded >> i & 1) != 0 ? &encoded_ : nullptr;
  }

  const heap::HotLayout& hot_;
  const heap::ColdLayout& cold_;
  const Encoding& raw_;
  const Encoding& encoded_;
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_WEAK_WORDS_H_
