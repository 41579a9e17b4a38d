// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/check.h and base/fatal.h: the words of each report, what a build
// without checks evaluates, and the dumpers.
#include "base/check.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/base/test_thread.h"

namespace tricolor::base {
namespace {

class base_check_DeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST(base_check, passing_checks_are_silent) {
  TRI_CHECK(true);
  TRI_CHECK(1 + 1 == 2, "arithmetic is %s", "broken");
  TRI_ASSERT(true);
  TRI_VERIFY(true, "n is %d", 1);
}

TEST(base_check, assertions_evaluate_only_in_checking_builds) {
  int evaluated = 0;
  TRI_ASSERT(++evaluated > 0);
  TRI_VERIFY(++evaluated > 0);
  EXPECT_EQ(evaluated, TRI_CHECKS ? 2 : 0);
}

TEST_F(base_check_DeathTest, check_names_condition_and_place) {
  const int n = 3;
  EXPECT_DEATH(TRI_CHECK(n == 4),
               "tricolor: check failed: n == 4 \\(.*check_test.cc:[0-9]+\\)");
  EXPECT_DEATH(TRI_CHECK(n == 4, "n is %d of %zu", n, size_t{9}),
               "tricolor: check failed: n == 4: n is 3 of 9 \\(.*check_test");
}

#if TRI_CHECKS
TEST_F(base_check_DeathTest, assertion_and_verification) {
  EXPECT_DEATH(TRI_ASSERT(false, "why"),
               "tricolor: assertion failed: false: why");
  EXPECT_DEATH(TRI_VERIFY(false), "tricolor: verification failed: false");
}
#endif

TEST_F(base_check_DeathTest, fatal_and_misuse) {
  EXPECT_DEATH(TRI_FATAL("span %p is %s", nullptr, "torn"),
               "tricolor: fatal: span 0x0 is torn \\(.*check_test");
  EXPECT_DEATH(TRI_MISUSE("Runtime::attach", "thread attached %u times", 2u),
               "tricolor: misuse of Runtime::attach: thread attached 2 times");
}

void dump_name(void* ctx, FatalSink& sink) {
  sink.print("dump of %s\n", static_cast<const char*>(ctx));
}

void dump_and_fail(void*, FatalSink& sink) {
  sink.print("about to fail\n");
  TRI_FATAL("inside a dumper");
}

char first_name[] = "first";
char second_name[] = "second";

TEST_F(base_check_DeathTest, dumpers_run) {
  const FatalDumper first{&dump_name, first_name};
  const FatalDumper second{&dump_name, second_name};
  ASSERT_TRUE(add_fatal_dumper(&first));
  ASSERT_TRUE(add_fatal_dumper(&second));
  EXPECT_DEATH(TRI_FATAL("end"), "fatal: end.*\ndump of first\ndump of second");
  remove_fatal_dumper(&first);
  EXPECT_DEATH(TRI_FATAL("end"), "fatal: end.*\ndump of second\n");
  remove_fatal_dumper(&second);
}

TEST_F(base_check_DeathTest, failing_dumper_does_not_stop_the_others) {
  const FatalDumper failing{&dump_and_fail, nullptr};
  const FatalDumper second{&dump_name, second_name};
  ASSERT_TRUE(add_fatal_dumper(&failing));
  ASSERT_TRUE(add_fatal_dumper(&second));
  EXPECT_DEATH(TRI_FATAL("end"),
               "fatal: end.*\nabout to fail\n.*fatal: inside a dumper.*\n"
               "dump of second\n");
  remove_fatal_dumper(&failing);
  remove_fatal_dumper(&second);
}

TEST_F(base_check_DeathTest, only_one_of_two_threads_reports) {
  // The second thread waits for the first, whose dumper gives it time.
  static const auto fail_slowly = +[](void*, FatalSink& sink) {
    TestThread other([] { TRI_FATAL("the second report"); });
    usleep(50'000);
    sink.print("dumped in peace\n");
    sink.flush();
    abort();
  };
  static const FatalDumper dumper{fail_slowly, nullptr};
  EXPECT_DEATH(
      {
        add_fatal_dumper(&dumper);
        TRI_FATAL("the first report");
      },
      "the first report[^\n]*\ndumped in peace");
}

TEST(base_check, dumper_places_are_bounded_and_reused) {
  const FatalDumper dumper{&dump_name, first_name};
  FatalDumper many[kFatalDumpersMax];
  for (FatalDumper& d : many) {
    d = dumper;
    ASSERT_TRUE(add_fatal_dumper(&d));
  }
  EXPECT_FALSE(add_fatal_dumper(&dumper));
  remove_fatal_dumper(&many[5]);
  EXPECT_TRUE(add_fatal_dumper(&dumper));
  remove_fatal_dumper(&dumper);
  for (FatalDumper& d : many) remove_fatal_dumper(&d);
}

TEST(base_check, sink_writes_text_longer_than_its_buffer) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    FatalSink sink(ends[1]);
    for (int i = 0; i < 300; i++) sink.print("%04d ", i);
  }
  close(ends[1]);
  std::string all;
  char buffer[256];
  ssize_t n;
  while ((n = read(ends[0], buffer, sizeof(buffer))) > 0)
    all.append(buffer, static_cast<size_t>(n));
  close(ends[0]);
  EXPECT_EQ(all.size(), 1500u);
  EXPECT_EQ(all.substr(0, 10), "0000 0001 ");
  EXPECT_EQ(all.substr(1495), "0299 ");
}

}  // namespace
}  // namespace tricolor::base
