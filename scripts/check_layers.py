#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks which layer includes which: arrows only point down.

Each folder of src/ and of include/qconn/ is a layer. A file may include public headers of its own layer and of those below, and private
headers of its own layer and of the layers named under PRIVATE. Public headers include the standard library and each other only.
"""
import pathlib
import re
import sys

# What each layer may include public headers of; itself is always allowed.
BELOW = {
    "base": [],
    "net": ["base"],
    "auth": ["base", "net"],
    "http": ["base", "net", "auth"],
    "openapi": ["base"],
    "rest": ["base", "net", "auth", "http", "openapi"],
    "rpc": ["base", "net", "auth", "http"],
    "websocket": ["base", "net", "http"],
    "eftl": ["base", "net", "http", "websocket"],
    "amqp": ["base", "net", "auth", "http", "websocket"],
    "file": ["base", "net"],
    "ssh": ["base", "net", "file"],
    "ftp": ["base", "net", "file"],
    "mail": ["base", "net", "auth"],
    "telnet": ["base", "net"],
    "core": ["base", "net"],
    "schemes": ["base", "net", "auth", "http", "openapi", "rest", "rpc", "websocket", "eftl", "amqp", "file", "ssh", "ftp", "mail", "telnet", "core"],
    "import": ["base", "core"],
    "monitor": ["base", "net", "core"],
    "sinks": ["base", "net", "http", "mail", "core", "monitor"],
    "admin": ["base", "net", "core", "monitor"],
    "settings": ["base", "net", "core", "schemes", "monitor"],
    "testing": ["base", "net", "eftl", "core", "monitor"],
    "cli": ["base", "net", "auth", "http", "openapi", "rest", "rpc", "websocket", "eftl", "amqp", "file", "ssh", "ftp", "mail", "telnet", "core", "import", "monitor", "sinks", "admin", "settings"],
}
# Layers whose private headers others may use: the same, but the tool keeps to the public interface. A family never includes another family's; REST
# and RPC are made of HTTP, and the handshake of WebSocket is HTTP. What is for tests has the internals of the monitor and of no family.
PRIVATE = {**BELOW, "cli": [], "testing": ["base", "core", "monitor"]}
# Opt-in, header-only bridges to third-party types.
BRIDGES = {"include/qconn/json.hpp", "include/qconn/asio.hpp"}
WHOLE = {"qconn/qconn.hpp", "qconn/json.hpp", "qconn/asio.hpp", "qconn/version.hpp"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
STANDARD = re.compile(r"^[a-z_]+$")


def problems_of(root, path):
    relative = path.relative_to(root).as_posix()
    public = relative.startswith("include/")
    parts = relative.split("/")
    layer = parts[2] if public else parts[1]
    if public and len(parts) == 3:  # qconn.hpp and the bridges stand above the layers
        return
    if layer not in BELOW:
        yield f"{relative}: the folder {layer} is no known layer; add it to scripts/check_layers.py"
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        bracket, name = match.groups()
        where = f"{relative}:{number}"
        first = name.split("/")[0]
        if name.startswith("qconn/"):
            if name in WHOLE:
                if layer != "cli" and name != "qconn/version.hpp":
                    yield f"{where}: <{name}> is for users of the library"
                continue
            target = name.split("/")[1]
            if target != layer and target not in BELOW[layer]:
                yield f"{where}: {layer} may not include {target}"
        elif bracket == '"':
            if public:
                yield f'{where}: a public header includes the private "{name}"'
            elif first in BELOW and first != layer and first not in PRIVATE[layer]:
                yield f"{where}: {layer} may not include private headers of {first}"
            elif first not in BELOW:
                yield f'{where}: private headers are included as "layer/file.hpp", not "{name}"'
        elif public and not STANDARD.match(name):
            yield f"{where}: a public header includes the third-party <{name}>"
        if re.search(r"\b(if|while|switch)\s*\([^;]*co_await", line):
            yield f"{where}: g++ 12 miscompiles an await in the head of if, while, switch"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    files = [p for folder in ("include", "src") for p in sorted((root / folder).rglob("*.?pp"))]
    found = [problem for path in files if path.relative_to(root).as_posix() not in BRIDGES for problem in problems_of(root, path)]
    for path in files:
        if "SPDX-License-Identifier: Apache-2.0" not in path.read_text(encoding="utf-8")[:200]:
            found.append(f"{path.relative_to(root)}: no licence line")
    print("\n".join(found) if found else f"{len(files)} files, all arrows point down")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
