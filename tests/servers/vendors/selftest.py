#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Walks each stand-in through its flows, and shows that each thing that is wrong by itself is refused as the vendor would. Starts vendors.sh on a free port."""
import base64
import gzip
import hashlib
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "vendors.sh"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
OAUTH_ACCEPT = f"{FORM},{JSON}"
BULK = "http://www.force.com/2009/06/asyncapi/dataload"


# The server -------------------------------------------------------------------------------------------------------------------------------------------


def make_certificate(into):
    """What vendors.sh takes in place of the files of tls.sh, in a fraction of their time."""
    into.mkdir()
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(into / "server.key")]
    subprocess.run(["openssl", "req", "-x509", "-days", "2", *names, *key, "-out", str(into / "server.crt")], check=True, capture_output=True)
    (into / "complete").write_text("ok\n")


def start():
    with open(f"{folder.name}/output.log", "ab") as log:
        environment = {**os.environ, "TLS_DIR": f"{folder.name}/tls"}
        started = subprocess.Popen([str(SCRIPT), "start", folder.name, str(main_port)], stdout=log, stderr=log, env=environment)
    end = time.monotonic() + 30
    while subprocess.call([str(SCRIPT), "ready", folder.name, str(main_port)]):
        if time.monotonic() > end or started.poll() is not None:
            raise RuntimeError(pathlib.Path(folder.name, "output.log").read_text())
        time.sleep(0.05)
    return started


def stop(started):
    started.send_signal(signal.SIGTERM)
    started.wait()


def known_vendors():
    return json.loads(pathlib.Path(folder.name, "vendors.json").read_text())


def setUpModule():
    global folder, process, vendors, context, main_port
    folder = tempfile.TemporaryDirectory()
    with socket.create_server(("127.0.0.1", 0)) as free:
        main_port = free.getsockname()[1]
    make_certificate(pathlib.Path(folder.name, "tls"))
    process = start()
    vendors = known_vendors()
    context = ssl.create_default_context(cafile=f"{folder.name}/tls/server.crt")


def tearDownModule():
    stop(process)
    folder.cleanup()


# Requests ---------------------------------------------------------------------------------------------------------------------------------------------


class Got:
    def __init__(self, answer):
        self.status, self.headers, raw = answer.status, answer.headers, answer.read()
        self.text = (gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw).decode()
        self.json = json.loads(self.text) if JSON in self.headers.get("Content-Type", "") else None


def ask(port, method="GET", path="/", headers={}, fields=None, value=None, body=None, tls=False):
    """fields: a form; value: JSON."""
    headers = dict(headers)
    if fields is not None:
        headers.setdefault("Content-Type", FORM)
        body = urllib.parse.urlencode(fields)
    elif value is not None:
        headers.setdefault("Content-Type", JSON)
        body = json.dumps(value)
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context) if tls else http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request(method, path, body, headers)
        return Got(connection.getresponse())
    finally:
        connection.close()


def changed(base, changes):
    """A request with other headers, fields or parts; None takes one away."""
    result = {**base, **changes}
    for part in ("headers", "fields"):
        if isinstance(base.get(part), dict) and isinstance(changes.get(part), dict):
            result[part] = {name: value for name, value in {**base[part], **changes[part]}.items() if value is not None}
    return result


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Case(unittest.TestCase):
    """`base`: a request of the API that is right but for the token; `login`: one for a token."""

    vendor = api = ""

    def setUp(self):
        self.known = vendors[self.vendor]["login"]
        self.ports = vendors[self.vendor]["ports"]
        self.port = self.ports[self.api or "api"]
        self.control(reset=True)
        self.prepare()

    def control(self, **knobs):
        self.assertEqual(ask(self.port, "POST", "/__control", value=knobs).status, 200)

    def log(self):
        return ask(self.port, path="/__log").json

    def send(self, base, changes):
        request = changed(base, changes)
        return ask(request.pop("port", self.port), **request)

    def accepted(self, base, status=200, **changes):
        got = self.send(base, changes)
        if got.status != status:
            self.fail(f"{got.status} in place of {status}: {got.text}\n{self.log()['requests'][-1:]}")
        return got

    def refused(self, base, *rows):
        """rows: status, text in the body, text in the reason, changes"""
        for status, body, reason, changes in rows:
            with self.subTest(changes=changes):
                got = self.send(base, changes)
                logged = self.log()["requests"][-1]
                self.assertEqual((got.status, logged["verdict"]), (status, "refused"), (logged, got.text))
                self.assertIn(body, got.text)
                self.assertIn(reason, logged["reason"])

    def with_token(self, **changes):
        """`base` with a new token."""
        return changed(self.base, {"headers": {**changes, "Authorization": "Bearer " + self.accepted(self.login).json["access_token"]}})


# The vendors ------------------------------------------------------------------------------------------------------------------------------------------


