// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Objects over 32 KiB: a span of their own. The object is rooted in a shadow
// slot from the moment its pages are taken; it is zeroed in chunks with polls
// between, and its page entry reads noscan until that is done, so that a marker
// that meets it half zeroed scans nothing.
#include <cstring>

#include "base/check.h"
#include "heap/heap.h"
#include "heap/misuse.h"
#include "heap/poison.h"

namespace tricolor::heap {

namespace {
constexpr size_t kZeroChunk = size_t{256} << 10;
constexpr uint32_t kNoscanLayout = 0;  // layout 0's hot entry is all zero

void zero_in_chunks(tri_mutator* mu, void* object, size_t bytes) {
  char* p = static_cast<char*>(object);
  for (size_t done = 0; done < bytes; done += kZeroChunk) {
    size_t n = bytes - done < kZeroChunk ? bytes - done : kZeroChunk;
    std::memset(p + done, 0, n);
    if (base::load_relaxed(&mu->poll_request) != 0) tri_detail_poll_slow(mu);
  }
}
/// The same for an object that nothing refers to yet.
void zero_rooted(tri_mutator* mu, void* object, size_t bytes) {
  void** top = mu->shadow_top;
  if (top == mu->shadow_limit) top = tri_detail_shadow_grow(mu, 1);
  *top = object;
  mu->shadow_top = top + 1;
  zero_in_chunks(mu, object, bytes);
  if (top == mu->shadow_base) {
    tri_detail_shadow_shrink(mu, top);
  } else {
    mu->shadow_top = top;
  }
}
}  // namespace

void* Heap::allocate_large(tri_mutator* mu, LayoutId layout, size_t bytes,
                           bool may_fail) {
  if (layout == kInvalidLayout || layout >= layouts_.count()) {
    TRI_MISUSE("allocate", "layout %u is not registered with this runtime",
               unsigned{layout});
  }
  TRI_ASSERT(bytes > 0);
  check_head(layout, bytes);
  MCentral* c = central(uint32_t{layout} << TRI_DETAIL_CLASS_SHIFT);
  bool possible = c != nullptr && bytes <= space_.reserved_bytes();
  size_t npages = possible ? (bytes + kPageBytes - 1) >> kPageShift : 0;
  uint32_t page = 0;
  bool needzero = false;
  for (int attempt = 0; possible; ++attempt) {
    if (hooks_.before_refill != nullptr) {
      hooks_.before_refill(hooks_.ctx, mu, bytes);  // safepoint
    }
    make_room(mu, npages << kPageShift);  // safepoint
    page = alloc_pages(mcache_of(mu), npages, &needzero);
    if (page != 0 || hooks_.collect_for_memory == nullptr ||
        !hooks_.collect_for_memory(hooks_.ctx, mu, bytes, attempt)) {
      break;
    }
  }
  if (page == 0) {
    if (may_fail) return nullptr;
    end_out_of_memory(mu, bytes);
  }
  // No safepoint until the object is rooted below.
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
  span->shard = static_cast<uint8_t>(mcache_of(mu)->shard);
  span->live = 1;
  span->sweepgen.store_relaxed(sweepgen());
  PageEntry* entry = space_.entry(page);
  entry->bits.store_release(
      PageEntry::pack(kNoscanLayout, 0, SpanState::kLarge));
  for (size_t i = 1; i < npages; ++i) {
    space_.entry(page + i)->bits.store_relaxed(PageEntry::pack_tail(i));
  }
  void* object = space_.page_address(page);
  poison(object, npages << kPageShift);  // what rounding to pages adds
  unpoison(object, span->bytes);
  base::store_relaxed(space_.mark_of(space_.offset_of(object)), cur());
  span_count_.fetch_add_relaxed(1);
  c->push(space_, span);
  mcache_of(mu)->unsettled_bytes += static_cast<int64_t>(npages << kPageShift);

  if (needzero && !layouts_.is_uninitialized(layout)) {
    zero_rooted(mu, object, span->bytes);
  }
  // ORDER-entry-1: pairs with the marker's load: zeroed before scannable.
  entry->bits.store_release(PageEntry::pack(layout, 0, SpanState::kLarge));
  if (TRI_UNLIKELY(profile_.fn != nullptr)) {
    sample_large(mu, layout, object, npages << kPageShift);
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
  return tricolor::heap::mcache_of(mu)->heap->allocate_slow(mu, slot_id, bytes,
                                                            may_fail != 0);
}

void* tri_detail_allocate_large(tri_mutator* mu, uint32_t layout, size_t bytes,
                                int may_fail) {
  if (TRI_UNLIKELY(mu->p == nullptr)) {
    tricolor::heap::misuse_in_native("allocate");
  }
  return tricolor::heap::mcache_of(mu)->heap->allocate_large(
      mu, static_cast<tricolor::LayoutId>(layout), bytes, may_fail != 0);
}

}  // extern "C"
