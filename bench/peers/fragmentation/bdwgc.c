// SPDX-License-Identifier: MIT
//
// The peer `bdwgc` of the workload fragmentation: the objects have no pointers
// inside, the table that holds them has. See churn.h.

#include <gc.h>

#define START() GC_INIT()
#define NEW_TABLE(bytes) GC_MALLOC(bytes)
#define NEW(bytes) GC_MALLOC_ATOMIC(bytes)
#define DROP(object) ((void)(object))
#define GIVE_BACK() GC_gcollect_and_unmap()

#include "churn.h"
