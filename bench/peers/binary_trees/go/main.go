// SPDX-License-Identifier: MIT
//
// Binary trees in Go: one goroutine per job, the runtime's own allocator and
// collector with default knobs. The peer `go` of the workload binary_trees;
// the argument is the depth of the long-lived tree. Prints the checksum line
// of bench/README.md.

package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
)

const depthStep = 4

type node struct {
	left, right *node
}

type job struct {
	depth, trees, nodes int
}

func build(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{build(depth - 1), build(depth - 1)}
}

func (n *node) count() int {
	if n.left == nil {
		return 1
	}
	return 1 + n.left.count() + n.right.count()
}

func (j *job) run() {
	for t := 0; t < j.trees; t++ {
		j.nodes += build(j.depth).count()
	}
}

func main() {
	maxDepth := 21
	if len(os.Args) > 1 {
		depth, err := strconv.Atoi(os.Args[1])
		if err != nil || depth < 1 || depth > 40 {
			fmt.Fprintf(os.Stderr, "usage: %s DEPTH (1 to 40)\n", os.Args[0])
			os.Exit(2)
		}
		maxDepth = depth
	}
	longLived := build(maxDepth)
	var jobs []*job
	for depth := depthStep; depth < maxDepth; depth += depthStep {
		jobs = append(jobs, &job{depth: depth, trees: 1 << (maxDepth + 4 - depth)})
	}
	var done sync.WaitGroup
	for _, j := range jobs {
		done.Add(1)
		go func(j *job) {
			defer done.Done()
			j.run()
		}(j)
	}
	done.Wait()

	fmt.Printf("checksum binary_trees %d:", maxDepth)
	for _, j := range jobs {
		fmt.Printf(" %d=%d", j.depth, j.nodes)
	}
	fmt.Printf(" long=%d\n", longLived.count())
}