class Sewio(Case):
    vendor = "sewio"

    def prepare(self):
        self.base = {"path": "/sensmapserver/api/feeds", "headers": {"X-ApiKey": self.known["apikey"], "Accept": JSON}}

    def test_feeds(self):
        self.assertEqual(self.accepted(self.base).json["totalResults"], 3)
        self.assertEqual(self.accepted(self.base, path="/sensmapserver/api/anchors").json["results"][0]["id"], 41)
        body = gzip.compress(json.dumps({"title": "T" * 2000}).encode())
        made = self.accepted(self.base, 201, method="POST", body=body, headers={"Content-Encoding": "gzip", "Content-Type": JSON + ";charset=utf-8"}).json
        self.assertEqual(json.loads(self.log()["requests"][-1]["body"])["title"], "T" * 2000)
        one = {"path": f"/sensmapserver/api/feeds/{made['id']}"}
        packed = self.accepted(self.base, headers={"Accept-Encoding": "gzip"}, **one)
        self.assertEqual((packed.headers["Content-Encoding"], packed.json["title"]), ("gzip", "T" * 2000))
        self.accepted(self.base, method="PUT", value={"title": "x"}, **one)
        self.accepted(self.base, 204, method="DELETE", **one)
        self.assertEqual(self.log()["refused"], [])

    def test_refused(self):
        post = {"method": "POST", "value": {"title": "x"}}
        self.refused(
            self.base,
            (403, "X-ApiKey", "X-ApiKey: None", {"headers": {"X-ApiKey": None}}),
            (403, "X-ApiKey", "X-ApiKey", {"headers": {"X-ApiKey": "other"}}),
            (403, "X-ApiKey", "Authorization", {"headers": {"Authorization": "Bearer x"}}),
            (406, "JSON", "Accept", {"headers": {"Accept": "text/html"}}),
            (404, "resource", "no such path", {"path": "/api/feeds"}),
            (405, "method", "DELETE on", {"method": "DELETE"}),
            (404, "feed", "nothing has the key 99", {"path": "/sensmapserver/api/feeds/99"}),
            (400, "Host", "Host", {"headers": {"Host": "other.example"}}),
            (400, "body", "GET with a body", {"body": "x"}),
            (415, "JSON", "Content-Type", {**post, "headers": {"Content-Type": "text/x-yaml"}}),
            (400, "JSON", "body", {"method": "POST", "body": "{", "headers": {"Content-Type": JSON}}),
            (400, "JSON", "not an object", {"method": "POST", "body": "[]", "headers": {"Content-Type": JSON}}),
            (415, "Content-Encoding", "bzip2", {**post, "headers": {"Content-Encoding": "bzip2"}}),
            (415, "Content-Encoding", "not gzip", {**post, "headers": {"Content-Encoding": "gzip"}}),
            (422, "title", "title", {"method": "POST", "value": {"name": "x"}}),
        )


class Billwerk(Case):
    vendor = "billwerk"

    def prepare(self):
        known = self.known
        self.login = {"method": "POST", "path": "/oauth/token", "fields": {"grant_type": "client_credentials"},
                      "headers": {"Authorization": basic(known["client_id"], known["client_secret"]), "Accept": OAUTH_ACCEPT}}
        fields = {"grant_type": "password", "client_id": known["public_client_id"], "username": known["username"], "password": known["password"]}
        self.of_user = {"method": "POST", "path": "/oauth/token", "headers": {"Accept": JSON, "Accept-Charset": "utf-8"}, "fields": fields}
        self.base = {"path": "/api/v1/contracts", "headers": {"Accept": JSON, "Accept-Charset": "utf-8"}}

    def test_tokens(self):
        tokens = {self.accepted(login).json["access_token"] for login in (self.login, self.login, self.of_user)}
        self.assertEqual(len(tokens), 3)
        self.refused(
            self.login,
            (401, "invalid_client", "Authorization", {"headers": {"Authorization": None}}),
            (401, "invalid_client", "Authorization", {"headers": {"Authorization": basic("x", "y")}}),
            (400, "invalid_request", "client_secret", {"fields": {"client_secret": "x"}}),
            (400, "invalid_request", "query with client_id", {"path": "/oauth/token?client_id=x"}),
            (400, "unsupported_grant_type", "grant_type", {"fields": {"grant_type": "other"}}),
            (400, "unsupported_grant_type", "grant_type", {"fields": {"grant_type": None}}),
            (400, "invalid_request", "Content-Type", {"headers": {"Content-Type": FORM + ";charset=utf-8"}}),
            (400, "invalid_request", "Content-Type", {"headers": {"Content-Type": JSON}}),
            (406, "media", "Accept", {"headers": {"Accept": None}}),
            (406, "utf-8", "Accept-Charset", {"headers": {"Accept-Charset": "latin1"}}),
            (404, "resource", "no such path", {"path": "/api/v1/oauth/token"}),
        )
        self.refused(
            self.of_user,
            (400, "invalid_request", "Authorization", {"headers": {"Authorization": "Basic eDp5"}}),
            (401, "invalid_client", "client_id", {"fields": {"client_id": None}}),
            (400, "invalid_grant", "password", {"fields": {"password": "x"}}),
            (400, "invalid_grant", "username", {"fields": {"username": None}}),
            (400, "invalid_request", "client_secret", {"fields": {"client_secret": "x"}}),
        )
        self.control(password="new")
        self.refused(self.of_user, (400, "invalid_grant", "password", {}))
        self.accepted(self.of_user, fields={"password": "new"})

    def test_api(self):
        base = self.with_token()
        page = self.accepted(base, path="/api/v1/contracts?take=2")
        self.assertEqual((page.json[0]["CustomerName"], page.headers["Content-Type"]), ("Müller & Söhne", JSON))
        self.assertEqual(len(self.accepted(base, path=f"/api/v1/contracts?from={page.json[1]['Id']}").json), 2)
        self.accepted(base, path=f"/api/v1/contracts/{page.json[0]['Id']}")
        post = {"method": "POST", "path": "/api/v1/customers", "value": {"CompanyName": "Ö"}}
        self.accepted(base, 204, method="DELETE", path="/api/v1/customers/" + self.accepted(base, 201, **post).json["Id"])
        self.refused(
            base,
            (401, "denied", "no Authorization", {"headers": {"Authorization": None}}),
            (401, "denied", "unknown token", {"headers": {"Authorization": "Bearer x"}}),
            (401, "denied", "scheme", {"headers": {"Authorization": "Basic eDp5"}}),
            (406, "utf-8", "Accept-Charset", {"headers": {"Accept-Charset": None}}),
            (406, "media", "Accept", {"headers": {"Accept": "text/x-yaml"}}),
            (404, "resource", "no such path", {"path": "/contracts"}),
            (404, "not found", "nothing has", {"path": "/api/v1/contracts/0"}),
            (415, "media type", "Content-Type", {**post, "headers": {"Content-Type": JSON + ";charset=utf-8"}}),
            (400, "invalid", "body", {"method": "POST", "path": "/api/v1/customers", "body": "x", "headers": {"Content-Type": JSON}}),
        )


