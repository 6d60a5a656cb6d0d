# SPDX-License-Identifier: Apache-2.0
"""What the stand-ins share: serving, checking by tables of rules, tokens, records, the log and the knobs.

A stand-in refuses what is wrong with a request as the vendor would: it has a table of MISTAKES (name -> status, body, headers) and tables of rules
(part of the request, name, what is wanted, mistake). It is stricter than the vendor where the vendor would overlook something: what is not wanted is wrong.

On each port, besides the vendor's own paths:

    GET /__log       {"connections": {...}, "waiting": N, "requests": [...], "refused": [...]}, oldest first. A request: origin, tls, method, path, headers (names in
                     small letters), body, status, verdict ("accepted", "refused", "told to fail", "told to stall"), reason. Connections are counted as "plain", "tls" and
                     "handshakes that failed", but for those in plain HTTP that begin by asking for the log or turning a knob
    POST /__control  a JSON object of knobs:
                       expire_tokens: true          all access tokens issued so far are void;  "refresh": the refresh tokens too
                       token_lifetime: SECONDS      of access tokens issued from now on
                       fail_next: {path, status, body, headers, times}
                                                    what the next (times) request of that path gets; without path: any. Paths are compared without
                                                    the query, `*` stands for any text. A list of these is taken in order. "status": 0 closes the connection
                       stall: PATH                  requests of that path (as above; "": none) that the vendor would answer get nothing, for as long as
                                                    they are waited for. The log has their number as "waiting"
                       introspection: {url, user, password}
                                                    of a token server that is asked for tokens that were not issued here (RFC 7662)
                       password: TEXT               the secret that is taken from now on;  login: {...} for any of the values in vendors.json
                       clear_log: true              forgets requests and connections
                       reset: true                  all as at the start
"""
import base64
import copy
import fnmatch
import gzip
import hashlib
import http.server
import json
import re
import secrets
import socket
import ssl
import sys
import threading
import time
import typing
import urllib.parse
import urllib.request
import zlib


# What is wanted of a header or field ------------------------------------------------------------------------------------------------------------------


class Wanted(typing.NamedTuple):
    text: str
    fits: typing.Callable[[typing.Optional[str]], bool]


absent = Wanted("none", lambda value: not value)
present = Wanted("some", lambda value: bool(value))


def is_(*values):
    return Wanted(" or ".join(values), lambda value: value in values)


def if_there(*values):
    return Wanted("none or " + " or ".join(values), lambda value: value is None or value in values)


def media(kind, charset=True):
    """A media type; with charset: UTF-8 may be named, without: nothing may follow."""
    plain = re.escape(kind)
    pattern = re.compile(plain + (r"(\s*;\s*charset=\"?utf-8\"?)?" if charset else ""), re.IGNORECASE)
    return Wanted(kind + (" (UTF-8)" if charset else " alone"), lambda value: bool(value and pattern.fullmatch(value)))


def accepts(kind):
    return Wanted("that names " + kind, lambda value: kind in [one.partition(";")[0].strip().lower() for one in (value or "").split(",")])


def basic(user, password):
    """The scheme's name in any case, the rest to the letter."""
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Wanted(f"Basic of {user}:{password}", lambda value: bool(value) and value.partition(" ")[0].lower() == "basic" and value[6:] == credentials)


FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


# Requests and answers ---------------------------------------------------------------------------------------------------------------------------------


class Answer(typing.NamedTuple):
    status: int
    body: typing.Any = None  # bytes, text, or what becomes JSON
    headers: dict = {}


class Refusal(Exception):
    def __init__(self, answer, reason):
        super().__init__(reason)
        self.answer, self.reason = answer, reason


class Request:
    """One request. `header`, `query` and `field` (of a form) are what rules look into."""

    def __init__(self, origin, tls, method, target, header, body):
        self.origin, self.tls, self.method, self.target, self.header, self.wire = origin, tls, method, target, header, body
        self.path, _, query = target.partition("?")
        self.query = pairs(query)
        self.body = body  # decoded by Vendor.decode

    @property
    def field(self):
        return pairs(self.body.decode("utf-8", "replace"))

    @property
    def base(self):
        return f"{'https' if self.tls else 'http'}://{self.header['Host']}"


def pairs(text):
    """A name that occurs twice has a list, which fits no rule."""
    found = {}
    for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
        found[name] = value if name not in found else [found[name], value]
    return found


def route(method, path, origin="api", open=False):
    """A method of a vendor that answers METHOD on paths that match. open: without guard()."""

    def mark(function):
        function.routes = getattr(function, "routes", ()) + ((method, re.compile(path), origin, open),)
        return function

    return mark


