// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// tricolor/tricolor_heap.h over the C++ API, as sched/c_api.cc does for the
// rest.
#include "tricolor/all.h"
#include "tricolor/tricolor.h"

extern "C" {

bool tri_release(tri_mutator* mu, void* cell) {
  return tricolor::release(*mu, cell);
}

bool tri_try_grow_in_place(tri_mutator* mu, void* cell, size_t bytes) {
  return tricolor::try_grow_in_place(*mu, cell, bytes);
}

bool tri_shrink(tri_mutator* mu, void* cell, size_t bytes) {
  return tricolor::shrink(*mu, cell, bytes);
}

void* tri_grow(tri_mutator* mu, void* cell, size_t bytes) {
  return tricolor::grow(*mu, cell, bytes);
}

void* tri_try_grow(tri_mutator* mu, void* cell, size_t bytes) {
  return tricolor::try_grow(*mu, cell, bytes);
}

}  // extern "C"
