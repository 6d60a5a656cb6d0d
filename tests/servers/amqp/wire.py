# SPDX-License-Identifier: Apache-2.0
"""AMQP 1.0 as bytes: typed values, performatives, frames (parts 1, 2, 3 and 5 of the specification). Written from it, for the servers of the tests."""
import struct
import uuid


class Malformed(Exception):
    pass


class T:
    """A value with its type: uint, symbol, described, array... What Python's own types say (None, bool, str, bytes, list, dict) needs none."""
    __slots__ = ("type", "value", "raw")

    def __init__(self, type_, value, raw=None):
        self.type, self.value = type_, value
        self.raw = raw  # as it came, where it came: what is sent back is the same

    def __repr__(self):
        return f"{self.type}({self.value!r})"

    def __eq__(self, other):
        return isinstance(other, T) and (self.type, self.value) == (other.type, other.value)

    def __hash__(self):
        return hash((self.type, repr(self.value)))


class Raw(bytes):
    """Goes out as it is."""


def ubyte(n):
    return T("ubyte", n)


def ushort(n):
    return T("ushort", n)


def uint(n):
    return T("uint", n)


def ulong(n):
    return T("ulong", n)


def symbol(s):
    return T("symbol", s)


def described(descriptor, value):
    return T("described", (descriptor, value))


def array(element, values):
    return T("array", (element, values))


FIXED = {  # type: (code, struct format)
    "ubyte": (0x50, ">B"), "ushort": (0x60, ">H"), "uint": (0x70, ">I"), "ulong": (0x80, ">Q"),
    "byte": (0x51, ">b"), "short": (0x61, ">h"), "int": (0x71, ">i"), "long": (0x81, ">q"),
    "float": (0x72, ">f"), "double": (0x82, ">d"), "timestamp": (0x83, ">q"), "boolean": (0x56, ">?"),
    "char": (0x73, ">I"),
}
OPAQUE = {"decimal32": (0x74, 4), "decimal64": (0x84, 8), "decimal128": (0x94, 16), "uuid": (0x98, 16)}
VARIABLE = {"binary": (0xA0, 0xB0), "string": (0xA1, 0xB1), "symbol": (0xA3, 0xB3)}


CONSTRUCTORS = {code: name for name, (code, _) in {**FIXED, **OPAQUE}.items()}
CONSTRUCTORS.update({code: name for name, codes in VARIABLE.items() for code in codes})
CONSTRUCTORS.update({0x40: "null", 0x41: "boolean", 0x42: "boolean", 0x43: "uint", 0x44: "ulong", 0x45: "list", 0x52: "uint", 0x53: "ulong", 0x54: "int", 0x55: "long",
                     0xC0: "list", 0xD0: "list", 0xC1: "map", 0xD1: "map", 0xE0: "array", 0xF0: "array"})


def variable(type_, data, wide):
    short, long_ = VARIABLE[type_]
    if len(data) < 256 and not wide:
        return bytes([short, len(data)]) + data
    return bytes([long_]) + struct.pack(">I", len(data)) + data


def compound(short, long_, count, body, wide):
    if len(body) + 1 < 256 and count < 256 and not wide:
        return bytes([short, len(body) + 1, count]) + body
    return bytes([long_]) + struct.pack(">II", len(body) + 4, count) + body


def data_of(type_, value):
    return value if type_ == "binary" else value.encode("ascii" if type_ == "symbol" else "utf-8")


