// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Stops of the collector beside a large live graph, many parked tasks, and one
// task for each P that allocates without pause and looks at the clock at each
// cell. The peers' twins are in bench/peers/pauses; bench/README.md has the
// definition and the output. argv: BYTES PARKED CYCLES PERCENT | --smoke.
#include "measure.h"

namespace {

using tricolor::Field;
using tricolor::Local;
using tricolor::Mutator;
using tricolor::ParkedTask;
using tricolor::Plain;
using tricolor::Scope;

/// The begin of every cell, whatever its size.
struct Cell {
  Field<Cell> next;
  uint64_t number;
};

constexpr size_t kSizes[] = {16, 32, 48, 64, 96, 128, 192, 256};
constexpr size_t kSizeCount = std::size(kSizes);
constexpr size_t kListCells = 256;
constexpr size_t kListBytes = kListCells / kSizeCount * 832;

struct Program {
  tricolor::LayoutId cells[kSizeCount];
  size_t lists;
  bench::Stops* stops;
  uint64_t cycles;
};

/// A list of kListCells cells of all sizes in turn.
Cell* build(Mutator& mu, const Program& program, bench::Gap* gap) {
  Scope<1> scope(mu);
  Local<Cell> first(scope);
  for (size_t i = 0; i < kListCells; ++i) {
    const size_t size = i % kSizeCount;
    auto* cell = static_cast<Cell*>(
        tricolor::allocate(mu, program.cells[size], kSizes[size]));
    cell->next.init(mu, first);
    cell->number = i;
    first = cell;
    if (gap != nullptr) gap->look();
  }
  return first;
}

/// Puts new lists in the place of old ones until there were enough cycles.
/// Returns the largest gap in microseconds.
double churn(Mutator& mu, Plain<const Program> program, Field<Cell>* lists,
             uint64_t seed) {
  bench::Random random(seed);
  bench::Gap gap;
  while (program.p->stops->marks() < program.p->cycles) {
    const size_t at = random.next() % program.p->lists;
    lists[at].store(mu, build(mu, *program.p, &gap));
  }
  return gap.max_us();
}

struct Parked {
  ParkedTask task;
  std::atomic<size_t>* count;
};

/// Parks once, holding a cell that nobody else does.
uint64_t hold(Mutator& mu, Plain<Parked> parked, const Cell* cell) {
  tricolor::park(
      mu,
      [](ParkedTask task, void* ctx) {
        auto* self = static_cast<Parked*>(ctx);
        self->task = task;
        self->count->fetch_add(1, std::memory_order_release);
        return true;
      },
      parked.p);
  return cell->number;
}

/// The cells of all lists; ends the process if one is not what it was.
uint64_t count(Mutator& mu, Field<Cell>* lists, size_t n) {
  uint64_t cells = 0;
  for (size_t i = 0; i < n; ++i) {
    tricolor::poll(mu);
    uint64_t number = kListCells;
    for (Cell* c = lists[i].load(); c != nullptr; c = c->next.load()) {
      if (c->number != --number) std::abort();
      ++cells;
    }
  }
  return cells;
}

double churn_on_all(Mutator& mu, const Program& program, Field<Cell>* lists) {
  std::vector<tricolor::Task<double>> tasks;
  for (uint32_t i = 0; i < tricolor::runtime_of(mu).max_procs(); ++i) {
    tasks.push_back(tricolor::spawn(mu, &churn, tricolor::plain(&program),
                                    lists, uint64_t{i}));
  }
  double gap_us = 0;
  for (auto& task : tasks) gap_us = std::max(gap_us, tricolor::join(mu, task));
  return gap_us;
}

void run(size_t bytes, size_t parked, uint64_t cycles, int percent) {
  bench::Stops stops(4 * cycles + 64);
  stops.record(false);
  tricolor::Options options;
  options.on_gc_event = &bench::Stops::listen;
  options.on_gc_event_ctx = &stops;
  tricolor::RuntimePtr rt = bench::create(options);
  Program program{{}, bytes / kListBytes, &stops, cycles};
  for (size_t i = 0; i < kSizeCount; ++i) {
    program.cells[i] = bench::register_cell(*rt, "Cell", kSizes[i], 1);
  }
  const auto table = bench::register_array(*rt, "lists", true);
  double gap_us = 0;
  uint64_t cells = 0;
  rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Field<Cell>> lists(
        scope, tricolor::make_array<Field<Cell>>(mu, table, program.lists));
    for (size_t i = 0; i < program.lists; ++i) {
      lists[i].store(mu, build(mu, program, nullptr));
    }
    std::atomic<size_t> asleep{0};
    std::vector<Parked> held(parked, Parked{{}, &asleep});
    std::vector<tricolor::Task<uint64_t>> tasks;
    for (size_t i = 0; i < parked; ++i) {
      auto* cell = static_cast<Cell*>(
          tricolor::allocate(mu, program.cells[0], kSizes[0]));
      cell->number = i;
      tasks.push_back(
          tricolor::spawn(mu, &hold, tricolor::plain(&held[i]), cell));
    }
    while (asleep.load(std::memory_order_acquire) < parked) tricolor::yield(mu);
    rt->set_gc_percent(percent);
    tricolor::collect(mu);
    stops.record(true);
    gap_us = churn_on_all(mu, program, lists);
    stops.record(false);
    for (Parked& p : held) tricolor::ready(mu, p.task);
    for (size_t i = 0; i < parked; ++i) {
      if (tricolor::join(mu, tasks[i]) != i) std::abort();
    }
    cells = count(mu, lists, program.lists);
  });
  rt.reset();
  std::printf("checksum pauses %zu %zu: cells=%llu\n", bytes, parked,
              static_cast<unsigned long long>(cells));
  std::printf("metric stop_p99_us %.3f\n", stops.stop_us(0.99));
  std::printf("metric stop_max_us %.3f\n", stops.stop_us(1));
  std::printf("metric ttsp_p99_us %.3f\n", stops.ttsp_us(0.99));
  std::printf("metric gap_max_us %.3f\n", gap_us);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--smoke") == 0) {
    run(2 << 20, 100, 5, 100);
    return 0;
  }
  const size_t bytes = argc == 5 ? std::strtoull(argv[1], nullptr, 10) : 0;
  const size_t parked = argc == 5 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const uint64_t cycles = argc == 5 ? std::strtoull(argv[3], nullptr, 10) : 0;
  const int percent = argc == 5 ? std::atoi(argv[4]) : 0;
  if (bytes < kListBytes || parked == 0 || cycles == 0 || percent <= 0) {
    std::fprintf(stderr, "usage: %s BYTES PARKED CYCLES PERCENT | --smoke\n",
                 argv[0]);
    return 2;
  }
  run(bytes, parked, cycles, percent);
  return 0;
}
