// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// TRI_SCHED_POINT(name) marks a protocol point: a safepoint, a queue operation,
// a phase step. It is empty in every build of today; the deterministic build
// lets a seeded picker choose here which M runs next (DESIGN, determinism), so
// that an interleaving replays from its seed.
//
// `name` is an identifier, unique in the library: runq_put, gc_set_phase.
#ifndef TRICOLOR_BASE_SCHED_POINT_H_
#define TRICOLOR_BASE_SCHED_POINT_H_

#define TRI_SCHED_POINT(name) ((void)0)

#endif  // TRICOLOR_BASE_SCHED_POINT_H_
