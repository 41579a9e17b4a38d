// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Each mode of verification fires on the bug it is for: a bad pointer (what a
// missed root leaves behind, a torn pair), a second release, a stray write into
// what is free, a root the marker was not told of. And what is right passes.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/macros.h"
#include "tests/unit/gc/graph.h"
#include "tricolor/global.h"
#include "tricolor/heap_inspect.h"
#include "tricolor/pair.h"
#include "tricolor/resize.h"
#include "tricolor/weak.h"
#include "tricolor/weak_array.h"

namespace tricolor::testing {

struct Tagged {
  uint64_t tag;
  uint64_t payload;
};
constexpr uint64_t kRef = 5;

}  // namespace tricolor::testing

namespace tricolor {
template <>
struct ValueTraits<testing::Tagged> {
  static void* cell(testing::Tagged v) {
    return v.tag == testing::kRef ? reinterpret_cast<void*>(v.payload)
                                  : nullptr;
  }
};
}  // namespace tricolor

namespace tricolor::testing {
namespace {

gc::CollectorOptions zeal() {
  gc::CollectorOptions o;
  o.gc_percent = -1;
  o.badptr = true;
  o.gccheckmark = true;
  return o;
}
heap::HeapOptions clobbering() {
  heap::HeapOptions o;
  o.clobber_free = true;
  o.check_free = true;
  return o;
}

class gc_zeal : public ::testing::Test {
 protected:
  gc_zeal() : gc(zeal(), clobbering()), type(node_type(gc)), mu(gc.mu()) {
    LayoutSpec spec;
    spec.name = "bytes";
    spec.tail = LayoutSpec::Tail::kNoscan;
    bytes = gc.layout(spec);
  }

