// SPDX-License-Identifier: MIT
//
// The peer `mimalloc` of the workload alloc: every object is a mi_malloc, and
// the oldest of the ring is freed. See ring.h.

#include <limits.h>
#include <mimalloc.h>

#define NEW(bytes) mi_malloc(bytes)
#define NEW_ZEROED(bytes) mi_calloc(1, bytes)
#define DROP(object) mi_free(object)
// Nothing is collected, so never too seldom.
static unsigned long collections(void) { return ULONG_MAX; }

#include "ring.h"
