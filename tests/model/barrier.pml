/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The hybrid barrier with its state per G, the scan of Gs, and termination, as
 * a model for spin. Two mutators, each on a P of its own; a driver, which moves
 * the cycle on and marks; a helper, which only marks. Two cells and a third
 * that may be allocated, one field each; a Global; with WITH_OTHERS also a wait
 * record for each G, a weak word, and a G that is born. One cycle, from before
 * stop 1 to the end of stop 2, where every cell that can be reached has to be
 * marked. The mutators make at most OPS heap operations, and G 1, which may
 * be parked when it begins, parks PARKS times more; the search is exhaustive.
 *
 * run.py verifies it, and then once with each MUTANT_x, which takes one rule
 * away and has to fail in the configuration that names it. The rules and where
 * they are in the code: docs/design/0011-barrier.md.
 *
 *   f[c], root, rec[g]  a cell's field, a Global's word, a G's wait record
 *   st(g, i)            slot i of G g's shadow stack
 *   col[g]              tri_mutator::barrier_on              mutator.h
 *   stamp[g], cyc       RootOwner::scanned_cycle, cycle_     drain.cc
 *   pon                 ProcGc::barrier_on                   cycle.cc
 *   buf[g]              the P's barrier buffer, of one entry barrier.cc
 *   wl[p], pool         a P's MarkWorker, the WorkList: sets of cells
 *   scan[g], parked[g]  the scan bit; runnable, waiting, in native code
 *   part[g]             RootOwner::partial_pieces: slot 1 has been scanned
 *   mid[g]              in a store: no safepoint, no stop, no ragged barrier
 *
 * CONFIG parks -DOPS=2 -DPARKS=1 -DHELPS=0
 * FAILS ALLOCATE_WHITE BLACK_SKIPS_DELETION DISPATCH_WITHOUT_REFRESH
 * FAILS GREY_SKIPS_INSERTION INIT_BARE NO_DELETION NO_RAGGED_FLUSH
 * FAILS OLD_STAMP OLD_VALUE_READ_LATE RETRIES_NOT_AWAITED RUNNING_NOT_RETRIED
 * FAILS SAFEPOINT_IN_STORE
 * FAILS START_WITHOUT_REFRESH STOP_WITHOUT_WAITING
 * CONFIG helps -DOPS=2 -DPARKS=0 -DHELPS=1
 * FAILS DRAINERS_FORGOTTEN
 * CONFIG others -DOPS=2 -DPARKS=0 -DHELPS=0 -DWITH_OTHERS
 * FAILS BLACK_SKIPS_WEAK_READ BORN_BARE DISPATCH_UNDER_SCAN HANDOFF_BARE
 * FAILS NO_RECHECK PARTIAL_KEPT
 * STRESS all -DOPS=2 -DPARKS=1 -DHELPS=1 -DWITH_OTHERS
 * STRESS deep -DOPS=3 -DPARKS=1 -DHELPS=0
 *
 * Between two operations a mutator is at a safepoint, where the driver does for
 * it what it would do itself. What one process does alone, or what only grows
 * (marks), is one step. Memory is sequentially consistent: why that is enough
 * is in the argument.
 */
#ifndef OPS
#define OPS 3
#endif
#ifndef PARKS
#define PARKS 1
#endif
#ifndef HELPS
#define HELPS 1
#endif
#define NC 3   /* cells 1 .. NC; 0 is null; NC is free at first */
#define WEAK 2 /* what the weak word refers to */

#define st(g, i) stk[2 * (g) + (i)]
#define BIT(c) (1 << (c))

byte f[NC + 1];
byte root;
byte rec[2];
byte stk[4];
bool mark[NC + 1];
bool there; /* cell NC has been allocated */

bool marking, over, stop, pon;
byte cyc = 1;
byte stamp[2] = 1; /* scanned in the cycle before */
byte col[2];
byte buf[2];
byte wl[4]; /* of the mutators' Ps, the driver's, the helper's */
byte pool;
bool flushed;

