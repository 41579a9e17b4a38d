// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// tricolor/tricolor_weak.h over the C++ API, as sched/c_api.cc does for the
// rest.
#include <cstddef>
#include <type_traits>

#include "gc/runtime_base.h"
#include "heap/heap.h"
#include "tricolor/all.h"
#include "tricolor/tricolor.h"

using tricolor::Error;
using tricolor::FinalizerOrder;
using tricolor::LayoutSpec;
using tricolor::Runtime;

static_assert(TRI_WEAK == static_cast<int>(LayoutSpec::Strength::kWeak));
static_assert(TRI_LONG_WEAK ==
              static_cast<int>(LayoutSpec::Strength::kLongWeak));
static_assert(TRI_NEWEST_FIRST ==
              static_cast<int>(FinalizerOrder::kNewestFirst));
static_assert(std::is_same_v<tri_finalizer_fn,
                             void (*)(tricolor::Mutator*, void*, void*)>);

namespace {

Runtime& cpp(tri_runtime* rt) { return *reinterpret_cast<Runtime*>(rt); }
const Runtime& cpp(const tri_runtime* rt) {
  return *reinterpret_cast<const Runtime*>(rt);
}

/// A Mutator& travels as a Mutator*.
tricolor::FinalizerFn cpp(tri_finalizer_fn fn) {
  auto* any = reinterpret_cast<void (*)()>(fn);
  return reinterpret_cast<tricolor::FinalizerFn>(any);
}
tri_finalizer_fn c(tricolor::FinalizerFn fn) {
  auto* any = reinterpret_cast<void (*)()>(fn);
  return reinterpret_cast<tri_finalizer_fn>(any);
}

void* cell_of(const tri_mutator* mu, uint8_t encoding, uint64_t word) {
  const auto& layouts = tricolor::gc::runtime_base(mu)->heap->layouts();
  if (TRI_UNLIKELY(encoding >= layouts.encoding_count())) {
    TRI_MISUSE("a weak load or store",
               "encoding %u is not registered; use TRI_RAW_POINTERS or what "
               "tri_encoding_register returned",
               unsigned{encoding});
  }
  return tricolor::heap::decode(layouts.encoding(encoding), word);
}

}  // namespace

extern "C" {

void* tri_long_weak_make(tri_mutator* mu, void* target) {
  return tricolor::detail::make_weak(*mu, target, true);
}

bool tri_shade_if_alive(tri_mutator* mu, const void* cell) {
  return tricolor::shade_if_alive(*mu, cell);
}

uint64_t tri_weak_load(tri_mutator* mu, const uint64_t* word, uint8_t encoding,
                       uint64_t if_dead) {
  const uint64_t value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
  void* cell = cell_of(mu, encoding, value);
  if (cell == nullptr) return value;
  switch (tri_detail_weak_answer(mu, cell)) {
    case 0:
      return if_dead;
    case 1:
      return value;
    default:
      return __atomic_load_n(word, __ATOMIC_ACQUIRE);
  }
}

void tri_weak_store(tri_mutator* mu, uint64_t* word, uint8_t encoding,
                    uint64_t value) {
  tri_detail_weak_store(mu, word, value, cell_of(mu, encoding, value));
}

void tri_ephemeron_store(tri_mutator* mu, uint64_t* pair, uint8_t key_encoding,
                         uint64_t key, uint8_t value_encoding, uint64_t value) {
  const uint64_t old = __atomic_load_n(&pair[1], __ATOMIC_ACQUIRE);
  const tri_pair_store s = {key, value, cell_of(mu, key_encoding, key),
                            cell_of(mu, value_encoding, value),
                            cell_of(mu, value_encoding, old)};
  tri_detail_pair_store(mu, pair, &s);
}

uint16_t tri_weak_array_register(tri_runtime* rt, int strength,
                                 uint8_t encoding, tri_error* error) {
  const bool known = strength >= 0 && strength < 0xff;
  return tricolor::register_weak_array(
      cpp(rt), static_cast<LayoutSpec::Strength>(known ? strength : 0xff),
      encoding, reinterpret_cast<Error*>(error));
}

bool tri_try_add_finalizer(tri_mutator* mu, void* object, tri_finalizer_fn fn,
                           void* data) {
  return tricolor::try_add_finalizer(*mu, object, cpp(fn), data);
}
bool tri_cancel_finalizer(tri_mutator* mu, const void* object) {
  return tricolor::cancel_finalizer(*mu, object);
}
bool tri_has_finalizer(tri_mutator* mu, const void* object) {
  return tricolor::has_finalizer(*mu, object);
}
bool tri_take_finalizable(tri_mutator* mu, tri_finalizable* out) {
  tricolor::Finalizable next;
  if (!tricolor::take_finalizable(*mu, &next)) return false;
  *out = {next.object, c(next.fn), next.data};
  return true;
}
size_t tri_run_finalizers(tri_mutator* mu, size_t most) {
  return tricolor::run_finalizers(*mu, most);
}
size_t tri_finalize_all(tri_mutator* mu, size_t rounds) {
  return tricolor::finalize_all(*mu, rounds);
}
size_t tri_finalizers_queued(const tri_runtime* rt) {
  return tricolor::finalizers_queued(cpp(rt));
}
void tri_set_finalizer_order(tri_runtime* rt, int order) {
  tricolor::set_finalizer_order(cpp(rt), order == TRI_NEWEST_FIRST
                                             ? FinalizerOrder::kNewestFirst
                                             : FinalizerOrder::kOldestFirst);
}

}  // extern "C"
