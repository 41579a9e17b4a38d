// SPDX-License-Identifier: MIT
//
// The peer `go` of the workload pauses: the stops are those that the runtime
// reports. The arguments and the output are those of
// bench/workloads/pauses.cc.

package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"tricolor.bench/measure"
)

// The begin of every cell, whatever its size; a list links the begins.
type cell struct {
	next   *cell
	number uint64
}

type cell32 struct {
	cell
	_ [16]byte
}
type cell48 struct {
	cell
	_ [32]byte
}
type cell64 struct {
	cell
	_ [48]byte
}
type cell96 struct {
	cell
	_ [80]byte
}
type cell128 struct {
	cell
	_ [112]byte
}
type cell192 struct {
	cell
	_ [176]byte
}
type cell256 struct {
	cell
	_ [240]byte
}

const (
	listCells = 256
	listBytes = listCells / 8 * 832
)

func newCell(size int) *cell {
	switch size {
	case 0:
		return &cell{}
	case 1:
		return &(&cell32{}).cell
	case 2:
		return &(&cell48{}).cell
	case 3:
		return &(&cell64{}).cell
	case 4:
		return &(&cell96{}).cell
	case 5:
		return &(&cell128{}).cell
	case 6:
		return &(&cell192{}).cell
	}
	return &(&cell256{}).cell
}

func build(gap *measure.Gap) *cell {
	var first *cell
	for i := 0; i < listCells; i++ {
		c := newCell(i % 8)
		c.next = first
		c.number = uint64(i)
		first = c
		if gap != nil {
			gap.Look()
		}
	}
	return first
}

var enough atomic.Bool

// Puts new lists in the place of old ones until there were enough cycles.
func churn(lists []*cell, seed uint64) time.Duration {
	random := measure.NewRandom(seed)
	var gap measure.Gap
	for !enough.Load() {
		at := random.Next() % uint64(len(lists))
		lists[at] = build(&gap)
	}
	return gap.Max
}

func watch(cycles uint64) {
	for begin := measure.Cycles(); measure.Cycles()-begin < cycles; {
		time.Sleep(10 * time.Millisecond)
	}
	enough.Store(true)
}

func fail(problem string) {
	fmt.Fprintln(os.Stderr, problem)
	os.Exit(1)
}

func count(lists []*cell) uint64 {
	cells := uint64(0)
	for _, list := range lists {
		number := uint64(listCells)
		for c := list; c != nil; c = c.next {
			if number--; c.number != number {
				fail("a cell is not what it was")
			}
			cells++
		}
	}
	return cells
}

func main() {
	args := measure.Arguments("BYTES", "PARKED", "CYCLES", "PERCENT")
	lists := make([]*cell, args[0]/listBytes)
	for i := range lists {
		lists[i] = build(nil)
	}
	wake := make(chan struct{})
	var parked, churning sync.WaitGroup
	for i := uint64(0); i < args[1]; i++ {
		parked.Add(1)
		go func(held *cell, i uint64) {
			defer parked.Done()
			<-wake
			if held.number != i {
				fail("a held cell is not what it was")
			}
		}(&cell{number: i}, i)
	}
	debug.SetGCPercent(int(args[3]))
	runtime.GC()
	var stops measure.Stops
	stops.Begin()
	gaps := make([]time.Duration, runtime.GOMAXPROCS(0))
	for i := range gaps {
		churning.Add(1)
		go func(i int) {
			defer churning.Done()
			gaps[i] = churn(lists, uint64(i))
		}(i)
	}
	watch(args[2])
	churning.Wait()
	stops.End()
	close(wake)
	parked.Wait()
	gap := time.Duration(0)
	for _, g := range gaps {
		if g > gap {
			gap = g
		}
	}
	fmt.Printf("checksum pauses %d %d: cells=%d\n", args[0], args[1],
		count(lists))
	fmt.Printf("metric stop_p99_us %.3f\n", stops.StopMicros(0.99))
	fmt.Printf("metric stop_max_us %.3f\n", stops.StopMicros(1))
	fmt.Printf("metric ttsp_p99_us %.3f\n", stops.TtspMicros(0.99))
	fmt.Printf("metric gap_max_us %.3f\n", measure.Microseconds(gap))
}
