// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Everything but the network, for those who prefer one include.
#ifndef TRICOLOR_ALL_H_
#define TRICOLOR_ALL_H_

// IWYU pragma: begin_exports
#include "tricolor/allocate.h"
#include "tricolor/bulk.h"
#include "tricolor/channel.h"
#include "tricolor/coroutine.h"
#include "tricolor/dump.h"
#include "tricolor/error.h"
#include "tricolor/external.h"
#include "tricolor/field.h"
#include "tricolor/finalizer.h"
#include "tricolor/future.h"
#include "tricolor/gc.h"
#include "tricolor/gc_events.h"
#include "tricolor/gc_metrics.h"
#include "tricolor/global.h"
#include "tricolor/heap_inspect.h"
#include "tricolor/layout.h"
#include "tricolor/local.h"
#include "tricolor/mutex.h"
#include "tricolor/native.h"
#include "tricolor/no_safepoint.h"
#include "tricolor/options.h"
#include "tricolor/os_thread.h"
#include "tricolor/pair.h"
#include "tricolor/park.h"
#include "tricolor/preemptible.h"
#include "tricolor/profile.h"
#include "tricolor/resize.h"
#include "tricolor/rooted_vector.h"
#include "tricolor/runtime.h"
#include "tricolor/select.h"
#include "tricolor/semaphore.h"
#include "tricolor/stack_overflow.h"
#include "tricolor/task.h"
#include "tricolor/task_end.h"
#include "tricolor/thread.h"
#include "tricolor/timer.h"
#include "tricolor/value_stack.h"
#include "tricolor/wait.h"
#include "tricolor/weak.h"
#include "tricolor/weak_array.h"
// IWYU pragma: end_exports

#endif  // TRICOLOR_ALL_H_
