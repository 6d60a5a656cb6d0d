#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_docs.py [--tool QCONN] [--write]: what the documentation shows is so.

- every relative link leads to a file;
- the program in README.md is examples/1_first_steps/hello.cpp, and the pieces in docs/testing.md are out of examples/4_tests/own_tests.cpp, both of which
  are compiled and run by a test;
- the kind in docs/vendor-kinds.md is src/schemes/sewio_rest.cpp;
- with --tool, the option tables between `<!-- options: SCHEME -->` and `<!-- end -->` are what the tool prints (--write puts them in); with
  `SCHEME beyond OTHER` those lines of it that OTHER has not.
"""
import argparse
import functools
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TABLE = re.compile(r"(<!-- options: ([a-z0-9]+)(?: beyond ([a-z0-9]+))? -->\n)(.*?)(<!-- end -->)", re.DOTALL)
CODE = re.compile(r"```cpp\n(.*?)```", re.DOTALL)


def pages():
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    return [ROOT / name for name in listed] or sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md"))


def links(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in LINK.findall(text):
        if "://" in target or target.startswith(("#", "mailto:")):
            continue
        if not (page.parent / target.split("#")[0]).exists():
            yield f"{page.relative_to(ROOT)}: the link to {target} leads nowhere"


def program():
    shown = CODE.search((ROOT / "README.md").read_text(encoding="utf-8")).group(1).strip()
    example = ROOT / "examples/1_first_steps/hello.cpp"
    if not example.exists() or shown not in example.read_text(encoding="utf-8"):
        yield "README.md: the program is not that of examples/1_first_steps/hello.cpp"


def pieces():
    """Line by line, as a piece may leave out what stands between its lines; indentation does not count."""
    page, example = ROOT / "docs/testing.md", ROOT / "examples/4_tests/own_tests.cpp"
    there = {line.strip() for line in example.read_text(encoding="utf-8").splitlines()}
    for piece in CODE.findall(page.read_text(encoding="utf-8")):
        for line in piece.splitlines():
            if line.strip() not in there | {""}:
                yield f"docs/testing.md: examples/4_tests/own_tests.cpp has no line: {line.strip()}"


def kind():
    """The file without its licence line."""
    shown = CODE.search((ROOT / "docs/vendor-kinds.md").read_text(encoding="utf-8")).group(1).strip()
    if not (ROOT / "src/schemes/sewio_rest.cpp").read_text(encoding="utf-8").strip().endswith(shown):
        yield "docs/vendor-kinds.md: the kind is not that of src/schemes/sewio_rest.cpp"


@functools.cache
def options(tool, scheme):
    return subprocess.run([tool, "docs", scheme], capture_output=True, text=True, check=True).stdout.splitlines(keepends=True)


def tables(page, tool, write):
    text = page.read_text(encoding="utf-8")

    def table(match):
        start, scheme, other, _, end = match.groups()
        lines = options(tool, scheme)
        if other:
            known = options(tool, other)
            lines = lines[:2] + [line for line in lines[2:] if line not in known]
        return start + "".join(lines) + end

    made = TABLE.sub(table, text)
    if made != text:
        if write:
            page.write_text(made, encoding="utf-8")
        else:
            yield f"{page.relative_to(ROOT)}: an option table is not what the code says; run scripts/check_docs.py --tool qconn --write"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tool")
    arguments.add_argument("--write", action="store_true")
    given = arguments.parse_args()
    found = list(program()) + list(pieces()) + list(kind())
    for page in pages():
        found += links(page)
        if given.tool:
            found += tables(page, given.tool, given.write)
    print("\n".join(found) if found else "the documentation holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
