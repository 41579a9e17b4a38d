// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The C API over the C++ one: how tasks end, and their names.
#include <cstring>

#include "sched/runtime.h"
#include "tricolor/task_end.h"
#include "tricolor/tricolor.h"

static_assert(TRI_OUTCOME_EXITED ==
              static_cast<int>(tricolor::Outcome::kExited));
static_assert(TRI_OUTCOME_FAILED ==
              static_cast<int>(tricolor::Outcome::kFailed));

extern "C" {

int tri_try_join(tri_mutator* mu, tri_task task, void** result,
                 uint64_t* code) {
  tricolor::detail::Failure failure;
  const tricolor::Outcome outcome = tricolor::detail::join(
      *mu, {task.g, task.id}, result, sizeof(void*), &failure);
  const tricolor::TaskError error(failure);
  *code = error.code();
  return static_cast<int>(outcome);
}

int tri_wait_for(tri_mutator* mu, tri_task task, uint64_t deadline_ns) {
  return static_cast<int>(tricolor::detail::wait_for(
      *mu, {task.g, task.id}, tricolor::Deadline::at(deadline_ns)));
}
void tri_cancel(tri_task task) { tricolor::detail::cancel({task.g, task.id}); }
tri_task tri_current_task(tri_mutator* mu) {
  const tricolor::detail::TaskRef ref = tricolor::cancel_handle(*mu).ref();
  return {ref.g, ref.id};
}
bool tri_is_cancelled(const tri_mutator* mu) {
  return tricolor::is_cancelled(*mu);
}

void tri_goexit(tri_mutator* mu) { tricolor::goexit(*mu); }
void tri_exit_with_error(tri_mutator* mu, uint64_t code) {
  tricolor::exit_with_error(*mu, code);
}

uint64_t tri_task_id(tri_mutator* mu) { return tricolor::task_id(*mu); }
void tri_set_task_name(tri_mutator* mu, const char* name) {
  tricolor::set_task_name(*mu, name);
}
const char* tri_task_name(tri_mutator* mu) { return tricolor::task_name(*mu); }

}  // extern "C"
