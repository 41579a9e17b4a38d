/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * See base/call_then.h. Compiled with -fexceptions (base/CMakeLists.txt).
 */
#include "base/call_then.h"

#include <stddef.h>
#include <stdint.h>
#include <unwind.h>

struct undo {
  void (*fn)(void* arg);
  void* arg;
};

static void run_undo(struct undo* u) { u->fn(u->arg); }

/* A function of its own, whose frame call_under_way() looks for. */
static __attribute__((noinline)) void call(void (*fn)(void* arg),
                                           void (*undo)(void* arg), void* arg) {
  struct undo at_end __attribute__((cleanup(run_undo), unused)) = {undo, arg};
  fn(arg);
}

void tri_base_call_then(void (*fn)(void* arg), void (*undo)(void* arg),
                        void* arg) {
  call(fn, undo, arg);
}

struct search {
  uintptr_t up_to;
  int answer;
};

static _Unwind_Reason_Code look(struct _Unwind_Context* context, void* arg) {
  struct search* s = arg;
  void* ip = (void*)_Unwind_GetIP(context);
  if (_Unwind_FindEnclosingFunction(ip) == (void*)&call) {
    s->answer = 1;
  } else if (_Unwind_GetCFA(context) > s->up_to) {
    s->answer = 0;
  } else {
    return _URC_NO_REASON;
  }
  return _URC_NORMAL_STOP;
}

int tri_base_call_under_way(const void* up_to) {
  struct search s = {(uintptr_t)up_to, -1};
  _Unwind_Backtrace(look, &s);
  return s.answer;
}
