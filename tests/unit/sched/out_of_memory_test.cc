// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A handler that throws or jumps out of `make` in one task while others go on:
// the shadow stack is as it was, the collector runs, the heap is usable.
#include <unistd.h>

#include <csetjmp>

#include "tests/unit/sched/fixture.h"
#include "tricolor/resize.h"

namespace tricolor::testing {
namespace {

struct NoMemory {};

struct Cell {
  Field<Cell> next;
  uint64_t id;
};

Options limited(uint32_t procs) {
  Options o = options(procs, procs > 1 ? -1 : 0);
  o.hard_limit_bytes = size_t{4} << 20;
  o.debug = "gccheckmark=1";
  return o;
}

Type<Cell> register_cell(Runtime& rt) {
  uint32_t offset = offset_of(&Cell::next);
  LayoutSpec spec;
  spec.name = "Cell";
  spec.head_bytes = sizeof(Cell);
  spec.pointer_offsets = &offset;
  spec.pointer_count = 1;
  return Type<Cell>(rt.register_layout(spec));
}

/// Rooted recursion, so that scopes are open at every depth when it ends.
void fill(Mutator& mu, const Type<Cell>& type, Cell* below, int depth) {
  Scope<2> scope(mu);
  Local<Cell> head(scope, below);
  for (int i = 0; i < (depth == 0 ? INT32_MAX : 10); ++i) {
    Scope<1> inner(mu);
    Local<Cell> cell(inner, make(mu, type));
    cell->next.init(mu, head);
    head = cell.get();
  }
  if (depth > 0) fill(mu, type, head, depth - 1);
}

void filler(Mutator& mu, Plain<const Type<Cell>> type) {
  void** top = mu.shadow_top;
  void** base = mu.shadow_base;
  for (int round = 0; round < 3; ++round) {
    EXPECT_THROW(fill(mu, *type.p, nullptr, 60), NoMemory);
    EXPECT_EQ(mu.shadow_top, top);
    EXPECT_EQ(mu.shadow_base, base);
    collect(mu);
    EXPECT_NE(try_make(mu, *type.p), nullptr);
    yield(mu);
  }
}

class sched_out_of_memory : public ::testing::TestWithParam<uint32_t> {};

TEST_P(sched_out_of_memory, a_throw_unwinds_scopes_of_tasks) {
  Options o = limited(GetParam());
  o.on_out_of_memory = [](Runtime&, size_t, void*) { throw NoMemory(); };
  RuntimePtr rt = make_runtime(o);
  Type<Cell> type = register_cell(*rt);
  rt->run([&](Mutator& mu) {
    // Each in turn: two at once would take each other's memory.
    for (int i = 0; i < 2; ++i) {
      auto t = spawn(mu, &filler, plain(const_cast<const Type<Cell>*>(&type)));
      join(mu, t);
    }
    EXPECT_NE(make(mu, type), nullptr);
  });
}

/// In a function of its own, which has no local that changes after setjmp.
TRI_DETAIL_NOINLINE void jump_once(Mutator& mu, const Type<Cell>& type,
                                   std::jmp_buf** target) {
  std::jmp_buf here;
  const ScopeMark mark = scope_mark(mu);
  *target = &here;
  if (setjmp(here) == 0) fill(mu, type, nullptr, 60);
  scope_reset(mu, mark);
  EXPECT_EQ(mu.shadow_top, mark.top);
  collect(mu);
  EXPECT_NE(try_make(mu, type), nullptr);
}

TEST_P(sched_out_of_memory, a_longjmp_and_scope_reset) {
  static std::jmp_buf* target = nullptr;
  Options o = limited(GetParam());
  o.on_out_of_memory = [](Runtime&, size_t, void*) { longjmp(*target, 1); };
  RuntimePtr rt = make_runtime(o);
  Type<Cell> type = register_cell(*rt);
  rt->run([&](Mutator& mu) {
    for (int round = 0; round < 3; ++round) jump_once(mu, type, &target);
  });
}

/// A handler that asks for memory by the form that never gives up.
TEST(sched_out_of_memory_death, a_handler_that_allocates) {
  static Type<Cell> cell;
  static int depth;
  Options o = limited(1);
  o.on_out_of_memory = [](Runtime&, size_t, void*) {
    if (++depth > 3) _exit(0);
    allocate(*current(), cell.layout, 30'000);
    for (;;) make(*current(), cell);
  };
  EXPECT_DEATH(
      {
        RuntimePtr rt = make_runtime(o);
        cell = register_cell(*rt);
        rt->run([&](Mutator& mu) { fill(mu, cell, nullptr, 0); });
      },
      "out of memory: .*asked for by Options::on_out_of_memory");
}

/// It may use the try_ forms, and let go of what it keeps for such a day.
TEST_P(sched_out_of_memory, a_handler_that_tries) {
  static Type<Cell> cell;
  static int calls;
  calls = 0;
  Options o = limited(GetParam());
  o.on_out_of_memory = [](Runtime&, size_t, void*) {
    ++calls;
    while (try_make(*current(), cell) != nullptr) {
    }
    throw NoMemory();
  };
  RuntimePtr rt = make_runtime(o);
  cell = register_cell(*rt);
  rt->run([&](Mutator& mu) {
    for (int i = 0; i < 3; ++i) {
      EXPECT_THROW(fill(mu, cell, nullptr, 60), NoMemory);
    }
  });
  EXPECT_EQ(calls, 3);
}

TRI_DETAIL_NOINLINE int run_out_at(Mutator& mu, int depth) {
  volatile char frame[100] = {};
  if (depth > 0) return run_out_at(mu, depth - 1) + frame[3];
  allocate(mu, kInvalidLayout + 1, SIZE_MAX);
  return frame[5];
}

TRI_DETAIL_NOINLINE void jump_from(Mutator& mu, int depth,
                                   std::jmp_buf** target) {
  std::jmp_buf here;
  *target = &here;
  if (setjmp(here) == 0) run_out_at(mu, depth);
}

/// A handler that has jumped away, with no Scope to reset, is not under way,
/// wherever on the stack the next one is called from.
TEST_P(sched_out_of_memory, a_longjmp_without_scopes_from_any_depth) {
  static std::jmp_buf* target = nullptr;
  static int calls;
  calls = 0;
  Options o = limited(GetParam());
  o.on_out_of_memory = [](Runtime&, size_t, void*) {
    ++calls;
    longjmp(*target, 1);
  };
  RuntimePtr rt = make_runtime(o);
  register_cell(*rt);
  int done = 0;
  rt->run([&](Mutator& mu) {
    for (int depth : {0, 0, 1, 2, 3, 30, 31, 33, 70, 5, 9, 0, 100}) {
      jump_from(mu, depth, &target);
      ++done;
    }
  });
  EXPECT_EQ(calls, done);
}

INSTANTIATE_TEST_SUITE_P(procs, sched_out_of_memory, ::testing::Values(1u, 2u),
                         [](const auto& info) {
                           return std::to_string(info.param) + "_ps";
                         });

}  // namespace
}  // namespace tricolor::testing
