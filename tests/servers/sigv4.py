# SPDX-License-Identifier: Apache-2.0
"""sigv4.py PORT TLS_PORT TLS_DIR KEYID SECRET: checks AWS Signature Version 4 with botocore, see sigv4.sh."""
import datetime
import hashlib
import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

port, tls_port, tls, key_id, secret = sys.argv[1:]
STAMP = "%Y%m%dT%H%M%SZ"


def as_text(value):
    return value.encode("iso-8859-1").decode("utf-8", "surrogateescape")


def too_old(date, expires):
    """None, or what a service says of that date."""
    now = datetime.datetime.utcnow()
    signed = datetime.datetime.strptime(date, STAMP)
    tolerance = datetime.timedelta(minutes=5)
    if signed > now + tolerance:
        return f"Signature not yet current: {date} is still later than {(now + tolerance).strftime(STAMP)} (5 min.)"
    if expires is not None and signed + datetime.timedelta(seconds=int(expires)) < now:
        return "Request has expired"
    if expires is None and signed < now - tolerance:
        return f"Signature expired: {date} is now earlier than {(now - tolerance).strftime(STAMP)} (5 min.)"
    return None


def check(method, target, headers, body):
    """None, or why the request is refused, and what was signed here."""
    path, _, query = target.partition("?")
    params = parse_qsl(query, keep_blank_values=True)
    asked = dict(params)
    presigned = "X-Amz-Signature" in asked
    if presigned:
        credential, signed, given, date, expires = (asked["X-Amz-" + n] for n in ("Credential", "SignedHeaders", "Signature", "Date", "Expires"))
        params = [(name, value) for name, value in params if name != "X-Amz-Signature"]
    else:
        algorithm, _, rest = headers.get("Authorization", "").partition(" ")
        if algorithm != "AWS4-HMAC-SHA256":
            return "no signature", None
        parts = dict(p.strip().split("=", 1) for p in rest.split(","))
        credential, signed, given = parts["Credential"], parts["SignedHeaders"], parts["Signature"]
        date, expires = headers.get("X-Amz-Date", ""), None
    who, day, region, service, _ = credential.split("/")
    if who != key_id:
        return "The security token included in the request is invalid", None
    if not date.startswith(day):
        return "the scope's day is not the date's", None
    refusal = too_old(date, expires)
    if refusal:
        return refusal, None
    signed = signed.split(";")
    unsigned = [name for name in map(str.lower, headers.keys()) if (name.startswith("x-amz-") or name == "host") and name not in signed]
    if unsigned:
        return f"not signed: {', '.join(unsigned)}", None

    hashed = headers.get("X-Amz-Content-Sha256")
    if hashed not in (None, "UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
        return "X-Amz-Content-Sha256 is not that of the body", None
    if service == "s3":
        path = quote(unquote_to_bytes(path), safe="/~")  # botocore's clients send no other
        if not presigned and hashed is None:
            return "S3 needs X-Amz-Content-Sha256", None
    kept = {name: ",".join(" ".join(as_text(v).split()) for v in headers.get_all(name, [])) for name in signed}
    if presigned and service == "s3":
        kept_payload = "UNSIGNED-PAYLOAD"
    else:
        kept_payload = hashed or hashlib.sha256(body).hexdigest()
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(key_id, secret), service, region)
    signer.payload = lambda request: kept_payload
    request = AWSRequest(method, f"http://{headers['Host']}{path}", headers=kept, data=body, params=params)
    request.context["timestamp"] = date
    canonical = signer.canonical_request(request)
    to_sign = signer.string_to_sign(request, canonical)
    detail = {"canonical_request": canonical, "string_to_sign": to_sign, "service": service, "region": region, "signed": signed}
    refusal = None if signer.signature(to_sign, request) == given else "The request signature we calculated does not match the signature you provided"
    return refusal, detail


def presign(asked):
    """A URL as botocore signs it."""
    kind = S3SigV4QueryAuth if asked["service"] == "s3" else SigV4QueryAuth
    request = AWSRequest(asked["method"], asked["url"], headers=asked.get("headers", {}))
    kind(Credentials(key_id, secret, asked.get("token")), asked["service"], asked["region"], expires=asked["expires"]).add_auth(request)
    return request.url


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def respond(self, status, answer, extra=()):
        text = json.dumps(answer).encode()
        asked = self.headers.get("Content-Type", "")
        kind = asked if asked.startswith("application/x-amz-json-") else "application/json"
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(text))), *extra):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = self.requestline.split(" ")[1]  # self.path has lost a '/'
        if target == "/presign":
            return self.respond(200, presign(json.loads(body)))
        try:
            refusal, detail = check(self.command, target, self.headers, body)
        except (KeyError, ValueError) as error:
            refusal, detail = f"malformed: {error!r}", None
        answer = {"method": self.command, "message": refusal, "size": len(body)} | (detail or {})
        if refusal is not None:
            return self.respond(403, answer)
        if target.startswith("/moved/"):
            status, _, rest = target.removeprefix("/moved/").partition("/")
            return self.respond(int(status), answer, [("Location", "/" + rest)])
        return self.respond(200, answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer


class TlsServer(ThreadingHTTPServer):
    def finish_request(self, request, client_address):
        try:
            super().finish_request(context.wrap_socket(request, server_side=True), client_address)  # shakes hands in the thread of the connection
        except OSError as error:
            print(error, file=sys.stderr)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{tls}/server.crt", f"{tls}/server.key")
threading.Thread(target=TlsServer(("127.0.0.1", int(tls_port)), Handler).serve_forever, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
