#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the checker: test_amqpraw.py [ROLE...]. What a client breaks is found, what Qpid Proton's client does in the legal roles is no breach. So for
transactions (by hand, and by Proton's client) and over WebSocket (by websockets' client, which everything else goes through as well).

Not run with the tests; takes five minutes. Wants /usr/bin/python3 with python3-websockets and python3-qpid-proton; without the latter, only what needs no
Proton is done."""
import asyncio
import json
import os
import ssl
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from amqp import roles, txnroles, websocket, wire, wsroles  # noqa: F401 (they add roles)
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
        self.port, self.control_port, self.ws_port = free_port(), free_port(), free_port()
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([sys.executable, HERE + "/amqpraw.py", str(self.port), str(self.control_port)], stdout=subprocess.DEVNULL, stderr=self.errors,
                                        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "AMQP_WS_PORT": str(self.ws_port), **environment})
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
        self.errors.seek(0)
        errors = self.errors.read()
        check(not errors, f"the server says: {errors}")


class Client:
    """Says what it is told to, right or wrong."""

    def __init__(self, port, sasl=True, patience=5):
        self.sock = socket.create_connection(("127.0.0.1", port), patience)
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


COORDINATOR = make("coordinator", {"capabilities": ["amqp:local-transactions"]})


def coordinator(c, **more):
    """A link to the coordinator on handle 0, a sender on handle 1."""
    c.attach(name="control", target=COORDINATOR, **more)
    return c.attach(name="sender", handle=1, **more)


def control(c, n, name, payload=None, handle=0, **fields):
    """Declares or discharges; the state of the answer."""
    c.transfer(n, handle=handle, payload=wire.message(make(name, fields)) if payload is None else payload)
    return c.until("disposition").inner("state")


def within(id_, outcome=None):
    return make("transactional-state", {"txn-id": id_, "outcome": make(outcome) if outcome else None})


def declare(c, n=0, handle=0):
    return control(c, n, "declare", handle=handle).get("txn-id")


def two_sessions(c):
    """A transaction of session 0, used in session 1."""
    id_ = declare(coordinator(c.open(hostname="txn-bare").begin()))
    c.begin(1)
    c.attach(channel=1, name="other")
    c.send("transfer", 1, wire.message("x"), handle=0, delivery_id=0, delivery_tag=b"0", message_format=0, state=within(id_))


def left(c):
    """A transaction whose control link has gone."""
    id_ = declare(coordinator(c.open().begin()))
    c.send("detach", handle=0, closed=True)
    c.until("detach")
    c.transfer(1, handle=1, state=within(id_))


def retired(c, state):
    """A receiver on handle 2 that has a message; what it says of it, with the id of a transaction."""
    id_ = declare(coordinator(c.open().begin()))
    c.attach(name="receiver", handle=2, role=True, wait="attach")
    flow(c, next_outgoing_id=1, handle=2, delivery_count=0, link_credit=1)
    c.until("transfer")
    c.send("disposition", role=True, first=0, settled=True, state=state(id_))


def acquired(c, outcome):
    """The same with a message that was acquired in a transaction."""
    id_ = declare(coordinator(c.open().begin()))
    c.attach(name="receiver", handle=2, role=True, wait="attach")
    flow(c, next_outgoing_id=1, handle=2, delivery_count=0, link_credit=1, properties={wire.symbol("txn-id"): id_})
    c.until("transfer")
    c.send("disposition", role=True, first=0, settled=True, state=outcome)


DECLARE = enc(make("declare"))

# What a client does, and what the checker must say of it.
WRONG = [
    (lambda c: coordinator(c.open().begin()).transfer(0, payload=wire.message(make("declare")), settled=True), "a message to the coordinator is sent settled"),
    (lambda c: coordinator(c.open().begin()).transfer(0), "to the coordinator is no declare and no discharge"),
    (lambda c: coordinator(c.open().begin()).transfer(0, payload=wire.message(b"x", 0x75)), "its body is data, not amqp-value"),
    (lambda c: coordinator(c.open().begin()).transfer(0, payload=wire.message([make("declare")], 0x76)), "its body is amqp-sequence, not amqp-value"),
    (lambda c: coordinator(c.open().begin()).transfer(0, payload=wire.message(make("declare")) * 2), "section amqp-value after amqp-value"),
    (lambda c: coordinator(c.open().begin()).transfer(0, payload=DECLARE), "is no section of a message"),
    (lambda c: coordinator(c.open().begin()).transfer(0, payload=wire.message(make("accepted"))), "it has accepted"),
    (lambda c: coordinator(c.open().begin()).transfer(0, payload=wire.message(make("discharge"))), "discharge lacks the mandatory txn-id"),
    (lambda c: coordinator(c.open().begin()).transfer(0, payload=wire.message(make("discharge", {"txn-id": b"nobody's"}))), "which was not declared"),
    (lambda c: coordinator(c.open().begin()).transfer(0, payload=wire.message(make("declare", {"global-id": b"x"}))), "no distributed-transactions"),
    (lambda c: sender(c).transfer(0, payload=wire.message(make("declare"))), "declare on a link that is no coordinator's"),
    (lambda c: sender(c).transfer(0, payload=wire.message(make("discharge", {"txn-id": b"x"}))), "discharge on a link that is no coordinator's"),
    (lambda c: sender(c).transfer(0, state=within(b"unknown")), "transfer names transaction 756e6b6e6f776e, which was not declared"),
    (lambda c: sender(c).transfer(0, state=within(b"u" * 33)), "a txn-id of 33 bytes"),
    (lambda c: c.open().begin().attach(role=True, wait="attach", target=COORDINATOR), "attach of a receiver whose target is a coordinator"),
    (lambda c: [control(coordinator(c.open().begin()), 0, "declare")] + [c.transfer(n, handle=1, state=within(b"txn\0\xff\xff\xff\xff")) for n in (1,)], "which was not declared"),
    (lambda c: (id_ := declare(coordinator(c.open().begin()))) and control(c, 1, "discharge", txn_id=id_) and c.transfer(2, handle=1, state=within(id_)), "which the client has discharged"),
    (lambda c: (id_ := declare(coordinator(c.open().begin()))) and [control(c, n, "discharge", txn_id=id_) for n in (1, 2)], "which the client has discharged"),
    (lambda c: (id_ := declare(coordinator(c.open().begin()))) and c.transfer(1, handle=0, payload=wire.message(make("declare")), state=within(id_)), "a message to the coordinator within a transaction"),
    (lambda c: (id_ := declare(coordinator(c.open().begin()))) and c.transfer(1, handle=1, state=within(id_), more=True).transfer(1, handle=1, payload=b""), "not all in the same transaction"),
    (lambda c: (id_ := declare(coordinator(c.open().begin()))) and c.transfer(1, handle=1, state=within(id_), more=True) and c.transfer(2, payload=wire.message(make("discharge", {"txn-id": id_}))), "in the middle of a delivery within it"),
    (left, "whose control link the client has ended"),
    (two_sessions, "of another session; the coordinator has no multi-ssns-per-txn"),
    (lambda c: declare(coordinator(c.open(hostname="txn-local").begin())) and declare(c, 1), "a second transaction in a session"),
    (lambda c: coordinator(c.open(hostname="txn-credit-none").begin(), wait="attach") and c.transfer(0, payload=wire.message(make("declare"))), "transfer without credit"),
    (lambda c: retired(c, lambda id_: within(b"unknown", "accepted")), "disposition names transaction"),
    (lambda c: retired(c, lambda id_: within(id_)), "within a transaction without an outcome"),
    (lambda c: retired(c, lambda id_: within(id_, "declare")), "outcome wanted, got declare"),
    (lambda c: retired(c, lambda id_: make("declared", {"txn-id": id_})), "disposition of a receiver with declared"),
    (lambda c: acquired(c, make("accepted")), "outside of the transaction that it was sent in"),
    (lambda c: flow(receiver(c), handle=0, delivery_count=0, link_credit=1, properties={wire.symbol("txn-id"): b"unknown"}), "flow names transaction"),
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


def wrong(path=None):
    """path: over a WebSocket."""
    with Server(AMQP_QUIET="1") as server:
        port = server.port if path is None else Tunnel(server.ws_port, path).port
        for number, (function, expected) in enumerate(WRONG):
            if path is not None and expected == "close after close":  # websockets' client says no more after the server's close frame
                continue
            server.tell("clear")
            try:
                client = Client(port)
                client.sock.settimeout(3)
                function(client)
                client.close()
            except (OSError, struct.error):
                pass
            client.stream.close()
            client.sock.close()
            found = server.breaches()
            check(any(expected in b for b in found), f"case {number}{path or ''}: expected {expected!r}, found {found}")
            check(len(found) < 4, f"case {number}: {expected!r} came with {found}")
    print(len(WRONG), "breaches were looked for")


class Transactions:
    """A client that says the right things, and what must become of it."""

    def __init__(self, server, hostname="broker", patience=3):
        server.tell("clear")
        self.server = server
        self.c = Client(server.port)
        self.c.sock.settimeout(patience)
        self.n = 0
        try:
            coordinator(self.c.open(hostname=hostname).begin())
        except (OSError, struct.error):
            self.drop()
            raise

    def drop(self):
        self.c.stream.close()
        self.c.sock.close()

    def declare(self):
        self.n += 1
        return declare(self.c, self.n - 1)

    def discharge(self, id_, fail=None):
        self.n += 1
        return control(self.c, self.n - 1, "discharge", txn_id=id_, fail=fail)

    def post(self, id_, text, **more):
        state = within(id_) if id_ is not None else None
        self.c.transfer(self.n, handle=1, payload=wire.message(text), state=state, **more)
        self.n += 1
        return self.c.until("disposition").inner("state") if not more.get("settled") else None

    def post_unanswered(self, id_, text):
        self.c.transfer(self.n, handle=1, payload=wire.message(text), state=within(id_))
        self.n += 1
        return self

    def take(self, count, address="q"):
        """A receiver on handle 2; the delivery-ids."""
        self.c.attach(name="receiver", handle=2, role=True, wait="attach", source=make("source", {"address": address}))
        return self.more(count)

    def more(self, count, at=0, **more):
        self.c.send("flow", next_incoming_id=at, incoming_window=100, next_outgoing_id=self.n, outgoing_window=100, handle=2, delivery_count=at, link_credit=count, **more)
        return [self.c.until("transfer") for _ in range(count)]

    def retire(self, n, id_=None, outcome="accepted", settled=None):
        self.c.send("disposition", role=True, first=n, settled=settled, state=within(id_, outcome) if id_ is not None else make(outcome))

    def queue(self, address="q"):
        return [body[1] for line in self.server.tell("queue " + address).splitlines() for name, body in json.loads(line)["sections"] if name == "amqp-value"]

    def close(self, expected=()):
        self.c.close()
        self.drop()
        found = self.server.breaches()
        check(not [b for b in found if not any(e in b for e in expected)], f"transactions: {found}")


def transactions():
    def outcome(state):
        return (state.name, state.inner("outcome").name if "outcome" in state.fields else None, state.get("txn-id"))

    def condition(state):
        return state.name, state.inner("error").get("condition") if "error" in state.fields else None

    with Server() as server:
        t = Transactions(server)
        id_, other = t.declare(), t.declare()
        check(id_ != other and 0 < len(id_) <= 32, f"txn-ids {id_} {other}")
        check(outcome(t.post(id_, "a")) == ("transactional-state", "accepted", id_), "the outcome of a post")
        t.post(other, "z")
        check(t.post(None, "plain").name == "accepted", "a post in no transaction")
        t.post(id_, "b", settled=True)
        check(t.queue() == ["plain"], f"before the commit: {t.queue()}")
        check(len(server.tell("transactions").splitlines()) == 2, "two transactions are open")
        check(t.discharge(id_).name == "accepted", "a commit is accepted")
        check(t.queue() == ["plain", "a", "b"], f"after the commit: {t.queue()}")
        check(t.discharge(other, True).name == "accepted", "a rollback is accepted")
        check(t.queue() == ["plain", "a", "b"], f"after the rollback: {t.queue()}")
        id_ = t.declare()
        check(condition(t.discharge(b"nobody's")) == ("rejected", "amqp:transaction:unknown-id"), "an unknown id")
        t.take(3)
        t.retire(0, id_, settled=True)
        t.retire(1, id_)
        check(t.queue() == [], f"acquired: {t.queue()}")
        t.discharge(id_, True)
        check(t.queue() == ["plain"], f"settled by the client and rolled back: {t.queue()}")
        t.retire(2, outcome="released", settled=True)
        t.retire(1, outcome="released", settled=True)
        t.post(None, "last")
        check(t.queue() == ["plain", "a", "b", "last"], f"released in the wrong order: {t.queue()}")
        id_ = t.declare()
        check([p.get("delivery-id") for p in t.more(2, 3)] == [3, 4], "they come again")
        t.retire(3, id_, settled=True)
        t.retire(4, id_, "released")
        t.c.send("transfer", payload=wire.message(make("discharge", {"txn-id": id_})), handle=0, delivery_id=t.n, delivery_tag=b"d", message_format=0)
        t.n += 1
        settled = t.c.until("disposition")
        check((settled.get("first"), settled.get("settled"), settled.inner("state").name) == (4, True, "released"), f"what is settled by the commit: {settled.json()}")
        check(t.c.until("disposition").inner("state").name == "accepted", "the discharge")
        check(t.queue() == ["a", "b", "last"], f"after the commit: {t.queue()}")
        id_ = t.declare()
        got = t.more(2, 5, properties={wire.symbol("txn-id"): id_})
        check([outcome(p.inner("state")) for p in got] == [("transactional-state", None, id_)] * 2, f"acquired in a transaction: {got}")
        t.retire(5, id_, settled=True)
        t.c.send("transfer", payload=wire.message(make("discharge", {"txn-id": id_, "fail": True})), handle=0, delivery_id=t.n, delivery_tag=b"e", message_format=0)
        t.n += 1
        settled = t.c.until("disposition")
        check((settled.get("first"), settled.inner("state").name) == (6, "released"), "an acquisition that is rolled back")
        t.c.until("disposition")
        check(t.queue() == ["a", "b", "last"], f"after the rollback of an acquisition: {t.queue()}")
        id_ = t.declare()
        t.post(id_, "never")
        t.c.send("detach", handle=0, closed=True)
        t.c.until("detach")
        check(server.tell("transactions") == "", "the control link is gone: no transaction")
        t.close(["6e6f626f64792773"])
        check(t.queue() == ["a", "b", "last"], f"after all: {t.queue()}")

        t = Transactions(server)  # the connection ends within a transaction
        t.post(t.declare(), "never")
        t.post(None, "one")
        id_ = t.declare()
        t.take(1)
        t.retire(0, id_)
        t.close()
        check(t.queue() == ["one"], f"the connection has ended: {t.queue()}")
        t = Transactions(server)
        t.post(t.declare(), "never")
        t.drop()
        server.wait_idle()
        check(t.queue() == [] and server.breaches() == [], f"the socket has ended: {t.queue()} {server.breaches()}")

        # A transaction is that of one connection; another one sees what was committed, all at once.
        t = Transactions(server)
        id_ = t.declare()
        other = Client(server.port)
        other.open().begin().attach(role=True, wait="attach", source=make("source", {"address": "q"}))
        flow(other, handle=0, delivery_count=0, link_credit=10)
        t.post(id_, "x")
        t.post(id_, "y")
        t.discharge(id_)
        check([other.until("transfer").get("delivery-id") for _ in range(2)] == [0, 1], "another connection gets them")
        other.close()
        other.stream.close()
        other.sock.close()
        t.close()

        for fail, left in ((False, ["b"]), (True, ["a", "b"])):  # the receiver's link ends before the transaction does
            t = Transactions(server)
            t.post(None, "a")
            t.post(None, "b")
            id_ = t.declare()
            t.take(2)
            t.retire(0, id_)
            t.c.send("detach", handle=2, closed=True)
            t.c.until("detach")
            check(t.queue() == ["b"], f"the link has ended: {t.queue()}")
            t.discharge(id_, fail)
            check(t.queue() == left, f"the link has ended, and the transaction: {t.queue()}")
            t.close()

        c = Client(server.port)  # a link that does not know rejected; half a delivery in a transaction
        c.open().begin()
        server.tell("clear")
        for n, outcomes in enumerate((["amqp:accepted:list", "amqp:declared:list"], wire.symbol("amqp:accepted:list"))):
            c.attach(name="control", target=COORDINATOR, source=make("source", {"outcomes": outcomes}))
            c.transfer(n, payload=wire.message(make("discharge", {"txn-id": b"nobody's"})))
            check(c.until("detach").inner("error").get("condition") == "amqp:transaction:unknown-id", "no rejected here")
            c.send("detach", handle=0, closed=True)
        coordinator(c, initial_delivery_count=0)
        id_ = declare(c, 2)
        c.transfer(3, handle=1, state=within(id_), more=True).transfer(4, payload=wire.message(make("discharge", {"txn-id": id_})))
        check(c.until("detach").inner("error").get("condition") == "amqp:transaction:rollback", "half a delivery")
        c.send("detach", handle=0, closed=True)
        c.transfer(3, handle=1, payload=b"", state=within(id_))
        c.close()
        c.stream.close()
        c.sock.close()
        check(len(server.breaches()) == 3, f"{server.breaches()}")

        for name, steps in {
            "txn-post-plain": lambda t: (t.post(t.declare(), "x").name, "accepted"),
            "txn-post-other-id": lambda t: (t.post(t.declare(), "x").get("txn-id"), b"other"),
            "txn-post-rejected": lambda t: ((id_ := t.declare()) and outcome(t.post(id_, "x"))[1], t.discharge(id_).name, t.queue(), ("rejected", "accepted", [])),
            "txn-post-fatal": lambda t: ((id_ := t.declare()) and outcome(t.post(id_, "x"))[1], condition(t.discharge(id_)), t.queue(), ("rejected", ("rejected", "amqp:transaction:rollback"), [])),
            "txn-post-unsettled": lambda t: ((id_ := t.declare()) and outcome(t.post(id_, "x"))[1], t.discharge(id_).name, t.c.until("disposition").inner("state").name, t.queue(), ("accepted", "accepted", "accepted", ["x"])),
            "reject": lambda t: ((id_ := t.declare()) and outcome(t.post(id_, "x"))[1], t.discharge(id_).name, t.queue(), ("rejected", "accepted", [])),
            "txn-discharge-rejected": lambda t: ((id_ := t.declare()) and t.post(id_, "x") and condition(t.discharge(id_)), t.queue(), (("rejected", "amqp:transaction:rollback"), [])),
            "txn-timeout": lambda t: ((id_ := t.declare()) and t.post(id_, "x") and time.sleep(0.4) or condition(t.post(id_, "y")), condition(t.discharge(id_)), t.queue(), (("rejected", "amqp:transaction:timeout"), ("rejected", "amqp:transaction:timeout"), [])),
            "txn-timeout-detach": lambda t: (t.post(t.declare(), "x") and t.c.until("detach").inner("error").get("condition"), t.queue(), ("amqp:transaction:timeout", [])),
            "txn-post-late": lambda t: ((id_ := t.declare()) and outcome(t.post_unanswered(id_, "x").discharge(id_))[1], t.c.until("disposition").inner("state").name, t.queue(), ("accepted", "accepted", ["x"])),
            "txn-id-long": lambda t: (len(t.declare()), 32),
            "txn-declare-rejected": lambda t: (condition(control(t.c, 0, "declare")), ("rejected", "amqp:transaction:rollback")),
            "txn-declare-second": lambda t: ((id_ := t.declare()) and "state" in t.c.until("disposition").fields, False),
            "txn-discharge-late": lambda t: (t.discharge(t.declare()).name, "accepted"),
            "txn-credit-one": lambda t: (t.discharge(t.declare()).name, "accepted"),
            "txn-settle-early": lambda t: (t.post(None, "x") and (id_ := t.declare()) and t.take(1) and t.retire(0, id_) or outcome(t.c.until("disposition").inner("state"))[1], t.discharge(id_, True).name, t.queue(), ("accepted", "accepted", ["x"])),
            "symbolic": lambda t: (t.post(id_ := t.declare(), "x") and t.discharge(id_).name, t.queue(), ("accepted", ["x"])),
            "everything": lambda t: (t.post(id_ := t.declare(), "x") and t.discharge(id_).name, t.queue(), ("accepted", ["x"])),
            "one-write": lambda t: (t.post(id_ := t.declare(), "x") and t.discharge(id_).name, t.queue(), ("accepted", ["x"])),
        }.items():
            t = Transactions(server, name)
            *found, expected = steps(t)
            check(tuple(found) == (expected if isinstance(expected, tuple) and len(found) > 1 else (expected,)), f"{name}: {found}, not {expected}")
            t.close()

        # Every role survives a client that does it all, and none breaks the checker's own judgement of the right client.
        for name, one in roles.ROLES.items():
            if not name.startswith("txn-") or name == "txn-id-same":
                continue
            try:
                t = None
                t = Transactions(server, name, 0.7)
                t.post(None, "kept")
                id_ = t.declare()
                assert id_ is not None
                t.post(id_, "x")
                t.take(1)
                t.retire(0, id_)
                t.discharge(id_)
                time.sleep(0.25 if "declared" in one.hooks else 0)
            except (OSError, struct.error, AttributeError, AssertionError):
                pass  # the role
            if t is not None:
                t.drop()
            found = server.breaches()
            ends = [line["end"] for line in server.log() if "end" in line]
            check(not any("Error" in e for e in ends) and len(ends) >= 1, f"{name}: {ends}")
            if not any(word in name for word in ("id-string", "id-33", "no-id", "no-state", "transactional", "accepted")):
                check(not found, f"the right client in the role {name}: {found}")

    with Server(AMQP_TXN_TIMEOUT="100") as server:
        t = Transactions(server)
        id_ = t.declare()
        time.sleep(0.2)
        check(condition(t.discharge(id_)) == ("rejected", "amqp:transaction:timeout"), "the time-out")
        t.close()
    print("transactions by hand are done")


def proton_transactions(names, path=None):
    from proton import Message
    from proton.handlers import MessagingHandler, TransactionHandler
    from proton.reactor import Container

    class Work(MessagingHandler, TransactionHandler):
        """Sends five messages in a transaction and rolls back, then five that it commits; receives them in a transaction that is rolled back, and in one that is
        committed. Proton keeps what was rolled back, and releases it itself."""

        def __init__(self, port, role, early):
            super().__init__(prefetch=0, auto_accept=False)
            self.port, self.role, self.early = port, role, early
            self.round, self.sent, self.confirmed, self.txn = 0, 0, 0, None
            self.events, self.got, self.receiver = [], [], None

        def on_start(self, event):
            self.container = event.container
            self.connection = event.container.connect(f"amqp://127.0.0.1:{self.port}", virtual_host=self.role, reconnect=False)
            self.sender = event.container.create_sender(self.connection, "txq")
            self.container.declare_transaction(self.connection, handler=self, settle_before_discharge=self.early)
            self.timer = event.container.schedule(10, self)

        def on_timer_task(self, event):
            self.events.append("too late")
            self.connection.close()

        def on_transaction_declared(self, event):
            self.txn = event.transaction
            self.events.append("declared")
            if self.round < 2:
                self.send()
            elif self.receiver is None:
                self.receiver = self.container.create_receiver(self.connection, "txq")
                self.receiver.flow(5)
            else:
                self.receiver.flow(5)

        def on_sendable(self, event):
            if self.txn is not None and self.round < 2:
                self.send()

        def send(self):
            while self.sender.credit and self.sent < 5:
                self.txn.send(self.sender, Message(body=f"{self.round}-{self.sent}" + "x" * 600))
                self.sent += 1

        def on_delivery_updated(self, event):
            pass

        def on_accepted(self, event):
            if event.sender is self.sender:
                self.confirmed += 1

        def on_settled(self, event):
            if event.link == self.sender:
                self.confirmed += 1
                if self.confirmed == 5:
                    self.end()

        def on_message(self, event):
            self.got.append(event.message.body[:3])
            self.txn.accept(event.delivery)
            if len(self.got) % 5 == 0:
                self.end()

        def end(self):
            if self.round in (0, 2):
                self.txn.abort()
            else:
                self.txn.commit()

        def ended(self, what):
            self.events.append(what)
            self.round += 1
            self.sent = self.confirmed = 0
            self.txn = None
            if self.round < 4:
                self.container.declare_transaction(self.connection, handler=self, settle_before_discharge=self.early)
            else:
                self.timer.cancel()
                self.connection.close()

        def on_transaction_committed(self, event):
            self.ended("committed")

        def on_transaction_aborted(self, event):
            self.ended("aborted")

        def on_transaction_declare_failed(self, event):
            self.events.append("declare failed")
            self.timer.cancel()
            self.connection.close()

        def on_transaction_commit_failed(self, event):
            self.ended("commit failed")

    all_well = ["declared", "aborted", "declared", "committed", "declared", "aborted", "declared", "committed"]
    with Server() as server:
        for name in names:
            for early in (False, True):
                server.tell("clear")
                work = Work(server.port if path is None else Tunnel(server.ws_port, path).port, name, early)
                Container(work).run()
                found = server.breaches()
                left = server.tell("queue txq").splitlines()
                print(f"{name:24} {'settling' if early else 'keeping ':8} {'well' if work.events == all_well else work.events} got {len(work.got)}" + (f" BREACHES {found}" if found else ""), flush=True)
                check(not found, f"Proton's transactions in the role {name}: {found}")
                check(work.events == all_well and work.got == [f"1-{n}" for n in range(5)] * 2 and not left, f"Proton's transactions in the role {name}: {work.events} {work.got} {len(left)} left")
        for name, events in (("txn-declare-rejected", ["declare failed"]), ("txn-discharge-rejected", [e.replace("committed", "commit failed") for e in all_well])):
            server.tell("clear")
            work = Work(server.port, name, False)
            if name == "txn-discharge-rejected":
                work.on_transaction_commit_failed = lambda event, work=work: (work.events.append("commit failed"), work.timer.cancel(), work.connection.close())
                events = events[:4]
            Container(work).run()
            check(work.events == events and not server.tell("queue txq") and not server.breaches(), f"Proton's transactions in the role {name}: {work.events} {server.breaches()}")


TXN_ROLES = ["broker", "byte-by-byte", "one-write", "wide", "open-frame-512", "foreign-numbers", "txn-bare", "txn-local", "txn-capabilities", "txn-credit-late", "txn-credit-one",
             "txn-declare-late", "txn-id-long", "txn-settle-early", "txn-settle-late", "txn-discharge-late"]


def right(names, path=None):
    """path: over a WebSocket."""
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
            talk = Talk(server.port if path is None else Tunnel(server.ws_port, path).port, name)
            Container(talk).run()
            found = server.breaches()
            print(f"{name + (path or ''):24} settled {talk.settled} got {talk.got}" + (f" BREACHES {found}" if found else ""), flush=True)
            check(not found, f"Proton's client in the role {name}{path or ''}: {found}")
            if name in PLAIN_ROLES:
                check(talk.settled == 10 and talk.got == 10, f"Proton's client in the role {name}{path or ''}: {talk.settled} settled, {talk.got} received")


class Tunnel:
    """A port whose connections go on as WebSockets of another implementation: websockets' client."""

    def __init__(self, port, path, tls=None):
        self.port = free_port()
        ready = threading.Event()

        async def pass_on(reader, writer):
            import websockets
            uri = f"{'wss' if tls else 'ws'}://127.0.0.1:{port}{path}"
            try:
                async with websockets.connect(uri, subprotocols=["amqp"], max_size=None, ssl=tls, close_timeout=1) as ws:
                    async def there():
                        try:
                            while data := await reader.read(65536):
                                await ws.send(data)
                        except (OSError, websockets.exceptions.ConnectionClosed):
                            pass
                        await ws.close()

                    task = asyncio.ensure_future(there())
                    async for message in ws:
                        if isinstance(message, str):
                            break
                        writer.write(message)
                        await writer.drain()
                    task.cancel()
            except (OSError, websockets.exceptions.WebSocketException, websockets.exceptions.ConnectionClosed):
                pass
            finally:
                writer.close()

        async def run():
            server = await asyncio.start_server(pass_on, "127.0.0.1", self.port)
            ready.set()
            async with server:
                await server.serve_forever()

        threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
        ready.wait(5)


