// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See poller.h.
#include "poll/poller.h"

#include <new>

#include "base/check.h"
#include "base/format.h"
#include "base/os_memory.h"
#include "base/sched_point.h"
#include "poll/socket.h"

namespace tricolor::netpoll {
namespace {

Poller* self(void* ctx) { return static_cast<Poller*>(ctx); }

}  // namespace

Poller::Poller(Runtime& rt)
    : rt_(&rt),
      hooks_{
          this,
          [](void* ctx, int64_t timeout_ns, ParkedTask* out, size_t capacity) {
            return self(ctx)->poll(timeout_ns, out, capacity);
          },
          [](void* ctx) { self(ctx)->wake(); },
          [](void* ctx) { return self(ctx)->has_waiters(); },
          [](void* ctx) { self(ctx)->destroy(); }},
      pool_(meta_) {}

Poller* Poller::create(Runtime& rt, Error* error) {
  void* memory = base::os_map(sizeof(Poller));
  if (memory == nullptr) {
    error->code = ErrorCode::kOutOfMemory;
    base::format_buffer(error->text, sizeof(error->text),
                        "no memory for the poller");
    return nullptr;
  }
  auto* poller = ::new (memory) Poller(rt);
  for (Epoll& shard : poller->shards_) {
    const int err = shard.open();
    if (err == 0) continue;
    error->code = ErrorCode::kOs;
    error->os_errno = err;
    base::format_buffer(error->text, sizeof(error->text),
                        "the poller needs two file descriptors: errno %d (%s)",
                        err, errno_text(err));
    poller->destroy();
    return nullptr;
  }
  return poller;
}

Poller* Poller::find_or_create(Runtime& rt, Error* error) {
  const PollHooks* hooks = poll_hooks(rt);
  if (hooks != nullptr) return self(hooks->ctx);
  Poller* poller = create(rt, error);
  if (poller == nullptr) return nullptr;
  if (install_poll_hooks(rt, &poller->hooks_)) return poller;
  poller->destroy();  // another thread was first
  return self(poll_hooks(rt)->ctx);
}

void Poller::destroy() {
  {
    base::LockGuard guard(lock_);
    for (PollDesc* d = all_; d != nullptr; d = d->all_next) {
      if (!d->is_free()) socket_close(d->fd);
    }
  }
  for (Epoll& shard : shards_) shard.close();
  this->~Poller();
  base::os_release(this, sizeof(Poller));
}

PollDesc* Poller::take_desc() {
  base::LockGuard guard(lock_);
  PollDesc* desc = pool_.alloc();
  if (desc == nullptr || desc->poller != nullptr) return desc;
  desc->poller = this;  // the first use
  desc->all_next = all_;
  all_ = desc;
  return desc;
}

PollDesc* Poller::open(int fd, uint32_t* seq, int* err) {
  PollDesc* desc = take_desc();
  if (desc == nullptr) {
    *err = kErrnoNoMemory;
    return nullptr;
  }
  desc->shard = 0;
  *seq = desc->begin(fd);
  *err = shards_[desc->shard].add(fd, PollTag::make(desc, *seq));
  if (*err == 0) return desc;
  const bool closed = desc->mark_closed(*seq);
  const bool last = desc->unpin(Use::kOther);
  TRI_CHECK(closed && last, "nobody else has seen this descriptor");
  base::LockGuard guard(lock_);
  desc->fd = -1;
  pool_.free(desc);
  return nullptr;
}

bool Poller::close(PollDesc* desc, uint32_t seq) {
  TRI_SCHED_POINT(poll_close);
  if (!desc->mark_closed(seq)) return false;
  for (Direction d : {Direction::kRead, Direction::kWrite}) {
    const ParkedTask task = deliver(desc, d, /*ready=*/false);
    if (task.g != nullptr) ready_task(*rt_, task);
  }
  // See wait_in_kernel(): it raises the count and then looks for `closed`.
  if (desc->kernel_waiters.load_seq_cst() != 0) socket_abort(desc->fd);
  unpin(desc, Use::kOther);
  return true;
}

void Poller::release(PollDesc* desc) {
  shards_[desc->shard].remove(desc->fd);
  socket_close(desc->fd);
  base::LockGuard guard(lock_);
  desc->fd = -1;
  pool_.free(desc);
}

ParkedTask Poller::deliver(PollDesc* desc, Direction direction, bool ready) {
  const ParkedTask task = desc->wake(direction, ready);
  if (task.g != nullptr) drop_waiter();
  return task;
}

size_t Poller::poll(int64_t timeout_ns, ParkedTask* out, size_t capacity) {
  TRI_CHECK(capacity >= 2, "one event may wake a reader and a writer");
  PollEvent events[Epoll::kBatchMax];
  size_t batch = capacity / 2;
  if (batch > Epoll::kBatchMax) batch = Epoll::kBatchMax;
  return dispatch(events, shards_[0].wait(timeout_ns, events, batch), out);
}

size_t Poller::dispatch(const PollEvent* events, size_t n, ParkedTask* out) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    const PollEvent& event = events[i];
    // Stale: the fd was closed after the kernel queued this. A reuse right
    // after the look costs its new user one vain try.
    if (!PollTag::is_current(event.tag)) continue;
    PollDesc* desc = PollTag::desc(event.tag);
    if (event.readable) {
      const ParkedTask task = deliver(desc, Direction::kRead, true);
      if (task.g != nullptr) out[count++] = task;
    }
    if (event.writable) {
      const ParkedTask task = deliver(desc, Direction::kWrite, true);
      if (task.g != nullptr) out[count++] = task;
    }
  }
  return count;
}

size_t Poller::count_open_for_testing() {
  base::LockGuard guard(lock_);
  size_t count = 0;
  for (PollDesc* d = all_; d != nullptr; d = d->all_next) {
    TRI_VERIFY(d->is_valid());
    if (!d->is_free()) count++;
  }
  return count;
}

}  // namespace tricolor::netpoll
