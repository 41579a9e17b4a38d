/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * How work finds somebody who is asleep: the protocol of sched/wake.cc,
 * idle.cc, find_work.cc and of the switch from task to task, as a model for
 * spin. NP Ps and as many Ms, which look for work at first; a task that spawns SPAWNS others on P 0, and
 * yields YIELDS times when it has; a thread without a P that submits EXT. Each
 * task holds the P it runs on until all of them have begun, so that one whom
 * nobody wakes an M for hangs all: not only lost work is found, but also work
 * that waits for a P that is busy while another is idle. The search is
 * exhaustive.
 *
 * run.py verifies it, and then once with each MUTANT_x, which takes one rule
 * away and has to fail in the configuration that names it. The rules and where
 * they are in the code: docs/design/0020-wake-up.md.
 *
 *   gq, q[p]         the global queue, a P's own: numbers of tasks
 *   pidle, nidle     the idle list of Ps, idle_p_count
 *   midle, nidlem    that of Ms, idle_m_count
 *   spinning, spin   Scheduler::spinning, M::spinning
 *   lck              Scheduler::lock
 *   nextp, nextspin  M::next_p, M::next_spinning
 *
 * CONFIG spawns -DNP=2 -DSPAWNS=1 -DEXT=0 -DYIELDS=0
 * FAILS NOT_ONCE_MORE LOOKS_TOO_EARLY PUT_UNFENCED SPINS_TOO_LONG
 * CONFIG outside -DNP=2 -DSPAWNS=0 -DEXT=1 -DYIELDS=0
 * FAILS WAKES_TOO_EARLY
 * CONFIG yields -DNP=2 -DSPAWNS=1 -DEXT=0 -DYIELDS=2
 * FAILS YIELD_UNSEEN
 * CONFIG chain -DNP=3 -DSPAWNS=1 -DEXT=1 -DYIELDS=0
 * FAILS FOUND_AND_SILENT RELIED_ON_FORGOTTEN STAYS_ON_THE_BOOKS
 * STRESS all -DNP=3 -DSPAWNS=2 -DEXT=0 -DYIELDS=1
 *
 * Memory is sequentially consistent: the accesses that race are seq_cst in the
 * code, or come behind a locked instruction. Ms can always be had, as where
 * threads may be started; timers, the poller and the collector's work are kinds
 * of queues that are looked at in the same places, and not here.
 */
#ifndef NP
#define NP 3
#endif
#ifndef SPAWNS
#define SPAWNS 1
#endif
#ifndef EXT
#define EXT 1
#endif
#ifndef YIELDS
#define YIELDS 0
#endif
#define NONE NP
#define ALL (1 + SPAWNS + EXT)

byte gq;
byte q[NP];
bool pidle[NP];
byte nidle;
bool midle[NP];
byte nidlem;
byte spinning;
bool lck;
byte nextp[NP] = NONE;
bool nextspin[NP];
byte begun;

#define LOCK() atomic { !lck -> lck = true }
#define UNLOCK() lck = false

/* Puts an idle P into `what`, or NONE. Under the lock. */
inline acquire_idle_p(what) {
  d_step {
    what = 0;
    do
    :: what < NP && !pidle[what] -> what++
    :: else -> break
    od;
    if
    :: what < NP -> pidle[what] = false; nidle--
    :: else
    fi
  }
}

inline pop_idle_m(what) {
  d_step {
    what = 0;
    do
    :: what < NP && !midle[what] -> what++
    :: else -> break
    od;
    if
    :: what < NP -> midle[what] = false; nidlem--
    :: else
    fi
  }
}

/* wake_p(). wp, wm, won: the caller's. */
inline wake_p() {
  if
  :: nidle == 0
  :: else ->
     if
     :: spinning != 0
     :: else ->
        if
        :: nidlem == 0
        :: else ->
           atomic {
             won = (spinning == 0);
             if
             :: won -> spinning = 1
             :: else
             fi
           }
           if
           :: !won
           :: else ->
              LOCK();
              acquire_idle_p(wp);
              if
              :: wp == NONE ->
#ifndef MUTANT_STAYS_ON_THE_BOOKS
                 spinning--;
#endif
                 UNLOCK()
              :: else ->
                 pop_idle_m(wm);
                 if
                 :: wm == NONE ->
                    /* Somebody has taken it meanwhile, and looks for work. */
                    d_step { pidle[wp] = true; nidle++; spinning-- }
                    UNLOCK()
                 :: else ->
                    UNLOCK();
                    d_step { nextspin[wm] = true; nextp[wm] = wp }
                 fi
              fi;
              d_step { wp = 0; wm = 0 }
           fi;
           won = false
        fi
     fi
  fi
}

#define ANY_WORK() d_step { i = 0; some = false }; \
  some = (gq > 0); \
  do \
  :: i < NP && !some -> d_step { some = (q[i] > 0); i++ } \
  :: else -> break \
  od; \
  i = 0