class Zeyos(Case):
    vendor = "zeyos"

    def prepare(self):
        self.value = {name: self.known[name] for name in ("name", "password", "appsecret")}
        self.value["identifier"] = "selftest"
        self.login = {"method": "POST", "path": "/test/auth/v1/login", "headers": {"Accept": JSON}, "value": self.value}
        self.base = {"path": "/test/api/v1/appointments", "headers": {"Accept": JSON}}

    def test_login(self):
        self.assertEqual(len(self.accepted(self.login).json["token"]), 40)
        body = {"value": None, "headers": {"Content-Type": JSON}}
        self.refused(
            self.login,
            (401, "password", "password", {"value": {**self.value, "password": "x"}}),
            (401, "username", "name", {"value": {**self.value, "name": "x"}}),
            (401, "application", "appsecret", {"value": {**self.value, "appsecret": "x"}}),
            (400, "Bad", "wanted: name, password, identifier", {"value": {**self.value, "identifier": ""}}),
            (400, "Bad", "grant_type", {"value": {**self.value, "grant_type": "x"}}),
            (404, "Instance", "instance", {"path": "/other/auth/v1/login"}),
            (404, "not found", "no such path", {"path": "/auth/v1/login"}),
            (415, "Media", "Content-Type", {"headers": {"Content-Type": JSON + ";charset=utf-8"}}),
            (415, "Media", "Content-Type", {"value": None, "fields": self.value}),
            (400, "JSON", "body", {**body, "body": "name=x"}),
            (400, "Bad", "Authorization", {"headers": {"Authorization": basic("x", "y")}}),
            (406, "Accept", "Accept", {"headers": {"Accept": None}}),
        )

    def test_appointments(self):
        base = changed(self.base, {"headers": {"Authorization": "Bearer " + self.accepted(self.login).json["token"]}})
        self.assertEqual(self.accepted(base).json[1]["name"], "Besichtigung Köln")
        made = self.accepted(base, 201, method="POST", value={"name": "x"}).json["ID"]
        one = {"path": f"/test/api/v1/appointments/{made}"}
        self.accepted(base, method="PATCH", value={"name": "y"}, **one)
        self.assertEqual(self.accepted(base, **one).json["name"], "y")
        self.accepted(base, 204, method="DELETE", **one)
        self.refused(
            base,
            (401, "Unauthorized", "no Authorization", {"headers": {"Authorization": None}}),
            (404, "Instance", "instance", {"path": "/other/api/v1/appointments"}),
            (404, "Entity", "nothing", one),
            (415, "Media", "Content-Type", {"method": "POST", "value": {"name": "x"}, "headers": {"Content-Type": JSON + "; charset=utf-8"}}),
        )
        self.control(expire_tokens=True)
        self.refused(base, (401, "Unauthorized", "expired token", {}))


