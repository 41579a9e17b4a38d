// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What an object costs that is allocated, written whole and soon dropped: a
// ring of 1,024 live cells without pointers, each new one in the place of the
// oldest. The peers' twins are in bench/peers/alloc; bench/README.md has the
// definition and the output. argv: BYTES COUNT MIN_CYCLES | scale COUNT |
// --smoke.
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tricolor/all.h"

namespace {

using tricolor::Field;
using tricolor::LayoutId;
using tricolor::Local;
using tricolor::Mutator;
using tricolor::Plain;
using tricolor::RuntimePtr;
using tricolor::Scope;
using tricolor::Type;

constexpr size_t kRing = 1024;

/// The cells are of the size that the run is about.
struct Payload {
  uint64_t first_word;
};

struct Ring {
  Field<Payload> slots[kRing];
};

struct Program {
  RuntimePtr rt;
  LayoutId payload = tricolor::kInvalidLayout;
  Type<Ring> ring;
};

LayoutId register_tail(Program& program, const char* name,
                       tricolor::LayoutSpec::Tail tail, bool uninitialized) {
  tricolor::Error error;
  tricolor::LayoutSpec spec;
  spec.name = name;
  spec.tail = tail;
  spec.uninitialized = uninitialized;
  LayoutId id = program.rt->register_layout(spec, &error);
  if (id == tricolor::kInvalidLayout) {
    std::fprintf(stderr, "%s\n", error.text);
    std::exit(1);
  }
  return id;
}

Program start(const tricolor::Options& options, size_t bytes) {
  Program program;
  tricolor::Error error;
  program.rt = tricolor::Runtime::create(options, &error);
  if (program.rt == nullptr) {
    std::fprintf(stderr, "%s\n", error.text);
    std::exit(1);
  }
  using Tail = tricolor::LayoutSpec::Tail;
  // What malloc gives, for it is written whole anyway. Objects of 1 MiB are
  // zeroed, and so are the peers'.
  program.payload = register_tail(program, "Payload", Tail::kNoscan,
                                  /*uninitialized=*/bytes < size_t{1} << 20);
  program.ring = Type<Ring>(register_tail(program, "Ring", Tail::kPointers,
                                          /*uninitialized=*/false));
  return program;
}

/// One 8-byte store a word. Volatile, so that no compiler leaves one out or
/// makes wider ones of them: all programs write alike.
template <size_t kBytes>
void write_whole(void* object, uint64_t seed) {
  auto* words = static_cast<volatile uint64_t*>(object);
  for (size_t i = 0; i < kBytes / 8; ++i) words[i] = seed + i;
}

template <size_t kBytes>
uint64_t ends(const Payload* object) {
  const uint64_t* words = &object->first_word;
  return words[0] + words[kBytes / 8 - 1];
}

template <size_t kBytes>
uint64_t churn(Mutator& mu, const Program& program, size_t count) {
  Scope<1> scope(mu);
  Local<Ring> ring(scope, make(mu, program.ring));
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    void* cell = tricolor::allocate(mu, program.payload, kBytes);
    write_whole<kBytes>(cell, i);
    Field<Payload>& slot = ring->slots[i % kRing];
    if (const Payload* oldest = slot.load()) sum += ends<kBytes>(oldest);
    slot.store(mu, static_cast<Payload*>(cell));
  }
  return sum;
}

using Churn = uint64_t (*)(Mutator&, const Program&, size_t);

Churn churn_of(size_t bytes) {
  switch (bytes) {
    case 16:
      return &churn<16>;
    case 32:
      return &churn<32>;
    case 64:
      return &churn<64>;
    case 128:
      return &churn<128>;
    case 1 << 10:
      return &churn<1 << 10>;
    case 8 << 10:
      return &churn<8 << 10>;
    case 1 << 20:
      return &churn<1 << 20>;
    default:
      return nullptr;
  }
}

