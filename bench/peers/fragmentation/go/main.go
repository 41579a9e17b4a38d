// SPDX-License-Identifier: MIT
//
// The peer `go` of the workload fragmentation: objects are slices of words of
// random sizes and lifetimes, half of which are dropped at random in the end.
// The arguments and the output are those of bench/workloads/fragmentation.cc.

package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

var randomState = uint64(88172645463325252)

// Marsaglia's xorshift64; every program draws the same numbers.
func randomBelow(n uint64) uint64 {
	randomState ^= randomState << 13
	randomState ^= randomState >> 7
	randomState ^= randomState << 17
	return (randomState >> 32) % n
}

// 16 B to 8 KiB, each octave as likely as any other.
func randomSize() uint64 {
	least := uint64(16) << randomBelow(9)
	return (least + randomBelow(least)) &^ 7
}

type objects struct {
	table           [][]uint64
	number, sum     uint64
	liveBytes, peak uint64
}

func (o *objects) replace(slot uint64) {
	bytes := randomSize()
	object := make([]uint64, bytes/8)
	for i := range object {
		object[i] = o.number
	}
	object[0] = bytes
	o.number++
	o.drop(slot)
	o.table[slot] = object
	o.liveBytes += bytes
	if o.liveBytes > o.peak {
		o.peak = o.liveBytes
	}
}

func (o *objects) drop(slot uint64) {
	object := o.table[slot]
	if object == nil {
		return
	}
	o.sum += object[len(object)-1]
	o.liveBytes -= object[0]
	o.table[slot] = nil
}

func fail(problem any) {
	fmt.Fprintln(os.Stderr, problem)
	os.Exit(1)
}

func number(text string) uint64 {
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		fail(err)
	}
	return value
}

// One line of /proc/self/status in bytes, 0 if it is not there.
func statusBytes(name string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fail(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name+":" {
			return float64(number(fields[1]) * 1024)
		}
	}
	return 0
}

// Resident, after free memory was given back and some time has passed.
func settledBytes(settle time.Duration) float64 {
	debug.FreeOSMemory()
	time.Sleep(settle)
	return statusBytes("VmRSS")
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintf(os.Stderr, "usage: %s SLOTS TURNS SETTLE_MS\n", os.Args[0])
		os.Exit(2)
	}
	slots, turns := number(os.Args[1]), number(os.Args[2])
	o := &objects{table: make([][]uint64, slots)}
	for i := uint64(0); i < slots; i++ {
		o.replace(i)
	}
	for i := uint64(0); i < turns*slots; i++ {
		o.replace(randomBelow(slots))
	}
	settle := time.Duration(number(os.Args[3])) * time.Millisecond
	peak := statusBytes("VmHWM")
	now := settledBytes(settle)
	live := float64(o.liveBytes)
	for i := uint64(0); i < slots; i++ {
		if randomBelow(2) == 0 {
			o.drop(i)
		}
	}
	half := settledBytes(settle)
	fmt.Printf("checksum fragmentation %d %d: %d live=%d peak=%d\n", slots,
		turns, o.sum, o.liveBytes, o.peak)
	fmt.Printf("metric rss_over_live %.4f\n", now/live)
	fmt.Printf("metric rss_over_live_peak %.4f\n", peak/float64(o.peak))
	fmt.Printf("metric rss_over_live_half %.4f\n", half/float64(o.liveBytes))
}
