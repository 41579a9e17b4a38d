// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What the files of the string library share.
#ifndef TLUA_LIB_STRING_H_
#define TLUA_LIB_STRING_H_

#include "lib.h"

namespace tlua {

/// A 1-based start that may count from the end, at least 1.
size_t start_position(int64_t i, size_t length);

int string_format(State& L, int n);

}  // namespace tlua

#endif  // TLUA_LIB_STRING_H_
