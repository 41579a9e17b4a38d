// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What the files of the table library share.
#ifndef TLUA_LIB_TABLE_H_
#define TLUA_LIB_TABLE_H_

#include "lib.h"

namespace tlua {

int table_sort(State& L, int n);

}  // namespace tlua

#endif  // TLUA_LIB_TABLE_H_
