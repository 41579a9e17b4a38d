# SPDX-License-Identifier: MIT
"""Rules that read the text of the tree. Each takes a Tree and returns the
violations it found, one line of text each; an empty list is a pass."""

import os
import re
from collections import Counter

from functions import functions
from tree import LAYERS

MAX_COLUMNS = 80
MAX_FILE_LINES = 600
MAX_PUBLIC_HEADER_LINES = 200
MAX_FUNCTION_LINES = 70
MAX_README_LINES = 60

# What a folder may include: itself and what lies below it.
BELOW = {
    "base": {"base"},
    "heap": {"base", "heap"},
    "stacks": {"base", "heap", "stacks"},
    "poll": {"base", "heap", "stacks", "poll"},
    "gc": {"base", "heap", "stacks", "gc"},
    "sched": set(LAYERS),
}

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def _includes(tree, name):
    """Yields (line number, opening character, path) of each include."""
    text = tree.text(name)
    for match in _INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start(1)) + 1
        yield line, match.group(1), match.group(2)


def includes(tree):
    """Dependencies point down; the public API and its users see only it."""
    bad = []
    for name in tree.code(*LAYERS, "include", "examples", "bench"):
        for line, quote, path in _includes(tree, name):
            reason = _include_problem(tree, name, quote, path)
            if reason:
                bad.append(f"{name}:{line}: includes {path}: {reason}")
    return bad


def _include_problem(tree, name, quote, path):
    folder, target = name.split("/")[0], path.split("/")[0]
    if folder in LAYERS:
        if target in LAYERS:
            if target not in BELOW[folder]:
                return f"{folder} lies below {target} or beside it"
        elif target == "tricolor":
            if folder == "base":
                return "base knows nothing of the public API"
        elif quote == '"':
            return "private headers are included from the root"
        return None
    public_only = folder != "bench" or name.startswith("bench/workloads/")
    if not public_only or target == "tricolor":
        return None
    if target in LAYERS or target in ("tests", "bench", "include"):
        return f"{folder} uses the public API alone"
    if quote == '"' and folder == "include":
        return "public headers include public headers alone"
    if quote == '"' and not _is_local(tree, name, path):
        return "neither public nor a file of this program"
    return None


def _is_local(tree, name, path):
    """Beside the file, or below the program's folder (examples/lua)."""
    bases = {os.path.dirname(name), "/".join(name.split("/")[:2])}
    return any(os.path.normpath(os.path.join(b, path)) in tree.files
               for b in bases)


def spdx(tree):
    """Every source says its licence in its first lines."""
    return [f"{name}:1: no SPDX-License-Identifier: MIT line"
            for name in tree.code() + tree.scripts()
            if "SPDX-License-Identifier: MIT" not in
            "\n".join(tree.lines(name)[:3])]


def file_comment(tree):
    """Every C++ file opens with what it is, right under the licence, or with
    where that is told ("See x.h.")."""
    bad = []
    for name in tree.code():
        words, told = [], False
        for line in tree.lines(name):
            stripped = line.strip()
            if stripped and not stripped.startswith(("//", "/*", "*", "#!")):
                break
            if "SPDX" not in stripped and "Copyright" not in stripped:
                words += re.findall(r"[A-Za-z]{2,}", stripped)
                told |= bool(re.search(r"\b[Ss]ee \S+\.(h|md|cc)\b", stripped))
        if len(words) < 5 and not told:
            bad.append(f"{name}:1: no file comment")
    return bad


def order_tags(tree):
    """Both ends of a release/acquire edge carry the same ORDER tag."""
    seen, where = Counter(), {}
    for name in tree.code(*LAYERS, "include"):
        for number, line in enumerate(tree.lines(name), 1):
            for tag in re.findall(r"\bORDER-[a-z0-9_]+-[0-9]+", line):
                seen[tag] += 1
                where[tag] = f"{name}:{number}"
    return [f"{where[tag]}: {tag} has one end only"
            for tag, count in sorted(seen.items()) if count < 2]


def readmes(tree):
    """Each folder of the top level and each example has a short README."""
    folders = {f.split("/")[0] for f in tree.code() if "/" in f}
    folders |= {"/".join(f.split("/")[:2]) for f in tree.code("examples")
                if f.count("/") > 1}
    bad = []
    for folder in sorted(folders):
        name = f"{folder}/README.md"
        if name not in tree.files:
            bad.append(f"{name}: missing")
        elif folder in LAYERS + ("include",):
            count = len(tree.lines(name)) - 1
            if count > MAX_README_LINES:
                bad.append(f"{name}: {count} lines, at most "
                           f"{MAX_README_LINES}")
    return bad


def columns(tree):
    """80 columns; a line that is one long URL may be longer."""
    return [f"{name}:{number}: {len(line)} columns"
            for name in tree.code() + tree.scripts()
            for number, line in enumerate(tree.lines(name), 1)
            if len(line) > MAX_COLUMNS and "://" not in line]


def file_length(tree):
    """Files stay readable in one sitting, public headers on one page."""
    bad = []
    for name in tree.code():
        count = len(tree.lines(name)) - 1
        limit = (MAX_PUBLIC_HEADER_LINES
                 if name.startswith("include/") else MAX_FILE_LINES)
        if count > limit:
            bad.append(f"{name}: {count} lines, at most {limit}")
    return bad


def _long_allowed(tree):
    """The list of functions that may be long: `path name reason...`."""
    name = "tests/tidy/long_functions.txt"
    if name not in tree.files:
        return set()
    return {tuple(line.split()[:2]) for line in tree.lines(name)
            if line.strip() and not line.startswith("#")}


def function_length(tree):
    """No function body is longer than a screen; listed ones excepted."""
    allowed, bad = _long_allowed(tree), []
    for name in tree.code():
        if name.endswith(".S"):
            continue
        for function, line, count in functions(tree.text(name)):
            if count > MAX_FUNCTION_LINES and (name, function) not in allowed:
                bad.append(f"{name}:{line}: {function} has {count} lines, at "
                           f"most {MAX_FUNCTION_LINES}")
    return bad


def leftovers(tree):
    """Nothing is left for later inside the sources."""
    words = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
    return [f"{name}:{number}: {match.group()}"
            for name in tree.code() + tree.scripts()
            for number, line in enumerate(tree.lines(name), 1)
            for match in [words.search(line)] if match]


RULES = (includes, spdx, file_comment, order_tags, readmes, columns,
         file_length, function_length, leftovers)