/// The most memory this process has had resident. Not ru_maxrss, in which
/// Linux keeps what the process was before exec.
double peak_rss_mib() {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  char line[256];
  long kib = 0;
  while (status != nullptr && std::fgets(line, sizeof(line), status)) {
    if (std::sscanf(line, "VmHWM: %ld kB", &kib) == 1) break;
  }
  if (status != nullptr) std::fclose(status);
  return static_cast<double>(kib) / 1024;
}

double cpu_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int run_size(size_t bytes, size_t count, uint64_t min_cycles) {
  double empty_mib = peak_rss_mib();
  Churn churn = churn_of(bytes);
  uint64_t sum = 0;
  Program program = start({}, bytes);
  program.rt->run([&](Mutator& mu) { sum = churn(mu, program, count); });
  uint64_t cycles = tricolor::stats(*program.rt).cycles;
  program.rt.reset();
  std::printf("checksum alloc %zu %zu: %llu\n", bytes, count,
              static_cast<unsigned long long>(sum));
  std::printf("metric cpu_ns %.4f\n",
              cpu_seconds() * 1e9 / static_cast<double>(count));
  std::printf("metric gc_cycles %llu\n",
              static_cast<unsigned long long>(cycles));
  std::printf("metric rss_over_empty_mib %.3f\n", peak_rss_mib() - empty_mib);
  if (cycles >= min_cycles) return 0;
  std::fprintf(stderr, "%llu collections, the definition wants %llu\n",
               static_cast<unsigned long long>(cycles),
               static_cast<unsigned long long>(min_cycles));
  return 1;
}

uint64_t mutator(Mutator& mu, Plain<const Program> program, size_t count) {
  return churn<64>(mu, *program.p, count);
}

/// `mutators` tasks on as many Ps, `count` objects each; the sum of their
/// sums. Returns objects per second of all together.
double objects_per_second(uint32_t mutators, size_t count, uint64_t* sum) {
  tricolor::Options options;
  options.max_procs = mutators;
  Program program = start(options, 64);
  std::chrono::duration<double> elapsed{};
  program.rt->run([&](Mutator& mu) {
    auto begin = std::chrono::steady_clock::now();
    tricolor::Task<uint64_t> tasks[2];
    for (uint32_t i = 0; i < mutators; ++i) {
      tasks[i] = tricolor::spawn(
          mu, &mutator, tricolor::plain<const Program>(&program), count);
    }
    for (uint32_t i = 0; i < mutators; ++i) {
      *sum += tricolor::join(mu, tasks[i]);
    }
    elapsed = std::chrono::steady_clock::now() - begin;
  });
  return static_cast<double>(mutators * count) / elapsed.count();
}

int run_scale(size_t count) {
  uint64_t sum = 0;
  double one = objects_per_second(1, count, &sum);
  double two = objects_per_second(2, count, &sum);
  std::printf("checksum alloc scale %zu: %llu\n", count,
              static_cast<unsigned long long>(sum));
  std::printf("metric scale_2 %.4f\n", two / one);
  return 0;
}

int smoke() {
  const size_t sizes[] = {16, 32, 64, 128, 1 << 10, 8 << 10, 1 << 20};
  for (size_t bytes : sizes) {
    if (run_size(bytes, bytes < 1 << 20 ? 20000 : 200, 0) != 0) return 1;
  }
  return run_scale(20000);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--smoke") == 0) return smoke();
  if (argc == 3 && std::strcmp(argv[1], "scale") == 0) {
    return run_scale(std::strtoull(argv[2], nullptr, 10));
  }
  size_t bytes = argc == 4 ? std::strtoull(argv[1], nullptr, 10) : 0;
  if (churn_of(bytes) == nullptr) {
    std::fprintf(stderr,
                 "usage: %s BYTES COUNT MIN_CYCLES | scale COUNT | --smoke\n"
                 "BYTES: 16, 32, 64, 128, 1024, 8192 or 1048576\n",
                 argv[0]);
    return 2;
  }
  return run_size(bytes, std::strtoull(argv[2], nullptr, 10),
                  std::strtoull(argv[3], nullptr, 10));
}
