// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// tlua: runs a Lua script whose every value lives on a tricolor heap.
//
//   tlua SCRIPT [ARGS]     tlua - [ARGS] (from stdin)     tlua -e CODE
//
// Exit code 0, or 1 with a message on stderr. A script that fails ends the
// process at once, without waiting for the tasks it has spawned. The
// environment tunes the collector (TRIGC, TRIMAXPROCS, TRIDEBUG, see docs of
// tricolor), and TLUA_HEAP_BYTES_MAX limits the heap.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "call.h"
#include "lib.h"
#include "load.h"
#include "tricolor/runtime.h"
#include "vm.h"

namespace tlua {

namespace {

struct Script {
  std::string name;  // as argv has it
  std::string chunk_name;
  std::string source;
  int argc = 0;
  char** argv = nullptr;  // [0] is the script
};

int usage() {
  std::fputs("usage: tlua SCRIPT [ARGS]   tlua - [ARGS]   tlua -e CODE\n",
             stderr);
  return 1;
}

bool read_script(int argc, char** argv, Script* out) {
  out->name = argv[1];
  out->argc = argc - 1;
  out->argv = argv + 1;
  if (out->name == "-e" && argc > 2) {
    out->source = argv[2];
    out->chunk_name = "=(command line)";
    return true;
  }
  if (out->name == "-") {
    read_stream(stdin, &out->source);
    out->chunk_name = "=stdin";
    return true;
  }
  out->chunk_name = "@" + out->name;
  if (read_file(out->name.c_str(), &out->source)) return true;
  std::fprintf(stderr, "tlua: cannot open %s: %s\n", argv[1],
               std::strerror(errno));
  return false;
}

/// The table `arg`: the script at 0, its arguments from 1 on.
void set_arguments(State& L, const Script& script) {
  Table* t = new_table(L);
  push(L, Value::of(t));
  for (int i = 0; i < script.argc; ++i) {
    push_string(L, script.argv[i]);
    set_integer(L, t, i, L.top[-1]);
    pop(L);
  }
  set_name(L, L.g->roots.get(kRootGlobalTable).as_table(), "arg", L.top[-1]);
  pop(L);
}

/// The message handler: a traceback behind the message.
int add_traceback(State& L, int) {
  Value v = L.arg(1);
  std::string text;
  if (v.is_string() || v.is_number()) {
    text = view(to_string_or_null(L, v));
  } else if (!metamethod(L, v, Meta::kToString).is_nil()) {
    text = view(to_display_string(L, v));
  } else {
    text = std::string("(error object is a ") + type_name(v) + " value)";
  }
  push_string(L, traceback(L, text, 1));
  return 1;
}

int run_script(State& L, const Script& script) {
  set_arguments(L, script);
  push(L, Value::of(new_c_function(L, add_traceback, "traceback", 0)));
  uint32_t handler = index_of(L, L.top) - 1;
  bool ok = load_chunk(L, script.source, script.chunk_name);
  if (ok) {
    for (int i = 1; i < script.argc; ++i) push_string(L, script.argv[i]);
    ok = protected_call(L, script.argc - 1, 0, handler);
  }
  if (ok) return 0;
  std::fflush(stdout);
  std::fprintf(stderr, "tlua: %s\n", to_display_string(L, L.top[-1])->data);
  return 1;
}

int run_state(Mutator& mu, Universe& universe, const Script& script) {
  Globals globals(universe);
  State* L = open_state(globals, mu, kStateNativeBytes);
  if (L == nullptr) {
    std::fputs("tlua: no memory for the stack\n", stderr);
    return 1;
  }
  try {
    if (run_script(*L, script) != 0) {
      report_failed_tasks(*L);
      leave_process(1);
    }
    close_state(*L);
  } catch (const LuaError&) {
    std::fputs("tlua: error while handling an error\n", stderr);
    leave_process(1);
  }
  return universe.task_failed.load(std::memory_order_relaxed) ? 1 : 0;
}

void on_out_of_memory(tri::Runtime&, size_t, void*) {
  Mutator* mu = tri::current();
  auto* L = mu != nullptr ? static_cast<State*>(mu->user) : nullptr;
  if (L == nullptr) return;
  throw_unhandled(*L, kRootMemoryError);
}

int run(const Script& script) {
  tri::Options options;
  options.stack_bytes = kStateNativeBytes;
  options.on_out_of_memory = on_out_of_memory;
  const char* limit = std::getenv("TLUA_HEAP_BYTES_MAX");
  if (limit != nullptr) {
    options.hard_limit_bytes = std::strtoull(limit, nullptr, 10);
  }
  tri::Error error;
  tri::RuntimePtr rt = tri::Runtime::create(options, &error);
  if (rt == nullptr) {
    std::fprintf(stderr, "tlua: %s\n", error.text);
    return 1;
  }
  Universe universe(*rt);
  int result = 0;
  rt->run([&](Mutator& mu) { result = run_state(mu, universe, script); });
  std::fflush(stdout);
  return result;
}

}  // namespace

}  // namespace tlua

int main(int argc, char** argv) {
  if (argc < 2) return tlua::usage();
  static char output[1 << 16];
  std::setvbuf(stdout, output, _IOFBF, sizeof(output));
  tlua::Script script;
  if (!tlua::read_script(argc, argv, &script)) return 1;
  return tlua::run(script);
}