bool mid[2], parked[2], scan[2], part[2];
bool born[2] = true;
bool draining; /* drainers_: the helper is inside drain() */
byte ops;
byte job;      /* 0: the Global; 1, 2: G 0, G 1 */
bool retry[2];
/* Ghosts: work that has waited since before the ragged barrier. */
bool old_entry[2], old_piece;

/* ---- shading */

/* MarkWorker::shade(): marks, and pushes to a P's worker. */
#define SHADE(p, c)            \
  if                           \
  :: (c) != 0 && !mark[c] ->   \
     mark[c] = true;           \
     wl[p] = wl[p] | BIT(c)    \
  :: else                      \
  fi

#define FLUSH(g)               \
  SHADE(g, buf[g]);            \
  buf[g] = 0;                  \
  old_entry[g] = false

/* shade_from_mutator(): into the buffer; a full one is marked first. */
#define BUFFER(g, c)                                \
  if                                                \
  :: (c) == 0 || mark[c] || buf[g] == (c)           \
  :: else -> FLUSH(g); buf[g] = c                   \
  fi

#define PUBLISH(p)                                  \
  if                                                \
  :: wl[p] != 0 -> pool = pool | wl[p]; wl[p] = 0; flushed = true \
  :: else                                           \
  fi

#define IF_MARKING(g, x) if :: col[g] != 0 -> x :: else fi
#define IF_GREY(g, x) if :: col[g] == 1 -> x :: else fi

/* The two halves, as tri_detail_shade_pair() has them. */
#ifdef MUTANT_NO_DELETION
#define DELETION(g, c)
#else
#ifdef MUTANT_BLACK_SKIPS_DELETION
#define DELETION(g, c) IF_GREY(g, BUFFER(g, c))
#else
#define DELETION(g, c) IF_MARKING(g, BUFFER(g, c))
#endif
#endif
#ifdef MUTANT_GREY_SKIPS_INSERTION
#define INSERTION(g, c)
#else
#define INSERTION(g, c) IF_GREY(g, BUFFER(g, c))
#endif
#ifdef MUTANT_INIT_BARE
#define INIT_INSERTION(g, c)
#else
#define INIT_INSERTION(g, c) IF_GREY(g, BUFFER(g, c))
#endif
#ifdef MUTANT_HANDOFF_BARE
#define HANDOFF_INSERTION(g, c)
#else
#define HANDOFF_INSERTION(g, c) IF_GREY(g, BUFFER(g, c))
#endif
#ifdef MUTANT_BLACK_SKIPS_WEAK_READ
#define WEAK_READ(g, c) IF_GREY(g, BUFFER(g, c))
#else
#define WEAK_READ(g, c) IF_MARKING(g, BUFFER(g, c))
#endif
#ifdef MUTANT_BORN_BARE
#define BORN_SHADE(g, c)
#else
#define BORN_SHADE(g, c) SHADE(g, c)
#endif
#ifdef MUTANT_ALLOCATE_WHITE
#define NEW_MARK false
#else
#define NEW_MARK pon
#endif

/* ---- a G's colour: barrier_state(), refresh_mutator() */

#ifdef MUTANT_OLD_STAMP
#define IS_BLACK(g) (stamp[g] != 0)
#else
#define IS_BLACK(g) (stamp[g] == cyc)
#endif
#define REFRESH(g) col[g] = (!pon -> 0 : (IS_BLACK(g) -> 2 : 1))
#ifdef MUTANT_PARTIAL_KEPT
#define FORGET_PARTIAL(g)
#else
#define FORGET_PARTIAL(g) ; part[g] = false
#endif
#ifdef MUTANT_DISPATCH_WITHOUT_REFRESH
#define REFRESH_AT_DISPATCH(g) skip
#else
#define REFRESH_AT_DISPATCH(g) REFRESH(g) FORGET_PARTIAL(g)
#endif
#ifdef MUTANT_START_WITHOUT_REFRESH
#define REFRESH_AT_START(g) skip
#else
#define REFRESH_AT_START(g) REFRESH(g)
#endif

