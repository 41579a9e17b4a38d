// SPDX-License-Identifier: MIT
//
// The peer in Java of the workload quads, one thread per mutator. The heap is
// fixed by -Xmx; the arguments and the output are those of
// bench/workloads/quads.cc.

final class Main {
  private static final int ROUNDS = 20;
  private static final int SMALL_DEPTH = 3;
  private static final long SMALL_BYTES = 32 * (1 + 4 + 16 + 64);

  static final class Quad {
    Quad a, b, c, d;
  }

  static final class Mutator implements Runnable {
    private final int maxDepth;
    private final long smallPerRound;
    final Measure.Gap gap = new Measure.Gap();
    long quads, longLived;
    private Quad small;

    Mutator(int maxDepth, long smallPerRound) {
      this.maxDepth = maxDepth;
      this.smallPerRound = smallPerRound;
    }

    private Quad quad() {
      if ((++quads & 63) == 0) gap.look();
      return new Quad();
    }

    private void fill(Quad at, int depth) {
      if (depth == 0) return;
      fill(at.a = quad(), depth - 1);
      fill(at.b = quad(), depth - 1);
      fill(at.c = quad(), depth - 1);
      fill(at.d = quad(), depth - 1);
    }

    private Quad build(int depth) {
      Quad top = quad();
      fill(top, depth);
      return top;
    }

    /** 0 if a node is missing. */
    private static long count(Quad at, int depth) {
      if (at == null) return 0;
      if (depth == 0) return 1;
      long n = 1;
      for (Quad kid : new Quad[] {at.a, at.b, at.c, at.d}) {
        long below = count(kid, depth - 1);
        if (below == 0) return 0;
        n += below;
      }
      return n;
    }

    @Override
    public void run() {
      Quad large = build(maxDepth);
      for (int round = 0; round < ROUNDS; round++) {
        for (long i = 0; i < smallPerRound; i++) small = build(SMALL_DEPTH);
      }
      longLived = count(large, maxDepth);
    }
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 3) {
      System.err.println("usage: Main MUTATORS HEAP_BYTES DEPTH");
      System.exit(2);
    }
    long begin = System.nanoTime();
    int n = Integer.parseInt(args[0]);
    Mutator[] mutators = new Mutator[n];
    Thread[] threads = new Thread[n];
    for (int i = 0; i < n; i++) {
      mutators[i] = new Mutator(Integer.parseInt(args[2]),
          Long.parseLong(args[1]) / n * 13 / 100 / SMALL_BYTES);
      threads[i] = new Thread(mutators[i]);
      threads[i].start();
    }
    long quads = 0, longLived = 0, gap = 0;
    for (int i = 0; i < n; i++) {
      threads[i].join();
      quads += mutators[i].quads;
      longLived += mutators[i].longLived;
      gap = Math.max(gap, mutators[i].gap.max);
    }
    double work = (System.nanoTime() - begin) / 1e9;
    System.out.printf("checksum quads %d: quads=%d long=%d%n", n, quads,
        longLived);
    Measure.print("work_s", work);
    Measure.print("pause_max_us", Measure.stopMaxMicros());
    Measure.print("gap_max_us", gap / 1e3);
  }
}
