// SPDX-License-Identifier: MIT

//go:build !go1.23

package main

// Without iter.Pull a goroutine takes the place of the coroutine.
func countUp() (func() (uint64, bool), func()) {
	values, stop := make(chan uint64), make(chan struct{})
	go func() {
		for value := uint64(1); ; value++ {
			select {
			case values <- value:
			case <-stop:
				return
			}
		}
	}()
	next := func() (uint64, bool) { return <-values, true }
	return next, func() { close(stop) }
}
