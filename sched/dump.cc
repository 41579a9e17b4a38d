// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The dumps: of all tasks on demand (tricolor/dump.h), with the world stopped;
// of the runtime's state after a fatal error, when nothing can be trusted and
// nothing may be locked or asked of the dynamic linker.
#include "tricolor/dump.h"

#include <cstring>

#include "base/check.h"
#include "sched/backtrace.h"
#include "sched/managed_call.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

const char* kind_name(GKind kind) {
  switch (kind) {
    case GKind::kTask:
      return "task";
    case GKind::kMain:
      return "main task";
    case GKind::kCoroutine:
      return "coroutine";
    case GKind::kAttached:
      return "attached thread";
  }
  return "?";
}

// Whether the stack is as switch_fiber left it.
bool is_switched_away(const G* g, GState state) {
  if (g->kind == GKind::kAttached) return false;
  switch (state) {
    case GState::kRunnable:
    case GState::kWaiting:
    case GState::kNormal:
    case GState::kSuspended:
      return g->stack != nullptr && g->started;
    default:
      return false;
  }
}

void print_stack(base::FatalSink& sink, const G* g, Symbols symbols) {
  const stacks::NativeStack* stack = g->stack;
  const char* sp = static_cast<const char*>(g->fiber.context.sp);
  if (stack == nullptr) return;
  const char* hi = reinterpret_cast<const char*>(stack);
  const char* lo = hi - stacks::kMaxNativeBytes;
  // The descriptor lies at the stack's end. Of its fields only if it is whole.
  if (stack->klass < stacks::kNativeClasses) {
    lo = hi - stacks::StackPool::native_class_bytes(stack->klass);
  }
  if (sp < lo || sp >= hi) return;
  uintptr_t frames[kMaxFrames];
  print_frames(sink, frames, backtrace_saved(sp, hi, symbols, frames), symbols);
}

void print_task(RuntimeImpl* rt, base::FatalSink& sink, const G* g,
                Symbols symbols) {
  const uint32_t word = g->status.load_acquire();
  const GState state = state_of(word);
  const char* name = g_name(g);
  sink.print("%s %lu%s%s [%s", kind_name(g->kind),
             static_cast<unsigned long>(g->id.load_relaxed()),
             name[0] == '\0' ? "" : " ", name, g_state_name(state));
  if (state == GState::kWaiting) {
    sink.print(": %s", wait_reason_name(g->wait_reason.load_relaxed()));
    const uint32_t since = g->wait_since_ms.load_relaxed();
    const uint32_t now = static_cast<uint32_t>(rt->clock.now_ns() / 1'000'000);
    if (since != 0 && now > since) sink.print(", %u ms", now - since);
  }
  sink.print("]%s:\n", (word & kScanBit) != 0 ? " (being scanned)" : "");
  if (is_switched_away(g, state)) print_stack(sink, g, symbols);
}

bool is_shown(const G* g) {
  const GState state = g_state(g);
  return state != GState::kIdle && state != GState::kDead;
}

void print_tasks(RuntimeImpl* rt, base::FatalSink& sink, size_t most,
                 Symbols symbols) {
  size_t shown = 0;
  const size_t n = rt->gs.count();
  for (size_t i = 0; i < n; i++) {
    const G* g = rt->gs.at(i);
    if (!is_shown(g)) continue;
    if (shown++ < most) print_task(rt, sink, g, symbols);
  }
  if (shown > most) sink.print("... and %zu more\n", shown - most);
}

}  // namespace

void dump_all(RuntimeImpl* rt, base::FatalSink& sink) {
  Runtime& api = *api_of(rt);
  const bool ok = call_managed(api, "dump_tasks", [&](Mutator& mu) {
    gc::StopTimes times{};
    stop_world(mu, &times);
    heap::run_callback(
        p_of(&mu), "the sink of dump_tasks",
        [&] {
          print_tasks(rt, sink, SIZE_MAX, Symbols::kYes);
          sink.flush();
        },
        [&] { start_world(mu); });
  });
  if (!ok) print_tasks(rt, sink, SIZE_MAX, Symbols::kYes);
}

void dump_state(void* ctx, base::FatalSink& sink) {
  constexpr size_t kMaxShown = 64;
  auto* rt = static_cast<RuntimeImpl*>(ctx);
  sink.print("runtime %p: gc %s, cycle %u\n", static_cast<void*>(rt),
             rt->collector->marking() ? "marks" : "does not mark",
             rt->collector->cycle());
  const uint32_t np = rt->sched.all_p_count.load_relaxed();
  for (uint32_t i = 0; i < np && i < kMaxShown; i++) {
    const P* p = rt->sched.all_ps.data()[i];
    const G* g = p->curg.load_relaxed();
    sink.print("  P%u: %s%s, queue %u, request %u, task %ld\n", p->id,
               p_state_name(p_state(p)), p->attached ? " (attached)" : "",
               p->runq.size(), p->request.load_relaxed(),
               g == nullptr ? -1L : static_cast<long>(g->id.load_relaxed()));
  }
  print_tasks(rt, sink, kMaxShown, Symbols::kNo);
}

}  // namespace tricolor::sched

namespace tricolor {

void dump_tasks(Runtime& rt, DumpSink put, void* ctx) {
  if (put == nullptr) TRI_MISUSE("dump_tasks", "the sink is null");
  base::FatalSink sink(put, ctx);
  sched::dump_all(impl_of(rt), sink);
}

void dump_tasks(Runtime& rt, int fd) {
  base::FatalSink sink(fd);
  sched::dump_all(impl_of(rt), sink);
}

void abort_at_deadlock(Runtime& rt, void*) {
  dump_tasks(rt);
  TRI_MISUSE("Runtime::run",
             "all tasks wait, and nothing is left that could wake one of them: "
             "deadlock");
}

}  // namespace tricolor
