# SPDX-License-Identifier: Apache-2.0
"""What the raw server plays. A role is a set of functions by stage; each gets the peer and what the stage has, and returns True where the broker
has nothing more to do. Legal roles are unusual and right: a client must work with them. The others break the specification.

Stages: start() header(header) mechanisms() init(p) amqp-header(header) open(p) opened(p) begin(p, session) begun(session, link) attach(p, link)
attached(link) credit(p, link) transfer(link, delivery) flow(p, session) disposition(p, session) detach(p, link) end(p, session) close(p)"""
import select
import struct

from . import wire
from .broker import SASL_HEADER
from .checker import MASK
from .wire import T, Raw, array, described, enc, make, symbol, uint, ulong


class Role:
    def __init__(self, doc, legal):
        self.doc, self.legal, self.hooks = doc, legal, {}


ROLES = {"broker": Role("keeps to the specification: any address is a queue", True)}


def role(name, stage, doc="", legal=False):
    def add(function):
        made = ROLES.setdefault(name, Role(doc, legal))
        assert stage not in made.hooks, (name, stage)
        made.hooks[stage] = function
        return function
    return add


def mute(peer, *_):
    peer.mute()
    return True


def cut(peer, *_):
    peer.cut()


def reset(peer, *_):
    peer.cut(reset=True)


def then(*steps):
    def run(*arguments):
        for step in steps:
            step(*arguments)
        return True
    return run


def raw(data):
    return lambda peer, *_: peer.raw(data)


# --- silent or gone, at each stage
for stage in ("header", "mechanisms", "init", "amqp-header", "open", "begin", "attach"):
    name = {"mechanisms": "sasl-mechanisms", "init": "sasl-outcome"}.get(stage, stage)
    role(f"silent-{name}", stage, f"never answers: {name}")(mute)
    role(f"cut-{name}", stage, f"closes the socket instead of answering: {name}")(cut)
    role(f"reset-{name}", stage, f"resets the socket instead of answering: {name}")(reset)
role("silent-transfer", "transfer", "never settles what it gets", True)(lambda peer, *_: True)
role("cut-transfer", "transfer", "closes the socket instead of settling")(cut)
role("reset-transfer", "transfer", "resets the socket instead of settling")(reset)
role("silent-detach", "detach", "never answers a detach")(lambda peer, *_: True)
role("silent-end", "end", "never answers an end")(lambda peer, *_: True)
role("silent-close", "close", "never answers a close")(lambda peer, *_: True)
role("silent-opened", "opened", "nothing more after its open: no heartbeats either")(mute)
role("silent-begun", "begun", "nothing more after its begin: no heartbeats either")(mute)
role("silent-accept", "start", "takes the connection; reads, says nothing")(mute)

# --- protocol headers
for name, header, doc in (("0-9-1", b"AMQP\x00\x00\x09\x01", "AMQP 0-9-1"), ("version", b"AMQP\x00\x02\x00\x00", "AMQP 2.0.0"),
                          ("tls", b"AMQP\x02\x01\x00\x00", "TLS is demanded"), ("amqp", b"AMQP\x00\x01\x00\x00", "no SASL here"),
                          ("sasl", SASL_HEADER, "SASL is demanded"), ("http", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "an HTTP server"),
                          ("ssh", b"SSH-2.0-OpenSSH_9.2\r\n", "an SSH server"), ("half", b"AMQP", "half a header, and the end")):
    role(f"header-{name}", "header", f"answers the protocol header and closes: {doc}")(then(raw(header), cut))
role("header-half-silent", "header", "half a header, then nothing")(then(raw(b"AMQP\x03"), mute))

# --- SASL


def mechanisms(*names, value=None):
    def run(peer, *_):
        peer.send("sasl-mechanisms", kind=1, sasl_server_mechanisms=list(names) if value is None else value)
        return True
    return run


role("mechanisms-foreign", "mechanisms", "offers only SCRAM-SHA-256 and GSSAPI", True)(mechanisms("SCRAM-SHA-256", "GSSAPI"))
role("mechanisms-empty", "mechanisms", "offers an empty array")(mechanisms())
role("mechanisms-one", "mechanisms", "offers ANONYMOUS as one symbol, no array", True)(mechanisms(value=symbol("ANONYMOUS")))
role("mechanisms-many", "mechanisms", "offers 20 mechanisms, ANONYMOUS and PLAIN at the end", True)(
    mechanisms(*[f"X-MECHANISM-{n}" for n in range(18)], "ANONYMOUS", "PLAIN"))
role("mechanisms-malformed", "mechanisms", "the list of mechanisms is cut")(
    then(raw(wire.frame(0, b"\x00\x53\x40\xc0\x20\x01\xe0\x1d\x02\xa3\x09ANON", 1)), mute))
role("mechanisms-string", "mechanisms", "the mechanisms are a string")(then(raw(wire.frame(0, enc(described(ulong(0x40), ["ANONYMOUS"])), 1)), mute))
role("mechanisms-amqp-frame", "mechanisms", "the mechanisms come in a frame of type 0")(
    then(raw(wire.frame(0, enc(make("sasl-mechanisms", {"sasl-server-mechanisms": ["ANONYMOUS"]})), 0)), mute))
role("mechanisms-plain", "mechanisms", "offers PLAIN only", True)(mechanisms("PLAIN"))


def outcome(code):
    def run(peer, *_):
        peer.send("sasl-outcome", kind=1, code=code)
        if code:
            peer.cut()
        return True
    return run


