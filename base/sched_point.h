// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// TRI_SCHED_POINT(name) marks a protocol point: a safepoint, a queue operation,
// a phase step. Empty, but in the deterministic build (base/sim.h), where a
// seeded picker may choose here which thread goes on, and notes the name, so
// that a failure can tell what led to it.
//
// `name` is an identifier, unique in the library: runq_put, gc_phase.
//
// TRI_PLANTED(bug) is false, but in a deterministic run that was told to plant
// this bug: a test proves of each that the scenarios find it.
//
// TRI_THIS_THREAD() is an address that no other thread has at the same time.
#ifndef TRICOLOR_BASE_SCHED_POINT_H_
#define TRICOLOR_BASE_SCHED_POINT_H_

#include "base/macros.h"

#if TRI_SIM
#include "base/sim.h"
#define TRI_THIS_THREAD() ::tricolor::base::sim::this_thread()
#define TRI_SCHED_POINT(name) ::tricolor::base::sim::point(#name)
#define TRI_PLANTED(bug) ::tricolor::base::sim::is_planted(#bug)
#else
#define TRI_THIS_THREAD() static_cast<const void*>(__builtin_thread_pointer())
#define TRI_SCHED_POINT(name) ((void)0)
#define TRI_PLANTED(bug) false
#endif

#endif  // TRICOLOR_BASE_SCHED_POINT_H_
