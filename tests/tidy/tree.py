# SPDX-License-Identifier: MIT
"""The source tree as the tidy rules see it: which files, which text."""

import os
import re
import subprocess

LAYERS = ("base", "heap", "stacks", "poll", "gc", "sched")
CODE = (".cc", ".h", ".c", ".S")
SCRIPTS = (".py", ".sh", ".cmake", ".lua", ".go")
SCRIPT_NAMES = ("CMakeLists.txt", "dev", "run")


class Tree:
    """The files of a checkout: what git knows, or all when there is no git."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.files = sorted(self._git_files() or self._all_files())
        self._text = {}

    def _git_files(self):
        if not os.path.exists(os.path.join(self.root, ".git")):
            return None
        out = subprocess.run(["git", "-C", self.root, "ls-files"],
                             stdout=subprocess.PIPE, check=True, text=True)
        return [f for f in out.stdout.splitlines()
                if os.path.isfile(os.path.join(self.root, f))]

    def _all_files(self):
        found = []
        for folder, subfolders, names in os.walk(self.root):
            subfolders[:] = [s for s in subfolders if s not in ("build", "b")]
            found += [os.path.relpath(os.path.join(folder, n), self.root)
                      for n in names]
        return found

    def path(self, name):
        return os.path.join(self.root, name)

    def text(self, name):
        if name not in self._text:
            with open(self.path(name), encoding="utf-8",
                      errors="replace") as f:
                self._text[name] = f.read()
        return self._text[name]

    def lines(self, name):
        return self.text(name).split("\n")

    def code(self, *folders):
        """C, C++ and assembly files, under the given folders or anywhere."""
        return [f for f in self.files if f.endswith(CODE) and
                (not folders or f.split("/")[0] in folders)]

    def scripts(self):
        return [f for f in self.files if f.endswith(SCRIPTS) or
                os.path.basename(f) in SCRIPT_NAMES]

    def public_headers(self):
        return [f for f in self.files
                if f.startswith("include/tricolor/") and f.endswith(".h")]


_BLANKED = re.compile(
    r'//(?:\\\n|[^\n])*'                         # line comment
    r'|/\*.*?\*/'                                # block comment
    r'|R"(?P<d>[^(\s"]*)\(.*?\)(?P=d)"'          # raw string
    r'|"(?:\\.|[^"\\\n])*"'                      # string
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'"     # character, not 1'000
    r'|^[ \t]*\#(?:\\\n|[^\n])*',                # preprocessor
    re.S | re.M)


def blank(text):
    """`text` without comments, strings and directives; same line numbers."""
    return _BLANKED.sub(lambda m: re.sub(r"[^\n]+", " ", m.group()), text)
