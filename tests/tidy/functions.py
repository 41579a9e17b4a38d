# SPDX-License-Identifier: MIT
"""Finds the functions of a C++ file and how long their bodies are.

A heuristic for code in the house format, not a parser: it follows braces and
decides from the text before each `{` whether a function starts there.
"""

import re

from tree import blank

_CALL_LIKE = re.compile(
    r"\b(alignas|decltype|__attribute__|noexcept|requires|TRI_[A-Z_]+)\s*\(")
_TYPE = re.compile(r"^(typedef\s+)?(inline\s+)?"
                   r"(class|struct|union|enum|namespace|extern)\b")
_INIT_LIST = re.compile(r"\)\s*(noexcept\s*)?:(?!:)")


def _without_groups(head):
    """`head` without attribute-like groups such as TRI_REQUIRES(lock)."""
    while True:
        match = _CALL_LIKE.search(head)
        if not match:
            return head
        depth, end = 1, match.end()
        while end < len(head) and depth:
            depth += {"(": 1, ")": -1}.get(head[end], 0)
            end += 1
        head = head[:match.start()] + " " + head[end:]


def _kind(head):
    """What the block opened after `head` is: type, function, init, other."""
    head = _without_groups(" ".join(head.split())).strip()
    head = re.sub(r"^template <.*?> (?=\w)", "", head)
    if not head:
        return "other"
    if "(" not in head:
        return "type" if _TYPE.search(head) else "other"
    if _INIT_LIST.search(head) and re.search(r"[\w>]$", head):
        tail = head[head.rindex(")") + 1:]
        if "," in tail or ":" in tail.replace("::", ""):
            return "init"
    return "function"


def _name(head):
    text, before = _without_groups(" ".join(head.split())), None
    while text != before:  # template arguments, innermost first
        before, text = text, re.sub(r"<[^<>()]*>", "", text)
    match = re.search(r"(operator\s*\S+?|[\w:~]+)\s*\(", text)
    return match.group(1) if match else "?"


def functions(text):
    """Yields (name, first line of the body, lines between the braces)."""
    stack = []          # (kind, head, line of the brace)
    head, line, inside = "", 1, 0
    parens = 0
    for char in blank(text):
        if char == "\n":
            line += 1
        if char in "([":
            parens += 1
        elif char in ")]":
            parens -= 1
        if char == "{":
            kind = "other" if inside or parens else _kind(head)
            inside += kind == "function"
            stack.append((kind, head, line, parens))
            head, parens = "", 0
        elif char == "}" and stack:
            kind, before, start, parens = stack.pop()
            head = before + "{}" if kind == "init" or parens else ""
            if kind == "function":
                inside -= 1
                yield _name(before), start, max(0, line - start - 1)
        elif char == ";" and not parens:
            head = ""
        else:
            head += char
            if head.rstrip().endswith(("public:", "private:", "protected:")):
                head = ""
