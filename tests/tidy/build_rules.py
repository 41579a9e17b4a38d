# SPDX-License-Identifier: MIT
"""Rules that need a compiler or the built library. Each takes a Tree and the
options of check.py and returns the violations, one line of text each."""

import os
import re
import shutil
import subprocess
import tempfile

# What neither cell allocation nor anything else in the library may call: the
# C heap, libstdc++ (a C host links without it), exceptions and RTTI.
FORBIDDEN = re.compile(
    r"malloc|calloc|realloc|reallocarray|free|posix_memalign|aligned_alloc"
    r"|memalign|valloc|strn?dup|v?asprintf|getline|open_memstream"
    r"|_Zn[wa].*|_Zd[la].*"                        # operator new, delete
    r"|_ZN?K?S.*|_ZT[ISV]N?S.*|_ZNK?9__gnu_cxx.*"  # namespace std
    r"|_ZN10__cxxabiv1.*|_ZT[IV]N10__cxxabiv1.*"
    r"|__cxa_(?!atexit|finalize|get_globals|thread_atexit).*"
    r"|__gxx_personality_.*|__dynamic_cast|_Unwind_RaiseException"
    r"|__emutls.*")


def _run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False,
                          **options)


def symbols(tree, options):
    """The library calls nothing that allocates behind its back."""
    del tree
    demangle = {}
    dynamic = ["-D"] if ".so" in os.path.basename(options.library) else []
    listing = _run(["nm", "-A", "-u", *dynamic, options.library])
    if listing.returncode != 0:
        return [f"nm failed: {listing.stdout.strip()}"]
    bad = []
    for line in listing.stdout.splitlines():
        match = re.match(r"(.*?):?\s+[Uwv] (\S+)$", line)
        if not match:
            continue
        symbol = match.group(2).split("@")[0]
        if FORBIDDEN.fullmatch(symbol):
            if symbol not in demangle:
                demangle[symbol] = _run(["c++filt", symbol]).stdout.strip()
            where = match.group(1).split(":")[-1]
            bad.append(f"{where}: uses {demangle[symbol]}")
    return bad


def _compilers(options):
    found = [options.cxx]
    for extra in ("g++", "clang++"):
        path = shutil.which(extra)
        if path and os.path.realpath(path) not in map(os.path.realpath, found):
            found.append(path)
    return found


def headers_alone(tree, options):
    """Each public header compiles by itself, warning-free, without exceptions
    and RTTI, under every compiler at hand; tricolor.h as C11 too."""
    warnings = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                f"-I{tree.path('include')}"]
    bad = []
    for header in tree.public_headers():
        source = f"#include <{header[len('include/'):]}>\n"
        jobs = [[cxx, "-std=c++20", "-fno-exceptions", "-fno-rtti", *warnings,
                 "-x", "c++", "-"] for cxx in _compilers(options)]
        if header == "include/tricolor/tricolor.h":
            jobs += [[cc, "-std=c11", "-Wpedantic", *warnings, "-x", "c", "-"]
                     for cc in ("gcc", "clang") if shutil.which(cc)]
        for job in jobs:
            result = _run(job, input=source)
            if result.returncode != 0:
                bad.append(f"{header}: {' '.join(job)}\n{result.stdout}")
    return bad


CONSUMER_CMAKE = """\
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(tricolor REQUIRED)
add_executable(consumer main.cc)
target_link_libraries(consumer PRIVATE tricolor::tricolor)
"""

CONSUMER_MAIN = """\
extern "C" const char tri_version_string[];
int main() { return tri_version_string[0] == 't' ? 0 : 1; }
"""


def install(tree, options):
    """What `cmake --install` leaves behind is found and used by another
    project, through CMake and through pkg-config."""
    includes = "".join(
        f"#include <{h[len('include/'):]}>\n" for h in tree.public_headers()
        if h.count("/") == 2)
    with tempfile.TemporaryDirectory() as folder:
        prefix, source = f"{folder}/prefix", f"{folder}/source"
        os.mkdir(source)
        for name, text in (("CMakeLists.txt", CONSUMER_CMAKE),
                           ("main.cc", includes + CONSUMER_MAIN)):
            with open(f"{source}/{name}", "w", encoding="utf-8") as f:
                f.write(text)
        steps = [
            ["cmake", "--install", options.build, "--prefix", prefix],
            ["cmake", "-G", "Ninja", "-S", source, "-B", f"{folder}/b",
             f"-DCMAKE_PREFIX_PATH={prefix}",
             f"-DCMAKE_CXX_COMPILER={options.cxx}"],
            ["cmake", "--build", f"{folder}/b"],
            [f"{folder}/b/consumer"],
            ["sh", "-ec", f"""
                PKG_CONFIG_PATH=$(dirname $(find {prefix} -name tricolor.pc))
                export PKG_CONFIG_PATH
                set -- $(pkg-config --define-variable=prefix={prefix} \\
                    --cflags --libs tricolor)
                {options.cxx} -std=c++20 {source}/main.cc -o {folder}/pc "$@"
                LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH") {folder}/pc"""],
        ]
        for step in steps:
            result = _run(step)
            if result.returncode != 0:
                return [f"{' '.join(step)}\n{result.stdout}"]
    return []


RULES = (symbols, headers_alone, install)
