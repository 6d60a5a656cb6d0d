#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mails as they are found in the world, written for tests, and how Python's email package (3.11, policy default) reads them.

mails.py DIR writes DIR/NAME.eml for each, and DIR/reference.json. A test has qconn read the same and compares; where the two differ on purpose, the
mail says so here (`differs`), with the reason.
"""
import base64
import email
import email.policy
import hashlib
import json
import pathlib
import quopri
import sys

MAILS = []
COMMENT = "the name in the comment is the person's (RFC 5322 section 3.4, as of old); Python leaves it out"


def mail(name, data, crlf=True, differs=None):
    """@param data: text with LF, or bytes; @param differs: {field of the reference: why qconn reads it otherwise}"""
    if isinstance(data, str):
        data = data.encode("utf-8")
    if crlf:
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    MAILS.append((name, data, differs or {}))


def b64(data, width=76):
    if isinstance(data, str):
        data = data.encode("utf-8")
    text = base64.b64encode(data).decode("ascii")
    return "\n".join(text[i:i + width] for i in range(0, len(text), width))


def qp(data):
    if isinstance(data, str):
        data = data.encode("utf-8")
    return quopri.encodestring(data).decode("ascii")


def word(text, charset="utf-8", how="b"):
    raw = text.encode(charset)
    if how == "b":
        return "=?%s?B?%s?=" % (charset, base64.b64encode(raw).decode("ascii"))
    return "=?%s?Q?%s?=" % (charset, "".join("_" if c == 0x20 else chr(c) if chr(c).isalnum() and c < 0x80 else "=%02X" % c for c in raw))


HEAD = """From: Anna Muster <anna@example.com>
To: Bert Beispiel <bert@example.org>
Subject: %s
Date: Tue, 5 Mar 2024 10:15:30 +0100
Message-ID: <%s@example.com>
"""
PNG = bytes.fromhex("89504e470d0a1a0a0000000d494844520000000100000001080200000090775 3de".replace(" ", "")) + bytes(range(256))
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 4 + b"\n%%EOF\n"

# ---- one part: charsets and transfer encodings ----
LANGUAGES = [
    ("german", "Grüße aus Köln, schöne Straße", ["utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"]),
    ("french", "Ça va très bien à l'été, garçon", ["utf-8", "iso-8859-1", "windows-1252"]),
    ("polish", "Zażółć gęślą jaźń", ["utf-8", "iso-8859-2", "windows-1250"]),
    ("russian", "Съешь же ещё этих мягких французских булок", ["utf-8", "koi8-r", "windows-1251", "iso-8859-5"]),
    ("greek", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία", ["utf-8", "iso-8859-7", "windows-1253"]),
    ("japanese", "日本語のメールです。テスト", ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp"]),
    ("chinese", "中文邮件测试内容", ["utf-8", "gb2312", "gbk", "gb18030"]),
    ("traditional", "中文郵件測試內容", ["utf-8", "big5"]),
    ("korean", "한국어 메일 시험입니다", ["utf-8", "euc-kr"]),
    ("hebrew", "שלום עולם", ["utf-8", "iso-8859-8", "windows-1255"]),
    ("arabic", "مرحبا بالعالم", ["utf-8", "iso-8859-6", "windows-1256"]),
    ("turkish", "Şimdi İstanbul'da güneşli", ["utf-8", "iso-8859-9", "windows-1254"]),
    ("emoji", "Ship it 🚀 now 👩‍💻", ["utf-8"]),
]
for language, text, charsets in LANGUAGES:
    for charset in charsets:
        try:
            raw = (text + "\nzweite = line\n").encode(charset)
        except UnicodeEncodeError:
            raw = (text + "\nzweite = line\n").encode(charset, "replace")
        for how in ("base64", "quoted-printable", "8bit"):
            if how == "8bit" and charset not in ("utf-8", "koi8-r", "iso-8859-1", "shift_jis", "iso-2022-jp"):
                continue
            if how == "quoted-printable" and charset in ("gbk", "gb18030", "windows-1256", "windows-1254"):
                continue
            subject = word(text, charset if charset != "iso-2022-jp" else "iso-2022-jp", "b" if how == "base64" else "q")
            head = HEAD % (subject, language + "." + charset + "." + how)
            head += "MIME-Version: 1.0\nContent-Type: text/plain; charset=\"%s\"\nContent-Transfer-Encoding: %s\n\n" % (charset, how)
            body = raw if how == "8bit" else b64(raw).encode() + b"\n" if how == "base64" else qp(raw).encode()
            mail("charset-%s-%s-%s" % (language, charset, how), head.encode() + body)

# ---- shapes of programs ----
mail("gmail-alternative", HEAD % ("Meeting notes", "CAF1") + """MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="000000000000a1b2c3061234"