for code, doc in ((1, "auth"), (2, "sys"), (3, "sys-perm"), (4, "sys-temp"), (9, "there is no such code")):
    role(f"outcome-{code}", "init", f"SASL outcome {code}: {doc}", code < 5)(outcome(code))
role("outcome-malformed", "init", "an outcome without its code")(then(raw(wire.frame(0, b"\x00\x53\x44\x45", 1)), mute))
role("outcome-open-stays", "init", "outcome 1, and the socket stays open", True)(
    then(lambda peer, *_: peer.send("sasl-outcome", kind=1, code=1), mute))


@role("challenge", "init", "asks a challenge that neither PLAIN nor ANONYMOUS has")
def _(peer, p):
    if p.name == "sasl-init":
        peer.send("sasl-challenge", kind=1, challenge=b"who goes there?")
        return True
    return False


@role("outcome-pipelined", "init", "outcome and AMQP header in one write", True)
def _(peer, p):
    peer.hold()
    peer.send("sasl-outcome", kind=1, code=0)
    peer.raw(b"AMQP\x00\x01\x00\x00")
    peer.release()
    peer.role = {**peer.role, "amqp-header": lambda peer, header: peer.frames() or True}
    return True


# --- opening a connection


def opening(doc, legal=False, **fields):
    def run(peer, *_):
        peer.answer_open(**fields)
        return True
    return doc, legal, run


for name, (doc, legal, run) in {
    "open-tiny-frame": opening("max-frame-size 100, below the least", max_frame_size=100),
    "open-frame-512": opening("max-frame-size 512", True, max_frame_size=512),
    "open-one-channel": opening("channel-max 0: one session", True, channel_max=0),
    "open-idle-1": opening("idle-time-out 1 ms: nobody can keep to it", idle_time_out=1),
    "open-idle-200": opening("idle-time-out 200 ms; the checker watches the client's heartbeats", True, idle_time_out=200),
    "open-idle-0": opening("idle-time-out 0: none", True, idle_time_out=0),
    "open-bare": opening("an open with a container-id only: no limits", True, max_frame_size=None, channel_max=None, idle_time_out=None),
    "open-full": opening("an open with every field", True, hostname="raw.example", idle_time_out=60000, outgoing_locales=["en-US", "de"], incoming_locales="en-US",
                         offered_capabilities=["ANONYMOUS-RELAY", "x"], desired_capabilities=["y"],
                         properties={symbol("product"): "amqpraw", symbol("version"): "1", symbol("long"): "x" * 1000,
                                     symbol("nested"): {symbol("a"): [T("int", 1)]}}),
}.items():
    role(name, "open", doc, legal)(run)


def closing(condition, description, **info):
    def run(peer, *_):
        peer.answer_open()
        peer.close(condition, description, {symbol(k.replace("_", "-")): v for k, v in info.items()} or None)
        return True
    return run


role("open-close", "open", "open, and close with amqp:connection:forced at once", True)(closing("amqp:connection:forced", "going down for maintenance"))
role("open-refused", "open", "open, and close with amqp:unauthorized-access", True)(closing("amqp:unauthorized-access", "not you"))
role("open-redirect", "open", "open, and close with amqp:connection:redirect to other.example:5673", True)(
    closing("amqp:connection:redirect", "go there", hostname="other.example", network_host="127.0.0.2", port=T("ushort", 5673)))
role("open-close-plain", "open", "open, and close without an error", True)(lambda peer, *_: peer.answer_open() or peer.close() or True)


@role("close-no-open", "open", "close with an error, without an open before it")
def _(peer, p):
    peer.close("amqp:not-allowed", "who are you?")
    return True


@role("open-twice", "open", "two opens")
def _(peer, p):
    peer.answer_open()
    peer.answer_open()
    return True


role("open-malformed", "open", "a list in the open says one more field than it has")(then(raw(wire.frame(0, b"\x00\x53\x10\xc0\x04\x02\xa1\x01x")), mute))
role("open-no-container", "open", "an open without a container-id")(then(raw(wire.frame(0, b"\x00\x53\x10\x45")), mute))
role("open-bad-type", "open", "the max-frame-size of the open is a string")(
    then(raw(wire.frame(0, enc(described(ulong(0x10), ["x", None, "big"])))), mute))
role("open-begin-first", "open", "a begin before its open")(
    then(lambda peer, *_: peer.send("begin", 0, next_outgoing_id=0, incoming_window=1, outgoing_window=1), mute))
role("open-more-fields", "open", "an open with 14 fields")(
    then(raw(wire.frame(0, enc(described(ulong(0x10), ["x"] + [None] * 13)))), mute))


@role("close-later", "opened", "closes with amqp:connection:forced 200 ms after its open", True)
def _(peer, p):
    peer.sleep(0.2)
    peer.close("amqp:connection:forced", "later")


@role("heartbeats", "opened", "100000 empty frames after its open", True)
def _(peer, p):
    for _ in range(100):
        peer.raw(wire.frame(0, b"") * 1000)


# --- bytes: legal, and unusual


def mode(name, doc, **attributes):
    def run(peer, *_):
        for key, value in attributes.items():
            setattr(peer, key, value)
        return False
    role(name, "start", doc, True)(run)


