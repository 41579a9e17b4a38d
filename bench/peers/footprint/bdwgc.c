// SPDX-License-Identifier: MIT
//
// What the Boehm-Demers-Weiser collector costs before it is used: the memory
// and the threads that GC_INIT adds. It cannot be taken down again, so this
// process is not a warm one. GC_THREADS, as in any program with threads. The
// peer `bdwgc` of the workload footprint; the argument is ignored.

#define GC_THREADS
#include <gc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// One line of /proc/self/status, 0 if it is not there.
static long status(const char* name) {
  FILE* file = fopen("/proc/self/status", "r");
  char line[256];
  long value = 0;
  size_t length = strlen(name);
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    if (strncmp(line, name, length) == 0 && line[length] == ':') {
      value = strtol(line + length + 1, NULL, 10);
    }
  }
  if (file != NULL) fclose(file);
  return value;
}

int main(void) {
  status("VmRSS");  // What reading it costs is there before.
  long rss_kib = status("VmRSS");
  long threads = status("Threads");
  GC_INIT();
  usleep(20000);
  printf("checksum footprint\n");
  printf("metric empty_rss_kib %ld\n", status("VmRSS") - rss_kib);
  printf("metric threads %ld\n", status("Threads") - threads);
  return 0;
}
