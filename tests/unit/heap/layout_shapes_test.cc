// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// heap/layout_table.h: tails of elements, and values of 16 bytes: what is
// refused and in which words, what is merged, how a pair is read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "heap/layout_table.h"
#include "tests/unit/heap/layout_fixture.h"

namespace tricolor::heap {
namespace {

using ::testing::HasSubstr;
using Strength = LayoutSpec::Strength;
using Tail = LayoutSpec::Tail;

void no_trace(Tracer&, void*, size_t, void*) {}

// {key, value, hash}: a pointer, an encoded value, a number.
struct Entries {
  explicit Entries(Table* t) {
    Encoding low;
    low.kind = EncodingKind::kTagSet;
    low.tag_mask = 15;
    low.tag_set[0] = 1;
    spec = node("Entries", 16);
    spec.tail = Tail::kElements;
    spec.tail_stride = 24;
    spec.tail_pointer_offsets = key;
    spec.tail_encoded_offsets = value;
    spec.tail_pointer_count = spec.tail_encoded_count = 1;
    spec.encoding = t->table.add_encoding(low, &t->error);
  }
  const uint32_t key[1] = {0};
  const uint32_t value[1] = {8};
  LayoutSpec spec;
};

TEST(heap_layout_shapes, elements_are_a_pattern) {
  Table t;
  Entries e(&t);
  const LayoutId id = t.add(e.spec);
  ASSERT_NE(id, kInvalidLayout) << t.error.text;
  const HotLayout& hot = t.table.hot(id);
  EXPECT_EQ(hot.kind, ScanKind::kElements);
  EXPECT_EQ(hot.tail_from(), 16u);
  EXPECT_STREQ(t.table.cold(id).name, "Entries");
  EXPECT_EQ(hot.pattern->words, 3u);
  EXPECT_EQ(hot.pattern->pointers, 1u);
  EXPECT_EQ(hot.pattern->encoded, 2u);
  EXPECT_EQ(t.add(e.spec), id) << "merged";
  LayoutSpec other = e.spec;
  other.distinct = true;
  EXPECT_NE(t.add(other), id);
  // What differs only in the pattern is another layout.
  const uint32_t last[] = {16};
  other = e.spec;
  other.tail_pointer_offsets = last;
  EXPECT_NE(t.add(other), id);
  other = e.spec;
  other.tail_encoded_offsets = last;
  EXPECT_NE(t.add(other), id);
  other = e.spec;
  other.tail_stride = 32;
  EXPECT_NE(t.add(other), id);
  other = e.spec;
  other.tail_strength = Strength::kWeak;
  EXPECT_NE(t.add(other), id);
  EXPECT_EQ(t.add(e.spec), id);
}

TEST(heap_layout_shapes, elements_of_one_kind_are_a_plain_tail) {
  Table t;
  Entries e(&t);
  const uint32_t both[] = {8, 0};
  LayoutSpec spec = e.spec;
  spec.tail_stride = 16;
  spec.tail_pointer_offsets = both;
  spec.tail_pointer_count = 2;
  spec.tail_encoded_count = 0;
  LayoutSpec plain = e.spec;
  plain.tail = Tail::kPointers;
  plain.tail_stride = 0;
  plain.tail_pointer_count = plain.tail_encoded_count = 0;
  EXPECT_EQ(t.add(spec), t.add(plain));
  spec.tail_pointer_count = 0;
  spec.tail_encoded_offsets = both;
  spec.tail_encoded_count = 2;
  plain.tail = Tail::kEncoded;
  EXPECT_EQ(t.add(spec), t.add(plain));
  // All 64 words of an element of 512 bytes.
  std::vector<uint32_t> all;
  for (uint32_t i = 0; i < 64; ++i) all.push_back(i * 8);
  spec.head_bytes = 0;
  spec.tail_stride = 512;
  spec.tail_encoded_offsets = all.data();
  spec.tail_encoded_count = 64;
  EXPECT_EQ(t.table.hot(t.add(spec)).kind, ScanKind::kAllEncoded);
  spec.tail_encoded_count = 63;
  const LayoutId most = t.add(spec);
  EXPECT_EQ(t.table.hot(most).kind, ScanKind::kElements);
  EXPECT_EQ(t.table.hot(most).pattern->encoded, ~uint64_t{0} >> 1);
}

TEST(heap_layout_shapes, errors_of_elements_name_the_field) {
  Table t;
  Entries e(&t);
  LayoutSpec spec = e.spec;
  auto refused = [&] {
    std::string text = t.refused(spec);
    spec = e.spec;
    return text;
  };
  spec.tail_stride = 0;
  EXPECT_THAT(refused(), HasSubstr("'Entries': tail is kElements, but "
                                   "tail_stride, the bytes of one, is 0"));
  spec.tail_stride = 20;
  EXPECT_THAT(refused(), HasSubstr("tail_stride is not a multiple of 8"));
  spec.tail_stride = 520;
  EXPECT_THAT(refused(), HasSubstr("tail_stride is 520; above 512 use a trace "
                                   "function"));
  spec.tail = Tail::kPointers;
  EXPECT_THAT(refused(), HasSubstr("tail_stride is set, but tail is not"));
  spec.tail = Tail::kNone;
  spec.tail_stride = 0;
  EXPECT_THAT(refused(), HasSubstr("tail_pointer_offsets or "
                                   "tail_encoded_offsets are given, but tail"));
  spec.tail_pointer_count = spec.tail_encoded_count = 0;
  EXPECT_THAT(refused(), HasSubstr("tail_encoded_offsets are empty; use "));
  spec.tail_encoded_offsets = nullptr;
  EXPECT_THAT(refused(), HasSubstr("tail_encoded_count is given without its"));
  spec.tail_pointer_offsets = nullptr;
  EXPECT_THAT(refused(), HasSubstr("tail_pointer_count is given without its"));
  spec.encoding = kRawPointers;
  EXPECT_THAT(refused(), HasSubstr("encoding is kRawPointers"));
  const uint32_t outside[] = {0, 24};
  spec.tail_pointer_offsets = outside;
  spec.tail_pointer_count = 2;
  EXPECT_THAT(refused(), HasSubstr("tail_pointer_offsets[1] = 24 lies outside "
                                   "tail_stride (tail_stride = 24)"));
  const uint32_t odd[] = {4};
  spec.tail_encoded_offsets = odd;
  EXPECT_THAT(refused(), HasSubstr("tail_encoded_offsets[0] = 4 is not a "
                                   "multiple of 8"));
  const uint32_t twice[] = {16, 16};
  spec.tail_pointer_offsets = twice;
  spec.tail_pointer_count = 2;
  EXPECT_THAT(refused(), HasSubstr("tail_pointer_offsets[1] = 16 is given "
                                   "twice"));
  spec.tail_encoded_offsets = e.key;
  EXPECT_THAT(refused(), HasSubstr("offset 0 is in both tail_pointer_offsets "
                                   "and tail_encoded_offsets"));
  spec.trace = &no_trace;
  EXPECT_THAT(refused(), HasSubstr("trace is set, so tail must be"));
  spec.uninitialized = true;
  EXPECT_THAT(refused(), HasSubstr("uninitialized is set"));
  EXPECT_EQ(t.table.count(), 1u) << "nothing was stored";
}

TEST(heap_layout_shapes, an_ephemeron_of_elements_needs_pairs) {
  Table t;
  Entries e(&t);
  LayoutSpec spec = e.spec;
  spec.tail_strength = Strength::kEphemeron;
  EXPECT_THAT(t.refused(spec), HasSubstr("kEphemeron, but tail_stride = 24"));
  spec.tail_stride = 32;
  EXPECT_NE(t.add(spec), kInvalidLayout) << t.error.text;
  spec.tail_encoded_count = 0;
  EXPECT_THAT(t.refused(spec), HasSubstr("tail_strength is kEphemeron, but "
                                         "offset 0 is given without offset 8"));
  spec.head_bytes = 24;
  EXPECT_THAT(t.refused(spec), HasSubstr("but head_bytes = 24"));
}

Encoding pair_encoding() {
  Encoding e;
  e.kind = EncodingKind::kTagSet;
  e.stride = 16;
  e.tag_set[0] = 1 << 5;
  return e;
}

TEST(heap_layout_shapes, pairs_are_checked) {
  Table t;
  Encoding e = pair_encoding();
  e.stride = 12;
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("stride is not 8 or 16"));
  e = pair_encoding();
  e.kind = EncodingKind::kRange;
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("but kind is not kTagSet"));
  e = pair_encoding();
  e.payload_offset = 0;
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("payload_offset are not 0 and"));
  e = pair_encoding();
  e.cleared_word = 5;
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("cleared_word"));
  const EncodingId id = t.table.add_encoding(pair_encoding(), &t.error);
  ASSERT_NE(id, 0xff) << t.error.text;

  LayoutSpec spec = node("Pairs", 40);
  spec.encoding = id;
  const uint32_t at[] = {0, 16};
  spec.encoded_offsets = at;
  spec.encoded_count = 2;
  const LayoutId head = t.add(spec);
  ASSERT_NE(head, kInvalidLayout) << t.error.text;
  EXPECT_EQ(t.table.hot(head).head_encoded, 5u);
  const uint32_t odd[] = {8};
  const uint32_t half[] = {32};
  spec.encoded_offsets = odd;
  spec.encoded_count = 1;
  EXPECT_THAT(t.refused(spec), HasSubstr("encoded_offsets[0] = 8 is not a "
                                         "multiple of 16"));
  spec.encoded_offsets = half;
  EXPECT_THAT(t.refused(spec), HasSubstr("32 lies outside head_bytes"));
  spec.encoded_offsets = at;
  spec.pointer_offsets = odd;
  spec.pointer_count = 1;
  EXPECT_THAT(t.refused(spec), HasSubstr("offset 8 is in both"));
  spec = node("Pairs", 8);
  spec.encoding = id;
  spec.tail = Tail::kEncoded;
  EXPECT_THAT(t.refused(spec), HasSubstr("head_bytes = 8 is not a multiple of "
                                         "16"));
  spec.head_bytes = 16;
  EXPECT_NE(t.add(spec), kInvalidLayout) << t.error.text;
  spec.tail_strength = Strength::kEphemeron;
  EXPECT_THAT(t.refused(spec), HasSubstr("tail_strength is kEphemeron, and "));
  spec.tail_strength = Strength::kStrong;
  spec.tail = Tail::kElements;
  spec.tail_stride = 24;
  spec.tail_encoded_offsets = at;
  spec.tail_encoded_count = 1;
  EXPECT_THAT(t.refused(spec), HasSubstr("tail_stride = 24 is not a multiple "
                                         "of 16"));
  spec.tail_stride = 32;
  EXPECT_EQ(t.table.hot(t.add(spec)).kind, ScanKind::kElements);
  spec.tail_encoded_count = 2;
  EXPECT_EQ(t.table.hot(t.add(spec)).tail, Tail::kEncoded) << "nothing else";
}

TEST(heap_layout_shapes, decode_pairs) {
  Encoding e = pair_encoding();
  auto at = [](uint64_t address) { return reinterpret_cast<void*>(address); };
  EXPECT_EQ(decode_pair(e, 5, 0x7000), at(0x7000));
  EXPECT_EQ(decode_pair(e, 0xabc05, 0x7000), at(0x7000)) << "the low byte";
  EXPECT_EQ(decode_pair(e, 4, 0x7000), nullptr);
  EXPECT_EQ(decode_pair(e, 0x500, 0x7000), nullptr);
  e.tag_shift = 8;
  EXPECT_EQ(decode_pair(e, 0x500, 0x7000), at(0x7000));
  e.payload_mask = 0x0000'ffff'ffff'fff0;
  EXPECT_EQ(decode_pair(e, 0x500, 0x1234'0000'0000'7008), at(0x7000));
}

}  // namespace
}  // namespace tricolor::heap