proctype M(byte me) {
  byte p = me;
  bool spin, relied, got, some, won;
  byte i, wp, wm, left = SPAWNS, yields = YIELDS;
  bool main = (me == 0);
  if
  :: main -> goto running
  :: else
  fi;

find:
  /* Its own queue, then the global one. */
  atomic {
    if
    :: q[p] > 0 -> q[p]--; goto found
    :: else
    fi
  }
  if
  :: gq > 0 ->
     LOCK();
     d_step {
       got = (gq > 0);
       if
       :: got -> gq--
       :: else
       fi
     }
     UNLOCK();
     if
     :: got -> got = false; goto found
     :: else
     fi
  :: else
  fi;
  /* may_spin(), steal(). */
  if
  :: !spin && 2 * spinning >= NP - nidle -> goto nothing
  :: else
  fi;
  atomic {
    if
    :: !spin -> spin = true; spinning++
    :: else
    fi
  }
  i = 0;
  do
  :: i < NP ->
     atomic {
       if
       :: q[i] > 0 -> q[i]--; i = 0; goto found
       :: else -> i++
       fi
     }
  :: else -> break
  od;
  i = 0;

nothing:
#ifndef MUTANT_SPINS_TOO_LONG
  atomic {
    if
    :: spin -> spin = false; spinning--; relied = true
    :: else
    fi
  }
#endif
#ifdef MUTANT_LOOKS_TOO_EARLY
  ANY_WORK();
  if
  :: some -> some = false; goto find
  :: else
  fi;
#endif
  /* go_idle() */
  LOCK();
  if
  :: gq > 0 -> UNLOCK(); goto find
  :: else
  fi;
  d_step {
    pidle[p] = true; nidle++;
    midle[me] = true; nidlem++;
    p = NONE
  }
  UNLOCK();
#ifndef MUTANT_NOT_ONCE_MORE
#ifndef MUTANT_LOOKS_TOO_EARLY
  /* look_once_more() */
  ANY_WORK();
  if
  :: some ->
     some = false;
     LOCK();
     if
     :: midle[me] ->
        acquire_idle_p(p);
        if
        :: p != NONE ->
           d_step { midle[me] = false; nidlem-- }
           UNLOCK();
           atomic { spin = true; spinning++ }
           goto find
        :: else -> UNLOCK()
        fi
     :: else -> UNLOCK()
     fi
  :: else
  fi;
#endif
#endif
#ifdef MUTANT_SPINS_TOO_LONG
  atomic {
    if
    :: spin -> spin = false; spinning--
    :: else
    fi
  }
#endif
  relied = false;

sleep:
end_asleep:
  atomic {
    nextp[me] != NONE ->
    p = nextp[me]; nextp[me] = NONE;
    spin = nextspin[me]; nextspin[me] = false
  }
  goto find;

found:
  /* found(): it looks for work no more; is there more of it? */
  atomic {
    got = spin;
#ifndef MUTANT_RELIED_ON_FORGOTTEN
    got = got || relied;
#endif
    relied = false;
    if
    :: spin -> spin = false; spinning--
    :: else
    fi
  }
#ifndef MUTANT_FOUND_AND_SILENT
  if
  :: nidle != 0 && (got || q[p] > 0) -> wake_p()
  :: else
  fi;
#endif
  got = false;

running:
  if
  :: main ->
     /* submit_local() */
     do
     :: left > 0 ->
        left--;
#ifdef MUTANT_PUT_UNFENCED
        /* What the processor may make of it. */
        wake_p();
        q[p]++
#else
        q[p]++;
        wake_p()
#endif
     :: else -> break
     od;
     /* leave_for_next() and finish_yield(): the next one's stack, but here one
      * task is as good as another. */
     do
     :: yields > 0 && nidle == 0 && q[p] > 0 ->
        atomic {
          yields--;
          if
          :: q[p] > 0 -> q[p]--; got = true
          :: else
          fi
        }
        if
        :: got ->
           got = false;
           q[p]++;
#ifndef MUTANT_YIELD_UNSEEN
           if
           :: nidle != 0 -> wake_p()
           :: else
           fi
#endif
        :: else
        fi
     :: else -> break
     od;
     main = false
  :: else
  fi;
  begun++;
end_running:
  begun == ALL -> goto end_done;
end_done:
  false
}

/* A thread that holds no P: submit_global(). */
proctype Outside() {
  bool won;
  byte wp, wm, left = EXT;
  do
  :: left > 0 ->
     left--;
#ifdef MUTANT_WAKES_TOO_EARLY
     wake_p();
     LOCK();
     gq++;
     UNLOCK()
#else
     LOCK();
     gq++;
     UNLOCK();
     wake_p()
#endif
  :: else -> break
  od
}

proctype Monitor() {
end_watch:
  timeout -> assert(begun == ALL)
}

init {
  atomic {
    byte n = 1;
    run M(0);
    do
    :: n < NP -> run M(n); n++
    :: else -> break
    od;
    run Outside();
    run Monitor()
  }
}
