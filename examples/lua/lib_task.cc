// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// task.spawn(f, args...): runs f in a Lua state of its own, as a task of the
// runtime, so in parallel. handle:join() waits and returns f's results.
//
// States share nothing that can change. The parent copies the arguments before
// the child starts, the child copies its results before it ends: nil, booleans,
// numbers, strings (immutable, so shared) and tables of those, without their
// metatables. f's prototype is copied too, since its constants are interned per
// state. f may use globals: they are the child's own, fresh ones.
//
// A task that fails and whose handle is never joined is reported on stderr when
// its parent's script ends, and the process then ends with code 1. Until then
// its handle stays in kRootTasks: the script may still join it.
//
// The child writes value and flags of the handle before its task ends; the
// parent reads them after join, or after it has seen kDone (acquire).
#include <unistd.h>

#include <string>
#include <unordered_map>

#include "debug.h"
#include "lib.h"
#include "load.h"
#include "tricolor/local.h"
#include "tricolor/task.h"
#include "tricolor/thread.h"

namespace tlua {

namespace {

constexpr uint64_t kDone = 1;
constexpr uint64_t kFailed = 2;
constexpr int kMaxNesting = 100;

bool is_plain_scalar(Value v) {
  return v.is_nil() || v.is_boolean() || v.is_number() || v.is_string();
}

// Copying --------------------------------------------------------------------

/// Copies tables for another state; each table once, cycles included.
class Copier {
 public:
  explicit Copier(State& L) : L_(L) {}

  /// Pushes the copy of v (rooted). False: `problem` is set, nothing pushed.
  bool push_copy(Value v, int nesting) {
    if (is_plain_scalar(v)) {
      push(L_, v);
      return true;
    }
    if (!v.is_table() || nesting > kMaxNesting) {
      problem = v.is_table() ? "a table nested too deeply"
                             : std::string("a ") + type_name(v);
      return false;
    }
    auto found = copies_.find(v.as_table());
    if (found != copies_.end()) {
      push(L_, Value::of(found->second));
      return true;
    }
    return push_table_copy(v.as_table(), nesting);
  }
  std::string problem;

 private:
  bool push_table_copy(Table* from, int nesting) {
    Table* to = new_table(L_);
    push(L_, Value::of(to));
    copies_[from] = to;
    init_table(L_, to, from->array_used, node_count(from));
    uint64_t position = 0;
    Value key, v;
    while (next_entry(L_, from, &position, &key, &v)) {
      push(L_, key);
      if (!is_plain_scalar(key)) {
        problem = std::string("a key that is a ") + type_name(key);
        pop(L_, 2);
        return false;
      }
      if (!push_copy(v, nesting + 1)) {
        pop(L_, 2);
        return false;
      }
      set(L_, to, L_.top[-2], L_.top[-1]);
      pop(L_, 2);
    }
    return true;
  }