/* scan_owner_until(): who calls it has suspended the G, or is it. Nobody else
 * writes the stack; the wait record may change meanwhile. */
#define SCAN_STACK(p, g) if :: !part[g] -> SHADE(p, st(g, 1)) :: else fi
#define SCAN_REST(p, g) SHADE(p, st(g, 0)); SHADE(p, rec[g]); stamp[g] = cyc

/* ---- mutators */

#ifdef MUTANT_DISPATCH_UNDER_SCAN
#define MAY_RUN(g) (!stop)
#else
#define MAY_RUN(g) (!scan[g] && !stop)
#endif

#ifdef MUTANT_SAFEPOINT_IN_STORE
#define NO_SAFEPOINT(g) skip
#else
#define NO_SAFEPOINT(g) mid[g] = true
#endif

/* A store: the old value is read and shaded and the new one is shaded; then, in
 * a second step, COMMIT. */
#ifdef MUTANT_OLD_VALUE_READ_LATE
#define BEFORE(g, word) INSERTION(g, v)
#define COMMIT(g, word) word = v; old = word; DELETION(g, old)
#else
#define BEFORE(g, word) old = word; DELETION(g, old); INSERTION(g, v)
#define COMMIT(g, word) word = v
#endif

#define RUNS(g) (born[g] && !parked[g])
/* One operation at most before the cycle: what may be under way at stop 1. */
#define MAY_ACT(g) (RUNS(g) && !stop && ops < OPS && (marking || ops == 0))

proctype mutator(byte g) {
  byte i, to, old, v, parks;
  do
  :: over -> break
  :: atomic { g == 1 && RUNS(g) && !stop && parks < PARKS ->
       parks++; parked[g] = true }
  :: atomic { born[g] && parked[g] && MAY_RUN(g) && !over ->
       parked[g] = false; REFRESH_AT_DISPATCH(g) }
  :: atomic { MAY_ACT(g) ->
       ops++;
       if
       :: st(g, 0) != 0 -> st(g, 1) = f[st(g, 0)] /* load */
       :: root != 0 -> st(g, 0) = root
       :: st(g, 0) != 0 -> st(g, 0) = 0 /* a Local ends */
       :: st(g, 1) != 0 -> st(g, 1) = 0
       :: st(g, 0) != 0 -> /* Field::store */
          to = 1; i = st(g, 0);
          if :: v = st(g, 1) :: v = 0 fi;
          BEFORE(g, f[i]);
          NO_SAFEPOINT(g)
       :: to = 2; /* Global::set */
          if :: v = st(g, 0) :: v = 0 fi;
          BEFORE(g, root);
          NO_SAFEPOINT(g)
       :: to = 3; /* exchange: shades afterwards */
          old = root; v = st(g, 0); root = v;
          NO_SAFEPOINT(g)
       :: !there -> /* a new cell, its field initialised */
          there = true;
          mark[NC] = NEW_MARK;
          INIT_INSERTION(g, st(g, 0));
          f[NC] = st(g, 0);
          st(g, 1) = NC
#ifdef WITH_OTHERS
       :: st(g, 0) != 0 -> st(g, 1) = st(g, 0); st(g, 0) = 0
       :: rec[g] != 0 -> st(g, 1) = rec[g]; rec[g] = 0
       :: st(g, 0) != 0 && rec[1 - g] == 0 && born[1 - g] -> /* hand over */
          HANDOFF_INSERTION(g, st(g, 0));
          rec[1 - g] = st(g, 0)
       :: true -> WEAK_READ(g, WEAK); st(g, 1) = WEAK
       :: !born[1 - g] && st(g, 0) != 0 -> /* spawn, on_g_born() */
          st(1 - g, 0) = st(g, 0);
          if
          :: pon -> BORN_SHADE(g, st(g, 0)); stamp[1 - g] = cyc
          :: else
          fi;
          parked[1 - g] = true;
          born[1 - g] = true
#endif
       fi };
     atomic {
       if
       :: to == 0
       :: to == 1 -> COMMIT(g, f[i])
       :: to == 2 -> COMMIT(g, root)
       :: to == 3 -> DELETION(g, old); INSERTION(g, v); st(g, 0) = old
       fi;
       mid[g] = false; to = 0; i = 0; old = 0; v = 0
     }
  od
}

