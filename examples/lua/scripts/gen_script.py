#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a random Lua 5.4 program: `gen_script.py SEED > x.lua`.

The same seed gives the same program on every Python 3. A program always
terminates, raises no error that it does not catch, and prints only what the
language defines: no addresses, no times, nothing that depends on the order of
pairs or on the sorting algorithm, no wording of run-time errors beyond their
first words. So two implementations that run it must print the same bytes.

A program is a sequence of sections, each one of the generators below; the
expressions inside are random, over the variables in scope, by type.
"""

import sys

from gen_expressions import (EDGE_FLOATS, FLOAT_FORMATS, PATTERNS,
                             STRING_FORMATS, WORDS, Generator, boolean,
                             floating, integer, string)


# Sections.

def section_arithmetic(g):
    for _ in range(g.between(3, 6)):
        kind = g.below(4)
        if kind == 0:
            g.emit(f"print({integer(g)}, {floating(g)})")
        elif kind == 1:
            g.emit(f"print(string.format(\"{g.pick(FLOAT_FORMATS)}\", "
                   f"{floating(g)}), math.type({integer(g)}))")
        elif kind == 2:
            a, b = g.pick(EDGE_FLOATS), g.between(1, 9)
            g.emit(f"print({a} // {b}.5, {a} % {b}.5, {a} % -{b}, {b} ^ 2)")
        else:
            g.emit(f"print({integer(g)} // 7.0, {integer(g)} == "
                   f"{integer(g)} + 0.0, math.tointeger({floating(g)}), "
                   f"math.ult({integer(g)}, {integer(g)}))")


def section_conversions(g):
    texts = ["10", "0x10", "  7  ", "1e2", "abc", "5.", ".5", "0x1p4", "1 2",
             "", "-0x8", "9223372036854775807", "9223372036854775808", "1e"]
    for _ in range(g.between(2, 5)):
        text = g.pick(texts)
        g.emit(f"print(tonumber(\"{text}\"), tonumber(\"{g.pick(texts)}\"))")
    g.emit(f"print(tonumber(\"{g.pick(['zz', '7f', '101', '8'])}\", "
           f"{g.pick([2, 8, 16, 36])}), \"10\" + {g.below(9)}, "
           f"\"3\" * \"4\", 10 .. 20)")
    g.emit(f"print(math.floor({floating(g, 1)} / 1e90), math.ceil("
           f"{g.below(99)}.25), math.fmod({g.between(-9, 9)}, 4))")


def section_locals(g):
    v = g.name("i")
    g.emit(f"local {v} = {integer(g)}")
    g.ints.append(v)
    v = g.name("f")
    g.emit(f"local {v} = {floating(g)}")
    g.floats.append(v)
    v = g.name("s")
    g.emit(f"local {v} = ({string(g)}):sub(1, 200)")
    g.strings.append(v)
    g.emit(f"print({g.ints[-1]}, {g.floats[-1]}, {v})")


def section_loops(g):
    i, acc = g.name("i"), g.name("acc")
    g.emit(f"local {acc} = {integer(g, 1)}")
    low, step = g.between(-5, 5), g.pick([1, 2, 3, -1, -4])
    high = low + step * g.between(0, 20)
    g.open(f"for {i} = {low}, {high}, {step} do")
    g.ints.append(i)
    g.emit(f"if {boolean(g)} then {acc} = {acc} + {i} "
           f"else {acc} = {acc} ~ {integer(g, 2)} end")
    if g.below(2):
        g.emit(f"if {acc} % {2 * g.below(20) + 3} == 0 then break end")
    g.ints.remove(i)
    g.close()
    w = g.name("w")
    g.emit(f"local {w} = {g.between(5, 40)}")
    if g.below(2):
        g.open(f"while {w} > 0 do")
        g.emit(f"{w} = {w} - {g.between(1, 5)}")
        g.emit(f"{acc} = {acc} * 31 + {w}")
        g.close()
    else:
        g.open("repeat")
        g.emit(f"local half = {w} // 2")
        g.emit(f"{w} = half")
        g.close("until half < 2")
    g.emit(f"print({acc}, {w})")


def section_table(g):
    t = g.name("t")
    fields = ", ".join(integer(g, 1) for _ in range(g.between(0, 6)))
    g.emit(f"local {t} = {{ {fields} }}")
    for _ in range(g.between(2, 5)):
        kind = g.below(5)
        if kind == 0:
            g.emit(f"table.insert({t}, {integer(g, 1)})")
        elif kind == 1:
            g.emit(f"table.insert({t}, 1, {integer(g, 1)})")
        elif kind == 2:
            g.emit(f"if #{t} > 0 then print(table.remove({t})) end")
        elif kind == 3:
            g.emit(f"for j = 1, {g.between(1, 40)} do "
                   f"{t}[#{t} + 1] = j * {g.between(1, 9)} end")
        else:
            g.emit(f"{t}[{g.pick(WORDS)!r}] = {integer(g, 1)}; "
                   f"{t}[{g.below(9)}.5] = {string(g, 1)}")
    g.emit(f"print(#{t}, table.concat({t}, \" \", 1, #{t}))")
    k = g.name("keys")
    g.emit(f"local {k} = {{}}")
    g.emit(f"for key in pairs({t}) do {k}[#{k} + 1] = tostring(key) end")
    g.emit(f"table.sort({k})")
    g.emit(f"print(#{k}, table.concat({k}, \"|\"))")
    g.emit(f"print(select(\"#\", table.unpack({t}, 1, 4)), "
           f"next({{}}), rawlen({t}), rawequal({t}, {t}))")


def section_strings(g):
    s = string(g)
    pattern = g.pick(PATTERNS)
    g.emit(f"print(string.find({s}, \"{pattern}\"))")
    g.emit(f"print(string.match({string(g)}, \"{g.pick(PATTERNS)}\", "
           f"{g.between(1, 3)}))")
    n = g.name("n")
    g.emit(f"local {n} = 0")
    g.open(f"for m in string.gmatch({string(g)}, "
           f"\"{g.pick(PATTERNS[:6])}\") do")
    g.emit(f"{n} = {n} + 1")
    g.emit(f"if {n} < 6 then print({n}, m) end")
    g.close()
    replacement = g.pick([
        '"<%0>"', "function(m) return #tostring(m) > 1 and 'long' or nil end",
        '{ alpha = "A", ["1"] = "one", a = true and "b" }', '"%%"'])
    g.emit(f"print(string.gsub({string(g)}, \"{g.pick(PATTERNS)}\", "
           f"{replacement}, {g.between(1, 5)}))")
    g.emit(f"print(string.byte({string(g)}, 1, 4))")
    g.emit(f"print(string.format(\"{g.pick(STRING_FORMATS)}\", {string(g)}), "
           f"string.char({g.between(65, 90)}, {g.between(97, 122)}))")


def section_closures(g):
    make, a, b = g.name("make"), g.name("fa"), g.name("fb")
    g.open(f"local function {make}(start, step)")
    g.emit("local calls = 0")
    g.open("return function(by)")
    g.emit("calls = calls + 1")
    g.emit(f"start = start {g.pick(['+', '-', '~'])} (by or step)")
    g.emit("return start, calls")
    g.close("end, function() return calls * 10 end")
    g.close()
    g.emit(f"local {a}, {b} = {make}({integer(g, 1)}, {g.between(1, 9)})")
    for _ in range(g.between(1, 4)):
        g.emit(f"print({a}({g.pick(['', 'nil', str(g.below(99))])}))")
    g.emit(f"print({b}(), ({a}()))")
    fs = g.name("fs")
    g.emit(f"local {fs} = {{}}")
    g.emit(f"for j = 1, {g.between(2, 6)} do {fs}[j] = function(k) "
           f"j = j * k; return j end end")
    g.emit(f"for j, f in ipairs({fs}) do io.write(f(j), \" \", f(2), \" \") "
           "end print()")


def section_varargs(g):
    f = g.name("f")
    g.open(f"local function {f}(first, ...)")
    g.emit("local packed = table.pack(...)")
    g.emit("local n = select(\"#\", ...)")
    g.emit("if n == 0 then return first end")
    g.emit(f"if n > {g.between(2, 5)} then return n, select(-1, ...) end")
    g.emit(f"return packed.n, (...), {f}(...)")
    g.close()
    for _ in range(g.between(2, 4)):
        args = [g.pick(["nil", "false", integer(g, 1), string(g, 1)])
                for _ in range(g.between(1, 7))]
        g.emit(f"print({f}({', '.join(args)}))")
    g.emit(f"print(({f}(1, 2, 3)), #{{ {f}(1, 2, 3) }}, "
           f"#{{ {f}(1, 2, 3), 0 }})")


def section_metatables(g):
    c, x, y = g.name("Class"), g.name("x"), g.name("y")
    # PUC Lua 5.4.4 forgets the result of __concat if the stack moves meanwhile
    # (seed 876194079 found it): so that it is long enough.
    g.emit("select(\"#\", table.unpack({}, 1, 200))")
    g.emit(f"local {c} = {{}}")
    g.emit(f"{c}.__index = function(_, key) return key .. \"?\" end")
    for event, op in [("add", "+"), ("mul", "*"), ("sub", "-"), ("idiv", "//"),
                      ("band", "&")]:
        constant = 2 * g.below(9) + 1
        g.emit(f"{c}.__{event} = function(a, b) return setmetatable({{ v = "
               f"(type(a) == \"table\" and a.v or a) {op} "
               f"(type(b) == \"table\" and b.v | 1 or {constant}) }}, {c}) end")
    g.emit(f"{c}.__eq = function(a, b) return a.v == b.v end")
    g.emit(f"{c}.__lt = function(a, b) return a.v < b.v end")
    g.emit(f"{c}.__le = function(a, b) return a.v <= b.v end")
    g.emit(f"{c}.__len = function(a) return a.v % {g.between(3, 50)} end")
    g.emit(f"{c}.__unm = function(a) return -a.v end")
    g.emit(f"{c}.__call = function(self, ...) return self.v, ... end")
    g.emit(f"{c}.__concat = function(a, b) return \"<\" .. (type(a) == "
           "\"table\" and a.v or a) .. \"..\" .. (type(b) == \"table\" "
           "and b.v or b) .. \">\" end")
    g.emit(f"{c}.__tostring = function(a) return \"v=\" .. a.v end")
    g.emit(f"local {x} = setmetatable({{ v = {integer(g, 1)} }}, {c})")
    g.emit(f"local {y} = setmetatable({{ v = {integer(g, 1)} }}, {c})")
    exprs = [f"tostring({x} + {y})", f"tostring({x} * 3)", f"{x} == {y}",
             f"tostring({x} // 7 - {y})", f"{x} < {y}", f"{x} <= {y}", f"#{x}",
             f"-{y}", f"{x} .. {y} .. \"s\"", f"{x}({y}.v, 2)",
             f"{x}.missing", f"rawget({x}, \"missing\")", f"(5 & {y}).v"]
    for _ in range(g.between(3, 6)):
        g.emit(f"print({g.pick(exprs)}, {g.pick(exprs)})")
    p, log = g.name("proxy"), g.name("log")
    g.emit(f"local {log} = {{}}")
    g.emit(f"local {p} = setmetatable({{}}, {{ __index = {{ base = "
           f"{integer(g, 1)} }}, __newindex = function(t, k, v) "
           f"{log}[#{log} + 1] = tostring(k); rawset(t, k, v) end }})")
    g.emit(f"{p}.a = 1; {p}.a = 2; {p}[{g.below(9)}] = {p}.base; "
           f"{p}.base = nil")
    g.emit(f"print(table.concat({log}, \",\"), {p}.a, {p}.base)")


def section_errors(g):
    report = g.name("report")
    g.open(f"local function {report}(ok, e, ...)")
    g.emit("if ok then return print(\"ok\", e, ...) end")
    g.emit("if type(e) == \"table\" then return print(\"table\", e.code) end")
    g.emit("if type(e) ~= \"string\" then return print(type(e), e) end")
    g.emit("local at = e:match(\"^.-:(%d+: .*)$\") or e")
    # PUC Lua 5.4.4 gives a stale line for these two.
    g.emit("if at:find(\"'n%\", 1, true) or at:find(\"by zero\") then at = "
           "at:match(\"%d+: (.*)$\") end")
    g.emit("print(\"string\", at:match(\"^%d+: attempt to %a+\") or at)")
    g.close()
    bodies = [
        f"error({g.string_literal()})", f"error({g.string_literal()}, 0)",
        f"error({{ code = {integer(g, 1)} }})", "error()",
        f"return {integer(g, 1)}, {string(g, 1)}",
        "local t; return t.x", "return 1 < \"2\"", "return {} + 1",
        f"return {integer(g, 1)} // 0", "return #5", "return (\"x\")()",
        "return {} .. \"s\"", f"error({g.below(100)})",
        f"return {string(g, 1)} < {integer(g, 1)}", "return 1 % 0",
        f"assert({boolean(g)}, {string(g, 1)})", "return {} < {}",
        "local t = {}; t[nil] = 1", "return 2^53 | 1.5",
        f"assert(nil, {g.string_literal()})",
    ]
    for _ in range(g.between(3, 7)):
        g.open(f"{report}(pcall(function()")
        g.emit(g.pick(bodies))
        g.close("end))")
    depth = g.name("dive")
    g.open(f"local function {depth}(n)")
    g.emit("if n == 0 then error({{ code = \"bottom\" }}) end")
    g.emit(f"local ok, e = pcall({depth}, n - 1)")
    g.emit("e.code = e.code .. n")
    g.emit("error(e)")
    g.close()
    g.emit(f"{report}(pcall({depth}, {g.between(1, 12)}))")
    g.emit(f"print(select(2, pcall(error, {g.string_literal()}, 0)), "
           f"pcall(pcall, error, {g.below(9)}))")


def section_coroutines(g):
    gen, co = g.name("gen"), g.name("co")
    g.open(f"local function {gen}(n)")
    g.open("return coroutine.wrap(function()")
    g.emit(f"for j = 1, n do coroutine.yield(j, j * {g.between(2, 9)}) end")
    g.close("end)")
    g.close()
    g.emit(f"for a, b in {gen}({g.between(1, 6)}) do "
           "io.write(a, \":\", b, \" \") end print()")
    g.open(f"local {co} = coroutine.create(function(a, ...)")
    g.emit("local n = select(\"#\", ...)")
    g.open(f"for j = 1, {g.between(1, 5)} do")
    g.emit("local got = coroutine.yield(a, n, j)")
    g.emit(f"if got == {g.below(4)} then error(\"asked to fail\", 0) end")
    g.emit("a = a + (got or 1)")
    g.close()
    g.emit("local ok, inner = pcall(function() coroutine.yield(\"inside\") "
           "error({}) end)")
    g.emit("return ok, type(inner), coroutine.isyieldable()")
    g.close("end)")
    g.emit(f"print(coroutine.resume({co}, {integer(g, 1)}, nil, nil))")
    g.open(f"for j = 1, {g.between(3, 9)} do")
    g.emit(f"print(coroutine.status({co}), coroutine.resume({co}, j))")
    g.close()
    g.emit(f"print(coroutine.status({co}))")


def section_sorting(g):
    t, seed = g.name("t"), g.name("seed")
    g.emit(f"local {t}, {seed} = {{}}, {g.between(1, 100000)}")
    g.open(f"for j = 1, {g.between(5, 120)} do")
    g.emit(f"{seed} = {seed} * 16807 % 2147483647")
    kind = g.below(3)
    if kind == 0:
        g.emit(f"{t}[j] = {seed} % 1000")
    elif kind == 1:
        g.emit(f"{t}[j] = {seed} % 50 / 4")
    else:
        g.emit(f"{t}[j] = string.format(\"%s%d\", string.char(97 + {seed} "
               f"% 26), {seed} % 10)")
    g.close()
    order = g.pick(["", ", function(a, b) return a > b end"])
    g.emit(f"table.sort({t}{order})")
    g.emit(f"print(table.concat({t}, \" \"))")


def section_functions(g):
    f = g.name("f")
    if g.below(2):
        g.open(f"local function {f}(n)")
        g.emit("if n < 2 then return n end")
        g.emit(f"return {f}(n - 1) + {f}(n - 2)")
        g.close()
        g.emit(f"print({f}({g.between(5, 16)}))")
    else:
        g.open(f"local function {f}(n, acc)")
        g.emit("if n == 0 then return acc end")
        g.emit(f"return {f}(n - 1, acc * 3 ~ n)")
        g.close()
        g.emit(f"print({f}({g.between(100, 30000)}, {integer(g, 1)}))")
    obj = g.name("obj")
    g.emit(f"local {obj} = {{ total = {integer(g, 1)}, sub = {{}} }}")
    g.emit(f"function {obj}:add(v) self.total = self.total + v return self end")
    g.emit(f"function {obj}.sub.twice(v) return v, v end")
    g.emit(f"print({obj}:add({g.below(50)}):add({g.below(50)}).total, "
           f"{obj}.sub.twice({string(g, 1)}))")


def section_live_tree(g):
    insert, walk, root = g.name("insert"), g.name("walk"), g.name("root")
    g.open(f"local function {insert}(t, k)")
    g.emit("if not t then return { k = k, n = 1 } end")
    g.emit("if k == t.k then t.n = t.n + 1 return t end")
    g.emit("local side = k < t.k and \"l\" or \"r\"")
    g.emit(f"t[side] = {insert}(t[side], k)")
    g.emit("return t")
    g.close()
    g.open(f"local function {walk}(t, depth)")
    g.emit("if not t then return 0, depth end")
    g.emit(f"local a, x = {walk}(t.l, depth + 1)")
    g.emit(f"local b, y = {walk}(t.r, depth + 1)")
    g.emit("return a + b + t.n * t.k, math.max(x, y)")
    g.close()
    g.emit(f"local {root}")
    g.emit(f"for j = 1, {g.between(50, 3000)} do {root} = {insert}({root}, "
           f"j * {g.between(1, 500) * 2 + 1} % 1009) end")
    g.emit(f"print({walk}({root}, 0))")


SECTIONS = [
    section_arithmetic, section_conversions, section_loops, section_table,
    section_strings, section_closures, section_varargs, section_metatables,
    section_errors, section_coroutines, section_sorting, section_functions,
    section_live_tree,
]


def generate(seed):
    g = Generator(seed)
    g.emit(f"-- Generated by gen_script.py {seed}.")
    for _ in range(g.between(2, 4)):
        section_locals(g)
    for number in range(g.between(8, 16)):
        section = g.pick(SECTIONS)
        g.open("do")
        g.emit(f"print(\"section {number + 1} {section.__name__[8:]}\")")
        section(g)
        g.close()
    return g.text()


def main():
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit("usage: gen_script.py SEED > script.lua")
    sys.stdout.write(generate(int(sys.argv[1])))


if __name__ == "__main__":
    main()
