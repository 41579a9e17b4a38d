// SPDX-License-Identifier: MIT
//
// The modes that set what a task gets against what it gets alone, and those
// that wait: scale, hog, hog_chan, ready, gc, late, idle.

package main

import (
	"runtime"
	"sort"
	"sync"
	"syscall"
	"time"

	"tricolor.bench/measure"
)

func timeWork(procs int, args arguments) (d time.Duration, sum uint64) {
	runtime.GOMAXPROCS(procs)
	results := make(chan uint64, args.a)
	begin := measure.Now()
	for i := uint64(0); i < args.a; i++ {
		go func(x uint64) {
			for piece := uint64(0); piece < args.b; piece++ {
				x = compute(x)
			}
			results <- x
		}(i + 1)
	}
	for i := uint64(0); i < args.a; i++ {
		sum += <-results
	}
	return measure.Now() - begin, sum
}

func runScale(args arguments) {
	one, _ := timeWork(1, args)
	all, sum := timeWork(args.procs, args)
	printChecksum(args, sum)
	printMetric("scale", float64(one)/float64(all))
}

// Computes until the end, at least once; returns how often.
func hogUntil(end time.Duration) (units float64) {
	x := uint64(1)
	for again := true; again; again = measure.Now() < end {
		x = compute(x)
		units++
	}
	if x == 0 {
		fail("the generator has stopped")
	}
	return units
}

func yieldUntil(end time.Duration) (yields float64) {
	for again := true; again; again = measure.Now() < end {
		runtime.Gosched()
		yields++
	}
	return yields
}

// Runs every one of these tasks; returns what each did.
func together(tasks ...func() float64) []float64 {
	var ended sync.WaitGroup
	done := make([]float64, len(tasks))
	for i := range tasks {
		ended.Add(1)
		go func(i int) {
			defer ended.Done()
			done[i] = tasks[i]()
		}(i)
	}
	ended.Wait()
	return done
}

func runHog(args arguments) {
	var end time.Duration
	hog := func() float64 { return hogUntil(end) }
	yielder := func() float64 { return yieldUntil(end) }
	again := func() { end = measure.Now() + milliseconds(args.a) }
	again()
	alone := together(hog)
	again()
	pair := together(yielder, yielder)
	again()
	all := together(hog, yielder, yielder)
	printChecksum(args, 0)
	printMetric("hog_share", all[0]/alone[0]*3)
	printMetric("pair_share", (all[1]+all[2])/(pair[0]+pair[1])*3/2)
}

// A task that asks and one that answers, until the end.
func askAndAnswer(end *time.Duration) (ask, answer func() float64) {
	request, reply := make(chan uint64), make(chan uint64)
	ask = func() (rounds float64) {
		for again := true; again; again = measure.Now() < *end {
			request <- 0
			<-reply
			rounds++
		}
		close(request)
		return rounds
	}
	answer = func() float64 {
		for value := range request {
			reply <- value
		}
		return 0
	}
	return ask, answer
}

func runHogChan(args arguments) {
	var end time.Duration
	hog := func() float64 { return hogUntil(end) }
	again := func() { end = measure.Now() + milliseconds(args.a) }
	again()
	alone := together(hog)
	again()
	ask, answer := askAndAnswer(&end)
	pair := together(ask, answer)
	again()
	ask, answer = askAndAnswer(&end)
	all := together(hog, ask, answer)
	printChecksum(args, 0)
	printMetric("hog_share", all[0]/alone[0]*2)
	printMetric("pair_share", all[1]/pair[0]*2)
}

func runReady(args arguments) {
	tasks := make([]func() float64, args.a)
	end := measure.Now() + milliseconds(args.b)
	for i := range tasks {
		tasks[i] = func() float64 { return yieldUntil(end) }
	}
	done := together(tasks...)
	least, sum := done[0], 0.0
	for _, yields := range done {
		if yields < least {
			least = yields
		}
		sum += yields
	}
	printChecksum(args, 0)
	printMetric("ready_share", least/sum*float64(args.a))
}

type cell struct {
	next  *cell
	words [3]uint64
}

const (
	lists     = 1 << 16
	listCells = 8
)

// Puts new lists in the place of old ones at random.
func churn(table []*cell, end time.Duration) (made float64) {
	random := measure.NewRandom(1)
	for ; measure.Now() < end; made++ {
		var first *cell
		for i := 0; i < listCells; i++ {
			first = &cell{next: first}
		}
		table[random.Next()%lists] = first
	}
	return made
}

func runGc(args arguments) {
	var end time.Duration
	table := make([]*cell, lists)
	hog := func() float64 { return hogUntil(end) }
	other := func() float64 { return churn(table, end) }
	again := func() { end = measure.Now() + milliseconds(args.a) }
	again()
	together(hog, other) // fills the table
	again()
	alone := together(hog)
	cycles := measure.Cycles()
	again()
	beside := together(hog, other)
	if measure.Cycles()-cycles < args.b {
		fail("too few collections")
	}
	share := beside[0] / alone[0]
	if args.procs == 1 {
		share *= 2
	}
	printChecksum(args, 0)
	printMetric("compute_share", share)
}

func lateP99(args arguments, hogs int) float64 {
	var tasks []func() float64
	end := measure.Now() + milliseconds(args.b)
	late := make([][]float64, args.a)
	for i := range late {
		each := &late[i]
		tasks = append(tasks, func() float64 {
			now := measure.Now()
			for again := true; again; again = now < end {
				due := now + time.Millisecond
				time.Sleep(time.Millisecond)
				now = measure.Now()
				*each = append(*each, measure.Microseconds(now-due))
			}
			return 0
		})
	}
	for i := 0; i < hogs; i++ {
		tasks = append(tasks, func() float64 { return hogUntil(end) })
	}
	together(tasks...)
	var all []float64
	for _, each := range late {
		all = append(all, each...)
	}
	sort.Float64s(all)
	return all[len(all)*99/100]
}

func runLate(args arguments) {
	idle := lateP99(args, 0)
	busy := lateP99(args, args.procs)
	printChecksum(args, 0)
	printMetric("late_idle_p99_us", idle)
	printMetric("late_busy_p99_us", busy)
}

func cpuMillis() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		fail("no getrusage")
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

func runIdle(args arguments) {
	tasks := make([]func() float64, 1000)
	for i := range tasks {
		tasks[i] = func() float64 { time.Sleep(time.Millisecond); return 1 }
	}
	ended := uint64(len(together(tasks...)))
	begin := cpuMillis()
	time.Sleep(milliseconds(args.a))
	ms := cpuMillis() - begin
	printChecksum(args, ended)
	printMetric("idle_cpu_ms", ms*30000/float64(args.a))
}
