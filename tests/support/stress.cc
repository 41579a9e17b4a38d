// SPDX-License-Identifier: MIT
//
// See stress.h. The environment is read at each first use, on any thread.

#include "tests/support/stress.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

namespace tricolor::testing {

namespace {

uint64_t choose_seed() {
  uint64_t seed = 0;
  const char* text = std::getenv("TRI_SEED");
  if (text != nullptr && *text != '\0') {
    seed = std::strtoull(text, nullptr, 0);
  } else {
    std::random_device device;
    seed = (uint64_t{device()} << 32) | device();
  }
  std::fprintf(stderr, "TRI_SEED=0x%llx\n",
               static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace

bool stress_mode() {
  const char* text = std::getenv("TRI_STRESS");
  return text != nullptr && *text != '\0' && std::strcmp(text, "0") != 0;
}

int stress_scale(int short_n, int long_n) {
  return stress_mode() ? long_n : short_n;
}

uint64_t test_seed() {
  static const uint64_t seed = choose_seed();
  return seed;
}

}  // namespace tricolor::testing
