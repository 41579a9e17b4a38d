// SPDX-License-Identifier: MIT
//
// The peer `go` of the workload gcbench, one goroutine per mutator. The heap is
// fixed by GOGC=off and GOMEMLIMIT; the arguments and the output are those of
// bench/workloads/gcbench.cc.

package main

import (
	"fmt"
	"sync"

	"tricolor.bench/measure"
)

type node struct {
	left, right *node
	i, j        int32
}

type mutator struct {
	random                      measure.Random
	gap                         measure.Gap
	nodes, holeWords, longLived uint64
	depth                       int
	doubles                     uint64
	hole                        []uint64
	tree                        *node
}

func (m *mutator) node() *node {
	bits := m.random.Next() & 511
	if words := bits & -bits; words > 1 {
		m.hole = make([]uint64, words)
		m.hole[0] = words
		m.hole[words-1] = words
		m.holeWords += m.hole[0]
	}
	m.nodes++
	if m.nodes&63 == 0 {
		m.gap.Look()
	}
	return &node{}
}

func (m *mutator) populate(at *node, depth int) {
	if depth == 0 {
		return
	}
	at.left = m.node()
	at.right = m.node()
	m.populate(at.left, depth-1)
	m.populate(at.right, depth-1)
}

func (m *mutator) build(depth int) *node {
	if depth == 0 {
		return m.node()
	}
	left := m.build(depth - 1)
	right := m.build(depth - 1)
	top := m.node()
	top.left, top.right = left, right
	return top
}

func (n *node) count() uint64 {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

func (m *mutator) run() {
	longLived := m.node()
	m.populate(longLived, m.depth)
	array := make([]float64, m.doubles)
	for i := range array {
		array[i] = 1 / float64(i+1)
	}
	for depth := 4; depth <= m.depth; depth += 2 {
		trees := 1 << (m.depth + 4 - depth)
		for i := 0; i < trees; i++ {
			m.tree = m.node()
			m.populate(m.tree, depth)
		}
		for i := 0; i < trees; i++ {
			m.tree = m.build(depth)
		}
		m.tree = nil
	}
	m.longLived = longLived.count()
	if array[m.doubles/2] != 1/float64(m.doubles/2+1) {
		m.longLived = 0
	}
}

func main() {
	before := measure.StatusBytes("VmHWM")
	begin := measure.Now()
	args := measure.Arguments("MUTATORS", "HEAP_BYTES", "DEPTH", "DOUBLES")
	var stops measure.Stops
	stops.Begin()
	mutators := make([]*mutator, args[0])
	var done sync.WaitGroup
	for i := range mutators {
		m := &mutator{random: measure.NewRandom(uint64(i)), depth: int(args[2]),
			doubles: args[3]}
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
		sum.nodes += m.nodes
		sum.holeWords += m.holeWords
		sum.longLived += m.longLived
		if m.gap.Max > sum.gap.Max {
			sum.gap.Max = m.gap.Max
		}
	}
	fmt.Printf("checksum gcbench %d: nodes=%d holes=%d long=%d\n", args[0],
		sum.nodes, sum.holeWords, sum.longLived)
	fmt.Printf("metric work_s %.6f\n", work.Seconds())
	fmt.Printf("metric pause_max_us %.3f\n", stops.StopMicros(1))
	fmt.Printf("metric gap_max_us %.3f\n", measure.Microseconds(sum.gap.Max))
	measure.PeakOver(before, args[1])
}
