#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs tlua as the tests want it: `lua_test.py MODE TLUA ...`.

same TLUA SCRIPT ARGS...     stdout and exit code equal lua5.4's, byte for byte
own TLUA SCRIPT ARGS...      the script ends with code 0
generated TLUA GENERATOR N   N random programs, as `same`; prints the seed
errors TLUA TOUR             bad invocations and failing scripts
Options before MODE: --env NAME=VALUE. Exit code 77: lua5.4 is not installed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ADDRESS = re.compile(rb"0x[0-9a-f]{8,}")
TIMEOUT = 280


def run(command, env=None):
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          env=env, timeout=TIMEOUT, check=False)
    return done.returncode, done.stdout, done.stderr


def reference():
    lua = shutil.which("lua5.4")
    if lua is None:
        print("lua5.4 is not installed")
        sys.exit(77)
    return lua


def first_difference(a, b):
    for number, (x, y) in enumerate(zip(a.split(b"\n"), b.split(b"\n")), 1):
        if x != y:
            return f"line {number}:\n  lua5.4: {x!r}\n  tlua:   {y!r}"
    return "one output is longer"


def same(tlua, arguments, env):
    """Whether both print the same; tells the difference otherwise."""
    code, out, err = run([reference()] + arguments)
    own_code, own_out, own_err = run([tlua] + arguments, env)
    out, own_out = (ADDRESS.sub(b"ADDRESS", o) for o in (out, own_out))
    if (code, out) == (own_code, own_out):
        return True
    print(f"{' '.join(arguments)}: exit codes {code} and {own_code}")
    print(first_difference(out, own_out))
    print(err.decode(errors="replace"), own_err.decode(errors="replace"))
    return False


def own(tlua, arguments, env):
    code, out, err = run([tlua] + arguments, env)
    if code != 0:
        print(out.decode(errors="replace"), err.decode(errors="replace"))
        print("exit code", code)
    return code == 0


def generated(tlua, generator, count, env):
    seed = int(os.environ.get("TRI_SEED", "0"), 0) or time.time_ns() % 10**9
    print("seed", seed)
    ok = True
    with tempfile.TemporaryDirectory() as folder:
        for i in range(count):
            script = os.path.join(folder, f"seed_{seed + i}.lua")
            with open(script, "wb") as f:
                subprocess.run([sys.executable, generator, str(seed + i)],
                               stdout=f, check=True)
            ok = same(tlua, [script], env) and ok
    return ok


ERRORS = [
    # (name, source, what stderr must hold, in this order)
    ("syntax.lua", "local x = = 1\n",
     ["tlua: ", "syntax.lua:1: unexpected symbol near '='"]),
    ("runtime.lua", "local function f(t)\n  return t.x.y\nend\nlocal r = "
     "f({})\n", ["tlua: ", "runtime.lua:2: attempt to index a nil value "
                 "(field 'x')", "stack traceback:", "runtime.lua:2: in",
                 "runtime.lua:4: in main chunk"]),
    ("error_call.lua", "error('mine')\n",
     ["error_call.lua:1: mine", "stack traceback:", "[C]: in function "
      "'error'"]),
    ("error_value.lua", "error({})\n", ["(error object is a table value)"]),
    ("deep.lua", "local function f(n) return 1 + f(n + 1) end\nf(1)\n",
     ["deep.lua:1: stack overflow", "stack traceback:", "skipping"]),
    ("deep_c.lua", "local t = setmetatable({}, {})\ngetmetatable(t).__index = "
     "function(s, k) return s[k + 1] end\nprint(t[1])\n",
     ["C stack overflow"]),
    ("deep_gsub.lua", "local function f(s) return (s:gsub('.', f)) end\n"
     "f('x')\n", ["C stack overflow"]),
    ("deep_parens.lua", "x = " + "(" * 1000 + "1" + ")" * 1000 + "\n",
     ["C stack overflow"]),
    ("deep_coroutine.lua", "local function f() return coroutine.wrap(f)() "
     "end\nf()\n", ["C stack overflow"]),
    ("coroutine_depth.lua", "local function f(n) return 1 + f(n) end\n"
     "coroutine.wrap(f)(1)\n", ["stack overflow"]),
    ("suffixes.lua", "coroutine.wrap(function()\nassert(load('local t = ... "
     "return t' .. ('.x'):rep(100000)))\nend)()\n",
     ["expression too complex near"]),
    ("wrapped.lua", "local t = { gen = coroutine.wrap(function() error('in') "
     "end) }\nlocal function call() t.gen() end\ncall()\n",
     ["wrapped.lua:1: in\n", "[C]: in field 'gen'", "wrapped.lua:2: in local "
      "'call'", "in main chunk"]),
    ("wrapped_twice.lua", "coroutine.wrap(function() error('x') end)()\n",
     ["wrapped_twice.lua:1: x\n", "[C]: in ?\n", "in main chunk"]),
    # A script that fails waits for no task; a task that fails is heard of.
    ("endless_task.lua", "task.spawn(function() while true do end end)\n"
     "print('out')\nerror('main fails')\n",
     ["tlua: ", "endless_task.lua:3: main fails", "stack traceback:"]),
    ("reading_task.lua", "task.spawn(function() while true do io.read(1) end "
     "end)\nerror('main fails')\n", ["reading_task.lua:2: main fails"]),
    ("failed_task.lua", "task.spawn(function() error('child') end)\n"
     "for i = 1, 9 do task.spawn(function() end) end\n",
     ["tlua: in task: ", "failed_task.lua:1: child"]),
    ("failed_grandchild.lua", "task.spawn(function()\n  task.spawn(function() "
     "local x = nil; x() end)\nend):join()\n",
     ["tlua: in task: ", "failed_grandchild.lua:2: attempt to call a nil "
      "value (local 'x')"]),
    ("failed_value.lua", "task.spawn(function() error({}) end)\n",
     ["tlua: in task: (error object is a table value)"]),
    ("failed_both.lua", "local h = task.spawn(function() error('child') end)\n"
     "while not h:done() do end\nerror('main')\n",
     ["failed_both.lua:3: main", "in task: ", "failed_both.lua:1: child"]),
]

