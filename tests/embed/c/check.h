/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * CHECK(condition): the program ends with 1 and the place if it does not hold.
 */
#ifndef TESTS_EMBED_C_CHECK_H_
#define TESTS_EMBED_C_CHECK_H_

#include <stdio.h>
#include <stdlib.h>

#define CHECK(cond)                                              \
  do {                                                           \
    if (!(cond)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
      exit(1);                                                   \
    }                                                            \
  } while (0)

#endif /* TESTS_EMBED_C_CHECK_H_ */