mode("byte-by-byte", "each byte in a write of its own", chop=1)
mode("odd-writes", "writes of 7 bytes", chop=7)
mode("one-write", "as many frames as there are in one write", one_write=True)
mode("symbolic", "symbolic descriptors instead of numbers everywhere", symbolic=True)
mode("wide", "the longest encoding of each value, and nulls for all that is absent", wide=True, full=True)
mode("extended-header", "frames with a data offset of 4", doff=4)
mode("foreign-numbers", "answers on other channels and handles than the client's", channel_shift=7, handle_shift=5)
mode("serial-wrap", "its transfer-ids, delivery-ids and delivery-counts begin just below 2^32", first_id=2 ** 32 - 3)
mode("everything", "all of these at once", symbolic=True, wide=True, full=True, doff=3, channel_shift=7, handle_shift=5,
     first_id=2 ** 32 - 3, one_write=True, chop=7)


# --- bad frames, after the begin; by address: after the attach of that link
def bad(name, doc, legal=False, quiet=True):
    """The function makes bytes; nothing more is said after them."""
    def add(function):
        def run(peer, session, link):
            peer.raw(function(peer, session, link))
            if quiet:
                peer.mute()
            return True
        role("frame-" + name, "begun", doc, legal)(run)
        return function
    return add


bad("size-7", "a frame of size 7")(lambda *_: struct.pack(">IBBH", 7, 2, 0, 0) + b"x" * 20)
bad("size-0", "a frame of size 0")(lambda *_: struct.pack(">IBBH", 0, 2, 0, 0) + b"x" * 20)
bad("huge", "a frame that says 4 GiB")(lambda *_: struct.pack(">IBBH", MASK, 2, 0, 0) + b"x" * 65536)
bad("doff-1", "a data offset of 1")(lambda *_: struct.pack(">IBBH", 16, 1, 0, 0) + b"x" * 8)
bad("doff-0", "a data offset of 0")(lambda *_: struct.pack(">IBBH", 16, 0, 0, 0) + b"x" * 8)
bad("doff-beyond", "a data offset beyond the frame")(lambda *_: struct.pack(">IBBH", 16, 5, 0, 0) + b"x" * 8)
bad("type-1", "a SASL frame in the AMQP layer")(lambda *_: wire.frame(0, enc(make("sasl-outcome", {"code": 0})), 1))
bad("type-7", "a frame of an unknown type")(lambda *_: wire.frame(0, b"hello", 7))
bad("half", "half of a frame, then nothing")(lambda peer, session, link: wire.frame(session.channel, enc(make("end")))[:10])
bad("head-half", "half of a frame's head, then nothing")(lambda *_: b"\x00\x00\x00")
bad("garbage", "random bytes")(lambda *_: bytes((n * 7919 + 13) % 251 for n in range(4096)))
bad("oversized", "a transfer larger than the client's max-frame-size")(
    lambda peer, session, link: wire.frame(session.channel, enc(make("transfer", {
        "handle": link.own if link else 0, "delivery-id": 0, "delivery-tag": b"0", "message-format": 0})) +
        wire.message(b"x" * (min(peer.client_frame, 2 ** 26) + 1), 0x75)))
bad("unknown-performative", "performative 0x19")(lambda p, session, link: wire.frame(session.channel, enc(described(ulong(0x19), []))))
bad("unknown-symbol", "performative example:nonsense:list")(lambda p, session, link: wire.frame(
    session.channel, enc(described(symbol("example:nonsense:list"), []))))
bad("foreign-type", "an outcome (0x24) as a performative")(lambda p, session, link: wire.frame(session.channel, enc(make("accepted"))))
bad("not-described", "a frame with a bare string")(lambda p, session, link: wire.frame(session.channel, enc("hello")))
bad("map", "a performative whose fields are a map")(lambda p, session, link: wire.frame(session.channel, enc(described(ulong(0x13), {}))))
bad("descriptor-string", "a descriptor that is a string")(lambda p, session, link: wire.frame(session.channel, b"\x00" + enc("amqp:flow:list") + enc([])))
bad("malformed", "a flow whose list ends beyond the frame")(lambda p, session, link: wire.frame(session.channel, b"\x00\x53\x13\xc0\x40\x04\x43\x43"))
bad("count", "a list that says 2^32-1 elements")(lambda p, session, link: wire.frame(
    session.channel, b"\x00\x53\x13\xd0\x00\x00\x00\x08\xff\xff\xff\xff\x43\x43\x43\x43"))
bad("array", "an array that says 2^31 nulls")(lambda p, session, link: wire.frame(
    session.channel, enc(make("flow", {"incoming-window": 1, "next-outgoing-id": 0, "outgoing-window": 1,
                                       "properties": {symbol("x"): Raw(b"\xf0\x00\x00\x00\x05\x80\x00\x00\x00\x40")}}))))
bad("deep", "4000 lists, one in the other")(lambda p, session, link: wire.frame(session.channel, enc(described(ulong(0x13), Raw(deep(4000))))))
bad("described-deep", "descriptors of descriptors, 30000 deep")(lambda p, session, link: wire.frame(session.channel, b"\x00" * 30000))
bad("utf8", "an attach whose name is not UTF-8")(lambda p, session, link: wire.frame(
    session.channel, enc(make("attach", {"name": Raw(b"\xa1\x02\xc3\x28"), "handle": 3, "role": True}))))
bad("missing", "a flow without its mandatory fields")(lambda p, session, link: wire.frame(session.channel, enc(make("flow"))))
bad("bad-type", "a flow whose incoming-window is a string")(lambda p, session, link: wire.frame(
    session.channel, enc(described(ulong(0x13), [None, "many", uint(0), uint(0)]))))
