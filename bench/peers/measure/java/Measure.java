// SPDX-License-Identifier: MIT
//
// What the peers in Java measure alike: gaps between two looks at the clock,
// and the longest safepoint as the JVM's own log has it (from the request until
// the threads run again). The runner asks for that log.

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class Measure {
  private static final String LOG = "-Xlog:safepoint:file=";
  private static final Pattern TOTAL = Pattern.compile("Total: +(\\d+) ns");

  static final class Gap {
    private long last;
    long max;

    void look() {
      long now = System.nanoTime();
      if (last != 0) max = Math.max(max, now - last);
      last = now;
    }
  }

  /** Marsaglia's xorshift64; every program draws the same numbers. */
  static final class Random {
    private long state;

    Random(long seed) {
      state = 0x9e3779b97f4a7c15L * (seed + 1);
    }

    long next() {
      state ^= state << 13;
      state ^= state >>> 7;
      state ^= state << 17;
      return state >>> 32;
    }
  }

  static double stopMaxMicros() throws IOException {
    long max = 0;
    for (String arg : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (!arg.startsWith(LOG)) continue;
      for (String line : Files.readAllLines(Path.of(arg.substring(LOG.length())))) {
        Matcher total = TOTAL.matcher(line);
        if (total.find()) max = Math.max(max, Long.parseLong(total.group(1)));
      }
    }
    return max / 1e3;
  }

  static void print(String metric, double value) {
    System.out.printf("metric %s %.6f%n", metric, value);
  }

  private Measure() {}
}
