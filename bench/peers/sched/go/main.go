// SPDX-License-Identifier: MIT
//
// The peer `go` of the workload sched. The arguments and the output are those
// of bench/workloads/sched.cc; the modes have its files' names.

package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"tricolor.bench/measure"
)

type arguments struct {
	mode  string
	procs int
	a, b  uint64
}

var modes = map[string]func(args arguments){
	"yield":       runYield,
	"spawn":       runSpawn,
	"coro":        runCoro,
	"chan":        runChan,
	"skynet":      runSkynet,
	"skynet_chan": runSkynet,
	"sleepers":    runSleepers,
	"parked":      runParked,
	"timers":      runTimers,
	"scale":       runScale,
	"hog":         runHog,
	"hog_chan":    runHogChan,
	"ready":       runReady,
	"gc":          runGc,
	"late":        runLate,
	"idle":        runIdle,
}

func fail(problem string) {
	fmt.Fprintln(os.Stderr, problem)
	os.Exit(1)
}

// A microsecond or so of arithmetic.
func compute(x uint64) uint64 {
	for i := 0; i < 512; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

func milliseconds(n uint64) time.Duration {
	return time.Duration(n) * time.Millisecond
}

func printChecksum(args arguments, sum uint64) {
	fmt.Printf("checksum sched %s %d %d %d: %d\n", args.mode, args.procs,
		args.a, args.b, sum)
}

func printMetric(name string, value float64) {
	fmt.Printf("metric %s %.6g\n", name, value)
}

func perOperation(d time.Duration, operations uint64) float64 {
	return float64(d.Nanoseconds()) / float64(operations)
}

func main() {
	if len(os.Args) != 5 || modes[os.Args[1]] == nil {
		fail("usage: " + os.Args[0] + " MODE PROCS A B")
	}
	args := arguments{os.Args[1], int(measure.Number(os.Args[2])),
		measure.Number(os.Args[3]), measure.Number(os.Args[4])}
	runtime.GOMAXPROCS(args.procs)
	modes[args.mode](args)
}
