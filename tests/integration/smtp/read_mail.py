# SPDX-License-Identifier: Apache-2.0
"""read_mail.py FILE: a message as Python's email package reads it, as JSON; defects included."""
import base64
import email
import email.header
import email.policy
import email.utils
import json
import sys


def utf8(text):
    """Bytes above 127 in headers (SMTPUTF8) are surrogates there."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8")


def addresses(name):
    """By the older reader: the newer one puts a blank between encoded words of a name (fixed after 3.11)."""
    values = [value for key, value in old._headers if key.lower() == name.lower()]
    found = email.utils.getaddresses([utf8(value) for value in values])
    return [{"name": str(email.header.make_header(email.header.decode_header(who))), "address": where} for who, where in found if where]


def part(one):
    out = {
        "type": one.get_content_type(),
        "disposition": one.get_content_disposition() or "",
        "name": one.get_filename() or "",
        "id": one["Content-ID"] or "",
        "defects": [str(type(d).__name__) for d in one.defects],
    }
    if one.is_multipart():
        out["parts"] = [part(inner) for inner in one.iter_parts()]
    else:
        data = one.get_payload(decode=True)
        out["size"] = len(data)
        if one.get_content_maintype() == "text" and not one.get_filename():
            out["text"] = one.get_content()
        else:
            out["data"] = base64.b64encode(data).decode()
    return out


with open(sys.argv[1], "rb") as source:
    raw = source.read()
message = email.message_from_bytes(raw, policy=email.policy.default)
old = email.message_from_bytes(raw)
lines = raw.split(b"\n")
facts = {
    "headers": sorted({name.lower() for name in message.keys()}),
    "subject": message["Subject"],
    "message_id": message["Message-ID"],
    "in_reply_to": message["In-Reply-To"] or "",
    "x_note": message["X-Note"] or "",
    "longest_line": max(len(line.rstrip(b"\r")) for line in lines),
    "ascii": all(byte < 128 for byte in raw),
    "body": part(message),
}
for name in ("From", "Sender", "Reply-To", "To", "Cc", "Bcc"):
    facts[name.lower()] = addresses(name)
facts["defects"] = [type(d).__name__ for name in message.keys() for value in message.get_all(name) for d in getattr(value, "defects", [])]
json.dump(facts, sys.stdout)