def enc(v, wide=False):
    """The shortest encoding, or the longest that there is."""
    if isinstance(v, Raw):
        return bytes(v)
    if v is None:
        return b"\x40"
    if isinstance(v, bool):
        return (b"\x56\x01" if v else b"\x56\x00") if wide else (b"\x41" if v else b"\x42")
    if isinstance(v, bytes):
        return variable("binary", v, wide)
    if isinstance(v, str):
        return variable("string", v.encode(), wide)
    if isinstance(v, int):
        return enc(T("long", v), wide)
    if isinstance(v, float):
        return enc(T("double", v), wide)
    if isinstance(v, (list, tuple)):
        return b"\x45" if not v and not wide else compound(0xC0, 0xD0, len(v), b"".join(enc(e, wide) for e in v), wide)
    if isinstance(v, dict):
        return compound(0xC1, 0xD1, 2 * len(v), b"".join(enc(k, wide) + enc(e, wide) for k, e in v.items()), wide)
    if v.raw is not None:
        return v.raw
    if v.type in ("null", "list"):
        return enc(v.value, wide)
    if v.type == "described":
        return b"\x00" + enc(v.value[0], wide) + enc(v.value[1], wide)
    if v.type == "array":
        element, values = v.value
        code, bodies = elements(element, values)
        return compound(0xE0, 0xF0, len(values), code + b"".join(bodies), wide)
    if v.type in VARIABLE:
        return variable(v.type, data_of(v.type, v.value), wide)
    if v.type in OPAQUE:
        return bytes([OPAQUE[v.type][0]]) + v.value
    if not wide:
        if v.type in ("uint", "ulong"):
            if v.value == 0:
                return b"\x43" if v.type == "uint" else b"\x44"
            if v.value < 256:
                return bytes([0x52 if v.type == "uint" else 0x53, v.value])
        if v.type in ("int", "long") and -128 <= v.value < 128:
            return struct.pack(">Bb", 0x54 if v.type == "int" else 0x55, v.value)
    code, form = FIXED[v.type]
    return bytes([code]) + struct.pack(form, v.value)


def elements(element, values):
    """Constructor and bodies of an array of one type; of arrays, lists and maps: their elements come encoded by their own type."""
    if element in VARIABLE:
        return bytes([VARIABLE[element][1]]), [struct.pack(">I", len(d)) + d for d in (data_of(element, v) for v in values)]
    if element in OPAQUE:
        return bytes([OPAQUE[element][0]]), list(values)
    if element in ("list", "map", "array"):
        code = {"list": 0xD0, "map": 0xD1, "array": 0xF0}[element]
        return bytes([code]), [enc(v, True)[1:] for v in values]
    code, form = FIXED[element]
    return bytes([code]), [struct.pack(form, v) for v in values]


