// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Names of tasks, see sched/task_name.h.
#include "sched/task_name.h"

#include <cstring>

#include "sched/runtime.h"

namespace tricolor::sched {

TaskName* TaskNamePool::get(const char* text) {
  TaskName* name;
  {
    base::LockGuard guard(lock_);
    name = pool_.alloc();
  }
  if (name == nullptr) return nullptr;
  std::strncpy(name->text, text, kTaskNameBytes - 1);
  name->text[kTaskNameBytes - 1] = '\0';
  return name;
}

void TaskNamePool::put(TaskName* name) {
  base::LockGuard guard(lock_);
  pool_.free(name);
}

void set_name(G* g, const char* name) {
  TaskNamePool& names = g->rt->names;
  TaskName* before = g->name.load_relaxed();
  TaskName* now =
      name == nullptr || name[0] == '\0' ? nullptr : names.get(name);
  // ORDER-task-name-1: pairs with g_name().
  g->name.store_release(now);
  if (before != nullptr) names.put(before);
}

}  // namespace tricolor::sched

namespace tricolor {

void set_task_name(Mutator& mu, const char* name) {
  sched::set_name(sched::g_of(&mu), name);
}

const char* task_name(Mutator& mu) { return sched::g_name(sched::g_of(&mu)); }

}  // namespace tricolor
