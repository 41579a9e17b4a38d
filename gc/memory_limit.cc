// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/memory_limit.h. apply_memory_limit() is where the numbers of heap,
// pacer and limit meet.
#include "gc/memory_limit.h"

#include "base/cgroup_linux.h"
#include "base/format.h"
#include "base/os_memory.h"
#include "gc/collector_impl.h"

namespace tricolor::gc {

namespace {
constexpr unsigned kAutoPercent = 90;
constexpr uint64_t kLeastHeadroom = uint64_t{1} << 20;
constexpr uint64_t kLimiterPeriodNs = 10'000'000;
// Some files in /proc and /sys, opened and read: 50 to 100 us.
constexpr uint64_t kReadPeriodNs = 10'000'000;
constexpr uint64_t kLeastReadBytes = uint64_t{4} << 20;
}  // namespace

bool MemoryLimit::init(uint64_t bytes, const char* root) {
  if (root == nullptr) root = "";
  set_.store_relaxed(bytes);
  return base::format_buffer(membership_, sizeof(membership_),
                             "%s/proc/self/cgroup",
                             root) < sizeof(membership_) &&
         base::format_buffer(mount_, sizeof(mount_), "%s/sys/fs/cgroup", root) <
             sizeof(mount_);
}

uint64_t MemoryLimit::read(uint64_t ours) {
  const uint64_t set = set_.load_relaxed();
  uint64_t limit = set == kNoMemoryLimit ? kNone : set;
  if (set == kAutoMemoryLimit) {
    limit = base::cgroup_memory_share_bytes({membership_, mount_}, ours,
                                            kAutoPercent);
  }
  bytes_.store_relaxed(limit);
  return limit;
}

uint64_t MemoryLimit::headroom(uint64_t limit) {
  uint64_t n = limit / 100 * 3;
  if (n < kLeastHeadroom) n = kLeastHeadroom;
  return n < limit / 4 ? n : limit / 4;
}

uint64_t MemoryLimit::goal(uint64_t limit, uint64_t overhead) {
  if (limit == kNone) return kNone;
  overhead += headroom(limit);
  return limit > overhead ? limit - overhead : 0;
}

uint64_t CollectorImpl::table_bytes() const {
  uint64_t n = meta->bytes() + heap->table_bytes() + work.resident_bytes() +
               roots.table_bytes() + weak.keys.table_bytes() +
               finalizers.dead_bytes();
  return world.other_bytes == nullptr ? n : n + world.other_bytes(world.ctx);
}

bool CollectorImpl::limit_is_stale(uint64_t limit) const {
  uint64_t most = limit / 8;
  if (most < kLeastReadBytes) most = kLeastReadBytes;
  return now() - limit_read_ns >= kReadPeriodNs ||
         heap->allocated_bytes() - limit_read_at >= most;
}

void CollectorImpl::apply_memory_limit(LimitLook look) TRI_NO_THREAD_SAFETY {
  // What the holder is about to do will do, too.
  if (look == LimitLook::kNow) {
    limit_lock.lock();
  } else if (!limit_lock.try_lock()) {
    return;
  }
  if (look != LimitLook::kInStop) update_limiter();
  const uint64_t tables = table_bytes();
  const uint64_t resident = heap->resident_bytes();
  uint64_t limit = memory_limit.bytes();
  if (look == LimitLook::kNow ||
      (look == LimitLook::kSoon && limit_is_stale(limit))) {
    limit_read_ns = now();
    limit_read_at = heap->allocated_bytes();
    limit = memory_limit.read(resident + tables + external());
  }
  // Free cells in spans. While there are dead ones they cannot be told apart.
  if (heap->all_swept()) {
    const uint64_t in_use = heap->pages_in_use() << heap::kPageShift;
    const uint64_t live = heap->live_bytes() + heap->punched_bytes();
    span_waste = in_use > live ? in_use - live : 0;
  }
  // Where much of it is lost between cells, sweepers give that back, too.
  const bool lost = limit != MemoryLimit::kNone &&
                    span_waste + heap->punched_bytes() > limit / 8;
  if (lost != punches) heap->add_punching(lost ? 1 : -1);
  punches = lost;
  uint64_t goal = MemoryLimit::goal(limit, tables + span_waste);
  const uint64_t twice = 2 * pacer.marked_bytes();
  if (limiter.limiting() && goal < twice) goal = twice;
  pacer.set_limit(goal);
  aim_heap();
  uint64_t most = MemoryLimit::kNone;
  if (limit != MemoryLimit::kNone && !limiter.limiting()) {
    // Half the headroom is for what grows until the next look.
    const uint64_t other =
        tables + external() + MemoryLimit::headroom(limit) / 2;
    most = limit > other ? limit - other : 0;
  }
  heap->set_limit_bytes(most);
  limit_checked_.store_relaxed(heap->allocated_bytes());
  limit_lock.unlock();
  // The rest with the next allocations of pages, and by the scavenger.
  if (look != LimitLook::kInStop) heap->scavenge_over_limit();
}

void CollectorImpl::update_limiter() {
  const uint64_t at = now();
  if (at < limiter_due_ns) return;
  limiter_due_ns = at + kLimiterPeriodNs;
  const uint64_t most = (at - limiter_at_ns) * procs();
  limiter_at_ns = at;
  limiter.update(collecting_cpu_ns_.load_relaxed() + heap->scavenge_assist_ns(),
                 base::os_process_cpu_ns(), most);
}

void CollectorImpl::check_memory_limit() {
  if (!memory_limit.is_set()) return;
  const uint64_t limit = memory_limit.bytes();
  const uint64_t step =
      limit == MemoryLimit::kNone ? uint64_t{64} << 20 : limit / 32 + 65536;
  if (heap->allocated_bytes() - limit_checked_.load_relaxed() >= step) {
    apply_memory_limit(LimitLook::kSoon);
  }
}

}  // namespace tricolor::gc
