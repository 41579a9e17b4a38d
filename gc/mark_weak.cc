// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// MarkWorker, of cells with words that are not strong: what they keep alive is
// marked, pairs whose keys are alive among it, and the cell is listed for what
// comes when the mark has ended (gc/settle.cc).
#include "gc/cell_list.h"
#include "gc/ephemeron_keys.h"
#include "gc/mark_worker.h"
#include "gc/scan.h"
#include "gc/weak_words.h"

namespace tricolor::gc {

/// Marks what waits for a key that has been marked, or a part of it: `what` is
/// the key, or the node to go on with, plus 1. Returns the bytes looked at.
TRI_NOINLINE size_t MarkWorker::fire(void* what) {
  using Node = EphemeronKeys::Node;
  // A class that is the key in a million weak maps: nobody who marks can be
  // stopped inside a piece, and each node and each value are cold.
  constexpr size_t kMost = 256;
  constexpr uintptr_t kNode = 1;
  const EphemeronKeys* keys = weak_->keys->active();
  if (keys == nullptr) return sizeof(Node);
  const auto word = reinterpret_cast<uintptr_t>(what);
  const Node* n = (word & kNode) != 0
                      ? reinterpret_cast<const Node*>(word - kNode)
                      : keys->first_of(what);
  size_t done = 0;
  for (; n != nullptr && done < kMost; n = keys->next_of(n), ++done) {
    add(n->value);
  }
  if (n != nullptr) {
    push_key(reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(n) + kNode));
  }
  return (done + 1) * sizeof(Node);
}

/// Marks the values of keys that are not white; false: some key is, and its
/// value too.
bool MarkWorker::scan_pairs(const WeakWords& weak, void* cell, size_t bytes) {
  constexpr auto kPair = LayoutSpec::Strength::kEphemeron;
  auto* words = static_cast<const uint64_t*>(cell);
  bool resolved = true;
  for (size_t i = 0; i < bytes / 8; i += 2) {
    const Encoding* of_key = weak.at(i, kPair);
    if (of_key == nullptr) continue;
    void* value =
        heap::decode(*weak.at(i + 1, kPair), load_word(&words[i + 1]));
    if (!is_white(value)) continue;
    if (is_white(heap::decode(*of_key, load_word(&words[i])))) {
      resolved = false;
    } else {
      add(value);
    }
  }
  return resolved;
}

/// Marks what words that are not strong refer to: there was no memory to list
/// the cell, so nothing of it may die.
void MarkWorker::scan_all(const WeakWords& weak, void* cell, size_t bytes) {
  using Strength = LayoutSpec::Strength;
  auto* words = static_cast<const uint64_t*>(cell);
  for (size_t i = 0; i < bytes / 8; ++i) {
    for (Strength s :
         {Strength::kWeak, Strength::kLongWeak, Strength::kEphemeron}) {
      const Encoding* e = weak.at(i, s);
      if (e != nullptr) add(heap::decode(*e, load_word(&words[i])));
    }
  }
}

TRI_NOINLINE void MarkWorker::scan_weak(LayoutId layout, void* cell,
                                        size_t bytes) {
  using Strength = LayoutSpec::Strength;
  const WeakWords weak(heap->layouts(), layout);
  // Of a large one others take the strong tail in pieces; the pairs of a still
  // larger one all count as unresolved.
  constexpr size_t kPairBytes = size_t{128} << 10;
  const bool large = bytes > kPieceBytes;
  const size_t head = heap->layouts().hot(layout).tail_from();
  scan_strong(heap->layouts(), layout, cell, large ? head : bytes,
              [this](void* p) { add(p); });
  if (large &&
      heap->layouts().cold(layout).tail_strength == Strength::kStrong) {
    scan_later(heap->layouts().hot(layout), cell, head, bytes);
  }
  bool listed = true;
  if (weak.any(Strength::kEphemeron)) {
    const bool resolved = bytes <= kPairBytes && scan_pairs(weak, cell, bytes);
    listed = (resolved ? weak_->pairs : weak_->unresolved)->add(cell);
  }
  if (weak.any(Strength::kWeak) || weak.any(Strength::kLongWeak)) {
    listed = weak_->arrays->add(cell) && listed;
  }
  if (TRI_UNLIKELY(!listed)) scan_all(weak, cell, bytes);
}

}  // namespace tricolor::gc
