// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// gc/try_trace.h: what a trace function may not do with a cell of zeros, and in
// which words it is refused.
#include "gc/try_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/support/gc_alone.h"

namespace tricolor::testing {
namespace {

using ::testing::HasSubstr;

LayoutSpec custom(TraceFn trace, uint32_t head_bytes = 24) {
  LayoutSpec spec;
  spec.name = "Custom";
  spec.head_bytes = head_bytes;
  spec.trace = trace;
  return spec;
}

class gc_try_trace : public ::testing::Test {
 protected:
  std::string refused(const LayoutSpec& spec) {
    Error error;
    EXPECT_FALSE(gc::try_trace(&gc.heap(), spec, &error));
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(gc::try_trace(&gc.heap(), spec, nullptr));
    EXPECT_THAT(error.text, HasSubstr("'Custom': trace, tried on a cell of"));
    return error.text;
  }
  bool accepted(const LayoutSpec& spec) {
    Error error;
    bool ok = gc::try_trace(&gc.heap(), spec, &error);
    EXPECT_TRUE(ok) << error.text;
    EXPECT_TRUE(error.ok());
    return ok;
  }
  GcAlone gc;
};

uint64_t* words_of(void* cell) { return static_cast<uint64_t*>(cell); }

TEST_F(gc_try_trace, sees_zeros_of_two_sizes) {
  struct Seen {
    std::vector<size_t> sizes;
    bool zero = true;
  };
  auto trace = [](Tracer& t, void* cell, size_t bytes, void* user) {
    auto* seen = static_cast<Seen*>(user);
    seen->sizes.push_back(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(cell) % 16, 0u);
    for (size_t i = 0; i < bytes / 8; ++i) {
      seen->zero = seen->zero && words_of(cell)[i] == 0;
    }
    t.visit(nullptr);
    t.visit_words(words_of(cell), bytes / 8, kRawPointers);
    t.visit_words(nullptr, 0, kRawPointers);
  };
  for (uint32_t head : {0u, 8u, 24u, 200u, 32768u, 100008u}) {
    Seen seen;
    LayoutSpec spec = custom(trace, head);
    spec.user = &seen;
    ASSERT_TRUE(accepted(spec));
    ASSERT_EQ(seen.sizes.size(), 2u);
    EXPECT_GE(seen.sizes[0], head);
    EXPECT_GE(seen.sizes[0], 16u);
    EXPECT_GE(seen.sizes[1], seen.sizes[0] + 256);
    EXPECT_TRUE(seen.zero);
  }
  LayoutSpec plain = custom(nullptr);
  EXPECT_TRUE(accepted(plain)) << "nothing to try";
}

TEST_F(gc_try_trace, a_pointer_out_of_nowhere) {
  EXPECT_THAT(refused(custom([](Tracer& t, void* cell, size_t, void*) {
                t.visit(static_cast<char*>(cell) + 8);
              })),
              HasSubstr("cell of 32 zero bytes, reports the pointer 0x"));
  EXPECT_THAT(refused(custom([](Tracer& t, void*, size_t, void*) {
                t.visit(reinterpret_cast<void*>(0x10));
              })),
              HasSubstr("reports the pointer 0x10"));
  // Only in the longer cell: an element count taken from the size.
  EXPECT_THAT(refused(custom([](Tracer& t, void* cell, size_t bytes, void*) {
                if (bytes > 32) t.visit(cell);
              })),
              HasSubstr("cell of 288 zero bytes"));
}

TEST_F(gc_try_trace, words_outside_the_cell) {
  const char* outside = "outside the cell";
  EXPECT_THAT(refused(custom([](Tracer& t, void* cell, size_t bytes, void*) {
                t.visit_words(words_of(cell), bytes / 8 + 1, kRawPointers);
              })),
              HasSubstr(outside));
  EXPECT_THAT(refused(custom([](Tracer& t, void* cell, size_t bytes, void*) {
                t.visit_words(words_of(cell) + bytes / 8, 1, kRawPointers);
              })),
              HasSubstr(outside));
  EXPECT_THAT(refused(custom([](Tracer& t, void* cell, size_t, void*) {
                t.visit_words(words_of(cell) - 1, 1, kRawPointers);
              })),
              HasSubstr(outside));
  EXPECT_THAT(refused(custom([](Tracer& t, void* cell, size_t, void*) {
                // A count of zero, less one.
                t.visit_words(words_of(cell) + 1, words_of(cell)[0] - 1,
                              kRawPointers);
              })),
              HasSubstr("reports 18446744073709551615 words"));
  EXPECT_THAT(refused(custom([](Tracer& t, void*, size_t, void*) {
                t.visit_words(nullptr, 1, kRawPointers);
              })),
              HasSubstr("reports 1 words at"));
  EXPECT_THAT(refused(custom([](Tracer& t, void* cell, size_t, void*) {
                t.visit_words(
                    reinterpret_cast<uint64_t*>(static_cast<char*>(cell) + 4),
                    1, kRawPointers);
              })),
              HasSubstr("not aligned"));
}

TEST_F(gc_try_trace, an_encoding_that_is_not_there) {
  EXPECT_THAT(refused(custom([](Tracer& t, void* cell, size_t, void*) {
                t.visit_words(words_of(cell), 1, 1);
              })),
              HasSubstr("encoding 1, which is not registered"));
  ASSERT_EQ(gc.heap().layouts().add_encoding(Encoding{}, nullptr), 1);
  EXPECT_TRUE(accepted(custom([](Tracer& t, void* cell, size_t, void*) {
    t.visit_words(words_of(cell), 1, 1);
  })));
}

TEST_F(gc_try_trace, a_write) {
  const char* writes = "writes to it or beside it";
  EXPECT_THAT(refused(custom([](Tracer&, void* cell, size_t bytes, void*) {
                words_of(cell)[bytes / 8 - 1] = 1;
              })),
              HasSubstr(writes));
#if !TRI_ASAN
  EXPECT_THAT(refused(custom([](Tracer&, void* cell, size_t bytes, void*) {
                words_of(cell)[bytes / 8] = 0;
              })),
              HasSubstr(writes));
  EXPECT_THAT(refused(custom([](Tracer&, void* cell, size_t, void*) {
                words_of(cell)[-1] = 0;
              })),
              HasSubstr(writes));
#endif
}

#if !TRI_ASAN
// One element too many: what lies behind is not null.
TEST_F(gc_try_trace, a_read_outside_that_is_reported) {
  const char* reports = "reports the pointer 0xdeaddeaddeaddead";
  EXPECT_THAT(refused(custom([](Tracer& t, void* cell, size_t bytes, void*) {
                for (size_t i = 0; i <= bytes / 8; ++i) {
                  t.visit(reinterpret_cast<void*>(words_of(cell)[i]));
                }
              })),
              HasSubstr(reports));
  EXPECT_THAT(refused(custom([](Tracer& t, void* cell, size_t, void*) {
                t.visit(reinterpret_cast<void*>(words_of(cell)[-1]));
              })),
              HasSubstr(reports));
}
#endif

/// Reads the word `at` bytes behind the end of the cell, and does nothing with
/// it.
void read_behind(Tracer&, void* cell, size_t bytes, void* user) {
  const volatile char* p = static_cast<char*>(cell) + bytes;
  p[*static_cast<size_t*>(user)];
}

using gc_try_trace_death = gc_try_trace;

TEST_F(gc_try_trace_death, a_read_far_behind) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  LayoutSpec spec = custom(&read_behind, 4096);
  // The cell of head_bytes comes first; 256 bytes behind the longer one that
  // follows, nothing is readable.
  size_t at = 4096;
  spec.user = &at;
  EXPECT_DEATH(gc::try_trace(&gc.heap(), spec, nullptr), "");
}

#if TRI_ASAN
TEST_F(gc_try_trace_death, a_read_behind_is_reported) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  LayoutSpec spec = custom(&read_behind);
  size_t at = 0;
  spec.user = &at;
  EXPECT_DEATH(gc::try_trace(&gc.heap(), spec, nullptr), "use-after-poison");
}
#endif

}  // namespace
}  // namespace tricolor::testing
