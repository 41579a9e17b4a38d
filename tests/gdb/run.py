#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Asks sched/tricolor-gdb.py about a program that has trapped, and its core.

usage: run.py PROGRAM SCRIPT
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
CORE_BYTES = 1 << 30
ASK = ("tri-runtimes", "tri-ps", "tri-tasks", "tri-bt 2")


def gdb(arguments, commands):
    line = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off"]
    for command in commands:
        line += ["-ex", command]
    return subprocess.run([*line, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=100,
                          check=False).stdout


def check(what, text):
    wanted = (r"0x[0-9a-f]+.*P0\b", r"main.*running", r"sleeper.*sleep",
              r"waiting.*receive", r"wait_in_the_deep.*wait_in_the_deep")
    for pattern in wanted:
        if not re.search(pattern, text, re.DOTALL):
            sys.exit(f"{what}: nothing like {pattern} in:\n{text}")


def main():
    program, script = sys.argv[1:]
    if not shutil.which("gdb"):
        print("skipped: gdb is not installed (./dev setup does it)")
        sys.exit(1 if os.environ.get("CI") else SKIPPED)
    source = f"source {script}"
    live = gdb([program], ["run", source, *ASK, "kill"])
    if re.search(r"ptrace.*not permitted|Could not trace", live):
        print(f"skipped: no process may be traced here:\n{live}")
        sys.exit(SKIPPED)
    check("live", live)
    with tempfile.TemporaryDirectory() as folder:
        # Not gdb's gcore, which leaves mappings with guard pages out.
        subprocess.run([program], cwd=folder, check=False,
                       preexec_fn=lambda: resource.setrlimit(
                           resource.RLIMIT_CORE, (CORE_BYTES, CORE_BYTES)))
        cores = os.listdir(folder)
        if not cores:
            print("no core file: the kernel puts them elsewhere, or none")
            return
        core = os.path.join(folder, cores[0])
        check("core", gdb([program, core], [source, *ASK]))


if __name__ == "__main__":
    main()
