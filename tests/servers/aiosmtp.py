# SPDX-License-Identifier: Apache-2.0
"""aiosmtp.py MAILDIR PORT IMPLICIT_TLS_PORT USER PASSWORD TLSDIR: an SMTP server that keeps what it gets; see aiosmtp.sh."""
import asyncio
import base64
import json
import os
import re
import ssl
import sys
import urllib.error
import urllib.request

from aiosmtpd.smtp import SMTP, AuthResult

MAIL, PORT, IMPLICIT_PORT, USER, PASSWORD, TLS = sys.argv[1:]
SIZE = int(os.environ.get("SMTP_SIZE", "100000000"))
KEEP = os.environ.get("SMTP_KEEP", "1") == "1"
RESOURCE = os.environ.get("OAUTH_RESOURCE")
REFUSALS = {"reject": "550 5.1.1 mailbox unavailable", "defer": "451 4.7.1 try again later"}


def is_good(token):
    try:
        with urllib.request.urlopen(urllib.request.Request(RESOURCE, headers={"Authorization": "Bearer " + token})) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


class Handler:
    count = 0

    async def auth_XOAUTH2(self, server, args):
        blob = args[1] if len(args) > 1 else await server.challenge_auth("")
        if isinstance(blob, str):
            blob = base64.b64decode(blob)
        if blob == f"user={USER}\1auth=Bearer {PASSWORD}\1\1".encode():
            return AuthResult(success=True, auth_data=USER)
        found = re.fullmatch(rb"user=([^\x01]*)\x01auth=Bearer ([^\x01]*)\x01\x01", blob)
        if RESOURCE and found and await asyncio.to_thread(is_good, found[2].decode()):
            return AuthResult(success=True, auth_data=found[1].decode())
        # As Google does: the reason first, which wants an answer.
        await server.challenge_auth(json.dumps({"status": "401", "schemes": "bearer"}).encode(), encode_to_b64=True)
        return AuthResult(success=False, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, options):
        refusal = REFUSALS.get(address.split("@")[0])
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if KEEP:
            Handler.count += 1
            facts = {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "options": envelope.mail_options,
                "helo": session.host_name,
                "authenticated": bool(session.authenticated),
                "tls": session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
            }
            with open(f"{MAIL}/{Handler.count}.json", "w", encoding="utf-8") as out:
                json.dump(facts, out)
            with open(f"{MAIL}/{Handler.count}.eml", "wb") as out:
                out.write(envelope.original_content)
        return f"250 2.0.0 kept as {Handler.count}"


def server(implicit):
    starttls = None if implicit or os.environ.get("SMTP_TLS") == "off" else context
    return SMTP(Handler(), hostname="localhost", enable_SMTPUTF8=True, tls_context=starttls, data_size_limit=SIZE, auth_require_tls=False,
                authenticator=authenticate, command_call_limit=100000, loop=asyncio.get_running_loop())


async def run():
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: server(False), "127.0.0.1", int(PORT))
    await loop.create_server(lambda: server(True), "127.0.0.1", int(IMPLICIT_PORT), ssl=context)
    await asyncio.Event().wait()


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(TLS + "/server.crt", TLS + "/server.key")
asyncio.run(run())
