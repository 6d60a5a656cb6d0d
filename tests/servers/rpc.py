# SPDX-License-Identifier: Apache-2.0
"""rpc.py xml|json PORT USER PASSWORD: RPC server over HTTP POST, see xmlrpc.sh and jsonrpc.sh."""
import base64
import datetime
import sys
import threading
import time
from socketserver import ThreadingMixIn

kind, port, user, password = sys.argv[1:]
basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

if kind == "xml":
    from xmlrpc.server import Fault, SimpleXMLRPCRequestHandler as Handler, SimpleXMLRPCServer as Server
else:
    from jsonrpclib.jsonrpc import Fault
    from jsonrpclib.SimpleJSONRPCServer import SimpleJSONRPCRequestHandler as Handler
    from jsonrpclib.SimpleJSONRPCServer import SimpleJSONRPCServer as Server


class Checked(Handler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rpc_paths = ("/", "/RPC2", "/JSON", "/auth")

    def do_POST(self):
        if self.path == "/auth" and self.headers.get("Authorization") != basic:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_POST()


class Threaded(ThreadingMixIn, Server):
    """A connection that is kept open must not keep out the others."""

    daemon_threads = True


lock = threading.Lock()
noted = []


def add(a, b):
    return a + b


def echo(*args):
    return args[0] if len(args) == 1 else list(args)


def named(**args):
    return args


def text(value):
    """What came, as Python shows it: also of integers that its XML-RPC reads but cannot write."""
    return repr(value)


def fail(code, text):
    fault = Fault(code, text)
    if kind == "json":
        return fault  # not an exception there
    raise fault


def crash():
    raise ValueError("on purpose")


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def note(text):
    """Returns nothing, as a notification wants it; notes() has what came."""
    with lock:
        noted.append(text)


def notes():
    with lock:
        return list(noted)


def types():
    some = {"int": 42, "neg": -7, "float": 2.5, "true": True, "text": "é<&>", "list": [1, [2, "x"]], "empty": [],
            "map": {"a": 1}}
    if kind == "xml":
        some |= {"when": datetime.datetime(2020, 2, 29, 12, 34, 56), "bytes": b"\x00\xff\x10"}
    some["null"] = None
    return some


if kind == "xml":
    server = Threaded(("127.0.0.1", int(port)), requestHandler=Checked, allow_none=True, use_builtin_types=True, logRequests=False)
    server.register_multicall_functions()
else:
    server = Threaded(("127.0.0.1", int(port)), requestHandler=Checked, logRequests=False)
server.register_introspection_functions()
for function in add, echo, named, text, fail, crash, sleep, note, notes, types:
    server.register_function(function)
server.serve_forever()
