#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every test case is run under its own name: CTest splits names at ';' and Catch2 takes a leading '-' for an option; either way a
test would pass without running."""
import pathlib
import re
import sys

NAME = re.compile(r'^\s*TEST_CASE\(\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)


def main():
    tests = pathlib.Path(__file__).resolve().parent.parent / "tests"
    found = []
    count = 0
    for path in sorted(tests.rglob("*.cpp")):
        for match in NAME.finditer(path.read_text(encoding="utf-8")):
            count += 1
            name = match.group(1)
            if ";" in name or name.startswith("-") or name != name.strip():
                found.append(f'{path.relative_to(tests.parent)}: the name "{name}" would not be run')
    print("\n".join(found) if found else f"{count} test cases have names that can be run")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
