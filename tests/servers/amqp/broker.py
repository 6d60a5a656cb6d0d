# SPDX-License-Identifier: Apache-2.0
"""A small AMQP 1.0 broker over plain sockets, which keeps to the specification; its roles (roles.py) step in where they break it."""
import collections
import json
import os
import select
import socket
import ssl
import struct
import sys
import threading
import time

from . import websocket, wire
from .checker import MASK, Checker, ahead, ids
from .transactions import ROLLBACK, Coordinator, is_coordinator, txn_of
from .wire import T, enc, make

SASL_HEADER = b"AMQP\x03\x01\x00\x00"
AMQP_HEADER = b"AMQP\x00\x01\x00\x00"


class Gone(Exception):
    """The client has closed the socket, or we have."""


class Output:
    """JSON lines; kept as well, so that the control port can tell them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.lines = []
        self.breaches = []
        self.number = 0

    def next_number(self):
        with self.lock:
            self.number += 1
            return self.number

    def line(self, **what):
        with self.lock:
            if "breach" in what:
                self.breaches.append(what)
            if len(self.lines) < 100000:
                self.lines.append(what)
            print(json.dumps(what, default=repr), flush=True)


class Message(bytes):
    """The bytes of a message, and its place in its queue."""
    place = None


class Queues:
    def __init__(self):
        self.lock = threading.Lock()
        self.messages = collections.defaultdict(collections.deque)
        self.peers = set()
        self.dynamic = 0
        self.places = 0
        self.transactions = 0

    def next_transaction(self):
        with self.lock:
            self.transactions += 1
            return self.transactions

    def put(self, address, message, front=False):
        """front: it was in the queue before, and gets its old place."""
        self.put_all([(address, message)], front)

    def put_all(self, messages, front=False):
        with self.lock:
            for address, message in messages:
                queue = self.messages[address]
                if not front:
                    message = Message(message)
                    self.places += 1
                    message.place = self.places
                    queue.append(message)
                    continue
                place = getattr(message, "place", None) or 0
                at = next((n for n, other in enumerate(queue) if other.place >= place), len(queue))
                if not place:
                    message = Message(message)
                    message.place = 0
                queue.insert(at, message)
            peers = list(self.peers)
        for peer in peers:
            peer.wake()

    def all(self, address):
        with self.lock:
            return list(self.messages.get(address, ()))

    def get(self, address):
        with self.lock:
            waiting = self.messages[address]
            return waiting.popleft() if waiting else None

    def size(self, address):
        with self.lock:
            return len(self.messages[address])


class Session:
    def __init__(self, peer, p, channel):
        self.client_channel = channel
        self.channel = peer.own_channel(channel)
        self.next_incoming = p.get("next-outgoing-id", 0)
        self.window = peer.settings.window
        self.used = 0  # of the incoming window, since it was told last
        self.window_end = None  # where it ends for good
        self.first_out = self.next_out = peer.first_id
        self.remote_window = p.get("incoming-window", 0)
        self.limit = (self.next_out + self.remote_window) & MASK
        self.handle_max = p.get("handle-max", MASK)
        self.next_delivery = peer.first_id
        self.ended = False  # by the server
        self.links = {}
        self.unsettled = {}  # our deliveries: id -> (link, message)
        self.posted = {}  # deliveries of the client in transactions: id -> Transaction
        self.retiring = {}  # our deliveries whose outcome is in a transaction: id -> Transaction
        self.acquired = {}  # our deliveries that were sent in a transaction: id -> Transaction
        self.outbox = collections.deque()  # transfers that wait for the client's incoming-window


class Link:
    def __init__(self, peer, session, p):
        self.session = session
        self.attach = p
        self.name = p.get("name", "")
        self.handle = p.get("handle", 0)
        self.own = peer.own_handle(session, self.handle)
        self.to_client = p.get("role", False)
        self.snd_mode = p.get("snd-settle-mode", 2)
        self.rcv_mode = p.get("rcv-settle-mode", 0)
        end = p.inner("source" if self.to_client else "target")
        self.terminus = end
        self.address = end.get("address") if end is not None else None
        self.dynamic = bool(end is not None and end.get("dynamic"))
        self.first = self.count = peer.first_id if self.to_client else p.get("initial-delivery-count", 0)
        self.limit = self.count  # credit ends here
        self.drain = False
        self.partial = None
        self.txn = None  # the transaction that what it sends is acquired in
        self.number = 0
        self.role = {}
        self.role_name = ""
        self.state = {}  # what a role wants to remember
        self.attached = False

    @property
    def credit(self):
        return max(0, ahead(self.limit, self.count))


class Peer(Coordinator):
    def __init__(self, sock, settings, queues, output, role_name, roles):
        self.sock, self.settings, self.queues, self.output, self.roles = sock, settings, queues, output, roles
        self.number = 0
        self.buffer = bytearray()
        self.checker = Checker(lambda text: output.line(conn=self.number, breach=text))
        self.sessions = {}
        self.muted = False
        self.closed = False
        self.ending = False
        self.is_amqp = False
        self.chop = 0  # at most so many bytes a write
        self.later = []  # what to do once all that has come is read
        self.timers = []  # (when, what to do)
        self.began_transactions()
        self.held = None  # writes are gathered while this is a bytearray
        self.wide = self.symbolic = self.full = False
        self.one_write = False
        self.doff = 2
        self.channel_shift = self.handle_shift = 0
        self.first_id = 0
        self.client_frame = 512
        self.client_channels = 65535
        self.client_idle = 0
        self.last_sent = time.monotonic()
        self.woken, self.waker = socket.socketpair()
        self.waker.setblocking(False)
        if isinstance(sock, websocket.WebSocket):
            sock.tell = self.checker.breach
        self.set_role(role_name)

    # --- roles

    def set_role(self, name):
        self.role_name = name
        self.role = self.roles[name].hooks

    def role_of(self, text):
        """The role that a hostname, container-id or address names, with or without a leading slash and arguments after another one."""
        name = (text or "").lstrip("/").split("/")[0] if isinstance(text, str) else ""
        return name if name in self.roles and name != "broker" else None

    def hook(self, stage, *arguments, link=None):
        """True where the role has done all there is to do."""
        function = (link.role.get(stage) if link is not None else None) or self.role.get(stage)
        return bool(function and function(self, *arguments))

    # --- bytes

    def wake(self):
        try:
            self.waker.send(b"x")
        except OSError:
            pass

    def raw(self, data):
        if self.held is not None:
            self.held += data
            return
        self.last_sent = time.monotonic()
        try:
            if self.chop:
                for at in range(0, len(data), self.chop):
                    self.sock.sendall(data[at:at + self.chop])
                    if self.chop == 1 and len(data) < 4096:
                        time.sleep(0.0002)
            else:
                self.sock.sendall(data)
        except OSError:
            raise Gone from None

    def hold(self):
        self.held = bytearray()

    def release(self):
        data, self.held = self.held, None
        if data:
            self.raw(bytes(data))

    def mute(self):
        """Reads on, and never answers again."""
        self.muted = True

    def sleep(self, seconds):
        """Reads nothing meanwhile: so the checker cannot know how old it is what comes then."""
        time.sleep(seconds)
        self.checker.excuse()

    def after(self, seconds, function):
        """Reads on meanwhile."""
        self.timers.append((time.monotonic() + seconds, function))

    def cut(self, reset=False):
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def fill(self):
        """Waits for bytes; does meanwhile what has to be done in time."""
        while True:
            limit = beat = None
            if self.client_idle and not self.muted and not self.closed:
                limit = beat = max(0.001, self.last_sent + self.client_idle / 2000 - time.monotonic())
            if self.timers:
                due = max(0, min(when for when, _ in self.timers) - time.monotonic())
                limit = due if limit is None else min(due, limit)
            try:
                ready, _, _ = select.select([self.sock, self.woken], [], [], limit)
            except (OSError, ValueError):
                raise Gone from None
            for one in [one for one in self.timers if one[0] <= time.monotonic()]:
                self.timers.remove(one)
                if not self.muted and not self.closed:
                    one[1]()
            if not ready:
                if beat is not None and beat <= limit:
                    self.raw(wire.frame(0, b""))
                continue
            if self.woken in ready:
                self.woken.recv(4096)
                self.pump_all()
            if self.sock in ready:
                try:
                    more = self.sock.recv(262144)
                except OSError:
                    raise Gone from None
                if more is None:  # a WebSocket: nothing for us yet
                    continue
                if not more:
                    raise Gone
                self.buffer += more
                return

    def read(self, size):
        while len(self.buffer) < size:
            self.fill()
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def body(self, name, fields):
        v = make(name, fields, full=self.full)
        return enc(wire.symbolic(v) if self.symbolic else v, self.wide)

    def send(self, performative, channel=0, payload=b"", kind=0, **fields):
        fields = {k.replace("_", "-"): v for k, v in fields.items()}
        self.checker.sent(performative, channel, fields)
        shown = {k: wire.plain(v) for k, v in fields.items() if v is not None}
        if performative not in ("transfer", "disposition") or self.settings.verbose:
            self.output.line(conn=self.number, sent=performative, channel=channel, **{k: v for k, v in shown.items() if k not in ("source", "target")})
        self.raw(wire.frame(channel, self.body(performative, fields) + payload, kind, self.doff))

    def own_channel(self, channel):
        return channel + self.channel_shift if channel + self.channel_shift <= self.client_channels else channel

    def own_handle(self, session, handle):
        return handle + self.handle_shift if handle + self.handle_shift <= session.handle_max else handle

    # --- from the socket to the end

    def run(self):
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.queues.lock:
            self.queues.peers.add(self)
        why = "closed by the client"
        try:
            web = isinstance(self.sock, websocket.WebSocket)
            if not (self.sock.awaited() if web else self.fill() is None):  # who says nothing (the starter, asking whether we are there) is no connection
                raise Gone
            self.number = self.output.next_number()
            self.output.line(conn=self.number, connected=True, role=self.role_name)
            self.hook("start")
            if web:
                self.upgrade()
            self.headers()
            if self.muted and not self.is_amqp:
                self.swallow()
            self.frames()
        except (Gone, websocket.Refused):
            pass
        except wire.Malformed as e:
            self.checker.breach(f"malformed: {e}")
            why = f"malformed: {e}"
        except OSError as e:
            why = str(e)
        finally:
            with self.queues.lock:
                self.queues.peers.discard(self)
            self.ending = True
            self.controller_gone(lambda link: True)
            for session in self.sessions.values():
                for _, (link, message) in sorted(session.unsettled.items(), reverse=True):
                    self.take_back(link, message)
            if self.number:
                self.output.line(conn=self.number, end=why, opened=self.checker.opened, closed=self.checker.closed,
                                 owed=self.checker.owed_texts(), breaches=len(self.checker.breaches),
                                 **({"websocket": {**self.sock.got, "close": self.sock.code if self.sock.close_got else None,
                                                   "pongs owed": len(self.sock.pings)}} if web else {}))
            for s in (self.sock, self.woken, self.waker):
                s.close()

    def upgrade(self):
        """A role that the path names: one of WebSocket's own leaves the role of the connection to be named."""
        def before(path):
            self.output.line(conn=self.number, upgrade=path)
            name = self.role_of(path.partition("?")[0])
            if name and name.startswith("ws-"):
                hooks = self.roles[name].hooks
                if "start" in hooks:
                    hooks["start"](self)
                self.role = {**self.role, **hooks}
            elif name and self.role_name == "broker":
                self.set_role(name)
                self.hook("start")

        self.sock.handshake(before)
        self.output.line(conn=self.number, upgraded=True)

    def swallow(self):
        while True:
            self.buffer.clear()
            self.fill()

    def headers(self):
        if self.muted:
            return
        header = self.read(8)
        self.output.line(conn=self.number, header=header.hex())
        if self.hook("header", header):
            return
        if header == SASL_HEADER:
            self.raw(SASL_HEADER)
            self.sasl()
            header = self.read(8)
            self.output.line(conn=self.number, header=header.hex())
            if self.hook("amqp-header", header):
                return
        elif header == AMQP_HEADER and self.settings.sasl_required:
            self.raw(SASL_HEADER)
            raise Gone
        if header != AMQP_HEADER:
            if header != b"AMQP\x02\x01\x00\x00":  # TLS may be asked for; there is none here
                self.checker.breach(f"protocol header {header.hex()}")
            self.raw(AMQP_HEADER)
            raise Gone
        self.raw(AMQP_HEADER)
        self.is_amqp = True

    def sasl(self):
        mechanisms = self.settings.mechanisms
        if not self.hook("mechanisms"):
            self.send("sasl-mechanisms", kind=1, sasl_server_mechanisms=mechanisms)
        while True:
            p, payload, _ = self.next(sasl=True)
            if p is None:
                continue
            self.checker.sasl(p, payload)
            shown = p.json()
            if p.name == "sasl-init":
                secret = p.get("initial-response", b"")
                shown["initial-response"] = "not shown" if secret else ""  # whatever comes may be a real password
            self.output.line(conn=self.number, got=p.name, **shown)
            if self.muted or self.hook("init", p):
                if self.checker.outcome == 0:
                    return
                continue
            good = True
            if p.name == "sasl-init" and p.get("mechanism") == "PLAIN":
                parts = p.get("initial-response", b"").split(b"\0")
                good = len(parts) == 3 and (parts[1].decode(), parts[2].decode()) in self.settings.users
            self.send("sasl-outcome", kind=1, code=0 if good else 1)
            if not good:
                raise Gone
            return

    def next(self, sasl=False):
        """(Performative or None for an empty frame, payload, channel)"""
        head = self.read(8)
        size, doff, kind, channel = struct.unpack(">IBBH", head)
        self.checker.frame_head(size, doff, kind, channel, sasl)
        if size < 8 or doff < 2 or doff * 4 > size or size > 2 ** 28:
            raise wire.Malformed(f"frame of size {size} with data offset {doff}")
        body = self.read(size - 8)[4 * doff - 8:]
        if not body:
            self.output.line(conn=self.number, got="empty")
            return None, b"", channel
        p, payload = wire.parse_frame_body(body)
        return p, payload, channel

    def frames(self):
        while True:
            p, payload, channel = self.next()
            if p is None:
                continue
            self.checker.performative(p, channel, payload)
            if p.name not in ("transfer", "disposition") or self.settings.verbose:
                self.output.line(conn=self.number, got=p.name, channel=channel, **p.json(), **({"payload": len(payload)} if payload else {}))
            if self.muted:
                continue
            if self.held is None and self.one_write:
                self.hold()
            getattr(self, "on_" + p.name.replace("-", "_"), lambda *_: None)(p, channel, payload)
            while self.later and not self.buffer:
                self.later.pop(0)()
            if self.held is not None and not self.buffer:
                self.release()

    # --- performatives

    def on_open(self, p, channel, _):
        for text in (p.get("hostname"), p.get("container-id")):
            name = self.role_of(text)
            if name and self.role_name == "broker":
                self.set_role(name)
                self.hook("start")
                break
        if self.muted:
            return
        self.client_frame = p.get("max-frame-size", MASK)
        self.client_channels = p.get("channel-max", 65535)
        self.client_idle = p.get("idle-time-out", 0)
        if not self.hook("open", p):
            self.answer_open()
            self.hook("opened", p)

    def answer_open(self, **more):
        s = self.settings
        fields = {"container_id": "amqpraw", "max_frame_size": s.max_frame_size, "channel_max": s.channel_max, "idle_time_out": s.idle_time_out or None}
        fields.update(more)
        self.send("open", **fields)

    def on_begin(self, p, channel, _):
        session = Session(self, p, channel)
        if "remote-channel" in p.fields:  # answers one of ours
            session.channel = p.get("remote-channel")
            self.sessions[channel] = session
            return
        self.sessions[channel] = session
        if not self.hook("begin", p, session):
            self.answer_begin(session)
            self.hook("begun", session, None)

    def answer_begin(self, session, **more):
        fields = {"remote_channel": session.client_channel, "next_outgoing_id": session.next_out, "incoming_window": session.window,
                  "outgoing_window": 2048, "handle_max": self.settings.handle_max}
        fields.update(more)
        self.send("begin", session.channel, **fields)

    def on_end(self, p, channel, _):
        session = self.sessions.pop(channel, None)
        if session is None:
            return
        self.controller_gone(lambda link: link.session is session)
        if self.hook("end", p, session):
            return
        for n in sorted(session.unsettled, reverse=True):
            self.leave(session, n)
        if not session.ended:
            self.send("end", session.channel)

    def on_close(self, p, channel, _):
        self.controller_gone(lambda link: True)
        if self.hook("close", p):
            return
        if not self.closed:
            self.closed = True
            self.send("close")
        if self.held is not None:
            self.release()
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            raise Gone from None
        self.mute()  # what comes now is a breach

    def close(self, condition=None, description=None, info=None):
        self.controller_gone(lambda link: True, "amqp:connection:forced")
        self.closed = True
        self.send("close", error=wire.error(condition, description, info) if condition else None)

    def end(self, session, condition=None, description=None):
        session.ended = True
        self.controller_gone(lambda link: link.session is session, ROLLBACK)
        self.send("end", session.channel, error=wire.error(condition, description) if condition else None)

    def detach(self, link, condition=None, description=None, info=None, closed=True):
        link.attached = False
        link.state["detached"] = True
        self.controller_gone(lambda one: one is link, condition or ROLLBACK)
        self.send("detach", link.session.channel, handle=link.own, closed=closed, error=wire.error(condition, description, info) if condition else None)

    def on_attach(self, p, channel, _):
        session = self.sessions.get(channel)
        if session is None:
            return
        link = Link(self, session, p)
        session.links[link.handle] = link
        if link.dynamic:
            self.queues.dynamic += 1
            link.address = f"dynamic-{self.queues.dynamic}"
        name = self.role_of(link.address)
        if name:
            link.role, link.role_name = self.roles[name].hooks, name
        if self.hook("attach", p, link, link=link):
            return
        if link.terminus is None or (link.address is None and link.terminus.name != "coordinator"):
            self.answer_attach(link, **{"source" if link.to_client else "target": None})
            self.detach(link, "amqp:invalid-field", "no address")
            return
        self.answer_attach(link)
        if not self.hook("attached", link, link=link) and not link.to_client:
            self.grant(link)
        if link.role and not self.role.get("begun"):
            self.hook("begun", session, link, link=link)

    def answer_attach(self, link, **more):
        fields = {"name": link.name, "handle": link.own, "role": not link.to_client, "snd_settle_mode": link.snd_mode, "rcv_settle_mode": link.rcv_mode,
                  "source": link.attach.fields.get("source"), "target": link.attach.fields.get("target"),
                  "initial_delivery_count": link.count if link.to_client else None,
                  "max_message_size": self.settings.max_message_size or None}
        if is_coordinator(link):
            fields["target"] = make("coordinator", {"capabilities": self.txn_capabilities})
        if link.dynamic:
            fields["source" if link.to_client else "target"] = make("source" if link.to_client else "target", {"address": link.address, "dynamic": True})
        fields.update({k.replace("-", "_"): v for k, v in more.items()})
        link.attached = True
        self.send("attach", link.session.channel, **fields)

    def session_fields(self, session):
        session.used = 0
        window = session.window if session.window_end is None else max(0, ahead(session.window_end, session.next_incoming))
        return {"next_incoming_id": session.next_incoming, "incoming_window": window, "next_outgoing_id": session.next_out, "outgoing_window": 2048}

    def grant(self, link, credit=None, **more):
        credit = self.settings.credit if credit is None else credit
        link.limit = (link.count + credit) & MASK
        self.send("flow", link.session.channel, **{**self.session_fields(link.session), "handle": link.own, "delivery_count": link.count,
                                                    "link_credit": credit, **more})

    def on_detach(self, p, channel, _):
        session = self.sessions.get(channel)
        link = session.links.pop(p.get("handle", 0), None) if session else None
        if link is not None:
            self.controller_gone(lambda one: one is link)
        if link is None or self.hook("detach", p, link, link=link):
            return
        for n in [n for n, (one, _) in session.unsettled.items() if one is link][::-1]:
            self.leave(session, n)
        if not link.state.get("detached"):
            self.send("detach", session.channel, handle=link.own, closed=p.get("closed") or None)

    # --- messages from the client

    def on_transfer(self, p, channel, payload):
        session = self.sessions.get(channel)
        if session is None:
            return
        session.next_incoming = (session.next_incoming + 1) & MASK
        session.used += 1
        link = session.links.get(p.get("handle", 0))
        if session.used * 2 > session.window and session.window_end is None:
            self.send("flow", session.channel, **self.session_fields(session))
        if link is None or link.to_client or link.state.get("detached"):
            return
        if link.partial is None:
            link.partial = {"id": p.get("delivery-id", 0), "data": bytearray(), "settled": False, "frames": 0, "tag": p.get("delivery-tag", b"")}
            if txn_of(p) is not None:
                link.partial["txn"] = self.transactions.get(txn_of(p))
                link.partial["txn-id"] = txn_of(p)
        delivery = link.partial
        delivery["data"] += payload
        delivery["frames"] += 1
        delivery["settled"] = delivery["settled"] or p.get("settled", False)
        if p.get("more") and not p.get("aborted"):
            return
        link.partial = None
        link.count = (link.count + 1) & MASK
        if p.get("aborted"):
            self.output.line(conn=self.number, aborted=delivery["id"], address=link.address)
        else:
            self.delivered(link, delivery)
        if link.credit * 2 <= self.settings.credit and link.attached and not (link.role or self.role).get("credit"):
            self.grant(link)

    def delivered(self, link, delivery):
        delivery["data"] = bytes(delivery["data"])
        shown = {"delivery": delivery["id"], "tag": delivery["tag"].hex(), "settled": delivery["settled"], "frames": delivery["frames"],
                 "size": len(delivery["data"])}
        if "txn" in delivery:
            shown["transaction"] = delivery["txn-id"].hex()
        if len(delivery["data"]) <= self.settings.show and not self.settings.quiet:
            try:
                shown["sections"] = [[wire.SECTIONS[code], wire.typed(body)] for code, body in wire.sections(delivery["data"])]
            except wire.Malformed as e:
                shown["malformed"] = str(e)
        if not self.settings.quiet:
            self.output.line(conn=self.number, message=link.address if not is_coordinator(link) else "coordinator", **shown)
        if is_coordinator(link):
            self.controlled(link, delivery)
            return
        if "txn" in delivery:
            self.post(link, delivery)
            return
        if self.hook("transfer", link, delivery, link=link):
            return
        self.queues.put(link.address, delivery["data"])
        if not delivery["settled"]:
            self.settle(link, delivery["id"])

    def settle(self, link, first, last=None, state="accepted", settled=True, plain=False, **fields):
        """What is in a transaction gets its state as that of the transaction, unless plain."""
        if not plain and link.session.posted and 0 <= ahead(first if last is None else last, first) < 10 ** 6:
            numbers = list(ids(first, first if last is None else last))
            if any(n in link.session.posted for n in numbers):
                while numbers:
                    txn = link.session.posted.get(numbers[0])
                    size = next((at for at, n in enumerate(numbers) if link.session.posted.get(n) is not txn), len(numbers))
                    run, numbers = numbers[:size], numbers[size:]
                    end = run[-1] if size > 1 else None
                    if txn is not None and not txn.over and state != "transactional-state":
                        self.presume(txn, link, run[0], run[-1], state, settled, fields)
                    else:
                        self.settle(link, run[0], end, state, settled, True, **fields)
                return
        self.send("disposition", link.session.channel, role=True, first=first, last=last, settled=settled or None,
                  state=make(state, fields) if state else None)

    # --- messages to the client

    def on_flow(self, p, channel, _):
        session = self.sessions.get(channel)
        if session is None or self.hook("flow", p, session):
            return
        base = p.get("next-incoming-id", session.first_out)
        session.limit = (base + p.get("incoming-window", 0)) & MASK
        self.flush(session)
        link = session.links.get(p.get("handle")) if "handle" in p.fields else None
        if link is not None and link.to_client and link.attached and not self.acquires(p, link):
            return
        if link is not None and link.to_client and "link-credit" in p.fields:
            link.limit = (p.get("delivery-count", link.first) + p.get("link-credit")) & MASK
            link.drain = p.get("drain", False)
            if not self.hook("credit", p, link, link=link):
                self.pump(link)
        if link is not None and not link.to_client and link.partial is None and "delivery-count" in p.fields:
            link.count = p.get("delivery-count")  # a sender that drains has moved on
        if p.get("echo"):
            more = {"handle": link.own, "delivery_count": link.count, "link_credit": link.credit} if link is not None else {}
            self.send("flow", session.channel, **self.session_fields(session), **more)

    def next_message(self, link):
        parts = (link.address or "").lstrip("/").split("/")
        if parts[0] == "settled":
            parts = parts[1:]
        if parts[0] == "numbered":  # numbered/COUNT/SIZE
            count = int(parts[1]) if len(parts) > 1 else 10
            size = int(parts[2]) if len(parts) > 2 else 0
            if link.number >= count:
                return None
            link.number += 1
            text = str(link.number - 1)
            return wire.message(text + " " * (size - len(text)), properties={"message_id": T("ulong", link.number - 1)})
        if parts[0] == "types":
            if link.number:
                return None
            link.number = 1
            return wire.message(wire.every_type(), application_properties={"answer": T("int", 42)})
        return self.queues.get(link.address)

    def take_back(self, link, message):
        if message and (link.address or "").lstrip("/").split("/")[0] not in ("numbered", "settled", "types"):
            self.queues.put(link.address, message, front=True)

    def pump_all(self):
        if self.muted or self.closed:
            return
        for session in self.sessions.values():
            for link in list(session.links.values()):
                if link.to_client and link.attached and link.credit and not (link.role.get("credit") or self.role.get("credit")):
                    self.pump(link)

    def pump(self, link):
        while link.credit and not link.session.outbox:
            message = self.next_message(link)
            if message is None:
                break
            self.deliver(link, message)
        if link.drain and link.credit and not link.session.outbox:
            link.count = link.limit
            self.send("flow", link.session.channel, **self.session_fields(link.session), handle=link.own, delivery_count=link.count, link_credit=0, drain=True)

    def deliver(self, link, message, settled=None, piece=None, count=True):
        """One delivery in as many transfers as the client's max-frame-size asks for."""
        session = link.session
        if settled is None:
            settled = link.snd_mode == 1 or (link.address or "").lstrip("/").startswith("settled/")
        n = session.next_delivery
        session.next_delivery = (n + 1) & MASK
        if count:
            link.count = (link.count + 1) & MASK
        if not settled:
            session.unsettled[n] = (link, message)
        state = None
        if link.txn is not None:
            state = make("transactional-state", {"txn-id": link.txn.id})
            session.acquired[n] = link.txn
            link.txn.acquired.append((session, n, link, message, settled))
        room = min(self.client_frame, 2 ** 20) - 8 - 4 * (self.doff - 2) - (120 if self.wide or self.symbolic else 60)
        room = min(room, piece) if piece else room
        at = 0
        while True:
            part = message[at:at + room]
            more = at + room < len(message)
            first = {"delivery_id": n, "delivery_tag": struct.pack(">I", n), "message_format": 0} if at == 0 else {}
            session.outbox.append(({"handle": link.own, **first, "settled": settled or None, "more": more or None, "state": state}, part))
            at += room
            if not more:
                break
        self.flush(session)
        return n

    def flush(self, session):
        while session.outbox and ahead(session.limit, session.next_out) > 0:
            fields, part = session.outbox.popleft()
            self.transfer(session, part, **fields)
        if not session.outbox:
            for link in list(session.links.values()):
                if link.state.pop("blocked", False):
                    self.pump(link)
        else:
            for link in session.links.values():
                if link.to_client:
                    link.state["blocked"] = True

    def transfer(self, session, payload, **fields):
        session.next_out = (session.next_out + 1) & MASK
        self.send("transfer", session.channel, payload, **fields)

    def on_disposition(self, p, channel, _):
        session = self.sessions.get(channel)
        if session is None:
            return
        state = p.inner("state")
        first, last = p.get("first", 0), p.get("last", p.get("first", 0))
        if not self.settings.quiet:
            self.output.line(conn=self.number, disposition=[first, last], role=p.get("role"), settled=p.get("settled", False),
                             state=state.name if state else None, fields=state.json() if state else None)
        if self.hook("disposition", p, session) or not p.get("role"):
            return
        if state is not None and state.name == "transactional-state":
            if ahead(last, first) < 10 ** 6:
                self.retire(p, session, state)
            return
        found = [n for n in ids(first, last)] if ahead(last, first) < 10 ** 6 else []
        again = []
        for n in found:
            link, message = session.unsettled.get(n, (None, None))
            if link is None or self.unretire(session, n, p.get("settled", False), state):
                continue
            if p.get("settled") or link.rcv_mode == 1:
                del session.unsettled[n]
                if state is not None and state.name in ("released", "modified") and not (state.name == "modified" and state.get("undeliverable-here")):
                    again.append((link, message))
                if not p.get("settled"):
                    self.send("disposition", session.channel, role=False, first=n, settled=True, state=p.fields.get("state"))
        for link, message in reversed(again):
            self.take_back(link, message)


