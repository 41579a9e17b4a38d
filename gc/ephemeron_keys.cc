// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/ephemeron_keys.h.
#include "gc/ephemeron_keys.h"

#include <new>

#include "base/check.h"
#include "base/os_memory.h"

namespace tricolor::gc {

bool EphemeronKeys::add_level() {
  const uint32_t n = levels_made_.load_relaxed();
  if (n == kLevels) return false;
  const uint32_t bits = kFirstBits + 2 * n;
  void* memory = base::os_map((size_t{1} << bits) * sizeof(void*));
  if (memory == nullptr) return false;
  table_bytes_.fetch_add_relaxed((uint64_t{1} << bits) * sizeof(void*));
  levels_[n] = {static_cast<base::Atomic<Node*>*>(memory), bits, 0, 0};
  // ORDER-keys-1: pairs with active() and next_of().
  levels_made_.store_release(n + 1);
  return true;
}

bool EphemeronKeys::begin() {
  return levels_made_.load_relaxed() != 0 || add_level();
}

bool EphemeronKeys::insert(void* key, void* value) {
  if (levels_made_.load_relaxed() == 0) return false;
  uint32_t at = levels_made_.load_relaxed() - 1;
  // Without memory for a larger one the last goes on, more slowly.
  if (levels_[at].nodes >> levels_[at].bits >= 2 && add_level()) ++at;
  if (nodes_ == nullptr || nodes_->count == kNodes) {
    WorkChunk* chunk = chunks_->get_empty();
    if (chunk == nullptr) return false;
    chunk->next = nodes_;
    nodes_ = chunk;
  }
  Level& level = levels_[at];
  base::Atomic<Node*>& bucket = level.buckets[hash(key, level.bits)];
  void* memory =
      reinterpret_cast<char*>(nodes_->cells) + nodes_->count * sizeof(Node);
  ++nodes_->count;
  ++level.nodes;
  // ORDER-keys-2: pairs with next_of(): the node is complete.
  bucket.store_release(::new (memory)
                           Node{bucket.load_relaxed(), key, value, at});
  base::fence_seq_cst();  // before the caller looks at the mark byte again
  return true;
}

const EphemeronKeys::Node* EphemeronKeys::next_of(const Node* n,
                                                  void* key) const {
  // ORDER-keys-1: pairs with add_level().
  const uint32_t made = levels_made_.load_acquire();
  uint32_t at = 0;
  const Node* node = nullptr;
  if (n != nullptr) {
    at = static_cast<uint32_t>(n->level);
    node = n->next;
  } else if (made != 0) {
    // ORDER-keys-2: pairs with insert().
    node = levels_[0].buckets[hash(key, levels_[0].bits)].load_acquire();
  }
  for (;;) {
    for (; node != nullptr; node = node->next) {
      if (node->key == key) return node;
    }
    if (++at >= made) return nullptr;
    // ORDER-keys-2: pairs with insert().
    node = levels_[at].buckets[hash(key, levels_[at].bits)].load_acquire();
  }
}

bool EphemeronKeys::end_some() {
  constexpr size_t kPieceBytes = size_t{1} << 20;
  constexpr int kPieceChunks = 256;
  levels_made_.store_relaxed(0);
  for (Level& level : levels_) {
    if (level.buckets == nullptr) continue;
    const size_t bytes =
        ((size_t{1} << level.bits) * sizeof(void*)) - level.released;
    const size_t piece = bytes < kPieceBytes ? bytes : kPieceBytes;
    base::os_release(reinterpret_cast<char*>(level.buckets) + (bytes - piece),
                     piece);
    level.released += piece;
    table_bytes_.fetch_sub_relaxed(piece);
    if (piece == bytes) level = {};
    return false;
  }
  for (int i = 0; i < kPieceChunks && nodes_ != nullptr; ++i) {
    WorkChunk* chunk = nodes_;
    nodes_ = chunk->next;
    chunks_->put_empty(chunk);
  }
  return nodes_ == nullptr;
}

}  // namespace tricolor::gc
