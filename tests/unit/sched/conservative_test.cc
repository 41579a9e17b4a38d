// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Options::conservative_stacks: a cell that only one register holds, or one
// word of a frame, survives wherever its task or thread may be when another
// collects: running, parked, asleep, in native code, inside a coroutine, in
// another runtime. The collector's second mark and clobbering are on.
#include <atomic>
#include <thread>
#include <vector>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"
#include "tests/unit/sched/held_x86_64.h"

namespace tricolor::testing {
namespace {

Options conservative(uint32_t procs) {
  Options o = options(procs);
  o.conservative_stacks = true;
  o.debug = "gccheckmark=1,clobberfree=1";
  return o;
}

class sched_conservative : public ::testing::TestWithParam<uint32_t> {
 protected:
  RuntimePtr rt_ = make_runtime(conservative(GetParam()));
  Type<Link> type_ = link_type(*rt_);
};
INSTANTIATE_TEST_SUITE_P(procs, sched_conservative, ::testing::Values(1, 2, 8));

constexpr uint64_t kValue = 0x1234'5678;

// A new cell that nothing refers to but *weak and the caller, who gets the
// complement of its address.
__attribute__((noinline)) uint64_t make_hidden(Mutator& mu,
                                               const Type<Link>& type,
                                               Local<Weak<Link>>* weak) {
  Link* link = make(mu, type);
  link->value = kValue;
  *weak = Weak<Link>::make(mu, link);
  return ~reinterpret_cast<uint64_t>(link);
}

__attribute__((noinline)) bool alive(Mutator& mu, Weak<Link>* weak) {
  Link* link = weak->get(mu);
  return link != nullptr && link->value == kValue;
}

// Collections that see everything anew, and cells that would take the place of
// a lost one.
void churn(Mutator& mu, const Type<Link>& type) {
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 100; i++) make(mu, type)->value = 1;
    collect(mu);
  }
}

// For each register: holds a new cell in it, calls during(), and asks whether
// the cell is alive.
template <class F>
void check_registers(Mutator& mu, const Type<Link>& type, F during) {
  for (size_t i = 0; i < std::size(kHeldIn); i++) {
    Scope<1> scope(mu);
    Local<Weak<Link>> weak(scope);
    const uint64_t hidden = make_hidden(mu, type, &weak);
    wipe_stack();
    struct Call {
      F* during;
      Mutator* mu;
      Weak<Link>* weak;
      bool alive;
    } call{&during, &mu, weak.get(), false};
    kHeldIn[i](
        hidden,
        [](void* arg) {
          auto* c = static_cast<Call*>(arg);
          (*c->during)();
          c->alive = testing::alive(*c->mu, c->weak);
        },
        &call);
    EXPECT_TRUE(call.alive) << "held in " << kHeldNames[i];
  }
}

// Another task collects while the caller is somewhere: begin() lets it go,
// done() says that it is through.
struct Helper {
  Type<Link> type;
  std::atomic<int> wanted{0};
  std::atomic<int> done{0};
  std::atomic<bool> stop{false};
};

void help(Mutator& mu, Helper* h) {
  while (!h->stop) {
    if (h->wanted.load() == h->done.load()) {
      poll(mu);
      yield(mu);
      continue;
    }
    churn(mu, h->type);
    h->done++;
  }
}

struct HelperTask {
  HelperTask(Mutator& m, const Type<Link>& type) : mu(m) {
    helper.type = type;
    task = spawn(
        mu,
        +[](Mutator& own, uint64_t h) {
          help(own, reinterpret_cast<Helper*>(h));
        },
        reinterpret_cast<uint64_t>(&helper));
  }
  ~HelperTask() {
    helper.stop = true;
    join(mu, task);
  }
  /// Asks for a churn; it is over when done() is true.
  void ask() { helper.wanted++; }
  bool done() const { return helper.done.load() == helper.wanted.load(); }

  Mutator& mu;
  Helper helper;
  Task<void> task;
};

TEST_P(sched_conservative, a_register_of_who_collects) {
  rt_->run([&](Mutator& mu) {
    check_registers(mu, type_, [&] { churn(mu, type_); });
  });
}

