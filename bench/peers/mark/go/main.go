// SPDX-License-Identifier: MIT
//
// The peer `go` of the workload mark: the same graphs, collected by
// runtime.GC(). The arguments and the output are those of
// bench/workloads/mark.cc.

package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"time"
)

type treeNode struct {
	left, right *treeNode
}

type node2 struct {
	edges [2]*node2
	data  [2]uint64
}

type node8 struct {
	edges [8]*node8
}

type random struct{ state uint64 }

func (r *random) below(n uint64) uint64 {
	r.state ^= r.state << 13
	r.state ^= r.state >> 7
	r.state ^= r.state << 17
	return r.state % n
}

func buildTree(depth int) *treeNode {
	node := new(treeNode)
	if depth > 0 {
		node.left = buildTree(depth - 1)
		node.right = buildTree(depth - 1)
	}
	return node
}

func countTree(node *treeNode) uint64 {
	if node == nil {
		return 0
	}
	return 1 + countTree(node.left) + countTree(node.right)
}

// Calls set(from, edge, to) for every edge, of nodes by number.
func eachEdge(count uint64, edges int, list bool, set func(from uint32, e int,
	to uint32)) {
	r := random{0x9e3779b97f4a7c15}
	order := make([]uint32, count)
	for i := range order {
		order[i] = uint32(i)
	}
	for i := count - 1; !list && i > 0; i-- {
		j := r.below(i + 1)
		order[i], order[j] = order[j], order[i]
	}
	for i := uint64(0); i < count; i++ {
		set(order[i], 0, order[(i+1)%count])
		for e := 1; e < edges && !list; e++ {
			set(order[i], e, uint32(r.below(count)))
		}
	}
}

func build2(count uint64, list bool) *node2 {
	nodes := make([]*node2, count)
	for i := range nodes {
		nodes[i] = new(node2)
	}
	eachEdge(count, 2, list, func(from uint32, e int, to uint32) {
		nodes[from].edges[e] = nodes[to]
	})
	return nodes[0]
}

func build8(count uint64) *node8 {
	nodes := make([]*node8, count)
	for i := range nodes {
		nodes[i] = new(node8)
	}
	eachEdge(count, 8, false, func(from uint32, e int, to uint32) {
		nodes[from].edges[e] = nodes[to]
	})
	return nodes[0]
}

func cycle(count func() bool) uint64 {
	n := uint64(1)
	for count() {
		n++
	}
	return n
}

func run(shape string, count uint64, rounds int) {
	var found func() uint64
	switch shape {
	case "tree":
		depth := 0
		for (uint64(2)<<depth)-1 < count {
			depth++
		}
		count = (uint64(2) << depth) - 1
		tree := buildTree(depth)
		found = func() uint64 { return countTree(tree) }
	case "fan8":
		first := build8(count)
		found = func() uint64 {
			at := first
			return cycle(func() bool { at = at.edges[0]; return at != first })
		}
	default:
		first := build2(count, shape == "list")
		found = func() uint64 {
			at := first
			return cycle(func() bool { at = at.edges[0]; return at != first })
		}
	}
	runtime.GC()
	full := make([]float64, rounds)
	for i := range full {
		begin := time.Now()
		runtime.GC()
		full[i] = float64(time.Since(begin).Nanoseconds()) / float64(count)
	}
	sort.Float64s(full)
	fmt.Printf("checksum mark %s: %d\n", shape, found())
	fmt.Printf("metric full_ns %.4f\n", full[rounds/2])
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--smoke" {
		for _, shape := range []string{"tree", "random", "list", "fan8"} {
			run(shape, 1023, 1)
		}
		return
	}
	if len(os.Args) != 4 {
		fmt.Fprintf(os.Stderr, "usage: %s SHAPE COUNT ROUNDS | --smoke\n",
			os.Args[0])
		os.Exit(2)
	}
	count, err := strconv.ParseUint(os.Args[2], 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	rounds, err := strconv.Atoi(os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	run(os.Args[1], count, rounds)
}
