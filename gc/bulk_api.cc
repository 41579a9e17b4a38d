// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Bulk copy, move and fill with the barrier (tricolor/bulk.h), and what the C
// API has of exchanges (tricolor/tricolor_slots.h).
//
// Invariants
// 1. A value moves in one access, 8 or 16 bytes, and is read once: what is
//    shaded is what is stored.
// 2. Both halves for each value, the old one read before it is overwritten: a
//    value that moves from before a marker's place to behind it is not seen
//    there by the marker, but was shaded when its old slot was overwritten.
// 3. Up to kAtOnceBytes there is no safepoint, and beyond that one every
//    kPieceBytes, which take some tens of microseconds. Nothing is held over
//    one but the caller's addresses: values not moved yet are still in their
//    slots, for where the ranges overlap the copy runs away from the overlap.
//
// Threads: the mutator that runs.
#include "tricolor/bulk.h"

#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/runtime_base.h"
#include "gc/scan.h"
#include "gc/shade_batch.h"
#include "heap/callback.h"
#include "tricolor/allocate.h"
#include "tricolor/local.h"
#include "tricolor/tricolor.h"

namespace tricolor::gc {

namespace {

constexpr size_t kAtOnceBytes = size_t{64} << 10;
constexpr size_t kPieceBytes = size_t{8} << 10;

/// In pieces of how many values.
template <class V>
size_t piece_of(size_t n) {
  return (n * sizeof(V) > kAtOnceBytes ? kPieceBytes : kAtOnceBytes) /
         sizeof(V);
}

/// `width`: bytes of the caller's values; 0: as the encoding has it.
const Encoding& encoding_of(const Mutator& mu, EncodingId id, size_t width,
                            const char* call) {
  if (TRI_UNLIKELY(mu.p == nullptr)) misuse_in_native(call);
  heap::check_no_outer_code(proc_of(&mu), call);  // poll() asks the rest
  const heap::LayoutTable& layouts = runtime_base(&mu)->heap->layouts();
  if (TRI_UNLIKELY(id >= layouts.encoding_count())) {
    TRI_MISUSE(call, "encoding %u is not registered", unsigned{id});
  }
  const Encoding& e = layouts.encoding(id);
  if (TRI_UNLIKELY(width != 0 && e.stride != width)) {
    TRI_MISUSE(call, "encoding %u is that of values of %u bytes, not of %zu",
               unsigned{id}, unsigned{e.stride}, width);
  }
  return e;
}

/// A value of 8 bytes.
struct Word {
  uint64_t w;
  static Word load(const void* p) {
    return {load_word(static_cast<const uint64_t*>(p))};
  }
  static void store(void* p, Word v) {
    // Release as in tricolor/field.h.
    __atomic_store_n(static_cast<uint64_t*>(p), v.w, __ATOMIC_RELEASE);
  }
  static void* cell(const Encoding& e, Word v) { return heap::decode(e, v.w); }
};

/// A value of 16 bytes.
struct Pair {
  detail::PairWords words;
  static Pair load(const void* p) {
    return {detail::pair_load(static_cast<const detail::PairWords*>(p))};
  }
  static void store(void* p, Pair v) {
    detail::pair_store(static_cast<detail::PairWords*>(p), v.words);
  }
  static void* cell(const Encoding& e, Pair v) {
    return heap::decode_pair(e, v.words.word[e.tag_offset / 8],
                             v.words.word[e.payload_offset / 8]);
  }
};

/// tri_detail_shade_pair() of many stores, up to the next safepoint.
class Shades {
 public:
  explicit Shades(Mutator& mu)
      : mu_(mu),
        audits_(proc_of(&mu)->audits != 0),
        shades_new_(mu.barrier_on != TRI_BARRIER_BLACK),
        batch_(proc_of(&mu)) {}
  void pair(void* old_cell, void* new_cell) {
    if (TRI_UNLIKELY(audits_)) {  // it counts stores, in their order
      tri_detail_shade_pair(&mu_, old_cell, new_cell);
      return;
    }
    batch_.add(old_cell);
    if (shades_new_) batch_.add(new_cell);
  }