--000000000000a1b2c3061234
Content-Type: text/plain; charset="UTF-8"

Hi *Bert*,

see you on Tuesday.

--000000000000a1b2c3061234
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<div dir=3D"ltr">Hi <b>Bert</b>,<div><br></div><div>see you on Tuesday.</d=
iv></div>

--000000000000a1b2c3061234--
""")
mail("gmail-attachment", HEAD % ("Invoice", "CAF2") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="000000000000mix"

--000000000000mix
Content-Type: multipart/alternative; boundary="000000000000alt"

--000000000000alt
Content-Type: text/plain; charset="UTF-8"

Attached.

--000000000000alt
Content-Type: text/html; charset="UTF-8"

<div dir="ltr">Attached.</div>

--000000000000alt--
--000000000000mix
Content-Type: application/pdf; name="invoice 2024-03.pdf"
Content-Disposition: attachment; filename="invoice 2024-03.pdf"
Content-Transfer-Encoding: base64
X-Attachment-Id: f_ltq0
Content-ID: <f_ltq0>

""" + b64(PDF) + """
--000000000000mix--
""")
mail("outlook-related", HEAD % ("RE: Logo", "AM0PR") + """Thread-Topic: Logo
Thread-Index: AQHabcdef==
X-MS-Has-Attach: yes
Content-Language: de-DE
MIME-Version: 1.0
Content-Type: multipart/related;
\tboundary="_004_AM0PR05MB_";
\ttype="multipart/alternative"

--_004_AM0PR05MB_
Content-Type: multipart/alternative;
\tboundary="_000_AM0PR05MB_"

--_000_AM0PR05MB_
Content-Type: text/plain; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe,
Anna

[cid:image001.png@01DA6F]

--_000_AM0PR05MB_
Content-Type: text/html; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

<html><body><p>Gr=FC=DFe,<br>Anna</p><img src=3D"cid:image001.png@01DA6F"></bo=
dy></html>

--_000_AM0PR05MB_--

--_004_AM0PR05MB_
Content-Type: image/png; name="image001.png"
Content-Description: image001.png
Content-Disposition: inline; filename="image001.png"; size=289;
\tcreation-date="Tue, 05 Mar 2024 09:00:00 GMT"
Content-ID: <image001.png@01DA6F>
Content-Transfer-Encoding: base64

""" + b64(PNG) + """

--_004_AM0PR05MB_--
""")
mail("outlook-winmail", HEAD % ("Terms", "EX1") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="----=_NextPart_000_0001_01DA"
X-Mailer: Microsoft Outlook 16.0

This is a multipart message in MIME format.

------=_NextPart_000_0001_01DA
Content-Type: text/plain;
\tcharset="us-ascii"
Content-Transfer-Encoding: 7bit

See attached.

------=_NextPart_000_0001_01DA
Content-Type: application/ms-tnef;
\tname="winmail.dat"
Content-Transfer-Encoding: base64
Content-Disposition: attachment;
\tfilename="winmail.dat"

""" + b64(bytes(range(200))) + """

------=_NextPart_000_0001_01DA--

""")
mail("apple-mixed", HEAD % ("Fotos", "APPLE") + """Content-Type: multipart/alternative;
 boundary="Apple-Mail=_1111"
Mime-Version: 1.0 (Mac OS X Mail 16.0 \\(3774.400.31\\))
X-Mailer: Apple Mail (2.3774.400.31)

--Apple-Mail=_1111
Content-Transfer-Encoding: quoted-printable
Content-Type: text/plain;
\tcharset=utf-8

Zwei Bilder =E2=80=93 sch=C3=B6n.

--Apple-Mail=_1111
Content-Type: multipart/mixed;
\tboundary="Apple-Mail=_2222"

--Apple-Mail=_2222
Content-Transfer-Encoding: 7bit
Content-Type: text/html;
\tcharset=us-ascii

<html><body>Zwei Bilder</body></html>
--Apple-Mail=_2222
Content-Disposition: inline;
\tfilename*=utf-8''Bild%20Gr%C3%BC%C3%9Fe.png
Content-Type: image/png;
\tx-unix-mode=0644;
\tname="=?utf-8?Q?Bild_Gr=C3=BC=C3=9Fe=2Epng?="
Content-Transfer-Encoding: base64

""" + b64(PNG) + """
--Apple-Mail=_2222
Content-Transfer-Encoding: 7bit
Content-Type: text/html;
\tcharset=us-ascii

<html><body>end</body></html>
--Apple-Mail=_2222--

--Apple-Mail=_1111--
""")
mail("thunderbird-flowed", HEAD % ("Re: flowed", "TB") + """MIME-Version: 1.0
User-Agent: Mozilla Thunderbird
In-Reply-To: <first@example.com>
References: <zero@example.com> <first@example.com>
Content-Language: en-US
Content-Type: text/plain; charset=UTF-8; format=flowed
Content-Transfer-Encoding: 8bit

On 05.03.2024, Bert wrote:
> a line that is long and\x20
> goes on

Ja, natürlich.

--\x20
Anna
""")
mail("mailman-list", """Return-Path: <orders-bounces@lists.example.org>
Received: from lists.example.org (lists.example.org [192.0.2.7])
\tby mx.example.com (Postfix) with ESMTPS id 4TqABC
\tfor <anna@example.com>; Tue,  5 Mar 2024 11:00:00 +0000 (UTC)
Received: by lists.example.org (Postfix, from userid 33)
\tid 4TqABB; Tue,  5 Mar 2024 10:59:59 +0000 (UTC)
From: "Bert Beispiel (list)" <bert@example.org>
To: orders@lists.example.org
Cc: "Muster, Anna" <anna@example.com>, carl@example.net (Carl C.)
Subject: [Orders] Re: the
 long subject of a list that
\tis folded twice
Date: Tue, 5 Mar 2024 10:59:58 +0000
Message-ID: <list1@lists.example.org>
List-Id: Orders <orders.lists.example.org>
List-Unsubscribe: <https://lists.example.org/options/orders>,
 <mailto:orders-request@lists.example.org?subject=unsubscribe>
Precedence: list
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="===============5551212=="
Errors-To: orders-bounces@lists.example.org

--===============5551212==
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

""" + b64("Grüße an die Liste\n") + """

--===============5551212==
Content-Type: text/plain; charset="us-ascii"
MIME-Version: 1.0
Content-Transfer-Encoding: 7bit
Content-Disposition: inline

_______________________________________________
Orders mailing list
https://lists.example.org/listinfo/orders
--===============5551212==--
""", differs={"cc": COMMENT})
mail("dsn-postfix", """Return-Path: <>
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
To: anna@example.com
Subject: Undelivered Mail Returned to Sender
Date: Tue, 5 Mar 2024 12:00:00 +0000 (UTC)
Auto-Submitted: auto-replied
Message-Id: <dsn1@mx.example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4TqXYZ.1709640000/mx.example.com"

This is a MIME-encapsulated message.

--4TqXYZ.1709640000/mx.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.com.

<nobody@example.org>: host mail.example.org said: 550 5.1.1 User unknown

--4TqXYZ.1709640000/mx.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
X-Postfix-Queue-ID: 4TqXYZ
Arrival-Date: Tue,  5 Mar 2024 11:59:58 +0000 (UTC)

Final-Recipient: rfc822; nobody@example.org
Original-Recipient: rfc822;nobody@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--4TqXYZ.1709640000/mx.example.com
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: anna@example.com
To: nobody@example.org
Subject: Hello
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain

Hello
--inner
Content-Type: text/html

<p>Hello</p>
--inner--

--4TqXYZ.1709640000/mx.example.com--
""", differs={"from": COMMENT})
mail("dsn-exchange", HEAD % ("Unzustellbar: Angebot", "NDR") + """MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="b5ecd9b8"

--b5ecd9b8
Content-Type: multipart/alternative; boundary="c1"

--c1
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

Fehler bei der Nachrichtenzustellung f=C3=BCr folgende Empf=C3=A4nger
--c1
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

<p>Fehler</p>
--c1--

--b5ecd9b8
Content-Type: message/delivery-status

Reporting-MTA: dns;ex.example.com

Final-recipient: RFC822;x@example.org
Action: failed
Status: 5.1.10

--b5ecd9b8
Content-Type: text/rfc822-headers

From: anna@example.com
Subject: Angebot

--b5ecd9b8--
""")
mail("read-receipt", HEAD % ("Read: Contract", "MDN") + """MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="mdn"

--mdn
Content-Type: text/plain

Your message was displayed.
--mdn
Content-Type: message/disposition-notification

Reporting-UA: mail.example.com; Mailer 1.0
Final-Recipient: rfc822;bert@example.org
Original-Message-ID: <x@example.com>
Disposition: manual-action/MDN-sent-manually; displayed

--mdn--
""")
mail("smime-signed", HEAD % ("Signed", "SMIME") + """MIME-Version: 1.0
Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="----ABCDEF"

This is an S/MIME signed message

------ABCDEF
Content-Type: multipart/mixed; boundary="inside"

--inside
Content-Type: text/plain; charset=utf-8

The offer stands.

--inside
Content-Type: application/octet-stream
Content-Disposition: attachment; filename=offer.bin
Content-Transfer-Encoding: base64

""" + b64(bytes(range(64))) + """
--inside--

------ABCDEF
Content-Type: application/pkcs7-signature; name="smime.p7s"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="smime.p7s"

""" + b64(bytes(range(128))) + """

------ABCDEF--

""")
mail("pgp-signed", HEAD % ("PGP", "PGP") + """MIME-Version: 1.0
Content-Type: multipart/signed; micalg="pgp-sha512";
 protocol="application/pgp-signature"; boundary="------------pgp"

This is an OpenPGP/MIME signed message (RFC 4880 and 3156)
--------------pgp
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

trailing =20
blank
--------------pgp
Content-Type: application/pgp-signature; name="OpenPGP_signature.asc"
Content-Description: OpenPGP digital signature
Content-Disposition: attachment; filename="OpenPGP_signature.asc"

-----BEGIN PGP SIGNATURE-----

wsB5BAABCAAjFiEE
-----END PGP SIGNATURE-----

--------------pgp--
""")
mail("pgp-encrypted", HEAD % ("...", "PGPE") + """MIME-Version: 1.0
Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="enc"

--enc
Content-Type: application/pgp-encrypted
Content-Description: PGP/MIME version identification

Version: 1

--enc
Content-Type: application/octet-stream; name="encrypted.asc"
Content-Disposition: inline; filename="encrypted.asc"

-----BEGIN PGP MESSAGE-----

hQIMA
-----END PGP MESSAGE-----

--enc--
""")
mail("calendar-invite", HEAD % ("Invitation: Review", "ICS") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="m"

--m
Content-Type: multipart/alternative; boundary="a"

--a
Content-Type: text/plain; charset="UTF-8"; format=flowed; delsp=yes
Content-Transfer-Encoding: base64

""" + b64("You are invited\n") + """
--a
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<p>You are invited</p>
--a
Content-Type: text/calendar; charset="UTF-8"; method=REQUEST
Content-Transfer-Encoding: 7bit

BEGIN:VCALENDAR
METHOD:REQUEST
END:VCALENDAR
--a--
--m
Content-Type: application/ics; name="invite.ics"
Content-Disposition: attachment; filename="invite.ics"
Content-Transfer-Encoding: base64

""" + b64("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n") + """
--m--
""")
mail("forwarded-message", HEAD % ("Fwd: original", "FWD") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="out"

--out
Content-Type: text/plain

see below
--out
Content-Type: message/rfc822
Content-Disposition: attachment; filename="original.eml"

From: Carl <carl@example.net>
To: anna@example.com
Subject: """ + word("Übersicht für März", "iso-8859-1", "q") + """
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="in"

--in
Content-Type: text/plain; charset=utf-8

first
--in
Content-Type: message/rfc822

From: dora@example.net
Subject: innermost

the innermost text
--in--

--out--
""")
mail("digest", HEAD % ("Digest, Vol 1", "DIG") + """MIME-Version: 1.0
Content-Type: multipart/digest; boundary="dig"

--dig

From: a@example.com
Subject: one

first message

--dig

From: b@example.com
Subject: two

second message

--dig--
""")
mail("fax-tiff", HEAD % ("Fax received", "FAX") + """MIME-Version: 1.0
Content-Type: image/tiff; name=fax0001.tif
Content-Disposition: attachment; filename=fax0001.tif
Content-Transfer-Encoding: base64

""" + b64(PNG * 3) + "\n")
mail("edi-only", HEAD % ("ORDERS", "EDI") + """MIME-Version: 1.0
Content-Type: application/edifact
Content-Transfer-Encoding: 7bit
Content-Disposition: attachment; filename="orders_4711.edi"

UNA:+.? '
UNB+UNOC:3+4012345000009:14+4023083000008:14+240305:1015+4711'
UNZ+1+4711'
""")
mail("xml-8bit", HEAD % ("XML", "XML") + """MIME-Version: 1.0
Content-Type: application/xml; charset=utf-8; name="Bestellung.xml"
Content-Transfer-Encoding: 8bit

<?xml version="1.0"?><Bestellung><Ort>Köln</Ort></Bestellung>
""")

# ---- parameters ----
PARAMS = [
    ("plain", 'attachment; filename=report.csv'),
    ("quoted-blank", 'attachment; filename="my report.csv"'),
    ("quoted-quote", 'attachment; filename="a \\"b\\" c.csv"'),
    ("2231-utf8", "attachment; filename*=UTF-8''%e2%82%ac%20rates.csv"),
    ("2231-latin", "attachment; filename*=iso-8859-1'de'Gr%FC%DFe.txt"),
    ("2231-parted", "attachment; filename*0=\"a very long name \"; filename*1=\"that goes on.txt\""),
    ("2231-parted-extended", "attachment; filename*0*=UTF-8''Gr%C3%BC; filename*1*=%C3%9Fe; filename*2=\".txt\""),
    ("2231-unordered", "attachment; filename*1=\"second.txt\"; filename*0=\"first-\""),
    ("2231-language", "attachment; filename*=utf-8'en'plain.txt"),
    ("2047-quoted", 'attachment; filename="=?utf-8?B?R3LDvMOfZS50eHQ=?="'),
    ("2047-q", 'attachment; filename="=?iso-8859-1?Q?Gr=FC=DFe=2Etxt?="'),
    ("folded", 'attachment;\n filename="folded.txt";\n size=10'),
    ("upper", 'ATTACHMENT; FILENAME=UPPER.TXT'),
    ("both", "attachment; filename=\"fallback.txt\"; filename*=UTF-8''na%C3%AFve.txt"),
    ("semicolon", 'attachment; filename="a;b.txt"'),
    ("empty", 'attachment; filename=""'),
    ("no-value", 'attachment; filename'),
    ("inline", 'inline'),
    ("equals", 'attachment; filename="a=b.txt"'),
    ("trailing", 'attachment; filename="t.txt";'),
    ("comment", 'attachment; filename="c.txt" (a comment)'),
]
for name, value in PARAMS:
    differs = {}
    if name == "both":
        differs = {"0.filename": "the extended form is what the sender means (RFC 6266 says so for HTTP); the plain one is for old readers"}
    mail("filename-" + name, HEAD % (name, "p" + name) + "MIME-Version: 1.0\nContent-Type: application/octet-stream\nContent-Disposition: " + value +
         "\nContent-Transfer-Encoding: base64\n\n" + b64(b"content of " + name.encode()) + "\n", differs=differs)
TYPES = [
    ("upper", "TEXT/HTML; CHARSET=UTF-8"),
    ("no-subtype", "text"),
    ("empty", ""),
    ("two-slashes", "text/plain/extra"),
    ("comment", "text/html (really); charset=utf-8"),
    ("quoted-charset", "text/plain; charset='utf-8'"),
    ("name-only", "application/pdf; name=\"a.pdf\""),
    ("name-2231", "application/pdf; name*=utf-8''%C3%BC.pdf"),
    ("unknown", "x-company/x-thing; a=b"),
    ("double-semicolon", "text/plain;; charset=utf-8"),
    ("missing-semicolon", "text/html charset=utf-8"),
]
for name, value in TYPES:
    differs = {}
    if name == "comment":
        differs = {"0.type": "a comment is no part of it (RFC 2045 section 5.1)"}
    if name == "missing-semicolon":
        differs = {"0.type": "the type is plain to see; Python takes the whole for no type"}
    mail("type-" + name, HEAD % (name, "t" + name) + "MIME-Version: 1.0\nContent-Type: " + value + "\n\nbody of it\n", differs=differs)

# ---- headers ----
SUBJECTS = [
    ("plain", "plain text"),
    ("folded", "one\n two\n three"),
    ("adjacent", word("Grü") + " " + word("ße")),
    ("adjacent-folded", word("Grü") + "\n " + word("ße aus") + "\n " + word(" Köln")),
    ("mixed", "Re: " + word("Grüße", "iso-8859-1", "q") + " and more"),
    ("q-underscore", word("a b c d é", "utf-8", "q")),
    ("lower-case", "=?utf-8?q?caf=C3=A9?="),
    ("language", "=?utf-8*en?q?caf=C3=A9?="),
    ("no-padding", "=?utf-8?B?R3LDvMOfZQ?="),
    ("not-a-word", "=?this is no word?="),
    ("half-word", "=?utf-8?B?R3LDvMOf"),
    ("empty", ""),
    ("8bit-utf8", "Grüße"),
    ("long-fold", "a" * 70 + "\n " + "b" * 70),
    ("split-character", "=?utf-8?B?4oI=?= =?utf-8?B?rA==?="),
    ("unknown-charset", "=?x-no-such?Q?abc?="),
    ("word-in-quotes", '"' + word("Grüße") + '"'),
    ("no-blank-before", "Re:" + word("Grüße")),
]
for name, value in SUBJECTS:
    mail("subject-" + name, HEAD % (value, "s" + name) + "\nbody\n")
FROMS = [
    ("bare", "anna@example.com"),
    ("angle", "<anna@example.com>"),
    ("name", "Anna Muster <anna@example.com>"),
    ("quoted", '"Muster, Anna" <anna@example.com>'),
    ("escaped", '"Anna \\"the boss\\" Muster" <anna@example.com>'),
    ("comment", "anna@example.com (Anna Muster)"),
    ("word", word("Änna Müster") + " <anna@example.com>"),
    ("words", word("Änna") + " " + word("Müster") + " <anna@example.com>"),
    ("two", "Anna <anna@example.com>, Bert <bert@example.org>"),
    ("group", "Friends: anna@example.com, Bert <bert@example.org>;"),
    ("empty-group", "undisclosed-recipients:;"),
    ("quoted-local", '"john doe"@example.com'),
    ("literal", "anna@[192.0.2.1]"),
    ("folded", "Anna\n Muster\n <anna@example.com>"),
    ("dots", "J. R. Doe <jr@example.com>"),
    ("subdomain", "Anna <anna+tag@mail.eu.example.com>"),
    ("upper", "ANNA@EXAMPLE.COM"),
    ("word-in-quotes", '"' + word("Änna") + '" <anna@example.com>'),
    ("no-blank", "Anna<anna@example.com>"),
    ("apostrophe", "O'Hara <o'hara@example.com>"),
]
for name, value in FROMS:
    differs = {}
    if name == "comment":
        differs = {"to": COMMENT}
    if name == "words":
        differs = {"to": "white space between two encoded words is none of the text (RFC 2047 section 6.2)"}
    mail("address-" + name, ("From: sender@example.com\nTo: %s\nSubject: x\n\nbody\n" % value), differs=differs)
DATES = [
    ("usual", "Tue, 5 Mar 2024 10:15:30 +0100"),
    ("no-day-name", "5 Mar 2024 10:15:30 +0100"),
    ("gmt", "Tue, 05 Mar 2024 10:15:30 GMT"),
    ("comment", "Tue, 5 Mar 2024 10:15:30 +0100 (CET)"),
    ("no-seconds", "Tue, 5 Mar 2024 10:15 -0500"),
    ("two-digits", "Tue, 5 Mar 24 10:15:30 +0000"),
    ("est", "Tue, 5 Mar 2024 10:15:30 EST"),
    ("minus-zero", "Tue, 5 Mar 2024 10:15:30 -0000"),
    ("half-hour", "Tue, 5 Mar 2024 10:15:30 +0530"),
    ("blanks", "Tue,  5  Mar  2024  10:15:30  +0100"),
    ("nonsense", "yesterday"),
    ("leap", "Thu, 29 Feb 2024 23:59:59 +0000"),
]
for name, value in DATES:
    mail("date-" + name, "From: a@example.com\nDate: %s\nSubject: x\n\nbody\n" % value)

# ---- what is broken ----
mail("broken-no-end-boundary", HEAD % ("cut", "b1") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="bb"

--bb
Content-Type: text/plain

first
--bb
Content-Type: text/plain

second, which is cut he""")
mail("broken-no-boundary-parameter", HEAD % ("none", "b2") + """MIME-Version: 1.0
Content-Type: multipart/mixed

--bb
Content-Type: text/plain

first
--bb--
""")
mail("broken-boundary-not-found", HEAD % ("other", "b3") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="expected"

--other
Content-Type: text/plain

first
--other--
""")
mail("broken-inner-not-closed", HEAD % ("inner", "b4") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary="inner"

--inner
Content-Type: text/plain

text
--inner
Content-Type: text/html

<p>text</p>
--outer
Content-Type: application/octet-stream

data
--outer--
""")
mail("broken-no-header-end", """From: a@example.com
Subject: no empty line
this is already the body
and so is this
""")
mail("broken-space-before-colon", """From: a@example.com
Subject : a blank before the colon
To: b@example.com

body
""", differs={"headers": "RFC 5322 section 4.5 has the blank as an obsolete form; Python ends the headers there",
              "subject": "likewise", "to": "likewise", "0.headers": "likewise", "0.sha256": "likewise", "0.text": "likewise"})
