# SPDX-License-Identifier: Apache-2.0
"""websocket.py PORT TLS_PORT USER PASSWORD TLSDIR: see websocket.sh."""
import asyncio
import base64
import http
import json
import os
import ssl
import sys

import websockets

port, tls_port, user, password, tls = sys.argv[1:]
ping = float(os.environ["WS_PING"]) if "WS_PING" in os.environ else None
basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def before_upgrade(path, headers):
    path = path.partition("?")[0]
    if (path + "/").startswith("/auth/") and headers.get("Authorization") not in (basic, "Bearer " + password):
        return http.HTTPStatus.UNAUTHORIZED, [("WWW-Authenticate", 'Basic realm="test"')], b"who are you?\n"
    if path.startswith("/refuse/"):
        return http.HTTPStatus(int(path.split("/")[2])), [], b"refused\n"
    if path.startswith("/redirect/"):
        _, _, code, where = path.split("/", 3)
        return http.HTTPStatus(int(code)), [("Location", where)], b"moved\n"
    return None


async def sewio(connection, word):
    feeds = set()

    async def news():
        number = 0
        while True:
            await asyncio.sleep(0.02)
            number += 1
            for feed in sorted(feeds):
                await connection.send(json.dumps({"resource": feed, "body": {"id": feed.split("/")[-1], "at": number}}))

    task = asyncio.ensure_future(news())
    try:
        async for message in connection:
            request = json.loads(message)
            answer = {"method": request["method"], "resource": request["resource"], "status": 200, "headers": {}}
            if request["headers"].get("X-ApiKey") != password:
                answer["status"] = 401
            elif request["method"] == "subscribe":
                feeds.add(request["resource"])
            elif request["method"] == "unsubscribe":
                feeds.discard(request["resource"])
            else:
                answer["body"] = word or request.get("body")
            await connection.send(json.dumps(answer))
            if request["method"] == "cut":
                return connection.transport.abort()
    finally:
        task.cancel()


async def serve(connection):
    path = connection.path.partition("?")[0].removeprefix("/auth")
    route, _, argument = path[1:].partition("/")
    if route == "headers":
        await connection.send(json.dumps(dict(connection.request_headers)))
    elif route == "send":
        await connection.send(b"x" * int(argument))
    elif route == "flood":
        for number in range(int(argument)):
            await connection.send(str(number).rjust(100))
    elif route == "fragments":
        await connection.send(["hello", " ", "world"])
    elif route == "tick":
        for number in range(10**9):
            await connection.send(str(number))
            await asyncio.sleep(0.02)
    elif route == "mute":
        connection.transport.pause_reading()
        await asyncio.sleep(10**9)
    elif route == "sewio":
        return await sewio(connection, argument)
    async for message in connection:
        print(f"{connection.path} {type(message).__name__} {len(message)}", file=sys.stderr, flush=True)
        if route == "close":
            return await connection.close(int(argument), "as asked")
        if route == "drop":
            return connection.transport.abort()
        await connection.send(argument if route == "say" else message)


async def run():
    name = os.environ.get("WS_CERT", "server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(f"{tls}/{name}.crt", f"{tls}/{'self' if name == 'self' else 'server'}.key")
    common = dict(
        process_request=before_upgrade, subprotocols=["one", "two"], ping_interval=ping, ping_timeout=ping, max_size=64 * 2**20,
        compression=None if os.environ.get("WS_DEFLATE") == "off" else "deflate")
    async with websockets.serve(serve, "127.0.0.1", int(port), **common):
        async with websockets.serve(serve, "127.0.0.1", int(tls_port), ssl=context, **common):
            await asyncio.Event().wait()


asyncio.run(run())
