// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A window over a stream of messages: each push makes a message, writes it
// whole and puts it in the place of the oldest. Measured is how long a push
// takes, and the slowest of them above all. The peers' twins are in
// bench/peers/message_window; bench/README.md has the definition and the
// output. argv: SLOTS PUSHES | --smoke.
#include "measure.h"

namespace {

using tricolor::Field;
using tricolor::Local;
using tricolor::Mutator;
using tricolor::Scope;

constexpr size_t kMessageBytes = 1024;

struct Message {
  uint8_t bytes[kMessageBytes];
};

struct Result {
  std::vector<uint32_t> push_ns;
  uint64_t sum = 0;
  double work_s = 0;
};

void push_all(Mutator& mu, tricolor::LayoutId window_layout,
              const tricolor::Type<Message>& type, size_t slots, size_t pushes,
              Result* result) {
  const uint64_t begin_ns = bench::now_ns();
  Scope<1> scope(mu);
  Local<Field<Message>> window(
      scope, tricolor::make_array<Field<Message>>(mu, window_layout, slots));
  for (size_t i = 0; i < pushes; ++i) {
    const uint64_t push_begin_ns = bench::now_ns();
    auto* message = static_cast<Message*>(
        tricolor::allocate(mu, type.layout, kMessageBytes));
    std::memset(message->bytes, static_cast<int>(i & 255), kMessageBytes);
    Field<Message>& slot = window[i % slots];
    const Message* oldest = slot.load();
    if (oldest != nullptr) result->sum += oldest->bytes[kMessageBytes - 1];
    slot.store(mu, message);
    result->push_ns[i] = static_cast<uint32_t>(bench::now_ns() - push_begin_ns);
  }
  for (size_t i = 0; i < slots; ++i) {
    tricolor::poll(mu);
    const Message* message = window[i].load();
    if (message != nullptr) result->sum += message->bytes[0];
  }
  result->work_s = static_cast<double>(bench::now_ns() - begin_ns) / 1e9;
}

void print(size_t slots, size_t pushes, Result result) {
  std::sort(result.push_ns.begin(), result.push_ns.end());
  const auto at = [&](double q) {
    const auto i = static_cast<size_t>(q * static_cast<double>(pushes));
    return result.push_ns[std::min(i, pushes - 1)];
  };
  std::printf("checksum message_window %zu %zu: %llu\n", slots, pushes,
              static_cast<unsigned long long>(result.sum));
  std::printf("metric push_p50_ns %u\n", at(0.5));
  std::printf("metric push_p99_ns %u\n", at(0.99));
  std::printf("metric push_p999_ns %u\n", at(0.999));
  std::printf("metric push_p9999_ns %u\n", at(0.9999));
  std::printf("metric push_max_ns %u\n", at(1));
  std::printf("metric work_s %.6f\n", result.work_s);
}

void run(size_t slots, size_t pushes) {
  Result result;
  result.push_ns.assign(pushes, 1);  // touched, so that no push has to
  tricolor::RuntimePtr rt = bench::create({});
  const tricolor::LayoutId window = bench::register_array(*rt, "window", true);
  const tricolor::Type<Message> message(
      bench::register_array(*rt, "message", false));
  rt->run([&](Mutator& mu) {
    push_all(mu, window, message, slots, pushes, &result);
  });
  rt.reset();
  print(slots, pushes, std::move(result));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--smoke") == 0) {
    run(500, 20000);
    return 0;
  }
  const size_t slots = argc == 3 ? std::strtoull(argv[1], nullptr, 10) : 0;
  const size_t pushes = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (slots == 0 || pushes == 0) {
    std::fprintf(stderr, "usage: %s SLOTS PUSHES | --smoke\n", argv[0]);
    return 2;
  }
  run(slots, pushes);
  return 0;
}
