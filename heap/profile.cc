// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The sampling allocation profile's part in a refill. A sample is due at some
// distance in bytes; a run ends before the cell that would cross that line, so
// that this cell is the first of a refill and can be handed to the callback.
// The slot keeps a tag until then.
//
// Drawn distances have no memory. So each run draws its own, and what the draw
// said of cells that are then not taken, because the run ends at a hole, or of
// a run's rest that a flush gives back, is forgotten without a bias. (One
// distance of the P that all its runs count down from has one: rests are
// counted, and rare layouts, whose runs are mostly rest, are sampled far too
// often where cycles are frequent: five times with 40 layouts.)
//
// Fixed distances have a memory, sample_left, from which runs are taken when
// they begin, and to which their rests are given back.
// See tricolor/profile.h.
//
// Threads: the holder of the P; the profile changes while the world is stopped.
#include "base/check.h"
#include "base/rng.h"
#include "heap/callback.h"
#include "heap/heap.h"

namespace tricolor::heap {

namespace {

/// -ln of a number drawn from (0, 1]. No libm here: 2 atanh((m - 1) / (m + 1))
/// for the number's mantissa. Right to 1e-6 of itself for short distances, too,
/// of which most draws are about whether a run has a sample at all.
double exponential(base::Rng* rng) {
  constexpr double kLn2 = 0.693147180559945309;
  constexpr uint32_t kBits = 52;
  const uint64_t x = (rng->next() >> (64 - kBits)) + 1;
  auto whole = 63 - static_cast<uint32_t>(__builtin_clzll(x));
  double m = static_cast<double>(x) / static_cast<double>(uint64_t{1} << whole);
  if (m > 1.41421356) {  // nearer to the next power of two
    m /= 2;
    ++whole;
  }
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  const double ln_m =
      2 * s * (1 + s2 * (1.0 / 3 + s2 * (1.0 / 5 + s2 * (1.0 / 7))));
  return static_cast<double>(kBits - whole) * kLn2 - ln_m;
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

void Heap::add_distance(MCache* mc) const {
  // Below 0 when others went past the line of a run whose rest was given back.
  const int64_t past = mc->sample_left < 0 ? mc->sample_left : 0;
  mc->sample_left = draw_distance(mc) + (profile_.exponential ? 0 : past);
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
  if (profile_.exponential) mc->sample_left = draw_distance(mc);
  if (!due && mc->sample_left < cell_bytes) {
    due = true;
    add_distance(mc);
  }
  state->sample_tag = 0;
  mc->sample_due = due;
  // The distance begins behind the sample, which is counted with the run.
  if (due) mc->sample_left += cell_bytes;
  int64_t cells = mc->sample_left / cell_bytes;
  if (cells > 1 << 20) cells = 1 << 20;
  if (cells < 1) cells = 1;
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
  add_distance(mc);
}

void Heap::uncount_sampled(MCache* mc, SlotState* state, size_t rest) const {
  if (mc->sample_epoch != profile_epoch_) return;
  const bool tagged = state->sample_tag == tag_of(mc->sample_epoch);
  state->sample_tag = 0;  // of a cell behind the rest
  if (profile_.exponential) return;
  mc->sample_left += static_cast<int64_t>(rest);
  // Its line is behind the rest, or was crossed by others since.
  if (tagged) mc->sample_left -= draw_distance(mc);
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
  if (profile_.exponential) mc->sample_left = draw_distance(mc);
  mc->sample_left -= static_cast<int64_t>(bytes);
  if (mc->sample_left > 0) return;
  mc->sample_left = draw_distance(mc);
  AllocSample sample{object, bytes, profile_.interval_bytes, layout};
  report(mu, profile_, sample);
}

}  // namespace tricolor::heap
