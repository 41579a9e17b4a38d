// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// An embedder's mistakes end the process with words that name the call.
#include <stdexcept>
#include <string>

#include "tests/unit/sched/fixture.h"
#include "tricolor/gc_metrics.h"
#include "tricolor/semaphore.h"
#include "tricolor/timer.h"

namespace tricolor::testing {
namespace {

template <class F>
void run_it(F f) {
  RuntimePtr rt = make_runtime(options(1, 0));
  rt->run(f);
}

TEST(sched_misuse_death, joining) {
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 auto t = spawn(mu, [](Mutator&) {});
                 const detail::TaskRef ref = t.release();
                 detail::join(mu, ref, nullptr, 0);
                 detail::join(mu, ref, nullptr, 0);
               }),
               "join: .*joined or detached before");
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 Task<int> t;
                 join(mu, t);
               }),
               "join: .*empty");
}

TEST(sched_misuse_death, roots_of_pairs) {
  static EncodingId pairs;
  const auto with_pairs = [](auto f) {
    RuntimePtr rt = make_runtime(options(1, 0));
    Encoding e;
    e.kind = EncodingKind::kTagSet;
    e.stride = 16;
    e.tag_set[0] = 2;
    pairs = rt->register_encoding(e);
    rt->run(f);
  };
  EXPECT_DEATH(
      with_pairs([](Mutator& mu) { mount_value_stack(mu, 4096, pairs); }),
      "mount_value_stack: .*16 bytes");
  EXPECT_DEATH(with_pairs([](Mutator& mu) {
                 RootTable<Link> table(runtime_of(mu), 4, pairs);
               }),
               "RootTable: .*16 bytes");
}

template <class F>
void run_without_safepoint(F f) {
  run_it([f](Mutator& mu) {
    const Type<Link> type = link_type(runtime_of(mu));
    Scope<1> scope(mu);
    Local<Link> link(scope, make(mu, type));
    const NoSafepointScope outer(mu);
    f(mu, type, link.get());
  });
}

TEST(sched_misuse_death, safepoints_where_there_are_to_be_none) {
  const auto make_one = [](Mutator& mu, const Type<Link>& type, Link*) {
    make(mu, type);  // it would have found room
  };
  EXPECT_DEATH(run_without_safepoint(make_one),
               "allocate: called in a NoSafepointScope");
  EXPECT_DEATH(run_without_safepoint(
                   [](Mutator& mu, const Type<Link>&, Link*) { poll(mu); }),
               "poll: called in a NoSafepointScope");
  EXPECT_DEATH(run_without_safepoint(
                   [](Mutator& mu, const Type<Link>&, Link*) { collect(mu); }),
               "collect: called in a NoSafepointScope");
  EXPECT_DEATH(run_without_safepoint([](Mutator& mu, const Type<Link>&, Link*) {
                 { const NoSafepointScope inner(mu); }
                 sleep_ns(mu, 1);  // still in the outer one
               }),
               "called in a NoSafepointScope");
  EXPECT_DEATH(run_without_safepoint([](Mutator& mu, const Type<Link>&, Link*) {
                 const NativeScope native(mu);
               }),
               "NativeScope: called in a NoSafepointScope");
}

// And after it all is as before; also when a stop has waited for its end.
TEST(sched_misuse, no_safepoint_scopes_end) {
  RuntimePtr rt = make_runtime(options(2));
  const Type<Link> type = link_type(*rt);
  rt->run([&](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Link> head(scope, make(mu, type));
    for (uint64_t i = 1; i <= 1000; i++) {
      Local<Link>& h = head;
      Link* fresh = make(mu, type);
      request_collect(runtime_of(mu));
      {
        const NoSafepointScope quiet(mu);
        fresh->next.store(mu, h.get());
        fresh->value = h->value + 1;
        head = fresh;
      }
      poll(mu);
    }
    collect(mu);
    uint64_t n = 0;
    for (const Link* l = head.get(); l != nullptr; l = l->next.load()) n++;
    EXPECT_EQ(n, 1001u);
  });
}

// Trace functions, on_dead, listeners and root callbacks run inside the
// runtime; whatever of it they call that is not for them ends the process at
// once, also what is inline, and by whatever way they have come by a Mutator.
struct Inside {
  void (*call)(Mutator& mu) = nullptr;
  Type<Link> type;
  LayoutId traced = kInvalidLayout;

  void now() {
    Mutator* mu = current();
    if (mu != nullptr && call != nullptr) call(*mu);
  }
};
Inside g_inside;

