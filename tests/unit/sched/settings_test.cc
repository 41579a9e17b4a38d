// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Options and the environment: order of precedence, and what is refused.
#include "sched/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "base/os_memory.h"
#include "stacks/stack_pool.h"

namespace tricolor::sched {
namespace {

Settings settings_of(const Options& o) {
  Settings s;
  Error error;
  EXPECT_TRUE(make_settings(o, &s, &error)) << error.text;
  return s;
}

// TSETGC and so on: a prefix that no other test uses.
class sched_settings : public ::testing::Test {
 protected:
  sched_settings() { o_.env_prefix = "TSET"; }
  ~sched_settings() override {
    for (const char* name : {"TSETGC", "TSETMAXPROCS", "TSETDEBUG",
                             "TSETMEMLIMIT", "TSETASSIST", "TSETGCSHARE"}) {
      unsetenv(name);
    }
  }
  Options o_;
};

// First: each variable is complained of once per process.
TEST_F(sched_settings, malformed_values_are_reported_once) {
  setenv("TSETGC", "many", 1);
  setenv("TSETMAXPROCS", "0", 1);
  setenv("TSETDEBUG", "gctraze=1,clobberfree=1", 1);
  o_.gc_percent = 77;
  o_.max_procs = 2;
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3; i++) {
    const Settings s = settings_of(o_);
    EXPECT_EQ(s.options.gc_percent, 77);
    EXPECT_EQ(s.max_procs, 2u);
    EXPECT_TRUE(s.debug.clobberfree);
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  for (const char* name : {"TSETGC: ", "TSETMAXPROCS: ", "gctraze"}) {
    const size_t first = text.find(name);
    EXPECT_NE(first, std::string::npos) << name << " in " << text;
    EXPECT_EQ(text.find(name, first + 1), std::string::npos) << name;
  }
}

TEST_F(sched_settings, memory_limit) {
  EXPECT_EQ(settings_of(o_).options.memory_limit_bytes, kNoMemoryLimit);
  o_.memory_limit_bytes = 5;
  EXPECT_EQ(settings_of(o_).options.memory_limit_bytes, 5u);
  setenv("TSETMEMLIMIT", "64MiB", 1);
  EXPECT_EQ(settings_of(o_).options.memory_limit_bytes, 64u << 20);
  setenv("TSETMEMLIMIT", "auto", 1);
  EXPECT_EQ(settings_of(o_).options.memory_limit_bytes, kAutoMemoryLimit);
  setenv("TSETMEMLIMIT", "off", 1);
  EXPECT_EQ(settings_of(o_).options.memory_limit_bytes, kNoMemoryLimit);
  testing::internal::CaptureStderr();
  for (const char* bad :
       {"", "0", "64MB", "-1", "much", "18446744073709551615"}) {
    setenv("TSETMEMLIMIT", bad, 1);
    EXPECT_EQ(settings_of(o_).options.memory_limit_bytes, 5u) << bad;
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(said,
            "tricolor: TSETMEMLIMIT: ignoring '': expected bytes, as 512MiB, "
            "auto or off\n");
}

TEST_F(sched_settings, huge_pages) {
  EXPECT_EQ(settings_of(o_).options.huge_pages, HugePages::kTables);
  EXPECT_EQ(settings_of(o_).debug.huge_pages, UINT32_MAX);
  setenv("TSETDEBUG", "hugepages=0", 1);
  EXPECT_EQ(settings_of(o_).debug.huge_pages, 0u);
  setenv("TSETDEBUG", "hugepages=2", 1);
  EXPECT_EQ(settings_of(o_).debug.huge_pages, 2u);
  ::testing::internal::CaptureStderr();
  setenv("TSETDEBUG", "hugepages=3", 1);
  EXPECT_EQ(settings_of(o_).debug.huge_pages, UINT32_MAX);
  ::testing::internal::GetCapturedStderr();
  unsetenv("TSETDEBUG");
  o_.huge_pages = static_cast<HugePages>(3);
  Error error;
  Settings settings;
  EXPECT_FALSE(make_settings(o_, &settings, &error));
  EXPECT_STREQ(error.text, "Options::huge_pages is 3, which is none");
}

TEST_F(sched_settings, assists_and_the_collectors_share) {
  Options o = settings_of(o_).options;
  EXPECT_EQ(o.assist_policy, AssistPolicy::kClassic);
  EXPECT_EQ(o.gc_worker_percent, 25u);
  EXPECT_EQ(settings_of(o_).debug.gc_idle, UINT32_MAX);
  setenv("TSETASSIST", "off", 1);
  setenv("TSETGCSHARE", "0", 1);
  setenv("TSETDEBUG", "gcidle=0,gcpacertrace=1", 1);
  o = settings_of(o_).options;
  EXPECT_EQ(o.assist_policy, AssistPolicy::kOff);
  EXPECT_EQ(o.gc_worker_percent, 0u);
  EXPECT_EQ(settings_of(o_).debug.gc_idle, 0u);
  EXPECT_TRUE(settings_of(o_).debug.gcpacertrace);
  setenv("TSETASSIST", "70", 1);
  o = settings_of(o_).options;
  EXPECT_EQ(o.assist_policy, AssistPolicy::kBounded);
  EXPECT_EQ(o.assist_budget_us, 70u);
  o_.assist_policy = AssistPolicy::kOff;
  setenv("TSETASSIST", "classic", 1);
  EXPECT_EQ(settings_of(o_).options.assist_policy, AssistPolicy::kClassic);
  o_.gc_worker_percent = 30;
  ::testing::internal::CaptureStderr();
  for (const char* bad : {"", "0", "bounded", "-5", "70us"}) {
    setenv("TSETASSIST", bad, 1);
    setenv("TSETGCSHARE", "101", 1);
    o = settings_of(o_).options;
    EXPECT_EQ(o.assist_policy, AssistPolicy::kOff) << bad;
    EXPECT_EQ(o.gc_worker_percent, 30u) << bad;
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "tricolor: TSETASSIST: ignoring '': expected classic, off or "
            "microseconds\ntricolor: TSETGCSHARE: ignoring '101': expected a "
            "percentage from 0 to 100\n");
}

TEST_F(sched_settings, the_cgroup_root_has_a_limit) {
  const std::string root(201, 'r');
  o_.cgroup_root = root.c_str();
  Settings s;
  Error error;
  EXPECT_FALSE(make_settings(o_, &s, &error));
  EXPECT_NE(std::strstr(error.text, "cgroup_root"), nullptr) << error.text;
}

TEST_F(sched_settings, defaults) {
  const Settings s = settings_of(o_);
  EXPECT_EQ(s.options.gc_percent, 100);
  EXPECT_EQ(s.max_procs, base::os_cpu_quota());
  EXPECT_EQ(s.max_tasks, (size_t{1} << 20) + 4096);
  EXPECT_FALSE(s.debug.gctrace);
}

TEST_F(sched_settings, environment_wins_over_options) {
  o_.gc_percent = 50;
  o_.max_procs = 3;
  o_.debug = "gctrace=1,gcstress=7";
  EXPECT_EQ(settings_of(o_).options.gc_percent, 50);
  EXPECT_EQ(settings_of(o_).max_procs, 3u);
  EXPECT_TRUE(settings_of(o_).debug.gctrace);
  EXPECT_EQ(settings_of(o_).debug.gcstress, 7u);
  setenv("TSETGC", "off", 1);
  setenv("TSETMAXPROCS", "5", 1);
  setenv("TSETDEBUG", "gctrace=0,gccheckmark=1", 1);
  EXPECT_EQ(settings_of(o_).options.gc_percent, kGcOff);
  EXPECT_EQ(settings_of(o_).max_procs, 5u);
  EXPECT_FALSE(settings_of(o_).debug.gctrace);
  EXPECT_TRUE(settings_of(o_).debug.gccheckmark);
  o_.env_prefix = "";
  EXPECT_EQ(settings_of(o_).options.gc_percent, 50);
}

TEST_F(sched_settings, bad_options_are_named) {
  const auto refused = [](const Options& o, const char* word) {
    Settings s;
    Error error;
    EXPECT_FALSE(make_settings(o, &s, &error)) << word;
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_NE(std::strstr(error.text, word), nullptr) << error.text;
  };
  Options o;
  o.max_procs = 2000;
  refused(o, "max_procs");
  o = Options();
  o.blocking_threads = 10'001;
  refused(o, "blocking_threads");
  o = Options();
  o.gc_percent = -7;
  refused(o, "gc_percent");
  o = Options();
  o.gc_worker_percent = 101;
  refused(o, "gc_worker_percent");
  o = Options();
  o.assist_policy = static_cast<AssistPolicy>(3);
  refused(o, "assist_policy");
  o = Options();
  o.stack_bytes = stacks::kMaxNativeBytes + 1;
  refused(o, "stack_bytes");
  o = Options();
  o.max_tasks = size_t{1} << 40;
  refused(o, "max_tasks");
  o = Options();
  o.size = 8;
  refused(o, "size");
  o = Options();
  o.env_prefix = "a_prefix_of_more_than_thirty_two_characters";
  refused(o, "env_prefix");
}

}  // namespace
}  // namespace tricolor::sched
