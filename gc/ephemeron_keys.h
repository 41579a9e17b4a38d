// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// EphemeronKeys: which values wait for which white key, while a cycle marks.
// A marker that marks a key finds them here, so that a chain of ephemerons
// takes time linear in its length, in any order.
//
//   levels_[0..n): hash tables, each four times the last -> Node -> Node
//
// A table never grows: past two nodes a bucket a further one is begun, and a
// search looks into all of them. Nodes lie in chunks of the WorkList.
//
// Why no pair is missed. Whoever inserts (key, value) has seen the key white,
// and looks at its mark byte again afterwards, behind a fence; whoever marks a
// key writes the byte and looks here, behind a fence. One of the two sees the
// other (store buffering). That markers look here at all is settled by a ragged
// barrier between begin() and the first insert(); see CollectorImpl::
// resolve_ephemerons().
//
// Threads: begin, insert and end_some by the holder of `advancing_`,
// the last when nobody marks; the others by any marker.
#ifndef TRICOLOR_GC_EPHEMERON_KEYS_H_
#define TRICOLOR_GC_EPHEMERON_KEYS_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "gc/work_list.h"

namespace tricolor::gc {

class EphemeronKeys {
 public:
  void init(WorkList* chunks) { chunks_ = chunks; }

  /// From now on markers ask. False: no memory.
  bool begin();
  /// False: no memory; the value is to be marked.
  bool insert(void* key, void* value);
  /// Forgets a piece of it; nobody asks any more. True: that was all.
  bool end_some();
  void end() {
    while (!end_some()) {
    }
  }

  /// What a marker asks, or null: nothing waits.
  // ORDER-keys-1: pairs with begin(): the first table is complete.
  const EphemeronKeys* active() const {
    return levels_made_.load_acquire() == 0 ? nullptr : this;
  }
  /// Of the tables.
  size_t table_bytes() const { return table_bytes_.load_relaxed(); }
  /// Whether anything waits for a key its caller has just marked.
  bool has(void* key) const {
    base::fence_seq_cst();
    return first_of(key) != nullptr;
  }
  /// What waits for it, one after the other; null: no more. A node is 16-byte
  /// aligned and stays until end_some().
  struct Node {
    Node* next;  ///< in the bucket
    void* key;
    void* value;
    uint64_t level;
  };
  const Node* first_of(void* key) const { return next_of(nullptr, key); }
  const Node* next_of(const Node* n) const { return next_of(n, n->key); }

 private:
  struct Level {
    base::Atomic<Node*>* buckets;
    uint32_t bits;
    uint64_t nodes;
    size_t released;  ///< bytes, from the end, by end_some()
  };
  static constexpr uint32_t kLevels = 10;
  static constexpr uint32_t kFirstBits = 9;  // 512 buckets: a page
  static constexpr size_t kNodes = sizeof(WorkChunk::cells) / (sizeof(Node));

  static size_t hash(const void* key, uint32_t bits) {
    return reinterpret_cast<uintptr_t>(key) * 0x9e3779b97f4a7c15 >> (64 - bits);
  }
  bool add_level();
  /// The next node with this key after `n`, or the first.
  const Node* next_of(const Node* n, void* key) const;

  WorkList* chunks_ = nullptr;
  Level levels_[kLevels] = {};
  base::Atomic<uint32_t> levels_made_{0};
  base::Atomic<uint64_t> table_bytes_{0};
  WorkChunk* nodes_ = nullptr;  ///< newest chunk; its `count`: nodes in use
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_EPHEMERON_KEYS_H_
