// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Objects over 32 KiB: a span of their own. The object is rooted in a shadow
// slot from the moment its pages are taken; those that held old bytes are
// zeroed, in chunks with polls between, and its page entry reads noscan until
// that is done, so that a marker that meets it half zeroed scans nothing.
//
// Spans of large objects are doubly linked, under a lock: each costs its
// allocation many microseconds anyway, and release() can take one out.
#include <cstring>

#include "base/check.h"
#include "heap/callback.h"
#include "heap/heap.h"
#include "heap/misuse.h"
#include "heap/poison.h"

namespace tricolor::heap {

namespace {
constexpr size_t kZeroChunkPages = 32;  // 256 KiB
constexpr uint32_t kNoscanLayout = 0;   // layout 0's hot entry is all zero
}  // namespace

void Heap::list_large(Span* span) {
  base::LockGuard guard(large_lock_);
  // ORDER-swept-1: pairs with is_swept_large(): the sweeper has done with it,
  // but for the lock, under which whoever releases it finds it listed.
  span->sweepgen.store_release(sweepgen());
  base::Atomic<uint32_t>* head = &large_[large_list(sweepgen())];
  const uint32_t first = head->load_relaxed();
  span->home = SpanHome::kListed;
  span->prev = 0;
  span->next.store_relaxed(first);
  if (first != 0) space_.span(first)->prev = span->first_page;
  head->store_relaxed(span->first_page);
}

void Heap::unlink_large_locked(Span* span, uint32_t list) {
  TRI_ASSERT(span->home == SpanHome::kListed);
  const uint32_t next = span->next.load_relaxed();
  if (next != 0) space_.span(next)->prev = span->prev;
  if (span->prev != 0) {
    space_.span(span->prev)->next.store_relaxed(next);
  } else {
    TRI_ASSERT(large_[list].load_relaxed() == span->first_page);
    large_[list].store_relaxed(next);
  }
  span->home = SpanHome::kNone;
}

Span* Heap::pop_unswept_large() {
  const uint32_t list = large_list(sweepgen() - 2);
  // Nobody adds to it between two stops.
  if (large_[list].load_relaxed() == 0) return nullptr;
  base::LockGuard guard(large_lock_);
  const uint32_t first = large_[list].load_relaxed();
  if (first == 0) return nullptr;
  Span* span = space_.span(first);
  unlink_large_locked(span, list);
  TRI_ASSERT(span->sweepgen.load_relaxed() == sweepgen() - 2);
  span->sweepgen.store_relaxed(sweepgen() - 1);
  span->home = SpanHome::kSweeping;
  return span;
}

void Heap::unlist_large(Span* span) {
  base::LockGuard guard(large_lock_);
  unlink_large_locked(span, large_list(sweepgen()));
}

PageAlloc::DirtySink Heap::note_dirty() {
  return {
      [](void* self, size_t page, size_t npages) {
        auto* heap = static_cast<Heap*>(self);
        for (size_t i = 0; i < npages; ++i) {
          heap->space_.entry(page + i)->bits.store_relaxed(PageEntry::kDirty);
        }
      },
      this};
}

void Heap::zero_dirty(size_t page, size_t npages) {
  auto is_dirty = [&](size_t i) {
    const uint32_t bits = space_.entry(page + i)->bits.load_relaxed();
    return (bits & PageEntry::kDirty) != 0;
  };
  for (size_t from = 0; from < npages; ++from) {
    if (!is_dirty(from)) continue;
    size_t to = from;
    for (; to < npages && is_dirty(to); ++to) {
      check_free(space_.page_address(page + to), kPageBytes, 0, "the page");
    }
    // At once: memset is a sixth faster for 256 KiB than for a page.
    std::memset(space_.page_address(page + from), 0, (to - from) << kPageShift);
    from = to;
  }
}

/// Nothing refers to the object yet. Only pages that held something: the rest
/// of a long object may never be touched.
void Heap::zero_rooted(tri_mutator* mu, Span* span) {
  void** top = mu->shadow_top;
  if (top == mu->shadow_limit) top = tri_detail_shadow_grow(mu, 1);
  char* object = space_.page_address(span->first_page);
  const size_t rest = (size_t{span->npages} << kPageShift) - span->bytes;
  unpoison(object + span->bytes, rest);  // whole pages are zeroed
  *top = object;
  mu->shadow_top = top + 1;
  for (size_t done = 0; done < span->npages; done += kZeroChunkPages) {
    const size_t left = span->npages - done;
    zero_dirty(span->first_page + done,
               left < kZeroChunkPages ? left : kZeroChunkPages);
    if (base::load_relaxed(&mu->poll_request) != 0) tri_detail_poll_slow(mu);
  }
  poison(object + span->bytes, rest);
  if (top == mu->shadow_base) {
    tri_detail_shadow_shrink(mu, top);
  } else {
    mu->shadow_top = top;
  }
}

/// The first of pages for so many bytes, charged; 0: there are none. A
/// safepoint.
uint32_t Heap::pages_for_large(tri_mutator* mu, size_t bytes) {
  // What can never be had costs no collection.
  if (bytes > most_pages() << kPageShift) return 0;
  const size_t npages = (bytes + kPageBytes - 1) >> kPageShift;
  const uint32_t begun = cycles_begun();
  for (int attempt = 0;; ++attempt) {
    if (hooks_.before_refill != nullptr) {
      hooks_.before_refill(hooks_.ctx, mu, bytes);  // safepoint
    }
    make_room(mu, npages << kPageShift);  // safepoint
    bool needzero = false;
    uint32_t page = alloc_pages(mcache_of(mu), npages, &needzero, note_dirty());
    // A P's cache knows of all its pages together.
    if (page != 0 && needzero && npages <= PageCache::kMaxPages) {
      note_dirty().fn(this, page, npages);
    }
    if (page != 0 || hooks_.collect_for_memory == nullptr ||
        !hooks_.collect_for_memory(hooks_.ctx, mu, bytes, begun, attempt)) {
      return page;
    }
  }
}

/// The object is there, allocated black, and reads as noscan.
void Heap::make_large(MCache* mc, uint32_t page, size_t bytes,
                      LayoutId layout) {
  const size_t npages = (bytes + kPageBytes - 1) >> kPageShift;
  Span* span = space_.span(page);
  TRI_ASSERT(span->state == SpanState::kFree);
  span->state = SpanState::kLarge;
  span->home = SpanHome::kNone;
  span->size_class = 0;
  span->first_page = page;
  span->npages = static_cast<uint32_t>(npages);
  span->bytes = (bytes + 15) & ~size_t{15};
  span->layout = layout;
  span->mixed = false;
  span->punched = 0;
  span->shard = static_cast<uint8_t>(mc->shard);
  span->live = 1;
  for (size_t i = 0; i < npages; ++i) {
    base::Atomic<uint32_t>* entry = &space_.entry(page + i)->bits;
    const uint32_t dirty = entry->load_relaxed() & PageEntry::kDirty;
    const uint32_t bits =
        i == 0 ? PageEntry::pack(kNoscanLayout, 0, SpanState::kLarge)
               : PageEntry::pack_tail(i);
    entry->store_release(bits | dirty);
  }
  void* object = space_.page_address(page);
  poison(object, npages << kPageShift);  // what rounding to pages adds
  unpoison(object, span->bytes);
  base::store_relaxed(space_.mark_of(space_.offset_of(object)), cur());
  span_count_.fetch_add_relaxed(1);
  list_large(span);
  mc->unsettled_bytes += static_cast<int64_t>(npages << kPageShift);
}

void* Heap::allocate_large(tri_mutator* mu, LayoutId layout, size_t bytes,
                           bool may_fail) {
  if (layout == kInvalidLayout || layout >= layouts_.count()) {
    TRI_MISUSE("allocate", "layout %u is not registered with this runtime",
               unsigned{layout});
  }
  TRI_ASSERT(bytes > 0);
  check_head("allocate", layout, bytes);
  const uint32_t page = pages_for_large(mu, bytes);
  if (page == 0) {
    if (may_fail) return nullptr;
    end_out_of_memory(mu, bytes);
  }
  // No safepoint until the object is rooted below.
  make_large(mcache_of(mu), page, bytes, layout);
  Span* span = space_.span(page);
  if (!layouts_.is_uninitialized(layout)) zero_rooted(mu, span);
  // ORDER-entry-1: pairs with the marker's load: zeroed before scannable.
  space_.entry(page)->bits.store_release(
      PageEntry::pack(layout, 0, SpanState::kLarge));
  void* object = space_.page_address(page);
  if (TRI_UNLIKELY(profile_.fn != nullptr)) {
    sample_large(mu, layout, object, size_t{span->npages} << kPageShift);
  }
  return object;
}

}  // namespace tricolor::heap

extern "C" {

void* tri_detail_allocate_slow(tri_mutator* mu, uint32_t slot_id, size_t bytes,
                               int may_fail) {
  if (TRI_UNLIKELY(mu->p == nullptr)) {
    tricolor::heap::misuse_in_native("allocate");
  }
  tricolor::heap::check_no_callback(tricolor::heap::mcache_of(mu), "allocate");
  return tricolor::heap::mcache_of(mu)->heap->allocate_slow(mu, slot_id, bytes,
                                                            may_fail != 0);
}

void* tri_detail_allocate_large(tri_mutator* mu, uint32_t layout, size_t bytes,
                                int may_fail) {
  if (TRI_UNLIKELY(mu->p == nullptr)) {
    tricolor::heap::misuse_in_native("allocate");
  }
  tricolor::heap::check_no_callback(tricolor::heap::mcache_of(mu), "allocate");
  return tricolor::heap::mcache_of(mu)->heap->allocate_large(
      mu, static_cast<tricolor::LayoutId>(layout), bytes, may_fail != 0);
}

}  // extern "C"