LEGAL_WEB = ["/" + name for name in ("ws-bytes", "ws-odd", "ws-joined", "ws-fragments", "ws-fragments-pings", "ws-empty", "ws-pings", "ws-pongs", "ws-slow-upgrade")]


def web():
    """What websockets' client makes of the roles."""
    import websockets

    async def connect(port):
        async with websockets.connect(f"ws://127.0.0.1:{port}/$servicebus/websocket", subprotocols=["amqp"], open_timeout=1, close_timeout=1) as ws:
            got = [f"subprotocol {ws.subprotocol}"]
            await ws.send(AMQP_HEADER)
            await ws.send(wire.frame(0, enc(make("open", {"container-id": "c"}))) + wire.frame(0, enc(make("begin", {
                "next-outgoing-id": 0, "incoming-window": 1, "outgoing-window": 1}))))
            try:
                data = b""
                while b"\x00\x53\x11" not in data:
                    message = await asyncio.wait_for(ws.recv(), 2)
                    if isinstance(message, str):
                        return [*got, "text"]
                    data += message
                got.append("begun")
                await ws.send(wire.frame(0, enc(make("close"))))
                while True:
                    await asyncio.wait_for(ws.recv(), 2)
            except websockets.exceptions.ConnectionClosed as e:
                return [*got, f"closed {e.rcvd.code if e.rcvd else None}"]
            except UnicodeDecodeError:
                return [*got, "text"]

    with Server() as server:
        for name in sorted(wsroles.NAMES):
            server.tell("clear")
            server.tell("role " + name)
            try:
                found = asyncio.run(connect(server.ws_port))
            except Exception as e:  # whatever websockets says of it
                found = [type(e).__name__]
            expected = WEB.get(name)
            if expected is None and roles.ROLES[name].legal:
                expected = ["subprotocol amqp", "begun", "closed 1000"] if not name.startswith("ws-http-") else ["InvalidStatusCode"]
            check(expected is None or found == expected, f"{name}: {found}, not {expected}")
            if expected is None:
                check(found != ["subprotocol amqp", "begun", "closed 1000"], f"{name}: nobody has seen it: {found}")
            found = server.breaches()
            check(not found, f"websockets' client in the role {name}: {found}")
            ends = [line for line in server.log() if "end" in line]
            check(ends and "Error" not in ends[0]["end"] and "websocket" in ends[0], f"{name}: {ends}")
    tls = tempfile.mkdtemp()
    subprocess.run([HERE + "/tls.sh", tls], check=True)
    port = free_port()
    with Server(AMQP_WS_TLS_PORT=str(port), TLS_DIR=tls) as server:
        client = Client(Tunnel(port, "/ws-odd", ssl.create_default_context(cafile=tls + "/ca.crt")).port)
        client.sock.settimeout(3)
        sender(client).transfer(0, payload=wire.message("x" * 30000)).until("disposition")
        client.close()
        client.stream.close()
        client.sock.close()
        check(server.breaches() == [], f"under TLS: {server.breaches()}")
    print("websockets' client has seen the roles of WebSockets")