# Scripts that need more than the 30 MB they get.
FILL = "local t = {} for i = 1, 1e8 do t[i] = { i } end"
COROUTINES = "local t = {} for i = 1, 1e8 do t[i] = coroutine.wrap(print) end"
GREEDY = [
    FILL,
    "local s = 'x' while true do s = s .. s end",
    "local t = {} for i = 1, 1e8 do t['k' .. i] = i end",
    "local t = {} for i = 1, 1e8 do t[i] = load('return { ' .. i .. ' }') end",
    f"coroutine.wrap(function() {FILL} end)()",
    f"task.spawn(function() {FILL} end):join()",
    f"task.spawn(function() {FILL} end)",
    f"assert(xpcall(function() {FILL} end, print))",
    f"assert(not pcall(function() {FILL} end)) collectgarbage() "
    "assert(#('x'):rep(1000000) == 1000000) error('not enough memory', 0)",
]


def check_failure(tlua, arguments, expected, env):
    code, out, err = run([tlua] + arguments, env)
    text = err.decode(errors="replace")
    at = 0
    for part in expected:
        found = text.find(part, at)
        if found < 0 or code != 1:
            print(f"{arguments}: exit code {code}, expected 1 and {part!r} in")
            print(text[:2000], out[:500])
            return False
        at = found
    return True


def check_waiting_reads(tlua, env):
    """A task that waits for input keeps no collection from its end."""
    ok = True
    for read in ("0", "1", "'n'", "'l'"):
        script = (f"task.spawn(function() io.read({read}) end)\n"
                  "local start = os.clock()\n"
                  "while os.clock() - start < 0.1 do end\n"
                  "collectgarbage()\nprint('collected')\nos.exit(0)")
        with subprocess.Popen([tlua, "-e", script], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env=env) as process:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                print(f"io.read({read}) in a task stops the world")
                process.kill()
                ok = False
    return ok


def errors(tlua, tour, env):
    ok = check_failure(tlua, ["/nonexistent.lua"],
                       ["tlua: cannot open /nonexistent.lua: No such file"],
                       env)
    ok = check_failure(tlua, ["/"], ["cannot open /: Is a directory"],
                       env) and ok
    ok = check_failure(tlua, [], ["usage: tlua"], env) and ok
    with tempfile.TemporaryDirectory() as folder:
        for name, source, expected in ERRORS:
            script = os.path.join(folder, name)
            with open(script, "w", encoding="utf-8") as f:
                f.write(source)
            ok = check_failure(tlua, [script], expected, env) and ok
    limited = dict(env, TLUA_HEAP_BYTES_MAX="30000000")
    for script in GREEDY:
        ok = check_failure(tlua, ["-e", script],
                           ["tlua: ", "not enough memory"], limited) and ok
    # A coroutine needs far more outside the heap than in it.
    small = dict(limited, TLUA_HEAP_BYTES_MAX="3500000")
    ok = check_failure(tlua, ["-e", COROUTINES],
                       ["tlua: ", "not enough memory"], small) and ok
    ok = check_waiting_reads(tlua, env) and ok
    planted = dict(os.environ if env is None else env, TLUA_TOUR_PLANT="1")
    code, out, _ = run([tlua, tour, "0.05"], planted)
    if code != 1 or b"has a wrong checksum" not in out:
        print("the planted fault went unnoticed:", code, out)
        ok = False
    return ok


def main():
    arguments = sys.argv[1:]
    env = dict(os.environ)
    while arguments[0] == "--env":
        name, value = arguments[1].split("=", 1)
        env[name] = value
        arguments = arguments[2:]
    mode, tlua, rest = arguments[0], arguments[1], arguments[2:]
    if mode == "same":
        ok = same(tlua, rest, env)
    elif mode == "own":
        ok = own(tlua, rest, env)
    elif mode == "generated":
        ok = generated(tlua, rest[0], int(rest[1]), env)
    else:
        ok = errors(tlua, rest[0], env)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
