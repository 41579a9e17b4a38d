// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Coming to a P that may be alone: see sched/company.h.
#include "sched/company.h"

#include "base/cpu_x86_64.h"
#include "base/futex.h"
#include "base/os_memory.h"
#include "base/sched_point.h"
#include "sched/runtime.h"

namespace tricolor::sched {

void add_company(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  if (s.company.fetch_add_seq_cst(1) >= kCrowd) return;
  base::os_membarrier();
  if (TRI_PLANTED(company_does_not_wait)) return;
  P* p = s.procs.data()[0];
  // ORDER-company-2: pairs with leave_alone(): sees what the section did. It is
  // short, but its thread may have been preempted.
  for (int i = 1; p->alone.load_acquire() != 0; i++) {
    TRI_SCHED_POINT(add_company);
    if (i % 100 == 0) {
      constexpr int64_t kNapNs = 20'000;
      base::futex_wait(&p->alone, 1, kNapNs);
    } else {
      base::cpu_relax();
    }
  }
}

}  // namespace tricolor::sched