void forbidden_make(Mutator& mu) { make(mu, g_inside.type); }
void forbidden_poll(Mutator& mu) { poll(mu); }
void forbidden_yield(Mutator& mu) { yield(mu); }
void forbidden_spawn(Mutator& mu) {
  spawn(
      mu, +[](Mutator&) {})
      .detach();
}
void forbidden_native(Mutator& mu) { const NativeScope native(mu); }
void forbidden_collect(Mutator& mu) { collect(mu); }
void forbidden_acquire(Mutator& mu) {
  Semaphore none(0);
  none.acquire(mu);
}

/// One cycle with a cell whose trace function calls `call`; by `way`.
enum class Way { kCollect, kStep, kRootCallback, kListener, kOnDead };
void run_inside(Way way, void (*call)(Mutator& mu)) {
  Options o = options(1, 0);
  if (way == Way::kListener) {
    o.on_gc_event = [](Runtime&, const GcEvent&, void*) { g_inside.now(); };
  }
  RuntimePtr rt = make_runtime(o);
  rt->run([&](Mutator& mu) {
    Runtime& runtime = runtime_of(mu);
    g_inside.type = link_type(runtime);
    LayoutSpec spec;
    spec.name = "inside";
    spec.head_bytes = 16;
    if (way == Way::kOnDead) {
      spec.on_dead = [](void*, size_t, void*) { g_inside.now(); };
    } else {
      spec.trace = [](Tracer&, void*, size_t, void*) { g_inside.now(); };
    }
    g_inside.call = nullptr;
    const LayoutId layout = runtime.register_layout(spec, nullptr);
    Scope<3> scope(mu);
    Local<void> cell(scope, allocate(mu, layout, 16));
    // Room for the one below, without a refill.
    Local<Link> link(scope, make(mu, g_inside.type));
    if (way == Way::kOnDead) cell = nullptr;
    if (way == Way::kRootCallback) {
      add_root_callback(
          runtime, [](Tracer&, void*) { g_inside.now(); }, nullptr);
      cell = nullptr;
    }
    if (way == Way::kListener) cell = nullptr;
    g_inside.call = call;
    if (way == Way::kStep) {
      request_collect(mu);
      while (step(mu, 1000)) {
      }
    } else {
      collect(mu);
    }
    g_inside.call = nullptr;
  });
}

class sched_misuse_inside_death : public ::testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(ways, sched_misuse_inside_death,
                         ::testing::Values(Way::kCollect, Way::kStep,
                                           Way::kRootCallback, Way::kListener,
                                           Way::kOnDead));

TEST_P(sched_misuse_inside_death, what_callbacks_may_not_call) {
  const char* const name[] = {"a trace function", "a trace function",
                              "a root callback", "a GC listener", "on_dead"};
  const std::string from =
      std::string("called from ") + name[static_cast<int>(GetParam())];
  for (auto call :
       {forbidden_make, forbidden_poll, forbidden_yield, forbidden_spawn,
        forbidden_native, forbidden_collect, forbidden_acquire}) {
    EXPECT_DEATH(run_inside(GetParam(), call), from);
  }
}

// on_dead also runs in the middle of a refill, in which the slots of all other
// sizes have room.
TEST(sched_misuse_death, on_dead_in_a_refill) {
  const auto refill = [] {
    RuntimePtr rt = make_runtime(options(1, 0));
    rt->run([&](Mutator& mu) {
      Runtime& runtime = runtime_of(mu);
      g_inside.type = link_type(runtime);
      LayoutSpec spec;
      spec.name = "dies";
      spec.head_bytes = 64;
      spec.on_dead = [](void*, size_t, void*) { g_inside.now(); };
      const LayoutId layout = runtime.register_layout(spec, nullptr);
      g_inside.call = nullptr;
      for (int i = 0; i < 10'000; i++) allocate(mu, layout, 64);
      request_collect(mu);
      GcMetrics m{};
      for (int i = 0; i < 100'000; i++) {
        step(mu, 1);
        read_gc_metrics(runtime, &m);
        if (m.gc_phase == static_cast<uint32_t>(GcPhase::kSweep)) break;
      }
      make(mu, g_inside.type);
      g_inside.call = forbidden_make;
      for (int i = 0; i < 10'000; i++) allocate(mu, layout, 64);
    });
  };
  EXPECT_DEATH(refill(), "allocate: called from on_dead");
}

// A Timer's function runs on a thread of the runtime, which holds a P.
TEST(sched_misuse_death, a_timer_that_attaches) {
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 Runtime* rt = &runtime_of(mu);
                 Timer timer(
                     *rt,
                     [](void* arg) {
                       const AttachScope attach(*static_cast<Runtime*>(arg));
                     },
                     rt);
                 timer.start(Deadline::now());
                 sleep_ns(mu, 50'000'000);
               }),
               "Timer's function");
}

