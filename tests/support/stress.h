// SPDX-License-Identifier: MIT
//
// What a randomized or long-running test asks for: its seed, and how long it
// should run. `./dev test` runs the short form of every case, `./dev stress`
// the long form under the same name.

#ifndef TESTS_SUPPORT_STRESS_H_
#define TESTS_SUPPORT_STRESS_H_

#include <cstdint>

namespace tricolor::testing {

// True when the long form is wanted: TRI_STRESS is set and is not "0".
bool stress_mode();

// How often to do what the case repeats: `short_n`, or `long_n` under stress.
int stress_scale(int short_n, int long_n);

// The seed of this process: TRI_SEED (decimal or 0x), else a random one. The
// same in every call; printed once, at the first, so that a failure can be run
// again with TRI_SEED=... .
uint64_t test_seed();

}  // namespace tricolor::testing

#endif  // TESTS_SUPPORT_STRESS_H_