bad("bad-width", "a flow whose windows are ulongs")(lambda p, session, link: wire.frame(
    session.channel, enc(described(ulong(0x13), [uint(0), ulong(9), ulong(9), ulong(9)]))))
bad("many-fields", "a flow with 300 fields")(lambda p, session, link: wire.frame(session.channel, enc(described(ulong(0x13), [uint(0)] * 4 + [None] * 296))))
bad("payload", "bytes after an end")(lambda p, session, link: wire.frame(session.channel, enc(make("end")) + b"and more"))
bad("empty", "1000 empty frames on odd channels, then business as usual", True, False)(lambda *_: b"".join(wire.frame(n, b"") for n in range(1000)))


def deep(n):
    """n lists, each the only element of the next."""
    heads = [struct.pack(">BII", 0xD0, 4 + 9 * i, 1 if i else 0) for i in range(n)]
    return b"".join(reversed(heads))


# --- sessions


def quietly(name, doc, legal=False, stage="begun"):
    """Goes on as the broker afterwards."""
    def add(function):
        def run(peer, *arguments):
            function(peer, *arguments)
            return stage not in ("begun", "attached", "opened")
        return role(name, stage, doc, legal)(run)
    return add


role("begin-end", "begun", "end with amqp:internal-error right after the begin", True)(
    lambda peer, session, link: peer.end(session, "amqp:internal-error", "no room") or True)
quietly("unknown-channel", "an attach on a channel without a session")(lambda peer, session, link: peer.send(
    "attach", session.channel + 77, name="x", handle=0, role=True))
quietly("begin-foreign", "a begin for a remote-channel that nobody has begun")(lambda peer, session, link: peer.send(
    "begin", session.channel + 1, remote_channel=session.client_channel + 50, next_outgoing_id=0, incoming_window=10, outgoing_window=10))
quietly("begin-twice", "the begin of one session twice")(lambda peer, session, link: peer.answer_begin(session))
quietly("begin-of-ours", "begins a session of its own", True)(lambda peer, session, link: peer.send(
    "begin", session.channel + 1, next_outgoing_id=0, incoming_window=10, outgoing_window=10))
quietly("end-unknown", "ends a session that never was")(lambda peer, session, link: peer.send("end", session.channel + 33))
quietly("end-twice", "ends the session twice")(lambda peer, session, link: peer.end(session) or peer.send("end", session.channel))
quietly("detach-unknown", "a detach of a handle that nobody has")(lambda peer, session, link: peer.send("detach", session.channel, handle=99, closed=True))
quietly("flow-unknown", "a flow for a handle that nobody has")(lambda peer, session, link: peer.send(
    "flow", session.channel, **peer.session_fields(session), handle=99, delivery_count=0, link_credit=10))
quietly("disposition-early", "a disposition before anything was sent")(lambda peer, session, link: peer.send(
    "disposition", session.channel, role=True, first=0, last=5, settled=True, state=make("accepted")))
quietly("flow-echo", "a session flow that asks for an echo: the client answers with a flow", True)(lambda peer, session, link: peer.send(
    "flow", session.channel, **peer.session_fields(session), echo=True))
quietly("attach-unasked", "attaches a link that nobody asked for")(lambda peer, session, link: peer.send(
    "attach", session.channel, name="unasked", handle=60, role=True, source=make("source", {"address": "a"}), target=make("target", {"address": "b"})))
quietly("transfer-unknown", "a transfer on a handle that nobody has")(lambda peer, session, link: peer.transfer(
    session, wire.message("x"), handle=99, delivery_id=0, delivery_tag=b"0", message_format=0))


@role("flow-no-incoming-id", "begun", "session flows without next-incoming-id", True)
def _(peer, session, link):
    peer.send("flow", session.channel, incoming_window=session.window, next_outgoing_id=session.next_out, outgoing_window=10)


@role("window-zero", "begin", "a begin with incoming-window 0; a flow opens it to 5 after 300 ms, and again as it is used up", True)
def _(peer, p, session):
    session.window = 5
    peer.answer_begin(session, incoming_window=0)
    peer.sleep(0.3)
    peer.send("flow", session.channel, **peer.session_fields(session))
    return True


@role("window-stays", "begin", "a begin with incoming-window 5, which is never renewed", True)
def _(peer, p, session):
    session.window = 5
    session.window_end = (session.next_incoming + 5) & MASK
    peer.answer_begin(session)
    return True


@role("window-taken-back", "begin", "the incoming-window of the begin is taken back to 0 at once, and given again after 300 ms", True)
def _(peer, p, session):
    peer.answer_begin(session)
    peer.send("flow", session.channel, **{**peer.session_fields(session), "incoming_window": 0})
    peer.sleep(0.3)
    peer.send("flow", session.channel, **peer.session_fields(session))
    return True


@role("no-handles", "begin", "handle-max 0: one link", True)
def _(peer, p, session):
    peer.answer_begin(session, handle_max=0)
    return True


# --- links


@role("attach-refused", "attach", "a null terminus, and a detach with amqp:not-found", True)
def _(peer, p, link):
    peer.answer_attach(link, **{"source" if link.to_client else "target": None})
    peer.detach(link, "amqp:not-found", "there is no such node")
    return True


