// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The reader behind base/cgroup_linux.h: finds this process's group in each
// hierarchy (for_each_level) and takes the least limit on the way up. Works in
// buffers on the stack.
#include "base/cgroup_linux.h"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "base/env.h"
#include "base/errno_saver.h"
#include "base/format.h"

namespace tricolor::base {
namespace {

constexpr size_t kPathMax = 1024;

// Reads the beginning of a file; empty when it cannot be read.
std::string_view read_file(const char* path, char* buffer, size_t capacity) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  size_t used = 0;
  while (used < capacity) {
    const ssize_t n = read(fd, buffer + used, capacity - used);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    used += static_cast<size_t>(n);
  }
  close(fd);
  return {buffer, used};
}

// The lines of a file of any length, one after the other, through a buffer of
// its own. Of a line longer than that the beginning is given.
class LineReader {
 public:
  explicit LineReader(const char* path)
      : fd_(open(path, O_RDONLY | O_CLOEXEC)) {}
  ~LineReader() {
    if (fd_ >= 0) close(fd_);
  }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // False at the end. *line is valid until the next call.
  bool next(std::string_view* line) {
    size_t n = 0;
    bool any = false;
    for (int c = get(); c >= 0; c = get()) {
      any = true;
      if (c == '\n') break;
      if (n < sizeof(line_)) line_[n++] = static_cast<char>(c);
    }
    *line = {line_, n};
    return any;
  }

 private:
  // The next character; -1 at the end, or when the file cannot be read.
  int get() {
    if (at_ == used_) {
      at_ = used_ = 0;
      ssize_t n = -1;
      if (fd_ >= 0) {
        do {
          n = read(fd_, piece_, sizeof(piece_));
        } while (n < 0 && errno == EINTR);
      }
      if (n <= 0) return -1;
      used_ = static_cast<size_t>(n);
    }
    return static_cast<unsigned char>(piece_[at_++]);
  }

  const int fd_;
  size_t at_ = 0;
  size_t used_ = 0;
  char piece_[1024];
  char line_[2 * kPathMax];
};

// Cuts off and returns what stands before the next `separator`.
std::string_view take_until(std::string_view* text, char separator) {
  const void* hit =
      text->empty() ? nullptr : memchr(text->data(), separator, text->size());
  const size_t n =
      hit == nullptr
          ? text->size()
          : static_cast<size_t>(static_cast<const char*>(hit) - text->data());
  const std::string_view head(text->data(), n);
  text->remove_prefix(std::min(n + 1, text->size()));
  return head;
}

bool list_contains(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    if (take_until(&list, ',') == name) return true;
  }
  return false;
}

// First words of <dir>/<file>.
struct Words {
  char buffer[128];
  std::string_view first;
  std::string_view second;

  Words(const char* dir, const char* file) {
    char path[kPathMax];
    if (format_buffer(path, sizeof(path), "%s/%s", dir, file) >= sizeof(path))
      return;
    std::string_view text = read_file(path, buffer, sizeof(buffer));
    std::string_view line = take_until(&text, '\n');
    first = take_until(&line, ' ');
    second = take_until(&line, ' ');
  }
};

// v1 says "no limit" by the largest multiple of a page.
constexpr uint64_t kNoLimit = uint64_t{1} << 62;

// The number behind `name` in <dir>/memory.stat; 0 if it is not there.
uint64_t stat_value(const char* dir, std::string_view name) {
  char path[kPathMax];
  if (format_buffer(path, sizeof(path), "%s/memory.stat", dir) >= sizeof(path))
    return 0;
  LineReader reader(path);
  std::string_view line;
  while (reader.next(&line)) {
    if (take_until(&line, ' ') != name) continue;
    uint64_t n = 0;
    return parse_u64(line, &n) ? n : 0;
  }
  return 0;
}

