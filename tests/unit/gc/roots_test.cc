// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Globals, root tables and root callbacks, in quiet and while marking.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "tests/support/stress.h"
#include "tests/unit/gc/graph.h"
#include "tricolor/global.h"

namespace tricolor::testing {
namespace {

gc::CollectorOptions checked() {
  gc::CollectorOptions o;
  o.gccheckmark = true;
  return o;
}

TEST(gc_roots, globals_keep_alive_until_dropped) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  std::vector<Global<Node>> globals;
  globals.reserve(200);
  for (int i = 0; i < 200; ++i) {
    globals.emplace_back(gc.mu(), make_tree(gc.mu(), type, 2));
  }
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 1400u);
  for (auto& g : globals) EXPECT_EQ(check_tree(g.get()), 7);
  globals.resize(50);
  gc.collect();
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 350u);
}

TEST(gc_roots, stores_into_globals_while_marking) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  Global<Node> g(gc.mu(), make_tree(gc.mu(), type, 5));
  Scope<1> scope(gc.mu());
  Local<Node> moved(scope);
  gc.start();
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&gc.mu()));
  moved = g.get();
  g.set(gc.mu(), make_tree(gc.mu(), type, 3));
  gc.finish();
  EXPECT_EQ(check_tree(moved), 63);
  EXPECT_EQ(check_tree(g.get()), 15);
}

TEST(gc_roots, a_global_dropped_while_marking_keeps_the_snapshot) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  auto g = std::make_unique<Global<Node>>(gc.mu(), make_tree(gc.mu(), type, 5));
  Scope<1> scope(gc.mu());
  Local<Node> moved(scope);
  gc.start();
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&gc.mu()));
  moved = g->get();
  g.reset();
  gc.finish();
  EXPECT_EQ(check_tree(moved), 63);
  moved = nullptr;
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
}

// No job is longer than a piece, whatever the tables' sizes are, and all jobs
// together are all words, once each.
TEST(gc_roots, tables_are_cut_into_pieces) {
  GcAlone gc(checked());
  gc::Roots& roots = gc.impl().roots;
  constexpr size_t kMost = 4096;
  std::vector<std::unique_ptr<RootTable<Node>>> tables;
  size_t words = 0;
  for (size_t n : {size_t{1}, kMost, size_t{0}, kMost + 1, size_t{100'000}}) {
    tables.push_back(std::make_unique<RootTable<Node>>(gc.runtime(), n));
    words += n == 0 ? 1 : n;
  }
  for (int round = 0; round < 3; ++round) {
    roots.begin_cycle_stw();
    // One that is made while marking is not among them.
    auto late = std::make_unique<RootTable<Node>>(gc.runtime(), 10'000);
    struct Sum {
      size_t words = 0;
      size_t most = 0;
      std::vector<const uint64_t*> seen;
    } sum;
    for (uint64_t i = 0; i < roots.job_count(); ++i) {
      roots.scan_job(
          i,
          [](void* arg, const uint64_t* at, size_t n, EncodingId) {
            auto* s = static_cast<Sum*>(arg);
            s->words += n;
            if (n > s->most) s->most = n;
            s->seen.push_back(at);
          },
          &sum);
    }
    EXPECT_EQ(sum.words, words);
    EXPECT_EQ(sum.most, kMost);
    std::sort(sum.seen.begin(), sum.seen.end());
    EXPECT_EQ(std::adjacent_find(sum.seen.begin(), sum.seen.end()),
              sum.seen.end());
    late.reset();
    if (round == 1) {
      words -= tables.back()->size();
      tables.pop_back();
    }
    roots.reclaim();
  }
}

TEST(gc_roots, tables_are_scanned_and_dropped) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  auto table = std::make_unique<RootTable<Node>>(gc.runtime(), 40000);
  for (size_t i = 0; i < table->size(); i += 100) {
    table->set(gc.mu(), i, make_tree(gc.mu(), type, 1));
  }
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 1200u);
  EXPECT_EQ(check_tree(table->get(39900)), 3);
  gc.start();
  table.reset();
  gc.finish();
  EXPECT_EQ(gc.live_cells(), 1200u);  // the snapshot still had them
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
}

// "What was unreachable when collect() began is free when it returns."
TEST(gc_roots, what_is_dropped_between_cycles_is_gone_with_the_next) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  auto table = std::make_unique<RootTable<Node>>(gc.runtime(), 10000);
  auto kept = std::make_unique<RootTable<Node>>(gc.runtime(), 10);
  for (size_t i = 0; i < table->size(); i += 100) {
    table->set(gc.mu(), i, make_tree(gc.mu(), type, 1));
  }
  kept->set(gc.mu(), 3, make_tree(gc.mu(), type, 2));
  auto global = std::make_unique<Global<Node>>(gc.runtime());
  global->set(gc.mu(), make_tree(gc.mu(), type, 1));
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 300u + 7 + 3);
  const uint64_t bytes = gc.impl().roots.table_bytes();
  table.reset();
  EXPECT_EQ(gc.impl().roots.table_bytes(), bytes - 80'000);
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 7u + 3);
  EXPECT_EQ(check_tree(kept->get(3)), 7);
  // By a thread that is in no managed code: the collector nulls the word.
  std::thread([&] { global.reset(); }).join();
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 7u);
  Global<Node> again(gc.runtime());
  EXPECT_EQ(again.get(), nullptr);
}