class Settings:
    """From the environment."""

    def __init__(self):
        def number(name, default):
            return int(os.environ.get(name, default))
        user, password = os.environ.get("TEST_USER", "qconntest"), os.environ.get("TEST_PASS", "Passw0rd-1")
        self.users = {(user, password), ("alice", "secret")}
        self.mechanisms = [m.upper() for m in os.environ.get("AMQP_SASL", "anonymous,plain,external").split(",") if m != "none"]
        self.sasl_required = "none" not in os.environ.get("AMQP_SASL", "none").split(",")
        self.max_frame_size = number("AMQP_MAX_FRAME_SIZE", 65536)
        self.channel_max = number("AMQP_CHANNEL_MAX", 255)
        self.handle_max = number("AMQP_HANDLE_MAX", 255)
        self.idle_time_out = number("AMQP_IDLE_TIMEOUT", 0)
        self.window = number("AMQP_WINDOW", 2048)
        self.credit = number("AMQP_CREDIT", 100)
        self.max_message_size = number("AMQP_MAX_MESSAGE_SIZE", 0)
        self.show = number("AMQP_SHOW", 65536)
        self.ws_port = number("AMQP_WS_PORT", 0)
        self.ws_tls_port = number("AMQP_WS_TLS_PORT", 0)
        self.tls = os.environ.get("TLS_DIR")
        self.txn_timeout = number("AMQP_TXN_TIMEOUT", 0)
        self.verbose = os.environ.get("AMQP_VERBOSE") == "1"
        self.quiet = os.environ.get("AMQP_QUIET") == "1"


