// SPDX-License-Identifier: MIT
//
// The peer `glibc` of the workload alloc: every object is a malloc, and the
// oldest of the ring is freed. See ring.h.

#include <limits.h>
#include <stdlib.h>

#define NEW(bytes) malloc(bytes)
#define NEW_ZEROED(bytes) calloc(1, bytes)
#define DROP(object) free(object)
// Nothing is collected, so never too seldom.
static unsigned long collections(void) { return ULONG_MAX; }

#include "ring.h"
