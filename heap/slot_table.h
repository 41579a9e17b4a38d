// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A P's table of slots, one for each layout there may be and size class, and
// the address space behind it. The inline allocation path indexes it with
// whatever layout id it is given. Ids that are not registered yet find an empty
// slot, and the slow path says so; but an id is 16 bits wide and the table ends
// at kMaxLayouts. Without a guard an id beyond it (memory that was never
// written, an id of another library) would read whatever is mapped next, maybe
// the slots of another P, and hand out its cells.
//
// Rejected: a compare in allocate(). With a constant size that path is 15
// instructions, and it would be 17, for everybody and always, against a mistake
// that is made once. So the guard makes it a SIGSEGV in the caller's own frame,
// and checking builds (TRI_ENABLE_CHECKS), where the inline path does compare,
// say what is wrong. `make` has its id from a Type.
//
// The guard is 125 MiB of address space a P and costs nothing else. Where a
// process has a limit on that (RLIMIT_AS), it is one page: ids just behind the
// last one.
//
// Threads: any.
#ifndef TRICOLOR_HEAP_SLOT_TABLE_H_
#define TRICOLOR_HEAP_SLOT_TABLE_H_

#include <cstddef>

#include "tricolor/detail/mutator.h"

namespace tricolor::heap {

/// Zeroed slots, and in *reserved the bytes that unmap_slots() wants; null when
/// memory is refused.
tri_slot* map_slots(size_t* reserved);

/// The same for whoever has no P: they can only be read, and are all empty.
tri_slot* map_no_slots(size_t* reserved);

void unmap_slots(tri_slot* slots, size_t reserved);

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_SLOT_TABLE_H_