  GcAlone gc;
  Type<Node> type;
  Mutator& mu;
  LayoutId bytes;
};

TEST_F(gc_zeal, badptr_finds_what_a_missed_root_leaves_behind) {
  Scope<1> scope(mu);
  Local<Node> keep(scope, make(mu, type));
  Node* lost = make(mu, type);  // no Local: the planted bug
  gc.collect();
  keep->right.store(mu, lost);
  EXPECT_DEATH(gc.start(),
               "badptr: the word at offset 8 of cell .*layout 'Node'.*is a "
               "free cell");
}

TEST_F(gc_zeal, badptr_finds_interior_and_unaligned_words) {
  Scope<2> scope(mu);
  Local<Node> keep(scope, make(mu, type));
  Local<Node> other(scope, make(mu, type));
  auto put = [&](size_t beside) {
    reinterpret_cast<uint64_t*>(keep.get())[0] =
        reinterpret_cast<uint64_t>(other.get()) + beside;
  };
  put(8);
  EXPECT_DEATH(gc.start(), "badptr: .*offset 0 .*into the middle of a cell");
  put(16);
  EXPECT_DEATH(gc.start(), "badptr: .*offset 0 .*the middle of one");
  put(0);
  gc.collect();
}

TEST_F(gc_zeal, badptr_finds_references_to_what_was_released) {
  Scope<1> scope(mu);
  Local<Node> keep(scope, make_tree(mu, type, 1));
  Global<Node> global(mu, make(mu, type));
  gc.collect();
  release(mu, keep->left.load());
  EXPECT_DEATH(gc.start(), "badptr: .*offset 0 of cell .*has been released");
  keep->left.store(mu, nullptr);
  gc.collect();
  release(mu, global.get());
  EXPECT_DEATH(gc.start(),
               "badptr: a Global or RootTable refers to .*released");
  global.set(mu, nullptr);
  gc.collect();
}

// What is referred to weakly may be dead, and has to be a cell all the same.
TEST_F(gc_zeal, badptr_looks_at_weak_words) {
  for (auto strength :
       {LayoutSpec::Strength::kWeak, LayoutSpec::Strength::kLongWeak,
        LayoutSpec::Strength::kEphemeron}) {
    SCOPED_TRACE(static_cast<int>(strength));
    const LayoutId layout = register_weak_array(gc.runtime(), strength);
    ASSERT_NE(layout, kInvalidLayout);
    const size_t width = strength == LayoutSpec::Strength::kEphemeron ? 16 : 8;
    Scope<2> scope(mu);
    Local<void> array(scope,
                      detail::make_weak_array(mu, layout, 64 / width, width,
                                              /*encoded=*/false));
    Local<Node> node(scope, make(mu, type));
    auto* words = static_cast<uint64_t*>(array.get()) + 2;
    const auto put = [&](size_t i, size_t beside) {
      words[i] = reinterpret_cast<uint64_t>(node.get()) + beside;
    };
    for (const size_t i : {size_t{0}, size_t{5}}) {
      const std::string at = "badptr: the weak word at offset " +
                             std::to_string(16 + 8 * i) + " of cell ";
      put(i, 8);
      EXPECT_DEATH(gc.start(), at + ".*into the middle of a cell");
      put(i, 16);
      EXPECT_DEATH(gc.start(), at + ".*the middle of one");
      words[i] = 0;
    }
    put(2, 0);  // not by weak_store(): nobody knows of it
    release(mu, node.get());
    EXPECT_DEATH(gc.start(), "weak word at offset 32 .*has been released");
    words[2] = 0;
    gc.collect();
  }
  Scope<2> scope(mu);
  Local<Node> node(scope, make(mu, type));
  Local<Weak<Node>> weak(scope, Weak<Node>::make(mu, node));
  auto* word = reinterpret_cast<uint64_t*>(weak.get());
  *word += 8;
  EXPECT_DEATH(gc.start(), "weak word at offset 0 .*layout 'tricolor.*middle");
  *word -= 8;
  gc.collect();
}

// A Local, and a root that has been dropped, may be out of date.
TEST_F(gc_zeal, badptr_lets_stale_locals_be) {
  Scope<2> scope(mu);
  Local<Node> stale(scope, make(mu, type));
  Local<Node> kept(scope, make(mu, type));
  {
    Global<Node> dropped(mu, kept.get());
    gc.collect();
  }
  release(mu, stale.get());
  release(mu, kept.get());
  gc.collect();
  gc.collect();
}

TEST_F(gc_zeal, badptr_finds_a_torn_pair) {
  Encoding e;
  e.kind = EncodingKind::kTagSet;
  e.stride = 16;
  e.tag_set[0] = 1 << kRef;
  LayoutSpec spec;
  spec.name = "Values";
  spec.tail = LayoutSpec::Tail::kEncoded;
  spec.encoding = gc.heap().layouts().add_encoding(e, nullptr);
  Scope<2> scope(mu);
  Local<Node> node(scope, make(mu, type));
  auto* slots = static_cast<PairField<Tagged>*>(
      allocate(mu, gc.layout(spec), 100 * sizeof(Tagged)));
  *scope.take() = slots;
  const auto address = reinterpret_cast<uint64_t>(node.get());
  slots[40].store(mu, {6, address + 24});  // a number that looks like this
  slots[41].store(mu, {kRef, address});
  slots[42].store(mu, {kRef, 24});  // outside
  gc.collect();
  // Half of a reference's store, the other half of which never comes.
  reinterpret_cast<uint64_t*>(&slots[40])[0] = kRef;
  EXPECT_DEATH(gc.start(), "badptr: the word at offset 640 of cell .*'Values'");
}

TEST_F(gc_zeal, the_second_mark_finds_what_hid_behind_a_scanned_root) {
  Scope<2> scope(mu);
  Local<Node> keep(scope, make_tree(mu, type, 1));
  auto plant = [&] {
    gc.start();
    gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&mu));
    // The stack has been scanned, and will not be again.
    Node* child = keep->left.load();
    reinterpret_cast<uint64_t*>(keep.get())[0] = 0;
    *scope.take() = child;
    gc.finish();
  };
  EXPECT_DEATH(plant(), "gccheckmark: lost object .*from a task's stack");
}

