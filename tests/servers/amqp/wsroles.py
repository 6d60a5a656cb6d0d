# SPDX-License-Identifier: Apache-2.0
"""What the server plays as a WebSocket: roles of a connection, or the first part of the request's path; with the path, the role of the connection is free for
another one. They change nothing of connections that are no WebSockets. See roles.py."""
import os
import struct

from .roles import ROLES, role
from .websocket import BINARY, PING, PONG, TEXT, WebSocket, frame

NAMES = set()  # for the path


def web(name, doc, legal=False, **attributes):
    """Attributes of the WebSocket, or of the peer where it has none of that name."""
    def run(peer, *_):
        if isinstance(peer.sock, WebSocket):
            for key, value in attributes.items():
                setattr(peer.sock if hasattr(peer.sock, key) else peer, key, value)
        return False
    NAMES.add("ws-" + name)
    role("ws-" + name, "start", doc, legal)(run)


def http(status, reason, *headers, body="refused\n"):
    return lambda line, got: "\r\n".join([f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", body]).encode()


# --- the handshake
for status, reason in ((400, "Bad Request"), (401, "Unauthorized"), (403, "Forbidden"), (404, "Not Found"), (426, "Upgrade Required"), (500, "Internal Server Error"),
                       (503, "Service Unavailable")):
    web(f"http-{status}", f"the upgrade is refused with HTTP status {status}", True, answer=http(
        status, reason, *(["WWW-Authenticate: Basic realm=\"test\""] if status == 401 else ["Sec-WebSocket-Version: 13", "Upgrade: websocket"] if status == 426 else [])))
web("http-200", "the upgrade is answered with HTTP status 200 and a page", answer=http(200, "OK", body="<html>hello</html>"))
web("http-302", "the upgrade is answered with a redirect to /elsewhere", True, answer=http(302, "Found", "Location: /elsewhere"))
web("subprotocol-refused", "the answer has no subprotocol: amqp is refused", protocol=None)
web("subprotocol-other", "the answer has the subprotocol mqtt", protocol="mqtt")
web("subprotocol-case", "the answer has the subprotocol AMQP, which is another name", protocol="AMQP")
web("subprotocol-two", "the answer has the subprotocols amqp and mqtt", protocol="amqp, mqtt")
web("accept-wrong", "the Sec-WebSocket-Accept of another key", accept=lambda key: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
web("extension", "the answer has an extension that nobody asked for", protocol="amqp\r\nSec-WebSocket-Extensions: x-own")
web("silent", "never answers the upgrade", answer=lambda line, headers: None)
web("cut-upgrade", "closes the socket instead of answering the upgrade", answer=lambda line, headers: b"")
web("half-upgrade", "half an answer to the upgrade, and the end", answer=lambda line, headers: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso")
web("amqp-upgrade", "answers the upgrade with an AMQP header: no HTTP server", answer=lambda line, headers: b"AMQP\x00\x01\x00\x00")
web("slow-upgrade", "the answer to the upgrade comes byte by byte", True, slow_answer=True)

# --- messages and frames: legal
web("bytes", "each byte in a message of its own", True, pieces=1)
web("odd", "messages of 7 bytes, wherever AMQP's frames end", True, pieces=7)
web("joined", "as many frames of AMQP as there are in one message", True, one_write=True)
web("fragments", "each message in frames of 5 bytes", True, fragments=5)
web("fragments-pings", "each message in frames of 5 bytes, with pings between them", True, fragments=5, between=lambda ws: ws.ping(os.urandom(4)))
web("empty", "an empty message before each", True, around=lambda ws: frame(BINARY))
web("pings", "a ping before each message; their pongs are judged", True, around=lambda ws: ws.ping(os.urandom(125)))
web("pongs", "a pong that nobody asked for before each message", True, around=lambda ws: frame(PONG, b"unasked"))

# --- what breaks the rules
web("text", "text messages instead of binary ones", op=TEXT)
web("text-between", "a text message before each", around=lambda ws: frame(TEXT, b"hello"))
web("masked", "masked frames", mask=b"mask")
web("rsv", "a reserved bit in each frame, without an extension", rsv=4)
web("opcode", "frames with opcode 3", op=3)
web("continued", "a continued frame of no message before each", around=lambda ws: frame(0, b"x"))
web("huge", "a frame that says 2^62 bytes", around=lambda ws: b"\x82\x7f" + struct.pack(">Q", 2 ** 62))
web("ping-long", "pings of 126 bytes", around=lambda ws: frame(PING, b"x" * 126))
web("no-close", "neither sends nor answers a close frame", no_close=True)


# --- the end


def ending(name, stage, doc, legal=False):
    def add(function):
        def run(peer, *_):
            if isinstance(peer.sock, WebSocket):
                function(peer)
                peer.mute()
            return False
        NAMES.add("ws-" + name)
        return role("ws-" + name, stage, doc, legal)(run)
    return add


ending("close-opened", "opened", "a close frame with 1001 after AMQP's open", True)(lambda peer: peer.sock.send_close(1001, b"going away"))
ending("close-begun", "begun", "a close frame with 1011 after AMQP's begin", True)(lambda peer: peer.sock.send_close(1011, b"broken"))
ending("close-bare", "begun", "a close frame without a code after AMQP's begin", True)(lambda peer: peer.sock.send_close(0))
ending("close-code", "begun", "a close frame with 1005, which is for nobody to send")(lambda peer: peer.sock.send_close(1005))
ending("cut", "begun", "closes the socket without a close frame after AMQP's begin")(lambda peer: peer.cut())
role("ws-close-first", "close", "answers AMQP's close by a close frame only")(lambda peer, p: (
    peer.mute(), peer.sock.send_close(1000) if isinstance(peer.sock, WebSocket) else peer.cut()) and True)
NAMES.add("ws-close-first")
assert NAMES <= set(ROLES)
