# SPDX-License-Identifier: Apache-2.0
"""A strict reader of what an AMQP 1.0 client sends: it knows what the server has said so far and tells each breach of the specification.

It judges the client alone. A server that breaks the rules changes nothing: what it says without sense is passed over, and what the client could not
yet have read is never held against it (limits only grow here; a reduced credit may cross with transfers)."""
import time

from . import wire

HALF = 2 ** 31
MASK = 2 ** 32 - 1


def ahead(a, b):
    """a - b in serial numbers of 32 bits."""
    d = (a - b) & MASK
    return d - 2 ** 32 if d >= HALF else d


class Transaction:
    def __init__(self, session, link):
        self.session, self.link = session, link
        self.state = "open"  # "discharged"; "left": the client has ended its control link; "over": the server has rolled it back, and the client may not know


def state_of(v):
    """The Performative of a state that the server sends."""
    try:
        return wire.Performative(wire.Reader(wire.enc(v)).value()) if v is not None else None
    except (wire.Malformed, AttributeError):
        return None


class Link:
    def __init__(self, fields):
        self.name = fields.get("name", "")
        self.handle = fields.get("handle", 0)
        self.is_receiver = fields.get("role", False)  # the client's role
        self.snd_mode = fields.get("snd-settle-mode", 2)
        self.count = fields.get("initial-delivery-count", 0)
        self.limit = self.count  # deliveries may be begun while count is below
        self.drain = False
        self.answered = False  # the server's attach has gone out
        self.max_size = 0
        self.partial = None  # [delivery-id, payload so far, settled, message-format, txn-id]
        self.coordinator = False
        self.capabilities = []  # of the coordinator
        self.tags = {}  # unsettled: delivery-id -> tag
        self.server_count = None  # delivery-count of the server as a sender
        self.failed = False  # the server has detached


class Session:
    def __init__(self, fields):
        self.next_out = fields.get("next-outgoing-id", 0)
        self.first_out = self.next_out
        self.limit = None  # transfers may go while next_out is below; known with the server's begin
        self.next_delivery = None
        self.handle_max = MASK
        self.links = {}  # by the client's handle
        self.server_links = {}  # by the server's handle
        self.server_next = None  # the server's next-outgoing-id
        self.server_unsettled = {}  # delivery-id -> settled by the client
        self.server_last = None  # last delivery-id that the server has sent
        self.unsettled = {}  # delivery-id of the client -> Link
        self.acquired = {}  # delivery-id of the server -> txn-id that it was sent in
        self.declaring = set()  # delivery-ids of declares that have no answer
        self.begun_at = None
        self.seen_incoming = False
        self.ended_by_server = False