# State ------------------------------------------------------------------------------------------------------------------------------------------------


class Tokens:
    def __init__(self, lifetime):
        self.lifetime, self.ends, self.revoked, self.introspection = lifetime, {}, set(), None

    def issue(self, token):
        self.ends[token] = time.monotonic() + self.lifetime
        return token

    def state(self, token):
        if not isinstance(token, str) or token not in self.ends:
            return "valid" if token and self.introspection and self.is_active_elsewhere(token) else "unknown"
        if token in self.revoked:
            return "revoked"
        return "valid" if time.monotonic() < self.ends[token] else "expired"

    def is_active_elsewhere(self, token):
        where = self.introspection
        request = urllib.request.Request(where["url"], urllib.parse.urlencode({"token": token}).encode())
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{where['user']}:{where['password']}".encode()).decode())
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)["active"]

    def wanted(self):
        return Wanted("one that was issued and is not void", lambda value: self.state(value) == "valid")

    def expire(self):
        self.ends = dict.fromkeys(self.ends, 0.0)


class Codes:
    """Of log-ins by a browser, where everybody is let in at once (RFC 6749 section 4.1, RFC 7636). Each is good once."""

    REDIRECTS = re.compile(r"https://app\.example/back|http://(127\.0\.0\.1|localhost):\d+/.*")

    def __init__(self):
        self.issued = {}

    def rules_to_authorize(self, client_id, mistake):
        back = Wanted("https://app.example/back, or this machine", lambda value: bool(self.REDIRECTS.fullmatch(value or "")))
        challenge = Wanted("a SHA-256 in base64url", lambda value: bool(re.fullmatch(r"[\w-]{43}", value or "")))
        return [("query", "response_type", is_("code"), mistake), ("query", "client_id", is_(client_id), mistake), ("query", "redirect_uri", back, mistake),
                ("query", "state", present, mistake), ("query", "code_challenge", challenge, mistake), ("query", "code_challenge_method", is_("S256"), mistake)]

    def send_back(self, request, **more):
        """The answer that takes the browser back to the application; more: what belongs to the code."""
        asked, code = request.query, letters(24)
        self.issued[code] = {"redirect_uri": asked["redirect_uri"], "challenge": asked["code_challenge"], **more}
        return Answer(302, None, {"Location": f"{asked['redirect_uri']}?{urllib.parse.urlencode({'code': code, 'state': asked['state']})}"})

    def rules_to_exchange(self, request, mistake):
        issued = self.issued.get(request.field.get("code"), {})
        proves = Wanted("what the challenge was made of", lambda value: bool(value) and base64.urlsafe_b64encode(
            hashlib.sha256(value.encode()).digest()).decode().rstrip("=") == issued.get("challenge"))
        return [("field", "code", Wanted("one that was given and not used", lambda value: value in self.issued), mistake),
                ("field", "redirect_uri", is_(issued.get("redirect_uri", "none")), mistake), ("field", "code_verifier", proves, mistake)]

    def use(self, request):
        """Forgets the code. What belongs to it; nothing where the request has none."""
        return self.issued.pop(request.field.get("code"), {})


class Records(list):
    """A table of objects with a key."""

    def __init__(self, key, rows):
        super().__init__(copy.deepcopy(rows))
        self.key = key

    def find(self, key):
        return next((row for row in self if str(row[self.key]) == key), None)

    def take(self, row):
        self.append(row)
        return row


