// SPDX-License-Identifier: MIT
//
// The peer in Java of the workload gcbench, one thread per mutator. The heap is
// fixed by -Xmx; the arguments and the output are those of
// bench/workloads/gcbench.cc.

final class Main {
  static final class Node {
    Node left, right;
    int i, j;
  }

  static final class Mutator implements Runnable {
    private final Measure.Random random;
    private final int maxDepth, doubles;
    final Measure.Gap gap = new Measure.Gap();
    long nodes, holeWords, longLived;
    private long[] hole;
    private Node tree;

    Mutator(long seed, int maxDepth, int doubles) {
      random = new Measure.Random(seed);
      this.maxDepth = maxDepth;
      this.doubles = doubles;
    }

    private Node node() {
      long bits = random.next() & 511;
      int words = (int) (bits & -bits);
      if (words > 1) {
        hole = new long[words];
        hole[0] = words;
        hole[words - 1] = words;
        holeWords += hole[0];
      }
      if ((++nodes & 63) == 0) gap.look();
      return new Node();
    }

    private void populate(Node at, int depth) {
      if (depth == 0) return;
      at.left = node();
      at.right = node();
      populate(at.left, depth - 1);
      populate(at.right, depth - 1);
    }

    private Node build(int depth) {
      if (depth == 0) return node();
      Node left = build(depth - 1);
      Node right = build(depth - 1);
      Node top = node();
      top.left = left;
      top.right = right;
      return top;
    }

    private static long count(Node at) {
      return at == null ? 0 : 1 + count(at.left) + count(at.right);
    }

    @Override
    public void run() {
      Node kept = node();
      populate(kept, maxDepth);
      double[] array = new double[doubles];
      for (int i = 0; i < doubles; i++) array[i] = 1.0 / (i + 1);
      for (int depth = 4; depth <= maxDepth; depth += 2) {
        long trees = 1L << (maxDepth + 4 - depth);
        for (long i = 0; i < trees; i++) {
          tree = node();
          populate(tree, depth);
        }
        for (long i = 0; i < trees; i++) tree = build(depth);
        tree = null;
      }
      longLived = count(kept);
      if (array[doubles / 2] != 1.0 / (doubles / 2 + 1)) longLived = 0;
    }
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 4) {
      System.err.println("usage: Main MUTATORS HEAP_BYTES DEPTH DOUBLES");
      System.exit(2);
    }
    long begin = System.nanoTime();
    int n = Integer.parseInt(args[0]);
    Mutator[] mutators = new Mutator[n];
    Thread[] threads = new Thread[n];
    for (int i = 0; i < n; i++) {
      mutators[i] =
          new Mutator(i, Integer.parseInt(args[2]), Integer.parseInt(args[3]));
      threads[i] = new Thread(mutators[i]);
      threads[i].start();
    }
    long nodes = 0, holeWords = 0, longLived = 0, gap = 0;
    for (int i = 0; i < n; i++) {
      threads[i].join();
      nodes += mutators[i].nodes;
      holeWords += mutators[i].holeWords;
      longLived += mutators[i].longLived;
      gap = Math.max(gap, mutators[i].gap.max);
    }
    double work = (System.nanoTime() - begin) / 1e9;
    System.out.printf("checksum gcbench %d: nodes=%d holes=%d long=%d%n", n,
        nodes, holeWords, longLived);
    Measure.print("work_s", work);
    Measure.print("pause_max_us", Measure.stopMaxMicros());
    Measure.print("gap_max_us", gap / 1e3);
  }
}
