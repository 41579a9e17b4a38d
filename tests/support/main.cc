// SPDX-License-Identifier: MIT
//
// main() of every GoogleTest program. Death tests use the "threadsafe" style:
// the dying child starts from main(), not from a fork of a process that may
// already run library threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  return RUN_ALL_TESTS();
}