// Calls visit(dir) for <root><group> and each directory above it, down to and
// including <root>.
template <class Visit>
void walk_up(const char* root, std::string_view group, Visit visit) {
  char dir[kPathMax];
  const size_t root_n = strlen(root);
  size_t n = format_buffer(dir, sizeof(dir), "%s%.*s", root,
                           static_cast<int>(group.size()), group.data());
  if (n >= sizeof(dir)) n = format_buffer(dir, sizeof(dir), "%s", root);
  while (n > root_n && dir[n - 1] == '/') dir[--n] = '\0';
  while (true) {
    visit(dir);
    if (n <= root_n) return;
    while (n > root_n && dir[n - 1] != '/') n--;
    while (n > root_n && dir[n - 1] == '/') n--;
    dir[n] = '\0';
  }
}

// Calls visit(dir, is_v2) for the group that `line` of the membership file
// names, if its limits bind this process, and for those above it.
template <class Visit>
void visit_line(const CgroupPaths& paths, const char* controller,
                std::string_view line, Visit visit) {
  // hierarchy-id ':' controllers ':' path
  const std::string_view id = take_until(&line, ':');
  const std::string_view controllers = take_until(&line, ':');
  if (id == "0" && controllers.empty()) {
    walk_up(paths.mount, line, [&](const char* d) { visit(d, true); });
  } else if (list_contains(controllers, controller)) {
    char root[kPathMax];
    format_buffer(root, sizeof(root), "%s/%s", paths.mount, controller);
    walk_up(root, line, [&](const char* d) { visit(d, false); });
  }
}

// Calls visit(dir, is_v2) for every directory whose limits bind this process,
// in the v2 hierarchy and in that of v1's `controller`. The file has a line a
// hierarchy, in any order: it is read to its end. What LineReader cuts off is a
// path that is too long for walk_up() anyway.
template <class Visit>
void for_each_level(const CgroupPaths& paths, const char* controller,
                    Visit visit) {
  const ErrnoSaver saver;
  LineReader reader(paths.membership);
  std::string_view line;
  while (reader.next(&line)) visit_line(paths, controller, line, visit);
}

}  // namespace

uint64_t cgroup_memory_limit_bytes(const CgroupPaths& paths) {
  uint64_t least = UINT64_MAX;
  for_each_level(paths, "memory", [&](const char* dir, bool is_v2) {
    const Words words(dir, is_v2 ? "memory.max" : "memory.limit_in_bytes");
    uint64_t limit = 0;  // "max" does not parse: no limit
    if (parse_u64(words.first, &limit)) least = std::min(least, limit);
  });
  return least;
}

uint64_t cgroup_memory_share_bytes(const CgroupPaths& paths, uint64_t ours,
                                   unsigned percent) {
  uint64_t least = UINT64_MAX;
  for_each_level(paths, "memory", [&](const char* dir, bool is_v2) {
    const Words max(dir, is_v2 ? "memory.max" : "memory.limit_in_bytes");
    uint64_t limit = 0;
    if (!parse_u64(max.first, &limit) || limit >= kNoLimit) return;
    const Words now(dir, is_v2 ? "memory.current" : "memory.usage_in_bytes");
    uint64_t used = 0;
    if (!parse_u64(now.first, &used)) used = 0;
    const uint64_t idle =
        stat_value(dir, is_v2 ? "inactive_file" : "total_inactive_file");
    used -= std::min(used, idle);
    const uint64_t others = used - std::min(used, ours);
    const uint64_t part = limit / 100 * percent;
    least = std::min(least, part - std::min(part, others));
  });
  return least;
}

uint32_t cgroup_cpu_limit(const CgroupPaths& paths) {
  uint64_t least = UINT32_MAX;
  const auto take = [&](std::string_view quota, std::string_view period) {
    uint64_t quota_us = 0;  // "max" and "-1" do not parse: no limit
    uint64_t period_us = 0;
    if (!parse_u64(quota, &quota_us) || !parse_u64(period, &period_us)) return;
    if (quota_us == 0 || period_us == 0) return;
    least = std::min(least, (quota_us - 1) / period_us + 1);
  };
  for_each_level(paths, "cpu", [&](const char* dir, bool is_v2) {
    if (is_v2) {
      const Words words(dir, "cpu.max");
      return take(words.first, words.second);
    }
    const Words quota(dir, "cpu.cfs_quota_us");
    const Words period(dir, "cpu.cfs_period_us");
    take(quota.first, period.first);
  });
  return static_cast<uint32_t>(least);
}

}  // namespace tricolor::base
