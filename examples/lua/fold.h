// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Constant folding: turns an operation on numerals into a numeral, unless that
// would raise an error or give a NaN or a zero (whose sign would be lost when
// equal constants are merged). Called by the parser on each new tree.
#ifndef TLUA_FOLD_H_
#define TLUA_FOLD_H_

#include "ast.h"

namespace tlua {

void fold_unary(Expr* e);
void fold_binary(Expr* e);

}  // namespace tlua

#endif  // TLUA_FOLD_H_
