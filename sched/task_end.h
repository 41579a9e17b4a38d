// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Failures of tasks: from the stack that ends with one to whoever takes it. A
// failure lies in G::result and belongs to the G until it is taken from there;
// G::joiner says by whom:
//
//   kJoinDetached  the ending task reports it itself, before it leaves its
//                  stack
//   else           the ending task adds kJoinFailing. Whoever joins or detaches
//                  from now on has the failure to take.
//
// kJoinFailing is there so that a detach in the last moments of a failing task
// is not missed: between the task's own look and finish_exit, which runs on the
// scheduler's stack, where no code of the embedder should.
#ifndef TRICOLOR_SCHED_TASK_END_H_
#define TRICOLOR_SCHED_TASK_END_H_

#include "sched/g.h"
#include "tricolor/task_end.h"

namespace tricolor::sched {

/// What `g`, which has ended with kFailed, has failed with.
detail::Failure failure_of(const G* g);

/// A failure that nobody joins, with what is said about it. Copied, since the
/// G goes back to its pool before the embedder is called.
struct LostFailure {
  RuntimeImpl* rt;
  uint64_t task;
  char name[kTaskNameBytes];
  detail::Failure failure;
};
LostFailure lost_failure(const G* g);
/// Calls Options::on_task_failure, or ends the process; drops the failure.
void report(const LostFailure& lost);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_TASK_END_H_
