/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The deque of tasks that a P has spawned (sched/fresh_queue.h) as a model for
 * spin: an owner that puts TASKS tasks and takes them in any order of the two,
 * and THIEVES that steal. No task may be had twice, and when the owner has put
 * all of them and finds nothing left, each has been had. The search is
 * exhaustive.
 *
 * run.py verifies it, and then once with each MUTANT_x, which takes one rule
 * away and has to fail in the configuration that names it. The rules and where
 * they are in the code: docs/design/0021-tasks-not-begun.md.
 *
 * CONFIG last -DSIZE=2 -DTASKS=3 -DTHIEVES=1
 * FAILS LAST_UNCONTESTED TAKE_UNFENCED SLOT_READ_LATE FULL_UNSEEN PUT_EARLY
 * CONFIG thieves -DSIZE=2 -DTASKS=4 -DTHIEVES=2
 * FAILS BOTTOM_FIRST
 * STRESS all -DSIZE=3 -DTASKS=6 -DTHIEVES=2
 *
 * Memory is sequentially consistent: top and bottom are seq_cst where they race
 * in the code, and a slot is published by bottom and given free by top. What a
 * store that is delayed behind a load would do is TAKE_UNFENCED.
 */
#ifndef SIZE
#define SIZE 2
#endif
#ifndef TASKS
#define TASKS 4
#endif
#ifndef THIEVES
#define THIEVES 2
#endif

short top;
short bottom;
byte slot[SIZE];
byte had[TASKS];
bool done;

inline have(g) {
  had[g]++;
  assert(had[g] == 1)
}

active proctype Owner() {
  short t;
  short last;
  byte g;
  byte n = 0;
  byte i;
  do
  :: n < TASKS ->
    t = top;
    if
#ifdef MUTANT_FULL_UNSEEN
    :: true ->
#else
    :: bottom - t < SIZE ->
#endif
#ifdef MUTANT_PUT_EARLY
      bottom++;
      slot[(bottom - 1) % SIZE] = n;
#else
      slot[bottom % SIZE] = n;
      bottom++;
#endif
      n++
#ifndef MUTANT_FULL_UNSEEN
    :: else
#endif
    fi
  :: top != bottom ->
    last = bottom - 1;
#ifdef MUTANT_TAKE_UNFENCED
    t = top;
    bottom = last;
#else
    bottom = last;
    t = top;
#endif
    if
    :: last > t ->
      atomic { g = slot[last % SIZE]; have(g) }
    :: last == t ->
      g = slot[last % SIZE];
#ifdef MUTANT_LAST_UNCONTESTED
      have(g);
#else
      atomic {
        if
        :: top == t -> top = t + 1; have(g)
        :: else
        fi
      }
#endif
      bottom = last + 1
    :: last < t ->
      bottom = last + 1
    fi
  :: n == TASKS && top == bottom ->
    break
  od;
  i = 0;
  do
  :: i < TASKS -> assert(had[i] == 1); i++
  :: else -> break
  od;
  done = true
}

active [THIEVES] proctype Thief() {
  short t;
  short b;
  byte g;
  do
  :: !done ->
#ifdef MUTANT_BOTTOM_FIRST
    b = bottom;
    t = top;
#else
    t = top;
    b = bottom;
#endif
    if
    :: b - t > 0 ->
#ifdef MUTANT_SLOT_READ_LATE
      if
      :: atomic { top == t -> top = t + 1 }
        g = slot[t % SIZE];
        have(g)
      :: top != t
      fi
#else
      g = slot[t % SIZE];
      atomic {
        if
        :: top == t -> top = t + 1; have(g)
        :: else
        fi
      }
#endif
    :: else
    fi
  :: done -> break
  od
}
