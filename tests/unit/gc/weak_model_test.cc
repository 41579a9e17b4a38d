// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Strong edges, short and long weak words, ephemerons and finalizers at random,
// against a model that knows what is reachable. In quiet: one collection must
// clear exactly what the rules say, queue exactly the right cells in order, and
// leave exactly the cells the model has. In the middle of cycles, in every
// phase: nothing that is reachable may be cleared, queued or lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/rng.h"
#include "tests/support/stress.h"
#include "tests/unit/gc/graph.h"
#include "tricolor/finalizer.h"
#include "tricolor/global.h"
#include "tricolor/weak_array.h"

namespace tricolor::testing {
namespace {

using Strength = LayoutSpec::Strength;
using Shorts = WeakArray<Node>;
using Pairs = EphemeronArray<Node, Node>;

constexpr size_t kRoots = 12;
constexpr size_t kSlots = 5;

enum class Kind : uint8_t { kNode, kShort, kLong, kPairs };

struct Thing {
  Kind kind;
  uint64_t id;
  Node* cell;
  Thing* to[kSlots * 2] = {};  // edges; weak words; key, value, key ...
  uint64_t order = 0;          // of its finalizer; 0: none
  bool live = false;
  bool revived = false;
};

class Model {
 public:
  Model(GcAlone* gc_in, uint64_t seed)
      : gc(gc_in),
        mu(gc->mu()),
        rng(seed),
        type(node_type(*gc)),
        table(gc->runtime(), kRoots) {
    Error error;
    const Strength strengths[] = {Strength::kWeak, Strength::kLongWeak,
                                  Strength::kEphemeron};
    for (int i = 0; i < 3; ++i) {
      arrays[i] = register_weak_array(gc->runtime(), strengths[i], kRawPointers,
                                      &error);
    }
  }
  ~Model() {
    for (Thing* t : things) delete t;
  }

  /// One collection of a heap without floating garbage.
  void check_quiet() {
    settle_down();
    for (int i = 0; i < 120; ++i) mutate();
    reach();
    std::vector<Thing*> dead;
    for (Thing* t : things) {
      if (!t->live && t->order != 0) dead.push_back(t);
    }
    std::sort(dead.begin(), dead.end(),
              [](Thing* a, Thing* b) { return a->order < b->order; });
    std::vector<Thing*> live_first = live_things();
    for (Thing* t : dead) mark(t, /*revived=*/true);
    ephemerons();
    gc->collect();
    for (Thing* t : live_first) check_words(t);
    for (Thing* t : dead) {
      Finalizable f;
      ASSERT_TRUE(take_finalizable(mu, &f));
      ASSERT_EQ(f.object, t->cell) << "order";
      ASSERT_EQ(f.data, t);
      t->order = 0;
    }
    ASSERT_EQ(finalizers_queued(gc->runtime()), 0u);
    ASSERT_EQ(gc->live_cells(), live_things().size());
    settle_down();
  }

  /// A cycle cut into pieces, with everything else going on between them.
  void check_busy() {
    gc->start();
    while (gc->impl().phase() != gc::Phase::kIdle &&
           !::testing::Test::HasFailure()) {
      for (uint64_t n = rng.below(6); n > 0; --n) mutate();
      switch (rng.below(3)) {
        case 0:
          if (gc->impl().phase() == gc::Phase::kMark) gc->drain(64);
          break;
        case 1:
          gc->impl().advance(&gc->p());
          break;
        default:
          sync();
      }
      if (gc->impl().phase() == gc::Phase::kSweep) gc->finish();
    }
    sync();
  }

 private:
  static void finalized(Mutator&, void*, void*) {}

  std::vector<Thing*> live_things() {
    std::vector<Thing*> out;
    for (Thing* t : things) {
      if (t->live) out.push_back(t);
    }
    return out;
  }

  void mark(Thing* t, bool revived) {
    if (t == nullptr || t->live) return;
    t->live = true;
    t->revived = revived;
    if (t->kind != Kind::kNode) return;
    mark(t->to[0], revived);
    mark(t->to[1], revived);
  }
  void ephemerons() {
    for (bool more = true; more;) {
      more = false;
      for (Thing* t : things) {
        if (!t->live || t->kind != Kind::kPairs) continue;
        for (size_t i = 0; i < kSlots; ++i) {
          Thing* key = t->to[2 * i];
          Thing* value = t->to[2 * i + 1];
          if (key != nullptr && !key->live) continue;
          if (value == nullptr || value->live) continue;
          mark(value, key == nullptr ? t->revived : key->revived || t->revived);
          more = true;
        }
      }
    }
  }
  void reach() {
    for (Thing* t : things) t->live = t->revived = false;
    for (Thing* t : roots) mark(t, false);
    ephemerons();
  }

