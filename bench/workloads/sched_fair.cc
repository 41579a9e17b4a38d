// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The modes of the workload sched that set what a task gets against what it
// gets alone: scale (A tasks of B pieces of work on one P and on all), hog (one
// beside two tasks that yield to each other, for A ms), ready (A tasks that
// yield to each other for B ms: the least of them against all), gc (a task that
// computes beside one that allocates, for A ms, B collections at least). A
// share is what a task did, over what it did alone in the same time, over an
// equal share per runnable task.
#include "sched_modes.h"

namespace {

using tricolor::Field;
using tricolor::Local;
using tricolor::Mutator;
using tricolor::Plain;
using tricolor::Scope;
using tricolor::Task;
using tricolor::Type;

uint64_t work(Mutator& mu, uint64_t seed, uint64_t pieces) {
  uint64_t x = seed;
  for (uint64_t i = 0; i < pieces; ++i) {
    x = bench::compute(x);
    tricolor::poll(mu);
  }
  return x;
}

/// Wall time of the tasks on so many Ps.
uint64_t time_work(uint32_t procs, const bench::SchedArguments& args,
                   uint64_t* sum) {
  uint64_t ns = 0;
  *sum = 0;
  bench::in_runtime(procs, [&](Mutator& mu) {
    std::vector<Task<uint64_t>> tasks(args.a);
    const uint64_t begin = bench::now_ns();
    for (uint64_t i = 0; i < args.a; ++i) {
      tasks[i] = tricolor::spawn(mu, &work, i + 1, args.b);
    }
    for (auto& task : tasks) *sum += tricolor::join(mu, task);
    ns = bench::now_ns() - begin;
  });
  return ns;
}

uint64_t yield_until(Mutator& mu, uint64_t end_ns) {
  uint64_t yields = 0;
  do {
    tricolor::yield(mu);
    ++yields;
  } while (bench::now_ns() < end_ns);
  return yields;
}

/// What a hog and a pair did in so much time, whichever of them there is.
struct Done {
  double hog = 0;
  double pair = 0;
};

Done hog_and_pair(Mutator& mu, uint64_t ms, bool hog, bool pair) {
  Task<uint64_t> tasks[3];
  const uint64_t end_ns = bench::now_ns() + ms * 1'000'000;
  if (hog) tasks[0] = tricolor::spawn(mu, &bench::hog_until, end_ns);
  for (int i = 1; i < 3 && pair; ++i) {
    tasks[i] = tricolor::spawn(mu, &yield_until, end_ns);
  }
  Done done;
  if (hog) done.hog = static_cast<double>(tricolor::join(mu, tasks[0]));
  for (int i = 1; i < 3 && pair; ++i) {
    done.pair += static_cast<double>(tricolor::join(mu, tasks[i]));
  }
  return done;
}

struct Cell {
  Field<Cell> next;
  uint64_t words[3];
};

constexpr size_t kLists = size_t{1} << 16;
constexpr int kListCells = 8;

struct Garden {
  const Type<Cell>* type;
  uint64_t end_ns;
};

/// Puts new lists in the place of old ones at random. Returns how many.
uint64_t churn(Mutator& mu, Plain<const Garden> garden, Field<Cell>* lists) {
  bench::Random random(1);
  uint64_t made = 0;
  Scope<1> scope(mu);
  Local<Cell> first(scope);
  for (; bench::now_ns() < garden.p->end_ns; ++made) {
    first = nullptr;
    for (int i = 0; i < kListCells; ++i) {
      Cell* cell = make(mu, *garden.p->type);
      cell->next.init(mu, first);
      first = cell;
    }
    lists[random.next() % kLists].store(mu, first);
  }
  return made;
}

/// What the computing task does in so much time, alone or beside churn.
double compute_beside(Mutator& mu, uint64_t ms, const Type<Cell>& type,
                      Field<Cell>* lists, bool beside) {
  const Garden garden{&type, bench::now_ns() + ms * 1'000'000};
  Task<uint64_t> other;
  auto task = tricolor::spawn(mu, &bench::hog_until, garden.end_ns);
  if (beside) {
    other = tricolor::spawn(mu, &churn, tricolor::plain(&garden), lists);
  }
  const auto units = static_cast<double>(tricolor::join(mu, task));
  if (beside) tricolor::join(mu, other);
  return units;
}

}  // namespace

namespace bench {

void run_scale(const SchedArguments& args) {
  uint64_t one_sum;
  uint64_t all_sum;
  const uint64_t one_ns = time_work(1, args, &one_sum);
  const uint64_t all_ns = time_work(args.procs, args, &all_sum);
  if (one_sum != all_sum) std::abort();
  print_checksum("scale", args, all_sum);
  print_metric("scale", per_operation(one_ns, all_ns));
}

void run_hog(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    const Done hog = hog_and_pair(mu, args.a, true, false);
    const Done pair = hog_and_pair(mu, args.a, false, true);
    const Done both = hog_and_pair(mu, args.a, true, true);
    print_checksum("hog", args, 0);
    print_metric("hog_share", both.hog / hog.hog * 3);
    print_metric("pair_share", both.pair / pair.pair * 3 / 2);
  });
}

void run_ready(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    std::vector<Task<uint64_t>> tasks(args.a);
    uint64_t least = ~uint64_t{0};
    uint64_t sum = 0;
    const uint64_t end_ns = now_ns() + args.b * 1'000'000;
    for (auto& task : tasks) task = tricolor::spawn(mu, &yield_until, end_ns);
    for (auto& task : tasks) {
      const uint64_t yields = tricolor::join(mu, task);
      least = std::min(least, yields);
      sum += yields;
    }
    print_checksum("ready", args, 0);
    print_metric("ready_share", static_cast<double>(least) /
                                    static_cast<double>(sum) *
                                    static_cast<double>(args.a));
  });
}

void run_gc(const SchedArguments& args) {
  Stops stops(1 << 16);
  tricolor::Options options;
  options.max_procs = args.procs;
  options.on_gc_event = &Stops::listen;
  options.on_gc_event_ctx = &stops;
  tricolor::RuntimePtr rt = create(options);
  const auto cell = register_cell(*rt, "Cell", sizeof(Cell), 1);
  const auto table = register_array(*rt, "lists", true);
  double share = 0;
  uint64_t cycles = 0;
  rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    const Type<Cell> type(cell);
    Local<Field<Cell>> lists(
        scope, tricolor::make_array<Field<Cell>>(mu, table, kLists));
    compute_beside(mu, args.a, type, lists, true);  // fills the table
    const double alone = compute_beside(mu, args.a, type, lists, false);
    const uint64_t before = stops.marks();
    const double beside = compute_beside(mu, args.a, type, lists, true);
    cycles = stops.marks() - before;
    share = beside / alone * (args.procs == 1 ? 2 : 1);
  });
  if (cycles < args.b) {
    std::fprintf(stderr, "%llu collections are too few\n",
                 static_cast<unsigned long long>(cycles));
    std::exit(1);
  }
  print_checksum("gc", args, 0);
  print_metric("compute_share", share);
}

}  // namespace bench