TEST_P(sched_conservative, a_register_of_who_allocates) {
  RuntimePtr rt = [] {
    Options o = conservative(1);
    o.debug = "gccheckmark=1,clobberfree=1,gcstress=1,maxruncells=1";
    return make_runtime(o);
  }();
  const Type<Link> type = link_type(*rt);
  rt->run([&](Mutator& mu) {
    check_registers(mu, type, [&] {
      for (int i = 0; i < 500; i++) make(mu, type)->value = 1;
    });
  });
}

TEST_P(sched_conservative, a_register_of_a_task_that_waits) {
  rt_->run([&](Mutator& mu) {
    HelperTask helper(mu, type_);
    check_registers(mu, type_, [&] {
      helper.ask();
      while (!helper.done()) yield(mu);
    });
    check_registers(mu, type_, [&] {
      helper.ask();
      while (!helper.done()) sleep_ns(mu, 50'000);
    });
    check_registers(mu, type_, [&] {
      helper.ask();
      while (!helper.done()) poll(mu), yield(mu);
    });
  });
}

TEST_P(sched_conservative, a_register_of_a_task_in_native_code) {
  if (GetParam() == 1) return;  // nobody else would run
  rt_->run([&](Mutator& mu) {
    HelperTask helper(mu, type_);
    check_registers(mu, type_, [&] {
      call_native(mu, [&] {
        helper.ask();
        while (!helper.done()) std::this_thread::yield();
      });
    });
    // The register is its caller's, so this is safe in a scope, too.
    check_registers(mu, type_, [&] {
      NativeScope native(mu);
      helper.ask();
      while (!helper.done()) std::this_thread::yield();
    });
  });
}

TEST_P(sched_conservative, native_code_that_calls_back) {
  rt_->run([&](Mutator& mu) {
    AttachScope self(*rt_);
    check_registers(mu, type_, [&] {
      call_native(mu, [&] {
        {
          ManagedScope managed(self);
          check_registers(mu, type_, [&] { churn(mu, type_); });
        }
        wipe_stack();
        std::thread([&] {
          AttachScope attach(*rt_);
          ManagedScope managed(attach);
          churn(managed.mutator(), type_);
        }).join();
      });
    });
  });
}

TEST_P(sched_conservative, a_register_of_an_attached_thread) {
  AttachScope attach(*rt_);
  ManagedScope managed(attach);
  Mutator& mu = managed.mutator();
  check_registers(mu, type_, [&] { churn(mu, type_); });
  auto other_churns = [&] {
    std::thread([&] {
      AttachScope a(*rt_);
      ManagedScope m(a);
      churn(m.mutator(), type_);
    }).join();
  };
  check_registers(mu, type_, [&] { call_native(mu, other_churns); });
  check_registers(mu, type_, [&] {
    NativeScope native(mu);
    other_churns();
  });
  // Stopped in managed code, or answering ragged barriers.
  check_registers(mu, type_, [&] {
    std::atomic<bool> done{false};
    std::thread t([&] {
      other_churns();
      done = true;
    });
    while (!done) poll(mu);
    NativeScope native(mu);
    t.join();
  });
  // Asleep, and parked in a join.
  check_registers(mu, type_, [&] {
    std::thread t(other_churns);
    sleep_ns(mu, 2'000'000);
    NativeScope native(mu);
    t.join();
  });
  check_registers(mu, type_, [&] {
    Task<void> task = spawn(
        mu,
        +[](Mutator& own, uint64_t type) {
          churn(own, *reinterpret_cast<Type<Link>*>(type));
        },
        reinterpret_cast<uint64_t>(&type_));
    join(mu, task);
  });
}

TEST_P(sched_conservative, a_pointer_into_a_cell_is_enough) {
  rt_->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Weak<Link>> weak(scope);
    const uint64_t hidden = make_hidden(mu, type_, &weak);
    for (size_t at : {size_t{1}, sizeof(Link) - 1}) {
      char* inside = reinterpret_cast<char*>(~hidden) + at;
      wipe_stack();
      churn(mu, type_);
      __asm__ volatile("" : "+r"(inside));  // used until here
      EXPECT_TRUE(alive(mu, weak.get())) << at;
    }
  });
}

TEST_P(sched_conservative, most_of_what_is_dropped_is_collected) {
  rt_->run([&](Mutator& mu) {
    constexpr int kCells = 200;
    std::vector<Global<Weak<Link>>> weaks;
    for (int i = 0; i < kCells; i++) {
      Scope<1> scope(mu);
      Local<Weak<Link>> weak(scope);
      make_hidden(mu, type_, &weak);
      weaks.emplace_back(mu, weak.get());
    }
    wipe_stack();
    churn(mu, type_);
    int dead = 0;
    for (auto& weak : weaks) dead += weak.get()->get(mu) == nullptr;
    EXPECT_GE(dead, kCells * 9 / 10);
  });
}