  Node* cell_of(Thing* t) { return t == nullptr ? nullptr : t->cell; }

  /// The words of a cell that was live before resurrection.
  void check_words(Thing* t) {
    auto gone = [&](Thing* target) {
      return target != nullptr &&
             (!target->live || (t->kind == Kind::kShort && target->revived));
    };
    if (t->kind == Kind::kNode) {
      ASSERT_TRUE(t->cell->intact());
    }
    for (size_t i = 0; i < kSlots; ++i) {
      if (t->kind == Kind::kShort || t->kind == Kind::kLong) {
        Thing* want = gone(t->to[i]) ? nullptr : t->to[i];
        ASSERT_EQ(words(t)->load(mu, i), cell_of(want))
            << "word " << i << " of " << t->id;
        t->to[i] = want;
      } else if (t->kind == Kind::kPairs) {
        const bool dead = gone(t->to[2 * i]);
        if (dead) t->to[2 * i] = t->to[2 * i + 1] = nullptr;
        ASSERT_EQ(pairs(t)[i].key(mu), cell_of(t->to[2 * i]));
        ASSERT_EQ(pairs(t)[i].value(mu), cell_of(t->to[2 * i + 1]));
      }
    }
  }

  /// In any phase: takes over what has been cleared and queued, which may only
  /// be what is not reachable.
  void sync() {
    reach();
    const std::vector<Thing*> before = live_things();
    for (Thing* t : before) compare(t, /*was_live=*/true);
    Finalizable f;
    while (take_finalizable(mu, &f)) {
      auto* t = static_cast<Thing*>(f.data);
      ASSERT_EQ(f.object, t->cell);
      ASSERT_FALSE(t->live) << t->id << " is reachable and in the queue";
      t->order = 0;
      // Half of them stay.
      if (rng.below(2) == 0) set_root(rng.below(kRoots), t);
    }
    // What had died may have lost words to what is alive again.
    reach();
    for (Thing* t : live_things()) {
      if (std::find(before.begin(), before.end(), t) == before.end()) {
        compare(t, /*was_live=*/false);
      }
    }
    reach();
  }

  void compare(Thing* t, bool was_live) {
    if (t->kind == Kind::kNode) {
      ASSERT_TRUE(t->cell->intact());
      for (size_t i = 0; i < 2; ++i) {
        Field<Node>& f = i == 0 ? t->cell->left : t->cell->right;
        ASSERT_EQ(f.load(), cell_of(t->to[i]));
      }
      return;
    }
    const bool pair = t->kind == Kind::kPairs;
    for (size_t i = 0; i < kSlots; ++i) {
      Thing*& target = t->to[pair ? 2 * i : i];
      Node* got = pair ? pairs(t)[i].key(mu) : words(t)->load(mu, i);
      if (got == cell_of(target)) {
        if (pair && was_live && (target == nullptr || target->live)) {
          ASSERT_EQ(pairs(t)[i].value(mu), cell_of(t->to[2 * i + 1]));
        }
        continue;
      }
      ASSERT_EQ(got, nullptr);
      ASSERT_FALSE(was_live && target->live)
          << target->id << " was cleared in " << t->id;
      // It may only seem so while it is being decided.
      if (gc->impl().phase() == gc::Phase::kSettle) continue;
      target = nullptr;
      if (pair) t->to[2 * i + 1] = nullptr;
    }
  }

  Shorts* words(Thing* t) { return reinterpret_cast<Shorts*>(t->cell); }
  Pairs& pairs(Thing* t) { return *reinterpret_cast<Pairs*>(t->cell); }

  void set_root(size_t i, Thing* t) {
    table.set(mu, i, cell_of(t));
    roots[i] = t;
  }