  State& L_;
  std::unordered_map<const Table*, Table*> copies_;
};

/// Copies the n values on top into a new list with field n and pushes it.
bool push_copied_list(State& L, int n, std::string* problem) {
  uint32_t first = index_of(L, L.top) - static_cast<uint32_t>(n);
  Copier copier(L);
  Table* list = new_table(L);
  push(L, Value::of(list));
  init_table(L, list, static_cast<size_t>(n), 1);
  for (int i = 0; i < n; ++i) {
    if (!copier.push_copy(L.stack()[first + static_cast<uint32_t>(i)], 0)) {
      *problem = copier.problem;
      return false;
    }
    set_integer(L, list, i + 1, L.top[-1]);
    pop(L);
  }
  set_name(L, list, "n", Value::small_int(n));
  return true;
}

/// Pushes the values of such a list; returns how many.
int push_list(State& L, Table* list) {
  int64_t n = get_string(list, intern(L, "n")).as_small_int();
  ensure_stack(L, static_cast<size_t>(n) + 1);
  for (int64_t i = 1; i <= n; ++i) push(L, get_integer(list, i));
  return static_cast<int>(n);
}

// The child ------------------------------------------------------------------

/// Pushes f with its upvalues; `upvalues` is a list of them, where the globals
/// are marked by true at key -index.
void push_function(State& L, const Proto* proto, Table* upvalues) {
  Closure* f = adopt_prototype(L, proto);
  for (uint32_t i = 0; i < f->upvalue_count; ++i) {
    bool globals = get_integer(upvalues, -int64_t{i} - 1).is_true();
    Value v = globals ? L.g->roots.get(kRootGlobalTable)
                      : get_integer(upvalues, i + 1);
    set_upvalue(L, f->upvalues[i].load(), v);
  }
}

/// Runs the function and leaves its results, or the error, in the handle.
void run_child(State& L, const Proto* proto, Table* upvalues, Table* args,
               Userdata* handle) {
  Mutator& mu = mutator(L);
  push_function(L, proto, upvalues);
  int n = push_list(L, args);
  uint32_t func = index_of(L, L.top) - static_cast<uint32_t>(n) - 1;
  bool ok = protected_call(L, n, -1);
  auto results = static_cast<int>(index_of(L, L.top) - func);
  std::string problem;
  if (!push_copied_list(L, results, &problem)) {
    pop(L, 2);
    push_string(L, "task: result is " + problem + ", not a plain value");
    ok = false;
    push_copied_list(L, 1, &problem);
  }
  handle->value.store(mu, L.top[-1]);
  uint64_t flags = kDone | (ok ? 0 : kFailed);
  __atomic_fetch_or(&handle->flags, flags, __ATOMIC_RELEASE);
}

void child_main(Mutator& mu, Proto* proto, Table* upvalues, Table* args,
                Userdata* handle, tri::Plain<Universe> universe) {
  // The arguments stay rooted for the whole life of the task.
  Globals globals(*universe.p);
  State* L = open_state(globals, mu, kStateNativeBytes);
  if (L == nullptr) {
    __atomic_fetch_or(&handle->flags, kDone | kFailed, __ATOMIC_RELEASE);
    return;
  }
  try {
    run_child(*L, proto, upvalues, args, handle);
  } catch (const LuaError&) {
    __atomic_fetch_or(&handle->flags, kDone | kFailed, __ATOMIC_RELEASE);
  }
  close_state(*L);
}

// The parent -----------------------------------------------------------------

/// Pushes the list of f's upvalues for push_function.
Table* push_upvalues(State& L, const Closure* f) {
  Table* list = new_table(L);
  push(L, Value::of(list));
  for (uint32_t i = 0; i < f->upvalue_count; ++i) {
    Value v = get_upvalue(f->upvalues[i].load());
    bool globals = same_bits(v, L.g->roots.get(kRootGlobalTable));
    if (!globals && !is_plain_scalar(v)) {
      std::string name =
          name_of_upvalue(f->proto.load(), static_cast<int>(i)).name;
      lib_error(L,
                "task.spawn: upvalue '%s' of the function is a %s; only nil, "
                "booleans, numbers and strings may be captured",
                name.c_str(), type_name(v));
    }
    if (globals) {
      set_integer(L, list, -int64_t{i} - 1, Value::boolean(true));
    } else {
      set_integer(L, list, i + 1, v);
    }
  }
  return list;
}

uint64_t flags_of(const Userdata* handle) {
  return __atomic_load_n(&handle->flags, __ATOMIC_ACQUIRE);
}

bool is_unclaimed_failure(const Userdata* handle) {
  return !handle->claimed && (flags_of(handle) & kFailed) != 0;
}

void join(State& L, Userdata* handle) {
  if (!handle->joined) {
    handle->joined = true;
    tri::detail::join(mutator(L), handle->task, nullptr, 0);
  }
  if (is_unclaimed_failure(handle)) return;  // to be reported
  Table* tasks = L.g->roots.get(kRootTasks).as_table();
  set(L, tasks, Value::of(handle), Value::nil());
}

/// Joins those that have ended already, so that dropped handles cost nothing.
void reap(State& L) {
  Table* tasks = L.g->roots.get(kRootTasks).as_table();
  uint64_t position = 0;
  Value key, v;
  while (next_entry(L, tasks, &position, &key, &v)) {
    auto* handle = static_cast<Userdata*>(key.as_object());
    if ((flags_of(handle) & kDone) != 0) join(L, handle);
  }
}

void report(State& L, Userdata* handle) {
  std::string text = "not enough memory";
  Value results = handle->value.load();
  if (results.is_table()) {
    Value error = get_integer(results.as_table(), 1);
    if (error.is_string() || error.is_number()) {
      text = view(to_display_string(L, error));
    } else {
      text = std::string("(error object is a ") + type_name(error) + " value)";
    }
  }
  L.g->universe.task_failed.store(true, std::memory_order_relaxed);
  handle->claimed = true;
  tri::NativeScope native(mutator(L));
  std::fflush(stdout);
  std::fprintf(stderr, "tlua: in task: %s\n", text.c_str());
}

int task_spawn(State& L, int n) {
  Value f = L.arg(1);
  if (!f.is_closure()) arg_type_error(L, 1, "Lua function");
  reap(L);
  std::string problem;
  if (!push_copied_list(L, n - 1, &problem)) {
    lib_error(L, "task.spawn: argument is %s, not a plain value",
              problem.c_str());
  }
  Table* args = L.top[-1].as_table();
  Table* upvalues = push_upvalues(L, f.as_closure());
  Mutator& mu = mutator(L);
  auto* handle = tri::make(mu, L.g->universe.task);
  handle->kind = ObjectKind::kUserdata;
  handle->type = UserdataKind::kTask;
  handle->value.init(mu, Value::nil());
  handle->meta.init(mu, L.g->roots.get(kRootTaskMeta).as_table());
  push(L, Value::of(handle));
  set(L, L.g->roots.get(kRootTasks).as_table(), L.top[-1],
      Value::boolean(true));
  auto task = tri::spawn(mu, &child_main, f.as_closure()->proto.load(),
                         upvalues, args, handle, tri::plain(&L.g->universe));
  handle->task = task.release();
  return 1;
}

Userdata* check_task(State& L, int i) {
  Value v = L.arg(i);
  if (is_userdata(v)) {
    auto* u = static_cast<Userdata*>(v.as_object());
    if (u->type == UserdataKind::kTask) return u;
  }
  arg_type_error(L, i, "task");
}

int task_join(State& L, int) {
  Userdata* handle = check_task(L, 1);
  handle->claimed = true;
  join(L, handle);
  Value results = handle->value.load();
  if (!results.is_table()) lib_error(L, "task: not enough memory");
  int n = push_list(L, results.as_table());
  if ((handle->flags & kFailed) != 0) throw_value(L, L.top[-n]);
  return n;
}

int task_done(State& L, int) {
  bool done = (flags_of(check_task(L, 1)) & kDone) != 0;
  return return_value(L, Value::boolean(done));
}

int task_yield(State& L, int) {
  tri::yield(mutator(L));
  return 0;
}

/// task.thread(): the OS thread the caller runs on right now.
int task_thread(State& L, int) {
  return return_value(L, Value::small_int(gettid()));
}

constexpr LibEntry kTask[] = {{"task.spawn", task_spawn},
                              {"task.thread", task_thread},
                              {"task.yield", task_yield}};
constexpr LibEntry kHandle[] = {{":join", task_join}, {":done", task_done}};

}  // namespace

void join_all_tasks(State& L) {
  Table* tasks = L.g->roots.get(kRootTasks).as_table();
  uint64_t position = 0;
  Value key, v;
  while (next_entry(L, tasks, &position, &key, &v)) {
    join(L, static_cast<Userdata*>(key.as_object()));
  }
  report_failed_tasks(L);
}

void report_failed_tasks(State& L) {
  Table* tasks = L.g->roots.get(kRootTasks).as_table();
  uint64_t position = 0;
  Value key, v;
  while (next_entry(L, tasks, &position, &key, &v)) {
    auto* handle = static_cast<Userdata*>(key.as_object());
    if (is_unclaimed_failure(handle)) report(L, handle);
  }
}

void open_task(State& L) {
  Table* meta = new_table(L);
  L.g->roots.set(mutator(L), kRootTaskMeta, Value::of(meta));
  push_string(L, "task");
  set_name(L, meta, "__name", L.top[-1]);
  Table* methods = new_table(L);
  push(L, Value::of(methods));
  set_name(L, meta, "__index", L.top[-1]);
  add_functions(L, methods, kHandle);
  pop(L, 2);
  add_library(L, "task", kTask);
}

}  // namespace tlua
