// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Alone: a runtime with one P, to which no foreign thread is attached, runs
// managed code on one thread at a time. What guards cells against other Ps
// (the lock of a channel, the status of a coroutine) then costs two plain
// stores instead of two locked instructions. Scheduler::company counts who
// might be there besides the one P: attached threads, threads that touch a
// wait without holding a P, more Ps.
//
//   holder of the P (enter_alone)     who comes (add_company)
//   1. alone = 1                      1. company += 1
//   2. compiler barrier               2. membarrier: a fence in every thread
//   3. company == 0: it is alone      3. waits until alone == 0
//      ...
//   4. alone = 0
//
// If 3 (left) does not see 1 (right), 1 (left) precedes the fence, so 3 (right)
// sees it and waits for 4. Without membarrier in the kernel, and with several
// Ps, there is always company. A section has no safepoint in it and ends on the
// P it has begun on, though maybe in another task: a wait's commit ends it.
// The idea is that of biased locks and of asymmetric fences.
#ifndef TRICOLOR_SCHED_COMPANY_H_
#define TRICOLOR_SCHED_COMPANY_H_

#include "base/atomics.h"
#include "base/sched_point.h"
#include "sched/runtime.h"

namespace tricolor::sched {

/// Holder of `p`: whether the section that begins here may do without locks. If
/// so it ends with leave_alone().
inline bool enter_alone(P* p) {
  TRI_ASSERT(p->alone.load_relaxed() == 0, "sections do not nest");
  p->alone.store_relaxed(1);
  base::compiler_barrier();
  TRI_SCHED_POINT(enter_alone);
  // ORDER-company-1: pairs with drop_company(): sees what they did.
  if (TRI_LIKELY(p->rt->sched.company.load_acquire() == 0)) return true;
  p->alone.store_relaxed(0);
  return false;
}

inline void leave_alone(P* p) {
  // ORDER-company-2: pairs with add_company(): publishes the section.
  p->alone.store_release(0);
}

/// From here to drop_company() no P is alone. Any thread that is not inside a
/// section itself; waits for one that is under way.
void add_company(RuntimeImpl* rt);
inline void drop_company(RuntimeImpl* rt) {
  // ORDER-company-1: pairs with enter_alone().
  rt->sched.company.fetch_sub_release(1);
}

class CompanyScope {
 public:
  explicit CompanyScope(RuntimeImpl* rt) : rt_(rt) { add_company(rt); }
  ~CompanyScope() { drop_company(rt_); }
  CompanyScope(const CompanyScope&) = delete;
  CompanyScope& operator=(const CompanyScope&) = delete;

 private:
  RuntimeImpl* rt_;
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_COMPANY_H_
