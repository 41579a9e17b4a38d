// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// Keeps `errno` as the embedder's code left it: the runtime makes system calls
// at places where the program does not expect any (allocation, a store). Used
// by every file of base/ that enters the kernel.
//
// Rule: no suspension between construction and destruction, because the
// address of errno belongs to the thread.
#ifndef TRICOLOR_BASE_ERRNO_SAVER_H_
#define TRICOLOR_BASE_ERRNO_SAVER_H_

#include <cerrno>

namespace tricolor::base {

class ErrnoSaver {
 public:
  ErrnoSaver() : saved_(errno) {}
  ~ErrnoSaver() { errno = saved_; }
  ErrnoSaver(const ErrnoSaver&) = delete;
  ErrnoSaver& operator=(const ErrnoSaver&) = delete;

 private:
  const int saved_;
};

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_ERRNO_SAVER_H_