def sections_of(data):
    try:
        return [[wire.SECTIONS[code], wire.typed(body)] for code, body in wire.sections(data)]
    except wire.Malformed as e:
        return [["malformed", str(e)]]


def listen(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(100)
    return listener


def serve(port, control_port, default_role, roles):
    settings, queues, output = Settings(), Queues(), Output()
    state = {"role": default_role}

    def control():
        """One command a connection, a line: see amqpraw.sh."""
        listener = listen(control_port)
        while True:
            sock, _ = listener.accept()
            with sock:
                sock.settimeout(5)
                try:
                    command, _, argument = sock.makefile().readline().strip().partition(" ")
                    answer = "ok\n"
                    if command == "role" and argument in roles:
                        state["role"] = argument
                    elif command == "breaches":
                        with output.lock:
                            answer = "".join(json.dumps(b) + "\n" for b in output.breaches)
                    elif command == "log":
                        with output.lock:
                            answer = "".join(json.dumps(line, default=repr) + "\n" for line in output.lines)
                    elif command == "clear":
                        with output.lock:
                            output.lines.clear()
                            output.breaches.clear()
                        with queues.lock:
                            queues.messages.clear()
                    elif command == "queue":
                        answer = "".join(json.dumps({"sections": sections_of(data)}, default=repr) + "\n" for data in queues.all(argument))
                    elif command == "queues":
                        with queues.lock:
                            answer = "".join(json.dumps({"queue": name, "messages": len(q)}) + "\n" for name, q in queues.messages.items() if q)
                    elif command == "transactions":
                        with queues.lock:
                            answer = "".join(json.dumps({"conn": peer.number, "transaction": txn.id.hex(), "posted": len(txn.posts),
                                                         "retired": len(txn.retired), "over": txn.over}) + "\n"
                                             for peer in queues.peers for txn in list(peer.transactions.values()))
                    elif command == "roles":
                        answer = "".join(f"{name}\t{'legal' if r.legal else 'breach'}\t{r.doc}\n" for name, r in roles.items())
                    elif command == "connections":
                        with queues.lock:
                            answer = f"{len(queues.peers)}\n"
                    else:
                        answer = f"unknown: {command} {argument}\n"
                    sock.sendall(answer.encode())
                except OSError:
                    pass

    def accept(port, wrap):
        listener = listen(port)
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=talk, args=(sock, wrap), daemon=True).start()

    def talk(sock, wrap):
        try:
            sock = wrap(sock)
        except OSError:  # no TLS
            sock.close()
            return
        Peer(sock, settings, queues, output, state["role"], roles).run()

    if settings.ws_port:
        threading.Thread(target=accept, args=(settings.ws_port, websocket.WebSocket), daemon=True).start()
    if settings.ws_tls_port:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(f"{settings.tls}/server.crt", f"{settings.tls}/server.key")
        threading.Thread(target=accept, args=(settings.ws_tls_port, lambda sock: websocket.WebSocket(context.wrap_socket(sock, server_side=True))), daemon=True).start()
    if control_port:
        threading.Thread(target=control, daemon=True).start()
    accept(port, lambda sock: sock)