TEST(sched_misuse_death, the_system_stack_ends_no_scope) {
  EXPECT_DEATH(
      run_without_safepoint([](Mutator& mu, const Type<Link>& type, Link*) {
        on_system_stack(mu, [] {});
        make(mu, type);
      }),
      "allocate: called in a NoSafepointScope");
}

TEST(sched_misuse_death, a_root_callback_that_removes_itself) {
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 struct Self {
                   static void report(Tracer&, void* rt) {
                     remove_root_callback(*static_cast<Runtime*>(rt), &report,
                                          rt);
                   }
                 };
                 Runtime& rt = runtime_of(mu);
                 add_root_callback(rt, &Self::report, &rt);
                 collect(mu);
               }),
               "remove_root_callback: called from a root callback");
}

TEST(sched_misuse_death, native_code) {
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 NativeScope native(mu);
                 spawn(mu, [](Mutator&) {}).detach();
               }),
               "spawn: .*native code");
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 NativeScope native(mu);
                 yield(mu);
               }),
               "native code");
}

TEST(sched_misuse_death, heap_from_native_code) {
  static Type<Link> type;
  const auto with_cell = [](auto f) {
    RuntimePtr rt = make_runtime(options(1, 0));
    type = link_type(*rt);
    rt->run([f](Mutator& mu) {
      Scope<1> scope(mu);
      Local<Link> cell(scope, make(mu, type));
      NativeScope native(mu);
      f(mu, cell.get());
    });
  };
  EXPECT_DEATH(with_cell([](Mutator& mu, Link*) { make(mu, type); }),
               "allocate: .*native code");
  EXPECT_DEATH(
      with_cell([](Mutator& mu, Link* cell) { cell->next.store(mu, cell); }),
      "store of a managed pointer: .*native code");
  EXPECT_DEATH(
      with_cell([](Mutator& mu, Link* cell) { Weak<Link>::make(mu, cell); }),
      "Weak::make: .*native code");
}

TEST(sched_misuse_death, heap_from_a_thread_that_has_just_attached) {
  static Type<Link> type;
  EXPECT_DEATH(
      {
        RuntimePtr rt = make_runtime(options(1, 0));
        type = link_type(*rt);
        AttachScope attach(*rt);
        make(attach.mutator(), type);
      },
      "allocate: .*native code");
}

void* yields_once(Mutator& mu, Coroutine*, void*, void*) {
  return Coroutine::yield(mu, nullptr);
}

TEST(sched_misuse_death, coroutines) {
  EXPECT_DEATH(run_it([](Mutator& mu) { Coroutine::yield(mu, nullptr); }),
               "Coroutine::yield: .*outside a coroutine");
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 Scope<1> scope(mu);
                 Local<Coroutine> co(
                     scope,
                     Coroutine::create(mu, yields_once, nullptr, nullptr));
                 for (int i = 0; i < 3; i++) {
                   Coroutine::resume(mu, co, nullptr);
                 }
               }),
               "Coroutine::resume: .*not suspended but dead");
  EXPECT_DEATH(
      run_it([](Mutator& mu) { Coroutine::resume(mu, nullptr, nullptr); }),
      "Coroutine::resume: .*null");
}

void* resumes_itself(Mutator& mu, Coroutine* self, void*, void*) {
  return Coroutine::resume(mu, self, nullptr);
}
void* yields_in_native_code(Mutator& mu, Coroutine*, void*, void*) {
  NativeScope native(mu);
  return Coroutine::yield(mu, nullptr);
}
void* uses_the_wrong_mutator(Mutator&, Coroutine*, void*, void* resumer) {
  return Coroutine::yield(*static_cast<Mutator*>(resumer), nullptr);
}
void* resumes_by_the_wrong_mutator(Mutator& mu, Coroutine*, void*,
                                   void* resumer) {
  Scope<1> scope(mu);
  Local<Coroutine> other(scope,
                         Coroutine::create(mu, yields_once, nullptr, nullptr));
  return Coroutine::resume(*static_cast<Mutator*>(resumer), other, nullptr);
}
void* allocates_by_the_wrong_mutator(Mutator&, Coroutine*, void*,
                                     void* resumer) {
  return make(*static_cast<Mutator*>(resumer), g_inside.type);
}
void* leaves_in_native_code(Mutator& mu, Coroutine*, void*, void*) {
  tri_enter_native(&mu);
  return nullptr;
}