 private:
  Mutator& mu_;
  const bool audits_;
  const bool shades_new_;
  ShadeBatch batch_;
};

/// One piece, without a safepoint. `fresh`: no deletion half.
template <class V>
void copy_piece(Mutator& mu, const Encoding& e, V* to, const V* from, size_t n,
                bool backward, bool fresh) {
  const bool shades =
      mu.barrier_on == TRI_BARRIER_GREY || (mu.barrier_on != 0 && !fresh);
  Shades shader(mu);
  for (size_t k = 0; k < n; ++k) {
    const size_t i = backward ? n - 1 - k : k;
    const V v = V::load(&from[i]);
    if (TRI_UNLIKELY(shades)) {
      void* old = fresh ? nullptr : V::cell(e, V::load(&to[i]));
      shader.pair(old, V::cell(e, v));
    }
    V::store(&to[i], v);
  }
}

template <class V>
void copy_all(Mutator& mu, const Encoding& e, V* to, const V* from, size_t n,
              bool fresh) {
  const size_t most = piece_of<V>(n);
  const bool backward = to > from && to < from + n;
  for (size_t done = 0; done < n;) {
    if (done != 0) poll(mu);
    const size_t piece = n - done < most ? n - done : most;
    const size_t at = backward ? n - done - piece : done;
    copy_piece(mu, e, to + at, from + at, piece, backward, fresh);
    done += piece;
  }
}

/// One piece, without a safepoint.
template <class V>
void fill_piece(Mutator& mu, const Encoding& e, V* to, const V v, size_t n) {
  Shades shades(mu);
  void* fresh = V::cell(e, v);  // not shaded yet since the last safepoint
  for (size_t i = 0; i < n; ++i) {
    if (TRI_UNLIKELY(mu.barrier_on != 0)) {
      shades.pair(V::cell(e, V::load(&to[i])), fresh);
      // The auditor counts slots: it wants to hear of each.
      if (proc_of(&mu)->audits == 0) fresh = nullptr;
    }
    V::store(&to[i], v);
  }
}

template <class V>
void fill_all(Mutator& mu, const Encoding& e, V* to, const V v, size_t n) {
  const size_t most = piece_of<V>(n);
  Scope<1> scope(mu);  // others may overwrite what was filled
  *scope.take() = V::cell(e, v);
  for (size_t done = 0; done < n; done += most) {
    if (done != 0) poll(mu);
    fill_piece(mu, e, to + done, v, n - done < most ? n - done : most);
  }
}

}  // namespace
}  // namespace tricolor::gc

namespace tricolor::detail {

void copy_values(Mutator& mu, EncodingId encoding, void* to, const void* from,
                 size_t n, size_t width, bool fresh) {
  const Encoding& e =
      gc::encoding_of(mu, encoding, width, "copy_fields (tri_copy)");
  if (e.stride == 16) {
    gc::copy_all(mu, e, static_cast<gc::Pair*>(to),
                 static_cast<const gc::Pair*>(from), n, fresh);
  } else {
    gc::copy_all(mu, e, static_cast<gc::Word*>(to),
                 static_cast<const gc::Word*>(from), n, fresh);
  }
}

void fill_values(Mutator& mu, EncodingId encoding, void* to, const void* value,
                 size_t n, size_t width) {
  const Encoding& e =
      gc::encoding_of(mu, encoding, width, "fill_fields (tri_fill)");
  if (e.stride == 16) {
    gc::Pair v;
    __builtin_memcpy(&v, value, sizeof(v));
    gc::fill_all(mu, e, static_cast<gc::Pair*>(to), v, n);
  } else {
    gc::Word v;
    __builtin_memcpy(&v, value, sizeof(v));
    gc::fill_all(mu, e, static_cast<gc::Word*>(to), v, n);
  }
}

}  // namespace tricolor::detail

extern "C" {

void tri_copy(tri_mutator* mu, uint8_t encoding, void* to, const void* from,
              size_t n) {
  tricolor::detail::copy_values(*mu, encoding, to, from, n, /*width=*/0,
                                /*fresh=*/false);
}

void tri_copy_init(tri_mutator* mu, uint8_t encoding, void* to,
                   const void* from, size_t n) {
  tricolor::detail::copy_values(*mu, encoding, to, from, n, /*width=*/0,
                                /*fresh=*/true);
}

void tri_fill(tri_mutator* mu, uint8_t encoding, void* to, const void* value,
              size_t n) {
  tricolor::detail::fill_values(*mu, encoding, to, value, n, /*width=*/0);
}

uint64_t tri_exchange_word(tri_mutator* mu, uint8_t encoding, uint64_t* slot,
                           uint64_t word) {
  const tricolor::Encoding& e =
      tricolor::gc::encoding_of(*mu, encoding, 8, "tri_exchange_word");
  const uint64_t old = __atomic_exchange_n(slot, word, __ATOMIC_SEQ_CST);
  if (TRI_UNLIKELY(mu->barrier_on != 0)) {
    tri_detail_shade_pair(mu, tricolor::heap::decode(e, old),
                          tricolor::heap::decode(e, word));
  }
  return old;
}

void tri_exchange_pair(tri_mutator* mu, uint8_t encoding, uint64_t* slot,
                       const uint64_t pair[2], uint64_t old[2]) {
  tricolor::gc::encoding_of(*mu, encoding, 16, "tri_exchange_pair");
  old[0] = tricolor::gc::load_word(&slot[0]);  // a guess
  old[1] = tricolor::gc::load_word(&slot[1]);
  while (!tri_compare_exchange_pair(mu, encoding, slot, old, pair)) {
  }
}

bool tri_compare_exchange_pair(tri_mutator* mu, uint8_t encoding,
                               uint64_t* slot, uint64_t expected[2],
                               const uint64_t pair[2]) {
  using tricolor::detail::PairWords;
  const tricolor::Encoding& e =
      tricolor::gc::encoding_of(*mu, encoding, 16, "tri_compare_exchange_pair");
  PairWords was{{expected[0], expected[1]}};
  const PairWords to{{pair[0], pair[1]}};
  if (!tricolor::detail::pair_compare_exchange(
          reinterpret_cast<PairWords*>(slot), was, to)) {
    expected[0] = was.word[0];
    expected[1] = was.word[1];
    return false;
  }
  if (TRI_UNLIKELY(mu->barrier_on != 0)) {
    tri_detail_shade_pair(mu, tricolor::gc::Pair::cell(e, {was}),
                          tricolor::gc::Pair::cell(e, {to}));
  }
  return true;
}

}  // extern "C"
