// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The sampling allocation profile's part in a refill. A sample is due at some
// distance in bytes; a run ends before the cell that would cross that line, so
// that this cell is the first of a refill and can be handed to the callback.
// The slot keeps a tag until then.
//
// Drawn distances have no memory. So each run draws its own, and what the draw
// said of cells behind the run's end is forgotten without a bias, if it is
// forgotten whatever it was: of the next cell, too, when the run ended at a
// hole and not for the sample's sake, and when a flush ends it. (One distance
// of the P that all its runs count down from has a bias: rests are counted, and
// rare layouts, whose runs are mostly rest, are sampled far too often where
// cycles are frequent: five times with 40 layouts.)
//
// Fixed distances have a memory: sample_left is the bytes before the next one
// that is sampled. Runs are taken from it when they begin, and their rests are
// given back to it; a cell with several such bytes is one sample.
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

/// In SlotState::sample_tag: the next cell is a sample.
constexpr uint16_t kTagged = 0x8000;

/// The profile that a slot's run was counted by; never 0.
uint16_t tag_of(uint32_t epoch) {
  return static_cast<uint16_t>(1 + epoch % (kTagged - 1));
}

/// From the first sampled byte at or behind the end of a cell, if `left` is one
/// inside it. Below 0 are those that others owe.
int64_t skip_cell(int64_t left, int64_t cell_bytes, int64_t interval) {
  if (left < 0 || left >= cell_bytes) return left;
  return left + (cell_bytes - left + interval - 1) / interval * interval;
}

// A throw passes through to whoever allocates; the cell is then garbage.
void report(tri_mutator* mu, const AllocProfile& profile,
            const AllocSample& sample) {
  tri_slot* const slots = mu->slots;
  hide_slots(mcache_of(mu), mu);
  run_callback(
      mcache_of(mu), "the callback of an allocation profile (AllocSampleFn)",
      [&] { profile.fn(*mu, sample, profile.ctx); },
      [&] { mu->slots = slots; });
}

}  // namespace

void Heap::set_profile_stw(const AllocProfile& profile) {
  uint32_t epoch = profile_epoch_ + 1;
  profile_ = profile;
  profile_epoch_ = epoch == 0 ? 1 : epoch;
}

int64_t Heap::draw_distance(MCache* mc) const {
  const auto mean = static_cast<double>(profile_.interval_bytes);
  base::Rng rng;
  rng.state = mc->sample_rng;
  const double d = profile_.exponential ? mean * exponential(&rng) : mean;
  mc->sample_rng = rng.state;
  return d > 1e18 ? int64_t{1} << 60 : static_cast<int64_t>(d);
}

void Heap::begin_sampling(MCache* mc) const {
  if (TRI_LIKELY(mc->sample_epoch == profile_epoch_)) return;
  mc->sample_epoch = profile_epoch_;
  mc->sample_rng = base::Rng(uint64_t{profile_epoch_} << 32 | mc->shard).state;
  mc->sample_due = false;
  mc->sample_left = draw_distance(mc) - (profile_.exponential ? 0 : 1);
}

uint32_t Heap::sampled_run(MCache* mc, SlotState* state, uint32_t cell_bytes,
                           uint32_t most) const {
  begin_sampling(mc);
  const uint16_t tag = tag_of(mc->sample_epoch);
  const bool tagged = state->sample_tag == (tag | kTagged);
  if (profile_.exponential) mc->sample_left = draw_distance(mc);
  const bool due = tagged || mc->sample_left < cell_bytes;
  state->sample_tag = tag;
  mc->sample_due = due;
  if (due && profile_.exponential) {
    // From behind the sample, which is counted with the run.
    mc->sample_left = draw_distance(mc) + cell_bytes;
  } else if (due) {
    const int64_t interval = draw_distance(mc);
    if (!tagged) mc->sample_left += interval;
    mc->sample_left = skip_cell(mc->sample_left, cell_bytes, interval);
  }
  int64_t cells = mc->sample_left / cell_bytes;
  if (cells > 1 << 20) cells = 1 << 20;
  if (cells < 1) cells = 1;
  auto n = static_cast<uint32_t>(cells);
  mc->sample_cap = most == 0 || n < most ? n : 0;
  return mc->sample_cap != 0 ? n : most;
}

void Heap::count_sampled(MCache* mc, SlotState* state, uint32_t cells,
                         uint32_t cell_bytes, bool goes_on) const {
  mc->sample_left -= int64_t{cells} * cell_bytes;
  if (cells != mc->sample_cap || mc->sample_left >= cell_bytes) return;
  // Cut short: the next cell of the slot is the sample. Giving it to the next
  // refill of any slot would favour those whose runs are short; tagging uncut
  // runs, too, those whose cells are large.
  if (!profile_.exponential) {
    mc->sample_left += draw_distance(mc);
  } else if (!goes_on) {
    return;
  }
  state->sample_tag |= kTagged;
}

void Heap::uncount_sampled(MCache* mc, SlotState* state, size_t rest) const {
  const uint16_t tag = tag_of(profile_epoch_);
  if (mc->sample_epoch != profile_epoch_ ||
      (state->sample_tag & ~kTagged) != tag) {
    return;  // a run from before the profile
  }
  if (profile_.exponential) {
    state->sample_tag = 0;
  } else if (rest != 0) {
    mc->sample_left += static_cast<int64_t>(rest);
    // The sample was a cell behind the rest; others may owe it by now.
    if ((state->sample_tag & kTagged) != 0) {
      mc->sample_left -= draw_distance(mc);
    }
    state->sample_tag = 0;
  }
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
  const auto size = static_cast<int64_t>(bytes);
  if (profile_.exponential) mc->sample_left = draw_distance(mc);
  const bool due = mc->sample_left < size;
  if (due && !profile_.exponential) {
    const int64_t interval = draw_distance(mc);
    mc->sample_left = skip_cell(mc->sample_left + interval, size, interval);
  }
  mc->sample_left -= size;
  if (!due) return;
  AllocSample sample{object, bytes, profile_.interval_bytes, layout};
  report(mu, profile_, sample);
}

}  // namespace tricolor::heap
