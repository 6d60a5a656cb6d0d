#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes proton.txt: values and messages as Qpid Proton encodes them. Made once, with Debian 12's python3-qpid-proton (0.37.0); the tests read the
file and need no Proton.

    /usr/bin/python3 make_proton.py > proton.txt
"""
import uuid

from proton import (UNDESCRIBED, Array, Data, Described, Message, byte, char, decimal32, decimal64, decimal128, float32, int32, short, symbol,
                    timestamp, ubyte, uint, ulong, ushort)

UUID = uuid.UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")

VALUES = [
    (None, "null"),
    (True, "true"),
    (False, "false"),
    (ubyte(255), '{"type":"ubyte","value":255}'),
    (ushort(65535), '{"type":"ushort","value":65535}'),
    (uint(0), '{"type":"uint","value":0}'),
    (uint(255), '{"type":"uint","value":255}'),
    (uint(256), '{"type":"uint","value":256}'),
    (ulong(0), '{"type":"ulong","value":0}'),
    (ulong(255), '{"type":"ulong","value":255}'),
    (ulong(18446744073709551615), '{"type":"ulong","value":18446744073709551615}'),
    (byte(-128), '{"type":"byte","value":-128}'),
    (short(-32768), '{"type":"short","value":-32768}'),
    (int32(-128), '{"type":"int","value":-128}'),
    (int32(128), '{"type":"int","value":128}'),
    (-1, '{"type":"long","value":-1}'),
    (-9223372036854775808, '{"type":"long","value":-9223372036854775808}'),
    (float32(0.5), '{"type":"float","value":0.5}'),
    (0.1, '{"type":"double","value":0.1}'),
    (decimal32(0x0A1B2C3D), '{"type":"decimal32","value":"0A1B2C3D"}'),
    (decimal64(0x0A1B2C3D01020304), '{"type":"decimal64","value":"0A1B2C3D01020304"}'),
    (decimal128(bytes(range(16))), '{"type":"decimal128","value":"000102030405060708090A0B0C0D0E0F"}'),
    (char("ü"), '{"type":"char","value":"ü"}'),
    (timestamp(1382520345253), '{"type":"timestamp","value":1382520345253}'),
    (UUID, '{"type":"uuid","value":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}'),
    (b"\x00\xff", '{"type":"binary","value":"00FF"}'),
    ("", '""'),
    ("Grüße", '"Grüße"'),
    ("x" * 256, '"' + "x" * 256 + '"'),
    (symbol("amqp:link:stolen"), '{"type":"symbol","value":"amqp:link:stolen"}'),
    ([], '{"type":"list","value":[]}'),
    ([True, None, "three"], '{"type":"list","value":[true,null,"three"]}'),
    (["x" * 300], '{"type":"list","value":["' + "x" * 300 + '"]}'),
    ({symbol("a"): int32(1)}, '{"type":"map","value":[{"type":"symbol","value":"a"},{"type":"int","value":1}]}'),
    (Array(UNDESCRIBED, Data.INT, int32(1), int32(-70000)), '{"type":"array","value":[{"type":"int","value":1},{"type":"int","value":-70000}]}'),
    (Array(UNDESCRIBED, Data.UINT, uint(1)), '{"type":"array","value":[{"type":"uint","value":1}]}'),
    (Array(UNDESCRIBED, Data.BOOL, True, False), '{"type":"array","value":[true,false]}'),
    (Array(UNDESCRIBED, Data.STRING, "a", "bc"), '{"type":"array","value":["a","bc"]}'),
    (Array(UNDESCRIBED, Data.SYMBOL, symbol("a")), '{"type":"array","value":[{"type":"symbol","value":"a"}]}'),
    (Array(symbol("d"), Data.DOUBLE, 0.5, 1.5),
     '{"type":"array","value":[{"descriptor":{"type":"symbol","value":"d"},"type":"double","value":0.5},'
     '{"descriptor":{"type":"symbol","value":"d"},"type":"double","value":1.5}]}'),
    (Array(UNDESCRIBED, Data.LIST, [int32(1)], []), '{"type":"array","value":[{"type":"list","value":[{"type":"int","value":1}]},{"type":"list","value":[]}]}'),
    (Described(ulong(37), ["x"]), '{"descriptor":{"type":"ulong","value":37},"type":"list","value":["x"]}'),
    (Described(symbol("a:b"), "x"), '{"descriptor":{"type":"symbol","value":"a:b"},"value":"x"}'),
]


def full_message():
    m = Message(body="Hello")
    m.durable, m.priority, m.ttl, m.first_acquirer, m.delivery_count = True, 9, 5, True, 3
    m.instructions = {symbol("x-opt-d"): int32(1)}
    m.annotations = {symbol("x-opt-m"): "m"}
    m.id, m.user_id, m.address, m.subject, m.reply_to, m.correlation_id = "id-1", b"user", "to", "subject", "reply-to", ulong(77)
    m.content_type, m.content_encoding = symbol("text/plain"), symbol("gzip")
    m.expiry_time, m.creation_time = 1.0, 2.0
    m.group_id, m.group_sequence, m.reply_to_group_id = "group", 7, "reply-group"
    m.properties = {"a": int32(1)}
    return m


def messages():
    yield "text", Message(body="Hello")
    yield "data", Message(body=b"\x00\xff", inferred=True)
    yield "binary", Message(body=b"\x00\xff")
    yield "sequence", Message(body=[int32(1), "two"], inferred=True)
    yield "list", Message(body=[int32(1), "two"])
    yield "map", Message(body={"k": True})
    yield "null", Message()
    yield "full", full_message()


def main():
    print("# Qpid Proton 0.37.0, by make_proton.py. value HEX JSON, and message NAME HEX")
    for value, json in VALUES:
        data = Data()
        data.put_object(value)
        print("value", data.encode().hex(), json, sep="\t")
    for name, message in messages():
        print("message", name, message.encode().hex(), sep="\t")


if __name__ == "__main__":
    main()