class ServiceNow(Case):
    vendor = "servicenow"

    def prepare(self):
        fields = {"grant_type": "password", **self.known}
        self.login = {"method": "POST", "path": "/oauth_token.do", "headers": {"Accept": OAUTH_ACCEPT}, "fields": fields}
        self.base = {"path": "/api/now/table/incident", "headers": {"Accept": JSON}}
        self.basic = changed(self.base, {"headers": {"Authorization": basic(self.known["username"], self.known["password"])}})

    def test_tokens(self):
        first = self.accepted(self.login).json
        refresh = changed(self.login, {"fields": {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "username": None, "password": None}})
        self.assertNotEqual(self.accepted(refresh).json["access_token"], first["access_token"])
        self.refused(
            self.login,
            (401, "access_denied", "client_id", {"fields": {"client_id": None}}),
            (401, "access_denied", "client_secret", {"fields": {"client_secret": "x"}}),
            (401, "access_denied", "username", {"fields": {"username": "x"}}),
            (401, "access_denied", "password", {"fields": {"password": None}}),
            (400, "unsupported_grant_type", "grant_type", {"fields": {"grant_type": "client_credentials"}}),
            (400, "invalid_request", "field with scope", {"fields": {"scope": "x"}}),
            (400, "invalid_request", "query with x", {"path": "/oauth_token.do?x=y"}),
            (400, "invalid_request", "Authorization", {"headers": {"Authorization": basic("x", "y")}}),
            (400, "invalid_request", "Content-Type", {"headers": {"Content-Type": JSON}}),
            (406, "not acceptable", "Accept", {"headers": {"Accept": "text/html"}}),
            (400, "does not represent", "no such path", {"path": "/api/now/oauth_token.do"}),
        )
        self.refused(
            refresh,
            (401, "invalid_grant", "refresh_token", {"fields": {"refresh_token": "x"}}),
            (400, "invalid_request", "username", {"fields": {"username": "x"}}),
        )
        self.control(expire_tokens="refresh")
        self.refused(refresh, (401, "invalid_grant", "refresh_token", {}))

    def test_pings(self):
        bare = "sysparm_exclude_reference_link=true&sysparm_suppress_pagination_header=true"
        ping = f"/api/now/table/sys_properties?{bare}&sysparm_fields=value&sysparm_query=name=mid.version"
        for base in (self.basic, self.with_token()):
            self.assertEqual(list(self.accepted(base, path=ping).json["result"][0]), ["value"])
            self.assertEqual(len(self.accepted(base, path="/api/now/table/sys_dictionary?sysparm_query=name=incident").json["result"]), 3)
            self.accepted(base, path="/api/x_qconn/orders")

    def test_incidents(self):
        page = self.accepted(self.basic, path="/api/now/table/incident?sysparm_limit=2")
        self.assertEqual((len(page.json["result"]), page.headers["X-Total-Count"]), (2, "3"))
        self.assertIn("sysparm_offset=2", page.headers["Link"])
        found = self.accepted(self.basic, path="/api/now/v2/table/incident?sysparm_query=priority%3D1%5Estate%3D3").json["result"]
        self.assertEqual([one["number"] for one in found], ["INC0000002"])
        made = self.accepted(self.basic, 201, method="POST", value={"short_description": "ä"}, headers={"Content-Type": JSON + ";charset=utf-8"})
        one = {"path": urllib.parse.urlsplit(made.headers["Location"]).path}
        self.accepted(self.basic, method="PATCH", value={"state": "2"}, **one)
        self.assertEqual(self.accepted(self.basic, **one).json["result"]["state"], "2")
        self.accepted(self.basic, 204, method="DELETE", **one)
        self.refused(
            self.basic,
            (401, "User Not Authenticated", "no Authorization", {"headers": {"Authorization": None}}),
            (401, "User Not Authenticated", "Authorization", {"headers": {"Authorization": basic("x", "y")}}),
            (401, "User Not Authenticated", "unknown token", {"headers": {"Authorization": "Bearer x"}}),
            (404, "No Record found", "nothing", one),
            (400, "Invalid table", "table", {"path": "/api/now/table/other"}),
            (400, "does not represent", "no such path", {"path": "/table/incident"}),
            (406, "media types", "Accept", {"headers": {"Accept": "text/html"}}),
            (415, "Media type", "Content-Type", {"method": "POST", "body": "a: 1", "headers": {"Content-Type": "text/x-yaml"}}),
            (400, "payload", "body", {"method": "POST", "body": "x", "headers": {"Content-Type": JSON}}),
        )

    def test_void_tokens(self):
        base = self.with_token()
        self.control(expire_tokens=True)
        self.refused(base, (401, "User Not Authenticated", "expired token", {}))
        self.accepted(self.with_token())
        self.control(token_lifetime=0)
        self.refused(self.with_token(), (401, "User Not Authenticated", "expired token", {}))


class Sap(Case):
    vendor = "sap"

    def prepare(self):
        known = self.known
        authorization = basic(known["client_id"], known["client_secret"])
        token = {"method": "POST", "path": "/oauth2/apitoken/v1", "headers": {"Accept": JSON}}
        self.login = {**token, "fields": {"grant_type": "client_credentials", "client_id": known["client_id"], "client_secret": known["client_secret"]}}
        self.by_query = changed(token, {"path": "/oauth2/apitoken/v1?grant_type=client_credentials", "headers": {"Authorization": authorization}})
        self.by_basic = changed({**token, "fields": {"grant_type": "client_credentials"}}, {"headers": {"Authorization": authorization}})
        self.base = {"path": "/s4hanacloud/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner", "headers": {"Accept": JSON}}
        self.keyed = changed(self.base, {"headers": {"ApiKey": known["apikey"]}})

    def test_tokens(self):
        for login in (self.login, self.by_query, self.by_basic):
            self.assertEqual(self.accepted(login).json["token_type"], "Bearer")
        self.refused(
            self.login,
            (401, "invalid_client", "client_id", {"fields": {"client_id": "x"}}),
            (401, "invalid_client", "client_secret", {"fields": {"client_secret": None}}),
            (400, "grant_type", "grant_type", {"fields": {"grant_type": "password"}}),
            (400, "invalid_request", "client_id", {"headers": {"Authorization": self.by_basic["headers"]["Authorization"]}}),
            (400, "invalid_request", "query", {"path": "/oauth2/apitoken/v1?grant_type=client_credentials"}),
            (400, "invalid_request", "Content-Type", {"headers": {"Content-Type": JSON}}),
            (400, "conflict", "ApiKey", {"headers": {"ApiKey": self.known["apikey"]}}),
            (404, "segment", "no such path", {"path": "/s4hanacloud/oauth2/apitoken/v1"}),
        )
        self.refused(
            self.by_query,
            (401, "invalid_client", "Authorization", {"headers": {"Authorization": basic("x", "y")}}),
            (401, "invalid_client", "Authorization", {"headers": {"Authorization": None}}),
            (400, "grant_type", "grant_type", {"path": "/oauth2/apitoken/v1"}),
        )

    def test_partners(self):
        for base in (self.keyed, self.with_token()):
            page = self.accepted(base, path=base["path"] + "?$top=2&$skip=1&$inlinecount=allpages").json["d"]
            self.assertEqual([one["BusinessPartner"] for one in page["results"]], ["1000060", "1003764"])
            self.assertEqual(self.accepted(base, path=base["path"] + "('1000060')").json["d"]["BusinessPartnerFullName"], "Ottokar Übermüller")
            made = self.accepted(base, 201, method="POST", value={"BusinessPartnerFullName": "x"})
            self.accepted(base, 204, method="PATCH", path=urllib.parse.urlsplit(made.headers["Location"]).path, value={"BusinessPartnerFullName": "y"})
        self.refused(
            self.keyed,
            (401, "FailedToResolveAPIKey", "no Authorization", {"headers": {"ApiKey": None}}),
            (401, "InvalidApiKey", "ApiKey", {"headers": {"ApiKey": "x"}}),
            (400, "conflict", "Authorization", {"headers": {"Authorization": "Bearer x"}}),
            (401, "InvalidAccessToken", "unknown token", {"headers": {"ApiKey": None, "Authorization": "Bearer x"}}),
            (406, "types", "Accept", {"headers": {"Accept": "application/xml"}}),
            (404, "segment", "no such path", {"path": "/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner"}),
            (404, "A_BusinessPartner", "nothing", {"path": self.base["path"] + "('9')"}),
        )
        base = self.with_token()
        self.control(expire_tokens=True)
        self.refused(base, (401, "access_token_expired", "expired", {}))


