// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A heap with its collector and one P, without a scheduler: the world is this
// thread, so stops and ragged barriers succeed at once. For the tests of gc/.
// The symbols of sched/ that gc/ needs stand in gc_alone.cc.
//
// Threads: one.
#ifndef TESTS_SUPPORT_GC_ALONE_H_
#define TESTS_SUPPORT_GC_ALONE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gc/collector_impl.h"
#include "gc/runtime_base.h"
#include "tricolor/allocate.h"
#include "tricolor/field.h"
#include "tricolor/runtime.h"

namespace tricolor::testing {

/// Called by every poll(mu) that has been asked for (mu.poll_request).
inline void (*g_on_poll)(tri_mutator* mu) = nullptr;

class GcAlone {
 public:
  explicit GcAlone(gc::CollectorOptions options = {},
                   heap::HeapOptions heap_options = {});
  ~GcAlone();
  GcAlone(const GcAlone&) = delete;
  GcAlone& operator=(const GcAlone&) = delete;

  Mutator& mu() { return owners_[0]->mu; }
  Mutator& mu(size_t i) { return owners_[i]->mu; }
  /// A parked G with a stack of its own: scanned by index, never running.
  gc::RootOwner* add_owner();

  heap::Heap& heap() { return *heap_; }
  gc::Collector& collector() { return *collector_; }
  gc::CollectorImpl& impl() { return *collector_->impl(); }
  gc::ProcGc& p() { return p_; }
  Runtime& runtime() { return *reinterpret_cast<Runtime*>(&base_); }

  LayoutId layout(const LayoutSpec& spec);

  /// Scans owner i as a ragged barrier or a marker would: it is black then.
  void scan_owner(size_t i) {
    impl().scan_owner(&p_, owners_[i].get());
    refresh();
  }

  bool stopped() const { return stopped_; }
  int stops() const { return stops_; }
  void set_look_ns(uint64_t ns) { look_ns_ = ns; }

  /// Starts a cycle; it stays in kMark until finish() (if work is left).
  void start();
  /// Scans about `bytes`.
  void drain(size_t bytes);
  /// Ends the cycle that is under way, sweep included.
  void finish();
  void collect() { collector_->collect(&mu()); }
  uint64_t live_cells() {
    Stats s{};
    collector_->stats(&s);
    return s.live_cells;
  }

 private:
  void refresh();
  static uint64_t tick(void* self) {
    auto* gc = static_cast<GcAlone*>(self);
    return gc->time_ns_ += gc->look_ns_;
  }
  static gc::World make_world(GcAlone* self);
  static gc::Claim claim(void* ctx, size_t i, uint32_t cycle, bool suspended,
                         gc::RootOwner** owner);

  base::MetaArena meta_;
  uint64_t time_ns_ = 1000;  ///< moves by look_ns_ at every look
  uint64_t look_ns_ = 100;
  bool stopped_ = false;
  int stops_ = 0;
  base::Clock clock_{&GcAlone::tick, this};
  gc::RuntimeBase base_;
  heap::Heap* heap_ = nullptr;
  gc::Collector* collector_ = nullptr;
  gc::ProcGc p_;
  std::vector<std::unique_ptr<gc::RootOwner>> owners_;
};

}  // namespace tricolor::testing

#endif  // TESTS_SUPPORT_GC_ALONE_H_