TEST(sched_misuse_death, bodies_of_coroutines) {
  const auto with_body = [](CoroutineFn body) {
    run_it([body](Mutator& mu) {
      Scope<1> scope(mu);
      Local<Coroutine> co(scope, Coroutine::create(mu, body, nullptr, &mu));
      Coroutine::resume(mu, co, nullptr);
    });
  };
  EXPECT_DEATH(with_body(resumes_itself),
               "Coroutine::resume: .*not suspended but running");
  EXPECT_DEATH(with_body(yields_in_native_code),
               "Coroutine::yield: .*native code");
  EXPECT_DEATH(with_body(uses_the_wrong_mutator),
               "Coroutine::yield: .*has resumed a coroutine");
  EXPECT_DEATH(with_body(resumes_by_the_wrong_mutator),
               "Coroutine::resume: .*has resumed a coroutine");
  EXPECT_DEATH(with_body(allocates_by_the_wrong_mutator),
               "allocate: .*not of the task or coroutine that runs");
  EXPECT_DEATH(with_body(leaves_in_native_code),
               "Coroutine::create: .*inside a NativeScope");
}

void* exits(Mutator& mu, Coroutine*, void*, void*) { goexit(mu); }
void* exits_for_another(Mutator&, Coroutine*, void*, void* resumer) {
  goexit(*static_cast<Mutator*>(resumer));
}

TEST(sched_misuse_death, exits) {
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 NativeScope native(mu);
                 goexit(mu);
               }),
               "goexit: .*native code");
  for (CoroutineFn body : {&exits, &exits_for_another}) {
    EXPECT_DEATH(run_it([body](Mutator& mu) {
                   Scope<1> scope(mu);
                   Local<Coroutine> co(
                       scope, Coroutine::create(mu, body, nullptr, &mu));
                   Coroutine::resume(mu, co, nullptr);
                 }),
                 "goexit: .*coroutine");
  }
  EXPECT_DEATH(
      {
        RuntimePtr rt = make_runtime(options(1, 0));
        AttachScope attach(*rt);
        ManagedScope managed(attach);
        exit_with_error(managed.mutator(), 1);
      },
      "exit_with_error: .*attached thread");
}

TEST(sched_misuse_death, failures_that_nobody_takes) {
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 spawn(mu, {.name = "the reader"}, [](Mutator&) {
                   throw std::runtime_error("no such file");
                 }).detach();
                 yield(mu);
               }),
               "task [0-9]+ the reader has failed.*no such file");
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 auto t =
                     spawn(mu, [](Mutator& mu) { exit_with_error(mu, 17); });
                 yield(mu);
               }),
               "has failed, nobody joins it.*error 17");
}

TEST(sched_misuse_death, an_exception_out_of_native_code) {
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 auto t = spawn(mu, [](Mutator& mu) {
                   tri_enter_native(&mu);
                   throw 1;
                 });
                 join(mu, t);
               }),
               "call_native: .*exception");
}

TEST(sched_misuse_death, running_and_destroying_from_inside) {
  EXPECT_DEATH(run_it([](Mutator& mu) { runtime_of(mu).run([](Mutator&) {}); }),
               "Runtime::run: ");
  EXPECT_DEATH(
      {
        RuntimePtr rt = make_runtime(options(1, 0));
        AttachScope attach(*rt);
        rt.reset();
      },
      "~Runtime: ");
}

TEST(sched_misuse_death, limits) {
  EXPECT_DEATH(
      {
        Options o = options(1, 0);
        o.max_tasks = 10;
        RuntimePtr rt = make_runtime(o);
        rt->run([](Mutator& mu) {
          for (int i = 0; i < 20; i++) {
            spawn(mu, [](Mutator& mu) { yield(mu); }).detach();
          }
        });
      },
      "spawn: .*max_tasks is 10");
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 Scope<1> scope(mu);
                 Local<Coroutine> a(scope);
                 Local<Coroutine> b(scope);
               }),
               "Local: .*Scope<1>");
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 mount_value_stack(mu, 100, kRawPointers);
                 mount_value_stack(mu, 100, kRawPointers);
               }),
               "mount_value_stack: .*already");
}

TEST(sched_misuse_death, the_dump_names_tasks) {
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 auto t = spawn(mu, [](Mutator& mu) { yield(mu); });
                 yield(mu);
                 Coroutine::yield(mu, nullptr);
               }),
               "P0: running.*(\n.*)*task [0-9]+ \\[runnable");
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 auto t = spawn(mu, {.name = "the reader"},
                                [](Mutator& mu) { yield(mu); });
                 yield(mu);
                 set_task_name(mu, "the main task");
                 Coroutine::yield(mu, nullptr);
               }),
               "main task [0-9]+ the main task(.*\n)*task [0-9]+ the reader "
               "\\[runnable");
}

}  // namespace
}  // namespace tricolor::testing
