#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests the rules: each must pass a clean tree and see a planted violation."""

import os
import subprocess
import tempfile
import unittest
from types import SimpleNamespace

import check
from functions import functions

HEAD = ("// SPDX-License-Identifier: MIT\n//\n"
        "// A file that says what it is and who calls it.\n\n")
CLEAN = {
    "base/lock.h": HEAD + "// ORDER-lock-1: pairs with unlock().\n",
    "base/lock.cc": HEAD + '#include "base/lock.h"\n#include <cstdio>\n'
                           "// ORDER-lock-1: pairs with lock().\n",
    "base/README.md": "# base\n",
    "heap/told.cc": "// SPDX-License-Identifier: MIT\n\n// See span.h.\n",
    "heap/span.cc": HEAD + '#include "base/lock.h"\n',
    "heap/README.md": "# heap\n",
    "include/tricolor/heap.h": HEAD + "#include <tricolor/detail/x.h>\n",
    "include/tricolor/detail/x.h": HEAD,
    "include/README.md": "# include\n",
    "examples/echo/local.h": HEAD,
    "examples/echo/main.cc": HEAD + '#include "local.h"\n'
                                    "#include <tricolor/heap.h>\n",
    "examples/echo/README.md": "# echo\n",
    "examples/README.md": "# examples\n",
}


def body(lines):
    return "{\n" + "  x();\n" * lines + "}\n"


PLANTED = [
    ("includes", "base/bad.h", HEAD + '#include "heap/span.h"\n'),
    ("includes", "gc/bad.h", HEAD + '#include "poll/epoll.h"\n'),
    ("includes", "poll/bad.h", HEAD + '#include "gc/mark.h"\n'),
    ("includes", "stacks/bad.h", HEAD + '  #  include "sched/g.h"\n'),
    ("includes", "base/bad.h", HEAD + "#include <tricolor/heap.h>\n"),
    ("includes", "heap/bad.h", HEAD + '#include "span.h"\n'),
    ("includes", "include/tricolor/b.h", HEAD + '#include "heap/span.h"\n'),
    ("includes", "include/tricolor/b.h", HEAD + '#include "x.h"\n'),
    ("includes", "examples/echo/b.cc", HEAD + '#include "sched/g.h"\n'),
    ("includes", "examples/echo/b.cc", HEAD + '#include "unknown.h"\n'),
    ("includes", "bench/workloads/b.cc", HEAD + '#include "gc/mark.h"\n'),
    ("spdx", "heap/bad.cc", "// A file without a licence line at all.\n"),
    ("spdx", "tests/CMakeLists.txt", "project(x)\n"),
    ("file_comment", "heap/bad.cc",
     "// SPDX-License-Identifier: MIT\n#include <cstdio>\n"),
    ("order_tags", "heap/bad.cc", HEAD + "// ORDER-runq-2: no other end\n"),
    ("readmes", "sched/g.cc", HEAD),
    ("readmes", "examples/new/main.cc", HEAD),
    ("readmes", "heap/README.md", "a line\n" * 61),
    ("columns", "heap/bad.cc", HEAD + "//" + "x" * 79 + "\n"),
    ("file_length", "heap/bad.cc", HEAD + "\n" * 600),
    ("file_length", "include/tricolor/long.h", HEAD + "\n" * 200),
    ("function_length", "heap/bad.cc", HEAD + "int f(int a) " + body(71)),
    ("leftovers", "heap/bad.cc", HEAD + "// TO" + "DO(me): later\n"),
]


def write(root, files):
    for name, text in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


class TextRules(unittest.TestCase):
    def test_clean_tree_passes(self):
        with tempfile.TemporaryDirectory() as root:
            write(root, CLEAN)
            for rule in check.TEXT:
                self.assertEqual(check.check(rule, root), [], rule)

    def test_planted_violations_are_seen(self):
        for rule, name, text in PLANTED:
            with tempfile.TemporaryDirectory() as root:
                write(root, CLEAN)
                write(root, {name: text})
                found = check.check(rule, root)
                self.assertEqual(len(found), 1, f"{rule} {name}: {found}")
                self.assertIn(name.rsplit("/", 1)[0], found[0])

    def test_every_rule_has_a_planted_violation(self):
        self.assertEqual({rule for rule, _, _ in PLANTED}, set(check.TEXT))

    def test_listed_long_function_passes(self):
        with tempfile.TemporaryDirectory() as root:
            write(root, {
                "heap/big.cc": HEAD + "int Vm::run(int a) " + body(99),
                "tests/tidy/long_functions.txt": "heap/big.cc Vm::run why\n"})
            self.assertEqual(check.check("function_length", root), [])


