# SPDX-License-Identifier: Apache-2.0
"""protonpeer.py PORT TLS_PORT TLSDIR: see proton.sh. Not proton.py, which is the module's own name."""
import collections
import json
import os
import sys
import uuid

from proton import (UNDESCRIBED, Array, Condition, Data, Delivery, Described, Handler, Link, Message, SSLDomain, byte, char, decimal32, decimal64, decimal128, float32, int32,
                    short, symbol, timestamp, ubyte, uint, ulong, ushort)
from proton.reactor import Container

TYPES = {type(None): "null", bool: "boolean", ubyte: "ubyte", ushort: "ushort", uint: "uint", ulong: "ulong", byte: "byte", short: "short", int32: "int", int: "long",
         float32: "float", float: "double", decimal32: "decimal32", decimal64: "decimal64", decimal128: "decimal128", char: "char", timestamp: "timestamp",
         uuid.UUID: "uuid", bytes: "binary", memoryview: "binary", str: "string", symbol: "symbol", list: "list", dict: "map"}
OF_ARRAY = {Data.NULL: "null", Data.BOOL: "boolean", Data.UBYTE: "ubyte", Data.BYTE: "byte", Data.USHORT: "ushort", Data.SHORT: "short", Data.UINT: "uint",
            Data.INT: "int", Data.CHAR: "char", Data.ULONG: "ulong", Data.LONG: "long", Data.TIMESTAMP: "timestamp", Data.FLOAT: "float", Data.DOUBLE: "double",
            Data.DECIMAL32: "decimal32", Data.DECIMAL64: "decimal64", Data.DECIMAL128: "decimal128", Data.UUID: "uuid", Data.BINARY: "binary",
            Data.STRING: "string", Data.SYMBOL: "symbol", Data.LIST: "list", Data.MAP: "map", Data.ARRAY: "array"}


def typed(v):
    if isinstance(v, Described):
        return ["described", typed(v.descriptor), typed(v.value)]
    if isinstance(v, Array):
        return ["array", OF_ARRAY.get(v.type, str(v.type)), [typed(e) for e in v.elements]]
    name = TYPES.get(type(v))
    if name is None:
        name = next((n for t, n in TYPES.items() if isinstance(v, t)), type(v).__name__)
    if name == "list":
        return [name, [typed(e) for e in v]]
    if name == "map":
        return [name, [[typed(k), typed(e)] for k, e in v.items()]]
    if name in ("binary", "decimal128"):
        return [name, bytes(v).hex()]
    if name == "char":
        return [name, ord(v)]
    if name in ("decimal32", "decimal64"):
        return [name, f"{int(v) & (2 ** (4 * (8 if name == 'decimal32' else 16)) - 1):0{8 if name == 'decimal32' else 16}x}"]
    return [name, str(v) if name in ("uuid", "symbol") else v]


def every_type():
    made = {"null": None, "true": True, "false": False}
    for kind, bits in ((byte, 8), (short, 16), (int32, 32), (int, 64)):
        for n in (-2 ** (bits - 1), -1, 0, 2 ** (bits - 1) - 1):
            made[f"{TYPES[kind]} {n}"] = kind(n)
    for kind, bits in ((ubyte, 8), (ushort, 16), (uint, 32), (ulong, 64)):
        for n in (0, 1, 2 ** (bits - 1), 2 ** bits - 1):
            made[f"{TYPES[kind]} {n}"] = kind(n)
    made.update({
        "float": float32(1.5), "double": -2.25, "char": char("\U0001F600"), "timestamp": timestamp(1700000000123), "timestamp before 1970": timestamp(-1),
        "uuid": uuid.UUID(bytes=bytes(range(16))), "decimal32": decimal32(0x22500001), "decimal64": decimal64(0x2234000000000001),
        "decimal128": decimal128(b"\x22\x08" + b"\0" * 13 + b"\x01"), "binary": b"\x00\xff", "binary empty": b"", "binary long": b"x" * 300,
        "string": "h\u00e9llo \u65e5\u672c", "string empty": "", "string long": "y" * 300, "symbol": symbol("amqp:sym"),
        "list": [True, int32(1), "two", [None]], "list empty": [], "map": {"a": int32(1), symbol("b"): [ubyte(2)]}, "map empty": {},
        "array of ints": Array(UNDESCRIBED, Data.INT, -1, 0, 1), "array of strings": Array(UNDESCRIBED, Data.STRING, "a", "b"),
        "array of symbols": Array(UNDESCRIBED, Data.SYMBOL, symbol("a"), symbol("b")), "array empty": Array(UNDESCRIBED, Data.INT),
        "array described": Array(symbol("example:kind"), Data.STRING, "a"),
        "described by symbol": Described(symbol("example:thing"), ["x"]), "described by number": Described(ulong(0x1234567800000001), "y"),
    })
    return made