  Thing* create() {
    auto* t = new Thing();
    t->kind = static_cast<Kind>(rng.below(8) < 5 ? 0 : 1 + rng.below(3));
    t->id = ++ids;
    void* cell = nullptr;
    switch (t->kind) {
      case Kind::kNode:
        cell = make(mu, type);
        static_cast<Node*>(cell)->seal(t->id);
        break;
      case Kind::kPairs:
        cell = Pairs::make(mu, arrays[2], kSlots);
        break;
      default:
        cell =
            Shorts::make(mu, arrays[t->kind == Kind::kShort ? 0 : 1], kSlots);
    }
    t->cell = static_cast<Node*>(cell);
    things.push_back(t);
    return t;
  }

  Thing* any_live() {
    std::vector<Thing*> all = live_things();
    return all.empty() ? nullptr : all[rng.below(all.size())];
  }

  void store(Thing* into, Thing* what, Thing* other) {
    const size_t i = rng.below(into->kind == Kind::kNode ? 2 : kSlots);
    switch (into->kind) {
      case Kind::kNode:
        (i == 0 ? into->cell->left : into->cell->right)
            .store(mu, cell_of(what));
        into->to[i] = what;
        break;
      case Kind::kPairs:
        pairs(into)[i].store(mu, cell_of(what), cell_of(other));
        into->to[2 * i] = what;
        into->to[2 * i + 1] = other;
        break;
      default:
        words(into)->store(mu, i, cell_of(what));
        into->to[i] = what;
    }
  }

  void mutate() {
    reach();
    const uint64_t op = rng.below(10);
    if (op < 3) {
      // May not stay: its owner is not yet known to refer to it.
      Thing* t = create();
      Thing* into = any_live();
      if (into != nullptr && rng.below(3) != 0) {
        store(into, t, into->kind == Kind::kPairs ? any_live() : nullptr);
      } else {
        set_root(rng.below(kRoots), t);
      }
      return;
    }
    Thing* t = any_live();
    if (t == nullptr) return;
    if (op < 5) {
      set_root(rng.below(kRoots), rng.below(2) == 0 ? nullptr : t);
    } else if (op < 8) {
      store(any_live(), rng.below(5) == 0 ? nullptr : t, any_live());
    } else if (op == 8) {
      add_finalizer(mu, t->cell, finalized, t);
      t->order = ++orders;
    } else if (t->order != 0) {
      ASSERT_TRUE(cancel_finalizer(mu, t->cell));
      t->order = 0;
    }
  }

  /// Collects until nothing changes; then model and heap agree on every cell.
  void settle_down() {
    uint64_t before = 0;
    do {
      before = things.size();
      gc->collect();
      sync();
      gc->collect();
      sync();
      reach();
      for (Thing*& t : things) {
        if (t->live || t->order != 0) continue;
        delete t;
        t = nullptr;
      }
      things.erase(std::remove(things.begin(), things.end(), nullptr),
                   things.end());
    } while (things.size() != before && !::testing::Test::HasFailure());
    ASSERT_EQ(gc->live_cells(), things.size());
  }

  GcAlone* gc;
  Mutator& mu;
  base::Rng rng;
  Type<Node> type;
  LayoutId arrays[3];
  RootTable<Node> table;
  Thing* roots[kRoots] = {};
  std::vector<Thing*> things;
  uint64_t ids = 0;
  uint64_t orders = 0;
};

gc::CollectorOptions model_options() {
  gc::CollectorOptions o;
  o.gccheckmark = true;
  o.clobberfree = true;
  o.gc_percent = kGcOff;  // cycles begin where the test says
  return o;
}

TEST(gc_weak_model, one_collection_in_quiet) {
  heap::HeapOptions heap_options;
  heap_options.clobber_free = true;
  GcAlone gc(model_options(), heap_options);
  Model model(&gc, test_seed());
  for (int i = 0; i < stress_scale(60, 3000) && !::testing::Test::HasFailure();
       ++i) {
    model.check_quiet();
  }
}

TEST(gc_weak_model, in_the_middle_of_cycles) {
  heap::HeapOptions heap_options;
  heap_options.clobber_free = true;
  GcAlone gc(model_options(), heap_options);
  Model model(&gc, test_seed());
  for (int i = 0;
       i < stress_scale(200, 20000) && !::testing::Test::HasFailure(); ++i) {
    model.check_busy();
  }
}

}  // namespace
}  // namespace tricolor::testing
