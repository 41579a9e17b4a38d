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

TEST(base_cgroup, long_paths_fall_back_on_the_root) {
  Tree t;
  t.member("0::/" + std::string(2000, 'x') + "\n");
  t.file("/memory.max", "4096\n");
  EXPECT_EQ(t.memory(), 4096u);
}

}  // namespace
}  // namespace tricolor::base