// --- Coroutines.

struct Generator {
  Type<Link> type;
  bool collect_inside;
  bool ok = true;
};

void* generate(Mutator& mu, Coroutine*, void*, void* user) {
  auto* g = static_cast<Generator*>(user);
  check_registers(mu, g->type, [&] {
    if (g->collect_inside) churn(mu, g->type);
    Coroutine::yield(mu, nullptr);
  });
  return nullptr;
}

TEST_P(sched_conservative, both_sides_of_a_coroutine) {
  rt_->run([&](Mutator& mu) {
    for (bool inside : {false, true}) {
      Generator generator{type_, inside};
      Scope<1> scope(mu);
      Local<Coroutine> co(scope);
      co = Coroutine::create(mu, generate, nullptr, &generator);
      // Two registers at a time: one in the coroutine, one here.
      check_registers(mu, type_, [&] {
        Coroutine::resume(mu, co, nullptr);
        if (!inside) churn(mu, type_);
      });
      Coroutine::resume(mu, co, nullptr);
      EXPECT_EQ(co->status(mu), CoroutineStatus::kDead);
    }
  });
}

struct Sleeper {
  Type<Link> type;
  bool intact = false;
};

void* sleep_on_a_cell(Mutator& mu, Coroutine*, void*, void* user) {
  auto* s = static_cast<Sleeper*>(user);
  Link* volatile held = make(mu, s->type);  // nothing else refers to it
  held->value = kValue;
  Coroutine::yield(mu, nullptr);
  s->intact = held->value == kValue;
  return nullptr;
}

void begin_sleeper(Mutator& mu, tricolor::Plain<Sleeper> sleeper) {
  Scope<1> scope(mu);
  Local<Coroutine> co(scope);
  co = Coroutine::create(mu, sleep_on_a_cell, nullptr, sleeper.p);
  Coroutine::resume(mu, co, nullptr);
  add_finalizer(mu, co.get(), [](Mutator& m, void* object, void*) {
    churn(m, link_type(runtime_of(m)));
    Coroutine::resume(m, static_cast<Coroutine*>(object), nullptr);
  });
}

// What is resurrected keeps what its stack refers to.
TEST_P(sched_conservative, a_coroutine_that_a_finalizer_resumes) {
  rt_->run([&](Mutator& mu) {
    Sleeper sleeper{type_};
    // In a task, whose stack nobody scans when it has ended.
    auto begun = spawn(mu, &begin_sleeper, plain(&sleeper));
    join(mu, begun);
    for (int i = 0; i < 20 && finalizers_queued(*rt_) == 0; i++) {
      wipe_stack();
      collect(mu);
    }
    // The frames of an ASan build are large, and some keep the coroutine alive.
    if (TRI_ASAN && finalizers_queued(*rt_) == 0) return;
    ASSERT_EQ(run_finalizers(mu), 1u);
    EXPECT_TRUE(sleeper.intact);
  });
}

// --- From one stack to another.

struct Result {
  char* inside;
  uint64_t value;
};

struct Plain {
  char* inside;  // an address that is no cell's: a plain argument
  Type<Link> type;
  std::atomic<bool>* ended;
};

Result look_inside(Mutator& mu, Plain plain) {
  churn(mu, plain.type);
  const uint64_t value = reinterpret_cast<Link*>(plain.inside - 1)->value;
  *plain.ended = true;
  return {plain.inside, value};
}

// Leaves no copy of its own in a frame that lives.
__attribute__((noinline)) Task<Result> start_looking(Mutator& mu,
                                                     uint64_t hidden,
                                                     const Type<Link>& type,
                                                     std::atomic<bool>* ended) {
  return spawn(mu, look_inside,
               Plain{reinterpret_cast<char*>(~hidden) + 1, type, ended});
}