class Reader:
    """Strict: whatever is not as the specification has it is Malformed."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, size):
        if self.at + size > len(self.data):
            raise Malformed(f"a value of {size} bytes at {self.at} ends beyond its {len(self.data)} bytes")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self, depth=0):
        """A T."""
        if depth > 100:
            raise Malformed("values nested deeper than 100")
        begin = self.at
        code = self.number(">B")
        if code == 0:
            descriptor = self.value(depth + 1)
            if descriptor.type not in ("symbol", "ulong"):
                raise Malformed(f"a descriptor of type {descriptor.type}")
            v = described(descriptor, self.value(depth + 1))
        else:
            v = self.body(code, depth)
        if v.type in ("described", "list", "map", "array"):
            v.raw = bytes(self.data[begin:self.at])
        return v

    def body(self, code, depth):
        if code == 0x40:
            return T("null", None)
        if code in (0x41, 0x42):
            return T("boolean", code == 0x41)
        if code == 0x56:
            n = self.number(">B")
            if n > 1:
                raise Malformed(f"a boolean of value {n}")
            return T("boolean", n == 1)
        if code in (0x43, 0x44):
            return T("uint" if code == 0x43 else "ulong", 0)
        if code in (0x52, 0x53):
            return T("uint" if code == 0x52 else "ulong", self.number(">B"))
        if code in (0x54, 0x55):
            return T("int" if code == 0x54 else "long", self.number(">b"))
        if code == 0x45:
            return T("list", [])
        for name, (own, form) in FIXED.items():
            if own == code:
                n = self.number(form)
                if name == "char" and (n > 0x10FFFF or 0xD800 <= n < 0xE000):
                    raise Malformed(f"{n:#x} is no character")
                return T(name, n)
        for name, (own, size) in OPAQUE.items():
            if own == code:
                return T(name, bytes(self.take(size)))
        for name, codes in VARIABLE.items():
            if code in codes:
                data = bytes(self.take(self.number(">B" if code == codes[0] else ">I")))
                try:
                    return T(name, data if name == "binary" else data.decode("ascii" if name == "symbol" else "utf-8"))
                except UnicodeDecodeError as e:
                    raise Malformed(f"a {name} that is not in its encoding: {e}") from None
        if code in (0xC0, 0xD0, 0xC1, 0xD1):
            size, count, inner = self.compound(code < 0xD0)
            values = []
            for _ in range(count):
                values.append(inner.value(depth + 1))
            inner.end()
            if code & 0x0F == 0:
                return T("list", values)
            if count % 2:
                raise Malformed("a map with an odd number of elements")
            keys = [repr(k) for k in values[::2]]
            if len(set(keys)) != len(keys):
                raise Malformed("a map with one key twice")
            return T("map", list(zip(values[::2], values[1::2])))
        if code in (0xE0, 0xF0):
            size, count, inner = self.compound(code == 0xE0)
            descriptor = None
            own = inner.number(">B")
            if own == 0:
                descriptor = inner.value(depth + 1)
                own = inner.number(">B")
            if count > max(size, 1) * 8:
                raise Malformed(f"an array of {count} elements in {size} bytes")
            values = [inner.body(own, depth + 1) for _ in range(count)]
            inner.end()
            name = values[0].type if values else CONSTRUCTORS.get(own, f"{own:#x}")
            if descriptor is not None:
                values = [described(descriptor, v) for v in values]
            return T("array", (name, values))
        raise Malformed(f"there is no constructor {code:#04x}")

    def compound(self, short):
        size = self.number(">B" if short else ">I")
        width = 1 if short else 4
        if size < width:
            raise Malformed(f"a compound value of size {size}")
        inner = Reader(self.take(size))
        count = inner.number(">B" if short else ">I")
        if count > size * 8:
            raise Malformed(f"{count} elements in {size} bytes")
        return size, count, inner

    def end(self):
        if self.at != len(self.data):
            raise Malformed(f"{len(self.data) - self.at} bytes are left over inside a compound value")


def plain(v):
    """For people and JSON: without types; bytes as hexadecimal digits."""
    if isinstance(v, bytes):
        return v.hex()
    if isinstance(v, list):
        return [plain(e) for e in v]
    if isinstance(v, dict):
        return {str(plain(k)): plain(e) for k, e in v.items()}
    if not isinstance(v, T):
        return v
    if v.type == "list":
        return [plain(e) for e in v.value]
    if v.type == "map" and isinstance(v.value, list):
        return {k if isinstance(k := plain(key), str) else repr(k): plain(e) for key, e in v.value}
    if v.type == "array":
        return [plain(e) for e in v.value[1]]
    if v.type == "described":
        known = TYPES.get(code_of(v.value[0]))
        fields = plain(v.value[1])
        if known and isinstance(fields, list):
            return {"": known[0], **{f[0]: e for f, e in zip(known[1], fields) if e is not None}}
        return {"descriptor": plain(v.value[0]), "value": plain(v.value[1])}
    if v.type == "uuid":
        return str(uuid.UUID(bytes=v.value))
    if isinstance(v.value, bytes):
        return v.value.hex()
    return v.value


def typed(v):
    """For tests of types: [type, value]."""
    if v.type == "list":
        return ["list", [typed(e) for e in v.value]]
    if v.type == "map":
        return ["map", [[typed(k), typed(e)] for k, e in v.value]]
    if v.type == "array":
        return ["array", v.value[0], [typed(e) for e in v.value[1]]]
    if v.type == "described":
        return ["described", typed(v.value[0]), typed(v.value[1])]
    return [v.type, plain(v)]


# name, fields: (name, type, mandatory). "symbols": one or an array of them.
_caps = [("offered-capabilities", "symbols"), ("desired-capabilities", "symbols"), ("properties", "map")]
TYPES = {
    0x10: ("open", [("container-id", "string", True), ("hostname", "string"), ("max-frame-size", "uint"), ("channel-max", "ushort"), ("idle-time-out", "uint"),
                    ("outgoing-locales", "symbols"), ("incoming-locales", "symbols"), *_caps]),
    0x11: ("begin", [("remote-channel", "ushort"), ("next-outgoing-id", "uint", True), ("incoming-window", "uint", True), ("outgoing-window", "uint", True),
                     ("handle-max", "uint"), *_caps]),
    0x12: ("attach", [("name", "string", True), ("handle", "uint", True), ("role", "boolean", True), ("snd-settle-mode", "ubyte"), ("rcv-settle-mode", "ubyte"),
                      ("source", "source"), ("target", "target"), ("unsettled", "map"), ("incomplete-unsettled", "boolean"),
                      ("initial-delivery-count", "uint"), ("max-message-size", "ulong"), *_caps]),
    0x13: ("flow", [("next-incoming-id", "uint"), ("incoming-window", "uint", True), ("next-outgoing-id", "uint", True), ("outgoing-window", "uint", True),
                    ("handle", "uint"), ("delivery-count", "uint"), ("link-credit", "uint"), ("available", "uint"), ("drain", "boolean"), ("echo", "boolean"),
                    ("properties", "map")]),
    0x14: ("transfer", [("handle", "uint", True), ("delivery-id", "uint"), ("delivery-tag", "binary"), ("message-format", "uint"), ("settled", "boolean"),
                        ("more", "boolean"), ("rcv-settle-mode", "ubyte"), ("state", "state"), ("resume", "boolean"), ("aborted", "boolean"),
                        ("batchable", "boolean")]),
    0x15: ("disposition", [("role", "boolean", True), ("first", "uint", True), ("last", "uint"), ("settled", "boolean"), ("state", "state"),
                           ("batchable", "boolean")]),
    0x16: ("detach", [("handle", "uint", True), ("closed", "boolean"), ("error", "error")]),
    0x17: ("end", [("error", "error")]),
    0x18: ("close", [("error", "error")]),
    0x1D: ("error", [("condition", "symbol", True), ("description", "string"), ("info", "map")]),
    0x23: ("received", [("section-number", "uint", True), ("section-offset", "ulong", True)]),
    0x24: ("accepted", []),
    0x25: ("rejected", [("error", "error")]),
    0x26: ("released", []),
    0x27: ("modified", [("delivery-failed", "boolean"), ("undeliverable-here", "boolean"), ("message-annotations", "map")]),
    0x28: ("source", [("address", "any"), ("durable", "uint"), ("expiry-policy", "symbol"), ("timeout", "uint"), ("dynamic", "boolean"),
                      ("dynamic-node-properties", "map"), ("distribution-mode", "symbol"), ("filter", "map"), ("default-outcome", "outcome"),
                      ("outcomes", "symbols"), ("capabilities", "symbols")]),
    0x29: ("target", [("address", "any"), ("durable", "uint"), ("expiry-policy", "symbol"), ("timeout", "uint"), ("dynamic", "boolean"),
                      ("dynamic-node-properties", "map"), ("capabilities", "symbols")]),
    0x30: ("coordinator", [("capabilities", "symbols")]),
    0x31: ("declare", [("global-id", "any")]),
    0x32: ("discharge", [("txn-id", "binary", True), ("fail", "boolean")]),
    0x33: ("declared", [("txn-id", "binary", True)]),
    0x34: ("transactional-state", [("txn-id", "binary", True), ("outcome", "outcome")]),
    0x40: ("sasl-mechanisms", [("sasl-server-mechanisms", "symbols", True)]),
    0x41: ("sasl-init", [("mechanism", "symbol", True), ("initial-response", "binary"), ("hostname", "string")]),
    0x42: ("sasl-challenge", [("challenge", "binary", True)]),
    0x43: ("sasl-response", [("response", "binary", True)]),
    0x44: ("sasl-outcome", [("code", "ubyte", True), ("additional-data", "binary")]),
    0x70: ("header", [("durable", "boolean"), ("priority", "ubyte"), ("ttl", "uint"), ("first-acquirer", "boolean"), ("delivery-count", "uint")]),
    0x73: ("properties", [("message-id", "message-id"), ("user-id", "binary"), ("to", "string"), ("subject", "string"), ("reply-to", "string"),
                          ("correlation-id", "message-id"), ("content-type", "symbol"), ("content-encoding", "symbol"), ("absolute-expiry-time", "timestamp"),
                          ("creation-time", "timestamp"), ("group-id", "string"), ("group-sequence", "uint"), ("reply-to-group-id", "string")]),
}
CODES = {name: code for code, (name, _) in TYPES.items()}
SECTIONS = {0x70: "header", 0x71: "delivery-annotations", 0x72: "message-annotations", 0x73: "properties", 0x74: "application-properties", 0x75: "data",
            0x76: "amqp-sequence", 0x77: "amqp-value", 0x78: "footer"}
SECTION_TYPES = {0x71: "map", 0x72: "map", 0x74: "map", 0x75: "binary", 0x76: "list", 0x78: "map"}
STATES = {"received", "accepted", "rejected", "released", "modified", "declared", "transactional-state"}
OUTCOMES = {"accepted", "rejected", "released", "modified"}
SYMBOLS = {f"amqp:{name}:list": code for name, code in CODES.items()}
SYMBOLS.update({f"amqp:{name}:{kind}": code for code, name in SECTIONS.items()
                for kind in [SECTION_TYPES.get(code, "*" if code == 0x77 else "list")]})
SYMBOLS_OF = {code: name for name, code in SYMBOLS.items()}


def code_of(descriptor):
    """The number of a numeric or symbolic descriptor, or None."""
    return SYMBOLS.get(descriptor.value) if descriptor.type == "symbol" else descriptor.value


def make(name, fields=None, full=False):
    """A described list of this type. Fields by name ('-' or '_'); numbers get the type of their field. Trailing nulls are left out unless full."""
    code = CODES[name]
    fields = {k.replace("_", "-"): v for k, v in (fields or {}).items()}
    values = []
    for field in TYPES[code][1]:
        v = fields.pop(field[0], None)
        if isinstance(v, int) and not isinstance(v, bool) and field[1] in FIXED:
            v = T(field[1], v)
        elif isinstance(v, str) and field[1] in ("symbol", "symbols"):
            v = symbol(v)
        elif isinstance(v, list) and field[1] == "symbols":
            v = array("symbol", v)
        values.append(v)
    assert not fields, f"{name} has no {list(fields)}"
    while values and values[-1] is None and not full:
        values.pop()
    return described(ulong(code), values)


def symbolic(v):
    """The same with symbolic descriptors, all the way down."""
    if isinstance(v, T) and v.type == "described":
        d, body = v.value
        if d.type == "ulong" and d.value in SYMBOLS_OF:
            d = symbol(SYMBOLS_OF[d.value])
        return described(d, symbolic(body))
    if isinstance(v, T) and v.type == "list":
        return T("list", symbolic(v.value))
    if isinstance(v, list):
        return [symbolic(e) for e in v]
    return v


def error(condition, description=None, info=None):
    return make("error", {"condition": condition, "description": description, "info": info})


def frame(channel, body, kind=0, doff=2, size=None):
    extended = b"\0" * (4 * doff - 8)
    return struct.pack(">IBBH", 8 + len(extended) + len(body) if size is None else size, doff, kind, channel) + extended + body


class Performative:
    """A composite type as it came: name, fields by name (T, without those that are null), what is wrong with it."""

    def __init__(self, v, wanted=None):
        self.problems = []
        self.fields = {}
        self.code = code_of(v.value[0]) if v.type == "described" else None
        if self.code not in TYPES:
            raise Malformed(f"expected a described list that is known, got {v!r:.100}")
        self.name, table = TYPES[self.code]
        body = v.value[1]
        if body.type != "list":
            raise Malformed(f"{self.name} is a {body.type}, not a list")
        if len(body.value) > len(table):
            self.problems.append(f"{self.name} has {len(body.value)} fields; there are {len(table)}")
        for field, value in zip(table, body.value):
            if value.type != "null":
                wrong = misfit(value, field[1])
                self.problems += [f"{self.name}.{field[0]}: {p}" for p in wrong]
                if not wrong or value.type == "described":
                    self.fields[field[0]] = value
        for n, field in enumerate(table):
            if len(field) > 2 and (n >= len(body.value) or body.value[n].type == "null"):
                self.problems.append(f"{self.name} lacks the mandatory {field[0]}")

    def get(self, name, default=None):
        v = self.fields.get(name)
        return default if v is None else v.value

    def inner(self, name):
        """The Performative in a field, or None."""
        v = self.fields.get(name)
        try:
            return Performative(v) if v is not None else None
        except Malformed:
            return None

    def json(self):
        return {k: plain(v) for k, v in self.fields.items()}


def misfit(v, wanted):
    """What is wrong with a value where this type is wanted."""
    if wanted == "any":
        return []
    if wanted == "symbols":
        good = v.type == "symbol" or (v.type == "array" and (v.value[0] == "symbol" or not v.value[1]))
        return [] if good else [f"symbols wanted, got {v.type}"]
    if wanted == "message-id":
        return [] if v.type in ("ulong", "uuid", "binary", "string") else [f"no message-id can be a {v.type}"]
    if wanted in ("source", "target", "error", "state", "outcome"):
        try:
            p = Performative(v)
        except Malformed as e:
            return [str(e)]
        allowed = OUTCOMES if wanted == "outcome" else STATES | {"declare", "discharge"} if wanted == "state" else {"target", "coordinator"} if wanted == "target" else {wanted}
        return p.problems + ([] if p.name in allowed else [f"{wanted} wanted, got {p.name}"])
    return [] if v.type == wanted else [f"{wanted} wanted, got {v.type}"]


def parse_frame_body(body):
    """(Performative, payload)"""
    reader = Reader(body)
    v = reader.value()
    return Performative(v), bytes(body[reader.at:])


def sections(data):
    """[(code, T)] of a message; Malformed where it is none."""
    found = []
    reader = Reader(data)
    while reader.at < len(data):
        v = reader.value()
        code = code_of(v.value[0]) if v.type == "described" else None
        if code not in SECTIONS:
            raise Malformed(f"{v!r:.60} is no section of a message")
        body = v.value[1]
        if found and (code < found[-1][0] or (code == found[-1][0] and code not in (0x75, 0x76))):
            raise Malformed(f"section {SECTIONS[code]} after {SECTIONS[found[-1][0]]}")
        if code in TYPES:
            problems = Performative(v).problems
            if problems:
                raise Malformed("; ".join(problems))
        elif code in SECTION_TYPES and body.type != SECTION_TYPES[code]:
            raise Malformed(f"section {SECTIONS[code]} is a {body.type}")
        if code == 0x74:
            for key, value in body.value:
                if key.type != "string":
                    raise Malformed(f"a key of the application-properties is a {key.type}")
                if value.type in ("map", "list", "array", "described"):
                    raise Malformed(f"an application-property is a {value.type}")
        if code in (0x71, 0x72, 0x78):
            for key, _ in body.value:
                if key.type not in ("symbol", "ulong"):
                    raise Malformed(f"a key of the {SECTIONS[code]} is a {key.type}")
        found.append((code, body))
    bodies = {code for code, _ in found if 0x75 <= code <= 0x77}
    if len(bodies) != 1:
        raise Malformed(f"a message with {len(bodies)} kinds of body")
    return found


def message(body=None, section=0x77, **more):
    """An encoded message: amqp-value, or one data/sequence section; more: header, properties, application_properties... as dictionaries."""
    parts = []
    for name in ("header", "properties"):
        if name in more:
            more[name] = make(name, more[name])
    for code, name in SECTIONS.items():
        key = name.replace("-", "_")
        if key in more:
            v = more[key]
            parts.append(enc(v if isinstance(v, T) and v.type == "described" else described(ulong(code), v)))
        if code == section:
            parts.append(enc(described(ulong(section), body)))
    return b"".join(parts)


def every_type():
    """A value of every type there is, with the bounds of the numbers; the keys say which."""
    made = {"null": None, "true": True, "false": False, "boolean-wide": Raw(b"\x56\x01")}
    for name, bits in (("byte", 8), ("short", 16), ("int", 32), ("long", 64)):
        for n in (-2 ** (bits - 1), -1, 0, 2 ** (bits - 1) - 1):
            made[f"{name} {n}"] = T(name, n)
            made[f"u{name} {n % 2 ** bits}"] = T("u" + name, n % 2 ** bits)
    made.update({
        "float": T("float", 1.5), "double": T("double", -2.25), "char": T("char", 0x1F600), "timestamp": T("timestamp", 1700000000123),
        "timestamp before 1970": T("timestamp", -1), "uuid": T("uuid", bytes(range(16))), "decimal32": T("decimal32", b"\x22\x50\0\x01"),
        "decimal64": T("decimal64", b"\x22\x34" + b"\0" * 5 + b"\x01"), "decimal128": T("decimal128", b"\x22\x08" + b"\0" * 13 + b"\x01"),
        "binary": b"\x00\xff", "binary empty": b"", "binary long": b"x" * 300, "string": "h\u00e9llo \u65e5\u672c", "string empty": "", "string long": "y" * 300,
        "symbol": symbol("amqp:sym"), "symbol long": symbol("z" * 300), "list": [True, T("int", 1), "two", [None]], "list empty": [],
        "list wide": Raw(enc([True], True)), "map": {"a": T("int", 1), symbol("b"): [T("ubyte", 2)]}, "map empty": {},
        "array of ints": array("int", [-1, 0, 1]), "array of strings": array("string", ["a", "b"]), "array of symbols": array("symbol", ["a", "b"]),
        "array of lists": array("list", [[True], []]), "array of booleans": array("boolean", [True, False]), "array empty": array("int", []),
        "described by symbol": described(symbol("example:thing"), ["x"]), "described by number": described(ulong(0x1234567800000001), "y"),
    })
    return made