@role("attach-refused-late", "attach", "a null terminus; the detach with amqp:unauthorized-access comes 300 ms later", True)
def _(peer, p, link):
    peer.answer_attach(link, **{"source" if link.to_client else "target": None})
    peer.sleep(0.3)
    peer.detach(link, "amqp:unauthorized-access", "not yours")
    return True


@role("attach-refused-no-detach", "attach", "a null terminus, and never a detach")
def _(peer, p, link):
    peer.answer_attach(link, **{"source" if link.to_client else "target": None})
    return True


@role("attach-redirect", "attach", "detach with amqp:link:redirect", True)
def _(peer, p, link):
    peer.answer_attach(link, **{"source" if link.to_client else "target": None})
    peer.detach(link, "amqp:link:redirect", "moved", {symbol("hostname"): "other.example", symbol("network-host"): "127.0.0.2",
                                                       symbol("port"): T("ushort", 5673),
                                                       symbol("address"): "elsewhere"})
    return True


@role("attach-duplicate-handle", "attach", "two attaches with one handle")
def _(peer, p, link):
    peer.answer_attach(link)
    peer.answer_attach(link, name="another")
    return True


@role("attach-twice", "attach", "the same attach twice")
def _(peer, p, link):
    peer.answer_attach(link)
    peer.answer_attach(link)
    return True


@role("attach-other-name", "attach", "answers with the name of another link")
def _(peer, p, link):
    peer.answer_attach(link, name="not-" + link.name)
    return True


@role("attach-same-role", "attach", "answers with the client's own role")
def _(peer, p, link):
    peer.answer_attach(link, role=link.to_client)
    return True


@role("attach-handle-max", "attach", "answers with a handle above the client's handle-max")
def _(peer, p, link):
    peer.answer_attach(link, handle=MASK if link.session.handle_max < MASK else link.own)
    return True


@role("attach-no-count", "attach", "a sender's attach without initial-delivery-count")
def _(peer, p, link):
    peer.answer_attach(link, initial_delivery_count=None)
    if not link.to_client:
        peer.grant(link)
    return True


@role("attach-small-messages", "attach", "max-message-size 1000", True)
def _(peer, p, link):
    peer.answer_attach(link, max_message_size=1000)
    if not link.to_client:
        peer.grant(link)
    return True


@role("attach-settled", "attach", "answers with snd-settle-mode settled and rcv-settle-mode first, whatever was asked", True)
def _(peer, p, link):
    link.snd_mode = 1
    peer.answer_attach(link, rcv_settle_mode=0)
    if not link.to_client:
        peer.grant(link)
    return True


@role("detach-before-attach", "attach", "a detach instead of an attach")
def _(peer, p, link):
    peer.detach(link, "amqp:not-allowed", "no attach came first")
    return True


@role("attach-end", "attach", "end with an error instead of an attach", True)
def _(peer, p, link):
    peer.end(link.session, "amqp:resource-limit-exceeded", "no links here")
    return True


@role("attach-close", "attach", "close with an error instead of an attach", True)
def _(peer, p, link):
    peer.close("amqp:resource-limit-exceeded", "no links here")
    return True


@role("detach-open", "attached", "a detach with closed=false and amqp:link:detach-forced right after the attach", True)
def _(peer, link):
    peer.detach(link, "amqp:link:detach-forced", "come back later", closed=False)
    return True


@role("detach-later", "attached", "detach with amqp:resource-deleted 200 ms after the attach", True)
def _(peer, link):
    if not link.to_client:
        peer.grant(link)
    peer.sleep(0.2)
    peer.detach(link, "amqp:resource-deleted", "the queue is gone")
    return True


# --- to a receiver of the client: N, of sender/numbered messages


def text_of(n):
    return wire.message(f"message {n}", properties={"message_id": T("ulong", n)})


def first_credit(name, doc, legal=False):
    """Once, with the first credit of a link; the broker serves the link afterwards."""
    def add(function):
        def run(peer, p, link):
            if link.credit and not link.state.get("done"):
                link.state["done"] = True
                function(peer, link)
            return peer.muted or peer.closed or not link.attached
        return role(name, "credit", doc, legal)(run)
    return add


def piece(peer, link, data, **fields):
    peer.transfer(link.session, data, handle=link.own, **fields)


def head(link, count=True, **more):
    """The fields of a delivery's first transfer."""
    n = link.session.next_delivery
    link.session.next_delivery = (n + 1) & MASK
    if count:
        link.count = (link.count + 1) & MASK
    link.session.unsettled[n] = (link, b"")
    return {"delivery_id": n, "delivery_tag": struct.pack(">I", n), "message_format": 0, **more}


def good(peer, link, n=0):
    piece(peer, link, text_of(n), **head(link))


@role("transfer-before-attach", "attach", "a transfer before its attach, as rhea may do")
def _(peer, p, link):
    if link.to_client:
        peer.transfer(link.session, text_of(0), handle=link.own, **head(link))
    peer.answer_attach(link)
    if not link.to_client:
        peer.grant(link)
    return True


@role("transfer-no-credit", "attached", "three transfers before any credit")
def _(peer, link):
    for n in range(3):
        good(peer, link, n)
    return True


@first_credit("transfer-over-credit", "five transfers more than the credit allows")
def _(peer, link):
    for n in range(link.credit + 5):
        good(peer, link, n)


@first_credit("transfer-over-window", "more transfers than the client's incoming-window")
def _(peer, link):
    for n in range(min(((link.session.limit - link.session.next_out) & MASK) + 5, 200000)):
        good(peer, link, n)


