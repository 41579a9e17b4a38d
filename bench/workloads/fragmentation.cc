// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What memory a heap keeps for what lives in it: objects of random sizes and
// lifetimes, memory given back, and the same after half of them are dropped.
// The peers' twins are in bench/peers/fragmentation; bench/README.md has the
// definition and the output. argv: SLOTS TURNS SETTLE_MS | --smoke.
#include <algorithm>
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
using tricolor::Scope;

/// The first word of an object is its size in bytes, the last its number.
struct Payload {
  uint64_t bytes;

  uint64_t last() const { return (&bytes)[bytes / 8 - 1]; }
};

struct Program {
  LayoutId payload;
  LayoutId table;
  size_t slots;
  size_t turns;
  uint64_t settle_ms;
};

/// Marsaglia's xorshift64; every program draws the same numbers.
class Random {
 public:
  uint64_t below(uint64_t n) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return (state_ >> 32) % n;
  }

  /// 16 B to 8 KiB, each octave as likely as any other.
  size_t size() {
    size_t least = size_t{16} << below(9);
    return (least + below(least)) & ~size_t{7};
  }

 private:
  uint64_t state_ = 88172645463325252;
};

/// One line of /proc/self/status in KiB, 0 if it is not there.
double status_kib(const char* name) {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  char line[256];
  double kib = 0;
  size_t length = std::strlen(name);
  while (status != nullptr && std::fgets(line, sizeof(line), status)) {
    if (std::strncmp(line, name, length) == 0 && line[length] == ':') {
      kib = std::strtod(line + length + 1, nullptr);
    }
  }
  if (status != nullptr) std::fclose(status);
  return kib;
}

/// The table of objects, and the sum of their sizes.
class Objects {
 public:
  Objects(Mutator& mu, const Program& program)
      : mu_(mu),
        program_(program),
        scope_(mu),
        table_(scope_, tricolor::make_array<Field<Payload>>(mu, program.table,
                                                            program.slots)) {}

  /// A new object in the slot, in the place of what was there.
  void replace(size_t slot) {
    size_t bytes = random_.size();
    void* cell = tricolor::allocate(mu_, program_.payload, bytes);
    auto* words = static_cast<uint64_t*>(cell);
    for (size_t i = 1; i < bytes / 8; ++i) words[i] = number_;
    words[0] = bytes;
    ++number_;
    drop(slot);
    table_.get()[slot].store(mu_, static_cast<Payload*>(cell));
    live_bytes_ += bytes;
    peak_bytes_ = std::max(peak_bytes_, live_bytes_);
  }

  void drop(size_t slot) {
    Field<Payload>& field = table_.get()[slot];
    const Payload* object = field.load();
    if (object == nullptr) return;
    sum_ += object->last();
    live_bytes_ -= object->bytes;
    field.store(mu_, nullptr);
  }

  void grow_and_churn() {
    for (size_t i = 0; i < program_.slots; ++i) replace(i);
    for (size_t i = 0; i < program_.turns * program_.slots; ++i) {
      replace(random_.below(program_.slots));
    }
  }

  void drop_half() {
    for (size_t i = 0; i < program_.slots; ++i) {
      if (random_.below(2) == 0) drop(i);
    }
  }

  uint64_t sum() const { return sum_; }
  size_t live_bytes() const { return live_bytes_; }
  size_t peak_bytes() const { return peak_bytes_; }

 private:
  Mutator& mu_;
  const Program& program_;
  Scope<1> scope_;
  Local<Field<Payload>> table_;
  Random random_;
  uint64_t number_ = 0;
  uint64_t sum_ = 0;
  size_t live_bytes_ = 0;
  size_t peak_bytes_ = 0;
};

/// Resident, after free memory was given back and some time has passed.
double settled_kib(Mutator& mu, const Program& program) {
  tricolor::return_memory(mu);
  tricolor::sleep_ns(mu, program.settle_ms * 1'000'000);
  return status_kib("VmRSS");
}

void run(Mutator& mu, const Program& program) {
  auto ratio = [](double kib, size_t bytes) {
    return kib * 1024 / static_cast<double>(bytes);
  };
  Objects objects(mu, program);
  objects.grow_and_churn();
  double peak_kib = status_kib("VmHWM");
  double now_kib = settled_kib(mu, program);
  size_t live = objects.live_bytes();
  size_t marked = tricolor::stats(tricolor::runtime_of(mu)).heap_live_bytes;
  objects.drop_half();
  double half_kib = settled_kib(mu, program);
  std::printf("checksum fragmentation %zu %zu: %llu live=%zu peak=%zu\n",
              program.slots, program.turns,
              static_cast<unsigned long long>(objects.sum()),
              objects.live_bytes(), objects.peak_bytes());
  std::printf("metric rss_over_live %.4f\n", ratio(now_kib, live));
  std::printf("metric rss_over_marked %.4f\n", ratio(now_kib, marked));
  std::printf("metric rss_over_live_peak %.4f\n",
              ratio(peak_kib, objects.peak_bytes()));
  std::printf("metric rss_over_live_half %.4f\n",
              ratio(half_kib, objects.live_bytes()));
}

LayoutId register_tail(tricolor::Runtime& rt, const char* name,
                       tricolor::LayoutSpec::Tail tail) {
  tricolor::Error error;
  tricolor::LayoutSpec spec;
  spec.name = name;
  spec.tail = tail;
  LayoutId id = rt.register_layout(spec, &error);
  if (id == tricolor::kInvalidLayout) {
    std::fprintf(stderr, "%s\n", error.text);
    std::exit(1);
  }
  return id;
}

}  // namespace

int main(int argc, char** argv) {
  bool smoke = argc == 2 && std::strcmp(argv[1], "--smoke") == 0;
  auto argument = [&](int i, uint64_t small) {
    return smoke ? small : std::strtoull(argv[i], nullptr, 10);
  };
  if (!smoke && (argc != 4 || argument(1, 0) == 0)) {
    std::fprintf(stderr, "usage: %s SLOTS TURNS SETTLE_MS | --smoke\n",
                 argv[0]);
    return 2;
  }
  tricolor::Error error;
  tricolor::RuntimePtr rt = tricolor::Runtime::create({}, &error);
  if (rt == nullptr) {
    std::fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  using Tail = tricolor::LayoutSpec::Tail;
  Program program{.payload = register_tail(*rt, "Payload", Tail::kNoscan),
                  .table = register_tail(*rt, "Table", Tail::kPointers),
                  .slots = argument(1, 1000),
                  .turns = argument(2, 2),
                  .settle_ms = argument(3, 10)};
  rt->run([&](Mutator& mu) { run(mu, program); });
  return 0;
}
