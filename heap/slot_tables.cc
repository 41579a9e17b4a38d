// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The tables with an entry for each slot (layout and class): each P's runs,
// their states and the active list (heap/mcache.h), and the heap's mcentrals.
// Reserved for as many layouts as there may be, and made writable as layouts
// are registered, because what is writable is charged whether it is touched or
// not, by overcommit mode 2 and RLIMIT_DATA: 8.5 KiB for each layout, 32 MiB
// for all of them, and as much for each P.
//
// A P's tables are one mapping, its slots last, with a guard behind them. The
// inline allocation path indexes the slots with whatever layout id it is given.
// Ids that are not registered yet find an empty slot, and the slow path says
// so; but an id is 16 bits wide and the table ends at kMaxLayouts. Without a
// guard an id beyond it (memory that was never written, an id of another
// library) would read whatever is mapped next, maybe the slots of another P,
// and hand out its cells. Rejected: a compare in allocate(). With a constant
// size that path is 15 instructions, and it would be 17, for everybody and
// always, against a mistake that is made once. So the guard makes it a SIGSEGV
// in the caller's own frame, and checking builds (TRI_ENABLE_CHECKS), where the
// inline path does compare, say what is wrong. `make` has its id from a Type.
// The guard is 119 MiB of address space a P and costs nothing else. Where a
// process has a limit on that (RLIMIT_AS), or that much is refused, it is one
// page: ids just behind the last one.
//
// Invariants
// 1. Every table is writable for room_layouts_ layouts, and every registered
//    id lies below: LayoutTable::add asks make_room() before it publishes one.
// 2. A P without tables shows its mutators empty slots, so that its first
//    allocation comes here. A P that never allocates costs nothing.
// 3. Tables never move.
//
// Threads: make_room any; make_tables the holder of the P. They exclude each
// other by tables_lock_, so that no P misses the room for a layout.
#include "base/check.h"
#include "base/os_memory.h"
#include "heap/heap.h"

