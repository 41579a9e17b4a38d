// SPDX-License-Identifier: MIT
//
// The modes with many tasks at once: skynet, sleepers, parked.

package main

import (
	"sync"
	"sync/atomic"
	"time"

	"tricolor.bench/measure"
)

const fan = 10

func skynet(parent chan uint64, first, leaves uint64) {
	if leaves == 1 {
		parent <- first
		return
	}
	children := make(chan uint64)
	for i := uint64(0); i < fan; i++ {
		go skynet(children, first+i*leaves/fan, leaves/fan)
	}
	sum := uint64(0)
	for i := 0; i < fan; i++ {
		sum += <-children
	}
	parent <- sum
}

func runSkynet(args arguments) {
	result := make(chan uint64)
	begin := measure.Now()
	go skynet(result, 0, args.a)
	sum := <-result
	d := measure.Now() - begin
	printChecksum(args, sum)
	printMetric("skynet_s", d.Seconds())
}

func runSleepers(args arguments) {
	var ended sync.WaitGroup
	var slept atomic.Uint64
	begin := measure.Now()
	for i := uint64(0); i < args.a; i++ {
		ended.Add(1)
		go func() {
			defer ended.Done()
			time.Sleep(time.Duration(args.b))
			slept.Add(1)
		}()
	}
	ended.Wait()
	d := measure.Now() - begin
	printChecksum(args, slept.Load())
	printMetric("sleepers_s", d.Seconds())
}

func runParked(args arguments) {
	var ended sync.WaitGroup
	var asleep, woken atomic.Uint64
	wake := make(chan struct{})
	rss, pte := measure.StatusBytes("VmRSS"), measure.StatusBytes("VmPTE")
	begin := measure.Now()
	for i := uint64(0); i < args.a; i++ {
		ended.Add(1)
		go func() {
			defer ended.Done()
			asleep.Add(1)
			<-wake
			woken.Add(1)
		}()
	}
	for asleep.Load() < args.a {
		time.Sleep(time.Millisecond)
	}
	looks := measure.Now()
	rss = measure.StatusBytes("VmRSS") - rss
	pte = measure.StatusBytes("VmPTE") - pte
	looked := measure.Now()
	close(wake)
	ended.Wait()
	d := looks - begin + measure.Now() - looked
	printChecksum(args, woken.Load())
	printMetric("parked_bytes", float64(rss)/float64(args.a))
	printMetric("parked_pte_bytes", float64(pte)/float64(args.a))
	printMetric("parked_s", d.Seconds())
}