mail("broken-continuation-first", """ leading fold
From: a@example.com
Subject: x

body
""")
mail("broken-envelope", """From a@example.com Tue Mar  5 10:15:30 2024
From: a@example.com
Subject: from a mailbox file

body
>From here
""", crlf=False)
mail("broken-lf", HEAD % ("bare LF", "b5") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b

one
--b
Content-Type: text/html

<p>two</p>
--b--
""", crlf=False)
mail("broken-mixed-ends", b"From: a@example.com\r\nSubject: mixed\nContent-Type: multipart/mixed; boundary=b\r\n\n--b\r\n\none\r\n--b\n\r\ntwo\n--b--\r\n",
     crlf=False)
mail("broken-empty", "")
mail("broken-only-body", "no header at all, just text\nof two lines\n")
mail("broken-only-headers", "From: a@example.com\nSubject: nothing else\n")
mail("broken-base64-garbage", HEAD % ("garbage", "b6") + """Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

SGVs!bG8g
d29y*bGQ=
""")
mail("broken-base64-no-padding", HEAD % ("padding", "b7") + """Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

SGVsbG8gd29ybGQ
""")
mail("broken-base64-footer", HEAD % ("footer", "b8") + """Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

SGVsbG8gd29ybGQhCg==

_______________________________________________
Orders mailing list
""")
mail("broken-base64-one-character", HEAD % ("one", "b9") + """Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

SGVsbG8gd29ybGQhA
""", differs={"0.sha256": "the whole groups are decoded; Python gives the base64 itself"})
mail("broken-qp", HEAD % ("qp", "b10") + """Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

100=% sure = yes =ZZ =e4 =E4=
joined =
""")
mail("broken-qp-blank-soft", HEAD % ("qp", "b11") + """Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: quoted-printable

soft =\x20
end
""", differs={"0.sha256": "blanks behind a soft line end were added on the way (RFC 2045 section 6.7, rule 3)", "0.text": "likewise"})
mail("broken-unknown-encoding", HEAD % ("enc", "b12") + "Content-Type: text/plain\nContent-Transfer-Encoding: x-secret\n\nas it is =41\n")
mail("broken-unknown-charset", HEAD % ("charset", "b13") + "Content-Type: text/plain; charset=x-no-such\n\nonly ASCII\n",
     differs={"0.text": "what is valid is shown; Python refuses the whole text"})
mail("broken-8bit-undeclared", (HEAD % ("8bit", "b14")).encode() + b"Content-Type: text/plain\n\nGr\xc3\xbc\xc3\x9fe\n",
     differs={"0.text": "undeclared 8-bit text is UTF-8 where it is valid; Python replaces it"})
mail("broken-latin-as-ascii", (HEAD % ("8bit", "b15")).encode() + b"Content-Type: text/plain; charset=us-ascii\n\nGr\xfc\xdfe\n",
     differs={"0.text": "8-bit text that is neither declared nor UTF-8 is taken as windows-1252; Python replaces it"})
mail("broken-1252-as-latin1", (HEAD % ("quotes", "b16")).encode() + b"Content-Type: text/plain; charset=iso-8859-1\n\n\x93quoted\x94 \x80 5\n",
     differs={"0.text": "bytes 80 to 9F are windows-1252 whatever the name (as browsers have it)"})
mail("broken-invalid-utf8", (HEAD % ("utf8", "b17")).encode() + b"Content-Type: text/plain; charset=utf-8\n\nab\xffcd\xc3(e\n")
mail("broken-multipart-base64", HEAD % ("mp", "b18") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b
Content-Transfer-Encoding: base64

--b
Content-Type: text/plain

one
--b--
""")
mail("broken-message-base64", HEAD % ("msg", "b19") + """MIME-Version: 1.0
Content-Type: message/rfc822
Content-Transfer-Encoding: base64

""" + b64("From: x@example.com\r\nSubject: inside\r\n\r\nbody\r\n") + "\n",
     differs={"parts": "Python parses the base64 as if it were the mail; here it is a part whose body() is the mail"})
