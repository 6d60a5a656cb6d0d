# SPDX-License-Identifier: Apache-2.0
"""TCP proxy whose network is broken on request.

faultproxy.py PORT CONTROL_PORT HOST:PORT

A line on the control port is a JSON object of rules, or one of the words `clear` (no rules), `cut` (RST to every client) and
`show`. It is answered by one JSON object: the rules, `connections` so far and `live` ones.

    delay         seconds before each block passes      rate          bytes a second, each way
    reset_after   RST after that many bytes to a client close_after   FIN there
    stall_after   silence there, the connection stays   corrupt_at    index of a byte to a client that is inverted
    chunk         largest block, for example 1          refuse        RST at once
    accept_only   accepts, and that is all

Rules that count bytes count those of one connection.
"""
import asyncio
import json
import socket
import struct
import sys

FOREVER = 10**9
NO_RULES = {
    "delay": 0, "rate": 0, "reset_after": -1, "close_after": -1, "stall_after": -1, "corrupt_at": -1,
    "chunk": 0, "refuse": False, "accept_only": False,
}
rules = dict(NO_RULES)
clients = set()
accepted = 0


def reset(writer):
    linger = struct.pack("ii", 1, 0)  # on, zero seconds: close() sends RST
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def next_end(passed):
    """The rule that ends the flow to a client, and after how many further bytes."""
    set_rules = [(rules[name] - passed, name) for name in ("reset_after", "close_after", "stall_after") if rules[name] >= 0]
    return min(set_rules) if set_rules else (FOREVER, "")


async def send(writer, block):
    writer.write(block)
    await writer.drain()
    if rules["rate"]:
        await asyncio.sleep(len(block) / rules["rate"])


async def to_server(reader, writer, ended):
    try:
        while block := await reader.read(65536):
            await asyncio.sleep(rules["delay"])
            size = rules["chunk"] or len(block)
            for start in range(0, len(block), size):
                await send(writer, block[start:start + size])
        if writer.can_write_eof():
            writer.write_eof()
    finally:
        ended.set()


async def to_client(reader, writer, ended):
    passed = 0
    while block := await reader.read(65536):
        await asyncio.sleep(rules["delay"])
        size = rules["chunk"] or len(block)
        for start in range(0, len(block), size):
            piece = bytearray(block[start:start + size])
            if passed <= rules["corrupt_at"] < passed + len(piece):
                piece[rules["corrupt_at"] - passed] ^= 0xFF
            room, how = next_end(passed)
            if len(piece) >= room:
                await send(writer, bytes(piece[:max(room, 0)]))
                if how == "stall_after":
                    await ended.wait()  # until the client goes
                if how == "reset_after":
                    reset(writer)
                writer.close()
                return
            await send(writer, bytes(piece))
            passed += len(piece)
    if writer.can_write_eof():
        writer.write_eof()


async def serve(reader, writer, host, port):
    global accepted
    accepted += 1
    clients.add(writer)
    upstream = None
    try:
        if rules["refuse"]:
            reset(writer)
            return
        if rules["accept_only"]:
            while await reader.read(65536):
                pass
            return
        answers, upstream = await asyncio.open_connection(host, port)
        ended = asyncio.Event()
        await asyncio.gather(to_server(reader, upstream, ended), to_client(answers, writer, ended))
    except OSError:
        reset(writer)
    finally:
        clients.discard(writer)
        for end in (writer, upstream):
            if end:
                end.close()


async def control(reader, writer):
    while line := (await reader.readline()).decode().strip():
        if line == "clear":
            rules.update(NO_RULES)
        elif line == "cut":
            for one in list(clients):
                clients.discard(one)
                reset(one)
        elif line != "show":
            rules.update(json.loads(line))
        writer.write(json.dumps({**rules, "connections": accepted, "live": len(clients)}).encode() + b"\n")
        await writer.drain()
    writer.close()


async def main(port, control_port, target):
    host, target_port = target.rsplit(":", 1)
    listening = await asyncio.start_server(lambda r, w: serve(r, w, host, int(target_port)), "127.0.0.1", int(port), backlog=1024)
    controlling = await asyncio.start_server(control, "127.0.0.1", int(control_port))
    async with listening, controlling:
        await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:4]))