/* ---- marking */

#define HAS_WORK(p) (wl[p] != 0 || pool != 0 || job < 3)
#define LOWEST(s) ((s) & 2 -> 1 : ((s) & 4 -> 2 : 3))
#define TAKE(p)                                     \
  if                                                \
  :: wl[p] != 0 -> c = LOWEST(wl[p]); wl[p] = wl[p] & ~BIT(c) \
  :: else -> c = LOWEST(pool); pool = pool & ~BIT(c) \
  fi

#define SKIPPED(g) (!born[g] || stamp[g] == cyc) /* Claim::kSkip */
#define CLAIMABLE(g) (parked[g] && !scan[g])     /* else kRunning */
#ifdef MUTANT_RUNNING_NOT_RETRIED
#define RETRY(g) skip
#else
#define RETRY(g) retry[g] = true
#endif

/* One piece, a cell or a root job: take_root_piece(), scan_g(). The helper does
 * it in two steps, with the word in hand, or the scan bit set, in between; so
 * does the driver with WITH_OTHERS. */
inline take_piece(me) {
  if
  :: wl[me] != 0 || pool != 0 -> TAKE(me); v = f[c]; c = 0
  :: else ->
     if
     :: job == 0 -> v = root; job = 1
     :: job == 1 || job == 2 ->
        k = job - 1; job++;
        if
        :: SKIPPED(k)
        :: !SKIPPED(k) && CLAIMABLE(k) ->
           scan[k] = true; claimed = true; SCAN_STACK(me, k)
        :: else -> RETRY(k)
        fi
     :: else
     fi
  fi
}

inline finish_piece(me) {
  SHADE(me, v);
  v = 0;
  if
  :: claimed -> SCAN_REST(me, k); scan[k] = false; claimed = false
  :: claimed -> /* the rest another time */
     part[k] = true; retry[k] = true; scan[k] = false; claimed = false
  :: else
  fi;
  k = 0
}

/* Marks HELPS pieces, and goes away each time with work on its P. */
proctype helper() {
  byte c, v, k, helps;
  bool claimed;
  do
  :: over || helps == HELPS -> break
  :: atomic { marking && !stop && HAS_WORK(3) ->
       draining = true; helps++; take_piece(3) };
     atomic { finish_piece(3); draining = false }
  od
}

#ifdef MUTANT_NO_RAGGED_FLUSH
#define RAGGED_FLUSH(g)
#else
#define RAGGED_FLUSH(g) FLUSH(g);
#endif

/* flush_work_locked()'s function on one P, at a safepoint of its own; the scan
 * is of a G that runs there. */
inline ragged(who) {
  atomic {
    !mid[who] && !scan[who] && asked[who] ->
    asked[who] = false;
    RAGGED_FLUSH(who)
    if
    :: RUNS(who) && stamp[who] != cyc ->
       SCAN_STACK(who, who); SCAN_REST(who, who); REFRESH(who)
    :: else
    fi;
    PUBLISH(who)
  }
}

inline retry_g(who) {
  atomic {
    if
    :: !retry[who]
    :: retry[who] && SKIPPED(who) -> retry[who] = false
    :: retry[who] && !SKIPPED(who) && CLAIMABLE(who) ->
       SCAN_STACK(2, who); SCAN_REST(2, who); retry[who] = false
    :: else -> again = true
    fi
  }
}

