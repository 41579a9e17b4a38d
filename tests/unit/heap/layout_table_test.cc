// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// heap/layout_table.h: what is refused and in which words, what is merged, and
// how an encoded word is read.
#include "heap/layout_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "tests/unit/heap/layout_fixture.h"

namespace tricolor::heap {
namespace {

using ::testing::HasSubstr;
using Strength = LayoutSpec::Strength;
using Tail = LayoutSpec::Tail;

void no_trace(Tracer&, void*, size_t, void*) {}
void no_on_dead(void*, size_t, void*) {}

TEST(heap_layout_table, errors_name_the_field) {
  Table t;
  LayoutSpec spec = node("Node", 24);
  const uint32_t odd[] = {0, 12};
  spec.pointer_offsets = odd;
  spec.pointer_count = 2;
  EXPECT_THAT(t.refused(spec), HasSubstr("'Node': pointer_offsets[1] = 12"));
  EXPECT_THAT(t.refused(spec), HasSubstr("multiple of 8"));
  const uint32_t outside[] = {24};
  spec.pointer_offsets = outside;
  spec.pointer_count = 1;
  EXPECT_THAT(t.refused(spec), HasSubstr("pointer_offsets[0] = 24"));
  EXPECT_THAT(t.refused(spec), HasSubstr("outside head_bytes"));
  const uint32_t wraps[] = {0xfffffff8};
  spec.pointer_offsets = wraps;
  EXPECT_THAT(t.refused(spec), HasSubstr("4294967288 lies outside"));
  const uint32_t twice[] = {8, 8};
  spec.pointer_offsets = twice;
  spec.pointer_count = 2;
  EXPECT_THAT(t.refused(spec), HasSubstr("pointer_offsets[1] = 8 is given"));
  spec = node("Far", 1024);
  const uint32_t far[] = {512};
  spec.encoding = t.table.add_encoding(Encoding{}, &t.error);
  spec.encoded_offsets = far;
  spec.encoded_count = 1;
  EXPECT_THAT(t.refused(spec), HasSubstr("'Far': encoded_offsets[0] = 512"));
  EXPECT_THAT(t.refused(spec), HasSubstr("trace function"));
  spec.encoded_offsets = nullptr;
  EXPECT_THAT(t.refused(spec),
              HasSubstr("encoded_count is given without its array"));
  EXPECT_EQ(t.table.count(), 1u) << "nothing was stored";
}

TEST(heap_layout_table, errors_of_a_spec_as_a_whole) {
  Table t;
  EXPECT_THAT(t.refused(node("Empty", 0)), HasSubstr("head_bytes is 0"));
  EXPECT_THAT(t.refused(node("Odd", 20)), HasSubstr("head_bytes is not"));
  EXPECT_THAT(t.refused(node(nullptr, 20)), HasSubstr("''"));
  LayoutSpec spec = node("Enc", 8);
  spec.encoding = 1;
  EXPECT_THAT(t.refused(spec), HasSubstr("encoding is not registered"));
  spec = node("Both", 16);
  spec.encoding = t.table.add_encoding(Encoding{}, &t.error);
  const uint32_t zero[] = {0};
  spec.pointer_offsets = spec.encoded_offsets = zero;
  spec.pointer_count = spec.encoded_count = 1;
  EXPECT_THAT(t.refused(spec),
              HasSubstr("offset 0 is in both pointer_offsets"));
  spec.encoded_count = 0;
  spec.trace = &no_trace;
  EXPECT_THAT(t.refused(spec), HasSubstr("trace is set"));
  spec.pointer_count = 0;
  spec.tail = Tail::kPointers;
  EXPECT_THAT(t.refused(spec), HasSubstr("so tail must be kNone"));
  spec.tail = static_cast<Tail>(5);
  EXPECT_THAT(t.refused(spec), HasSubstr("tail is 5"));
  spec = node("Raw", 0);
  spec.tail = Tail::kEncoded;
  EXPECT_THAT(t.refused(spec), HasSubstr("encoding is kRawPointers"));
  spec = node("Raw", 8);
  spec.encoded_offsets = zero;
  spec.encoded_count = 1;
  EXPECT_THAT(t.refused(spec), HasSubstr("encoding is kRawPointers"));
  spec = node("Garbage", 0);
  spec.uninitialized = true;
  spec.tail = Tail::kPointers;
  EXPECT_THAT(t.refused(spec), HasSubstr("uninitialized is set"));
  const std::string longest(1000, 'x');
  EXPECT_THAT(t.refused(node(longest.c_str(), 20)),
              HasSubstr("head_bytes is not a multiple of 8"));
}

// The words 0 and 1 of a node, as pointers.
LayoutSpec pair_of_pointers(Strength strength) {
  static const uint32_t offsets[] = {0, 8};
  LayoutSpec spec = node("Pair", 32);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 2;
  spec.head_strength = strength;
  return spec;
}

TEST(heap_layout_table, strength_is_kept_and_is_not_the_shape) {
  Table t;
  const LayoutId strong = t.add(pair_of_pointers(Strength::kStrong));
  const LayoutId weak = t.add(pair_of_pointers(Strength::kWeak));
  const LayoutId pairs = t.add(pair_of_pointers(Strength::kEphemeron));
  EXPECT_NE(strong, weak) << "never merged";
  EXPECT_NE(strong, pairs);
  EXPECT_NE(weak, pairs);
  EXPECT_EQ(t.add(pair_of_pointers(Strength::kWeak)), weak) << "merged";
  EXPECT_EQ(t.table.cold(strong).head_strength, Strength::kStrong);
  EXPECT_EQ(t.table.cold(weak).head_strength, Strength::kWeak);
  EXPECT_EQ(t.table.cold(pairs).head_strength, Strength::kEphemeron);
  for (LayoutId id : {weak, pairs}) {
    HotLayout hot = t.table.hot(id);
    EXPECT_EQ(hot.kind, ScanKind::kWeak);
    hot.kind = t.table.hot(strong).kind;  // nothing else is different
    EXPECT_EQ(std::memcmp(&hot, &t.table.hot(strong), sizeof(HotLayout)), 0);
  }
  LayoutSpec array = pair_of_pointers(Strength::kStrong);
  array.tail = Tail::kPointers;
  const LayoutId plain = t.add(array);
  array.tail_strength = Strength::kEphemeron;
  const LayoutId table = t.add(array);
  EXPECT_NE(plain, table);
  EXPECT_EQ(t.add(array), table);
  EXPECT_EQ(t.table.cold(table).head_strength, Strength::kStrong);
  EXPECT_EQ(t.table.cold(table).tail_strength, Strength::kEphemeron);
  EXPECT_EQ(t.table.hot(table).kind, ScanKind::kWeak);
  EXPECT_EQ(t.table.hot(plain).kind, ScanKind::kMixed);
}

TEST(heap_layout_table, the_counter_of_cleared_slots) {
  Table t;
  LayoutSpec spec = pair_of_pointers(Strength::kWeak);
  spec.cleared_count_offset = 16;
  const LayoutId id = t.add(spec);
  EXPECT_NE(id, kInvalidLayout) << t.error.text;
  EXPECT_NE(t.add(pair_of_pointers(Strength::kWeak)), id) << "not merged";
  EXPECT_EQ(t.table.cold(id).cleared_count, 16u);
  spec.cleared_count_offset = 8;
  EXPECT_THAT(t.refused(spec), HasSubstr("= 8 is that of a pointer"));
  spec.cleared_count_offset = 12;
  EXPECT_THAT(t.refused(spec), HasSubstr("= 12 is not a multiple of 8"));
  spec.cleared_count_offset = 32;
  EXPECT_THAT(t.refused(spec), HasSubstr("= 32 lies outside head_bytes"));
  for (uint32_t wraps : {0xfffffff8u, 0xfffffff0u, 0x80000000u}) {
    spec.cleared_count_offset = wraps;
    EXPECT_THAT(t.refused(spec), HasSubstr("lies outside head_bytes"));
  }
  spec = pair_of_pointers(Strength::kStrong);
  spec.cleared_count_offset = 16;
  EXPECT_THAT(t.refused(spec), HasSubstr("all words are strong"));
}

TEST(heap_layout_table, strength_of_encoded_words) {
  Table t;
  Encoding low;
  low.kind = EncodingKind::kTagSet;
  low.tag_mask = 15;
  low.tag_set[0] = 1;
  const EncodingId encoding = t.table.add_encoding(low, &t.error);
  LayoutSpec spec = node("Values", 16);
  spec.encoding = encoding;
  spec.tail = Tail::kEncoded;
  spec.tail_strength = Strength::kWeak;
  EXPECT_NE(t.add(spec), kInvalidLayout) << t.error.text;
  // A key that is a pointer, a value that is encoded.
  const uint32_t key[] = {16};
  const uint32_t value[] = {24};
  spec = node("Entry", 32);
  spec.encoding = encoding;
  spec.pointer_offsets = key;
  spec.encoded_offsets = value;
  spec.pointer_count = spec.encoded_count = 1;
  spec.head_strength = Strength::kEphemeron;
  EXPECT_NE(t.add(spec), kInvalidLayout) << t.error.text;
}

TEST(heap_layout_table, a_strength_that_fits_nothing_is_refused) {
  Table t;
  LayoutSpec spec = node("Bytes", 16);
  spec.head_strength = Strength::kWeak;
  EXPECT_THAT(t.refused(spec), HasSubstr("head_strength is kWeak, but"));
  spec.head_strength = Strength::kStrong;
  spec.tail_strength = Strength::kWeak;
  EXPECT_THAT(t.refused(spec), HasSubstr("tail_strength is kWeak, but tail is "
                                         "kNone"));
  spec.tail = Tail::kNoscan;
  EXPECT_THAT(t.refused(spec), HasSubstr("but tail is kNoscan"));
  spec = node("Custom", 16);
  spec.trace = &no_trace;
  spec.tail_strength = Strength::kEphemeron;
  EXPECT_THAT(t.refused(spec), HasSubstr("tail_strength is kEphemeron, but"));
  spec.tail_strength = Strength::kStrong;
  spec.head_strength = Strength::kWeak;
  EXPECT_THAT(t.refused(spec), HasSubstr("head_strength is kWeak, but trace"));
  spec.head_strength = static_cast<Strength>(4);
  EXPECT_THAT(t.refused(spec), HasSubstr("head_strength is 4"));
  spec.head_strength = Strength::kStrong;
  spec.tail_strength = static_cast<Strength>(200);
  EXPECT_THAT(t.refused(spec), HasSubstr("tail_strength is 200"));
}

TEST(heap_layout_table, an_ephemeron_needs_pairs) {
  Table t;
  LayoutSpec spec = node("Odd", 24);
  spec.tail = Tail::kPointers;
  spec.tail_strength = Strength::kEphemeron;
  EXPECT_THAT(t.refused(spec), HasSubstr("tail_strength is kEphemeron, but "
                                         "head_bytes = 24"));
  spec.tail_strength = Strength::kWeak;
  EXPECT_NE(t.add(spec), kInvalidLayout) << "weak words need none";
  const uint32_t alone[] = {0, 8, 16};
  spec = node("Alone", 32);
  spec.head_strength = Strength::kEphemeron;
  spec.pointer_offsets = alone;
  spec.pointer_count = 3;
  EXPECT_THAT(t.refused(spec), HasSubstr("offset 16 is given without offset "
                                         "24"));
  const uint32_t across[] = {8, 16};
  spec.pointer_offsets = across;
  spec.pointer_count = 2;
  EXPECT_THAT(t.refused(spec), HasSubstr("offset 8 is given without offset 0"));
  spec.head_bytes = 512;
  const uint32_t last[] = {496, 504};
  spec.pointer_offsets = last;
  EXPECT_NE(t.add(spec), kInvalidLayout) << t.error.text;
}

TEST(heap_layout_table, kinds) {
  Table t;
  const uint32_t offsets[] = {8};
  LayoutSpec spec = node("A", 16);
  EXPECT_EQ(t.table.hot(t.add(spec)).kind, ScanKind::kNoscan);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 1;
  LayoutId head = t.add(spec);
  EXPECT_EQ(t.table.hot(head).kind, ScanKind::kHeadPointers);
  EXPECT_EQ(t.table.hot(head).head_pointers, 2u);
  spec.tail = Tail::kNoscan;
  EXPECT_EQ(t.table.hot(t.add(spec)).kind, ScanKind::kHeadPointers);
  spec.tail = Tail::kPointers;
  EXPECT_EQ(t.table.hot(t.add(spec)).kind, ScanKind::kMixed);
  LayoutSpec array = node("B", 0);
  array.tail = Tail::kPointers;
  EXPECT_EQ(t.table.hot(t.add(array)).kind, ScanKind::kAllPointers);
  array.tail = Tail::kEncoded;
  array.encoding = t.table.add_encoding(Encoding{}, &t.error);
  EXPECT_EQ(t.table.hot(t.add(array)).kind, ScanKind::kAllEncoded);
  array.tail = Tail::kNoscan;
  EXPECT_EQ(t.table.hot(t.add(array)).kind, ScanKind::kNoscan);
  LayoutSpec encoded = node("C", 16);
  encoded.encoded_offsets = offsets;
  encoded.encoded_count = 1;
  encoded.encoding = array.encoding;
  EXPECT_EQ(t.table.hot(t.add(encoded)).kind, ScanKind::kMixed);
  LayoutSpec custom = node("D", 0);
  custom.trace = &no_trace;
  EXPECT_EQ(t.table.hot(t.add(custom)).kind, ScanKind::kCustom);
  // Id 0 is what a large object reads as until it is zeroed.
  EXPECT_EQ(t.table.hot(kInvalidLayout).kind, ScanKind::kNoscan);
}

TEST(heap_layout_table, alike_is_merged_unless_distinct) {
  Table t;
  int x = 0;
  LayoutSpec spec = node("Same", 32);
  LayoutId first = t.add(spec);
  EXPECT_NE(first, kInvalidLayout);
  EXPECT_EQ(t.add(spec), first);
  LayoutSpec distinct = spec;
  distinct.distinct = true;
  LayoutId alone = t.add(distinct);
  EXPECT_NE(alone, first);
  EXPECT_NE(t.add(distinct), alone);
  EXPECT_EQ(t.add(spec), first) << "never merged into a distinct one";
  LayoutSpec other = spec;
  other.user = &x;
  EXPECT_NE(t.add(other), first);
  other = spec;
  other.on_dead = &no_on_dead;
  EXPECT_NE(t.add(other), first);
  other = spec;
  other.name = "Other";
  EXPECT_EQ(t.add(other), first) << "a name does not make a difference";
  other = spec;
  other.head_bytes = 40;
  EXPECT_NE(t.add(other), first);
  EXPECT_NE(t.table.add(spec, kWeakCell, nullptr), first);
}

TEST(heap_layout_table, name_and_user_are_kept) {
  Table t;
  int x = 0;
  char name[] = "Transient";
  LayoutSpec spec = node(name, 8);
  spec.user = &x;
  spec.on_dead = &no_on_dead;
  LayoutId id = t.add(spec);
  name[0] = '!';
  EXPECT_STREQ(t.table.cold(id).name, "Transient") << "a copy";
  EXPECT_EQ(t.table.cold(id).user, &x);
  EXPECT_EQ(t.table.cold(id).on_dead, &no_on_dead);
  EXPECT_EQ(t.table.hot(id).flags, uint8_t{kOnDead});
  EXPECT_STREQ(t.table.cold(t.add(node(nullptr, 8))).name, "");
}

TEST(heap_layout_table, at_least_4096_and_then_a_limit) {
  Table t;
  LayoutSpec spec = node("Many", 8);
  spec.distinct = true;
  uint32_t n = 0;
  while (t.add(spec) != kInvalidLayout) ++n;
  EXPECT_GE(n, 4096u);
  EXPECT_EQ(t.error.code, ErrorCode::kLimit);
  EXPECT_THAT(t.error.text, HasSubstr(std::to_string(n)));
  EXPECT_EQ(t.table.count(), n + 1);
}

TEST(heap_layout_table, encodings_are_checked) {
  Table t;
  Encoding e;
  e.kind = EncodingKind::kRange;
  e.range_lo = 2;
  e.range_hi = 1;
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("range_lo"));
  e = Encoding{};
  e.kind = EncodingKind::kTagSet;
  e.tag_shift = 64;
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("tag_shift"));
  e = Encoding{};
  e.payload_mask = 0xffff'ffff;
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("payload_mask"));
  e = Encoding{};
  e.kind = EncodingKind::kTagSet;
  e.tag_mask = 0;
  e.tag_set[0] = 1;  // every word is a pointer
  e.cleared_word = 0x1000;
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("cleared_word"));
  e.cleared_word = 0;
  const Encoding good = e;
  // Words that would be called pointers and never be one.
  e.kind = EncodingKind::kRange;
  e.range_lo = uint64_t{0xfff8} << 48;
  e.range_hi = ~uint64_t{0};
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("payload_mask leaves bits of "
                                               "the range"));
  e = good;
  e.tag_mask = 7;
  e.tag_set[0] = 1 << 3;
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("payload_mask leaves bits of a "
                                               "pointer's tag"));
  e.tag_set[0] = 1 << 8;
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("tag_set has no tag"));
  e.kind = static_cast<EncodingKind>(3);
  EXPECT_THAT(t.refused_encoding(e), HasSubstr("kind is not one of"));
  e = good;
  while (t.table.add_encoding(e, &t.error) != 0xff) {
  }
  EXPECT_EQ(t.error.code, ErrorCode::kLimit);
  EXPECT_EQ(t.table.encoding_count(), kMaxEncodings);
}

