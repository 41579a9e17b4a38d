// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Error: what a fallible call returns besides its value. No exceptions, no
// allocation: the text lies in the object. Any thread may build one.
#ifndef TRICOLOR_ERROR_H_
#define TRICOLOR_ERROR_H_

#include <cstddef>

namespace tricolor {

enum class ErrorCode {
  kOk = 0,
  kInvalidArgument,  ///< the text names the argument and what would be right
  kOutOfMemory,
  kLimit,  ///< a documented limit of this runtime was reached
  kOs,     ///< the operating system refused; the text has the call and errno
  kState,  ///< the call is not legal now
};

/// The result of a fallible call. `text` is a complete English sentence part
/// that says what was wrong, where, and what would be right.
struct Error {
  ErrorCode code = ErrorCode::kOk;
  int os_errno = 0;
  char text[240] = {};

  bool ok() const { return code == ErrorCode::kOk; }
};

}  // namespace tricolor

#endif  // TRICOLOR_ERROR_H_
