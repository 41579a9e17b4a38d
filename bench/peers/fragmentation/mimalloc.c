// SPDX-License-Identifier: MIT
//
// The peer `mimalloc` of the workload fragmentation. See churn.h.

#include <mimalloc.h>

#define START() ((void)0)
#define NEW_TABLE(bytes) mi_zalloc(bytes)
#define NEW(bytes) mi_malloc(bytes)
#define DROP(object) mi_free(object)
#define GIVE_BACK() mi_collect(true)

#include "churn.h"
