# SPDX-License-Identifier: MIT
"""Random Lua expressions by type, and the state of a program being written.

Used by gen_script.py, which says what may be generated and what may not.
"""

import random

EDGE_INTEGERS = [
    "0", "1", "-1", "7", "255", "65536", "-2147483648", "0x7fffffff",
    "math.maxinteger", "math.mininteger", "1000000007", "-13",
]
EDGE_FLOATS = [
    "0.5", "-0.25", "1e15", "2^53", "1e100", "-3.75", "0.1", "3.0", "1e-7",
    "123456.789", "-0.0",
]
# Factors stay small so that no product is infinite and no sum is a NaN, whose
# sign in print() is the CPU's business.
FACTORS = ["0.5", "-0.25", "-3.75", "0.1", "3.0", "1e-7", "1234.5", "-1.0"]
WORDS = [
    "alpha", "beta", "Gamma", "delta", "key=value", "a,b,,c", "  trim me  ",
    "x1y22z333", "The quick brown fox", "", "%d", "tab\\there", "0x1F", "42",
    "ends with dot.", "(nested (parens))",
]
PATTERNS = ["%a+", "%d+", "%s*(%S+)", "(%w)(%w)", "[aeiou]", "^%w+", "%w+$",
            "(.-),", "%b()", "[^,]*", "()%u()", "%f[%w]%w+"]
FORMATS = ["%d", "%5d", "%-6d|", "%05d", "%x", "%X", "%+d"]
FLOAT_FORMATS = ["%.3f", "%g", "%10.2f", "%e", "%.14g", "%-9.1f|"]
STRING_FORMATS = ["%s", "%10s", "%-10s|", "%.3s", "%q"]


class Generator:
    """Holds the dice, the output and the variables in scope by type."""

    def __init__(self, seed):
        # random() is the one method whose sequence Python promises to keep.
        self._random = random.Random(seed).random
        self._lines = []
        self._indent = 0
        self._names = 0
        self.ints, self.floats, self.strings = [], [], []

    def below(self, limit):
        return int(self._random() * limit)

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def pick(self, items):
        return items[self.below(len(items))]

    def name(self, stem):
        self._names += 1
        return f"{stem}{self._names}"

    def emit(self, text):
        self._lines.append("  " * self._indent + text)

    def open(self, text):
        self.emit(text)
        self._indent += 1

    def close(self, text="end"):
        self._indent -= 1
        self.emit(text)

    def text(self):
        return "\n".join(self._lines) + "\n"

    def string_literal(self):
        return '"' + self.pick(WORDS) + '"'


# Expressions. Integer expressions never fault: divisors are odd constants,
# float results are not floored back into integers, shifts take any count.

def integer(g, depth=3):
    if depth == 0 or g.below(5) == 0:
        if g.ints and g.below(3):
            return g.pick(g.ints)
        return g.pick(EDGE_INTEGERS) if g.below(2) else str(g.below(1000))
    a = integer(g, depth - 1)
    kind = g.below(10)
    if kind < 5:
        op = g.pick(["+", "-", "*", "&", "|", "~"])
        return f"({a} {op} {integer(g, depth - 1)})"
    if kind == 5:
        return f"({a} {g.pick(['//', '%'])} {2 * g.below(50) + 3})"
    if kind == 6:
        return f"({a} {g.pick(['<<', '>>'])} {g.below(70)})"
    if kind == 7:
        return f"(~{a})" if g.below(2) else f"(- {a})"
    if kind == 8:
        return f"#{string(g, depth - 1)}"
    return f"({boolean(g, depth - 1)} and {a} or {integer(g, depth - 1)})"


def floating(g, depth=3):
    if depth == 0 or g.below(5) == 0:
        if g.floats and g.below(3):
            return g.pick(g.floats)
        return g.pick(EDGE_FLOATS)
    a = floating(g, depth - 1)
    kind = g.below(6)
    if kind < 2:
        return f"({a} {g.pick(['+', '-'])} {floating(g, depth - 1)})"
    if kind == 2:
        return f"({a} * {g.pick(FACTORS)})"
    if kind == 3:
        return f"({a} / {g.between(1, 9)})"
    if kind == 4:
        return f"({integer(g, depth - 1)} + {a})"
    return f"math.{g.pick(['abs', 'max', 'min'])}({a}, 1.5)"


def string(g, depth=3):
    if depth == 0 or g.below(4) == 0:
        if g.strings and g.below(3):
            return g.pick(g.strings)
        return f"({g.string_literal()})"
    a = string(g, depth - 1)
    kind = g.below(8)
    if kind == 0:
        return f"({a} .. {string(g, depth - 1)})"
    if kind == 1:
        return f"({a} .. {integer(g, depth - 1)})"
    if kind == 2:
        return f"({a}):sub({g.between(-6, 6)}, {g.between(-6, 12)})"
    if kind == 3:
        return f"string.rep({a}, {g.below(4)}, {g.pick(WORDS[:2])!r})"
    if kind == 4:
        return f"({a}):{g.pick(['upper', 'lower', 'reverse'])}()"
    if kind == 5:
        return f"string.format(\"{g.pick(FORMATS)}\", {integer(g, depth - 1)})"
    if kind == 6:
        return f"tostring({integer(g, depth - 1)})"
    return f"string.format(\"{g.pick(STRING_FORMATS[:4])}\", {a})"


def boolean(g, depth=2):
    op = g.pick(["<", "<=", "==", "~=", ">", ">="])
    kind = g.below(4)
    d = max(0, depth - 1)
    if kind == 0:
        return f"({integer(g, d)} {op} {integer(g, d)})"
    if kind == 1:
        return f"({string(g, d)} {op} {string(g, d)})"
    if kind == 2:
        return f"({integer(g, d)} {op} {floating(g, d)})"
    return f"(not ({integer(g, d)} {op} {g.below(100)}))"
