#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""delay.py LISTEN_PORT PORT MILLISECONDS: carries connections to PORT, each byte that much later, in either direction."""
import asyncio
import collections
import sys

# What may be on its way in one direction: more than any window, so that the delay limits and not this.
MOST = 64 << 20


async def carry(reader, writer, delay):
    loop = asyncio.get_running_loop()
    under_way = collections.deque()
    size = 0
    came, went = asyncio.Event(), asyncio.Event()

    async def send():
        nonlocal size
        while True:
            while not under_way:
                came.clear()
                await came.wait()
            due, data = under_way.popleft()
            if (wait := due - loop.time()) > 0.0005:
                await asyncio.sleep(wait)
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()
            size -= len(data)
            went.set()

    sending = asyncio.create_task(send())
    sending.add_done_callback(lambda _: went.set())
    try:
        while True:
            while size > MOST and not sending.done():
                went.clear()
                await went.wait()
            data = await reader.read(1 << 20)
            under_way.append((loop.time() + delay, data))
            size += len(data)
            came.set()
            if not data or sending.done():
                break
        await sending
    except OSError:
        sending.cancel()
        writer.close()


async def main():
    listen, port, delay = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) / 1000

    async def connected(reader, writer):
        far_reader, far_writer = await asyncio.open_connection('127.0.0.1', port, limit=4 << 20)
        await asyncio.gather(carry(reader, far_writer, delay), carry(far_reader, writer, delay))

    server = await asyncio.start_server(connected, '127.0.0.1', listen, limit=4 << 20)
    await server.serve_forever()


asyncio.run(main())
