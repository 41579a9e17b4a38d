// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// LayoutTable: a runtime's registered layouts and encodings. The hot half of a
// layout (what the marker reads per cell) is 32 bytes. What a layout costs
// besides: docs/life-of-an-allocation.md.
//
// Invariants: entries below count() never change once count() covers them.
// Threads: registration under a lock (rank kLayouts); reads from anywhere.
#ifndef TRICOLOR_HEAP_LAYOUT_TABLE_H_
#define TRICOLOR_HEAP_LAYOUT_TABLE_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"
#include "base/meta_arena.h"
#include "tricolor/encoding.h"
#include "tricolor/error.h"
#include "tricolor/layout.h"

namespace tricolor::heap {

inline constexpr uint32_t kMaxLayouts = 4352;  // id 0 is "not registered"
inline constexpr uint32_t kMaxEncodings = 64;
inline constexpr uint32_t kMaxHeadWords = 64;

enum class ScanKind : uint8_t {
  kNoscan,
  kHeadPointers,  ///< head_pointers only, no tail
  kAllPointers,   ///< every word is a raw pointer
  kAllEncoded,    ///< every word is an encoded value
  kMixed,         ///< head bitmaps of both kinds, then a tail of one kind
  kElements,      ///< head bitmaps of both kinds, then elements, all alike
  kCustom,
  kWeak,  ///< some words do not keep their target: ColdLayout says which
};

/// One element of a tail of kElements: bit i is its word i.
struct TailPattern {
  uint64_t pointers;
  uint64_t encoded;  ///< 16-byte values: the bit of the first word
  uint32_t words;    ///< of an element; 0: no such tail
};

struct alignas(32) HotLayout {
  ScanKind kind;
  EncodingId encoding;
  LayoutSpec::Tail tail;
  uint8_t flags;  ///< LayoutFlags
  uint32_t head_bytes;
  uint64_t head_pointers;  ///< bit i: word i is a raw pointer
  uint64_t head_encoded;   ///< bit i: an encoded value begins at word i
  union {
    TraceFn trace;               ///< kCustom
    const TailPattern* pattern;  ///< tail is kElements: before its name
  };

  /// Whether there may be anything to scan behind the head.
  bool scans_tail() const {
    return kind == ScanKind::kAllPointers || kind == ScanKind::kAllEncoded ||
           tail == LayoutSpec::Tail::kPointers ||
           tail == LayoutSpec::Tail::kEncoded ||
           tail == LayoutSpec::Tail::kElements;
  }
  /// Where the tail begins, for the kinds that scan one.
  size_t tail_from() const {
    return kind == ScanKind::kMixed || kind == ScanKind::kElements ||
                   kind == ScanKind::kWeak
               ? head_bytes
               : 0;
  }
};
static_assert(sizeof(HotLayout) == 32);

enum LayoutFlag : uint8_t {
  kOnDead = 1,
  kWeakCell = 2,  ///< a tricolor::Weak: noscan, on the collector's list
  kNoZero = 4,
  kLong = 8,       ///< of a kWeakCell: it is cleared after resurrection only
  kDeferred = 16,  ///< kCustom: traced with the world stopped
};

struct ColdLayout {
  OnDeadFn on_dead;
  void* user;
  const char* name;  ///< a copy
  LayoutSpec::Strength head_strength;
  LayoutSpec::Strength tail_strength;
  bool distinct;
  uint32_t cleared_count;  ///< offset of the counter of cleared slots, or 0
};

class LayoutTable {
 public:
  /// Makes room for ids below `count` wherever a table is indexed by them;
  /// false: no memory. Called before the last of them is handed out.
  using RoomFn = bool (*)(void* ctx, uint32_t count);

  bool init(base::MetaArena* meta, RoomFn room = nullptr, void* ctx = nullptr);
  void destroy();

  /// Whether add() would take this spec, the limits of the table aside.
  bool check(const LayoutSpec& spec, Error* error) const;
  LayoutId add(const LayoutSpec& spec, uint8_t flags, Error* error);
  EncodingId add_encoding(const Encoding& encoding, Error* error);

  // ORDER-layouts-1: pairs with add(): an id is published after its entry.
  uint32_t count() const { return count_.load_acquire(); }
  const HotLayout& hot(LayoutId id) const { return hot_[id]; }
  const ColdLayout& cold(LayoutId id) const { return cold_[id]; }
  bool is_uninitialized(LayoutId id) const {
    return (hot_[id].flags & kNoZero) != 0;
  }
  /// See PageEntry::kLeaf.
  bool is_leaf(LayoutId id) const {
    const HotLayout& hot = hot_[id];
    return hot.kind == ScanKind::kNoscan && (hot.flags & kWeakCell) == 0;
  }
  const Encoding& encoding(EncodingId id) const { return encodings_[id]; }
  uint32_t encoding_count() const { return encoding_count_.load_acquire(); }

 private:
  LayoutId find_equal_locked(const HotLayout& hot, const TailPattern& pattern,
                             const ColdLayout& cold) TRI_REQUIRES(lock_);

  base::MetaArena* meta_ = nullptr;
  RoomFn room_ = nullptr;
  void* room_ctx_ = nullptr;
  base::Mutex lock_{base::LockRank::kLayouts};
  HotLayout* hot_ = nullptr;
  ColdLayout* cold_ = nullptr;
  Encoding encodings_[kMaxEncodings];
  base::Atomic<uint32_t> count_{0};
  base::Atomic<uint32_t> encoding_count_{0};
};

/// The managed pointer in an encoded value of 16 bytes, or null.
inline void* decode_pair(const Encoding& e, uint64_t tag_word,
                         uint64_t payload) {
  uint64_t tag = tag_word >> e.tag_shift & e.tag_mask;
  bool is_pointer = (e.tag_set[tag >> 6] >> (tag & 63) & 1) != 0;
  return is_pointer ? reinterpret_cast<void*>(payload & e.payload_mask)
                    : nullptr;
}

/// The managed pointer in an encoded word, or null. May be outside the heap.
inline void* decode(const Encoding& e, uint64_t word) {
  bool is_pointer = true;
  if (e.kind == EncodingKind::kRange) {
    is_pointer = word - e.range_lo <= e.range_hi - e.range_lo;
  } else if (e.kind == EncodingKind::kTagSet) {
    uint64_t tag = word >> e.tag_shift & e.tag_mask;
    is_pointer = (e.tag_set[tag >> 6] >> (tag & 63) & 1) != 0;
  }
  return is_pointer ? reinterpret_cast<void*>(word & e.payload_mask) : nullptr;
}

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_LAYOUT_TABLE_H_
