// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// collectgarbage. Beyond Lua's options, "stats" returns a table of what the
// runtime measured.
#include <string>

#include "lib.h"
#include "tricolor/gc.h"

namespace tlua {

namespace {

constexpr uint32_t kStepMicroseconds = 1000;

void set_number(State& L, Table* t, const char* name, double d) {
  set_name(L, t, name, Value::number(d));
}

void set_count(State& L, Table* t, const char* name, uint64_t n) {
  push_integer(L, static_cast<int64_t>(n));
  set_name(L, t, name, L.top[-1]);
  pop(L);
}

int push_stats(State& L) {
  tri::Stats s = tri::stats(L.g->universe.runtime);
  auto us = [](uint64_t ns) { return static_cast<double>(ns) / 1000; };
  auto share = [&](uint64_t part, uint64_t all) {
    return all == 0 ? 0.0
                    : static_cast<double>(part) / static_cast<double>(all);
  };
  Table* t = new_table(L);
  push(L, Value::of(t));
  set_count(L, t, "cycles", s.cycles);
  set_count(L, t, "cycles_forced", s.cycles_forced);
  set_count(L, t, "cycles_concurrent", s.cycles_concurrent);
  set_count(L, t, "heap_live", s.heap_live_bytes);
  set_count(L, t, "heap_bytes", s.heap_bytes);
  set_count(L, t, "heap_goal", s.heap_goal_bytes);
  set_count(L, t, "bytes_allocated", s.allocated_bytes);
  set_count(L, t, "bytes_freed", s.freed_bytes);
  set_count(L, t, "live_cells", s.live_cells);
  set_count(L, t, "threads", s.threads);
  set_count(L, t, "max_procs", s.max_procs);
  set_number(L, t, "gc_cpu_share", share(s.gc_cpu_ns, s.total_cpu_ns));
  set_number(L, t, "stop_share_of_mark", share(s.stop_wall_ns, s.mark_wall_ns));
  set_number(L, t, "pause_p50_us", us(s.pause_p50_ns));
  set_number(L, t, "pause_p99_us", us(s.pause_p99_ns));
  set_number(L, t, "pause_max_us", us(s.pause_max_ns));
  set_number(L, t, "ttsp_p50_us", us(s.ttsp_p50_ns));
  set_number(L, t, "ttsp_p99_us", us(s.ttsp_p99_ns));
  set_number(L, t, "ttsp_max_us", us(s.ttsp_max_ns));
  return 1;
}

/// Turns automatic cycles off or back to the percentage they had.
int switch_collector(State& L, bool on) {
  tri::Runtime& rt = L.g->universe.runtime;
  if (!on) {
    int old = rt.set_gc_percent(tri::kGcOff);
    if (old != tri::kGcOff) L.g->gc_percent = old;
    L.g->gc_stopped = true;
  } else if (L.g->gc_stopped) {
    rt.set_gc_percent(L.g->gc_percent);
    L.g->gc_stopped = false;
  }
  return return_value(L, Value::small_int(0));
}

int base_collectgarbage(State& L, int) {
  std::string option = "collect";
  if (!is_none_or_nil(L, 1)) option = view(check_string(L, 1));
  Mutator& mu = mutator(L);
  if (option == "collect") {
    tri::collect(mu);
    return return_value(L, Value::small_int(0));
  }
  if (option == "count") {
    tri::Stats s = tri::stats(L.g->universe.runtime);
    return return_value(
        L, Value::number(static_cast<double>(s.heap_bytes) / 1024));
  }
  if (option == "step") {
    bool more = tri::step(mu, kStepMicroseconds);
    return return_value(L, Value::boolean(!more));
  }
  if (option == "stats") return push_stats(L);
  if (option == "stop") return switch_collector(L, false);
  if (option == "restart") return switch_collector(L, true);
  if (option == "isrunning") {
    return return_value(L, Value::boolean(!L.g->gc_stopped));
  }
  if (option == "incremental" || option == "generational") {
    push_string(L, "incremental");  // there is one mode
    return 1;
  }
  if (option == "setpause" || option == "setstepmul") {
    return return_value(L, Value::small_int(200));
  }
  std::string text = "invalid option '" + option + "'";
  arg_error(L, 1, text.c_str());
}

constexpr LibEntry kCollect[] = {{"collectgarbage", base_collectgarbage}};

}  // namespace

void open_collect(State& L) {
  add_functions(L, L.g->roots.get(kRootGlobalTable).as_table(), kCollect);
}

}  // namespace tlua