WEB = {
    "ws-subprotocol-refused": ["subprotocol None", "begun", "closed 1000"], "ws-text": ["subprotocol amqp", "text"], "ws-text-between": ["subprotocol amqp", "text"],
    "ws-close-opened": ["subprotocol amqp", "closed 1001"], "ws-close-begun": ["subprotocol amqp", "begun", "closed 1011"],
    "ws-close-bare": ["subprotocol amqp", "begun", "closed 1005"], "ws-close-first": ["subprotocol amqp", "begun", "closed 1000"],
    "ws-http-302": ["SecurityError"], "ws-no-close": ["TimeoutError"], "ws-cut": ["subprotocol amqp", "begun", "closed None"],
}

REQUEST = ["GET / HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
           "Sec-WebSocket-Protocol: other, amqp"]


def request(without=None, *more):
    return ("\r\n".join([line for line in REQUEST if without is None or not line.startswith(without)] + list(more)) + "\r\n\r\n").encode()


def ws(op, payload=b"", n=iter(range(10 ** 6)), **more):
    return websocket.frame(op, payload, mask=struct.pack(">I", next(n) * 65599 + 1), **more)


# The request, the frames, and what must be said of them.
WEB_WRONG = [
    (request("GET", "X: y").replace(b"Host", b"POST / HTTP/1.1\r\nHost", 1), b"", "the request 'POST / HTTP/1.1'"),
    (request("Host"), b"", "a request without Host"),
    (request("Upgrade"), b"", "a request with Upgrade None"),
    (request("Connection", "Connection: close"), b"", "a request with Connection 'close'"),
    (request("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), b"", "Sec-WebSocket-Version '8'"),
    (request("Sec-WebSocket-Key", "Sec-WebSocket-Key: c2hvcnQ="), b"", "Sec-WebSocket-Key 'c2hvcnQ='"),
    (request("Sec-WebSocket-Protocol"), b"", "the subprotocols None; amqp is not among them"),
    (request("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: AMQP, mqtt"), b"", "amqp is not among them"),
    (request(None, "Host: y"), b"", "the header host comes twice"),
    (request(), websocket.frame(2, AMQP_HEADER), "a frame that is not masked"),
    (request(), ws(1, AMQP_HEADER), "a text message; AMQP is sent in binary ones"),
    (request(), ws(2, AMQP_HEADER, rsv=4), "reserved bits 4"),
    (request(), ws(3, AMQP_HEADER), "a frame with opcode 3"),
    (request(), ws(11, b""), "a frame with opcode 11"),
    (request(), ws(0, AMQP_HEADER), "a continued frame of no message"),
    (request(), ws(2, AMQP_HEADER[:4], fin=False) + ws(2, AMQP_HEADER[4:]), "a message begins in the middle of another"),
    (request(), ws(9, b"x" * 126), "a control frame of 126 bytes"),
    (request(), ws(9, b"x", fin=False), "a control frame of 1 bytes, fragmented"),
    (request(), ws(8, b"x"), "a close frame of one byte"),
    (request(), ws(8, struct.pack(">H", 1005)), "a close frame with code 1005"),
    (request(), ws(8, struct.pack(">H", 1000) + b"\xff"), "the reason of a close frame is not UTF-8"),
    (request(), b"\x82\xfe\x00\x08" + bytes(4) + AMQP_HEADER, "a frame of 8 bytes tells its length in 2 bytes"),
    (request(), b"".join(websocket.frame(2, AMQP_HEADER[n:n + 1], mask=b"same") for n in range(8)), "four frames with the masking key"),
    (request().replace(b"GET /", b"GET /ws-no-close"), ws(8, struct.pack(">H", 1000)) + ws(2, AMQP_HEADER), "a frame with opcode 2 after the close frame"),
    (request().replace(b"GET /", b"GET /ws-pings"), ws(2, AMQP_HEADER) + b"wait" + ws(10, b"wrong"), "a pong with b'wrong'"),
    (request().replace(b"GET /", b"GET /ws-pings"), ws(2, AMQP_HEADER) + ws(2, wire.frame(0, enc(make("open", {"container-id": "c"}))) + b"".join(wire.frame(n, enc(make("begin", {
        "next-outgoing-id": 0, "incoming-window": 1, "outgoing-window": 1}))) for n in range(5))) + b"wait" + ws(8, struct.pack(">H", 1000)), "pings, and not one pong"),
    (request(), ws(2, AMQP_HEADER) + ws(2, wire.frame(0, enc(make("begin", {"next-outgoing-id": 0, "incoming-window": 1, "outgoing-window": 1})))), "begin before open"),
    (request(), ws(2, AMQP_HEADER) + ws(9, b"hello") + ws(8, struct.pack(">H", 1000)), None),
    (request(), ws(2, AMQP_HEADER[:3], fin=False) + ws(9) + ws(0, b"", fin=False) + ws(0, AMQP_HEADER[3:]) + ws(2) + ws(8, struct.pack(">H", 4000) + b"why"), None),
]


def every_role():
    """None makes the server fail; over a socket, and over a WebSocket."""
    with Server() as server:
        tunnel = Tunnel(server.ws_port, "/ws-odd")
        for name in roles.ROLES:
            if name in ("transfer-endless", "heartbeats") or name.startswith("ws-"):
                continue
            for port in (server.port, tunnel.port):
                server.tell("clear")
                server.tell("role " + name)
                client = None
                try:
                    client = Client(port, patience=0.4)
                    client.open().begin().attach()
                    client.transfer(0).until("disposition")
                    client.attach(role=True, wait="attach", handle=1, name="receiver")
                    flow(client, next_outgoing_id=1, handle=1, delivery_count=0, link_credit=3, drain=name.startswith("drain"))
                    client.until("transfer")
                    client.send("disposition", role=True, first=0, settled=True, state=make("accepted"))
                    client.close()
                except (OSError, struct.error, wire.Malformed, AssertionError, ValueError, AttributeError):
                    pass  # the role
                if client is not None:
                    client.stream.close()
                    client.sock.close()
        server.tell("role broker")
        server.wait_idle()
        check(server.tell("connections") == "0\n", "a connection stays")
    print("every role was there")


def web_wrong():
    with Server() as server:
        for number, (asked, frames, expected) in enumerate(WEB_WRONG):
            server.tell("clear")
            with socket.create_connection(("127.0.0.1", server.ws_port), 5) as sock:
                sock.sendall(asked)
                got = b""
                while b"\r\n\r\n" not in got:
                    got += sock.recv(65536)
                for part in frames.split(b"wait"):
                    sock.sendall(part)
                    if part is not frames:
                        time.sleep(0.2)
                sock.shutdown(socket.SHUT_WR)
                while more := sock.recv(65536):
                    got += more
            found = server.breaches()
            check(any(expected in b for b in found) if expected else not found, f"WebSocket case {number}: expected {expected!r}, found {found}")
            check(len(found) < 3, f"WebSocket case {number}: {expected!r} came with {found}")
    print(len(WEB_WRONG), "breaches of WebSocket were looked for")


# Legal ones in which Proton's client can do all of it. It knows no symbolic descriptors, and tells a delivery-count of 0 before it can know it, which is
# a breach where the server's attach comes late or begins elsewhere.
PLAIN_ROLES = ["broker", "byte-by-byte", "odd-writes", "one-write", "wide", "extended-header", "foreign-numbers", "open-bare", "open-full", "open-frame-512",
               "open-idle-200", "open-idle-0", "window-zero", "window-taken-back", "heartbeats", "flow-no-incoming-id", "settle-reversed", "settle-ranges", "settle-received",
               "reject", "release", "modify", "credit-one", "credit-late", "credit-behind", "credit-taken-back", "credit-no-count", "echo-link"]

def main():
    codec()
    wrong()
    transactions()
    every_role()
    web()
    web_wrong()
    wrong("/")
    wrong("/ws-bytes")
    try:
        import proton  # noqa: F401
    except ImportError:
        print("no Proton here")
    else:
        if not sys.argv[1:]:
            proton_transactions(TXN_ROLES)
            proton_transactions(["broker", "txn-credit-one"], "/ws-odd")
            for path in LEGAL_WEB:
                right(["broker"], path)
            right([name for name in PLAIN_ROLES if name != "byte-by-byte"], "/")
        right(sys.argv[1:] or PLAIN_ROLES)
    print("failed:", len(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