inline try_stop() {
  stop = true;
#ifndef MUTANT_STOP_WITHOUT_WAITING
  (!mid[0] && !mid[1] && !draining)
#endif
}

#define START()                                     \
  if :: RUNS(0) -> REFRESH_AT_START(0) :: else fi;  \
  if :: RUNS(1) -> REFRESH_AT_START(1) :: else fi;  \
  stop = false

#define CELL(s, c) ((s) & BIT(c) -> BIT(f[c]) : 0)

inline check_marked() {
  d_step {
    seen = BIT(root) | BIT(rec[0]) | BIT(rec[1]) | BIT(stk[0]) | BIT(stk[1]) |
           BIT(stk[2]) | BIT(stk[3]);
    k = 0;
    do
    :: k < NC ->
       seen = seen | CELL(seen, 1) | CELL(seen, 2) | CELL(seen, 3);
       k++
    :: else -> break
    od;
    assert(!(seen & 2) || mark[1]);
    assert(!(seen & 4) || mark[2]);
    assert(!(seen & 8) || mark[3])
  }
}

/* start_cycle(), drain(), terminate_locked(). */
proctype driver() {
  byte c, v, k, seen;
  bool claimed, again, asked[2];
  try_stop();
  atomic {
    cyc = 2; marking = true; pon = true;
    START()
  }
mark_on:
  do
#ifdef WITH_OTHERS
  :: atomic { HAS_WORK(2) -> take_piece(2) };
     atomic { finish_piece(2) }
#else
  :: atomic { HAS_WORK(2) -> take_piece(2); finish_piece(2) }
#endif
#ifndef MUTANT_DRAINERS_FORGOTTEN
  :: !HAS_WORK(2) && !draining -> break
#else
  :: !HAS_WORK(2) -> break
#endif
  od;
  atomic {
    flushed = false; again = false;
    old_entry[0] = (buf[0] != 0); old_entry[1] = (buf[1] != 0);
    old_piece = draining || wl[3] != 0;
    asked[0] = true; asked[1] = true
  }
  ragged(0);
  ragged(1);
  retry_g(0);
  retry_g(1);
  atomic {
#ifndef MUTANT_DRAINERS_FORGOTTEN
    !draining ->
#endif
    if :: !draining -> old_piece = false :: else fi;
    PUBLISH(3);
    PUBLISH(2);
#ifdef MUTANT_RETRIES_NOT_AWAITED
    again = false;
#endif
    if
    :: flushed || again || pool != 0 -> goto mark_on
    :: else
    fi
  }
  try_stop();
  /* What was there before the ragged barrier is not left to the stop. */
  assert(!old_entry[0] && !old_entry[1] && !old_piece);
  atomic {
#ifndef MUTANT_NO_RECHECK
    flushed = false;
    FLUSH(0); PUBLISH(0);
    FLUSH(1); PUBLISH(1);
    PUBLISH(3);
    if
#ifdef MUTANT_RETRIES_NOT_AWAITED
    :: flushed || pool != 0 ->
#else
    :: flushed || pool != 0 || retry[0] || retry[1] ->
#endif
       START();
       goto mark_on
    :: else
    fi;
#endif
    check_marked();
    over = true;
    stop = false
  }
}

init {
  atomic {
    /* 1 -> 2, or the two apart; who holds what. */
#ifdef WITH_OTHERS
    if :: f[1] = 2 :: true fi;
    if :: stk[2] = 2 :: stk[2] = 2; parked[1] = true :: born[1] = false fi;
#else
    f[1] = 2;
    if :: true :: stk[2] = 2 :: stk[2] = 2; parked[1] = true fi;
#endif
    if
    :: root = 1
    :: stk[0] = 1
    fi;
    run mutator(0);
    run mutator(1);
    run helper();
    run driver()
  }
}