class Vendor:
    """Base of the stand-ins."""

    name = ""
    about = ""
    origins = ("api",)
    login = {}  # what a client has to know
    secret = "password"  # which of these the knob `password` sets
    lifetime = 3600
    json_type = media(JSON)
    MISTAKES = {
        "host": (400, "Bad Request: Host is not this server"),
        "body": (400, "Bad Request: a body with a method that has none"),
        "encoding": (415, "Unsupported Media Type: Content-Encoding"),
        "route": (404, "Not Found"),
        "method": (405, "Method Not Allowed"),
        "type": (415, "Unsupported Media Type"),
        "json": (400, "Bad Request: not JSON"),
    }

    def __init__(self):
        self.lock, self.ports, self.waiting = threading.RLock(), {}, 0
        self.mistakes = {**Vendor.MISTAKES, **self.MISTAKES}
        self.table = [(rule, getattr(self, name)) for name in dir(type(self)) for rule in getattr(getattr(type(self), name), "routes", ())]
        self.knob_reset()

    def seed(self):
        """Sets the data that the vendor begins with."""

    def guard(self, request):
        """Refuses requests of the API that nobody has to look into further."""

    def refuse(self, mistake, reason):
        status, *rest = self.mistakes[mistake]
        raise Refusal(Answer(status, *rest), reason)

    def check(self, request, rules, extra=None):
        """Refuses at the first rule that is not met. extra: the mistake of a field or query item that no rule is about."""
        for where, name, wanted, mistake in rules:
            value = getattr(request, where).get(name)
            if not wanted.fits(value):
                self.refuse(mistake, f"{where} {name}: {value!r}, wanted: {wanted.text}")
        for where in ("query", "field") if extra else ():
            unknown = set(getattr(request, where)) - {rule[1] for rule in rules if rule[0] == where}
            if unknown:
                self.refuse(extra, f"{where} with {', '.join(sorted(unknown))}: not wanted")

    def bearer(self, request, *schemes):
        """What is wrong with the token in Authorization; nothing where it is right."""
        scheme, _, token = request.header.get("Authorization", "").partition(" ")
        if not scheme:
            return "no Authorization"
        if scheme.lower() not in (schemes or ("bearer",)):
            return f"Authorization of scheme {scheme!r}"
        state = self.tokens.state(token)
        return "" if state == "valid" else f"{state} token {token!r}"

    def json_of(self, request):
        self.check(request, [("header", "Content-Type", self.json_type, "type")])
        try:
            value = json.loads(request.body.decode("utf-8"))
        except ValueError as problem:
            self.refuse("json", f"body: {problem}")
        if not isinstance(value, dict):
            self.refuse("json", "body: not an object")
        return value

    def found(self, records, key, mistake):
        return records.find(key) or self.refuse(mistake, f"nothing has the key {key}")

    # Serving

    def decode(self, request):
        decoders = {"": bytes, "identity": bytes, "gzip": gzip.decompress, "deflate": zlib.decompress}
        encoding = request.header.get("Content-Encoding", "").lower()
        if encoding not in decoders:
            self.refuse("encoding", f"header Content-Encoding: {encoding!r}")
        try:
            request.body = decoders[encoding](request.wire)
        except (OSError, EOFError, zlib.error) as problem:
            self.refuse("encoding", f"body is not {encoding}: {problem}")

    def answer(self, request):
        """The answer and what to log of it."""
        with self.lock:
            try:
                self.decode(request)
                told = self.told_to_fail(request)
                if told:
                    return told, "told to fail", ""
                result = self.dispatch(request)
                if self.stalled and fnmatch.fnmatchcase(request.path, self.stalled):
                    return None, "told to stall", ""
                return result, "accepted", ""
            except Refusal as refusal:
                return refusal.answer, "refused", refusal.reason
            except (LookupError, TypeError, ValueError) as problem:
                return Answer(400, "Bad Request"), "refused", f"not understood: {problem!r}"

    def dispatch(self, request):
        own_names = [f"{host}:{self.ports[request.origin]}" for host in ("127.0.0.1", "localhost")]
        self.check(request, [("header", "Host", is_(*own_names), "host")])
        if request.body and request.method in ("GET", "DELETE"):
            self.refuse("body", f"{request.method} with a body of {len(request.body)} bytes")
        fitting = [(rule, run, match) for rule, run in self.table if rule[2] == request.origin and (match := rule[1].fullmatch(request.path))]
        if not fitting:
            self.refuse("route", f"no such path at {self.name}'s {request.origin}")
        for (method, _, _, is_open), run, match in fitting:
            if method == request.method:
                if not is_open:
                    self.guard(request)
                return run(request, *match.groups())
        self.refuse("method", f"{request.method} on a path that takes {', '.join(sorted({rule[0] for rule, _, _ in fitting}))}")

    def told_to_fail(self, request):
        for told in self.failures:
            if fnmatch.fnmatchcase(request.path, told.get("path", "*")):
                told["times"] = told.get("times", 1) - 1
                if told["times"] < 1:
                    self.failures.remove(told)
                return Answer(told.get("status", 500), told.get("body"), told.get("headers", {}))
        return None

    def count(self, kind):
        with self.lock:
            self.connections[kind] += 1

    def note(self, request, status, verdict, reason):
        try:
            body = request.body.decode("utf-8")
        except ValueError:
            body = "base64:" + base64.b64encode(request.body).decode()
        headers = {}
        for name, value in request.header.items():
            headers[name.lower()] = ", ".join(filter(None, (headers.get(name.lower()), value)))
        self.log.append(
            {"origin": request.origin, "tls": request.tls, "method": request.method, "path": request.target, "headers": headers, "body": body,
             "status": status, "verdict": verdict, "reason": reason}
        )
        print(f"{self.name}.{request.origin} {request.method} {request.target} {status} {reason}", file=sys.stderr, flush=True)

    # Knobs and log

    def story(self):
        return {"connections": self.connections, "waiting": self.waiting, "requests": self.log, "refused": [entry for entry in self.log if entry["verdict"] == "refused"]}

    def control(self, knobs):
        known = [name[5:] for name in dir(self) if name.startswith("knob_")]
        unknown = set(knobs) - set(known)
        if unknown:
            return Answer(400, {"unknown": sorted(unknown), "known": known})
        with self.lock:
            for name, value in knobs.items():
                getattr(self, "knob_" + name)(value)
        return Answer(200, {"ok": True})

    def knob_reset(self, _=True):
        self.login = copy.deepcopy(type(self).login)
        self.tokens, self.refresh_tokens, self.codes = Tokens(self.lifetime), Tokens(86400), Codes()
        self.failures, self.stalled = [], ""
        self.knob_clear_log()
        self.seed()

    def knob_expire_tokens(self, which):
        self.tokens.expire()
        if which == "refresh":
            self.refresh_tokens.expire()

    def knob_token_lifetime(self, seconds):
        self.tokens.lifetime = seconds

    def knob_fail_next(self, told):
        self.failures += copy.deepcopy(told) if isinstance(told, list) else [dict(told)]

    def knob_stall(self, path):
        self.stalled = path

    def knob_introspection(self, where):
        self.tokens.introspection = where

    def knob_password(self, value):
        self.login[self.secret] = value

    def knob_login(self, values):
        self.login.update(values)

    def knob_clear_log(self, _=True):
        self.log, self.connections = [], {"plain": 0, "tls": 0, "handshakes that failed": 0}