class Dataverse(Case):
    vendor = "dataverse"

    def prepare(self):
        self.path = f"/{self.known['tenant']}/oauth2/v2.0/token"
        client = {name: self.known[name] for name in ("client_id", "client_secret")}
        fields = {"grant_type": "client_credentials", **client, "scope": "https://127.0.0.1/.default"}
        self.login = {"method": "POST", "path": self.path, "headers": {"Accept": OAUTH_ACCEPT}, "fields": fields, "port": self.ports["login"], "tls": True}
        self.base = {"path": "/api/data/v9.2/accounts", "headers": {"Accept": JSON, "OData-Version": "4.0", "OData-MaxVersion": "4.0"}, "tls": True}

    def test_tokens(self):
        self.accepted(self.login, tls=False)
        refresh = changed(self.login, {"fields": {"grant_type": "refresh_token", "refresh_token": self.known["refresh_token"], "scope": None}})
        self.accepted(refresh, fields={"refresh_token": self.accepted(refresh).json["refresh_token"]})
        self.refused(refresh, (400, "invalid_grant", "refresh_token", {"fields": {"refresh_token": "x"}}))
        self.refused(
            self.login,
            (400, "AADSTS90002:", "tenant", {"path": "/common/oauth2/v2.0/token"}),
            (400, "AADSTS900144:", "grant_type", {"fields": {"grant_type": None}}),
            (400, "AADSTS70003:", "grant_type", {"fields": {"grant_type": "x"}}),
            (400, "AADSTS700016:", "client_id", {"fields": {"client_id": "x"}}),
            (401, "AADSTS7000215:", "client_secret", {"fields": {"client_secret": "x"}}),
            (400, "AADSTS900144:", "scope", {"fields": {"scope": None}}),
            (400, "AADSTS1002012:", "scope", {"fields": {"scope": "https://127.0.0.1"}}),
            (400, "AADSTS500011:", "scope", {"fields": {"scope": f"https://127.0.0.1:{self.port}/.default"}}),
            (400, "AADSTS500011:", "scope", {"fields": {"scope": "cdsrests://127.0.0.1/.default"}}),
            (400, "invalid_request", "resource", {"fields": {"resource": "x"}}),
            (400, "invalid_request", "Authorization", {"headers": {"Authorization": basic("x", "y")}}),
            (400, "AADSTS900144:", "Content-Type", {"headers": {"Content-Type": JSON}}),
            (404, "Resource not found", "no such path", {"port": self.port}),
        )

    def test_accounts(self):
        base = self.with_token()
        self.assertIn("UserId", self.accepted(base, path="/api/data/v9.1/WhoAmI").json)
        self.assertEqual(self.accepted(base, path="/api/data/v9.2/systemusers?$top=1&$select=identityid").json["value"][0]["identityid"], 17)
        first = self.accepted(base, path="/api/data/v9.2/accounts?$select=name", headers={"Prefer": "odata.maxpagesize=2"}).json
        link = urllib.parse.urlsplit(first["@odata.nextLink"])
        self.assertEqual((link.scheme, link.netloc), ("https", f"127.0.0.1:{self.port}"))
        second = self.accepted(base, path=f"{link.path}?{link.query}").json
        self.assertEqual([len(first["value"]), len(second["value"]), "@odata.nextLink" in second], [2, 3, False])
        made = self.accepted(base, 204, method="POST", value={"name": "ß"})
        one = {"path": urllib.parse.urlsplit(made.headers["OData-EntityId"]).path}
        self.accepted(base, 201, method="POST", value={"name": "x"}, headers={"Prefer": "return=representation"})
        self.accepted(base, 204, method="PATCH", value={"name": "y"}, **one)
        self.assertEqual(self.accepted(base, **one).json["name"], "y")
        self.accepted(base, 204, method="DELETE", **one)
        self.refused(
            base,
            (401, "", "no Authorization", {"headers": {"Authorization": None}}),
            (401, "", "unknown token", {"headers": {"Authorization": "Bearer x"}}),
            (415, "MIME", "Accept", {"headers": {"Accept": "text/html"}}),
            (412, "OData", "OData-Version", {"headers": {"OData-Version": "3.0"}}),
            (404, "0x8006088a", "no such path", {"path": "/api/data/v8.2/accounts"}),
            (404, "0x8006088a", "no such path", {"path": "/accounts"}),
            (404, "0x80040217", "nothing", one),
            (400, "0x80060888", "nonsense", {"path": "/api/data/v9.2/accounts?$select=nonsense"}),
            (400, "0x80060888", "nonsense", {"method": "POST", "value": {"nonsense": 1}}),
            (400, "0x80048d19", "body", {"method": "POST", "body": "x", "headers": {"Content-Type": JSON}}),
            (415, "0x80060888", "Content-Type", {"method": "POST", "body": "x"}),
        )