def probe(port, mechanism, user, password):
    """True where a server on the port opens a connection and begins a session."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as sock:
            sock.settimeout(10)
            response = b"\0" + user.encode() + b"\0" + password.encode() if mechanism == "PLAIN" else user.encode()
            sock.sendall(SASL_HEADER)
            sock.sendall(wire.frame(0, enc(make("sasl-init", {"mechanism": mechanism, "initial-response": response})), 1))
            stream = sock.makefile("rb")

            def frame():
                size, doff, _, _ = struct.unpack(">IBBH", stream.read(8))
                return wire.parse_frame_body(stream.read(size - 8)[4 * doff - 8:])[0]

            if stream.read(8) != SASL_HEADER or frame().name != "sasl-mechanisms" or frame().get("code") != 0:
                return False
            sock.sendall(AMQP_HEADER)
            if stream.read(8) != AMQP_HEADER:
                return False
            sock.sendall(wire.frame(0, enc(make("open", {"container-id": "probe", "hostname": "localhost"}))))
            begin = {"next-outgoing-id": 0, "incoming-window": 1, "outgoing-window": 1}
            sock.sendall(wire.frame(0, enc(make("begin", begin))))
            good = frame().name == "open" and frame().name == "begin"
            sock.sendall(wire.frame(0, enc(make("close"))))
            return good and frame().name == "close"  # RabbitMQ answers it, and leaves it to the client to close the socket
    except (OSError, struct.error, wire.Malformed) as e:
        print(e, file=sys.stderr)
        return False