mail("broken-boundary-prefix", HEAD % ("prefix", "b20") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="abc"

--abc
Content-Type: multipart/alternative; boundary="abcdef"

--abcdef
Content-Type: text/plain

one
--abcdef--
--abc
Content-Type: text/plain

two
--abc--
""")
mail("broken-boundary-blanks", HEAD % ("blanks", "b21") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="bb"

--bb\x20\x20
Content-Type: text/plain

one
--bb\t
Content-Type: text/plain

two
--bb--\x20
""")
mail("broken-dashes-in-text", HEAD % ("dashes", "b22") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="-"

---
Content-Type: text/plain

-- signature
--bb
---- not
-----
""")
mail("broken-empty-part", HEAD % ("empty", "b23") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="bb"

--bb
--bb

--bb
Content-Type: text/plain
--bb
Content-Type: text/plain

--bb--
""")
mail("broken-text-after-end", HEAD % ("epilogue", "b24") + """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="bb"

preamble
--bb
Content-Type: text/plain

one
--bb--
epilogue
--bb
Content-Type: text/plain

not a part any more
""")
mail("broken-duplicate-headers", """From: a@example.com
Subject: first
Subject: second
Content-Type: text/html
Content-Type: text/plain

<p>body</p>
""")
mail("broken-nested-deep", "From: a@example.com\nSubject: deep\n" + "".join(
    "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(20)) + "Content-Type: text/plain\n\ndeepest\n" + "".join(
    "--b%d--\n" % i for i in reversed(range(20))))
