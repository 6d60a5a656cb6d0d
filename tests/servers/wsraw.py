# SPDX-License-Identifier: Apache-2.0
"""wsraw.py PORT: see wsraw.sh. The cases are numbered as those of the Autobahn test suite that ask the same; what they do is written here anew."""
import base64
import hashlib
import os
import socket
import struct
import sys
import threading
import time
import zlib

TEXT, BINARY, CLOSE, PING, PONG, CONT = 1, 2, 8, 9, 10, 0
LIMIT = 60.0
cases = {}
verdicts = {}


class Wrong(Exception):
    pass


def frame(op, payload=b"", fin=True, rsv=0, length=None):
    """As a server sends it: unmasked."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | rsv << 4 | op])
    if size < 126:
        head += bytes([size])
    elif size < 65536:
        head += b"\x7e" + struct.pack(">H", size)
    else:
        head += b"\x7f" + struct.pack(">Q", size)
    return head + payload


def close_frame(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


class Peer:
    def __init__(self, sock):
        self.sock = sock
        self.rest, self.at = b"", 0  # what has come; what of it was read
        self.inflater = None
        self.client_takeover = True
        self.chunk = 65536
        sock.settimeout(LIMIT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data, chop=0):
        if not chop:
            return self.sock.sendall(data)
        for at in range(0, len(data), chop):
            self.sock.sendall(data[at:at + chop])

    def read(self, size):
        parts, have = [self.rest[self.at:]] if self.at + size > len(self.rest) else [], len(self.rest) - self.at
        while have < size:
            more = self.sock.recv(max(self.chunk, size - have))
            if not more:
                raise Wrong("the client closed the connection without a close frame")
            parts.append(more)
            have += len(more)
        if parts:
            self.rest, self.at = b"".join(parts), 0
        self.at += size
        return self.rest[self.at - size:self.at]

    def frame(self):
        first, second = self.read(2)
        if not second & 0x80:
            raise Wrong("a frame of the client is not masked")
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self.read(2))[0]
            if size < 126:
                raise Wrong("a length in more bytes than it needs")
        elif size == 127:
            size = struct.unpack(">Q", self.read(8))[0]
            if size < 65536:
                raise Wrong("a length in more bytes than it needs")
        mask = self.read(4)
        data = self.read(size)
        if size:
            key = int.from_bytes((mask * (size // 4 + 1))[:size], "little")
            data = (int.from_bytes(data, "little") ^ key).to_bytes(size, "little")
        op = first & 0x0F
        if op >= 8 and (size > 125 or not first & 0x80):
            raise Wrong("a control frame that is too long, or in fragments")
        return bool(first & 0x80), first >> 4 & 7, op, data

    def message(self):
        """The next message, put together and inflated; control frames are returned as they are."""
        fin, rsv, op, data = self.frame()
        if op >= 8:
            if rsv:
                raise Wrong("a control frame with reserved bits")
            return op, data
        if op == CONT or rsv & 3 or (rsv & 4 and self.inflater is None):
            raise Wrong(f"a message begins with opcode {op} and reserved bits {rsv}")
        parts = [data]
        while not fin:
            fin, more_rsv, more_op, data = self.frame()
            if more_op != CONT or more_rsv:
                raise Wrong(f"a continuation has opcode {more_op} and reserved bits {more_rsv}")
            parts.append(data)
        data = b"".join(parts)
        if rsv & 4:
            if not self.client_takeover:
                self.inflater = zlib.decompressobj(-15)
            data = self.inflater.decompress(data + b"\x00\x00\xff\xff")
        return op, data

    def expect(self, op, data):
        got, what = self.message()
        if (got, what) != (op, data):
            raise Wrong(f"expected opcode {op} with {len(data)} bytes {data[:40]!r}, got opcode {got} with {len(what)} bytes {what[:40]!r}")

    def expect_close(self, *codes):
        """A close frame with one of these codes (None: with none), after which the client sends nothing more."""
        got, what = self.message()
        if got != CLOSE:
            raise Wrong(f"expected a close frame, got opcode {got} with {what[:40]!r}")
        code = struct.unpack(">H", what[:2])[0] if len(what) >= 2 else None
        if code not in codes:
            raise Wrong(f"expected close code {codes}, got {code}")
        if len(what) > 2:
            what[2:].decode()
        self.expect_end()

    def expect_end(self):
        self.sock.shutdown(socket.SHUT_WR)
        while True:
            more = self.rest[self.at:] or self.sock.recv(65536)
            self.rest, self.at = b"", 0
            if not more:
                return
            raise Wrong(f"after its close frame the client sent {more[:40]!r}")

    def finish(self):
        """An orderly end: ours first."""
        self.send(close_frame(1000))
        self.expect_close(1000)


def case(name):
    def add(function):
        assert name not in cases, name
        cases[name] = function
        return function
    return add


def echo(name, *frames, expected, chop=0):
    """Sends frames, expects those messages and pongs in that order, and an orderly end."""
    def run(peer):
        peer.send(b"".join(frames), chop)
        for op, data in expected:
            peer.expect(op, data)
        peer.finish()
    case(name)(run)


def refused(name, *frames, before=(), codes=(1002,), chop=0, together=True):
    """Sends frames of which one breaks the protocol: expects what was good before, and a close frame."""
    def run(peer):
        if together:
            peer.send(b"".join(frames), chop)
        else:
            for one in frames:
                peer.send(one, chop)
        for op, data in before:
            peer.expect(op, data)
        peer.expect_close(*codes)
    case(name)(run)


# --- 1: framing
for number, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
    echo(f"1.1.{number}", frame(TEXT, b"*" * size), expected=[(TEXT, b"*" * size)])
    echo(f"1.2.{number}", frame(BINARY, b"\xfe" * size), expected=[(BINARY, b"\xfe" * size)])
echo("1.1.8", frame(TEXT, b"*" * 65536), expected=[(TEXT, b"*" * 65536)], chop=997)
echo("1.2.8", frame(BINARY, b"\xfe" * 65536), expected=[(BINARY, b"\xfe" * 65536)], chop=997)

# --- 2: pings and pongs
odd = bytes([0x00, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0x00, 0xFF])
echo("2.1", frame(PING), expected=[(PONG, b"")])
echo("2.2", frame(PING, b"Hello, world!"), expected=[(PONG, b"Hello, world!")])
echo("2.3", frame(PING, odd), expected=[(PONG, odd)])
echo("2.4", frame(PING, b"\xfe" * 125), expected=[(PONG, b"\xfe" * 125)])
refused("2.5", frame(PING, b"\xfe" * 126))
echo("2.6", frame(PING, b"\xfe" * 125), expected=[(PONG, b"\xfe" * 125)], chop=1)
echo("2.7", frame(PONG), frame(PING, b"x"), expected=[(PONG, b"x")])
echo("2.8", frame(PONG, b"unsolicited"), frame(PING, b"x"), expected=[(PONG, b"x")])
echo("2.9", frame(PONG, b"unsolicited"), frame(PING, b"ping"), frame(TEXT, b"t"), expected=[(PONG, b"ping"), (TEXT, b"t")])
ten = [b"payload-%d" % n for n in range(10)]
echo("2.10", *[frame(PING, p) for p in ten], expected=[(PONG, p) for p in ten])
echo("2.11", *[frame(PING, p) for p in ten], expected=[(PONG, p) for p in ten], chop=1)

# --- 3: reserved bits
hello = (TEXT, b"Hello, world!")
refused("3.1", frame(TEXT, b"Hello, world!", rsv=1))
refused("3.2", frame(*hello), frame(TEXT, b"Hello, world!", rsv=2), frame(PING), before=[hello], together=False)
refused("3.3", frame(*hello), frame(TEXT, b"Hello, world!", rsv=3), frame(PING), before=[hello])
refused("3.4", frame(*hello), frame(TEXT, b"Hello, world!", rsv=4), frame(PING), before=[hello], chop=1)
refused("3.5", frame(BINARY, odd, rsv=5))
refused("3.6", frame(PING, odd, rsv=6))
refused("3.7", frame(CLOSE, rsv=7))

# --- 4: reserved opcodes
for number, op in enumerate((3, 4, 5, 6, 7), 1):
    refused(f"4.1.{number}", frame(op, b"x" * (number - 1)) if number < 3 else frame(*hello) + frame(op, b"x" * number) + frame(PING),
            before=[] if number < 3 else [hello], chop=1 if number == 5 else 0)
for number, op in enumerate((11, 12, 13, 14, 15), 1):
    refused(f"4.2.{number}", frame(op, b"x" * (number - 1)) if number < 3 else frame(*hello) + frame(op, b"x" * number) + frame(PING),
            before=[] if number < 3 else [hello], chop=1 if number == 5 else 0)

# --- 5: fragments
one, two = b"fragment1", b"fragment2"
both = [(TEXT, one + two)]
refused("5.1", frame(PING, one, fin=False), frame(CONT, two))
refused("5.2", frame(PONG, one, fin=False), frame(CONT, two))
for number, chop in ((3, 0), (4, 0), (5, 1)):
    echo(f"5.{number}", frame(TEXT, one, fin=False), frame(CONT, two), expected=both, chop=chop)
for number, chop in ((6, 0), (7, 0), (8, 1)):
    echo(f"5.{number}", frame(TEXT, one, fin=False), frame(PING, b"ping"), frame(CONT, two), expected=[(PONG, b"ping")] + both, chop=chop)
for number, chop in ((9, 0), (10, 0), (11, 1)):
    refused(f"5.{number}", frame(CONT, b"nothing to go on with"), frame(*hello), chop=chop)
for number, chop in ((12, 0), (13, 0), (14, 1)):
    refused(f"5.{number}", frame(CONT, b"nothing to go on with", fin=False), frame(*hello), chop=chop)
refused("5.15", frame(TEXT, one, fin=False), frame(CONT, two), frame(CONT, one, fin=False), frame(TEXT, two), before=both)
refused("5.16", frame(CONT, one, fin=False), frame(TEXT, two, fin=False), frame(CONT, one))
refused("5.17", frame(CONT, one), frame(TEXT, two, fin=False), frame(CONT, one))
refused("5.18", frame(TEXT, one, fin=False), frame(TEXT, two))


@case("5.19")
def _(peer):
    peer.send(frame(TEXT, b"1", fin=False) + frame(CONT, b"2", fin=False) + frame(PING, b"a"))
    peer.expect(PONG, b"a")
    time.sleep(0.3)
    peer.send(frame(CONT, b"3", fin=False) + frame(CONT, b"4", fin=False) + frame(PING, b"b") + frame(CONT, b"5"))
    peer.expect(PONG, b"b")
    peer.expect(TEXT, b"12345")
    peer.finish()


echo("5.20", frame(TEXT, b"1", fin=False), frame(CONT, b"2", fin=False), frame(PING, b"a"), frame(CONT, b"3", fin=False), frame(CONT, b"4", fin=False),
     frame(PING, b"b"), frame(CONT, b"5"), expected=[(PONG, b"a"), (PONG, b"b"), (TEXT, b"12345")], chop=1)

# --- 6: UTF-8
greek = "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!".encode()
kosme = "\u03ba\u1f79\u03c3\u03bc\u03b5".encode()
echo("6.1.1", frame(TEXT), expected=[(TEXT, b"")])
echo("6.1.2", frame(TEXT, fin=False), frame(CONT, fin=False), frame(CONT), expected=[(TEXT, b"")])
echo("6.1.3", frame(TEXT, fin=False), frame(CONT, b"middle", fin=False), frame(CONT), expected=[(TEXT, b"middle")])
echo("6.2.1", frame(TEXT, greek), expected=[(TEXT, greek)])
echo("6.2.2", frame(TEXT, greek[:12], fin=False), frame(CONT, greek[12:]), expected=[(TEXT, greek)])
echo("6.2.3", frame(TEXT, greek[:1], fin=False), *[frame(CONT, greek[i:i + 1], fin=i == len(greek) - 1) for i in range(1, len(greek))],
     expected=[(TEXT, greek)])
echo("6.2.4", frame(TEXT, kosme[:1], fin=False), *[frame(CONT, kosme[i:i + 1], fin=i == len(kosme) - 1) for i in range(1, len(kosme))],
     expected=[(TEXT, kosme)])
surrogate = kosme + b"\xed\xa0\x80" + b"edited"
refused("6.3.1", frame(TEXT, surrogate), codes=(1007,))
refused("6.3.2", frame(TEXT, surrogate[:1], fin=False),
        *[frame(CONT, surrogate[i:i + 1], fin=i == len(surrogate) - 1) for i in range(1, len(surrogate))], codes=(1007,))
# Refused as soon as it is certain, before the message ends:
refused("6.4.1", frame(TEXT, kosme, fin=False), frame(CONT, b"\xf4\x90\x80\x80", fin=False), codes=(1007,), together=False)
refused("6.4.2", frame(TEXT, kosme + b"\xf4", fin=False), frame(CONT, b"\x90", fin=False), codes=(1007,), together=False)
refused("6.4.3", frame(TEXT, kosme + b"\xf4\x90\x80\x80" + b"edited", length=40)[:2 + len(kosme) + 4], codes=(1007,))
good = [b"\xce\xba\xe1\xbd\xb9", b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80", b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf",
        b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xef\xbf\xbe", b"\xf0\x9f\xbf\xbf", b"\xf3\xbf\xbf\xbe"]
bad = [b"\xce", b"\xce\xba\xe1", b"\xce\xba\xe1\xbd", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf",
       b"\xf4\x90\x80\x80", b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", b"\xc0 \xc1 ", b"\xe0 ", b"\xf0 ", b"\xfe", b"\xff", b"\xfe\xfe\xff\xff",
       b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xc0\x80",
       b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80"]
for number, text in enumerate(good, 1):
    echo(f"6.5.{number}", frame(TEXT, text), expected=[(TEXT, text)])
for number, text in enumerate(bad, 1):
    refused(f"6.6.{number}", frame(TEXT, text), codes=(1007,))

# --- 7: closing
echo("7.1.1", frame(*hello), expected=[hello])


@case("7.1.2")
def _(peer):
    peer.send(close_frame(1000) + close_frame(1000))
    peer.expect_close(1000)


@case("7.1.3")
def _(peer):
    peer.send(close_frame(1000) + frame(PING, b"after the end"))
    peer.expect_close(1000)


@case("7.1.4")
def _(peer):
    peer.send(close_frame(1000) + frame(*hello))
    peer.expect_close(1000)


@case("7.1.5")
def _(peer):
    peer.send(frame(TEXT, one, fin=False) + close_frame(1000) + frame(CONT, two))
    peer.expect_close(1000)


@case("7.1.6")
def _(peer):
    peer.send(frame(TEXT, b"A" * 262144) + frame(*hello) + close_frame(1000) + frame(PING))
    peer.expect(TEXT, b"A" * 262144)
    peer.expect(*hello)
    peer.expect_close(1000)


def closes(name, payload, *codes):
    def run(peer):
        peer.send(frame(CLOSE, payload))
        peer.expect_close(*codes)
    case(name)(run)


closes("7.3.1", b"", None, 1000)
closes("7.3.2", b"a", 1002)
closes("7.3.3", struct.pack(">H", 1000), 1000)
closes("7.3.4", struct.pack(">H", 1000) + b"Hello World!", 1000)
closes("7.3.5", struct.pack(">H", 1000) + b"*" * 123, 1000)
closes("7.3.6", struct.pack(">H", 1000) + b"*" * 124, 1002)
closes("7.5.1", struct.pack(">H", 1000) + surrogate, 1002, 1007)
for number, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1):
    closes(f"7.7.{number}", struct.pack(">H", code), code)
for number, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
    closes(f"7.9.{number}", struct.pack(">H", code), 1002)
closes("7.13.1", struct.pack(">H", 5000), 1002, 5000)
closes("7.13.2", struct.pack(">H", 65535), 1002, 65535)

# --- 9: size
for number, size in enumerate((64 << 10, 1 << 20, 4 << 20, 16 << 20), 1):
    echo(f"9.1.{number}", frame(TEXT, b"*" * size), expected=[(TEXT, b"*" * size)])
    echo(f"9.2.{number}", frame(BINARY, b"\xfe" * size), expected=[(BINARY, b"\xfe" * size)])


def in_frames(op, data, size):
    pieces = [data[i:i + size] for i in range(0, len(data), size)]
    return b"".join(frame(op if i == 0 else CONT, piece, fin=i == len(pieces) - 1) for i, piece in enumerate(pieces))


million = b"*" * (1 << 20)
for number, size in enumerate((64, 1024, 65536, 1 << 19), 1):
    echo(f"9.3.{number}", in_frames(TEXT, million, size), expected=[(TEXT, million)])
    echo(f"9.4.{number}", in_frames(BINARY, million, size), expected=[(BINARY, million)])
for number, chop in enumerate((64, 256, 2048), 1):
    echo(f"9.5.{number}", frame(TEXT, million), expected=[(TEXT, million)], chop=chop)
echo("9.7.1", frame(TEXT, b"x" * 64) * 1000, expected=[(TEXT, b"x" * 64)] * 1000)
# The test's client takes 17 MiB and no more.
refused("9.9.1", frame(BINARY, b"", length=(17 << 20) + 1), codes=(1009,))
refused("9.9.2", frame(BINARY, b"", length=1 << 62), codes=(1009,))
refused("9.9.3", frame(BINARY, b"x" * (1 << 20), fin=False), frame(CONT, b"", length=17 << 20), codes=(1009,))
refused("9.9.4", b"\x82\x7e\x00\x7d" + b"x" * 125)  # a length in more bytes than it needs
refused("9.9.5", b"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff" + b"x" * 65535)
refused("9.9.6", b"\x82\x85\x00\x00\x00\x00hello")  # masked, as no server may

# --- 12: compression
agreements = {"12": "", "13.1": "; server_no_context_takeover", "13.2": "; client_no_context_takeover", "13.3": "; client_max_window_bits=9",
              "13.4": "; server_max_window_bits=9; client_max_window_bits=10; server_no_context_takeover; client_no_context_takeover"}


def deflater(answer):
    return zlib.compressobj(9, zlib.DEFLATED, -9 if "server_max_window_bits=9" in answer else -15)


def squeeze(packer, data, flush=zlib.Z_SYNC_FLUSH):
    out = packer.compress(data) + packer.flush(flush)
    assert out.endswith(b"\x00\x00\xff\xff")
    return out[:-4]


def compressed(name, answer, function):
    def run(peer):
        peer.inflater = zlib.decompressobj(-15)
        peer.client_takeover = "client_no_context_takeover" not in answer
        function(peer, answer)
    run.extension = "permessage-deflate" + answer
    case(name)(run)


def many(size, count, kind=TEXT, pieces=1):
    def run(peer, answer):
        packer = deflater(answer)
        for number in range(count):
            data = (b'{"number": %d, "text": "lorem ipsum dolor sit amet"} ' % number * (size // 40 + 1))[:size]
            if kind == BINARY:
                data = bytes(hashlib.sha256(b"%d" % number).digest() * (size // 32 + 1))[:size]
            if "server_no_context_takeover" in answer:
                packer = deflater(answer)
            packed = squeeze(packer, data)
            step = max(1, -(-len(packed) // pieces))
            parts = [packed[i:i + step] for i in range(0, len(packed), step)] or [b""]
            for i, part in enumerate(parts):
                peer.send(frame(kind if i == 0 else CONT, part, fin=i == len(parts) - 1, rsv=4 if i == 0 else 0))
            peer.expect(kind, data)
        peer.finish()
    return run


for family, answer in agreements.items():
    for number, (size, count, pieces) in enumerate(((16, 200, 1), (64, 200, 1), (1024, 100, 3), (8192, 50, 1), (65536, 20, 7), (1 << 20, 2, 1)), 1):
        compressed(f"{family}.1.{number}", answer, many(size, count, TEXT, pieces))
        compressed(f"{family}.2.{number}", answer, many(size, count, BINARY, pieces))


def plain_too(peer, _):
    peer.send(frame(*hello))
    peer.expect(*hello)
    peer.send(frame(TEXT, squeeze(deflater(""), b"Hello"), rsv=4))
    peer.expect(TEXT, b"Hello")
    peer.finish()


def stored_blocks(peer, _):
    peer.send(frame(TEXT, b"\x00\x05\x00\xfa\xff" + b"Hello" + b"\x00", rsv=4))  # RFC 7692 section 7.2.3.3
    peer.expect(TEXT, b"Hello")
    peer.finish()


def final_block(peer, _):
    # RFC 7692 section 7.2.3.4: BFINAL is set. Boost.Beast 1.81 cannot read that; at least it must say so.
    peer.send(frame(TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", rsv=4))
    peer.expect_close(1007)


def two_blocks(peer, _):
    peer.send(frame(TEXT, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", rsv=4))  # 7.2.3.5
    peer.expect(TEXT, b"Hello")
    peer.finish()


def empty_message(peer, _):
    peer.send(frame(TEXT, b"\x00", rsv=4))
    peer.expect(TEXT, b"")
    peer.send(frame(*hello))
    peer.expect(*hello)
    peer.finish()


def shared_window(peer, _):
    peer.send(frame(TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00", rsv=4) + frame(TEXT, b"\xf2\x00\x11\x00\x00", rsv=4))  # 7.2.3.2
    peer.expect(TEXT, b"Hello")
    peer.expect(TEXT, b"Hello")
    peer.finish()


def ping_between(peer, _):
    packed = squeeze(deflater(""), b"Hello, world!" * 100)
    peer.send(frame(TEXT, packed[:10], fin=False, rsv=4) + frame(PING, b"now") + frame(CONT, packed[10:]))
    peer.expect(PONG, b"now")
    peer.expect(TEXT, b"Hello, world!" * 100)
    peer.finish()


def fails(data, *codes):
    def run(peer, _):
        peer.send(data)
        peer.expect_close(*codes)
    return run


def bomb(peer, _):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush(zlib.Z_SYNC_FLUSH)
    try:
        peer.send(frame(BINARY, packed[:-4], rsv=4))
    except OSError:
        pass
    peer.expect_close(1009)


compressed("12.3.1", "", plain_too)
compressed("12.3.2", "", stored_blocks)
compressed("12.3.3", "", final_block)
compressed("12.3.4", "", two_blocks)
compressed("12.3.5", "", empty_message)
compressed("12.3.6", "", shared_window)
compressed("12.3.7", "", ping_between)
compressed("12.4.1", "", fails(frame(TEXT, b"\xff\xff\xff\xff\xff", rsv=4), 1002, 1007))
compressed("12.4.2", "", fails(frame(TEXT, b"\xf2\x48", fin=False, rsv=4) + frame(CONT, b"\xcd\xc9\xc9\x07\x00", rsv=4), 1002))
compressed("12.4.3", "", fails(frame(PING, b"x", rsv=4), 1002))
compressed("12.4.4", "", fails(frame(TEXT, squeeze(deflater(""), surrogate), rsv=4), 1007))
compressed("12.4.5", "", bomb)
compressed("12.4.6", "", fails(frame(TEXT, b"x", rsv=2), 1002))
compressed("12.4.7", "", fails(frame(TEXT, b"x", rsv=5), 1002))


# --- Handshakes

def accept_of(head):
    key = next((line.split(":", 1)[1].strip() for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key:")), "")
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def switching(head, more="", upgrade="websocket", connection="Upgrade", accept=None):
    lines = ["HTTP/1.1 101 Switching Protocols"]
    if upgrade:
        lines.append("Upgrade: " + upgrade)
    if connection:
        lines.append("Connection: " + connection)
    lines.append("Sec-WebSocket-Accept: " + (accept_of(head) if accept is None else accept))
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode()


handshakes = {
    "good": lambda head: switching(head),
    "lax": lambda head: switching(head, upgrade="WebSocket", connection="keep-alive, upgrade"),
    "early": lambda head: switching(head) + frame(TEXT, b"early bird"),
    "no-upgrade": lambda head: switching(head, upgrade=""),
    "other-upgrade": lambda head: switching(head, upgrade="h2c"),
    "no-connection": lambda head: switching(head, connection=""),
    "bad-accept": lambda head: switching(head, accept="s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    "two-accepts": lambda head: switching(head, "Sec-WebSocket-Accept: x\r\n"),
    "subprotocol": lambda head: switching(head, "Sec-WebSocket-Protocol: nobody.asked\r\n"),
    "extension": lambda head: switching(head, "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n"),
    "deflate-twice": lambda head: switching(head, "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n"),
    "deflate-odd": lambda head: switching(head, "Sec-WebSocket-Extensions: permessage-deflate; window=7\r\n"),
    "deflate-wide": lambda head: switching(head, "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16\r\n"),
    "garbage": lambda head: b"\x00\x01\x02 this is no HTTP\r\n\r\n",
    "ssh": lambda head: b"SSH-2.0-OpenSSH_9.2\r\n",
    "ok": lambda head: b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n<html>hi</html>\r\n",
    "unauthorized": lambda head: b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\nwho? you?",
    "stalled": lambda head: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 900\r\n\r\nover",
    "stalled-head": lambda head: b"HTTP/1.1 101 Switching",
    "huge": lambda head: b"HTTP/1.1 101 Switching Protocols\r\n" + b"X-Filler: " + b"y" * 200000 + b"\r\n\r\n",
    "continue": lambda head: b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + switching(head),
    "echo-secrets": lambda head: b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(head) + head.encode(),
    "loop": lambda head: b"HTTP/1.1 302 Found\r\nLocation: /hs/loop\r\nContent-Length: 0\r\n\r\n",
    "nowhere": lambda head: b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
    "mailto": lambda head: b"HTTP/1.1 302 Found\r\nLocation: mailto:x@example.com\r\nContent-Length: 0\r\n\r\n",
    "silent": lambda head: b"",
}


def do(peer, what):
    """After a good handshake."""
    if what == "silent":
        time.sleep(600)
    elif what == "reset":
        peer.message()
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.sock.close()
    elif what == "close":
        peer.message()
        peer.sock.shutdown(socket.SHUT_RDWR)
    elif what == "half":  # nothing more is read or said, and nobody closes
        peer.message()
        time.sleep(600)
    elif what == "no-close-answer":
        while peer.message()[0] != CLOSE:
            pass
        time.sleep(600)
    elif what == "late-messages":  # go out before the close frame is answered
        while peer.message()[0] != CLOSE:
            pass
        peer.send(frame(TEXT, b"late 1") + frame(TEXT, b"late 2") + close_frame(1000))
    elif what == "count-to-close":
        count = 0
        while peer.message()[0] != CLOSE:
            count += 1
        peer.send(frame(TEXT, b"%d" % count) + close_frame(1000))
    elif what == "garbage":
        peer.message()
        peer.send(os.urandom(2000))
        time.sleep(5)
    elif what == "cut-message":
        peer.message()
        peer.send(frame(TEXT, b"begin", fin=False))
        peer.sock.shutdown(socket.SHUT_RDWR)
    elif what == "slow":  # reads slowly
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.chunk = 1024
        count = 0
        while True:
            op, data = peer.message()
            if op == CLOSE:
                return peer.send(close_frame(1000))
            count += 1
            time.sleep(0.01)
            if data == b"count?":
                peer.send(frame(TEXT, b"%d" % count))
    elif what == "pings":  # sends pings all the time, and says how many pongs came
        for number in range(100000):
            peer.send(frame(PING, b"%d" % number))
        peer.send(frame(TEXT, b"done"))
        while True:
            op, _ = peer.message()
            if op == CLOSE:
                return peer.send(close_frame(1000))
    elif what == "counts":  # answers each message with its number on this connection
        number = 0
        while True:
            op, data = peer.message()
            if op == CLOSE:
                return peer.send(close_frame(1000))
            if op == PING:
                peer.send(frame(PONG, data))
                continue
            number += 1
            if data == b"cut":
                peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return peer.sock.close()
            peer.send(frame(TEXT, b"%d:%s" % (number, data)))


def serve(sock):
    peer = Peer(sock)
    try:
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return
            data += more
        head, peer.rest = data.split(b"\r\n\r\n", 1)
        head = head.decode("latin-1")
        path = head.split(" ", 2)[1].partition("?")[0]
        _, route, *rest = path.split("/")
        name = "/".join(rest)
        if route in ("cases", "verdict"):
            text = "\n".join(cases) if route == "cases" else verdicts.get(name, "it was not run")
            body = text.encode()
            sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            return
        if route == "hs":
            sock.sendall(handshakes[name](head))
            if name in ("good", "lax", "early", "continue"):
                while True:
                    op, data = peer.message()
                    if op == CLOSE:
                        return sock.sendall(frame(CLOSE, data))
                    if op in (TEXT, BINARY):
                        sock.sendall(frame(op, data))
            if name in ("silent", "stalled", "stalled-head"):
                time.sleep(600)
            return
        if route == "do":
            sock.sendall(switching(head))
            return do(peer, name)
        if route == "case":
            run = cases[name]
            verdicts[name] = "it has not ended"
            extension = getattr(run, "extension", "")
            sock.sendall(switching(head, f"Sec-WebSocket-Extensions: {extension}\r\n" if extension else ""))
            try:
                run(peer)
                verdicts[name] = "OK"
            except (Wrong, OSError, UnicodeDecodeError, zlib.error) as wrong:
                verdicts[name] = f"{type(wrong).__name__}: {wrong}"
    except (Wrong, OSError) as wrong:
        print(wrong, file=sys.stderr, flush=True)
    finally:
        sock.close()


def main():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(100)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


main()