class Checker:
    def __init__(self, breach):
        self.tell = breach
        self.breaches = []
        self.max_frame = 512  # until the server's open
        self.channel_max = 65535
        self.opened = self.closed = False
        self.server_closed = False
        self.idle = 0
        self.last = time.monotonic()
        self.sessions = {}  # by the client's channel
        self.server_channels = {}
        self.offered = None
        self.challenges = 0
        self.init = False
        self.outcome = None
        self.transactions = {}  # txn-id -> Transaction
        self.owed = {}  # what the client must still answer: text -> since when

    def breach(self, text):
        self.breaches.append(text)
        self.tell(text)

    def excuse(self):
        self.last = time.monotonic()
        for session in self.sessions.values():
            session.begun_at = session.begun_at and self.last
        self.owed = dict.fromkeys(self.owed, self.last)

    def owes(self, *what):
        self.owed.setdefault(what, time.monotonic())

    def owed_texts(self):
        return [" ".join(map(str, what)) for what in self.owed]

    # --- what the client sent

    def quiet(self):
        """Called with everything that comes: how long the client was silent."""
        now = time.monotonic()
        if self.idle and self.opened and not self.closed and now - self.last > self.idle / 1000 + 0.1:
            self.breach(f"silent for {now - self.last:.2f} s; the server's idle-time-out is {self.idle} ms")
        self.last = now

    def frame_head(self, size, doff, kind, channel, sasl):
        self.quiet()
        if size < 8 or doff < 2 or doff * 4 > size:
            self.breach(f"a frame of size {size} with data offset {doff}")
        if kind != (1 if sasl else 0):
            self.breach(f"a frame of type {kind} in the {'SASL' if sasl else 'AMQP'} layer")
        limit = 512 if sasl else self.max_frame
        if size > limit:
            self.breach(f"a frame of {size} bytes; the server takes {limit}" + ("" if sasl or self.max_frame != 512 else " (before its open: 512)"))
        if not sasl and channel > self.channel_max:
            self.breach(f"channel {channel}; the server's channel-max is {self.channel_max}")

    def performative(self, p, channel, payload):
        for problem in p.problems:
            self.breach(problem)
        if payload and p.name != "transfer":
            self.breach(f"{len(payload)} bytes after {p.name}")
        if self.closed:
            self.breach(f"{p.name} after close")
        if p.code >= 0x40 or p.code < 0x10 or p.code > 0x18:
            return self.breach(f"{p.name} is no performative of the AMQP layer")
        if p.name == "open":
            if self.opened:
                self.breach("a second open")
            if channel:
                self.breach(f"open on channel {channel}")
            if p.get("max-frame-size", 512) < 512:
                self.breach(f"max-frame-size {p.get('max-frame-size')} is below 512")
            self.opened = True
            return None
        if not self.opened:
            self.breach(f"{p.name} before open")
        if p.name == "close":
            self.closed = True
            for what, since in self.owed.items():
                if what[0] == "flow" and time.monotonic() - since > 0.5 and not self.server_closed:
                    self.breach(f"the echo that a flow on channel {what[1]} has asked for never came")
            self.owed.clear()
            return None
        if p.name == "begin":
            if channel in self.sessions:
                self.breach(f"begin on channel {channel}, which has a session")
            if "remote-channel" in p.fields:
                if self.server_channels.get(p.get("remote-channel"), "") is not None:
                    self.breach(f"begin answers channel {p.get('remote-channel')}, on which the server has begun nothing")
            self.sessions[channel] = Session({k: v.value for k, v in p.fields.items()})
            return None
        session = self.sessions.get(channel)
        if session is None:
            return self.breach(f"{p.name} on channel {channel}, which has no session")
        return getattr(self, "on_" + p.name)(p, session, channel, payload)

    # --- transactions

    def rolled_back(self, id_):
        """By the server."""
        one = self.transactions.get(id_)
        if one is not None and one.state == "open":
            one.state = "over"

    def use(self, id_, session, what):
        """A txn-id in a state or a flow of the client."""
        one = self.transactions.get(id_)
        if one is None:
            self.breach(f"{what} names transaction {id_.hex()}, which was not declared")
        elif one.state == "discharged":
            self.breach(f"{what} names transaction {id_.hex()}, which the client has discharged")
        elif one.state == "left":
            self.breach(f"{what} names transaction {id_.hex()}, whose control link the client has ended")
        elif one.session is not session and "amqp:multi-ssns-per-txn" not in one.link.capabilities:
            self.breach(f"{what} names transaction {id_.hex()} of another session; the coordinator has no multi-ssns-per-txn")

    def state_txn(self, p):
        state = p.inner("state")
        if state is None or state.name != "transactional-state" or not isinstance(state.get("txn-id"), bytes):
            return None
        if len(state.get("txn-id")) > 32:
            self.breach(f"a txn-id of {len(state.get('txn-id'))} bytes")
        return state.get("txn-id")

    def control(self, link, session, delivery):
        """A message to a coordinator."""
        n, data, settled = delivery[:3]
        if settled:
            self.breach("a message to the coordinator is sent settled")
        try:
            bodies = [(code, body) for code, body in wire.sections(bytes(data)) if 0x75 <= code <= 0x77]
            if bodies[0][0] != 0x77:
                raise wire.Malformed(f"its body is {wire.SECTIONS[bodies[0][0]]}, not amqp-value")
            p = wire.Performative(bodies[0][1])
            if p.name not in ("declare", "discharge"):
                raise wire.Malformed(f"it has {p.name}")
        except wire.Malformed as e:
            self.breach(f"delivery {n} to the coordinator is no declare and no discharge: {e}")
            return
        for problem in p.problems:
            self.breach(problem)
        if p.name == "declare":
            if "global-id" in p.fields and "amqp:distributed-transactions" not in link.capabilities:
                self.breach("declare with a global-id; the coordinator has no distributed-transactions")
            if "amqp:multi-txns-per-ssn" not in link.capabilities and (
                    session.declaring or any(one.session is session and one.state == "open" for one in self.transactions.values())):
                self.breach("a second transaction in a session; the coordinator has no multi-txns-per-ssn")
            session.declaring.add(n)
            return
        id_ = p.get("txn-id")
        if isinstance(id_, bytes):
            self.use(id_, session, "discharge")
            if id_ in self.transactions:
                self.transactions[id_].state = "discharged"
            if any(one.partial is not None and one.partial[4] == id_ for s in self.sessions.values() for one in s.links.values()):
                self.breach(f"discharge of transaction {id_.hex()} in the middle of a delivery within it")

    def leave(self, which):
        """The client has ended control links."""
        for one in self.transactions.values():
            if which(one.link) and one.state in ("open", "over"):
                one.state = "left"

    def on_end(self, p, session, channel, _):
        self.leave(lambda link: link in session.links.values())
        del self.sessions[channel]
        self.owed = {what: since for what, since in self.owed.items() if what[1] != channel}

    def on_attach(self, p, session, channel, _):
        handle = p.get("handle", 0)
        if handle in session.links:
            self.breach(f"attach with handle {handle}, which is in use")
        if handle > session.handle_max:
            self.breach(f"attach with handle {handle}; the server's handle-max is {session.handle_max}")
        link = Link({k: v.value for k, v in p.fields.items()})
        for other in self.sessions.values():
            for one in other.links.values():
                if (one.name, one.is_receiver) == (link.name, link.is_receiver) and not one.failed:
                    self.breach(f"attach of the link {link.name!r}, which is attached")
        if not link.is_receiver and "initial-delivery-count" not in p.fields:
            self.breach("attach of a sender without initial-delivery-count")
        for name, top in (("snd-settle-mode", 2), ("rcv-settle-mode", 1)):
            if p.get(name, 0) > top:
                self.breach(f"attach with {name} {p.get(name)}")
        session.links[handle] = link
        target = p.inner("target")
        link.coordinator = target is not None and target.name == "coordinator"
        if link.coordinator and link.is_receiver:
            self.breach("attach of a receiver whose target is a coordinator")
        if link.coordinator and p.get("unsettled"):
            self.breach("attach to a coordinator with a map of unsettled deliveries: such links are not resumed")

    def on_flow(self, p, session, channel, _):
        self.owed.pop(("flow", channel), None)
        if p.get("next-outgoing-id", session.next_out) != session.next_out:
            self.breach(f"flow with next-outgoing-id {p.get('next-outgoing-id')}; after the transfers so far it is {session.next_out}")
        if "next-incoming-id" not in p.fields:
            if session.seen_incoming or (session.begun_at and time.monotonic() - session.begun_at > 2):
                self.breach("flow without next-incoming-id, though the server's begin is there")
        else:
            session.seen_incoming = True
            if session.server_next is None:
                self.breach("flow with next-incoming-id before the server's begin")
            elif ahead(p.get("next-incoming-id"), session.server_next) > 0:
                self.breach(f"flow with next-incoming-id {p.get('next-incoming-id')}; the server's next is {session.server_next}")
        properties = p.get("properties", [])
        for key, value in properties if isinstance(properties, list) else []:
            if key.value == "txn-id":
                if value.type != "binary":
                    self.breach(f"flow with a txn-id of type {value.type}")
                else:
                    self.use(value.value, session, "flow")
                if "handle" not in p.fields:
                    self.breach("flow without handle has a txn-id")
        if "handle" not in p.fields:
            for name in ("delivery-count", "link-credit", "available", "drain"):
                if name in p.fields and p.get(name) is not False:
                    self.breach(f"flow without handle has {name}")
            return
        link = session.links.get(p.get("handle"))
        if link is None:
            self.breach(f"flow for handle {p.get('handle')}, which is not attached")
            return
        if link.is_receiver:
            if "delivery-count" in p.fields:
                if link.server_count is None:
                    self.breach("flow of a receiver with a delivery-count that it cannot know yet")
                elif ahead(p.get("delivery-count"), link.server_count) > 0:
                    self.breach(f"flow of a receiver with delivery-count {p.get('delivery-count')}; the server is at {link.server_count}")
        else:
            if "delivery-count" not in p.fields:
                self.breach("flow of a sender without delivery-count")
            elif p.get("delivery-count") != link.count:
                if link.drain and ahead(p.get("delivery-count"), link.count) > 0 and ahead(p.get("delivery-count"), link.limit) <= 0:
                    link.count = p.get("delivery-count")
                else:
                    self.breach(f"flow of a sender with delivery-count {p.get('delivery-count')}; after the deliveries so far it is {link.count}")

    def on_transfer(self, p, session, channel, payload):
        if session.limit is None:
            self.breach("transfer before the server's begin")
        elif ahead(session.limit, session.next_out) <= 0:
            self.breach(f"transfer {session.next_out} beyond the server's incoming-window, which ends at {session.limit}")
        session.next_out = (session.next_out + 1) & MASK
        link = session.links.get(p.get("handle", 0))
        if link is None:
            self.breach(f"transfer on handle {p.get('handle')}, which is not attached")
            return
        if link.is_receiver:
            self.breach(f"transfer on handle {p.get('handle')}, which is a receiver's")
            return
        given = p.get("delivery-id")
        txn = self.state_txn(p)
        if link.partial is None:
            if txn is not None:
                if link.coordinator:
                    self.breach("a message to the coordinator within a transaction")
                self.use(txn, session, "transfer")
            for name in ("delivery-id", "delivery-tag", "message-format"):
                if name not in p.fields:
                    self.breach(f"the first transfer of a delivery lacks {name}")
            if session.next_delivery is not None and given is not None and given != session.next_delivery:
                self.breach(f"delivery-id {given}; the next one is {session.next_delivery}")
            if given is None:
                given = session.next_delivery or 0
            session.next_delivery = (given + 1) & MASK
            tag = p.get("delivery-tag", b"")
            if len(tag) > 32:
                self.breach(f"a delivery-tag of {len(tag)} bytes")
            if tag in link.tags.values():
                self.breach(f"delivery-tag {tag.hex()} is that of an unsettled delivery")
            if not link.answered:
                self.breach("transfer before the server's attach")
            if ahead(link.limit, link.count) <= 0:
                self.breach(f"transfer without credit (delivery-count {link.count}, credit ends at {link.limit})")
            link.partial = [given, bytearray(), False, p.get("message-format", 0), txn]
            link.tags[given] = tag
            session.unsettled[given] = link
        elif given is not None and given != link.partial[0]:
            self.breach(f"a transfer of delivery {given} within delivery {link.partial[0]}")
        elif "delivery-tag" in p.fields and p.get("delivery-tag") != link.tags.get(link.partial[0], p.get("delivery-tag")):
            self.breach("a continued delivery changes its delivery-tag")
        if link.partial[4] != txn and not p.get("aborted"):
            self.breach("the transfers of a delivery are not all in the same transaction")
        partial = link.partial
        partial[1] += payload
        partial[2] = partial[2] or p.get("settled", False)
        if link.max_size and len(partial[1]) > link.max_size:
            self.breach(f"a message of {len(partial[1])} bytes; the server's max-message-size is {link.max_size}")
        if p.get("more") and not p.get("aborted"):
            return
        link.count = (link.count + 1) & MASK
        link.partial = None
        if partial[2] or p.get("aborted"):
            link.tags.pop(partial[0], None)
            session.unsettled.pop(partial[0], None)
        if p.get("aborted"):
            return
        if link.snd_mode == 1 and not partial[2]:
            self.breach("an unsettled transfer on a link with snd-settle-mode settled")
        if link.snd_mode == 0 and partial[2]:
            self.breach("a settled transfer on a link with snd-settle-mode unsettled")
        if link.coordinator:
            self.control(link, session, partial)
        elif partial[3] == 0:
            try:
                code, body = wire.sections(bytes(partial[1]))[-1]
                if code == 0x77 and body.type == "described" and wire.code_of(body.value[0]) in (0x31, 0x32):
                    self.breach(f"{wire.TYPES[wire.code_of(body.value[0])][0]} on a link that is no coordinator's")
            except wire.Malformed as e:
                self.breach(f"delivery {partial[0]} is no message: {e}")

    def on_disposition(self, p, session, channel, _):
        first, last = p.get("first", 0), p.get("last", p.get("first", 0))
        if ahead(last, first) < 0:
            self.breach(f"disposition from {first} to {last}")
            return
        if p.get("role"):  # of deliveries that the server has sent
            txn, state = self.state_txn(p), p.inner("state")
            if txn is not None:
                self.use(txn, session, "disposition")
                if "outcome" not in state.fields and not state.problems:
                    self.breach("disposition within a transaction without an outcome")
            elif state is not None and state.name in ("declared", "declare", "discharge"):
                self.breach(f"disposition of a receiver with {state.name}")
            if state is not None and session.acquired and ahead(last, first) < 10 ** 6:
                for n in ids(first, last):
                    own = session.acquired.get(n)
                    if own is not None and own != txn and own in self.transactions and self.transactions[own].state == "open":
                        self.breach(f"disposition of {n} outside of the transaction that it was sent in")
            if session.server_last is None or ahead(last, session.server_last) > 0:
                self.breach(f"disposition of {first} to {last}; the server has sent up to {session.server_last}")
                return
            found = [n for n in ids(first, last) if n in session.server_unsettled]
            if not found:
                self.breach(f"disposition of {first} to {last}, all of them settled before")
            if p.get("settled"):
                for n in found:
                    del session.server_unsettled[n]
        else:
            if session.next_delivery is None or ahead(last, session.next_delivery) >= 0:
                self.breach(f"disposition of {first} to {last}, which the client has not sent")
                return
            if p.get("settled"):
                for n in ids(first, last):
                    self.settle(session, n)

    def settle(self, session, n):
        link = session.unsettled.pop(n, None)
        if link:
            link.tags.pop(n, None)

    def on_detach(self, p, session, channel, _):
        link = session.links.pop(p.get("handle", 0), None)
        self.owed.pop(("detach", channel, p.get("handle", 0)), None)
        if link is None:
            self.breach(f"detach of handle {p.get('handle')}, which is not attached")
            return
        if link.partial is not None and not link.failed and not session.ended_by_server and not self.server_closed:
            self.breach("detach in the middle of a delivery")
        self.leave(lambda one: one is link)
        for n in [n for n, one in session.unsettled.items() if one is link]:
            del session.unsettled[n]

    # --- SASL

    def sasl(self, p, payload):
        for problem in p.problems:
            self.breach(problem)
        if p.name == "sasl-init":
            if self.init:
                self.breach("a second sasl-init")
            if self.offered is None:
                pass  # a client may know beforehand what it wants
            elif p.get("mechanism") not in self.offered:
                self.breach(f"sasl-init with {p.get('mechanism')}, which was not offered")
            self.init = True
        elif p.name == "sasl-response":
            if self.challenges <= 0:
                self.breach("sasl-response without a challenge")
            self.challenges -= 1
        else:
            self.breach(f"{p.name} from a client in the SASL layer")
        if self.outcome is not None:
            self.breach(f"{p.name} after the outcome")

    # --- what the server sent: name, its channel, fields as Python values

    def sent(self, name, channel, fields):
        f = {k.replace("_", "-"): v for k, v in fields.items() if v is not None}
        if name == "sasl-mechanisms":
            m = f.get("sasl-server-mechanisms", [])
            self.offered = m if isinstance(m, list) else [m.value]
        elif name == "sasl-challenge":
            self.challenges += 1
        elif name == "sasl-outcome":
            self.outcome = f.get("code")
        elif name == "open":
            self.max_frame = f.get("max-frame-size", MASK)
            self.channel_max = f.get("channel-max", 65535)
            self.idle = f.get("idle-time-out", 0)
            self.last = time.monotonic()
        elif name == "close":
            self.server_closed = True
            if not self.closed:
                self.owes("close", "")
        elif name == "begin":
            if "remote-channel" not in f:
                self.server_channels[channel] = None  # the server's own session; the client may answer
                return
            session = self.sessions.get(f["remote-channel"])
            if session is None:
                return
            self.server_channels[channel] = session
            session.server_next = f.get("next-outgoing-id", 0)
            session.limit = (session.first_out + f.get("incoming-window", 0)) & MASK
            session.handle_max = f.get("handle-max", MASK)
            session.begun_at = time.monotonic()
        else:
            session = self.server_channels.get(channel)
            if session is None:
                return
            of_client = next((n for n, one in self.sessions.items() if one is session), None)
            if name == "end":
                session.ended_by_server = True
                del self.server_channels[channel]
                if of_client is not None:
                    self.owes("end", of_client)
            elif name == "attach":
                for link in session.links.values():
                    if link.name == f.get("name") and link.is_receiver != f.get("role"):
                        session.server_links[f.get("handle", 0)] = link
                        link.answered = True
                        link.max_size = f.get("max-message-size", 0)
                        if link.coordinator:
                            target = state_of(f.get("target"))
                            named = target.fields.get("capabilities") if target is not None and target.name == "coordinator" else None
                            link.capabilities = [] if named is None else [named.value] if named.type == "symbol" else [v.value for v in named.value[1]]
                        if link.is_receiver:
                            link.server_count = f.get("initial-delivery-count", 0)
            elif name == "flow":
                if f.get("echo") and of_client is not None:
                    self.owes("flow", of_client)
                base = f.get("next-incoming-id", session.first_out)
                limit = (base + f.get("incoming-window", 0)) & MASK
                if session.limit is None or ahead(limit, session.limit) > 0:
                    session.limit = limit
                link = session.server_links.get(f.get("handle"))
                if link is not None and "link-credit" in f:
                    if not link.is_receiver:
                        limit = (f.get("delivery-count", link.count) + f["link-credit"]) & MASK
                        if ahead(limit, link.limit) > 0:
                            link.limit = limit
                        link.drain = f.get("drain", False)
                if link is not None and link.is_receiver and "delivery-count" in f:
                    if ahead(f["delivery-count"], link.server_count or 0) > 0:
                        link.server_count = f["delivery-count"]
            elif name == "transfer":
                if session.server_next is not None:
                    session.server_next = (session.server_next + 1) & MASK
                n = f.get("delivery-id")
                link = session.server_links.get(f.get("handle"))
                if link is not None and not f.get("more"):
                    link.server_count = ((link.server_count or 0) + 1) & MASK
                if n is not None:
                    if session.server_last is None or ahead(n, session.server_last) > 0:
                        session.server_last = n
                    state = state_of(f.get("state"))
                    if state is not None and state.name == "transactional-state":
                        session.acquired[n] = state.get("txn-id")
                    if f.get("aborted"):
                        session.server_unsettled.pop(n, None)
                    elif not f.get("settled"):
                        session.server_unsettled[n] = True
            elif name == "disposition":
                if f.get("role"):
                    n = f.get("first", 0)
                    session.declaring.discard(n)
                    link = session.unsettled.get(n)
                    state = state_of(f.get("state")) if link is not None and link.coordinator else None
                    if state is not None and state.name == "declared" and isinstance(state.get("txn-id"), bytes):
                        self.transactions[state.get("txn-id")] = Transaction(session, link)
                if f.get("role") and f.get("settled"):
                    first, last = f.get("first", 0), f.get("last", f.get("first", 0))
                    if 0 <= ahead(last, first) < 10 ** 6:
                        for n in ids(first, last):
                            self.settle(session, n)
                elif f.get("settled"):  # the server, as a sender, settles
                    first, last = f.get("first", 0), f.get("last", f.get("first", 0))
                    if 0 <= ahead(last, first) < 10 ** 6:
                        for n in ids(first, last):
                            if n in session.server_unsettled:
                                session.server_unsettled[n] = False  # the client's own disposition may be under way
            elif name == "detach":
                link = session.server_links.pop(f.get("handle", 0), None)
                if link is not None:
                    link.failed = True
                    if of_client is not None and session.links.get(link.handle) is link:
                        self.owes("detach", of_client, link.handle)


def ids(first, last):
    return ((first + i) & MASK for i in range(ahead(last, first) + 1))
