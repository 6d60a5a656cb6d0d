#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that nothing is awaited in the head of an if, while or switch: g++ 12 miscompiles that, silently."""
import pathlib
import re
import sys

HEAD = re.compile(r"\b(?:if|while|switch)\s*(?:constexpr\s*)?\(")


def heads(text):
    """Line and text of each head, to the parenthesis that closes it."""
    for match in HEAD.finditer(text):
        depth, end = 1, match.end()
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text.count("\n", 0, match.start()) + 1, text[match.start():end]


root = pathlib.Path(__file__).resolve().parent.parent
found = [f"{path.relative_to(root)}:{line}: {head.splitlines()[0]}"
         for path in sorted(root.glob("src/**/*.[ch]pp")) for line, head in heads(path.read_text(encoding="utf-8")) if "co_await" in head]
print("\n".join(found) or "nothing is awaited in the head of an if, while or switch")
sys.exit(1 if found else 0)
