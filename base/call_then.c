/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * See base/call_then.h. Compiled with -fexceptions (base/CMakeLists.txt).
 */
#include "base/call_then.h"

struct undo {
  void (*fn)(void* arg);
  void* arg;
};

static void run_undo(struct undo* u) { u->fn(u->arg); }

void tri_base_call_then(void (*fn)(void* arg), void (*undo)(void* arg),
                        void* arg) {
  struct undo at_end __attribute__((cleanup(run_undo), unused)) = {undo, arg};
  fn(arg);
}
