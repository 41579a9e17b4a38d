// SPDX-License-Identifier: MIT
//
// Package measure has what the peers `go` measure alike: gaps between two
// looks at the clock, the stops that the runtime reports, peak memory.
package measure

import (
	"fmt"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

var origin = time.Now()

// Now is the monotonic clock.
func Now() time.Duration { return time.Since(origin) }

// Gap finds the largest time between two calls of Look.
type Gap struct{ last, Max time.Duration }

func (g *Gap) Look() {
	now := Now()
	if g.last != 0 && now-g.last > g.Max {
		g.Max = now - g.last
	}
	g.last = now
}

func Microseconds(d time.Duration) float64 {
	return float64(d.Nanoseconds()) / 1e3
}

// Stops are the pauses of the collector between Begin and End, and of these
// the time until all Ps had stopped.
type Stops struct{ stop, ttsp histogram }

type histogram struct {
	before  []uint64
	counts  []uint64
	buckets []float64
}

func read(name string) *metrics.Float64Histogram {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return nil // An old Go.
	}
	return sample[0].Value.Float64Histogram()
}

func (h *histogram) begin(name string) {
	if now := read(name); now != nil {
		h.before = append([]uint64(nil), now.Counts...)
	}
}

func (h *histogram) end(name string) {
	now := read(name)
	if now == nil {
		return
	}
	h.buckets = now.Buckets
	h.counts = make([]uint64, len(now.Counts))
	for i := range h.counts {
		h.counts[i] = now.Counts[i] - h.before[i]
	}
}

// The lower bound of the bucket in which the quantile lies, in microseconds.
func (h *histogram) quantile(q float64) float64 {
	total := uint64(0)
	for _, n := range h.counts {
		total += n
	}
	rank, sum := uint64(q*float64(total)), uint64(0)
	if rank >= total && total > 0 {
		rank = total - 1
	}
	for i, n := range h.counts {
		sum += n
		if sum > rank {
			if h.buckets[i] < 0 {
				return 0
			}
			return h.buckets[i] * 1e6
		}
	}
	return 0
}

const (
	total    = "/sched/pauses/total/gc:seconds"
	stopping = "/sched/pauses/stopping/gc:seconds"
)

func (s *Stops) Begin() {
	s.stop.begin(total)
	s.ttsp.begin(stopping)
}

func (s *Stops) End() {
	s.stop.end(total)
	s.ttsp.end(stopping)
}

func (s *Stops) StopMicros(q float64) float64 { return s.stop.quantile(q) }
func (s *Stops) TtspMicros(q float64) float64 { return s.ttsp.quantile(q) }

// Cycles is how many collections have ended.
func Cycles() uint64 {
	sample := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// StatusBytes is one line of /proc/self/status, 0 if it is not there.
func StatusBytes(name string) uint64 {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 1 && fields[0] == name+":" {
			return Number(fields[1]) * 1024
		}
	}
	return 0
}

// PeakOver prints how much more was resident at any time than `before`, over
// what is allowed.
func PeakOver(before, limit uint64) {
	peak := StatusBytes("VmHWM") - before
	fmt.Printf("metric peak_over_heap %.4f\n", float64(peak)/float64(limit))
}

// Number is an argument of the program, or its end.
func Number(text string) uint64 {
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return value
}

// Arguments are those of the program, or its end.
func Arguments(names ...string) []uint64 {
	if len(os.Args) != len(names)+1 {
		fmt.Fprintf(os.Stderr, "usage: %s %s\n", os.Args[0],
			strings.Join(names, " "))
		os.Exit(2)
	}
	var values []uint64
	for _, text := range os.Args[1:] {
		values = append(values, Number(text))
	}
	return values
}

// Random is Marsaglia's xorshift64; every program draws the same numbers.
type Random struct{ state uint64 }

func NewRandom(seed uint64) Random {
	return Random{0x9e3779b97f4a7c15 * (seed + 1)}
}

func (r *Random) Next() uint64 {
	r.state ^= r.state << 13
	r.state ^= r.state >> 7
	r.state ^= r.state << 17
	return r.state >> 32
}
