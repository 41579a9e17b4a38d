#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks one rule of the tree: check.py RULE [options]; no RULE lists them."""

import argparse
import os
import sys

import build_rules
import text_rules
from tree import Tree

TEXT = {rule.__name__: rule for rule in text_rules.RULES}
BUILD = {rule.__name__: rule for rule in build_rules.RULES}


def check(rule, root, options=None):
    """The violations of the rule of that name in the tree at `root`."""
    tree = Tree(root)
    return TEXT[rule](tree) if rule in TEXT else BUILD[rule](tree, options)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(os.path.dirname(here))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rule", nargs="?", choices=[*TEXT, *BUILD])
    parser.add_argument("--root", default=root)
    parser.add_argument("--cxx", default="g++", help="the compiler")
    parser.add_argument("--library", help="the built library's file")
    parser.add_argument("--build", help="the build tree to install from")
    options = parser.parse_args()
    if options.rule is None:
        print("\n".join([*TEXT, *BUILD]))
        return 0
    violations = check(options.rule, options.root, options)
    for violation in violations:
        print(violation)
    if violations:
        print(f"{len(violations)} violations of the rule {options.rule}: "
              f"{(TEXT | BUILD)[options.rule].__doc__}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
