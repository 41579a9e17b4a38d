// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The sampling allocation profile's part in a refill. A P counts the bytes of
// the runs it takes down from a drawn distance; a run ends before the cell that
// would cross it, so that this cell is the first of a refill and can be handed
// to the callback. The slot keeps a tag until then. See tricolor/profile.h.
//
// Threads: the holder of the P; the profile changes while the world is stopped.
#include "base/check.h"
#include "base/rng.h"
#include "heap/callback.h"
#include "heap/heap.h"

namespace tricolor::heap {

namespace {

/// -ln of a number drawn from (0, 1], by the bits of a logarithm to base two
/// and a parabola between them (error below 1 %): no libm here.
double exponential(base::Rng* rng) {
  constexpr uint32_t kBits = 26;
  uint64_t x = (rng->next() >> (64 - kBits)) + 1;
  uint32_t whole = 63 - static_cast<uint32_t>(__builtin_clzll(x));
  double rest = static_cast<double>(x) / static_cast<double>(1u << whole) - 1;
  double log2 = whole + rest + 0.344 * rest * (1 - rest);
  return (kBits - log2) * 0.69314718056;
}

/// Never 0; tells a slot's sample from one of an earlier profile.
uint16_t tag_of(uint32_t epoch) {
  return static_cast<uint16_t>(epoch | 0x8000);
}

// A throw passes through to whoever allocates; the cell is then garbage.
void report(tri_mutator* mu, const AllocProfile& profile,
            const AllocSample& sample) {
  run_callback(
      mcache_of(mu), "the callback of an allocation profile (AllocSampleFn)",
      [&] { profile.fn(*mu, sample, profile.ctx); }, [] {});
}

}  // namespace

void Heap::set_profile_stw(const AllocProfile& profile) {
  uint32_t epoch = profile_epoch_ + 1;
  profile_ = profile;
  profile_epoch_ = epoch == 0 ? 1 : epoch;
}

int64_t Heap::draw_distance(MCache* mc) const {
  auto mean = static_cast<double>(profile_.interval_bytes);
  base::Rng rng;
  rng.state = mc->sample_rng;
  double d = profile_.exponential ? mean * exponential(&rng) : mean;
  mc->sample_rng = rng.state;
  return d < 1 ? 1 : d > 1e18 ? int64_t{1} << 60 : static_cast<int64_t>(d);
}

void Heap::begin_sampling(MCache* mc) const {
  if (TRI_LIKELY(mc->sample_epoch == profile_epoch_)) return;
  mc->sample_epoch = profile_epoch_;
  mc->sample_rng = base::Rng(profile_epoch_).state;
  mc->sample_due = false;
  mc->sample_left = draw_distance(mc);
}

uint32_t Heap::sampled_run(MCache* mc, SlotState* state, uint32_t cell_bytes,
                           uint32_t most) const {
  begin_sampling(mc);
  bool due = state->sample_tag == tag_of(mc->sample_epoch);
  if (!due && mc->sample_left < cell_bytes) {
    due = true;
    mc->sample_left = draw_distance(mc);
  }
  state->sample_tag = 0;
  mc->sample_due = due;
  // The distance begins behind the sample, which is counted with the run.
  if (due) mc->sample_left += cell_bytes;
  int64_t cells = mc->sample_left / cell_bytes;
  if (cells > 1 << 20) cells = 1 << 20;
  auto n = static_cast<uint32_t>(cells);
  mc->sample_cap = most == 0 || n < most ? n : 0;
  return mc->sample_cap != 0 ? n : most;
}

void Heap::count_sampled(MCache* mc, SlotState* state, uint32_t cells,
                         uint32_t cell_bytes) const {
  mc->sample_left -= int64_t{cells} * cell_bytes;
  if (cells != mc->sample_cap || mc->sample_left >= cell_bytes) return;
  // Cut short: the rest of this run crosses the line, so its next cell is the
  // sample. Giving it to the next refill of any slot would favour those whose
  // runs are short; tagging uncut runs, too, those whose cells are large.
  state->sample_tag = tag_of(mc->sample_epoch);
  mc->sample_left = draw_distance(mc);
}

void Heap::sample_small(tri_mutator* mu, uint32_t slot_id, void* cell) {
  MCache* mc = mcache_of(mu);
  mc->sample_due = false;
  AllocSample sample{
      cell,
      tri_detail_class_bytes(slot_id & ((1u << TRI_DETAIL_CLASS_SHIFT) - 1)),
      profile_.interval_bytes,
      static_cast<LayoutId>(slot_id >> TRI_DETAIL_CLASS_SHIFT)};
  if (profile_.fn != nullptr) report(mu, profile_, sample);
}

void Heap::sample_large(tri_mutator* mu, LayoutId layout, void* object,
                        size_t bytes) {
  MCache* mc = mcache_of(mu);
  begin_sampling(mc);
  mc->sample_left -= static_cast<int64_t>(bytes);
  if (mc->sample_left > 0) return;
  mc->sample_left = draw_distance(mc);
  AllocSample sample{object, bytes, profile_.interval_bytes, layout};
  report(mu, profile_, sample);
}

}  // namespace tricolor::heap
