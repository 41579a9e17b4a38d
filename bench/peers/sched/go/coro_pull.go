// SPDX-License-Identifier: MIT

//go:build go1.23

package main

import "iter"

// A coroutine that yields 1, 2, 3, ...
func countUp() (func() (uint64, bool), func()) {
	return iter.Pull(func(yield func(uint64) bool) {
		for value := uint64(1); yield(value); value++ {
		}
	})
}
