// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The marking loop against a model: graphs of cells of many shapes and sizes
// whose words are pointers, values, and what only looks like either. What lives
// after a cycle is what the model reaches, neither less nor more.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "gc/mark_worker.h"
#include "tests/support/gc_alone.h"
#include "tests/support/stress.h"
#include "tricolor/all.h"

namespace tricolor::testing {
namespace {

using Tail = LayoutSpec::Tail;
constexpr uint64_t kNumber = uint64_t{0xfff9} << 48;

/// How a word is written and what it may hold.
enum class WordKind : uint8_t { kBits, kPointer, kValue };

struct Shape {
  LayoutId layout;
  EncodingId encoding;
  std::vector<WordKind> head;
  Tail tail;
  std::vector<WordKind> element;  // of the tail
};

class gc_mark_worker : public ::testing::Test {
 protected:
  using Edges = std::vector<std::vector<size_t>>;

  static gc::CollectorOptions options() {
    gc::CollectorOptions o;
    o.gccheckmark = true;
    return o;
  }
  gc_mark_worker() : gc(options()), mu(gc.mu()), rng(test_seed()) {
    Encoding range;  // NaN boxes: what is less than 2^48
    range.kind = EncodingKind::kRange;
    range.range_lo = 1;
    range.range_hi = (uint64_t{1} << 48) - 1;
    Encoding tagged;  // a pointer with the tag 5
    tagged.kind = EncodingKind::kTagSet;
    tagged.tag_mask = 7;
    tagged.tag_set[0] = 1 << 5;
    tagged.payload_mask = ~uint64_t{15};
    encodings[0] = gc.heap().layouts().add_encoding(range, nullptr);
    encodings[1] = gc.heap().layouts().add_encoding(tagged, nullptr);
  }

  size_t below(size_t n) { return rng() % n; }

  Shape make_shape() {
    Shape s;
    std::vector<uint32_t> pointers;
    std::vector<uint32_t> values;
    std::vector<uint32_t> tail_pointers;
    std::vector<uint32_t> tail_values;
    auto words = [&](size_t n, std::vector<WordKind>* kinds,
                     std::vector<uint32_t>* p, std::vector<uint32_t>* v) {
      const size_t mix = below(4);  // one kind alone is a loop of its own
      for (uint32_t i = 0; i < n; ++i) {
        const size_t k = mix == 3 ? below(3) : mix;
        kinds->push_back(static_cast<WordKind>(k));
        if (k == 1) p->push_back(i * 8);
        if (k == 2) v->push_back(i * 8);
      }
    };
    s.encoding = encodings[below(2)];
    words(below(3) == 0 ? 0 : 1 + below(heap::kMaxHeadWords), &s.head,
          &pointers, &values);
    constexpr Tail kTails[] = {Tail::kNone, Tail::kPointers, Tail::kEncoded,
                               Tail::kElements, Tail::kNoscan};
    s.tail = kTails[below(5)];
    if (s.head.empty() && s.tail == Tail::kNone) s.tail = Tail::kPointers;
    if (s.tail == Tail::kPointers) s.element = {WordKind::kPointer};
    if (s.tail == Tail::kEncoded) s.element = {WordKind::kValue};
    if (s.tail == Tail::kElements) {
      while (tail_pointers.empty() && tail_values.empty()) {
        s.element.clear();
        words(1 + below(9), &s.element, &tail_pointers, &tail_values);
      }
    }
    LayoutSpec spec;
    spec.name = "shape";
    spec.head_bytes = static_cast<uint32_t>(s.head.size() * 8);
    spec.pointer_offsets = pointers.data();
    spec.pointer_count = pointers.size();
    spec.encoded_offsets = values.data();
    spec.encoded_count = values.size();
    spec.encoding = s.encoding;
    spec.tail = s.tail;
    if (s.tail == Tail::kElements) {
      spec.tail_stride = static_cast<uint32_t>(s.element.size() * 8);
      spec.tail_pointer_offsets = tail_pointers.data();
      spec.tail_pointer_count = tail_pointers.size();
      spec.tail_encoded_offsets = tail_values.data();
      spec.tail_encoded_count = tail_values.size();
    }
    Error error;
    s.layout = gc.heap().layouts().add(spec, 0, &error);
    EXPECT_NE(s.layout, kInvalidLayout) << error.text;
    return s;
  }

