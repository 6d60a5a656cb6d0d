#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the checker: test_amqpraw.py [ROLE...]. What a client breaks is found, what Qpid Proton's client does in the legal roles is no breach.

Not run with the tests. Wants /usr/bin/python3 with python3-qpid-proton; without it, only what needs no Proton is done."""
import json
import os
import socket
import struct
import subprocess
import sys
import time

from amqp import roles, wire
from amqp.broker import AMQP_HEADER, SASL_HEADER
from amqp.wire import T, enc, make

HERE = os.path.dirname(os.path.abspath(__file__))
failed = []


def check(good, text):
    if not good:
        failed.append(text)
        print("FAILED:", text, flush=True)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Server:
    def __init__(self, **environment):
        self.port, self.control_port = free_port(), free_port()
        self.process = subprocess.Popen([sys.executable, HERE + "/amqpraw.py", str(self.port), str(self.control_port)], stdout=subprocess.DEVNULL,
                                        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment})
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.control_port)).close()
                break
            except OSError:
                time.sleep(0.02)

    def tell(self, line):
        with socket.create_connection(("127.0.0.1", self.control_port)) as s:
            s.sendall(line.encode() + b"\n")
            return s.makefile().read()

    def wait_idle(self):
        for _ in range(200):
            if self.tell("connections") == "0\n":
                return
            time.sleep(0.02)

    def breaches(self):
        self.wait_idle()
        return [json.loads(line)["breach"] for line in self.tell("breaches").splitlines()]

    def log(self):
        return [json.loads(line) for line in self.tell("log").splitlines()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Client:
    """Says what it is told to, right or wrong."""

    def __init__(self, port, sasl=True):
        self.sock = socket.create_connection(("127.0.0.1", port), 5)
        self.stream = self.sock.makefile("rb")
        if sasl:
            self.sock.sendall(SASL_HEADER)
            self.send("sasl-init", kind=1, mechanism="ANONYMOUS")
            self.stream.read(8)
            self.frame()
            self.frame()
        self.sock.sendall(AMQP_HEADER)
        self.stream.read(8)

    def send(self, performative, channel=0, payload=b"", kind=0, **fields):
        self.sock.sendall(wire.frame(channel, enc(make(performative, fields)) + payload, kind))

    def raw(self, data):
        self.sock.sendall(data)

    def frame(self):
        size, doff, _, _ = struct.unpack(">IBBH", self.stream.read(8))
        return wire.parse_frame_body(self.stream.read(size - 8)[4 * doff - 8:])[0]

    def until(self, name):
        while True:
            p = self.frame()
            if p.name == name:
                return p

    def open(self, **more):
        self.send("open", container_id="c", **more)
        self.until("open")
        return self

    def begin(self, channel=0, **more):
        self.send("begin", channel, **{"next_outgoing_id": 0, "incoming_window": 100, "outgoing_window": 100, **more})
        self.until("begin")
        return self

    def attach(self, role=False, wait="flow", channel=0, **more):
        fields = {"name": "link", "handle": 0, "role": role, "source": make("source", {"address": "numbered/5"}), "target": make("target", {"address": "q"})}
        if not role:
            fields["initial_delivery_count"] = 0
        self.send("attach", channel, **{**fields, **more})
        self.until(wait)
        return self

    def transfer(self, n=0, payload=None, **more):
        self.send("transfer", payload=wire.message("x") if payload is None else payload,
                  **{"handle": 0, "delivery_id": n, "delivery_tag": struct.pack(">I", n), "message_format": 0, **more})
        return self

    def close(self):
        self.send("close")
        while self.stream.read(4096):
            pass


def sender(c):
    return c.open().begin().attach()


def receiver(c, credit=3):
    c.open().begin().attach(role=True, wait="attach")
    c.send("flow", next_incoming_id=0, incoming_window=100, next_outgoing_id=0, outgoing_window=100, handle=0, delivery_count=0, link_credit=credit)
    return c


def flow(c, **more):
    c.send("flow", **{"next_incoming_id": 0, "incoming_window": 100, "next_outgoing_id": 0, "outgoing_window": 100, **more})


def over_credit(c):
    for n in range(102):
        c.transfer(n, settled=True)


# What a client does, and what the checker must say of it.
WRONG = [
    (lambda c: c.send("begin", next_outgoing_id=0, incoming_window=1, outgoing_window=1), "begin before open"),
    (lambda c: c.open().send("open", container_id="c"), "a second open"),
    (lambda c: c.send("open"), "open lacks the mandatory container-id"),
    (lambda c: c.send("open", container_id="c", max_frame_size=100), "max-frame-size 100 is below 512"),
    (lambda c: c.send("open", container_id="c" * 600), "before its open: 512"),
    (lambda c: c.send("open", 3, container_id="c"), "open on channel 3"),
    (lambda c: c.open().raw(wire.frame(0, enc(wire.described(wire.ulong(0x11), [None, "x", wire.uint(0), wire.uint(0)])))), "begin.next-outgoing-id: uint wanted, got string"),
    (lambda c: c.open().begin(300), "channel 300; the server's channel-max is 255"),
    (lambda c: c.open().begin().begin(), "begin on channel 0, which has a session"),
    (lambda c: c.open().send("attach", name="x", handle=0, role=True), "attach on channel 0, which has no session"),
    (lambda c: c.open().begin().send("end") or c.send("end"), "end on channel 0, which has no session"),
    (lambda c: c.open().begin().attach(handle=300), "attach with handle 300; the server's handle-max is 255"),
    (lambda c: sender(c).attach(name="other", wait="attach"), "attach with handle 0, which is in use"),
    (lambda c: sender(c).attach(handle=1, wait="attach"), "attach of the link 'link', which is attached"),
    (lambda c: c.open().begin().attach(initial_delivery_count=None), "attach of a sender without initial-delivery-count"),
    (lambda c: c.open().begin().attach(snd_settle_mode=3), "attach with snd-settle-mode 3"),
    (lambda c: sender(c).send("detach", handle=7), "detach of handle 7, which is not attached"),
    (lambda c: flow(sender(c), next_outgoing_id=5) or flow(c, next_outgoing_id=5), "flow with next-outgoing-id 5; after the transfers so far it is 0"),
    (lambda c: flow(sender(c), next_incoming_id=9), "flow with next-incoming-id 9; the server's next is 0"),
    (lambda c: flow(sender(c)) or flow(c, next_incoming_id=None), "flow without next-incoming-id"),
    (lambda c: flow(sender(c), link_credit=5), "flow without handle has link-credit"),
    (lambda c: flow(sender(c), handle=9), "flow for handle 9, which is not attached"),
    (lambda c: flow(sender(c), handle=0, link_credit=5), "flow of a sender without delivery-count"),
    (lambda c: flow(sender(c), handle=0, delivery_count=3), "flow of a sender with delivery-count 3; after the deliveries so far it is 0"),
    (lambda c: flow(receiver(c), handle=0, delivery_count=30, link_credit=1), "flow of a receiver with delivery-count 30"),
    (lambda c: flow(c.open().begin()) or c.send("flow", incoming_window=1, next_outgoing_id=0), "flow lacks the mandatory outgoing-window"),
    (lambda c: over_credit(c.open().begin().attach(target=make("target", {"address": "credit-none"}), wait="attach")), "transfer without credit"),
    (lambda c: sender(c).transfer(0).transfer(2), "delivery-id 2; the next one is 1"),
    (lambda c: sender(c).transfer(0, delivery_tag=None), "the first transfer of a delivery lacks delivery-tag"),
    (lambda c: sender(c).transfer(0, message_format=None), "the first transfer of a delivery lacks message-format"),
    (lambda c: sender(c).transfer(0, delivery_tag=b"x" * 33), "a delivery-tag of 33 bytes"),
    (lambda c: sender(c).transfer(0, more=True).transfer(1), "a transfer of delivery 1 within delivery 0"),
    (lambda c: sender(c).transfer(0, payload=b"\x00\x53\x79\x40"), "is no message"),
    (lambda c: sender(c).transfer(0, payload=enc(wire.described(wire.ulong(0x77), "x")) * 2), "section amqp-value after amqp-value"),
    (lambda c: sender(c).transfer(0, handle=4), "transfer on handle 4, which is not attached"),
    (lambda c: receiver(c).transfer(0), "transfer on handle 0, which is a receiver's"),
    (lambda c: c.open().begin().attach(snd_settle_mode=1).transfer(0), "an unsettled transfer on a link with snd-settle-mode settled"),
    (lambda c: c.open().begin().attach(snd_settle_mode=0).transfer(0, settled=True), "a settled transfer on a link with snd-settle-mode unsettled"),
    (lambda c: c.open().begin().attach(target=make("target", {"address": "silent-transfer"})).transfer(0).transfer(1, delivery_tag=b"\0\0\0\0"), "is that of an unsettled delivery"),
    (lambda c: c.open().begin().attach(target=make("target", {"address": "attach-small-messages"})).transfer(0, payload=wire.message("x" * 2000)), "max-message-size is 1000"),
    (lambda c: sender(c).transfer(0, payload=wire.message("x" * 70000)), "the server takes 65536"),
    (lambda c: receiver(c).until("transfer") and c.send("disposition", role=True, first=0, last=900, settled=True, state=make("accepted")), "disposition of 0 to 900"),
    (lambda c: receiver(c).until("transfer") and c.send("disposition", role=True, first=1, last=0, settled=True), "disposition from 1 to 0"),
    (lambda c: receiver(c).until("transfer") and [c.send("disposition", role=True, first=0, settled=True, state=make("accepted")) for _ in range(2)], "settled before"),
    (lambda c: receiver(c).until("transfer") and c.send("disposition", role=True, first=0, settled=True, state=make("open", {"container_id": "x"})), "state wanted, got open"),
    (lambda c: sender(c).send("disposition", role=False, first=5, settled=True), "which the client has not sent"),
    (lambda c: sender(c).send("end", payload=b"xyz"), "3 bytes after end"),
    (lambda c: c.open().begin().raw(wire.frame(0, enc(make("accepted")))), "accepted is no performative"),
    (lambda c: c.open().raw(wire.frame(0, b"\x00\x53\x11\xc0\x50\x04\x40")), "malformed"),
    (lambda c: c.open().raw(struct.pack(">IBBH", 7, 2, 0, 0)), "a frame of size 7"),
    (lambda c: c.open().raw(struct.pack(">IBBH", 12, 1, 0, 0) + b"abcd"), "data offset 1"),
    (lambda c: c.open().raw(wire.frame(0, enc(make("close")), 1)), "a frame of type 1 in the AMQP layer"),
    (lambda c: c.open().send("close") or c.send("close"), "close after close"),
    (lambda c: c.open(hostname="open-idle-200") and time.sleep(0.6), "the server's idle-time-out is 200 ms"),
    (lambda c: c.open(hostname="flow-echo").begin() and time.sleep(0.7), "echo"),
    (lambda c: [c.open(hostname="window-stays").begin().attach(wait="attach")] + [c.transfer(n, settled=True) for n in range(6)], "beyond the server's incoming-window"),
    (lambda c: sender(c).transfer(0, more=True).send("detach", handle=0, closed=True), "detach in the middle of a delivery"),
]


def codec():
    for wide in (False, True):
        for key, value in wire.every_type().items():
            data = enc(value, wide)
            reader = wire.Reader(data)
            got = reader.value()
            check(reader.at == len(data), f"{key}: {reader.at} of {len(data)} bytes read")
            if isinstance(value, T) and value.type not in ("described", "array"):
                check(got == value, f"{key}: {got!r} for {value!r}")
    for name in wire.CODES:
        data = enc(wire.symbolic(make(name)))
        check(wire.code_of(wire.Reader(data).value().value[0]) == wire.CODES[name], f"{name} by its symbol")


def wrong():
    with Server(AMQP_QUIET="1") as server:
        for number, (function, expected) in enumerate(WRONG):
            server.tell("clear")
            try:
                client = Client(server.port)
                client.sock.settimeout(3)
                function(client)
                client.close()
            except (OSError, struct.error):
                pass
            client.stream.close()
            client.sock.close()
            found = server.breaches()
            check(any(expected in b for b in found), f"case {number}: expected {expected!r}, found {found}")
            check(len(found) < 4, f"case {number}: {expected!r} came with {found}")
    print(len(WRONG), "breaches were looked for")


def right(names):
    from proton import Message
    from proton.handlers import MessagingHandler
    from proton.reactor import Container

    class Talk(MessagingHandler):
        """Sends ten messages to the address of the role, gets what numbered has, and closes."""

        def __init__(self, port, role):
            super().__init__(prefetch=20)
            self.port, self.role, self.sent, self.settled, self.got = port, role, 0, 0, 0

        def on_start(self, event):
            self.container = event.container
            self.connection = event.container.connect(f"amqp://127.0.0.1:{self.port}", virtual_host=self.role, reconnect=False, heartbeat=5)
            self.sender = event.container.create_sender(self.connection, "q-" + self.role)
            event.container.create_receiver(self.connection, "numbered/10/1000")
            self.timer = event.container.schedule(4 if self.role in PLAIN_ROLES else 1, self)

        def on_timer_task(self, event):
            self.connection.close()

        def on_sendable(self, event):
            while event.sender.credit and self.sent < 10:
                event.sender.send(Message(body=f"message {self.sent}", properties={"n": self.sent}))
                self.sent += 1

        def on_settled(self, event):
            self.settled += 1
            self.done()

        def on_message(self, event):
            self.got += 1
            self.done()

        def done(self):
            if self.settled >= 10 and self.got >= 10:
                self.timer.cancel()
                self.connection.close()

    with Server() as server:
        for name in names:
            server.tell("clear")
            talk = Talk(server.port, name)
            Container(talk).run()
            found = server.breaches()
            print(f"{name:24} settled {talk.settled} got {talk.got}" + (f" BREACHES {found}" if found else ""), flush=True)
            check(not found, f"Proton's client in the role {name}: {found}")
            if name in PLAIN_ROLES:
                check(talk.settled == 10 and talk.got == 10, f"Proton's client in the role {name}: {talk.settled} settled, {talk.got} received")


# Legal ones in which Proton's client can do all of it. It knows no symbolic descriptors, and tells a delivery-count of 0 before it can know it, which is
# a breach where the server's attach comes late or begins elsewhere.
PLAIN_ROLES = ["broker", "byte-by-byte", "odd-writes", "one-write", "wide", "extended-header", "foreign-numbers", "open-bare", "open-full", "open-frame-512",
               "open-idle-200", "open-idle-0", "window-zero", "window-taken-back", "heartbeats", "flow-no-incoming-id", "settle-reversed", "settle-ranges", "settle-received",
               "reject", "release", "modify", "credit-one", "credit-late", "credit-behind", "credit-taken-back", "credit-no-count", "echo-link"]

codec()
wrong()
try:
    import proton  # noqa: F401
except ImportError:
    print("no Proton here")
else:
    right(sys.argv[1:] or PLAIN_ROLES)
print("failed:", len(failed))
sys.exit(1 if failed else 0)
