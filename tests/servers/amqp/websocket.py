# SPDX-License-Identifier: Apache-2.0
"""A WebSocket (RFC 6455) in the place of a plain socket, for AMQP over it (OASIS AMQP WebSocket Binding): its messages are a stream of bytes, cut anywhere.
Strict with what the client sends; roles (wsroles.py) change what the server sends by the attributes that are named there."""
import base64
import hashlib
import socket
import ssl
import struct
import time

CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
CLOSE_CODES = {*range(1000, 1004), *range(1007, 1012), *range(3000, 5000)}


class Refused(Exception):
    """The handshake has come to nothing; the socket is closed."""


def frame(op, payload=b"", fin=True, rsv=0, mask=None):
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | op])
    bit = 0x80 if mask is not None else 0
    head += bytes([bit | size]) if size < 126 else struct.pack(">BH", bit | 126, size) if size < 65536 else struct.pack(">BQ", bit | 127, size)
    return head + (mask + unmask(payload, mask) if mask is not None else payload)


def unmask(data, mask):
    if not data:
        return b""
    key = (mask * (len(data) // 4 + 1))[:len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(len(data), "big")


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()


class WebSocket:
    """What Peer uses of a socket. recv() gives None where there is nothing for AMQP yet."""

    def __init__(self, sock):
        self.sock = sock
        self.tell = lambda text: None
        self.buffer = bytearray()
        self.message = None  # opcode of the message that is being received
        self.last_masks = []
        self.pings = []  # payloads that the client has not answered
        self.ponged = False
        self.close_sent = self.close_got = False
        self.code = None
        self.ended = False
        self.got = {"messages": 0, "frames": 0}
        # What roles change:
        self.answer = None  # a function of (request line, headers): the bytes of a handshake that is none
        self.protocol = "amqp"  # None: none in the answer
        self.accept = accept_of
        self.op = BINARY
        self.pieces = 0  # bytes of a message at most
        self.fragments = 0  # bytes of a frame at most
        self.rsv = 0
        self.mask = None
        self.around = None  # a function of this: bytes that go before each message
        self.between = None  # the same, between the frames of a message
        self.slow_answer = False
        self.no_close = False  # neither sends nor answers a close frame

    # --- the socket

    def fileno(self):
        return self.sock.fileno()

    def awaited(self):
        """Waits; False where the client leaves without a word."""
        return isinstance(self.sock, ssl.SSLSocket) or bool(self.sock.recv(1, socket.MSG_PEEK))

    def setsockopt(self, *arguments):
        self.sock.setsockopt(*arguments)

    def pending(self):
        return self.sock.pending() if hasattr(self.sock, "pending") else 0

    def close(self):
        self.sock.close()

    def shutdown(self, how):
        """The end of what the server sends: a close frame; the socket itself waits for that of the client."""
        if not self.no_close:
            self.send_close(1000)
        if self.close_got:
            self.sock.shutdown(how)

    def send_close(self, code, reason=b""):
        if not self.close_sent:
            self.close_sent = True
            self.sock.sendall(frame(CLOSE, struct.pack(">H", code) + reason if code else b"", mask=self.mask))

    def sendall(self, data):
        if self.close_sent:
            return
        for at in range(0, len(data), self.pieces or len(data) or 1):
            part = data[at:at + (self.pieces or len(data))]
            if self.around:
                self.sock.sendall(self.around(self))
            size = self.fragments or len(part)
            for begin in range(0, len(part), size):
                last = begin + size >= len(part)
                self.sock.sendall(frame(CONTINUED if begin else self.op, part[begin:begin + size], last, self.rsv, self.mask))
                if not last and self.between:
                    self.sock.sendall(self.between(self))

    def ping(self, payload):
        """The bytes of a ping, whose pong is waited for."""
        self.pings.append(payload)
        return frame(PING, payload)

    # --- the handshake

    def handshake(self, before):
        """before(path): called once the path is known."""
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.sock.recv(65536)
            if not more or len(head) > 65536:
                raise Refused
            head += more
        head, _, rest = head.partition(b"\r\n\r\n")
        self.buffer += rest
        if rest:
            self.tell("WebSocket: bytes after the request, before it is answered")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for one in lines:
            name, colon, value = one.partition(":")
            name = name.lower()
            if not colon or name != name.strip():
                self.tell(f"WebSocket: the header line {one!r}")
            if name in headers and name != "sec-websocket-protocol" and name != "sec-websocket-extensions":
                self.tell(f"WebSocket: the header {name} comes twice")
            headers[name] = headers[name] + ", " + value.strip() if name in headers else value.strip()
        parts = line.split(" ")
        path = parts[1] if len(parts) > 1 else ""
        if len(parts) != 3 or parts[0] != "GET" or parts[2] != "HTTP/1.1" or not path.startswith("/"):
            self.tell(f"WebSocket: the request {line!r}")
        before(path)
        if "host" not in headers:
            self.tell("WebSocket: a request without Host")
        if headers.get("upgrade", "").lower() != "websocket":
            self.tell(f"WebSocket: a request with Upgrade {headers.get('upgrade')!r}")
        if "upgrade" not in [t.strip().lower() for t in headers.get("connection", "").split(",")]:
            self.tell(f"WebSocket: a request with Connection {headers.get('connection')!r}")
        if headers.get("sec-websocket-version") != "13":
            self.tell(f"WebSocket: a request with Sec-WebSocket-Version {headers.get('sec-websocket-version')!r}")
        key = headers.get("sec-websocket-key", "")
        try:
            good = len(base64.b64decode(key, validate=True)) == 16
        except ValueError:
            good = False
        if not good:
            self.tell(f"WebSocket: a request with Sec-WebSocket-Key {key!r}")
        offered = [t.strip() for t in headers.get("sec-websocket-protocol", "").split(",")]
        if "amqp" not in offered:
            self.tell(f"WebSocket: the subprotocols {headers.get('sec-websocket-protocol')!r}; amqp is not among them")
        if len(set(offered)) != len(offered):
            self.tell("WebSocket: a subprotocol is offered twice")
        if self.answer is not None:
            data = self.answer(line, headers)
            if data is None:  # silence
                while self.sock.recv(65536):
                    pass
            else:
                self.sock.sendall(data)
            raise Refused
        data = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {self.accept(key)}\r\n" + (f"Sec-WebSocket-Protocol: {self.protocol}\r\n" if self.protocol else "") + "\r\n").encode()
        for at in range(0, len(data), 1 if self.slow_answer else len(data)):
            self.sock.sendall(data[at:at + (1 if self.slow_answer else len(data))])
            if self.slow_answer:
                time.sleep(0.0005)

    # --- frames of the client

    def recv(self, size):
        if not self.buffer or not self.complete():
            more = self.sock.recv(size)
            if not more:
                return b""
            self.buffer += more
            while self.pending():
                self.buffer += self.sock.recv(size)
        data = bytearray()
        while True:
            one = self.next()
            if one is None:
                break
            data += one
        if data:
            return bytes(data)
        return b"" if self.ended else None

    def complete(self):
        return self.size_of() is not None

    def size_of(self):
        """(bytes of the head, bytes of the payload, masking key) of the first frame in the buffer, or None where it is not there wholly."""
        if len(self.buffer) < 2:
            return None
        size, at = self.buffer[1] & 0x7F, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(self.buffer) < 2 + width:
                return None
            given = size
            size, at = int.from_bytes(self.buffer[2:2 + width], "big"), 2 + width
            if size < (126 if given == 126 else 65536) or size >> 63:
                self.fail(f"a frame of {size} bytes tells its length in {width} bytes")
        if size > 2 ** 28:
            self.fail(f"a frame of {size} bytes")
            return None
        mask = None
        if self.buffer[1] & 0x80:
            mask, at = bytes(self.buffer[at:at + 4]), at + 4
        return (at, size, mask) if len(self.buffer) >= at + size else None

    def fail(self, text, code=1002):
        self.tell("WebSocket: " + text)
        try:
            self.send_close(code)
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.ended = True

    def next(self):
        """The payload of the next data frame; b"" of others; None where there is none."""
        if self.ended:
            return None
        found = self.size_of()
        if found is None or self.ended:
            return None
        at, size, mask = found
        first = self.buffer[0]
        payload = bytes(self.buffer[at:at + size])
        del self.buffer[:at + size]
        op, fin = first & 15, bool(first & 0x80)
        self.got["frames"] += 1
        if self.close_got:
            self.tell(f"WebSocket: a frame with opcode {op} after the close frame")
            return b""
        if mask is None:
            self.fail("a frame that is not masked")
            return None
        self.last_masks = [*self.last_masks[-3:], mask]
        if len(self.last_masks) == 4 and len(set(self.last_masks)) == 1:
            self.tell(f"WebSocket: four frames with the masking key {mask.hex()}")
            self.last_masks = []
        payload = unmask(payload, mask)
        if first & 0x70:
            self.fail(f"a frame with reserved bits {first >> 4 & 7}; no extension was agreed on")
            return None
        if op >= 8:
            return self.controlled(op, fin, payload)
        if op not in (CONTINUED, TEXT, BINARY):
            self.fail(f"a frame with opcode {op}")
            return None
        if op == CONTINUED and self.message is None:
            self.fail("a continued frame of no message")
            return None
        if op != CONTINUED:
            if self.message is not None:
                self.fail("a message begins in the middle of another")
                return None
            self.message = op
            self.got["messages"] += 1
            if op == TEXT:
                self.fail("a text message; AMQP is sent in binary ones", 1003)
                return None
        if fin:
            self.message = None
        return payload

    def controlled(self, op, fin, payload):
        if not fin or len(payload) > 125:
            self.fail(f"a control frame of {len(payload)} bytes" + ("" if fin else ", fragmented"))
            return None
        if op == PING:
            if not self.close_sent:
                self.sock.sendall(frame(PONG, payload, mask=self.mask))
        elif op == PONG:
            self.ponged = True
            if payload in self.pings:  # one answers all before it
                del self.pings[:self.pings.index(payload) + 1]
            elif self.pings:
                self.tell(f"WebSocket: a pong with {payload!r:.40}, which is no ping's")
        elif op == CLOSE:
            self.close_got = True
            if len(self.pings) > 3 and not self.ponged:
                self.tell(f"WebSocket: {len(self.pings)} pings, and not one pong")
            if len(payload) == 1:
                self.tell("WebSocket: a close frame of one byte")
            elif payload:
                self.code = struct.unpack(">H", payload[:2])[0]
                if self.code not in CLOSE_CODES:
                    self.tell(f"WebSocket: a close frame with code {self.code}")
                try:
                    payload[2:].decode()
                except UnicodeDecodeError:
                    self.tell("WebSocket: the reason of a close frame is not UTF-8")
            if self.no_close:
                return b""
            self.send_close(self.code or 1000)
            self.ended = True
        else:
            self.fail(f"a frame with opcode {op}")
            return None
        return b""
