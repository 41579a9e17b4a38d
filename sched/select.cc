// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// select, after Go's selectgo: all channels are locked, by rising address;
// the cases are tried in a random order; if none can go on, the task is listed
// with all of them, and leaves. Whoever ends its wait has done the case.
#include "tricolor/select.h"

#include "base/check.h"
#include "base/rng.h"
#include "base/sched_point.h"
#include "sched/channel.h"
#include "sched/quick.h"
#include "sched/runtime.h"
#include "tricolor/local.h"

namespace tricolor::sched {
namespace {

// Room on the caller's stack, of whatever size it has.
constexpr size_t kMostOnStack = kMaxSelectCases;

struct Roots : detail::ScopeBase {
  Roots(Mutator& mu, size_t n) : ScopeBase(mu, n) {}
  void** slots() { return slots_; }
};

struct Select {
  Mutator& mu;
  SelectCase* cases;
  size_t n;
  ChannelRep** locks;  ///< each channel once, by rising address
  size_t lock_count = 0;
  WaitNode* nodes;
};

void sort_locks(Select* s) {
  for (size_t i = 0; i < s->n; i++) {
    ChannelRep* ch = s->cases[i].channel;
    if (ch == nullptr) continue;
    size_t at = s->lock_count;
    while (at > 0 && s->locks[at - 1] > ch) at--;
    if (at > 0 && s->locks[at - 1] == ch) continue;
    for (size_t k = s->lock_count; k > at; k--) s->locks[k] = s->locks[k - 1];
    s->locks[at] = ch;
    s->lock_count++;
  }
}

void lock_all(const Select& s) TRI_NO_THREAD_SAFETY {
  for (size_t i = 0; i < s.lock_count; i++) s.locks[i]->lock.lock();
}

// Behind the last unlock the waiter's stack, where *s is, may be in use.
void unlock_all(P*, void* ctx) TRI_NO_THREAD_SAFETY {
  const auto* s = static_cast<const Select*>(ctx);
  ChannelRep* const* const locks = s->locks;
  const size_t count = s->lock_count;
  for (size_t i = 0; i < count; i++) locks[i]->lock.unlock();
}

// The first case, from a random one on, that can go on.
size_t try_all(const Select& s, uint32_t start, Tried* tried,
               WaitNode** other) TRI_NO_THREAD_SAFETY {
  for (size_t k = 0; k < s.n; k++) {
    const size_t i = (start + k) % s.n;
    const SelectCase& c = s.cases[i];
    if (c.channel == nullptr) continue;
    *tried =
        c.sends ? try_send_locked(s.mu, c.channel, *c.value, c.bytes, other)
                : try_receive_locked(s.mu, c.channel, *c.value, c.bytes, other);
    if (*tried != Tried::kMustWait) return i;
  }
  return Selected::kNone;
}

WaitList* list_of(const SelectCase& c) TRI_NO_THREAD_SAFETY {
  return c.sends ? &c.channel->senders : &c.channel->receivers;
}

void list_all(const Select& s, Waiter* waiter, uint64_t ticket) {
  for (size_t i = 0; i < s.n; i++) {
    const SelectCase& c = s.cases[i];
    WaitNode* node = &s.nodes[i];
    *node = WaitNode();
    if (c.channel == nullptr) continue;
    node->waiter = waiter;
    node->ticket = ticket;
    node->bytes = c.bytes;
    list_of(c)->push(node);
  }
}

// Each lock once at least, also where there is nothing to take out: only then
// is the commit, which unlocks them, done with our stack.
void unlist_all(const Select& s) {
  for (size_t i = 0; i < s.n; i++) {
    const SelectCase& c = s.cases[i];
    if (c.channel == nullptr) continue;
    base::LockGuard guard(c.channel->lock);
    if (s.nodes[i].list != nullptr) list_of(c)->remove(&s.nodes[i]);
  }
}

Selected wait_for_all(Select* s, Deadline deadline) {
  Waiter* waiter = waiter_of(s->mu);
  const bool timed = deadline.at_ns != Deadline::kNever;
  list_all(*s, waiter, waiter->next_ticket(/*shielded=*/false, timed));
  Wait wait;
  wait.deadline_ns = deadline.at_ns;
  wait.unlock = unlock_all;
  wait.reason = WaitReason::kSelect;
  wait.ctx = s;
  G* g = g_of(&s->mu);
  g->wait_root = 0;  // what is received will be there
  Selected selected;
  selected.result = wait_current(s->mu, wait);
  WaitNode* node = waiter->node;
  if (node != nullptr) selected.index = static_cast<size_t>(node - s->nodes);
  unlist_all(*s);
  g->wait_root = 0;
  return selected;
}

void root_cases(const Select& s, void** slots) {
  for (size_t i = 0; i < s.n; i++) {
    const SelectCase& c = s.cases[i];
    slots[2 * i] = c.channel;
    if (c.sends && c.value->cell != nullptr) {
      slots[2 * i + 1] = c.value->cell(*c.value, c.bytes);
    }
  }
}

Selected select_rooted(Select* s, Deadline deadline) TRI_NO_THREAD_SAFETY {
  if (__atomic_load_n(&s->mu.poll_request, __ATOMIC_RELAXED) != 0) {
    tri_detail_poll_slow(&s->mu);
  }
  sort_locks(s);
  lock_all(*s);
  Tried tried;
  WaitNode* other = nullptr;
  const uint32_t start = p_of(&s->mu)->rng.below(static_cast<uint32_t>(s->n));
  Selected selected;
  selected.index = try_all(*s, start, &tried, &other);
  if (selected.index == Selected::kNone) {
    if (!has_passed(deadline.at_ns)) return wait_for_all(s, deadline);
    unlock_all(nullptr, s);
    return selected;
  }
  unlock_all(nullptr, s);
  if (other != nullptr) wake_waiter(p_of(&s->mu), other->waiter);
  selected.result =
      tried == Tried::kDone ? WaitResult::kOk : WaitResult::kClosed;
  return selected;
}

// Frames of two sizes: most selects have few cases, most stacks little room.
template <size_t kMost>
TRI_NOINLINE Selected select_up_to(Mutator& mu, SelectCase* cases, size_t n,
                                   Deadline deadline) {
  ChannelRep* locks[kMost];
  WaitNode nodes[kMost];
  Roots roots(mu, 2 * n);
  Select s{mu, cases, n, locks, 0, nodes};
  root_cases(s, roots.slots());
  return select_rooted(&s, deadline);
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor {

Selected select(Mutator& mu, SelectCase* cases, size_t n, Deadline deadline) {
  TRI_SCHED_POINT(select);
  sched::check_may_wait(&mu, "select");
  if (n > kMaxSelectCases) {
    TRI_MISUSE("select", "%zu cases: at most %zu", n, kMaxSelectCases);
  }
  size_t channels = 0;
  for (size_t i = 0; i < n; i++) {
    if (cases[i].channel == nullptr) continue;
    sched::check_channel(mu, cases[i].channel, *cases[i].value, "select");
    channels++;
  }
  if (channels == 0) {
    const WaitResult result = sleep_until(mu, deadline);
    return {Selected::kNone,
            result == WaitResult::kOk ? WaitResult::kTimeout : result};
  }
  constexpr size_t kFew = 8;
  return n <= kFew
             ? sched::select_up_to<kFew>(mu, cases, n, deadline)
             : sched::select_up_to<sched::kMostOnStack>(mu, cases, n, deadline);
}

}  // namespace tricolor
