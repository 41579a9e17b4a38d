// SPDX-License-Identifier: MIT
//
// The peer `bdwgc` of the workload alloc: every object is a GC_MALLOC_ATOMIC
// (no pointers inside, not zeroed), dropped by forgetting it. GC_THREADS makes
// pthread_create register threads, whose stacks hold the rings. See ring.h.

#define GC_THREADS
#include <gc.h>
#include <string.h>

#define START() GC_INIT()
#define NEW(bytes) GC_MALLOC_ATOMIC(bytes)
#define NEW_ZEROED(bytes) memset(GC_MALLOC_ATOMIC(bytes), 0, bytes)
#define DROP(object) ((void)(object))
static unsigned long collections(void) { return GC_get_gc_no(); }

#include "ring.h"