TEST_F(gc_zeal, a_second_release_is_found) {
  Node* node = make(mu, type);
  ASSERT_TRUE(release(mu, node));
  EXPECT_DEATH(release(mu, node), "release: .*has been released before");
  void* large = allocate(mu, bytes, 100'000);
  ASSERT_TRUE(release(mu, large));
  EXPECT_DEATH(release(mu, large), "release: .*not the start of a live cell");
}

TEST_F(gc_zeal, dead_and_released_cells_are_clobbered) {
  [[maybe_unused]] auto clobbered = [](const void* p, size_t from, size_t n) {
    const auto* c = static_cast<const unsigned char*>(p);
    for (size_t i = from; i < n; ++i) {
      if (c[i] != 0xdb) return false;
    }
    return true;
  };
  for (size_t n : {48u, 700u, 9000u}) {
    Scope<2> scope(mu);
    void** keep = scope.take();  // so that the span stays
    *keep = allocate(mu, bytes, n);
    auto* dead = static_cast<char*>(allocate(mu, bytes, n));
    auto* gone = static_cast<char*>(allocate(mu, bytes, n));
    std::memset(dead, 1, n);
    std::memset(gone, 1, n);
    release(mu, gone);
#if !TRI_ASAN
    EXPECT_TRUE(clobbered(gone, 16, n)) << n;
#endif
    gc.collect();
#if !TRI_ASAN
    EXPECT_TRUE(clobbered(dead, 0, n)) << n;
    EXPECT_TRUE(clobbered(gone, 0, n)) << n;
#endif
  }
}

#if !TRI_ASAN  // which finds them at once
class gc_zeal_stray : public gc_zeal {
 protected:
  /// Takes all that is free of this size.
  void use_up(size_t n) {
    Scope<1> scope(mu);
    for (int i = 0; i < 3000; ++i) allocate(mu, bytes, n);
  }
};

TEST_F(gc_zeal_stray, a_write_into_a_dead_cell_is_found_on_reuse) {
  for (size_t n : {48u, 700u, 9000u}) {
    use_up(n);  // a layout in use has spans of its own
    Scope<1> scope(mu);
    *scope.take() = allocate(mu, bytes, n);
    auto* dead = static_cast<char*>(allocate(mu, bytes, n));
    gc.collect();
    use_up(n);
    gc.collect();
    dead[40] = 7;
    EXPECT_DEATH(use_up(n),
                 "clobberfree: the cell at .* was written to while it was "
                 "free: the word at offset 40 is 0xdbdbdbdbdbdbdb07")
        << n;
    dead[40] = static_cast<char>(0xdb);
    use_up(n);
  }
}

TEST_F(gc_zeal_stray, a_write_into_a_free_cell_is_found_by_verify_heap) {
  Scope<1> scope(mu);
  *scope.take() = allocate(mu, bytes, 48);
  auto* dead = static_cast<char*>(allocate(mu, bytes, 48));
  gc.collect();
  verify_heap(mu);
  dead[0] = 0;
  EXPECT_DEATH(verify_heap(mu), "clobberfree: the free cell at .*offset 0 is");
  dead[0] = static_cast<char>(0xdb);
  verify_heap(mu);
}

TEST_F(gc_zeal_stray, a_write_into_a_released_cell_is_found) {
  auto* gone = static_cast<char*>(allocate(mu, bytes, 64));
  release(mu, gone);
  gone[32] = 1;
  EXPECT_DEATH(use_up(64), "clobberfree: the released cell .*offset 32");
  gone[32] = static_cast<char>(0xdb);
  gone[8] ^= 1;
  EXPECT_DEATH(use_up(64), "written to after its release");
  gone[8] ^= 1;
  use_up(64);
}

TEST_F(gc_zeal_stray, a_write_into_pages_that_are_free_is_found) {
  auto* large = static_cast<char*>(allocate(mu, bytes, 400'000));
  std::memset(large, 1, 400'000);
  gc.collect();
  large[8192 * 5 + 24] = 1;
  auto again = [&] {
    for (int i = 0; i < 20; ++i) allocate(mu, bytes, 400'000);
  };
  EXPECT_DEATH(again(), "clobberfree: the page at .*offset 24 is");
  large[8192 * 5 + 24] = static_cast<char>(0xdb);
  again();
}
#endif

// Everything on, and small buffers: an honest program passes.
TEST(gc_zeal_clean, trees_live_and_die) {
  // A collection for every eight cells, each with a second mark and an audit.
  const int rounds = TRI_ASAN || TRI_TSAN ? 2 : 10;
  for (bool small : {false, true}) {
    gc::CollectorOptions o = zeal();
    o.gc_percent = 100;
    o.barriercheck = true;
    o.smallbuffers = small;
    o.gcstress = 1;
    heap::HeapOptions h = clobbering();
    h.max_run_cells = 8;
    GcAlone gc(o, h);
    Type<Node> type = node_type(gc);
    Scope<1> scope(gc.mu());
    Local<Node> tree(scope, make_tree(gc.mu(), type, 8));
    for (int round = 0; round < rounds; ++round) {
      make_tree(gc.mu(), type, 9);
      Scope<1> inner(gc.mu());
      Local<Node> fresh(inner, make_tree(gc.mu(), type, 4));
      tree->left.store(gc.mu(), fresh);
      verify_heap(gc.mu());
    }
    EXPECT_GT(gc.impl().totals.cycles.load_relaxed(), 3u);
    gc.collect();
    EXPECT_GT(check_tree(tree), 0);
  }
}

TEST(gc_zeal_clean, small_buffers_are_small) {
  gc::CollectorOptions o = zeal();
  o.smallbuffers = true;
  GcAlone gc(o);
  Type<Node> type = node_type(gc);
  Scope<1> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 6));
  gc.start();
  uint32_t most = 0;
  for (Node* n = tree; n != nullptr; n = n->right.load()) {
    n->left.store(gc.mu(), nullptr);
    most = gc.p().barrier_count > most ? gc.p().barrier_count : most;
  }
  EXPECT_EQ(most, 2u);
  gc.finish();
  EXPECT_EQ(gc.live_cells(), 127u);
}

}  // namespace
}  // namespace tricolor::testing
