// SPDX-License-Identifier: MIT
//
// The peer in Java of the workload message_window. The arguments and the output
// are those of bench/workloads/message_window.cc.

import java.util.Arrays;

final class Main {
  private static final int MESSAGE_BYTES = 1024;

  private static int at(int[] sorted, double q) {
    long i = Math.min((long) (q * sorted.length), sorted.length - 1);
    return sorted[(int) i];
  }

  public static void main(String[] args) {
    if (args.length != 2) {
      System.err.println("usage: Main SLOTS PUSHES");
      System.exit(2);
    }
    int slots = Integer.parseInt(args[0]), pushes = Integer.parseInt(args[1]);
    int[] pushNs = new int[pushes];
    Arrays.fill(pushNs, 1); // Touched, so that no push has to.
    long sum = 0;
    long begin = System.nanoTime();
    byte[][] window = new byte[slots][];
    for (int i = 0; i < pushes; i++) {
      long pushBegin = System.nanoTime();
      byte[] message = new byte[MESSAGE_BYTES];
      Arrays.fill(message, (byte) i);
      byte[] oldest = window[i % slots];
      if (oldest != null) sum += oldest[MESSAGE_BYTES - 1] & 255;
      window[i % slots] = message;
      pushNs[i] = (int) (System.nanoTime() - pushBegin);
    }
    for (byte[] message : window) {
      if (message != null) sum += message[0] & 255;
    }
    double work = (System.nanoTime() - begin) / 1e9;
    Arrays.sort(pushNs);
    System.out.printf("checksum message_window %d %d: %d%n", slots, pushes, sum);
    Measure.print("push_p50_ns", at(pushNs, 0.5));
    Measure.print("push_p99_ns", at(pushNs, 0.99));
    Measure.print("push_p999_ns", at(pushNs, 0.999));
    Measure.print("push_p9999_ns", at(pushNs, 0.9999));
    Measure.print("push_max_ns", at(pushNs, 1));
    Measure.print("work_s", work);
  }
}
