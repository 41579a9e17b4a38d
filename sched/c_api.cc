// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The C API over the C++ one. Structs that both name are the same bytes, which
// the static_asserts below hold them to.
#include <cstddef>
#include <cstring>

#include "base/check.h"
#include "sched/settings.h"
#include "tricolor/all.h"
#include "tricolor/tricolor.h"

using tricolor::Runtime;

static_assert(sizeof(tri_error) == sizeof(tricolor::Error));
static_assert(offsetof(tri_error, text) == offsetof(tricolor::Error, text));
static_assert(sizeof(tri_options) == sizeof(tricolor::Options));
static_assert(offsetof(tri_options, hard_limit_bytes) ==
              offsetof(tricolor::Options, hard_limit_bytes));
static_assert(offsetof(tri_options, gc_idle_workers) ==
              offsetof(tricolor::Options, gc_idle_workers));
static_assert(offsetof(tri_options, huge_pages) ==
              offsetof(tricolor::Options, huge_pages));
static_assert(TRI_HUGE_PAGES_ALL ==
              static_cast<uint32_t>(tricolor::HugePages::kAll));
static_assert(TRI_ASSIST_OFF == static_cast<int>(tricolor::AssistPolicy::kOff));
static_assert(offsetof(tri_options, conservative_stacks) ==
              offsetof(tricolor::Options, conservative_stacks));
static_assert(offsetof(tri_options, on_out_of_memory_ctx) ==
              offsetof(tricolor::Options, on_out_of_memory_ctx));
static_assert(offsetof(tri_options, on_gc_event_ctx) ==
              offsetof(tricolor::Options, on_gc_event_ctx));
static_assert(offsetof(tri_options, on_task_failure_ctx) ==
              offsetof(tricolor::Options, on_task_failure_ctx));
static_assert(offsetof(tri_options, blocking_threads) ==
              offsetof(tricolor::Options, blocking_threads));
static_assert(sizeof(tri_task_failure) == sizeof(tricolor::TaskFailure));
static_assert(offsetof(tri_task_failure, code) ==
              offsetof(tricolor::TaskFailure, code));
static_assert(offsetof(tri_options, on_deadlock_ctx) ==
              offsetof(tricolor::Options, on_deadlock_ctx));
static_assert(offsetof(tri_options, on_stack_overflow_ctx) ==
              offsetof(tricolor::Options, on_stack_overflow_ctx));
static_assert(sizeof(tri_options) == sizeof(tricolor::Options));
static_assert(sizeof(tri_stack_overflow) == sizeof(tricolor::StackOverflow));
static_assert(offsetof(tri_stack_overflow, context) ==
              offsetof(tricolor::StackOverflow, context));
static_assert(sizeof(tri_gc_event) == sizeof(tricolor::GcEvent));
static_assert(offsetof(tri_gc_event, forced) ==
              offsetof(tricolor::GcEvent, forced));
static_assert(TRI_GC_SWEEP == static_cast<int>(tricolor::GcPhase::kSweep));
static_assert(sizeof(tri_stats) == sizeof(tricolor::Stats));
static_assert(offsetof(tri_stats, pause_p50_ns) ==
              offsetof(tricolor::Stats, pause_p50_ns));
static_assert(offsetof(tri_stats, max_procs) ==
              offsetof(tricolor::Stats, max_procs));
static_assert(offsetof(tri_stats, blocking_pending) ==
              offsetof(tricolor::Stats, blocking_pending));
static_assert(TRI_ABI_VERSION == tricolor::kAbiVersion);

namespace {

Runtime& cpp(tri_runtime* rt) { return *reinterpret_cast<Runtime*>(rt); }
tri_runtime* c(Runtime* rt) { return reinterpret_cast<tri_runtime*>(rt); }

struct MainCall {
  void (*fn)(tri_mutator*, void*);
  void* ctx;
};

struct TaskPacket {
  tri_task_fn fn;
  alignas(8) unsigned char plain[112];
};
static_assert(sizeof(TaskPacket) <= tricolor::detail::kSpawnPlainBytesMax);

void refuse_null(tri_error* error, const char* what) {
  tricolor::sched::set_error(reinterpret_cast<tricolor::Error*>(error),
                             tricolor::ErrorCode::kInvalidArgument,
                             "%s is NULL", what);
}

void run_task(tricolor::Mutator& mu, void* plain, void** roots, void* result) {
  auto* packet = static_cast<TaskPacket*>(plain);
  void* cell = packet->fn(&mu, roots, packet->plain);
  std::memcpy(result, &cell, sizeof(cell));
}

}  // namespace

