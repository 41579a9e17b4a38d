// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/cgroup_linux.h on trees laid out in a temporary directory: v2, v1,
// nested groups, containers that see another path, and unreadable ones.
#include "base/cgroup_linux.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace tricolor::base {
namespace {

class Tree {
 public:
  Tree() {
    std::string name =
        (std::filesystem::temp_directory_path() / "tricolor-cgroup-XXXXXX");
    root_ = mkdtemp(name.data());
    membership_ = root_ + "/self";
    mount_ = root_ + "/fs";
  }
  ~Tree() { std::filesystem::remove_all(root_); }

  void member(const std::string& lines) { std::ofstream(membership_) << lines; }

  void file(const std::string& path, const std::string& text) {
    const std::filesystem::path whole = mount_ + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }

  uint64_t memory() const {
    return cgroup_memory_limit_bytes({membership_.c_str(), mount_.c_str()});
  }
  uint64_t share(uint64_t ours, unsigned percent = 90) const {
    return cgroup_memory_share_bytes({membership_.c_str(), mount_.c_str()},
                                     ours, percent);
  }
  uint32_t cpus() const {
    return cgroup_cpu_limit({membership_.c_str(), mount_.c_str()});
  }

 private:
  std::string root_;
  std::string membership_;
  std::string mount_;
};

TEST(base_cgroup, nothing_readable_is_no_limit) {
  Tree t;
  EXPECT_EQ(t.memory(), UINT64_MAX);
  EXPECT_EQ(t.cpus(), UINT32_MAX);
  t.member("garbage without colons\n\n:::\n");
  EXPECT_EQ(t.memory(), UINT64_MAX);
  EXPECT_EQ(t.cpus(), UINT32_MAX);
}

// Hosts with v1 hierarchies of their own making: v2's line is the last, far
// behind the first 4 KiB.
TEST(base_cgroup, a_long_membership_file_is_read_to_its_end) {
  Tree t;
  std::string lines;
  for (int i = 0; i < 500; i++) lines += "7:name=systemd:/aaaaaaaaaaaaaaaaa\n";
  lines += "6:name=long:/" + std::string(10'000, 'q') + "\n";
  t.member(lines + "0::/app\n");
  t.file("/app/memory.max", "67108864\n");
  EXPECT_EQ(t.memory(), 67108864u);
  t.member(lines + "0::/app");  // no newline
  EXPECT_EQ(t.memory(), 67108864u);
  // A path too long for any buffer: the root's limit is what can be read.
  t.file("/memory.max", "134217728\n");
  t.member("0::/" + std::string(10'000, 'q') + "\n");
  EXPECT_EQ(t.memory(), 134217728u);
}

TEST(base_cgroup, a_long_memory_stat_is_read_to_its_end) {
  Tree t;
  t.member("0::/app\n");
  t.file("/app/memory.max", "1000000\n");
  t.file("/app/memory.current", "800000\n");
  std::string stat;
  for (int i = 0; i < 2000; i++) stat += "some_counter 12345\n";
  t.file("/app/memory.stat", stat + "inactive_file 300000\n");
  EXPECT_EQ(t.share(0), 900000u - 500000u);
}

TEST(base_cgroup, v2_takes_the_least_on_the_way_up) {
  Tree t;
  t.member("0::/user.slice/app\n");
  t.file("/user.slice/app/memory.max", "max\n");
  t.file("/user.slice/memory.max", "1073741824\n");
  t.file("/memory.max", "2147483648\n");
  t.file("/user.slice/app/cpu.max", "250000 100000\n");
  t.file("/user.slice/cpu.max", "max 100000\n");
  EXPECT_EQ(t.memory(), 1073741824u);
  EXPECT_EQ(t.cpus(), 3u);
}

TEST(base_cgroup, v2_root_of_a_container) {
  Tree t;
  t.member("0::/\n");
  t.file("/memory.max", "67108864\n");
  t.file("/cpu.max", "50000 100000\n");
  EXPECT_EQ(t.memory(), 67108864u);
  EXPECT_EQ(t.cpus(), 1u);
}

TEST(base_cgroup, v1_controllers) {
  Tree t;
  t.member("5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=x:/\n");
  // The host's path is not visible in the container: the root is.
  t.file("/memory/memory.limit_in_bytes", "33554432\n");
  t.file("/cpu/cpu.cfs_quota_us", "400000\n");
  t.file("/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(t.memory(), 33554432u);
  EXPECT_EQ(t.cpus(), 4u);
  t.file("/cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(t.cpus(), UINT32_MAX);
}

TEST(base_cgroup, share_is_what_others_leave) {
  Tree t;
  t.member("0::/app\n");
  EXPECT_EQ(t.share(0), UINT64_MAX);
  t.file("/app/memory.max", "max\n");
  EXPECT_EQ(t.share(0), UINT64_MAX);
  t.file("/app/memory.max", "1000\n");
  EXPECT_EQ(t.share(0), 900u) << "usage cannot be read: nobody else";
  t.file("/app/memory.current", "700\n");
  EXPECT_EQ(t.share(700), 900u) << "all of it is ours";
  EXPECT_EQ(t.share(300), 500u);
  EXPECT_EQ(t.share(5000), 900u) << "not charged yet";
  t.file("/app/memory.stat", "anon 650\nfile 50\ninactive_file 150\nx 1\n");
  EXPECT_EQ(t.share(300), 650u) << "idle file pages do not count";
  t.file("/memory.max", "2000\n");
  t.file("/memory.current", "1700\n");
  EXPECT_EQ(t.share(300), 400u) << "the level above leaves less";
  t.file("/memory.current", "3000\n");
  EXPECT_EQ(t.share(300), 0u);
}

TEST(base_cgroup, share_of_v1) {
  Tree t;
  t.member("5:memory:/abc\n");
  t.file("/memory/abc/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(t.share(0), UINT64_MAX);
  t.file("/memory/abc/memory.limit_in_bytes", "1000\n");
  t.file("/memory/abc/memory.usage_in_bytes", "600\n");
  t.file("/memory/abc/memory.stat", "inactive_file 1\ntotal_inactive_file 100");
  EXPECT_EQ(t.share(200), 600u);
}

TEST(base_cgroup, long_paths_fall_back_on_the_root) {
  Tree t;
  t.member("0::/" + std::string(2000, 'x') + "\n");
  t.file("/memory.max", "4096\n");
  EXPECT_EQ(t.memory(), 4096u);
}

}  // namespace
}  // namespace tricolor::base