class Functions(unittest.TestCase):
    def lengths(self, text):
        return [(name, count) for name, _, count in functions(text)]

    def test_kinds_of_functions(self):
        for head, name in (
                ("static int f(int a) ", "f"),
                ("template <class T>\nvoid C<T>::g() const noexcept ", "C::g"),
                ("C::C(int a) : a_(a), b_{1}, c_{2} ", "C::C"),
                ("C::C(int a)\n    : C{a, {}} ", "C::C"),
                ("C::~C() ", "C::~C"),
                ("auto h(std::pair<int, int> p = {1, 2}) -> int ", "h"),
                ("void k() TRI_REQUIRES(lock_) ", "k"),
                ("TEST(suite, a_case) ", "TEST"),
                ("class X {\n public:\n  int m() override ", "m")):
            text = head + body(9) + "};\n"
            self.assertEqual(self.lengths(text), [(name, 9)], head)

    def test_what_is_no_function(self):
        text = ("namespace n {\nstruct alignas(64) S {\n  int a{1};\n};\n"
                "class TRI_CAPABILITY(\"m\") M {\n};\n"
                "int table[] = {\n  1,\n  2,\n};\nenum class E : int {\n};\n"
                "}\n#define F(x) \\\n  { \\\n  }\n"
                "const char* s = \"void f() {\";  // void g() {\n")
        self.assertEqual(self.lengths(text), [])

    def test_nested_blocks_count_once(self):
        text = "int f() {\n  auto l = [&](int a) {\n    if (a) {\n" \
               "    }\n  };\n}\nint g() { return 1'000; }\n"
        self.assertEqual(self.lengths(text), [("f", 4), ("g", 0)])


class BuildRules(unittest.TestCase):
    def library(self, folder, source):
        write(folder, {"x.cc": source})
        subprocess.run(["g++", "-O1", "-std=c++20", "-c", "x.cc", "-o", "x.o"],
                       cwd=folder, check=True)
        subprocess.run(["ar", "rcs", "libx.a", "x.o"], cwd=folder, check=True)
        return check.check("symbols", folder,
                           SimpleNamespace(library=f"{folder}/libx.a"))

    def test_symbols(self):
        include = "#include <cstdlib>\n#include <thread>\n"
        for source, what in (
                ("void* f(int n) { return malloc(n); }", "malloc"),
                ("void f(void* p) { free(p); }", "free"),
                ("int* f() { return new int[9]; }", "operator new[]"),
                ("void f() { throw 1; }", "__cxa_throw"),
                ("int g(); int f() { static int x = g(); return x; }",
                 "__cxa_guard_acquire"),
                ("void g(); void f() { std::thread(g).join(); }",
                 "std::thread")):
            with tempfile.TemporaryDirectory() as folder:
                found = self.library(folder, include + source)
                self.assertTrue(any(what in line for line in found),
                                f"{source}: {found}")
        with tempfile.TemporaryDirectory() as folder:
            clean = include + "void g(); void f() { g(); abort(); }"
            self.assertEqual([], self.library(folder, clean))

    def test_headers_alone(self):
        options = SimpleNamespace(cxx="g++")
        for name, text, count in (
                ("good.h", "#include <cstddef>\n", 0),
                ("bad.h", "inline std::size_t f() { return 0; }\n", 1),
                ("throws.h", "inline void f() { throw 1; }\n", 1),
                ("tricolor.h", "enum class E { kA };\n", 1)):
            with tempfile.TemporaryDirectory() as root:
                write(root, {f"include/tricolor/{name}": text})
                found = check.check("headers_alone", root, options)
                self.assertEqual(bool(found), bool(count), name)


if __name__ == "__main__":
    unittest.main()
