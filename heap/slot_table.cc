// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/slot_table.h.
#include "heap/slot_table.h"

#include "base/os_memory.h"
#include "heap/heap.h"

namespace tricolor::heap {

namespace {

static_assert(kMaxLayouts == TRI_DETAIL_LAYOUT_COUNT);

constexpr size_t kSlotBytes = kSlotCount * sizeof(tri_slot);
/// What a slot id made of any LayoutId and class can reach.
constexpr size_t kIdBytes =
    (size_t{1} << 8 * sizeof(LayoutId) << TRI_DETAIL_CLASS_SHIFT) *
    sizeof(tri_slot);
static_assert(kIdBytes == size_t{128} << 20);

size_t reservation(bool whole) {
  return whole ? kIdBytes : kSlotBytes + base::os_page_size();
}

}  // namespace

tri_slot* map_slots(size_t* reserved) {
  for (bool whole : {!base::os_address_space_is_limited(), false}) {
    *reserved = reservation(whole);
    void* p = base::os_reserve(*reserved, base::os_page_size());
    if (p == nullptr) continue;
    if (base::os_commit(p, kSlotBytes)) {
      // A slot is touched here and there: not 2 MiB at a time.
      base::os_nohugepage(p, kSlotBytes);
      return static_cast<tri_slot*>(p);
    }
    base::os_release(p, *reserved);
  }
  return nullptr;
}

tri_slot* map_no_slots(size_t* reserved) {
  // Zeros all the way: a bad id without a P is first of all without a P.
  *reserved =
      base::os_address_space_is_limited() ? kSlotBytes : reservation(true);
  return static_cast<tri_slot*>(base::os_map_zeros(*reserved));
}

void unmap_slots(tri_slot* slots, size_t reserved) {
  if (slots != nullptr) base::os_release(slots, reserved);
}

}  // namespace tricolor::heap