# HTTP -------------------------------------------------------------------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def serve(self):
        vendor, origin = self.server.vendor, self.server.origin
        body = self.read_body()
        if (self.command, self.path) == ("GET", "/__log"):
            with vendor.lock:
                return self.send(Answer(200, vendor.story()))
        if (self.command, self.path) == ("POST", "/__control"):
            return self.send(vendor.control(json.loads(body)))
        request = Request(origin, isinstance(self.connection, ssl.SSLSocket), self.command, self.path, self.headers, body)
        answer, verdict, reason = vendor.answer(request)
        with vendor.lock:
            vendor.note(request, answer.status if answer else 0, verdict, reason)
        if answer:
            self.send(answer)
        else:
            self.wait_for_end()

    def wait_for_end(self):
        """Until the client closes."""
        vendor = self.server.vendor
        with vendor.lock:
            vendor.waiting += 1
        try:
            while self.connection.recv(4096):
                pass
        except OSError:
            pass
        with vendor.lock:
            vendor.waiting -= 1
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def send(self, answer):
        if not answer.status:
            self.close_connection = True
            return
        headers, body = dict(answer.headers), answer.body
        if body is None:
            body = b""
        elif isinstance(body, str):
            headers.setdefault("Content-Type", "text/plain; charset=utf-8")
            body = body.encode()
        elif not isinstance(body, bytes):
            headers.setdefault("Content-Type", "application/json; charset=utf-8")
            body = json.dumps(body, ensure_ascii=False).encode()
        if len(body) > 256 and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Port(http.server.ThreadingHTTPServer):
    """One origin of a vendor. The first byte of a connection tells TLS from plain HTTP."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, vendor, origin, port, context):
        super().__init__(("127.0.0.1", port), Handler)
        self.vendor, self.origin, self.context = vendor, origin, context
        vendor.ports[origin] = self.server_port
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def process_request_thread(self, connection, peer):
        try:
            begin = connection.recv(16, socket.MSG_PEEK)
            if begin[:1] == b"\x16":
                connection = self.shaken(connection)
            elif not begin.startswith((b"GET /__log", b"POST /__control")):
                self.vendor.count("plain")
            self.RequestHandlerClass(connection, peer, self)
        except (OSError, ValueError) as problem:
            print(f"{self.vendor.name}.{self.origin}: {problem}", file=sys.stderr, flush=True)
        finally:
            self.shutdown_request(connection)

    def shaken(self, connection):
        try:
            connection = self.context.wrap_socket(connection, server_side=True)
        except OSError:
            self.vendor.count("handshakes that failed")
            raise
        self.vendor.count("tls")
        return connection


def tls_context(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/server.crt", f"{folder}/server.key")
    context.set_alpn_protocols(["http/1.1"])
    return context


def letters(count):
    return secrets.token_urlsafe(count)
