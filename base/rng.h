// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// Small random numbers for stealing order, sampling and tests. Not for
// anything that must not be guessed.
//
// Threading: an Rng belongs to one thread (or one P).
#ifndef TRICOLOR_BASE_RNG_H_
#define TRICOLOR_BASE_RNG_H_

#include <cstdint>

namespace tricolor::base {

// SplitMix64 (Steele, Lea, Flood 2014): one step of the sequence at *state.
constexpr uint64_t splitmix64(uint64_t* state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// xorshift64* (Vigna 2016).
struct Rng {
  uint64_t state = 0x853c49e6748fea9bu;  // never 0

  constexpr Rng() = default;
  // Any seed will do, 0 included; near seeds give unrelated sequences.
  constexpr explicit Rng(uint64_t seed) {
    state = splitmix64(&seed);
    if (state == 0) state = 1;
  }

  constexpr uint64_t next() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1du;
  }

  // A number in [0, n), 0 when n is 0. Biased by less than n / 2^32.
  constexpr uint32_t below(uint32_t n) {
    return static_cast<uint32_t>(((next() >> 32) * n) >> 32);
  }
};

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_RNG_H_