void* at(uint64_t address) { return reinterpret_cast<void*>(address); }

TEST(heap_layout_table, decode_nan_boxes) {
  // Doubles below the quiet NaN space, pointers in one 48-bit block of it.
  Encoding e;
  e.kind = EncodingKind::kRange;
  e.range_lo = 0xfffc'0000'0000'0000;
  e.range_hi = 0xfffc'ffff'ffff'ffff;
  e.payload_mask = 0x0000'ffff'ffff'ffff;
  e.cleared_word = 0x7ff8'0000'0000'0000;
  Table t;
  ASSERT_NE(t.table.add_encoding(e, &t.error), 0xff) << t.error.text;
  EXPECT_EQ(decode(e, 0xfffc'7f12'3456'7890), at(0x7f12'3456'7890));
  EXPECT_EQ(decode(e, e.range_lo), nullptr) << "a boxed null";
  EXPECT_EQ(decode(e, e.range_lo + 16), at(16));
  EXPECT_EQ(decode(e, e.range_hi), at(0xffff'ffff'ffff));
  EXPECT_EQ(decode(e, e.range_lo - 1), nullptr);
  EXPECT_EQ(decode(e, e.range_hi + 1), nullptr);
  for (double d : {0.0, 1.5, -1e300}) {
    EXPECT_EQ(decode(e, detail::to_word(d)), nullptr) << d;
  }
  EXPECT_EQ(decode(e, e.cleared_word), nullptr);
  EXPECT_EQ(decode(e, ~uint64_t{0}), nullptr);
}

TEST(heap_layout_table, decode_tag_sets) {
  Encoding low;  // the low three bits: 0 and 5 are pointers
  low.kind = EncodingKind::kTagSet;
  low.tag_mask = 7;
  low.tag_set[0] = 1 | 1 << 5;
  low.payload_mask = ~uint64_t{15};
  for (uint64_t tag = 0; tag < 8; ++tag) {
    void* want = tag == 0 || tag == 5 ? at(0x7000) : nullptr;
    EXPECT_EQ(decode(low, 0x7000 | tag), want) << tag;
  }
  Encoding high;  // the top byte; tags in all four words of the set
  high.kind = EncodingKind::kTagSet;
  high.tag_shift = 56;
  high.payload_mask = 0x0000'ffff'ffff'ffff;
  const uint64_t pointers[] = {0, 63, 64, 130, 255};
  for (uint64_t tag : pointers) high.tag_set[tag / 64] |= 1ull << tag % 64;
  for (uint64_t tag = 0; tag < 256; ++tag) {
    bool is = high.tag_set[tag / 64] >> tag % 64 & 1;
    EXPECT_EQ(decode(high, tag << 56 | 0x1230), is ? at(0x1230) : nullptr);
  }
}

TEST(heap_layout_table, decode_raw_pointers) {
  Table t;
  const Encoding& raw = t.table.encoding(kRawPointers);
  EXPECT_EQ(decode(raw, 0), nullptr);
  EXPECT_EQ(decode(raw, 0x7f00'0000'0010), at(0x7f00'0000'0010));
}

}  // namespace
}  // namespace tricolor::heap