def say(event, **what):
    print(json.dumps({"event": event, **what}, default=str), flush=True)


def number(name, default=None):
    return int(os.environ[name]) if name in os.environ else default


def bare(address):
    return (address or "").lstrip("/")


def parts(address):
    return bare(address).split("/")


def plain_terminus(t):
    return {"address": t.address, "durability": t.durability, "expiry_policy": t.expiry_policy, "timeout": t.timeout, "dynamic": t.dynamic,
            "distribution_mode": t.distribution_mode, "capabilities": items(t.capabilities), "properties": items(t.properties), "filter": items(t.filter)}


def items(data):
    found = []
    data.rewind()
    while data.next():
        found.append(typed(data.get_object()))
    return found


def condition(c):
    return {"condition": str(c.name), "description": c.description, "info": typed(c.info) if c.info else None} if c else None


class Peer(Handler):
    def __init__(self, port, tls_port, tls):
        super().__init__()
        self.port, self.tls_port, self.tls = port, tls_port, tls
        self.modes = os.environ.get("AMQP_SASL", "anonymous,external,none").split(",")
        self.credit = number("AMQP_CREDIT", 100)
        self.queues = collections.defaultdict(collections.deque)
        self.senders = set()
        self.dynamic = 0

    # --- connections

    def on_reactor_init(self, event):
        domain = SSLDomain(SSLDomain.MODE_SERVER)
        name = os.environ.get("AMQP_CERT", "server")
        domain.set_credentials(f"{self.tls}/{name}.crt", f"{self.tls}/{'self' if name == 'self' else 'server'}.key", None)
        domain.set_trusted_ca_db(f"{self.tls}/ca.crt")
        if os.environ.get("AMQP_CLIENT_CERT") == "1":
            domain.set_peer_authentication(SSLDomain.VERIFY_PEER, f"{self.tls}/ca.crt")
        event.container.listen(f"amqp://127.0.0.1:{self.port}")
        event.container.listen(f"amqps://127.0.0.1:{self.tls_port}", ssl_domain=domain)

    def on_connection_bound(self, event):
        transport = event.transport
        transport.require_auth("none" not in self.modes)
        transport.sasl().allowed_mechs(" ".join(m.upper() for m in self.modes if m != "none") or "ANONYMOUS")
        if number("AMQP_MAX_FRAME_SIZE"):
            transport.max_frame_size = number("AMQP_MAX_FRAME_SIZE")
        if number("AMQP_CHANNEL_MAX") is not None:
            transport.channel_max = number("AMQP_CHANNEL_MAX")
        if number("AMQP_IDLE_TIMEOUT"):
            transport.idle_timeout = number("AMQP_IDLE_TIMEOUT") / 1000

    def on_connection_remote_open(self, event):
        c, t = event.connection, event.transport
        say("open", container_id=c.remote_container, hostname=c.remote_hostname, user=t.user, mechanism=t.sasl().mech, encrypted=t.encrypted,
            max_frame_size=t.remote_max_frame_size, channel_max=t.remote_channel_max, idle_time_out=t.remote_idle_timeout,
            properties=typed(c.remote_properties) if c.remote_properties else None)
        c.container = "proton"
        c.open()

    def on_connection_remote_close(self, event):
        say("close", error=condition(event.connection.remote_condition))
        self.lose(lambda link: link.connection == event.connection)
        event.connection.close()

    def on_transport_error(self, event):
        say("transport_error", error=condition(event.transport.condition))

    def on_transport_closed(self, event):
        connection = event.connection
        if connection is not None:
            self.lose(lambda link: link.connection == connection)
        say("disconnected")

    def on_session_remote_open(self, event):
        event.session.open()

    def on_session_remote_close(self, event):
        say("end", error=condition(event.session.remote_condition))
        self.lose(lambda link: link.session == event.session)
        event.session.close()

    # --- links

    def on_link_remote_open(self, event):
        link = event.link
        end = link.remote_source if link.is_sender else link.remote_target
        address = end.address
        if end.dynamic:
            self.dynamic += 1
            address = f"dynamic-{self.dynamic}"
        say("attach", role="receiver" if link.is_sender else "sender", name=link.name, address=address, snd_settle_mode=int(link.remote_snd_settle_mode),
            rcv_settle_mode=int(link.remote_rcv_settle_mode), max_message_size=link.remote_max_message_size, source=plain_terminus(link.remote_source),
            target=plain_terminus(link.remote_target), properties=typed(link.remote_properties) if link.remote_properties else None)
        if parts(address)[0] == "refused" or address is None:
            link.open()
            link.condition = Condition("amqp:not-found", "there is no such node") if address else Condition("amqp:invalid-field", "no address")
            link.close()
            return
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        (link.source if link.is_sender else link.target).address = address
        link.snd_settle_mode = Link.SND_SETTLED if link.is_sender and parts(address)[0] == "settled" else link.remote_snd_settle_mode
        link.rcv_settle_mode = Link.RCV_SECOND if parts(address)[0] == "second" else link.remote_rcv_settle_mode
        link.address = address
        link.number = 0
        link.waiting = collections.OrderedDict()
        link.open()
        if link.is_sender:
            self.senders.add(link)
        else:
            link.flow(self.credit)

    def gone(self, link):
        self.senders.discard(link)
        if getattr(link, "waiting", None) and parts(link.address)[0] not in ("numbered", "large", "types", "settled"):
            for message in reversed(link.waiting.values()):
                self.queues[bare(link.address)].appendleft(message)
            link.waiting.clear()
            self.pump_all(link.address)

    def lose(self, which):
        for link in [one for one in self.senders if which(one)]:
            self.gone(link)

    def on_link_remote_close(self, event):
        say("detach", address=getattr(event.link, "address", None), closed=True, error=condition(event.link.remote_condition))
        self.gone(event.link)
        event.link.close()

    def on_link_remote_detach(self, event):
        say("detach", address=getattr(event.link, "address", None), closed=False, error=condition(event.link.remote_condition))
        self.gone(event.link)
        event.link.detach()

    # --- to receivers

    def on_link_flow(self, event):
        if event.link.is_sender and event.link in self.senders:
            self.pump(event.link)

    def next(self, link):
        kind, *rest = parts(link.address)
        if kind == "settled":
            kind, *rest = rest or [""]
        n = link.number
        if kind in ("numbered", "large", "types"):
            count = int(rest[-1]) if kind == "numbered" and rest else int(rest[1]) if kind == "large" and len(rest) > 1 else 10 if kind == "numbered" else 1
            if n >= count:
                return None
            link.number += 1
            if kind == "types":
                return Message(body=every_type(), properties={"answer": int32(42)}, id=ulong(1))
            return Message(body=str(n), id=ulong(n)) if kind == "numbered" else Message(body=bytes([97 + n % 26]) * int(rest[0]), id=ulong(n), inferred=True)
        queue = self.queues[bare(link.address)]
        return queue.popleft() if queue else None

    def pump(self, link):
        while link.credit > 0:
            message = self.next(link)
            if message is None:
                break
            if isinstance(message, bytes):  # as it came
                delivery = link.delivery(link.delivery_tag())
                link.stream(message)
                link.advance()
                if link.snd_settle_mode == Link.SND_SETTLED:
                    delivery.settle()
            else:
                delivery = link.send(message)
            if link.snd_settle_mode != Link.SND_SETTLED:
                link.waiting[delivery.tag] = message
        if link.drain_mode and link.credit > 0:
            link.drained()

    def pump_all(self, address):
        for link in list(self.senders):
            if bare(link.address) == bare(address):
                self.pump(link)

    def put(self, address, message, front=False):
        (self.queues[bare(address)].appendleft if front else self.queues[bare(address)].append)(message)
        self.pump_all(address)

    # --- from senders

    def on_delivery(self, event):
        delivery, link = event.delivery, event.link
        if link.is_sender:
            if delivery.updated:
                self.outcome(link, delivery)
            return
        if delivery.aborted:
            say("aborted", address=link.address)
            delivery.settle()
            link.flow(1)
            return
        if delivery.readable and not delivery.partial:
            data = link.recv(delivery.pending) or b""
            link.advance()
            self.received(link, delivery, data)
            if link.state & Link.LOCAL_ACTIVE:
                link.flow(1)
        elif delivery.updated and delivery.settled:
            say("outcome", outcome="settled", address=link.address)
            delivery.settle()

    def received(self, link, delivery, data):
        shown = {"address": link.address, "tag": str(delivery.tag), "settled": delivery.settled, "size": len(data)}
        message = Message()
        try:
            message.decode(data)
        except Exception as e:  # whatever Proton says of it
            say("message", malformed=str(e), **shown)
            message = None
        if message is not None:
            names = ("id", "user_id", "address", "subject", "reply_to", "correlation_id", "content_type", "content_encoding", "expiry_time", "creation_time", "group_id",
                     "group_sequence", "reply_to_group_id", "durable", "priority", "ttl", "first_acquirer", "delivery_count")
            fields = {name: v for name in names if (v := getattr(message, name)) not in (None, "", 0, b"", False, symbol("None"))}  # its name for no symbol
            for name, v in fields.items():
                if type(v) not in (bool, int, float, str):
                    fields[name] = typed(v)
            say("message", **shown, **fields, inferred=message.inferred, application_properties=typed(message.properties) if message.properties else None,
                message_annotations=typed(message.annotations) if message.annotations else None,
                delivery_annotations=typed(message.instructions) if message.instructions else None,
                body=typed(message.body) if len(data) <= 65536 else "...")
        kind = parts(link.address)[0]
        if kind == "reject":
            delivery.local.condition = Condition("example:bad-message", "the message does not please", {symbol("field"): "subject"})
            delivery.update(Delivery.REJECTED)
        elif kind == "release":
            delivery.update(Delivery.RELEASED)
        elif kind == "modify":
            delivery.local.failed = True
            delivery.local.undeliverable = True
            delivery.local.annotations = {symbol("x-opt-why"): "busy"}
            delivery.update(Delivery.MODIFIED)
        elif kind == "silent":
            return
        elif kind == "second":
            delivery.update(Delivery.ACCEPTED)
            return
        else:
            self.put(link.address, data)
            delivery.update(Delivery.ACCEPTED)
        delivery.settle()

    def outcome(self, link, delivery):
        remote = delivery.remote
        state = {Delivery.ACCEPTED: "accepted", Delivery.REJECTED: "rejected", Delivery.RELEASED: "released", Delivery.MODIFIED: "modified",
                 Delivery.RECEIVED: "received"}.get(delivery.remote_state, int(delivery.remote_state))
        what = {}
        if state == "rejected":
            what = condition(remote.condition) or {}
        elif state == "modified":
            what = {"failed": remote.failed, "undeliverable": remote.undeliverable, "annotations": typed(remote.annotations) if remote.annotations else None}
        say("outcome", outcome=state, address=getattr(link, "address", None), tag=str(delivery.tag), settled=delivery.settled, **what)
        if delivery.settled or state in ("accepted", "rejected", "released", "modified"):
            message = link.waiting.pop(delivery.tag, None)
            if message is not None and (state == "released" or (state == "modified" and not remote.undeliverable)):
                self.put(link.address, message, front=True)
            delivery.settle()


try:
    Container(Peer(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])).run()
except KeyboardInterrupt:
    pass
