// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Quads in a heap of a fixed size: each mutator keeps one large quad tree while
// it makes small ones that nobody keeps, in 20 rounds of 13 % of the heap. The
// peers' twins are in bench/peers/quads; bench/README.md has the definition and
// the output. argv: MUTATORS HEAP_BYTES DEPTH | --smoke. The heap is set by the
// environment (TRIGC=off, TRIMEMLIMIT); HEAP_BYTES is for all mutators.
#include "measure.h"

namespace {

using bench::Gap;
using tricolor::Field;
using tricolor::Local;
using tricolor::Mutator;
using tricolor::Scope;
using tricolor::Type;

struct Quad {
  Field<Quad> kids[4];
};

struct Program {
  Type<Quad> quad;
  int depth;
  uint64_t small_per_round;
};

struct Result {
  uint64_t quads = 0;
  uint64_t long_lived = 0;
  double gap_us = 0;
};

constexpr int kRounds = 20;
constexpr int kSmallDepth = 3;
constexpr uint64_t kSmallQuads = 1 + 4 + 16 + 64;

class Bench {
 public:
  Bench(Mutator& mu, const Program& program) : mu_(mu), program_(program) {}

  Result run() {
    Scope<1> scope(mu_);
    Local<Quad> large(scope, build(program_.depth));
    for (int round = 0; round < kRounds; ++round) {
      for (uint64_t i = 0; i < program_.small_per_round; ++i) {
        build(kSmallDepth);
      }
    }
    return {quads_, count(large, program_.depth), gap_.max_us()};
  }

 private:
  /// From the top, in place: `top` is all that needs a root.
  Quad* build(int depth) {
    Scope<1> scope(mu_);
    Local<Quad> top(scope, quad());
    fill(top, depth);
    return top;
  }

  void fill(Quad* at, int depth) {
    if (depth == 0) return;
    for (Field<Quad>& kid : at->kids) {
      kid.store(mu_, quad());
      fill(kid.load(), depth - 1);
    }
  }

  Quad* quad() {
    if ((++quads_ & 63) == 0) gap_.look();
    return make(mu_, program_.quad);
  }

  /// 0 if a node is missing.
  uint64_t count(const Quad* at, int depth) {
    tricolor::poll(mu_);
    if (depth == 0) return 1;
    uint64_t n = 1;
    for (const Field<Quad>& kid : at->kids) {
      const uint64_t below =
          kid.load() == nullptr ? 0 : count(kid.load(), depth - 1);
      if (below == 0) return 0;
      n += below;
    }
    return n;
  }

  Mutator& mu_;
  const Program& program_;
  Gap gap_;
  uint64_t quads_ = 0;
};

void mutator(Mutator& mu, tricolor::Plain<const Program> program,
             tricolor::Plain<Result> result) {
  *result.p = Bench(mu, *program.p).run();
}

void print(size_t mutators, const Result* results, double work_s,
           const bench::Stops& stops) {
  Result sum;
  for (size_t i = 0; i < mutators; ++i) {
    sum.quads += results[i].quads;
    sum.long_lived += results[i].long_lived;
    sum.gap_us = std::max(sum.gap_us, results[i].gap_us);
  }
  std::printf("checksum quads %zu: quads=%llu long=%llu\n", mutators,
              static_cast<unsigned long long>(sum.quads),
              static_cast<unsigned long long>(sum.long_lived));
  std::printf("metric work_s %.6f\n", work_s);
  std::printf("metric pause_max_us %.3f\n", stops.stop_us(1));
  std::printf("metric gap_max_us %.3f\n", sum.gap_us);
}

constexpr size_t kMutatorsMax = 16;

void run(size_t mutators, uint64_t heap_bytes, int depth) {
  const size_t before_kib = bench::status_kib("VmHWM");
  const uint64_t begin_ns = bench::now_ns();
  bench::Stops stops(1 << 16);
  tricolor::Options options;
  options.on_gc_event = &bench::Stops::listen;
  options.on_gc_event_ctx = &stops;
  tricolor::RuntimePtr rt = bench::create(options);
  const Program program{
      Type<Quad>(bench::register_cell(*rt, "Quad", sizeof(Quad), 4)), depth,
      heap_bytes / mutators * 13 / 100 / (kSmallQuads * sizeof(Quad))};
  Result results[kMutatorsMax];
  rt->run([&](Mutator& mu) {
    tricolor::Task<void> tasks[kMutatorsMax];
    for (size_t i = 0; i < mutators; ++i) {
      tasks[i] = tricolor::spawn(mu, &mutator, tricolor::plain(&program),
                                 tricolor::plain(&results[i]));
    }
    for (size_t i = 0; i < mutators; ++i) tricolor::join(mu, tasks[i]);
  });
  const double work_s = static_cast<double>(bench::now_ns() - begin_ns) / 1e9;
  rt.reset();
  print(mutators, results, work_s, stops);
  bench::print_peak(before_kib, heap_bytes);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--smoke") == 0) {
    run(2, 64 << 20, 5);
    return 0;
  }
  const size_t mutators = argc == 4 ? std::strtoull(argv[1], nullptr, 10) : 0;
  const uint64_t heap = argc == 4 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const int depth = argc == 4 ? std::atoi(argv[3]) : 0;
  if (mutators == 0 || mutators > kMutatorsMax || heap == 0 || depth < 1 ||
      depth > 15) {
    std::fprintf(stderr,
                 "usage: %s MUTATORS HEAP_BYTES DEPTH | --smoke\n"
                 "MUTATORS: 1 to %zu; DEPTH: 1 to 15\n",
                 argv[0], kMutatorsMax);
    return 2;
  }
  run(mutators, heap, depth);
  return 0;
}
