// SPDX-License-Identifier: MIT
//
// The peer `go` of the workload quads, one goroutine per mutator. The heap is
// fixed by GOGC=off and GOMEMLIMIT; the arguments and the output are those of
// bench/workloads/quads.cc.

package main

import (
	"fmt"
	"sync"

	"tricolor.bench/measure"
)

const (
	rounds     = 20
	smallDepth = 3
	smallQuads = 1 + 4 + 16 + 64
	quadBytes  = 32
)

type quad struct{ kids [4]*quad }

type mutator struct {
	gap              measure.Gap
	quads, longLived uint64
	depth            int
	smallPerRound    uint64
	small            *quad
}

func (m *mutator) quad() *quad {
	m.quads++
	if m.quads&63 == 0 {
		m.gap.Look()
	}
	return &quad{}
}

func (m *mutator) fill(at *quad, depth int) {
	if depth == 0 {
		return
	}
	for i := range at.kids {
		at.kids[i] = m.quad()
		m.fill(at.kids[i], depth-1)
	}
}

func (m *mutator) build(depth int) *quad {
	top := m.quad()
	m.fill(top, depth)
	return top
}

// 0 if a node is missing.
func (q *quad) count(depth int) uint64 {
	if depth == 0 {
		return 1
	}
	n := uint64(1)
	for _, kid := range q.kids {
		if kid == nil {
			return 0
		}
		below := kid.count(depth - 1)
		if below == 0 {
			return 0
		}
		n += below
	}
	return n
}

func (m *mutator) run() {
	large := m.build(m.depth)
	for round := 0; round < rounds; round++ {
		for i := uint64(0); i < m.smallPerRound; i++ {
			m.small = m.build(smallDepth)
		}
	}
	m.longLived = large.count(m.depth)
}

func main() {
	before := measure.StatusBytes("VmHWM")
	begin := measure.Now()
	args := measure.Arguments("MUTATORS", "HEAP_BYTES", "DEPTH")
	var stops measure.Stops
	stops.Begin()
	mutators := make([]*mutator, args[0])
	var done sync.WaitGroup
	for i := range mutators {
		m := &mutator{depth: int(args[2]),
			smallPerRound: args[1] / args[0] * 13 / 100 / (smallQuads * quadBytes)}
		mutators[i] = m
		done.Add(1)
		go func() {
			defer done.Done()
			m.run()
		}()
	}
	done.Wait()
	work := measure.Now() - begin
	stops.End()
	var sum mutator
	for _, m := range mutators {
		sum.quads += m.quads
		sum.longLived += m.longLived
		if m.gap.Max > sum.gap.Max {
			sum.gap.Max = m.gap.Max
		}
	}
	fmt.Printf("checksum quads %d: quads=%d long=%d\n", args[0], sum.quads,
		sum.longLived)
	fmt.Printf("metric work_s %.6f\n", work.Seconds())
	fmt.Printf("metric pause_max_us %.3f\n", stops.StopMicros(1))
	fmt.Printf("metric gap_max_us %.3f\n", measure.Microseconds(sum.gap.Max))
	measure.PeakOver(before, args[1])
}