namespace tricolor::heap {

namespace {

/// One step of the room: whole OS pages in every table.
constexpr uint32_t kRoomStep = 32;
constexpr size_t kSlotsBytes = kSlotCount * sizeof(tri_slot);
constexpr size_t kStatesBytes = kSlotCount * sizeof(SlotState);
constexpr size_t kActiveBytes = kSlotCount * sizeof(uint32_t);
/// What a slot id made of any LayoutId and class can reach.
constexpr size_t kIdBytes =
    (size_t{1} << 8 * sizeof(LayoutId) << TRI_DETAIL_CLASS_SHIFT) *
    sizeof(tri_slot);
static_assert(kIdBytes == size_t{128} << 20);
/// A P's tables where address space is limited.
constexpr size_t kTablesBytes =
    kStatesBytes + kActiveBytes + kSlotsBytes + kOsPageBytes;
/// What a P maps besides: threads' and tasks' stacks, the allocator's arena.
constexpr size_t kOtherBytes = size_t{16} << 20;
/// And the collector, for lists of which it uses what it needs.
constexpr size_t kCollectorBytes = size_t{32} << 20;
static_assert(kMaxLayouts == TRI_DETAIL_LAYOUT_COUNT);
static_assert(kMaxLayouts % kRoomStep == 0);
static_assert(kRoomStep * kSlotsPerLayout * sizeof(uint32_t) % kOsPageBytes ==
              0);

/// Entries of `table` for layouts [from, to).
template <class T>
bool commit(T* table, uint32_t from, uint32_t to) {
  constexpr size_t kBytes = kSlotsPerLayout * sizeof(T);
  if (from == to) return true;
  return base::os_commit(reinterpret_cast<char*>(table) + from * kBytes,
                         (to - from) * kBytes);
}

bool commit_tables(MCache* mc, uint32_t from, uint32_t to) {
  return commit(mc->slots, from, to) && commit(mc->states, from, to) &&
         commit(mc->active, from, to);
}

uint32_t round_up(uint32_t layouts) {
  const uint32_t n = (layouts + kRoomStep - 1) / kRoomStep * kRoomStep;
  return n < kMaxLayouts ? n : kMaxLayouts;
}

/// Whether there is room for the tables of one more P, and for all else that it
/// and `have` Ps, which have theirs, may map.
bool has_room_for_another(uint32_t have) {
  const size_t bytes =
      kTablesBytes + (have + 1) * kOtherBytes + kCollectorBytes;
  void* room = base::os_reserve(bytes, kOsPageBytes);
  if (room == nullptr) return false;
  base::os_release(room, bytes);
  return true;
}

}  // namespace

AddressRoom Heap::room_for_procs(uint32_t procs) {
  constexpr size_t kOne = kTablesBytes + kOtherBytes;
  return {kOne + kCollectorBytes, procs * kOne + kCollectorBytes};
}

void Heap::mcache_init(MCache* mc) {
  mc->heap = this;
  mc->shard = next_shard_.fetch_add_relaxed(1) % MCentral::kShards;
  mc->visible = empty_slots_;
  mc->active_count = 0;
  mc->cut_next = 0;
  mc->listing = 1;
  mc->pages = PageCache{};
  mc->freed_pages = PageCache{};
  mc->unsettled_bytes = 0;
}

bool Heap::mcache_prepare(MCache* mc, uint32_t procs) {
  if (mc->slots != nullptr || !base::os_address_space_is_limited()) return true;
  return (procs == 0 || has_room_for_another(procs)) && make_tables(mc);
}

void Heap::mcache_destroy(MCache* mc) {
  mc->visible = nullptr;
  if (mc->slots == nullptr) return;
  {
    base::LockGuard guard(tables_lock_);
    MCache** at = &made_mcaches_;
    while (*at != mc) at = &(*at)->next_made;
    *at = mc->next_made;
  }
  tables_made_.fetch_sub_relaxed(1);
  touched_slots_.fetch_sub_relaxed(mc->active_most);
  mc->active_most = 0;
  base::os_release(mc->states, mc->tables_reserved);
  mc->slots = nullptr;
  mc->states = nullptr;
  mc->active = nullptr;
}

tri_slot* Heap::map_empty_slots(size_t* reserved) {
  // Zeros all the way: a bad id without a P is first of all without a P.
  *reserved = base::os_address_space_is_limited() ? kSlotsBytes : kIdBytes;
  return static_cast<tri_slot*>(base::os_map_zeros(*reserved));
}

bool Heap::make_tables(MCache* mc) {
  constexpr size_t kSlotsAt = kStatesBytes + kActiveBytes;
  char* base = nullptr;
  size_t reserved = 0;
  for (bool whole : {!base::os_address_space_is_limited(), false}) {
    reserved = kSlotsAt + (whole ? kIdBytes : kSlotsBytes + kOsPageBytes);
    base = static_cast<char*>(base::os_reserve(reserved, kOsPageBytes));
    if (base != nullptr) break;
  }
  if (base == nullptr) return false;
  // With huge pages always on, the first touch of one would cost 2 MiB.
  base::os_nohugepage(base, kSlotsAt + kSlotsBytes);
  mc->states = reinterpret_cast<SlotState*>(base);
  mc->active = reinterpret_cast<uint32_t*>(base + kStatesBytes);
  mc->slots = reinterpret_cast<tri_slot*>(base + kSlotsAt);
  mc->tables_reserved = reserved;
  {
    base::LockGuard guard(tables_lock_);
    if (commit_tables(mc, 0, room_layouts_)) {
      mc->next_made = made_mcaches_;
      made_mcaches_ = mc;
      tables_made_.fetch_add_relaxed(1);
      return true;
    }
  }
  base::os_release(base, reserved);
  mc->slots = nullptr;
  mc->states = nullptr;
  mc->active = nullptr;
  return false;
}

/// What has been committed when a later step fails stays so, and is committed
/// again by the next attempt.
bool Heap::make_room_locked(uint32_t to) {
  if (!commit(centrals_, room_layouts_, to)) return false;
  for (MCache* mc = made_mcaches_; mc != nullptr; mc = mc->next_made) {
    if (!commit_tables(mc, room_layouts_, to)) return false;
  }
  room_layouts_ = to;
  return true;
}

bool Heap::make_room(void* heap, uint32_t layouts) {
  auto* self = static_cast<Heap*>(heap);
  base::LockGuard guard(self->tables_lock_);
  const uint32_t room = self->room_layouts_;
  if (layouts <= room) return true;
  // A quarter more keeps the number of calls logarithmic.
  const uint32_t more = room + room / 4;
  return (more > layouts && self->make_room_locked(round_up(more))) ||
         self->make_room_locked(round_up(layouts));
}

}  // namespace tricolor::heap
