// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What the poller asks of the scheduler, see poll/hooks.h.
#include "poll/hooks.h"

#include "sched/runtime.h"

namespace tricolor::netpoll {

const PollHooks* poll_hooks(const Runtime& rt) {
  // ORDER-poll-hooks-1: pairs with install_poll_hooks().
  return impl_of(rt)->poll.load_acquire();
}

bool install_poll_hooks(Runtime& rt, const PollHooks* hooks) {
  const PollHooks* none = nullptr;
  // ORDER-poll-hooks-1: pairs with poll_hooks(): publishes the poller.
  return impl_of(rt)->poll.compare_exchange_strong_acq_rel(none, hooks);
}

bool runs_on_task(const Mutator& mu) {
  const auto* g = reinterpret_cast<const sched::G*>(&mu);
  return g->m->kind != sched::MKind::kAttached;
}

void ready_task(Runtime& rt, ParkedTask task) {
  sched::ready_g(impl_of(rt), nullptr, sched::g_of(task), /*next=*/false);
}

}  // namespace tricolor::netpoll

namespace tricolor::sched {

bool try_begin_poll(RuntimeImpl* rt) {
  // ORDER-poll-busy-1: pairs with end_poll(): sees what the last one did.
  return !rt->sched.poll_busy.exchange_acquire(true);
}

void end_poll(RuntimeImpl* rt) {
  // ORDER-poll-busy-1: pairs with try_begin_poll().
  rt->sched.poll_busy.store_release(false);
}

}  // namespace tricolor::sched