  /// A word of that kind which refers to `cell`, or which does not although it
  /// has its address.
  uint64_t word_for(WordKind kind, EncodingId encoding, uint64_t cell,
                    bool refers) {
    const bool tagged = encoding == encodings[1];
    if (kind == WordKind::kBits) return cell;
    if (refers) return kind == WordKind::kValue && tagged ? cell | 5 : cell;
    if (kind == WordKind::kValue) return tagged ? cell | 3 : cell | kNumber;
    switch (below(4)) {
      case 0:
        return cell + 8;
      case 1:
        return cell + 4;
      case 2:
        return cell - (uint64_t{1} << 47);
      default:
        return ~cell;
    }
  }

  /// Fills the cells; for each the indices of those it refers to.
  Edges write_words(const std::vector<const Shape*>& shape_of,
                    const std::vector<uint64_t*>& cells,
                    const std::vector<size_t>& words) {
    Edges edges(cells.size());
    for (size_t i = 0; i < cells.size(); ++i) {
      const Shape& s = *shape_of[i];
      for (size_t w = 0; w < words[i]; ++w) {
        WordKind kind = WordKind::kBits;
        if (w < s.head.size()) {
          kind = s.head[w];
        } else if (!s.element.empty()) {
          kind = s.element[(w - s.head.size()) % s.element.size()];
        }
        if (below(8) == 0) continue;  // stays null
        // About one edge a cell, or hardly anything would be left to die.
        const size_t target = below(cells.size());
        const bool refers = below(words[i]) == 0;
        base::store_release(
            &cells[i][w],
            word_for(kind, s.encoding,
                     reinterpret_cast<uint64_t>(cells[target]), refers));
        if (refers && kind != WordKind::kBits) edges[i].push_back(target);
      }
    }
    return edges;
  }

  GcAlone gc;
  Mutator& mu;
  std::mt19937_64 rng;
  EncodingId encodings[2];
};

TEST_F(gc_mark_worker, what_lives_is_what_a_model_reaches) {
  constexpr size_t kCells = 600;
  std::vector<Shape> all;
  for (int i = 0; i < 200; ++i) all.push_back(make_shape());
  for (int round = 0; round < stress_scale(12, 400); ++round) {
    std::vector<const Shape*> shapes;
    for (int i = 0; i < 12; ++i) shapes.push_back(&all[below(all.size())]);
    RootTable<void*> table(gc.runtime(), kCells);
    std::vector<const Shape*> shape_of;
    std::vector<uint64_t*> cells;
    std::vector<size_t> words;
    for (size_t i = 0; i < kCells; ++i) {
      const Shape& s = *shapes[below(shapes.size())];
      size_t n = s.head.size();
      if (s.tail != Tail::kNone) n += below(i % 50 == 0 ? 12000 : 40);
      if (n == 0) n = 1 + below(3);
      void* cell = allocate(mu, s.layout, n * 8);
      table.set(mu, i, cell);
      shape_of.push_back(&s);
      cells.push_back(static_cast<uint64_t*>(cell));
      words.push_back(n);
    }
    gc.collect();  // no cycle is under way from here on
    const Edges edges = write_words(shape_of, cells, words);
    std::vector<bool> reached(kCells);
    std::vector<size_t> todo;
    auto reach = [&](size_t i) {
      if (!reached[i]) todo.push_back(i);
      reached[i] = true;
    };
    const size_t roots = 1 + below(40);
    for (size_t i = 0; i < kCells; ++i) {
      if (i < roots) {
        reach(i);
      } else {
        table.set(mu, i, nullptr);
      }
    }
    uint64_t want = 0;
    while (!todo.empty()) {
      const size_t i = todo.back();
      todo.pop_back();
      ++want;
      for (size_t target : edges[i]) reach(target);
    }
    gc.collect();
    ASSERT_EQ(gc.live_cells(), want) << "round " << round;
    for (size_t i = 0; i < kCells; ++i) {
      CellInfo info;
      ASSERT_EQ(gc.heap().find_cell(cells[i], &info), reached[i])
          << "cell " << i << " of round " << round;
    }
  }
}

}  // namespace
}  // namespace tricolor::testing