// Words are used again, each by one at a time, in whatever order and phase they
// are given back; so there are never more jobs than the most that were held.
TEST(gc_roots, words_of_globals_are_used_again) {
  GcAlone gc(checked());
  gc::Roots& roots = gc.impl().roots;
  base::Rng rng(test_seed());
  std::vector<uint64_t*> held;
  std::set<uint64_t*> known;
  constexpr size_t kMost = 1000;
  constexpr size_t kWords = gc::GlobalChunk::kWords;
  for (int round = 0; round < 50; ++round) {
    const bool marking = round % 3 == 1;
    if (marking) gc.start();
    const size_t want = rng.below(kMost);
    for (int i = 0; i < 3000; ++i) {
      const bool more =
          held.size() < want ? rng.below(4) != 0 : rng.below(4) == 0;
      if (more && held.size() < kMost) {
        uint64_t* word = roots.acquire_word();
        EXPECT_EQ(*word, 0u);
        EXPECT_TRUE(known.insert(word).second) << "it is in use";
        held.push_back(word);
      } else if (!held.empty()) {
        std::swap(held[rng.below(held.size())], held.back());
        // What was dropped in a mark is nobody's before reclaim().
        const bool cleared = rng.below(2) == 0;
        if (!marking || cleared) known.erase(held.back());
        roots.release_word(held.back(), cleared);
        held.pop_back();
      }
    }
    if (marking) gc.finish();
    known = std::set<uint64_t*>(held.begin(), held.end());
    if (marking) continue;
    gc.start();  // counts the chunks
    EXPECT_LE(roots.job_count(), (kMost + 3000) / kWords + 1);
    gc.finish();
  }
  for (uint64_t* word : held) roots.release_word(word, /*cleared=*/true);
}

TEST(gc_roots, tables_dropped_in_any_order) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  base::Rng rng(test_seed());
  std::vector<std::unique_ptr<RootTable<Node>>> tables;
  for (int round = 0; round < 40; ++round) {
    const bool marking = round % 2 == 1;
    if (marking) gc.start();
    for (int i = 0; i < 50; ++i) {
      if (tables.size() < 30 || rng.below(2) == 0) {
        tables.push_back(std::make_unique<RootTable<Node>>(
            gc.runtime(), 1 + rng.below(9000)));
        tables.back()->set(gc.mu(), 0, make(gc.mu(), type));
      } else {
        std::swap(tables[rng.below(tables.size())], tables.back());
        tables.pop_back();
      }
    }
    if (marking) gc.finish();
    gc.collect();
    EXPECT_EQ(gc.live_cells(), tables.size());
    uint64_t bytes = 0;
    for (auto& t : tables) bytes += t->size() * 8;
    EXPECT_EQ(gc.impl().roots.table_bytes(), bytes);
  }
}

TEST(gc_roots, callbacks_run_in_both_stops) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  struct Ctx {
    Node* node;
    int calls;
  } ctx{make_tree(gc.mu(), type, 3), 0};
  auto fn = [](Tracer& t, void* c) {
    ++static_cast<Ctx*>(c)->calls;
    t.visit(static_cast<Ctx*>(c)->node);
  };
  ASSERT_TRUE(add_root_callback(gc.runtime(), fn, &ctx));
  gc.collect();
  EXPECT_GE(ctx.calls, 3);  // stop 1, stop 2, second mark
  // Their time apart: a look at the clock before and after, in each stop.
  EXPECT_EQ(gc.impl().record.callbacks_ns, 200u);
  GcMetrics metrics;
  gc.collector().metrics(&metrics);
  EXPECT_EQ(metrics.root_callback_ns, 200u);
  EXPECT_EQ(check_tree(ctx.node), 15);
  remove_root_callback(gc.runtime(), fn, &ctx);
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
  EXPECT_EQ(gc.impl().record.callbacks_ns, 0u);
}

TEST(gc_roots_DeathTest, an_encoding_that_is_not_registered) {
  GcAlone gc(checked());
  EXPECT_DEATH(RootTable<Node>(gc.runtime(), 4, EncodingId{7}),
               "RootTable: encoding 7 is not registered");
  // The trial at registration says so by an error; a trace that changes its
  // mind later gets here.
  static bool bad;
  bad = false;
  LayoutSpec spec;
  spec.name = "Fickle";
  spec.head_bytes = 16;
  spec.trace = [](Tracer& t, void* cell, size_t bytes, void*) {
    t.visit_words(static_cast<uint64_t*>(cell), bytes / 8,
                  bad ? EncodingId{200} : kRawPointers);
  };
  const LayoutId fickle = gc.layout(spec);
  bad = true;
  Global<void> root(gc.mu(), allocate(gc.mu(), fickle, 16));
  EXPECT_DEATH(gc.collect(), "visit_words: encoding 200 is not registered");
}

}  // namespace
}  // namespace tricolor::testing
