# SPDX-License-Identifier: Apache-2.0
"""yamlrpc.py PORT USER PASSWORD: YAML-RPC over HTTP POST, as Qorus has it.

A request is a map of method and params, an answer one of result or error (name, code, message), both with status 200. Scalars have the tags of the YAML of
Qorus: !number, !duration, !sqlnull, !!binary, !!timestamp; strings are in double quotes.

    add(a, b)         sum of two numbers
    echo(...)         the argument; of several a list
    seen(...)         what came, as [tag, text] of each scalar, whatever its type
    wrapped(...)      like echo, but as a map from the method's name to the value
    fail(code, text)  that error, with an `error` member of its own
    named             params as they are
    types()           every type
    words()           scalars without quotes and tags
    note(text), notes()
    help, system.listMethods, system.describe
"""
import base64
import http.server
import re
import sys
import threading

import yaml

port, user, password = sys.argv[1:]
basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Tagged:
    """A scalar that Python has no type for."""

    def __init__(self, tag, text):
        self.tag = tag
        self.text = text


class Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # those of YAML 1.1 know yes, 010 and 1:30


for tag, pattern, first in [
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("!sqlnull", r"^sqlnull$", "s"),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?$", "-+0123456789"),
    ("tag:yaml.org,2002:timestamp", r"^\d{4}-\d{2}-\d{2}(?:[Tt ].*)?$", "0123456789"),
    ("!duration", r"^P(?:-?\d+[YMDHSu]|T)+$", "P"),
]:
    Loader.add_implicit_resolver(tag, re.compile(pattern), list(first))


def kept(tag):
    return lambda loader, node: Tagged(tag, loader.construct_scalar(node))


# Timestamps too: Python's have no zone of their own after PyYAML has read them.
for tag in "!number", "!duration", "!sqlnull", "tag:yaml.org,2002:timestamp":
    Loader.add_constructor(tag, kept(tag))
Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))


def real(loader, node):
    text = loader.construct_scalar(node)
    special = {"@inf@": "inf", "-@inf@": "-inf", "@nan@": "nan", ".inf": "inf", "-.inf": "-inf", ".nan": "nan"}
    return float(special.get(text, text))


Loader.add_constructor("tag:yaml.org,2002:float", real)


class Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def real_node(dumper, data):
    special = {"inf": "@inf@", "-inf": "-@inf@", "nan": "@nan@"}
    return dumper.represent_scalar("tag:yaml.org,2002:float", special.get(repr(data), repr(data)))


Dumper.add_representer(str, lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", data, style='"'))
Dumper.add_representer(float, real_node)
Dumper.add_representer(Tagged, lambda dumper, data: dumper.represent_scalar(data.tag, data.text))

lock = threading.Lock()
noted = []


class Failure(Exception):
    def __init__(self, code, message, error=None):
        super().__init__(message)
        self.code = code
        self.error = error


def fail(code, text):
    raise Failure(code, text, {"err": "ASKED-FOR", "desc": text})


def note(text):
    with lock:
        noted.append(text)


def types():
    return {"int": 42, "big": 2**63 - 1, "float": 2.5, "inf": float("inf"), "true": True, "text": "é<&>\n \"x\" 2020-02-29 true",
            "number": Tagged("!number", "3.5n{128}"), "precise": Tagged("!number", "3.5n{256}"),
            "duration": Tagged("!duration", "P2Y3M4DT5H6M7S8u"), "negative": Tagged("!duration", "P-1DT-2H"),
            "when": Tagged("tag:yaml.org,2002:timestamp", "2010-05-05 15:35:02.1 +02:00"),
            "day": Tagged("tag:yaml.org,2002:timestamp", "2010-05-05"), "bytes": b"\x00\xff\x10", "null": None,
            "sqlnull": Tagged("!sqlnull", "null"), "list": [1, [2, "x"], []], "map": {"a": 1, "true": {}}}


METHODS = {
    "add": lambda a, b: a + b,
    "echo": lambda *args: args[0] if len(args) == 1 else list(args),
    "wrapped": lambda *args: {"wrapped": args[0] if len(args) == 1 else list(args)},
    "fail": fail,
    "note": note,
    "notes": lambda: list(noted),
    "types": types,
    "help": lambda: "methods of a server for tests",
    "system.listMethods": lambda: sorted([*METHODS, "seen", "named", "words"]),
    "system.describe": lambda: [{"name": name, "text": "", "logopt": 0} for name in METHODS],
}
WORDS = """result:
- true
- "true"
- yes
- null
- ~
-
- sqlnull
- 2010-05-05T15:35:02.1+02:00
- P1D
- 17
- 1.5
- "17"
- plain words
"""


def seen(node):
    if isinstance(node, yaml.ScalarNode):
        return [node.tag, node.value]
    if isinstance(node, yaml.SequenceNode):
        return [seen(item) for item in node.value]
    return {key.value: seen(item) for key, item in node.value}


def answer(text):
    request = yaml.load(text, Loader)
    method, params = request["method"], request.get("params")
    if method == "seen":
        root = yaml.compose(text, Loader)
        return {"result": next(seen(item) for key, item in root.value if key.value == "params")}
    if method == "named":
        return {"result": params}
    if method == "words":
        return WORDS
    if method not in METHODS:
        return {"error": {"name": "YAMLRPCError", "code": 105, "message": f"YAML-RPC-SERVER-UNKNOWN-METHOD: unknown method {method!r}"}}
    try:
        args = [] if params is None else params if isinstance(params, list) else [params]
        return {"result": METHODS[method](*args)}
    except Failure as failure:
        return {"error": {"name": "YAMLRPCError", "code": failure.code, "message": str(failure), "error": failure.error}}
    except Exception as error:
        return {"error": {"name": "YAMLRPCError", "code": 104, "message": f"{type(error).__name__}: {error}"}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def reply(self, status, kind, body):
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path not in ("/YAML", "YAML", "/auth"):
            return self.reply(404, "text/plain", b"there is nothing here")
        if self.path == "/auth" and self.headers.get("Authorization") != basic:
            return self.reply(401, "text/plain", b"")
        try:
            body = answer(text)
            if not isinstance(body, str):
                body = yaml.dump(body, Dumper=Dumper, allow_unicode=True, sort_keys=False)
        except Exception as error:
            return self.reply(500, "text/plain", f"cannot read the request: {error}".encode())
        self.reply(200, "application/x-yaml;charset=utf-8", body.encode())


http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