extern "C" {

tri_runtime* tri_runtime_create(const tri_options* options, tri_error* error) {
  if (options == nullptr) {
    refuse_null(error, "tri_runtime_create: options");
    return nullptr;
  }
  tricolor::Options o;
  std::memcpy(static_cast<void*>(&o), options,
              sizeof(o) < options->size ? sizeof(o) : options->size);
  o.size = options->size;  // whatever it is, 0 too: create() looks at it
  tricolor::RuntimePtr rt =
      Runtime::create(o, reinterpret_cast<tricolor::Error*>(error));
  return c(rt.release());
}

void tri_runtime_destroy(tri_runtime* rt) {
  tricolor::RuntimeDeleter()(reinterpret_cast<Runtime*>(rt));
}

void tri_runtime_run(tri_runtime* rt, void (*main)(tri_mutator*, void*),
                     void* ctx) {
  MainCall call{main, ctx};
  cpp(rt).run([&call](tricolor::Mutator& mu) { call.fn(&mu, call.ctx); });
}

void* tri_try_allocate(tri_mutator* mu, uint16_t layout, size_t bytes) {
  return tricolor::try_allocate(*mu, layout, bytes);
}

tri_mark tri_frame_mark(tri_mutator* mu) {
  const tricolor::ScopeMark mark = tricolor::scope_mark(*mu);
  return {mark.top, mark.modes};
}

void tri_frame_reset(tri_mutator* mu, tri_mark mark) {
  tricolor::scope_reset(*mu, {mark.top, mark.modes});
}

void** tri_root_acquire(tri_runtime* rt) {
  return reinterpret_cast<void**>(tricolor::detail::global_acquire(cpp(rt)));
}

void tri_root_release(tri_runtime* rt, void** root) {
  tricolor::detail::global_release(cpp(rt), reinterpret_cast<uint64_t*>(root));
}

tri_task tri_spawn(tri_mutator* mu, tri_task_fn fn, void* const* roots,
                   size_t root_count, const void* plain, size_t plain_bytes,
                   size_t stack_bytes) {
  TaskPacket packet{fn, {}};
  if (root_count > tricolor::detail::kSpawnRootsMax ||
      plain_bytes > sizeof(packet.plain)) {
    TRI_MISUSE("tri_spawn",
               "%zu roots and %zu plain bytes; at most %zu roots and %zu bytes "
               "fit a task",
               root_count, plain_bytes, tricolor::detail::kSpawnRootsMax,
               sizeof(packet.plain));
  }
  if (plain_bytes != 0) std::memcpy(packet.plain, plain, plain_bytes);
  tricolor::detail::SpawnRequest request;
  request.entry = &run_task;
  request.plain = &packet;
  request.plain_bytes = sizeof(packet);
  request.roots = roots;
  request.root_count = root_count;
  request.stack_bytes = stack_bytes;
  request.result_is_cell = true;
  tricolor::detail::TaskRef ref = tricolor::detail::spawn(*mu, request);
  return {ref.g, ref.id};
}

void* tri_join(tri_mutator* mu, tri_task task) {
  alignas(16) unsigned char result[16];
  tricolor::detail::join(*mu, {task.g, task.id}, result, sizeof(void*));
  void* cell;
  std::memcpy(&cell, result, sizeof(cell));
  return cell;
}

void tri_detach(tri_task task) { tricolor::detail::detach({task.g, task.id}); }
void tri_yield(tri_mutator* mu) { tricolor::yield(*mu); }
void tri_sleep_ns(tri_mutator* mu, uint64_t ns) { tricolor::sleep_ns(*mu, ns); }

void* tri_weak_make(tri_mutator* mu, void* target) {
  return tricolor::detail::make_weak(*mu, target, false);
}
void* tri_weak_get(tri_mutator* mu, void* weak) {
  return tri_detail_weak_load(mu, static_cast<void* const*>(weak));
}

void tri_collect(tri_mutator* mu) { tricolor::collect(*mu); }
void tri_request_collect(tri_mutator* mu) { tricolor::request_collect(*mu); }
void tri_runtime_request_collect(tri_runtime* rt) {
  tricolor::request_collect(cpp(rt));
}
void tri_gc_disable(tri_runtime* rt) { tricolor::detail::gc_disable(cpp(rt)); }
void tri_gc_enable(tri_runtime* rt) { tricolor::detail::gc_enable(cpp(rt)); }

size_t tri_return_memory(tri_mutator* mu) {
  return tricolor::return_memory(*mu);
}
bool tri_step(tri_mutator* mu, uint32_t budget_us) {
  return tricolor::step(*mu, budget_us);
}
uint64_t tri_set_memory_limit(tri_runtime* rt, uint64_t bytes) {
  return cpp(rt).set_memory_limit(bytes);
}

uint32_t tri_set_max_procs(tri_runtime* rt, uint32_t n) {
  return cpp(rt).set_max_procs(n);
}

void tri_lock_os_thread(tri_mutator* mu) { tricolor::lock_os_thread(*mu); }
void tri_unlock_os_thread(tri_mutator* mu) { tricolor::unlock_os_thread(*mu); }
void tri_dump_tasks(tri_runtime* rt, int fd) {
  tricolor::dump_tasks(cpp(rt), fd);
}
void tri_abort_at_deadlock(tri_runtime* rt, void* ctx) {
  tricolor::abort_at_deadlock(cpp(rt), ctx);
}

int tri_set_gc_percent(tri_runtime* rt, int percent) {
  return cpp(rt).set_gc_percent(percent);
}

void tri_get_stats(const tri_runtime* rt, tri_stats* out) {
  tricolor::Stats s = tricolor::stats(*reinterpret_cast<const Runtime*>(rt));
  std::memcpy(out, &s, sizeof(*out));
}

}  // extern "C"