class Salesforce(Case):
    vendor, api = "salesforce", "instance"

    def prepare(self):
        fields = {"grant_type": "password", **{name: self.known[name] for name in ("client_id", "client_secret", "username", "password")}}
        at_login = {"method": "POST", "port": self.ports["login"], "tls": True}
        self.login = {**at_login, "path": "/services/oauth2/token", "headers": {"Accept": JSON}, "fields": fields}
        self.revoke = {**at_login, "path": "/services/oauth2/revoke"}
        self.base = {"path": "/services/data/v61.0/sobjects/Account", "headers": {"Accept": JSON}, "tls": True}

    def test_tokens(self):
        answer = self.accepted(self.login).json
        self.assertEqual(answer["instance_url"], f"https://127.0.0.1:{self.port}")
        self.assertTrue(self.accepted(self.login, tls=False).json["instance_url"].startswith("http://"))
        refresh = {"grant_type": "refresh_token", "refresh_token": self.known["refresh_token"], "username": None, "password": None}
        self.accepted(self.login, fields=refresh)
        self.refused(
            self.login,
            (400, "unsupported_grant_type", "grant_type", {"fields": {"grant_type": None}}),
            (400, "unsupported_grant_type", "Content-Type", {"headers": {"Content-Type": JSON}}),
            (400, "invalid_client_id", "client_id", {"fields": {"client_id": "x"}}),
            (400, "invalid_client\"", "client_secret", {"fields": {"client_secret": "x"}}),
            (400, "authentication failure", "username", {"fields": {"username": "x"}}),
            (400, "authentication failure", "password", {"fields": {"password": None}}),
            (400, "invalid_grant", "refresh_token", {"fields": {**refresh, "refresh_token": "x"}}),
            (400, "invalid_request", "scope", {"fields": {"scope": "api"}}),
            (400, "invalid_request", "query", {"path": "/services/oauth2/token?client_secret=x"}),
            (400, "invalid_request", "Authorization", {"headers": {"Authorization": basic("x", "y")}}),
            (406, "not acceptable", "Accept", {"headers": {"Accept": "text/html"}}),
            (400, "must use HTTP POST", "GET", {"method": "GET", "fields": None}),
            (404, "NOT_FOUND", "no such path", {"port": self.port}),
        )
        body = gzip.compress(urllib.parse.urlencode(self.login["fields"]).encode())
        packed = {"fields": None, "body": body, "headers": {"Content-Type": FORM, "Content-Encoding": "gzip"}}
        self.refused(self.login, (400, "invalid_request", "Content-Encoding", packed))

    def test_versions(self):
        base = self.with_token()
        for given in (base, self.base):
            versions = self.accepted(given, path="/services/data").json
            self.assertEqual((versions[-1]["version"], versions[-1]["url"]), ("61.0", "/services/data/v61.0"))
        self.refused(
            base,
            (404, "NOT_FOUND", "version", {"path": "/services/data/v99.0/sobjects"}),
            (401, "INVALID_SESSION_ID", "unknown token", {"path": "/services/data", "headers": {"Authorization": "Bearer x"}}),
            (406, "media", "Accept", {"path": "/services/data", "headers": {"Accept": None}}),
            (404, "NOT_FOUND", "no such path", {"path": "/services/data", "port": self.ports["login"]}),
        )

    def test_accounts(self):
        base = self.with_token()
        first = self.accepted(base, path="/services/data/v61.0/query?q=SELECT+Id,Name+FROM+Account").json
        second = self.accepted(base, path=first["nextRecordsUrl"]).json
        third = self.accepted(base, path=second["nextRecordsUrl"]).json
        self.assertEqual([(one["done"], len(one["records"])) for one in (first, second, third)], [(False, 2), (False, 2), (True, 1)])
        for part in ("", "/sobjects"):
            self.accepted(base, path="/services/data/v31.0" + part)
        body = gzip.compress(json.dumps({"Name": "ü" * 1000}).encode())
        made = self.accepted(base, 201, method="POST", body=body, headers={"Content-Type": JSON + ";charset=utf-8", "Content-Encoding": "gzip"}).json["id"]
        one = {"path": f"{base['path']}/{made}"}
        self.accepted(base, 204, method="PATCH", value={"Name": "y"}, **one)
        self.assertEqual(self.accepted(base, **one).json["Name"], "y")
        self.accepted(base, 204, method="DELETE", **one)
        self.accepted(base, 304, path=base["path"] + "/describe", headers={"If-Modified-Since": "Wed, 06 Mar 2024 00:00:00 GMT"})
        self.refused(
            base,
            (401, "INVALID_SESSION_ID", "no Authorization", {"headers": {"Authorization": None}}),
            (401, "INVALID_SESSION_ID", "unknown token", {"headers": {"Authorization": "Bearer x"}}),
            (401, "INVALID_AUTH_HEADER", "scheme", {"headers": {"Authorization": basic("x", "y")}}),
            (401, "INVALID_SESSION_ID", "X-SFDC-Session", {"headers": {"X-SFDC-Session": "x"}}),
            (400, "RFC 1123", "If-Modified-Since", {"path": base["path"] + "/describe", "headers": {"If-Modified-Since": "2024-03-06T00:00:00Z"}}),
            (404, "NOT_FOUND", "nothing", one),
            (400, "REQUIRED_FIELD_MISSING", "Name", {"method": "POST", "value": {"BillingCity": "x"}}),
            (400, "INVALID_FIELD", "Nonsense", {"method": "POST", "value": {"Nonsense": "x"}}),
            (400, "JSON_PARSER_ERROR", "body", {"method": "POST", "body": "x", "headers": {"Content-Type": JSON}}),
            (415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type", {"method": "POST", "body": "x"}),
            (400, "MALFORMED_QUERY", "query", {"path": "/services/data/v61.0/query?q=x"}),
            (400, "INVALID_QUERY_LOCATOR", "path", {"path": "/services/data/v61.0/query/x-2"}),
            (404, "NOT_FOUND", "no such path", {"path": "/sobjects/Account"}),
        )

    def test_sessions_end(self):
        base = self.with_token()
        token = base["headers"]["Authorization"].partition(" ")[2]
        who = {"path": "/services/oauth2/userinfo", "port": self.ports["login"]}
        self.accepted(base, **who)
        self.assertEqual(self.accepted(self.revoke, fields={"token": token}).text, "")
        self.refused(base, (401, "INVALID_SESSION_ID", "revoked token", {"path": "/services/data/v61.0"}), (403, "Bad_OAuth_Token", "revoked token", who))
        self.refused(self.revoke, (400, "invalid_token", "revoked", {"fields": {"token": token}}), (400, "unsupported_token_type", "token", {"fields": {}}))
        self.control(void_session="bad_oauth_token")
        self.refused(base, (403, "Bad_OAuth_Token", "revoked token", {"path": "/services/data/v61.0"}))

    def test_bulk(self):
        token = self.with_token()["headers"]["Authorization"].partition(" ")[2]
        info = "<operation>insert</operation><object>Account</object><contentType>CSV</contentType>"
        base = {"method": "POST", "path": "/services/async/61.0/job", "tls": True, "body": f'<?xml version="1.0"?><jobInfo xmlns="{BULK}">{info}</jobInfo>',
                "headers": {"X-SFDC-Session": token, "Content-Type": "application/xml; charset=UTF-8"}}
        job = self.accepted(base, 201, headers={"Authorization": ""}).headers["Location"]
        batch = {"path": job + "/batch", "body": "Name\nx\ny\n", "headers": {"Content-Type": "text/csv"}}
        text = self.accepted(base, 201, **batch).text
        made = text.partition("<id>")[2].partition("</id>")[0]
        self.assertIn("<numberRecordsProcessed>2<", self.accepted(base, method="GET", body=None, path=f"{job}/batch/{made}").text)
        self.accepted(base, method="GET", body=None, path=job)
        self.refused(base, (400, "InvalidJob", "Content-Type", {**batch, "headers": {"Content-Type": "application/xml"}}))
        self.accepted(base, path=job, body=f'<jobInfo xmlns="{BULK}"><state>Closed</state></jobInfo>')
        self.refused(
            base,
            (400, "InvalidJobState", "Closed", batch),
            (400, "InvalidSessionId", "X-SFDC-Session", {"headers": {"X-SFDC-Session": None}}),
            (400, "InvalidSessionId", "X-SFDC-Session", {"headers": {"X-SFDC-Session": "x"}}),
            (400, "ClientInputError", "Authorization", {"headers": {"Authorization": "Bearer " + token}}),
            (400, "InvalidVersion", "version", {"path": "/services/async/99.0/job"}),
            (400, "InvalidJob", "Content-Type", {"headers": {"Content-Type": JSON}}),
            (400, "ClientInputError", "body", {"body": "{}"}),
            (400, "ClientInputError", "root", {"body": "<jobInfo/>"}),
        )


# What they have in common -----------------------------------------------------------------------------------------------------------------------------


class ByBrowser(Case):
    """The log-ins by a browser of those who have them."""

    vendor = "servicenow"
    VERIFIER = "a-word-of-at-least-forty-three-characters--"
    BACK = "http://127.0.0.1:4711/"
    PLACES = {  # vendor: origin, where a person is sent, where codes are exchanged, what goes along
        "servicenow": ("api", "/oauth_auth.do", "/oauth_token.do", {}),
        "salesforce": ("login", "/services/oauth2/authorize", "/services/oauth2/token", {}),
        "dataverse": ("login", "/6babcaad-604b-40ac-a9d7-9fd97c0b779f/oauth2/v2.0/authorize", "/6babcaad-604b-40ac-a9d7-9fd97c0b779f/oauth2/v2.0/token",
                      {"scope": "https://127.0.0.1/.default offline_access"}),
    }

    def prepare(self):
        pass

    def walk(self, vendor):
        """The port, the query of the first request, and the second one, with a code of that."""
        origin, authorize, token, more = self.PLACES[vendor]
        port, known = vendors[vendor]["ports"][origin], vendors[vendor]["login"]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.VERIFIER.encode()).digest()).decode().rstrip("=")
        query = {"response_type": "code", "client_id": known["client_id"], "redirect_uri": self.BACK, "state": "s", "code_challenge": challenge,
                 "code_challenge_method": "S256", **more}
        got = ask(port, path=f"{authorize}?{urllib.parse.urlencode(query)}")
        self.assertEqual(got.status, 302, got.text)
        back = urllib.parse.urlsplit(got.headers["Location"])
        came = dict(urllib.parse.parse_qsl(back.query))
        self.assertEqual((back.netloc, came["state"]), ("127.0.0.1:4711", "s"))
        fields = {"grant_type": "authorization_code", "code": came["code"], "redirect_uri": self.BACK, "code_verifier": self.VERIFIER,
                  "client_id": known["client_id"], "client_secret": known["client_secret"]}
        return port, (authorize, query), {"port": port, "method": "POST", "path": token, "headers": {"Accept": OAUTH_ACCEPT}, "fields": fields}

    def test_codes(self):
        for vendor in self.PLACES:
            with self.subTest(vendor=vendor):
                _, _, exchange = self.walk(vendor)
                answer = self.accepted(exchange).json
                self.assertTrue(answer["access_token"] and answer["refresh_token"])
                self.assertIn(self.send(exchange, {}).status, (400, 401))  # it was used
                gone = dict.fromkeys(("code", "redirect_uri", "code_verifier"))
                self.accepted(exchange, fields={**gone, "grant_type": "refresh_token", "refresh_token": answer["refresh_token"]})

    def test_refused(self):
        for vendor in self.PLACES:
            for name in ("code", "code_verifier", "redirect_uri", "client_secret"):
                with self.subTest(vendor=vendor, name=name):
                    _, _, exchange = self.walk(vendor)
                    self.assertIn(self.send(exchange, {"fields": {name: "x"}}).status, (400, 401))
            port, (path, query), _ = self.walk(vendor)
            for name in query:
                with self.subTest(vendor=vendor, name=name):
                    got = ask(port, path=f"{path}?{urllib.parse.urlencode({**query, name: 'x' if name != 'state' else ''})}")
                    self.assertIn(got.status, (400, 401))

    def test_no_refresh_token_unless_asked_for(self):
        self.PLACES = {**self.PLACES, "dataverse": (*self.PLACES["dataverse"][:3], {"scope": "https://127.0.0.1/.default"})}
        self.assertNotIn("refresh_token", self.accepted(self.walk("dataverse")[2]).json)


