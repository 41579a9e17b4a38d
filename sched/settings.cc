// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Settings from options, environment and machine, see sched/settings.h.
#include "sched/settings.h"

#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/atomics.h"
#include "base/env.h"
#include "base/fatal.h"
#include "base/format.h"
#include "base/os_memory.h"
#include "sched/scheduler.h"
#include "stacks/stack_pool.h"

namespace tricolor::sched {
namespace {

constexpr size_t kDefaultMaxTasks = (size_t{1} << 20) + 4096;
constexpr size_t kMaxMaxTasks = size_t{1} << 26;
constexpr size_t kMaxPrefix = 32;
constexpr size_t kMaxRoot = 200;

// Which complaints have been printed: one bit a variable, one for all keys of
// the debug string together.
enum Complaint : uint32_t {
  kGcComplaint = 1,
  kProcsComplaint = 2,
  kDebugComplaint = 4,
  kLimitComplaint = 8,
  kAssistComplaint = 16,
  kShareComplaint = 32,
};
base::Atomic<uint32_t> g_complained{0};

void complain(Complaint what, const char* name, std::string_view value,
              const char* expected) {
  if ((g_complained.fetch_or_relaxed(what) & what) != 0) return;
  base::FatalSink sink(2);
  sink.print("tricolor: %s: ignoring '%.*s': expected %s\n", name,
             static_cast<int>(value.size()), value.data(), expected);
}

struct DebugFlag {
  const char* name;
  bool DebugSettings::*flag;        // either
  uint32_t DebugSettings::*number;  // or
};
constexpr DebugFlag kDebugFlags[] = {
    {"gctrace", &DebugSettings::gctrace, nullptr},
    {"gccheckmark", &DebugSettings::gccheckmark, nullptr},
    {"conservativestacks", &DebugSettings::conservative_stacks, nullptr},
    {"barriercheck", &DebugSettings::barriercheck, nullptr},
    {"badptr", &DebugSettings::badptr, nullptr},
    {"validate", &DebugSettings::validate, nullptr},
    {"smallbuffers", &DebugSettings::smallbuffers, nullptr},

    {"clobberfree", nullptr, &DebugSettings::clobberfree},
    {"pollstress", nullptr, &DebugSettings::pollstress},
    {"movestack", nullptr, &DebugSettings::movestack},
    {"gcstress", nullptr, &DebugSettings::gcstress},
    {"gcpacertrace", &DebugSettings::gcpacertrace, nullptr},
    {"gcidle", nullptr, &DebugSettings::gc_idle},
    {"hugepages", nullptr, &DebugSettings::huge_pages},
    {"gcperiod", nullptr, &DebugSettings::gc_period_ms},
    {"blockingidle", nullptr, &DebugSettings::blocking_idle_ms},
    {"schedtrace", nullptr, &DebugSettings::schedtrace_ms},
    {"scheddetail", nullptr, &DebugSettings::scheddetail},
    {"idle", nullptr, &DebugSettings::idle_ms},
    {"deadlock", nullptr, &DebugSettings::deadlock},
    {"maxruncells", nullptr, &DebugSettings::max_run_cells},
    {"dropbarrier", nullptr, &DebugSettings::drop_barrier},
};

bool set_debug(DebugSettings* debug, std::string_view key,
               std::string_view value) {
  for (const DebugFlag& f : kDebugFlags) {
    if (key != f.name) continue;
    uint32_t n = 1;
    if (!value.empty() && !base::parse_u32(value, &n)) return false;
    constexpr auto kMostHuge = static_cast<uint32_t>(HugePages::kAll);
    if (f.number == &DebugSettings::huge_pages && n > kMostHuge) return false;
    if (f.flag != nullptr) {
      debug->*f.flag = n != 0;
    } else {
      debug->*f.number = n;
    }
    return true;
  }
  return false;
}

void parse_debug(const char* text, const char* name, DebugSettings* debug) {
  // All of this string's complaints, or none: once per process.
  const bool complained = (g_complained.load_relaxed() & kDebugComplaint) != 0;
  base::KeyValueCursor it(text);
  while (it.next()) {
    if (set_debug(debug, it.key(), it.value()) || complained) continue;
    g_complained.fetch_and_relaxed(~uint32_t{kDebugComplaint});
    complain(kDebugComplaint, name, it.item(),
             "gctrace, gcpacertrace, gccheckmark, barriercheck, badptr, "
             "validate, clobberfree=N, conservativestacks, gcstress=N, "
             "pollstress=N, movestack=N, "
             "smallbuffers, gcperiod=MS, gcidle=0, hugepages=N, schedtrace=MS, "
             "blockingidle=MS, scheddetail, deadlock=N, idle=MS");
  }
}

// getenv(prefix + name); *full gets the variable's name.
const char* env(const char* prefix, const char* name, char (*full)[64]) {
  base::format_buffer(*full, sizeof(*full), "%s%s", prefix, name);
  return std::getenv(*full);
}

bool parse_limit(std::string_view text, uint64_t* out) {
  uint64_t bytes = 0;
  if (text == "auto") {
    *out = kAutoMemoryLimit;
  } else if (text == "off") {
    *out = kNoMemoryLimit;
  } else if (base::parse_bytes(text, &bytes) && bytes != kNoMemoryLimit &&
             bytes != kAutoMemoryLimit) {
    *out = bytes;
  } else {
    return false;
  }
  return true;
}

bool parse_assist(std::string_view text, Options* o) {
  uint32_t us = 0;
  if (text == "classic") {
    o->assist_policy = AssistPolicy::kClassic;
  } else if (text == "off") {
    o->assist_policy = AssistPolicy::kOff;
  } else if (base::parse_u32(text, &us) && us != 0) {
    o->assist_policy = AssistPolicy::kBounded;
    o->assist_budget_us = us;
  } else {
    return false;
  }
  return true;
}

void apply_collector_share(const char* prefix, Options* o) {
  char name[64];
  if (const char* text = env(prefix, "ASSIST", &name)) {
    if (!parse_assist(text, o)) {
      complain(kAssistComplaint, name, text, "classic, off or microseconds");
    }
  }
  if (const char* text = env(prefix, "GCSHARE", &name)) {
    uint32_t n = 0;
    if (base::parse_u32(text, &n) && n <= 100) {
      o->gc_worker_percent = n;
    } else {
      complain(kShareComplaint, name, text, "a percentage from 0 to 100");
    }
  }
}

void apply_environment(const char* prefix, Settings* s) {
  char name[64];
  apply_collector_share(prefix, &s->options);
  if (const char* text = env(prefix, "GC", &name)) {
    if (!base::parse_percent(text, &s->options.gc_percent)) {
      complain(kGcComplaint, name, text, "a percentage, as 100, or off");
    }
  }
  if (const char* text = env(prefix, "MEMLIMIT", &name)) {
    if (!parse_limit(text, &s->options.memory_limit_bytes)) {
      complain(kLimitComplaint, name, text, "bytes, as 512MiB, auto or off");
    }
  }
  if (const char* text = env(prefix, "MAXPROCS", &name)) {
    uint32_t n = 0;
    if (base::parse_u32(text, &n) && n >= 1 && n <= kMaxProcs) {
      s->options.max_procs = n;
    } else {
      complain(kProcsComplaint, name, text, "a number from 1 to 1024");
    }
  }
  if (const char* text = env(prefix, "DEBUG", &name)) {
    parse_debug(text, name, &s->debug);
  }
}

bool check_thread_options(const Options& o, Error* error) {
  constexpr uint32_t kMaxBlockingThreads = 10'000;
  if (o.background_threads < -1) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::background_threads is %d: -1 for as many as needed, or "
              "a limit",
              o.background_threads);
    return false;
  }
  if (o.blocking_threads > kMaxBlockingThreads) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::blocking_threads is %u, at most %u", o.blocking_threads,
              kMaxBlockingThreads);
    return false;
  }
  return true;
}

