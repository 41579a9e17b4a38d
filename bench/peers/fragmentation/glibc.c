// SPDX-License-Identifier: MIT
//
// The peer `glibc` of the workload fragmentation. See churn.h.

#include <malloc.h>
#include <stdlib.h>

#define START() ((void)0)
#define NEW_TABLE(bytes) calloc(1, bytes)
#define NEW(bytes) malloc(bytes)
#define DROP(object) free(object)
#define GIVE_BACK() malloc_trim(0)

#include "churn.h"