TEST_P(sched_conservative, plain_arguments_and_results) {
  rt_->run([&](Mutator& mu) {
    for (int round = 0; round < 20; round++) {
      Scope<1> scope(mu);
      Local<Weak<Link>> given(scope);
      std::atomic<bool> ended{false};
      const uint64_t hidden = make_hidden(mu, type_, &given);
      Task<Result> task = start_looking(mu, hidden, type_, &ended);
      wipe_stack();
      // With one P the task has not begun, and then it has ended.
      churn(mu, type_);
      EXPECT_TRUE(alive(mu, given.get()));
      while (!ended) yield(mu);
      yield(mu);
      churn(mu, type_);
      EXPECT_TRUE(alive(mu, given.get()));
      const Result result = join(mu, task);
      EXPECT_EQ(result.value, kValue);
      EXPECT_EQ(reinterpret_cast<uint64_t>(result.inside) - 1, ~hidden);
      churn(mu, type_);
      EXPECT_TRUE(alive(mu, given.get()));
      EXPECT_EQ(reinterpret_cast<uint64_t>(result.inside) - 1, ~hidden);
    }
  });
}

TEST_P(sched_conservative, variables_of_who_calls_run) {
  Link* outside = nullptr;
  rt_->run([&](Mutator& mu) {
    outside = make(mu, type_);
    outside->value = kValue;
    wipe_stack();
    churn(mu, type_);
    EXPECT_EQ(outside->value, kValue);
    Task<void> task = spawn(
        mu,
        +[](Mutator& own, uint64_t type) {
          churn(own, *reinterpret_cast<Type<Link>*>(type));
        },
        reinterpret_cast<uint64_t>(&type_));
    join(mu, task);
    EXPECT_EQ(outside->value, kValue);
  });
}

TEST_P(sched_conservative, a_task_inside_another_runtime) {
  RuntimePtr inner = make_runtime(conservative(1));
  const Type<Link> inner_type = link_type(*inner);
  auto churn_here = [&] {
    std::thread([&] {
      AttachScope a(*rt_);
      ManagedScope m(a);
      churn(m.mutator(), type_);
    }).join();
  };
  rt_->run([&](Mutator& mu) {
    check_registers(mu, type_, [&] {
      inner->run([&](Mutator& other) {
        churn_here();
        check_registers(other, inner_type, [&] { churn(other, inner_type); });
      });
    });
    check_registers(mu, type_, [&] {
      AttachScope a(*inner);
      churn_here();
      ManagedScope m(a);
      check_registers(m.mutator(), inner_type,
                      [&] { churn(m.mutator(), inner_type); });
    });
  });
}

// --- All at once.

// A list of `n` cells in plain pointers, built and checked.
bool raw_list(Mutator& mu, const Type<Link>& type, uint64_t n) {
  Link* head = nullptr;
  for (uint64_t i = 1; i <= n; i++) {
    Link* link = make(mu, type);
    link->value = i;
    link->next.init(mu, head);
    head = link;
    if (i % 16 == 0) yield(mu);
  }
  return check_list(head, n);
}

TEST_P(sched_conservative, lists_in_plain_pointers_survive_zeal) {
  Options o = conservative(GetParam());
  o.debug = "gccheckmark=1,clobberfree=1,gcstress=1,maxruncells=2";
  RuntimePtr rt = make_runtime(o);
  const Type<Link> type = link_type(*rt);
  std::atomic<int> good{0};
  struct Shared {
    Type<Link> type;
    std::atomic<int>* good;
  } shared{type, &good};
  constexpr int kTasks = 6;
  const uint64_t n = static_cast<uint64_t>(stress_scale(150, 2000));
  std::thread thread([&] {
    AttachScope a(*rt);
    ManagedScope m(a);
    good += raw_list(m.mutator(), type, n);
  });
  rt->run([&](Mutator& mu) {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < kTasks; i++) {
      tasks.push_back(spawn(
          mu,
          +[](Mutator& own, uint64_t arg, uint64_t count) {
            auto* s = reinterpret_cast<Shared*>(arg);
            *s->good += raw_list(own, s->type, count);
          },
          reinterpret_cast<uint64_t>(&shared), n));
    }
    for (auto& task : tasks) join(mu, task);
  });
  thread.join();
  EXPECT_EQ(good, kTasks + 1);
}

TEST(sched_conservative_option, comes_from_the_debug_string_too) {
  Options o = options(1);
  o.debug = "conservativestacks=1";
  RuntimePtr rt = make_runtime(o);
  EXPECT_TRUE(impl_of(*rt)->settings.options.conservative_stacks);
  EXPECT_FALSE(
      impl_of(*make_runtime(options(1)))->settings.options.conservative_stacks);
}

}  // namespace
}  // namespace tricolor::testing
