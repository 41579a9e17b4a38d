// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// SipHash-1-3 (Aumasson, Bernstein 2012) of one 64-bit word: who does not know
// the key can neither guess the hash of a word nor learn the key from hashes.
// Some 20 cycles.
#ifndef TRICOLOR_BASE_SIPHASH_H_
#define TRICOLOR_BASE_SIPHASH_H_

#include <cstdint>

namespace tricolor::base {

struct SipKey {
  uint64_t k0 = 0;
  uint64_t k1 = 0;
};

namespace siphash_detail {

constexpr uint64_t rotl(uint64_t x, int n) { return x << n | x >> (64 - n); }

struct State {
  uint64_t v0, v1, v2, v3;

  constexpr void round() {
    v0 += v1;
    v2 += v3;
    v1 = rotl(v1, 13) ^ v0;
    v3 = rotl(v3, 16) ^ v2;
    v0 = rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = rotl(v1, 17) ^ v2;
    v3 = rotl(v3, 21) ^ v0;
    v2 = rotl(v2, 32);
  }
  constexpr void absorb(uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

}  // namespace siphash_detail

/// As of the 8 bytes of `word`, lowest first.
constexpr uint64_t siphash13(const SipKey& key, uint64_t word) {
  siphash_detail::State s{
      key.k0 ^ 0x736f'6d65'7073'6575, key.k1 ^ 0x646f'7261'6e64'6f6d,
      key.k0 ^ 0x6c79'6765'6e65'7261, key.k1 ^ 0x7465'6462'7974'6573};
  s.absorb(word);
  s.absorb(uint64_t{8} << 56);  // the length
  s.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_SIPHASH_H_