bool check_options(const Options& o, Error* error) {
  if (o.size != sizeof(Options) || o.abi != kAbiVersion) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options has size %u and abi %u, but the library was built with "
              "%zu and %u: compile against its headers",
              o.size, o.abi, sizeof(Options), kAbiVersion);
    return false;
  }
  if (o.max_procs > kMaxProcs) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::max_procs is %u, at most %u", o.max_procs, kMaxProcs);
    return false;
  }
  if (o.gc_percent < kGcOff) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::gc_percent is %d: a percentage, or kGcOff",
              o.gc_percent);
    return false;
  }
  if (o.huge_pages > HugePages::kAll) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::huge_pages is %u, which is none",
              static_cast<unsigned>(o.huge_pages));
    return false;
  }
  if (o.assist_policy > AssistPolicy::kOff) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::assist_policy is %u, which is none",
              static_cast<unsigned>(o.assist_policy));
    return false;
  }
  if (o.gc_worker_percent > 100) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::gc_worker_percent is %u, at most 100",
              o.gc_worker_percent);
    return false;
  }
  if (o.cgroup_root != nullptr && std::strlen(o.cgroup_root) > kMaxRoot) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::cgroup_root has more than %zu characters", kMaxRoot);
    return false;
  }
  if (!check_thread_options(o, error)) return false;
  if (o.stack_bytes > stacks::kMaxNativeBytes) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::stack_bytes is %zu, at most %zu", o.stack_bytes,
              stacks::kMaxNativeBytes);
    return false;
  }
  if (o.max_tasks > kMaxMaxTasks) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::max_tasks is %zu, at most %zu", o.max_tasks,
              kMaxMaxTasks);
    return false;
  }
  if (o.env_prefix != nullptr && std::strlen(o.env_prefix) > kMaxPrefix) {
    set_error(error, ErrorCode::kInvalidArgument,
              "Options::env_prefix has more than %zu characters", kMaxPrefix);
    return false;
  }
  return true;
}

}  // namespace

void set_error(Error* error, ErrorCode code, const char* fmt, ...) {
  if (error == nullptr) return;
  struct Out {
    char* at;
    size_t left;
  } out{error->text, sizeof(error->text) - 1};
  va_list args;
  va_start(args, fmt);
  base::format_to(
      [](void* ctx, const char* text, size_t n) {
        auto* o = static_cast<Out*>(ctx);
        if (n > o->left) n = o->left;
        std::memcpy(o->at, text, n);
        o->at += n;
        o->left -= n;
      },
      &out, fmt, args);
  va_end(args);
  *out.at = '\0';
  error->code = code;
}

bool make_settings(const Options& options, Settings* out, Error* error) {
  if (!check_options(options, error)) return false;
  out->options = options;
  if (options.debug != nullptr) {
    parse_debug(options.debug, "Options::debug", &out->debug);
  }
  if (options.env_prefix != nullptr && options.env_prefix[0] != '\0') {
    apply_environment(options.env_prefix, out);
  }
  if (out->debug.conservative_stacks) out->options.conservative_stacks = true;
  out->max_procs = out->options.max_procs;
  if (out->max_procs == 0) out->max_procs = base::os_cpu_quota();
  if (out->max_procs > kMaxProcs) out->max_procs = kMaxProcs;
  out->max_tasks = options.max_tasks;
  if (out->max_tasks == 0) out->max_tasks = kDefaultMaxTasks;
  return true;
}

}  // namespace tricolor::sched
