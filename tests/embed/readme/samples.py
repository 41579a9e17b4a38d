#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles and runs the programs of README.md.

samples.py README INCLUDE_DIR LIBRARY CC CXX [FLAGS...]: every ```cpp and ```c
block is a whole program; C ones are linked by the C compiler, without
libstdc++. Each must exit with 0 and print what the comment on its last line
says ("// prints: TEXT").
"""
import pathlib
import re
import subprocess
import sys
import tempfile


def main() -> int:
    readme, include, library, cc, cxx, *flags = sys.argv[1:]
    text = pathlib.Path(readme).read_text()
    blocks = re.findall(r"```(cpp|c)\n(.*?)```", text, re.S)
    if {lang for lang, _ in blocks} != {"c", "cpp"}:
        print("README.md has no C or no C++ program")
        return 1
    for number, (lang, source) in enumerate(blocks):
        expected = re.search(r"prints: (.*?)(?: \*/)?$", source.strip())
        if expected is None:
            print(f"block {number} does not say what it prints")
            return 1
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / f"sample.{lang}"
            path.write_text(source)
            compiler = [cc, "-std=c11"] if lang == "c" else [cxx, "-std=c++20"]
            subprocess.run(
                [*compiler, "-Wall", "-Wextra", "-Werror", *flags,
                 f"-I{include}", str(path), library, "-lpthread",
                 "-o", f"{folder}/sample"], check=True)
            got = subprocess.run([f"{folder}/sample"], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout.strip()
        if got != expected.group(1):
            print(f"{lang}: printed {got!r}, README says "
                  f"{expected.group(1)!r}")
            return 1
        print(f"{lang}: {got}")
    return 0


sys.exit(main())
