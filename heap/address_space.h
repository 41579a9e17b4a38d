// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// AddressSpace: one runtime's contiguous range of pages for cells, and the flat
// side tables indexed by it. address -> page is a subtraction and a shift.
//
//   base                                   committed              reserved
//   | page 0 (never used) | page 1 | ...  |  PROT_NONE ...        |
//   marks:  1 byte  per 16 bytes of heap
//   entries: 4 bytes per page (layout, class, kind)
//   spans:  48 bytes per page (used at a span's first page)
//
// Invariants
// 1. Tables are committed for exactly the pages that are committed, so an
//    offset below committed_bytes() may index any of them.
// 2. committed_bytes() only grows while the runtime lives.
//
// Threads: grow() under the heap lock; committed_bytes() from anywhere.
#ifndef TRICOLOR_HEAP_ADDRESS_SPACE_H_
#define TRICOLOR_HEAP_ADDRESS_SPACE_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "heap/mixed.h"
#include "heap/span.h"
#include "tricolor/error.h"
#include "tricolor/options.h"

namespace tricolor::heap {

inline constexpr size_t kPageShift = 13;
inline constexpr size_t kPageBytes = size_t{1} << kPageShift;
inline constexpr size_t kGranuleShift = 4;  // one mark byte per 16 bytes
inline constexpr size_t kOsPageBytes = 4096;
inline constexpr size_t kGrowBytes = size_t{4} << 20;
/// See HugePages::kTables.
inline constexpr size_t kHugeTablesFrom = size_t{512} << 20;
inline constexpr size_t kReserveMin = size_t{64} << 20;
inline constexpr size_t kReserveMax = size_t{256} << 30;

/// What else will be mapped, for which a reservation leaves room where the
/// process has a limit on its address space.
struct AddressRoom {
  size_t least = 0;  ///< without which nothing can be allocated
  size_t all = 0;    ///< and for all Ps
};

class AddressSpace {
 public:
  /// Reserves `bytes`, halving on refusal down to 64 MiB. 0: 8 times the memory
  /// there is, at most 256 GiB, and less where a process has hundreds of heaps.
  bool init(size_t bytes, HugePages huge_pages, Error* error,
            const AddressRoom& room = {});
  void destroy();

  /// Commits at least `bytes` more; false if the OS or the reservation refuses.
  bool grow(size_t bytes);

  char* base() const { return base_; }
  size_t reserved_bytes() const { return reserved_; }
  size_t committed_bytes() const {
    // ORDER-commit-1: pairs with grow(). Relaxed: a reader that got its pointer
    // from a published cell is ordered after the commit by that publication;
    // others only see "outside".
    return committed_.load_relaxed();
  }
  size_t committed_pages() const { return committed_bytes() >> kPageShift; }

  /// The offset of `p`, which the caller compares with committed_bytes();
  /// addresses below base wrap to huge values.
  size_t offset_of(const void* p) const {
    return static_cast<size_t>(static_cast<const char*>(p) - base_);
  }
  bool contains(const void* p) const {
    return offset_of(p) < committed_bytes();
  }
  char* page_address(size_t page) const { return base_ + (page << kPageShift); }
  uint8_t* mark_of(size_t offset) const {
    return marks_ + (offset >> kGranuleShift);
  }
  /// Of a small cell or a large object at `offset`, whose page entry is `bits`.
  uint32_t layout_at(uint32_t bits, size_t offset) const {
    return TRI_LIKELY(!PageEntry::is_mixed(bits))
               ? PageEntry::layout(bits)
               : base::load_relaxed(layout_id(bits, offset));
  }
  /// Gives the ids of pages [from, to) back, multiples of 128, all free.
  void discard_ids(size_t from, size_t to);
  /// Where the id of a cell in a mixed span lies.
  uint16_t* layout_id(uint32_t bits, size_t offset) const {
    const uint32_t c = PageEntry::size_class(bits);
    if (c >= MixedClasses::kCount || kMixedClasses.of[c].pages == 0) {
      return &ids_[offset >> kSideIdShift];
    }
    const size_t page = (offset >> kPageShift) - PageEntry::layout(bits);
    const MixedClass& m = kMixedClasses.of[c];
    auto* ids = reinterpret_cast<uint16_t*>(page_address(page) + m.ids_at);
    return &ids[(offset - (page << kPageShift)) >> m.shift];
  }
  PageEntry* entry(size_t page) const { return &entries_[page]; }
  Span* span(size_t page) const { return &spans_[page]; }

 private:
  bool reserve(size_t bytes, size_t room);
  bool reserve_tables();
  bool commit_range(size_t from, size_t to);
  void advise_huge(size_t from, size_t to);

  // Immutable after init.
  HugePages huge_pages_ = HugePages::kOff;
  char* base_ = nullptr;
  size_t reserved_ = 0;
  uint8_t* marks_ = nullptr;
  PageEntry* entries_ = nullptr;
  Span* spans_ = nullptr;
  uint16_t* ids_ = nullptr;  // of cells in mixed spans
  // Written under the heap lock; read from anywhere.
  base::Atomic<size_t> committed_{0};
};

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_ADDRESS_SPACE_H_