@first_credit("transfer-no-id", "a first transfer without a delivery-id")
def _(peer, link):
    piece(peer, link, text_of(0), **head(link, delivery_id=None))


@first_credit("transfer-no-tag", "a first transfer without a delivery-tag")
def _(peer, link):
    piece(peer, link, text_of(0), **head(link, delivery_tag=None))


@first_credit("transfer-long-tag", "a delivery-tag of 33 bytes")
def _(peer, link):
    piece(peer, link, text_of(0), **head(link, delivery_tag=b"t" * 33))


@first_credit("transfer-no-format", "a first transfer without message-format, as many peers send it", True)
def _(peer, link):
    piece(peer, link, text_of(0), **head(link, message_format=None))


@first_credit("transfer-id-skips", "the delivery-ids leave out ten numbers after the first")
def _(peer, link):
    good(peer, link, 0)
    link.session.next_delivery += 10
    good(peer, link, 1)


@first_credit("transfer-id-repeats", "two deliveries with one delivery-id")
def _(peer, link):
    good(peer, link, 0)
    link.session.next_delivery -= 1
    good(peer, link, 1)


@first_credit("transfer-aborted", "a delivery that is aborted in the middle, then a good one", True)
def _(peer, link):
    fields = head(link)
    piece(peer, link, text_of(0)[:8], more=True, **fields)
    piece(peer, link, b"", aborted=True, delivery_id=fields["delivery_id"])
    link.session.unsettled.pop(fields["delivery_id"])
    good(peer, link, 1)


@first_credit("transfer-aborted-first", "a delivery that is aborted by its only transfer, then a good one", True)
def _(peer, link):
    piece(peer, link, b"", aborted=True, **head(link))
    good(peer, link, 1)


@first_credit("transfer-empty-pieces", "a delivery whose transfers carry nothing, one byte, nothing, the rest, nothing", True)
def _(peer, link):
    data = text_of(0)
    piece(peer, link, b"", more=True, **head(link))
    for part in (data[:1], b"", data[1:]):
        piece(peer, link, part, more=True)
    piece(peer, link, b"")


@first_credit("transfer-bytes", "a delivery of one byte a transfer", True)
def _(peer, link):
    data = text_of(0)
    piece(peer, link, data[:1], more=True, **head(link))
    for at in range(1, len(data)):
        piece(peer, link, data[at:at + 1], more=at + 1 < len(data) or None)


@first_credit("transfer-settled-late", "settled comes with the last transfer only", True)
def _(peer, link):
    data = text_of(0)
    fields = head(link)
    piece(peer, link, data[:4], more=True, **fields)
    piece(peer, link, data[4:], settled=True)
    link.session.unsettled.pop(fields["delivery_id"])


@first_credit("transfer-other-id", "a continued delivery changes its delivery-id")
def _(peer, link):
    data = text_of(0)
    fields = head(link)
    piece(peer, link, data[:4], more=True, **fields)
    piece(peer, link, data[4:], delivery_id=fields["delivery_id"] + 1)


@first_credit("transfer-in-transfer", "a second delivery begins on a link before the first has ended")
def _(peer, link):
    piece(peer, link, text_of(0)[:4], more=True, **head(link))
    piece(peer, link, text_of(1)[:4], more=True, **head(link))


