// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Roots outside any stack. Stores pass the barrier (both halves); the collector
// scans them concurrently in bounded pieces. Handles are made and dropped from
// any attached context; none of these calls collects.
#ifndef TRICOLOR_GLOBAL_H_
#define TRICOLOR_GLOBAL_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"
#include "tricolor/field.h"

namespace tricolor {

class Runtime;

namespace detail {
/// A zeroed root word; never null (fatal when metadata memory is gone).
uint64_t* global_acquire(Runtime& rt);
void global_release(Runtime& rt, uint64_t* word);
struct RootTableRep;
RootTableRep* root_table_create(Runtime& rt, size_t words, EncodingId enc,
                                uint64_t** data, bool may_fail);
void root_table_destroy(Runtime& rt, RootTableRep* rep);
}  // namespace detail

/// A root that may live anywhere in C++ memory. The destructor drops it; it
/// must run before the Runtime is destroyed. Its word holds a decoded pointer,
/// so an encoded value keeps its own copy.
template <class T>
class Global {
 public:
  using value_type = typename detail::SlotValue<T>::type;

  Global() = default;
  explicit Global(Runtime& rt) : rt_(&rt), word_(detail::global_acquire(rt)) {}
  Global(Mutator& mu, value_type v)
      : Global(*reinterpret_cast<Runtime*>(mu.runtime)) {
    set(mu, v);
  }
  Global(Global&& o) noexcept
      : rt_(std::exchange(o.rt_, nullptr)),
        word_(std::exchange(o.word_, nullptr)),
        value_(std::exchange(o.value_, value_type{})) {}
  Global& operator=(Global&& o) noexcept {
    std::swap(rt_, o.rt_);
    std::swap(word_, o.word_);
    std::swap(value_, o.value_);
    return *this;
  }
  ~Global() {
    if (word_ != nullptr) detail::global_release(*rt_, word_);
  }

  value_type get() const { return value_; }
  void set(Mutator& mu, value_type v) {
    value_ = v;
    detail::store_slot<void*>(mu, word_, ValueTraits<value_type>::cell(v));
  }

 private:
  Runtime* rt_ = nullptr;
  uint64_t* word_ = nullptr;
  value_type value_{};
};

/// A fixed table of `n` root words, for a VM's registry or constant pools. Ends
/// the process where there is no memory for it, unless asked with
/// std::nothrow: then it is not ok(), and nothing but its end is legal.
template <class T>
class RootTable {
 public:
  using value_type = typename detail::SlotValue<T>::type;

  RootTable(Runtime& rt, size_t n) : RootTable(rt, n, kRawPointers) {
    static_assert(detail::kIsRawSlot<T>, "name the encoding");
  }
  RootTable(std::nothrow_t, Runtime& rt, size_t n)
      : RootTable(std::nothrow, rt, n, kRawPointers) {
    static_assert(detail::kIsRawSlot<T>, "name the encoding");
  }
  /// `encoding`: how T is registered.
  RootTable(Runtime& rt, size_t n, EncodingId encoding)
      : rt_(rt),
        rep_(detail::root_table_create(rt, n, encoding, &words_, false)),
        size_(n) {}
  RootTable(std::nothrow_t, Runtime& rt, size_t n, EncodingId encoding)
      : rt_(rt),
        rep_(detail::root_table_create(rt, n, encoding, &words_, true)),
        size_(n) {}
  RootTable(const RootTable&) = delete;
  RootTable& operator=(const RootTable&) = delete;
  ~RootTable() {
    if (rep_ != nullptr) detail::root_table_destroy(rt_, rep_);
  }

  bool ok() const { return rep_ != nullptr; }
  size_t size() const { return size_; }
  /// i < size(), unchecked.
  value_type get(size_t i) const {
    return detail::from_word<value_type>(detail::load_slot(&words_[i]));
  }
  void set(Mutator& mu, size_t i, value_type v) {
    detail::store_slot(mu, &words_[i], v);
  }

 private:
  Runtime& rt_;
  uint64_t* words_ = nullptr;
  detail::RootTableRep* rep_;
  size_t size_;
};

/// A bare callback that reports roots; runs inside both stops of each cycle
/// (its time is part of the pause). Up to 64 per runtime; false if full. Not to
/// be removed from within a callback.
///
/// What it reports is memory the collector knows nothing of, so a managed
/// pointer stored there must be shaded: shade(mu, p) after the store. (A task
/// whose stack has been scanned could hide its last reference there.)
using RootCallback = void (*)(class Tracer&, void* ctx);
bool add_root_callback(Runtime& rt, RootCallback fn, void* ctx);
void remove_root_callback(Runtime& rt, RootCallback fn, void* ctx);

/// While marking, sees to it that `cell` is marked, for such memory. Unlike the
/// insertion half of a store it is not left out for a task whose stack has been
/// scanned.
inline void shade(Mutator& mu, const void* cell) {
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu.barrier_on) != 0)) {
    tri_detail_shade_pair(&mu, const_cast<void*>(cell), nullptr);
  }
}

/// For a cell that is read from where the collector does not look, such as an
/// embedder's table of interned strings, which holds them weakly and forgets
/// them in on_dead (by then the memory may be another cell's, else): whether it
/// is alive. While marking it is, and is kept so; afterwards, until it is swept
/// and on_dead has run, one that was found dead gives false: make another.
/// Neither collects nor suspends.
bool shade_if_alive(Mutator& mu, const void* cell);

}  // namespace tricolor

#endif  // TRICOLOR_GLOBAL_H_