mail("broken-nul", HEAD % ("nul", "b25") + "Content-Type: text/plain\n\na\x00b\n")
mail("broken-uuencode", HEAD % ("uu", "b26") + """Content-Type: application/octet-stream
Content-Transfer-Encoding: x-uuencode

begin 644 hello.txt
-2&5L;&\\@=V]R;&0A"@``
`
end
""")
mail("broken-long-line", HEAD % ("long", "b27") + "\n" + "x" * 5000 + "\n")


# ---- how Python reads them ----
def text_of(part):
    try:
        return part.get_content()
    except Exception as error:  # unknown charsets
        return "!" + type(error).__name__


def describe(part, path, out):
    entry = {"path": path, "type": part.get_content_type(), "multipart": part.is_multipart(), "headers": len(part.items())}
    name = part.get_filename()
    entry["filename"] = name or ""
    entry["disposition"] = part.get_content_disposition() or ""
    out.append(entry)
    if part.is_multipart():
        children = part.get_payload()
        entry["children"] = len(children)
        for number, child in enumerate(children):
            describe(child, path + "." + str(number), out)
        return
    entry["children"] = 0
    body = part.get_payload(decode=True)
    entry["sha256"] = hashlib.sha256(body if body is not None else b"").hexdigest()
    if entry["type"].startswith("text/"):
        entry["text"] = text_of(part)


