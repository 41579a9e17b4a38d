// SPDX-License-Identifier: MIT
//
// The peer `go` of the workload message_window. The arguments and the output
// are those of bench/workloads/message_window.cc.

package main

import (
	"fmt"
	"sort"

	"tricolor.bench/measure"
)

const messageBytes = 1024

func main() {
	args := measure.Arguments("SLOTS", "PUSHES")
	slots, pushes := args[0], args[1]
	pushNs := make([]uint32, pushes)
	for i := range pushNs {
		pushNs[i] = 1 // Touched, so that no push has to.
	}
	sum := uint64(0)
	begin := measure.Now()
	window := make([][]byte, slots)
	for i := uint64(0); i < pushes; i++ {
		pushBegin := measure.Now()
		message := make([]byte, messageBytes)
		for j := range message {
			message[j] = byte(i)
		}
		if oldest := window[i%slots]; oldest != nil {
			sum += uint64(oldest[messageBytes-1])
		}
		window[i%slots] = message
		pushNs[i] = uint32(measure.Now() - pushBegin)
	}
	for _, message := range window {
		if message != nil {
			sum += uint64(message[0])
		}
	}
	work := measure.Now() - begin
	sort.Slice(pushNs, func(i, j int) bool { return pushNs[i] < pushNs[j] })
	at := func(q float64) uint32 {
		i := uint64(q * float64(pushes))
		if i >= pushes {
			i = pushes - 1
		}
		return pushNs[i]
	}
	fmt.Printf("checksum message_window %d %d: %d\n", slots, pushes, sum)
	fmt.Printf("metric push_p50_ns %d\n", at(0.5))
	fmt.Printf("metric push_p99_ns %d\n", at(0.99))
	fmt.Printf("metric push_p999_ns %d\n", at(0.999))
	fmt.Printf("metric push_p9999_ns %d\n", at(0.9999))
	fmt.Printf("metric push_max_ns %d\n", at(1))
	fmt.Printf("metric work_s %.6f\n", work.Seconds())
}
