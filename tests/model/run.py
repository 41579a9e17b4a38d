#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Verifies a model with spin, and proves that each of its rules is needed.

usage: run.py verify MODEL    every configuration holds, exhaustively
       run.py mutants MODEL   each MUTANT_x of the model is found by one
       run.py rules MODEL     its document knows each, and the code still has
                              what the document's table of rules names

A configuration is a line "CONFIG name -Dx ..." in MODEL's opening comment. The
lines "FAILS x y ..." below it name the mutants that it finds: macros MUTANT_x
that the model asks for with #ifdef or #ifndef. Each has to end in a violated
assertion, and each has to be named: else the rule it takes away is not needed,
or the model does not see why it is.

Without spin or a C compiler the test is skipped (77), except in CI.
TRI_STRESS=1: the lines "STRESS name -Dx ..." are verified, too.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from multiprocessing.pool import ThreadPool

SKIPPED = 77
CC = ["cc", "-w", "-DSAFETY", "-DMEMLIM=4096"]


def run(command, folder):
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def must(command, folder):
    done = run(command, folder)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")


def check(model, defines, deadlocks, optimize):
    """Explores one variant; returns (states, what is wrong, output)."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(model, folder)
        must(["spin", *defines, "-a", os.path.basename(model)], folder)
        must([*CC, optimize, "-o", "pan", "pan.c"], folder)
        command = ["./pan", "-m100000", "-w22"]
        out = run(command if deadlocks else [*command, "-E"], folder).stdout
    states = re.search(r"(\d+) states, stored", out)
    errors = re.search(r"errors: (\d+)", out)
    if not states or not errors:
        sys.exit(f"pan says nothing of states and errors:\n{out}")
    wrong = None
    if errors.group(1) != "0":
        wrong = re.search(r"pan:\d+: (.*?) \(at depth", out)
        wrong = wrong.group(1) if wrong else "an error"
    elif "Search not completed" in out or "max search depth" in out:
        sys.exit(f"the search is not exhaustive:\n{out}")
    return int(states.group(1)), wrong, out


def configurations(text):
    """[(CONFIG or STRESS, name, defines, mutants)] in the model's order."""
    found = []
    for line in text.split("*/")[0].splitlines():
        words = line.strip(" *").split()
        if words[:1] in (["CONFIG"], ["STRESS"]):
            found.append((words[0], words[1], words[2:], []))
        elif words[:1] == ["FAILS"]:
            found[-1][3].extend(words[1:])
    return found


def verify(model, text):
    for kind, name, defines, _ in configurations(text):
        if kind == "STRESS" and not os.environ.get("TRI_STRESS"):
            continue
        states, wrong, out = check(model, defines, True, "-O2")
        if wrong:
            sys.exit(f"{name}: {wrong}\n{out}")
        print(f"{name}: {states} states, holds", flush=True)


def mutants(model, text):
    asked = sorted(set(re.findall(r"#ifn?def MUTANT_(\w+)", text)))
    named = [(mutant, name, defines)
             for _, name, defines, names in configurations(text)
             for mutant in names]
    if sorted(mutant for mutant, _, _ in named) != asked:
        sys.exit(f"the FAILS lines do not name each of {', '.join(asked)} once")

    def one(job):
        mutant, name, defines = job
        states, wrong, _ = check(model, [*defines, f"-DMUTANT_{mutant}"],
                                 False, "-O1")
        ok = bool(wrong) and wrong.startswith("assertion violated")
        print(f"{mutant}: {'fails' if ok else 'HOLDS'} in {name}, "
              f"{states} states", flush=True)
        return ok

    with ThreadPool(2) as pool:
        if not all(pool.map(one, named, 1)):
            sys.exit("a rule was taken away, and the model still holds")


def rules(_, text):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    path = re.search(r"docs/design/[\w-]+\.md", text).group(0)
    with open(os.path.join(root, path), encoding="utf-8") as file:
        rows = [line.split("|") for line in file if re.match(r"\| \d+ ", line)]
    told = sorted(re.findall(r"[A-Z_]{4,}", " ".join(row[4] for row in rows)))
    asked = sorted(set(re.findall(r"#ifn?def MUTANT_(\w+)", text)))
    if told != asked:
        sys.exit(f"{path} names {told}, the model has {asked}")
    code = ""
    for folder in ("gc", "heap", "sched", "include/tricolor"):
        for name in sorted(os.listdir(os.path.join(root, folder))):
            if name.endswith((".cc", ".h")):
                with open(os.path.join(root, folder, name),
                          encoding="utf-8") as file:
                    code += file.read()
    for row in rows:
        for name in re.findall(r"`([\w:]+)(?:\(\))?`", row[3]):
            if not re.search(rf"\b{name.split('::')[-1]}\b", code):
                sys.exit(f"{path}, rule{row[1]}: nothing is called {name}")


def main():
    ways = {"verify": verify, "mutants": mutants, "rules": rules}
    if len(sys.argv) != 3 or sys.argv[1] not in ways:
        sys.exit(__doc__)
    for tool in ("spin", "cc") if sys.argv[1] != "rules" else ():
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed (./dev setup does it)")
            sys.exit(1 if os.environ.get("CI") else SKIPPED)
    with open(sys.argv[2], encoding="utf-8") as file:
        text = file.read()
    if not configurations(text):
        sys.exit("the model has no CONFIG lines")
    ways[sys.argv[1]](sys.argv[2], text)


if __name__ == "__main__":
    main()
