// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// tricolor/tricolor_heap.h over the C++ API, as sched/c_api.cc does for the
// rest.
#include <cstddef>

#include "tricolor/all.h"
#include "tricolor/tricolor.h"

using tricolor::AllocSample;
using tricolor::CellInfo;
using tricolor::LayoutStats;
using tricolor::Runtime;

static_assert(sizeof(tri_cell_info) == sizeof(CellInfo));
static_assert(offsetof(tri_cell_info, name) == offsetof(CellInfo, name));
static_assert(offsetof(tri_cell_info, user) == offsetof(CellInfo, user));
static_assert(sizeof(tri_layout_stats) == sizeof(LayoutStats));
static_assert(sizeof(tri_alloc_sample) == sizeof(AllocSample));
static_assert(offsetof(tri_alloc_sample, layout) ==
              offsetof(AllocSample, layout));

namespace {

const Runtime& cpp(const tri_runtime* rt) {
  return *reinterpret_cast<const Runtime*>(rt);
}

struct WalkCall {
  void (*fn)(const tri_cell_info*, void*);
  void* ctx;
};

}  // namespace

extern "C" {

bool tri_release(tri_mutator* mu, void* cell) {
  return tricolor::release(*mu, cell);
}

bool tri_try_grow_in_place(tri_mutator* mu, void* cell, size_t bytes) {
  return tricolor::try_grow_in_place(*mu, cell, bytes);
}

bool tri_shrink(tri_mutator* mu, void* cell, size_t bytes) {
  return tricolor::shrink(*mu, cell, bytes);
}

void* tri_grow(tri_mutator* mu, void* cell, size_t bytes) {
  return tricolor::grow(*mu, cell, bytes);
}

void* tri_try_grow(tri_mutator* mu, void* cell, size_t bytes) {
  return tricolor::try_grow(*mu, cell, bytes);
}

void* tri_try_allocate_array(tri_mutator* mu, uint16_t layout, size_t count,
                             size_t bytes) {
  size_t all;
  if (__builtin_mul_overflow(count, bytes, &all)) all = SIZE_MAX;
  return tricolor::try_allocate(*mu, layout, all);
}

void tri_adjust_external(tri_mutator* mu, int64_t delta) {
  tricolor::adjust_external(*mu, delta);
}

void tri_count_external(tri_runtime* rt, int64_t delta) {
  tricolor::adjust_external(*reinterpret_cast<Runtime*>(rt), delta);
}

uint64_t tri_external_bytes(const tri_runtime* rt) {
  return tricolor::external_bytes(cpp(rt));
}

bool tri_find_cell(const tri_runtime* rt, const void* p, tri_cell_info* out) {
  return tricolor::find_cell(cpp(rt), p, reinterpret_cast<CellInfo*>(out));
}

size_t tri_cell_size(const tri_runtime* rt, const void* cell) {
  return tricolor::cell_size(cpp(rt), cell);
}

void tri_walk(tri_mutator* mu, void (*fn)(const tri_cell_info*, void*),
              void* ctx) {
  WalkCall call{fn, ctx};
  tricolor::walk(*mu, [&call](const CellInfo& info) {
    call.fn(reinterpret_cast<const tri_cell_info*>(&info), call.ctx);
  });
}

size_t tri_get_layout_stats(tri_mutator* mu, tri_layout_stats* out, size_t n) {
  return tricolor::layout_stats(*mu, reinterpret_cast<LayoutStats*>(out), n);
}

void tri_verify_heap(tri_mutator* mu) { tricolor::verify_heap(*mu); }

void tri_set_alloc_profile(tri_mutator* mu, tri_alloc_sample_fn fn, void* ctx,
                           size_t interval_bytes, bool exponential) {
  tricolor::AllocProfile profile;
  // The same calling convention, and AllocSample is the same bytes.
  auto* any = reinterpret_cast<void (*)()>(fn);
  profile.fn = reinterpret_cast<tricolor::AllocSampleFn>(any);
  profile.ctx = ctx;
  profile.interval_bytes = interval_bytes;
  profile.exponential = exponential;
  tricolor::set_alloc_profile(*mu, profile);
}

}  // extern "C"
