// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Coroutines: each Lua coroutine is a tricolor::Coroutine with a native and a
// value stack of its own, so a yield crosses pcall, metamethods, sort's
// comparison and gsub's callback like any other call.
//
// Values change hands through State::transfer (more than four through an
// array): the side that leaves writes them there, with the barrier, and the
// side that goes on copies them to its own stack. So nobody writes into the
// stack of a suspended coroutine, which the collector may be scanning.
#include <string>

#include "lib.h"

namespace tlua {

namespace {

constexpr uint32_t kInline = 4;

/// Hands over the n values below L.top and pops them. `co` is the coroutine
/// that is entered or left, L the running thread.
void send(State& L, State& co, int n) {
  Mutator& mu = mutator(L);
  auto count = static_cast<uint32_t>(n);
  ValueSlot* out = co.transfer;
  if (count > kInline) {
    out = static_cast<ValueSlot*>(
        tri::allocate(mu, L.g->universe.values, count * sizeof(ValueSlot)));
    co.transfer_array.store(mu, out);
  }
  const Value* from = L.top - n;
  for (uint32_t i = 0; i < count; ++i) out[i].store(mu, from[i]);
  co.transfer_count = count;
  pop(L, count);
}

/// Pushes what was sent; returns how many.
int receive(State& L, State& co) {
  uint32_t n = co.transfer_count;
  ensure_stack(L, n);
  const ValueSlot* in = n > kInline ? co.transfer_array.load() : co.transfer;
  for (uint32_t i = 0; i < n; ++i) push(L, in[i].load());
  if (n > kInline) co.transfer_array.store(mutator(L), nullptr);
  co.transfer_count = 0;
  return static_cast<int>(n);
}

/// Runs the body, on the coroutine's own stacks. Leaves results, or the error
/// value, in transfer.
void run_body(State& L) {
  try {
    push(L, L.error.load());
    L.error.store(mutator(L), Value::nil());
    int n = receive(L, L);
    uint32_t func = index_of(L, L.top) - static_cast<uint32_t>(n) - 1;
    call(L, n, -1);
    send(L, L, static_cast<int>(index_of(L, L.top) - func));
  } catch (const LuaError&) {
    L.failed = true;
    L.transfer[0].store(mutator(L), L.error.load());
    L.transfer_count = 1;
  }
}

void* coroutine_main(Mutator& mu, tri::Coroutine*, void* arg, void*) {
  State& L = *static_cast<State*>(arg);
  if (start_thread(L, mu, kCoroutineStackBytes, kCoroutineNativeBytes)) {
    run_body(L);
    close_upvalues(L, 0);
  } else {
    L.failed = true;
    L.transfer[0].store(mu, L.g->roots.get(kRootMemoryError));
    L.transfer_count = 1;
  }
  L.status = ThreadStatus::kDead;
  L.vs = nullptr;
  return nullptr;
}

/// Resumes with the n values on top; true: its values are on top, *results of
/// them; false: the error value is.
bool resume(State& L, State& co, int n, int* results) {
  const char* problem = nullptr;
  if (co.status == ThreadStatus::kDead) {
    problem = "cannot resume dead coroutine";
  } else if (co.status != ThreadStatus::kSuspended) {
    problem = "cannot resume non-suspended coroutine";
  } else if (L.c_depth >= kMaxCDepth) {
    problem = "C stack overflow";
  }
  if (problem != nullptr) {
    pop(L, static_cast<size_t>(n));
    push_string(L, problem);
    return false;
  }
  send(L, co, n);
  if (!co.started) co.c_depth = static_cast<uint16_t>(L.c_depth + 1);
  Mutator& mu = mutator(L);
  L.status = ThreadStatus::kNormal;
  co.status = ThreadStatus::kRunning;
  tri::Coroutine::resume(mu, co.coroutine.load(), nullptr);
  L.status = ThreadStatus::kRunning;
  *results = receive(L, co);
  return !co.failed || co.status != ThreadStatus::kDead;
}

State* check_thread(State& L, int i) {
  Value v = L.arg(i);
  if (!is_thread(v)) arg_type_error(L, i, "thread");
  return static_cast<State*>(v.as_object());
}

/// Pushes a new coroutine whose body is argument 1.
State* push_coroutine(State& L) {
  if (!is_function(L.arg(1))) arg_type_error(L, 1, "function");
  Mutator& mu = mutator(L);
  State* co = new_thread(mu, *L.g);
  push(L, Value::of(co));
  co->error.store(mu, L.arg(1));
  tri::CoroutineOptions options;
  options.stack_bytes = kCoroutineNativeBytes;
  tri::Coroutine* c =
      tri::Coroutine::create(mu, coroutine_main, co, nullptr, options);
  if (c == nullptr) lib_error(L, "too many coroutines");
  co->coroutine.store(mu, c);
  return co;
}

int coroutine_create(State& L, int) {
  push_coroutine(L);
  return 1;
}

int coroutine_resume(State& L, int n) {
  State* co = check_thread(L, 1);
  int results = 1;
  bool ok = resume(L, *co, n - 1, &results);
  push(L, Value::nil());
  for (Value* p = L.top - 1; p > L.top - 1 - results; --p) *p = p[-1];
  L.top[-1 - results] = Value::boolean(ok);
  return results + 1;
}

int wrap_step(State& L, int n) {
  Value co = running_function(L)->upvalues[0].load();
  int results;
  if (resume(L, *static_cast<State*>(co.as_object()), n, &results)) {
    return results;
  }
  Value error = L.top[-1];
  if (error.is_string()) {
    std::string text = position_of_level(L, 1);
    text.append(view(error));
    push_string(L, text);
  }
  throw_value(L, L.top[-1]);
}

int coroutine_wrap(State& L, int) {
  push_coroutine(L);
  CFunction* f = new_c_function(L, wrap_step, ":wrap", 1);
  f->upvalues[0].init(mutator(L), L.top[-1]);
  return return_value(L, Value::of(f));
}

int coroutine_yield(State& L, int n) {
  if (L.g->main == &L) {
    lib_error(L, "attempt to yield from outside a coroutine");
  }
  send(L, L, n);
  L.status = ThreadStatus::kSuspended;
  tri::Coroutine::yield(mutator(L), nullptr);
  return receive(L, L);
}

int coroutine_status(State& L, int) {
  State* co = check_thread(L, 1);
  const char* text = "suspended";
  if (co->status == ThreadStatus::kDead) text = "dead";
  if (co->status == ThreadStatus::kNormal) text = "normal";
  if (co == &L) text = "running";
  return return_value(L, Value::of(intern(L, text)));
}

int coroutine_running(State& L, int) {
  push(L, Value::of(&L));
  push(L, Value::boolean(L.g->main == &L));
  return 2;
}

int coroutine_isyieldable(State& L, int) {
  return return_value(L, Value::boolean(L.g->main != &L));
}

int coroutine_close(State& L, int) {
  State* co = check_thread(L, 1);
  if (co->status == ThreadStatus::kDead) {
    bool failed = co->failed;
    co->failed = false;
    push(L, Value::boolean(!failed));
    if (!failed) return 1;
    push(L, co->transfer[0].load());
    return 2;
  }
  if (co->status != ThreadStatus::kSuspended) {
    lib_error(L, "cannot close a %s coroutine",
              co == &L ? "running" : "normal");
  }
  Mutator& mu = mutator(L);
  if (co->started) close_upvalues(mu, *co, 0);
  tri::Coroutine::close(mu, co->coroutine.load());
  co->status = ThreadStatus::kDead;
  co->vs = nullptr;
  return return_value(L, Value::boolean(true));
}

constexpr LibEntry kCoroutine[] = {
    {"coroutine.create", coroutine_create},
    {"coroutine.resume", coroutine_resume},
    {"coroutine.yield", coroutine_yield},
    {"coroutine.wrap", coroutine_wrap},
    {"coroutine.status", coroutine_status},
    {"coroutine.running", coroutine_running},
    {"coroutine.isyieldable", coroutine_isyieldable},
    {"coroutine.close", coroutine_close},
};

}  // namespace

void open_coroutine(State& L) { add_library(L, "coroutine", kCoroutine); }

}  // namespace tlua