@first_credit("transfer-endless", "a delivery that goes on and on: 256 MiB, or until the client ends it")
def _(peer, link):
    size = min(peer.client_frame, 65536) - 100
    piece(peer, link, b"\x00\x53\x75\xb0\x7f\xff\xff\xff" + b"x" * (size - 8), more=True, **head(link))
    for _ in range(2 ** 28 // size):
        if peer.sock in select.select([peer.sock], [], [], 0)[0]:
            return
        piece(peer, link, b"x" * size, more=True)


@first_credit("transfer-too-big", "a message larger than the client's max-message-size")
def _(peer, link):
    most = link.attach.get("max-message-size", 0)
    link.limit = link.count + 1
    peer.deliver(link, wire.message(b"x" * ((most or 2 ** 20) + 1), 0x75))


@first_credit("transfer-half", "half of a delivery, then nothing")
def _(peer, link):
    piece(peer, link, text_of(0)[:8], more=True, **head(link))
    peer.mute()


@first_credit("transfer-half-cut", "half of a delivery, then the socket closes")
def _(peer, link):
    piece(peer, link, text_of(0)[:8], more=True, **head(link))
    peer.cut()


@first_credit("transfer-half-detach", "half of a delivery, then a detach")
def _(peer, link):
    piece(peer, link, text_of(0)[:8], more=True, **head(link))
    peer.detach(link, "amqp:internal-error", "lost it")


@first_credit("transfer-detach", "one good message, then a detach with an error in the same write", True)
def _(peer, link):
    peer.hold()
    good(peer, link)
    peer.detach(link, "amqp:link:stolen", "somebody else has it")
    peer.release()


for name, data, doc in (
        ("empty", b"", "no bytes at all"), ("section", enc(described(ulong(0x79), "x")), "an unknown section"),
        ("bare", enc("hello"), "a value that is no section"),
        ("no-body", enc(described(ulong(0x73), ["id"])), "properties and no body"), ("cut", text_of(0)[:-3], "a message that is cut"),
        ("order", enc(described(ulong(0x77), "x")) + enc(make("header", {"durable": True})), "the header after the body"),
        ("two-bodies", enc(described(ulong(0x77), "x")) * 2, "two amqp-value sections"),
        ("data-string", enc(described(ulong(0x75), "x")), "a data section with a string"),
        ("utf8", b"\x00\x53\x77\xa1\x02\xc3\x28", "a string that is not UTF-8"),
        ("deep", b"\x00\x53\x77" + deep(5000), "5000 lists, one in the other"),
        ("array", b"\x00\x53\x77\xf0\x00\x00\x00\x05\x80\x00\x00\x00\x40", "an array that says 2^31 nulls"),
        ("map-odd", b"\x00\x53\x77\xc1\x02\x01\x40", "a map with an odd number of elements"),
        ("properties-type", enc(described(ulong(0x73), [True])) + enc(described(ulong(0x77), "x")), "a message-id that is a boolean")):
    first_credit("message-" + name, f"one message that is none: {doc}; then a good one")(
        lambda peer, link, data=data: (piece(peer, link, data, **head(link)), good(peer, link, 1)))
first_credit("message-data", "a body of three data sections, the second empty", True)(
    lambda peer, link: piece(peer, link, b"".join(enc(described(ulong(0x75), d)) for d in (b"one", b"", b"three")), **head(link)))
first_credit("message-sequence", "a body of two amqp-sequence sections", True)(
    lambda peer, link: piece(peer, link, b"".join(enc(described(ulong(0x76), d)) for d in ([T("int", 1), "two"], [[]])), **head(link)))
first_credit("message-full", "a message with every section and every field", True)(
    lambda peer, link: piece(peer, link, wire.message(
        "body", header={"durable": True, "priority": 9, "ttl": 60000, "first_acquirer": True, "delivery_count": 3},
        delivery_annotations={symbol("x-opt-da"): T("int", 1)}, message_annotations={symbol("x-opt-ma"): "two"},
        properties={"message_id": T("uuid", bytes(range(16))), "user_id": b"me", "to": "there", "subject": "all of it", "reply_to": "here",
                    "correlation_id": T("ulong", 7),
                    "content_type": "text/plain", "content_encoding": "identity", "absolute_expiry_time": T("timestamp", 2000000000000),
                    "creation_time": T("timestamp", 1700000000000), "group_id": "g", "group_sequence": 5, "reply_to_group_id": "rg"},
        application_properties={"key": "value", "n": T("int", 5), "none": None}, footer={symbol("x-opt-f"): True}), **head(link)))

# Two links at once: transfers of both by turns.


@role("transfer-interleaved", "credit", "waits for two receivers with credit on one session; their deliveries come in pieces by turns", True)
def _(peer, p, link):
    ready = [one for one in link.session.links.values() if one.to_client and one.credit]
    if len(ready) < 2 or link.state.get("done"):
        return True
    data = {}
    for n, one in enumerate(ready):
        one.state["done"] = True
        data[one] = wire.message(f"message of link {one.name} " + "x" * 50)
        piece(peer, one, data[one][:5], more=True, **head(one))
    for at in range(5, max(map(len, data.values())), 5):
        for one in ready:
            if at < len(data[one]):
                piece(peer, one, data[one][at:at + 5], more=at + 5 < len(data[one]) or None)
    return True


def drain(name, doc, legal=False):
    def add(function):
        def run(peer, p, link):
            if not p.get("drain"):
                return False
            function(peer, link)
            return True
        return role(name, "credit", doc, legal)(run)
    return add


drain("drain-ignored", "never answers a drain")(lambda peer, link: None)
drain("drain-half", "answers a drain without using up the credit")(lambda peer, link: peer.send(
    "flow", link.session.channel, **peer.session_fields(link.session), handle=link.own, delivery_count=link.count, link_credit=link.credit, drain=True))


@drain("drain-late", "answers a drain after 300 ms with a message first", True)
def _(peer, link):
    peer.sleep(0.3)
    good(peer, link)
    peer.pump(link)


@drain("drain-crossed", "answers a drain, and sends a message after it all the same")
def _(peer, link):
    peer.pump(link)
    good(peer, link)


@drain("drain-no-flag", "answers a drain by a flow without the drain flag", True)
def _(peer, link):
    link.count = link.limit
    peer.send("flow", link.session.channel, **peer.session_fields(link.session), handle=link.own, delivery_count=link.count, link_credit=0)


# --- to a sender of the client


def answers(name, doc, legal=False):
    """Instead of the accepted disposition of each message."""
    def add(function):
        def run(peer, link, delivery):
            if not delivery["settled"]:
                function(peer, link, delivery["id"])
            return True
        return role(name, "transfer", doc, legal)(run)
    return add


answers("reject", "rejected, with condition, description and info", True)(lambda peer, link, n: peer.settle(
    link, n, state="rejected", error=wire.error("example:bad-message", "the message does not please", {symbol("field"): "subject"})))
answers("reject-bare", "rejected, without an error", True)(lambda peer, link, n: peer.settle(link, n, state="rejected"))
answers("release", "released", True)(lambda peer, link, n: peer.settle(link, n, state="released"))
answers("modify", "modified, with all three fields", True)(lambda peer, link, n: peer.settle(
    link, n, state="modified", delivery_failed=True, undeliverable_here=True,
    message_annotations={symbol("x-opt-why"): "busy", symbol("x-opt-n"): T("int", 3)}))
answers("modify-bare", "modified, without fields", True)(lambda peer, link, n: peer.settle(link, n, state="modified"))
answers("settle-no-state", "settled without any state", True)(lambda peer, link, n: peer.settle(link, n, state=None))
answers("settle-received", "a state of received, then settled as accepted", True)(lambda peer, link, n: (
    peer.settle(link, n, state="received", settled=False, section_number=0, section_offset=0), peer.settle(link, n)))
answers("settle-second", "accepted but not settled: the client has to settle", True)(lambda peer, link, n: peer.settle(link, n, settled=False))
answers("settle-twice", "each disposition twice")(lambda peer, link, n: (peer.settle(link, n), peer.settle(link, n)))
answers("settle-unknown", "dispositions of deliveries far ahead, then the right one")(
    lambda peer, link, n: (peer.settle(link, n + 1000, n + 2000), peer.settle(link, n)))
answers("settle-inverted", "a disposition whose first is above its last, then the right one")(
    lambda peer, link, n: (peer.settle(link, n + 5, n), peer.settle(link, n)))
answers("settle-everything", "a disposition that goes all the way round, from the next delivery-id to this one")(
    lambda peer, link, n: peer.settle(link, (n + 1) & MASK, n))
answers("settle-half-of-all", "a disposition of 2^31 delivery-ids")(lambda peer, link, n: peer.settle(link, n, (n + 2 ** 31 - 1) & MASK))
answers("settle-wrong-role", "dispositions with the role of a sender")(lambda peer, link, n: peer.send(
    "disposition", link.session.channel, role=False, first=n, settled=True, state=make("accepted")))
answers("settle-unknown-state", "a state that nobody knows")(lambda peer, link, n: peer.send(
    "disposition", link.session.channel, role=True, first=n, settled=True, state=described(ulong(0x2F), [])))
answers("settle-state-string", "a state that is a string")(lambda peer, link, n: peer.send(
    "disposition", link.session.channel, role=True, first=n, settled=True, state="accepted"))
answers("settle-declared", "the state of a transaction that nobody declared")(lambda peer, link, n: peer.settle(link, n, state="declared", txn_id=b"1"))
answers("detach-instead", "detach with amqp:link:message-size-exceeded instead of settling", True)(
    lambda peer, link, n: peer.detach(link, "amqp:link:message-size-exceeded", "too much"))
answers("end-instead", "end with amqp:session:window-violation instead of settling", True)(
    lambda peer, link, n: peer.end(link.session, "amqp:session:window-violation", "too many"))
answers("close-instead", "close with amqp:connection:framing-error instead of settling", True)(
    lambda peer, link, n: peer.close("amqp:connection:framing-error", "too bad"))


@role("settle-reversed", "transfer", "settles what one read has brought one by one, the last first", True)
def _(peer, link, delivery):
    if not delivery["settled"]:
        peer.later.insert(0, lambda: peer.settle(link, delivery["id"]))
    return True


@role("settle-ranges", "transfer", "settles by ranges of what one read has brought", True)
def _(peer, link, delivery):
    if delivery["settled"]:
        return True
    if "first" not in link.state:
        link.state["first"] = delivery["id"]
        peer.later.append(lambda: peer.settle(link, link.state.pop("first"), link.state["last"]))
    link.state["last"] = delivery["id"]
    return True


@role("settle-before", "transfer", "detaches with the first message unsettled and accepts it after the detach")
def _(peer, link, delivery):
    peer.detach(link, "amqp:internal-error", "early")
    peer.settle(link, delivery["id"])
    return True


role("credit-none", "attached", "never gives credit", True)(lambda peer, link: True)


@role("credit-late", "attached", "gives credit after 300 ms", True)
def _(peer, link):
    peer.sleep(0.3)
    return False


@role("credit-one", "attached", "credit 1 at a time", True)
def _(peer, link):
    if not link.to_client:
        peer.grant(link, 1)
    return True


@role("credit-one", "transfer")
def _(peer, link, delivery):
    if not delivery["settled"]:
        peer.settle(link, delivery["id"])
    peer.grant(link, 1)
    return True


role("credit-one", "credit")(lambda peer, p, link: False)


@role("credit-behind", "attached", "a flow whose delivery-count is behind the client's, then a good one", True)
def _(peer, link):
    if not link.to_client:
        peer.send("flow", link.session.channel, **peer.session_fields(link.session), handle=link.own, delivery_count=(link.count - 10) & MASK,
                  link_credit=5)
        peer.sleep(0.2)
        peer.grant(link)
    return True


@role("credit-taken-back", "attached", "credit 100, taken back to 0 at once, given again after 300 ms", True)
def _(peer, link):
    if not link.to_client:
        peer.grant(link, 100)
        peer.grant(link, 0)
        peer.sleep(0.3)
        peer.grant(link, 100)
    return True


@role("credit-no-count", "attached", "the first credit comes without delivery-count, as RabbitMQ has it", True)
def _(peer, link):
    if not link.to_client:
        peer.grant(link, delivery_count=None)
    return True


@role("credit-huge", "attached", "credit 2^32-1", True)
def _(peer, link):
    if not link.to_client:
        peer.grant(link, MASK)
    return True


role("credit-huge", "credit")(lambda peer, p, link: False)


@role("drain-sender", "attached", "credit 10 with drain: the client uses it up and says so in a flow", True)
def _(peer, link):
    if not link.to_client:
        peer.grant(link, 10, drain=True)
    return True


role("drain-sender", "credit")(lambda peer, p, link: False)


@role("echo-link", "attached", "a link flow that asks for an echo", True)
def _(peer, link):
    if not link.to_client:
        peer.grant(link, echo=True)
    return True
