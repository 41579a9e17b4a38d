// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// How many file descriptors this process has open, and a pair of connected
// non-blocking sockets.
#ifndef TESTS_UNIT_POLL_FDS_H_
#define TESTS_UNIT_POLL_FDS_H_

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace tricolor::testing {

inline int count_fds() {
  DIR* dir = ::opendir("/proc/self/fd");
  int count = -1;  // the directory itself
  while (dirent* entry = ::readdir(dir)) count += entry->d_name[0] != '.';
  ::closedir(dir);
  return count;
}

struct SocketPair {
  SocketPair() {
    EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
  }
  int fds[2];
};

}  // namespace tricolor::testing

#endif  // TESTS_UNIT_POLL_FDS_H_