def addresses(message, name):
    found = message[name]
    return [[a.display_name, a.addr_spec] for a in found.addresses] if found is not None else []


def reference(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    parts = []
    describe(message, "0", parts)
    out = {"parts": parts, "headers": [name for name, _ in message.items()]}
    for name in ("subject",):
        try:
            out[name] = str(message[name]) if message[name] is not None else ""
        except Exception as error:
            out[name] = "!" + type(error).__name__
    for name in ("from", "to", "cc"):
        try:
            out[name] = addresses(message, name)
        except Exception as error:
            out[name] = "!" + type(error).__name__
    try:
        date = message["date"].datetime if message["date"] is not None else None
        if date is None:
            out["date"] = None
        else:
            offset = date.utcoffset()
            if offset is None:
                import datetime
                date = date.replace(tzinfo=datetime.timezone.utc)
                offset = datetime.timedelta(0)
            out["date"] = [int(date.timestamp()), int(offset.total_seconds() // 60)]
    except Exception as error:
        out["date"] = "!" + type(error).__name__
    return out


def clean(value):
    """JSON has no lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, list):
        return [clean(v) for v in value]
    if isinstance(value, dict):
        return {k: clean(v) for k, v in value.items()}
    return value


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    all_mails = {}
    for name, data, differs in MAILS:
        assert name not in all_mails, name
        (folder / (name + ".eml")).write_bytes(data)
        entry = clean(reference(data))
        entry["differs"] = differs
        all_mails[name] = entry
    (folder / "reference.json").write_text(json.dumps(all_mails, ensure_ascii=True, indent=1), encoding="ascii")
    print(len(all_mails), "mails")


if __name__ == "__main__":
    main()
