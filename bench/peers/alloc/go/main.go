// SPDX-License-Identifier: MIT
//
// The peer `go` of the workload alloc: a ring of 1,024 pointers to arrays
// without pointers, each new one in the place of the oldest. The arguments and
// the output are those of bench/workloads/alloc.cc.

package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const ringLength = 1024

type payload interface {
	[16 / 8]uint64 | [32 / 8]uint64 | [64 / 8]uint64 | [128 / 8]uint64 |
		[1024 / 8]uint64 | [8192 / 8]uint64 | [1048576 / 8]uint64
}

func churn[T payload](count uint64) uint64 {
	ring := new([ringLength]*T)
	sum := uint64(0)
	for i := uint64(0); i < count; i++ {
		object := new(T)
		for w := 0; w < len(*object); w++ {
			(*object)[w] = i + uint64(w)
		}
		slot := &ring[i%ringLength]
		if oldest := *slot; oldest != nil {
			sum += (*oldest)[0] + (*oldest)[len(*oldest)-1]
		}
		*slot = object
	}
	return sum
}

var churnOf = map[string]func(uint64) uint64{
	"16":      churn[[16 / 8]uint64],
	"32":      churn[[32 / 8]uint64],
	"64":      churn[[64 / 8]uint64],
	"128":     churn[[128 / 8]uint64],
	"1024":    churn[[1024 / 8]uint64],
	"8192":    churn[[8192 / 8]uint64],
	"1048576": churn[[1048576 / 8]uint64],
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

// The most memory this process has had resident. Not ru_maxrss, in which Linux
// keeps what the process was before exec.
func peakRSSMiB() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fail(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			return float64(number(fields[1])) / 1024
		}
	}
	return 0
}

func runSize(bytes string, count, minCycles uint64) {
	emptyMiB := peakRSSMiB()
	sum := churnOf[bytes](count)
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	cpu := usage.Utime.Nano() + usage.Stime.Nano()
	fmt.Printf("checksum alloc %s %d: %d\n", bytes, count, sum)
	fmt.Printf("metric cpu_ns %.4f\n", float64(cpu)/float64(count))
	fmt.Printf("metric rss_over_empty_mib %.3f\n", peakRSSMiB()-emptyMiB)
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if uint64(stats.NumGC) < minCycles {
		fail(fmt.Sprintf("%d collections, the definition wants %d", stats.NumGC,
			minCycles))
	}
}

func objectsPerSecond(mutators int, count uint64, sum *uint64) float64 {
	runtime.GOMAXPROCS(mutators)
	sums := make([]uint64, mutators)
	begin := time.Now()
	var done sync.WaitGroup
	for i := range sums {
		done.Add(1)
		go func(i int) {
			defer done.Done()
			sums[i] = churn[[64 / 8]uint64](count)
		}(i)
	}
	done.Wait()
	elapsed := time.Since(begin)
	for _, s := range sums {
		*sum += s
	}
	return float64(mutators) * float64(count) / elapsed.Seconds()
}

func runScale(count uint64) {
	sum := uint64(0)
	one := objectsPerSecond(1, count, &sum)
	two := objectsPerSecond(2, count, &sum)
	fmt.Printf("checksum alloc scale %d: %d\n", count, sum)
	fmt.Printf("metric scale_2 %.4f\n", two/one)
}

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "scale":
		runScale(number(os.Args[2]))
	case len(os.Args) == 4 && churnOf[os.Args[1]] != nil:
		runSize(os.Args[1], number(os.Args[2]), number(os.Args[3]))
	default:
		fmt.Fprintf(os.Stderr, "usage: %s BYTES COUNT MIN_CYCLES | scale COUNT\n",
			os.Args[0])
		os.Exit(2)
	}
}
