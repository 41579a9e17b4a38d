// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// GCBench in a heap of a fixed size: each mutator keeps a tree and an array,
// and builds trees of growing depth, from the top and from the bottom, with
// objects of random sizes between the nodes that nobody keeps. The peers' twins
// are in bench/peers/gcbench; bench/README.md has the definition and the
// output. argv: MUTATORS HEAP_BYTES DEPTH DOUBLES | --smoke. The heap is set by
// the environment (TRIGC=off, TRIMEMLIMIT); HEAP_BYTES is what is checked.
#include "measure.h"

namespace {

using bench::Gap;
using tricolor::Field;
using tricolor::LayoutId;
using tricolor::Local;
using tricolor::Mutator;
using tricolor::Scope;
using tricolor::Type;

struct Node {
  Field<Node> left;
  Field<Node> right;
  int32_t i = 0;
  int32_t j = 0;
};

struct Program {
  Type<Node> node;
  LayoutId words;
  int depth;
  size_t doubles;
};

struct Result {
  uint64_t nodes = 0;
  uint64_t hole_words = 0;
  uint64_t long_lived = 0;
  double gap_us = 0;
};

class Bench {
 public:
  Bench(Mutator& mu, const Program& program, uint64_t seed)
      : mu_(mu), program_(program), random_(seed) {}

  Result run() {
    Scope<2> scope(mu_);
    Local<Node> long_lived(scope, node());
    populate(long_lived, program_.depth);
    Local<double> array(scope, tricolor::make_array<double>(mu_, program_.words,
                                                            program_.doubles));
    for (size_t i = 0; i < program_.doubles; ++i) {
      array[i] = 1.0 / static_cast<double>(i + 1);
    }
    for (int depth = 4; depth <= program_.depth; depth += 2) grow(depth);
    Result result;
    result.long_lived = count(long_lived);
    if (array[program_.doubles / 2] !=
        1.0 / static_cast<double>(program_.doubles / 2 + 1)) {
      result.long_lived = 0;
    }
    result.nodes = nodes_;
    result.hole_words = hole_words_;
    result.gap_us = gap_.max_us();
    return result;
  }

 private:
  void grow(int depth) {
    Scope<1> scope(mu_);
    Local<Node> tree(scope);
    const long trees = 1L << (program_.depth + 4 - depth);
    for (long i = 0; i < trees; ++i) {
      tree = node();
      populate(tree, depth);
    }
    for (long i = 0; i < trees; ++i) tree = build(depth);
  }

  /// From the top; the caller roots `at`, and so all that hangs from it.
  void populate(Node* at, int depth) {
    if (depth == 0) return;
    at->left.store(mu_, node());
    at->right.store(mu_, node());
    populate(at->left.load(), depth - 1);
    populate(at->right.load(), depth - 1);
  }

  /// From the bottom.
  Node* build(int depth) {
    if (depth == 0) return node();
    Scope<2> scope(mu_);
    Local<Node> left(scope, build(depth - 1));
    Local<Node> right(scope, build(depth - 1));
    Node* top = node();
    top->left.init(mu_, left);
    top->right.init(mu_, right);
    return top;
  }

  /// A node, and before half of them a hole of 2, 4, ... 256 words, each size
  /// half as likely as the one before.
  Node* node() {
    const uint64_t bits = random_.next() & 511;
    const uint64_t words = bits & -bits;
    if (words > 1) {
      auto* hole = static_cast<uint64_t*>(
          tricolor::allocate(mu_, program_.words, words * 8));
      hole[0] = words;
      hole[words - 1] = words;
      hole_words_ += hole[0];
    }
    if ((++nodes_ & 63) == 0) gap_.look();
    return make(mu_, program_.node);
  }

  uint64_t count(const Node* at) {
    tricolor::poll(mu_);
    if (at == nullptr) return 0;
    return 1 + count(at->left.load()) + count(at->right.load());
  }

  Mutator& mu_;
  const Program& program_;
  bench::Random random_;
  Gap gap_;
  uint64_t nodes_ = 0;
  uint64_t hole_words_ = 0;
};

void mutator(Mutator& mu, tricolor::Plain<const Program> program, uint64_t seed,
             tricolor::Plain<Result> result) {
  *result.p = Bench(mu, *program.p, seed).run();
}

void print(size_t mutators, const Result* results, double work_s,
           const bench::Stops& stops) {
  Result sum;
  for (size_t i = 0; i < mutators; ++i) {
    sum.nodes += results[i].nodes;
    sum.hole_words += results[i].hole_words;
    sum.long_lived += results[i].long_lived;
    sum.gap_us = std::max(sum.gap_us, results[i].gap_us);
  }
  std::printf("checksum gcbench %zu: nodes=%llu holes=%llu long=%llu\n",
              mutators, static_cast<unsigned long long>(sum.nodes),
              static_cast<unsigned long long>(sum.hole_words),
              static_cast<unsigned long long>(sum.long_lived));
  std::printf("metric work_s %.6f\n", work_s);
  std::printf("metric pause_max_us %.3f\n", stops.stop_us(1));
  std::printf("metric gap_max_us %.3f\n", sum.gap_us);
}

constexpr size_t kMutatorsMax = 16;

void run(size_t mutators, uint64_t heap_bytes, int depth, size_t doubles) {
  const size_t before_kib = bench::status_kib("VmHWM");
  const uint64_t begin_ns = bench::now_ns();
  bench::Stops stops(1 << 16);
  tricolor::Options options;
  options.on_gc_event = &bench::Stops::listen;
  options.on_gc_event_ctx = &stops;
  tricolor::RuntimePtr rt = bench::create(options);
  const Program program{
      Type<Node>(bench::register_cell(*rt, "Node", sizeof(Node), 2)),
      bench::register_array(*rt, "words", false), depth, doubles};
  Result results[kMutatorsMax];
  rt->run([&](Mutator& mu) {
    tricolor::Task<void> tasks[kMutatorsMax];
    for (size_t i = 0; i < mutators; ++i) {
      tasks[i] = tricolor::spawn(mu, &mutator, tricolor::plain(&program), i,
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
    run(2, 64 << 20, 8, 1000);
    return 0;
  }
  const size_t mutators = argc == 5 ? std::strtoull(argv[1], nullptr, 10) : 0;
  const uint64_t heap = argc == 5 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const int depth = argc == 5 ? std::atoi(argv[3]) : 0;
  const size_t doubles = argc == 5 ? std::strtoull(argv[4], nullptr, 10) : 0;
  if (mutators == 0 || mutators > kMutatorsMax || heap == 0 || depth < 4 ||
      depth > 24 || doubles == 0) {
    std::fprintf(stderr,
                 "usage: %s MUTATORS HEAP_BYTES DEPTH DOUBLES | --smoke\n"
                 "MUTATORS: 1 to %zu; DEPTH: 4 to 24\n",
                 argv[0], kMutatorsMax);
    return 2;
  }
  run(mutators, heap, depth, doubles);
  return 0;
}
