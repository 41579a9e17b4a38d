// SPDX-License-Identifier: MIT
//
// The modes that time one operation: yield, spawn, chan, coro, timers.

package main

import (
	"runtime"
	"sync"
	"time"

	"tricolor.bench/measure"
)

func runYield(args arguments) {
	var ended sync.WaitGroup
	begin := measure.Now()
	for task := 0; task < 2; task++ {
		ended.Add(1)
		go func() {
			defer ended.Done()
			for i := uint64(0); i < args.a; i++ {
				runtime.Gosched()
			}
		}()
	}
	ended.Wait()
	d := measure.Now() - begin
	printChecksum(args, 2*args.a)
	printMetric("yield_ns", perOperation(d, 2*args.a))
}

const batch = 1000

// Spawns so many batches and waits for each; returns how many tasks that were.
func spawnBatches(batches uint64) uint64 {
	var ended sync.WaitGroup
	tasks := uint64(0)
	for i := uint64(0); i < batches; i++ {
		ended.Add(batch)
		for task := 0; task < batch; task++ {
			go ended.Done()
		}
		ended.Wait()
		tasks += batch
	}
	return tasks
}

func runSpawn(args arguments) {
	spawnBatches(1)
	begin := measure.Now()
	tasks := spawnBatches(args.a)
	d := measure.Now() - begin
	printChecksum(args, tasks)
	printMetric("spawn_ns", perOperation(d, tasks))
}

func runChan(args arguments) {
	request, reply := make(chan uint64), make(chan uint64)
	result := make(chan uint64)
	begin := measure.Now()
	go func() {
		for value := range request {
			reply <- value + 1
		}
	}()
	go func() {
		sum := uint64(0)
		for i := uint64(0); i < args.a; i++ {
			request <- i
			sum += <-reply
		}
		close(request)
		result <- sum
	}()
	sum := <-result
	d := measure.Now() - begin
	printChecksum(args, sum)
	printMetric("chan_ns", perOperation(d, args.a))
}

func runCoro(args arguments) {
	next, stop := countUp()
	defer stop()
	next()
	sum := uint64(0)
	begin := measure.Now()
	for i := uint64(0); i < args.a; i++ {
		value, _ := next()
		sum += value
	}
	d := measure.Now() - begin
	printChecksum(args, sum)
	printMetric("coro_ns", perOperation(d, 2*args.a))
}

// The times at which timers would fire: from one hour to two from now.
func someTime(random *measure.Random) time.Duration {
	return time.Hour + time.Duration(random.Next()%3600)*time.Second
}

func runTimers(args arguments) {
	random := measure.NewRandom(1)
	fired := func() { fail("a timer fired") }
	timers := make([]*time.Timer, args.a)
	for i := range timers {
		timers[i] = time.AfterFunc(someTime(&random), fired)
	}
	timer := time.AfterFunc(someTime(&random), fired)
	timer.Stop()
	stopped := uint64(0)
	begin := measure.Now()
	for i := uint64(0); i < args.b; i++ {
		timer.Reset(someTime(&random))
		if timer.Stop() {
			stopped++
		}
	}
	d := measure.Now() - begin
	for _, each := range timers {
		if each.Stop() {
			stopped++
		}
	}
	printChecksum(args, stopped)
	printMetric("timers_ns", perOperation(d, args.b))
}