class Common(Case):
    vendor = "sewio"
    prepare = Sewio.prepare

    def test_told_to_fail(self):
        self.control(fail_next=[{"path": "*/feeds", "status": 503, "body": {"x": 1}, "headers": {"Retry-After": "1"}, "times": 2}, {"status": 0}])
        for _ in range(2):
            got = self.accepted(self.base, 503)
            self.assertEqual((got.json, got.headers["Retry-After"]), ({"x": 1}, "1"))
        self.assertRaises(http.client.RemoteDisconnected, ask, self.port)
        self.accepted(self.base)
        self.assertEqual([entry["verdict"] for entry in self.log()["requests"]], ["told to fail"] * 3 + ["accepted"])

    def test_stall(self):
        self.control(stall="*/feeds")
        for tls in (False, True):
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context) if tls else http.client.HTTPConnection("127.0.0.1", self.port)
            connection.request("GET", self.base["path"], headers=self.base["headers"])
            self.until(lambda: self.log()["waiting"] == 1)
            connection.close()
            self.until(lambda: self.log()["waiting"] == 0)
        self.refused(self.base, (403, "X-ApiKey", "X-ApiKey", {"headers": {"X-ApiKey": "other"}}))
        self.accepted(self.base, path="/sensmapserver/api/anchors")
        self.control(stall="")
        self.accepted(self.base)

    def until(self, condition):
        end = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_log(self):
        self.accepted(self.base, tls=True)
        entry = self.log()["requests"][0]
        self.assertEqual((entry["tls"], entry["headers"]["x-apikey"], entry["path"]), (True, self.known["apikey"], self.base["path"]))
        self.control(clear_log=True)
        self.assertEqual((self.log()["requests"], self.log()["refused"]), ([], []))

    def test_connections(self):
        def counted(**wanted):
            end = time.monotonic() + 10
            while (seen := self.log()["connections"]) != (all := {"plain": 0, "tls": 0, "handshakes that failed": 0, **wanted}):
                self.assertLess(time.monotonic(), end, (seen, all))
                time.sleep(0.02)

        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        counted(plain=1)
        with socket.create_connection(("127.0.0.1", self.port)) as plain:
            context.wrap_socket(plain, server_hostname="localhost").close()
        counted(plain=1, tls=1)
        with socket.create_connection(("127.0.0.1", self.port)) as broken:
            broken.sendall(b"\x16nonsense" + bytes(50))
            counted(plain=1, tls=1, **{"handshakes that failed": 1})
        self.assertEqual(self.log()["requests"], [])

    def test_unknown_knob(self):
        got = ask(self.port, "POST", "/__control", value={"nonsense": 1})
        self.assertEqual((got.status, got.json["unknown"]), (400, ["nonsense"]))

    def test_directory(self):
        self.accepted(self.base)
        self.assertEqual(len(ask(main_port, path="/__log").json["sewio"]["requests"]), 1)
        ask(main_port, "POST", "/__control", value={"reset": True})
        self.assertEqual(self.log()["requests"], [])
        self.assertEqual(ask(main_port).json, vendors)

    def test_chunks_on_one_connection(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        for _ in range(2):
            headers = {**self.base["headers"], "Content-Type": JSON}
            connection.request("POST", self.base["path"], iter([b'{"title"', b':"x"}']), headers, encode_chunked=True)
            answer = connection.getresponse()
            self.assertEqual(answer.status, 201, answer.read())
            answer.read()
        connection.close()

    def test_ports_stay(self):
        global process
        stop(process)
        process = start()
        self.assertEqual(known_vendors(), vendors)


if __name__ == "__main__":
    unittest.main()
