# SPDX-License-Identifier: Apache-2.0
"""Salesforce: tokens (grants password, authorization_code and refresh_token) and their revocation at the origin "login", everything else at the origin "instance", which instance_url of the token's answer names.
The REST API below /services/data/vNN.N wants the session in Authorization, the Bulk API below /services/async/NN.N in X-SFDC-Session, and speaks XML.
Knob of its own: void_session: "bad_oauth_token" lets the REST API answer to void sessions as the identity service does, with 403 Bad_OAuth_Token."""
import base64
import email.utils
import hashlib
import hmac
import re
import time
import xml.etree.ElementTree as xml

from .common import FORM, JSON, Answer, Records, Vendor, Wanted, absent, accepts, is_, letters, media, present, route

VERSIONS = [{"label": label, "url": f"/services/data/v{version}", "version": version}
            for label, version in [("Summer '14", "31.0"), ("Winter '15", "32.0"), ("Summer '23", "58.0"), ("Winter '24", "59.0"), ("Spring '24", "60.0"),
                                   ("Summer '24", "61.0")]]
DATA = r"/services/data/v(\d+\.\d)"
ASYNC = r"/services/async/(\d+\.\d)"
BULK = "http://www.force.com/2009/06/asyncapi/dataload"
JOB = {"operation": ("insert", "update", "upsert", "delete", "query"), "object": ("Account",), "contentType": ("CSV", "XML")}
XML = {"Content-Type": "application/xml"}
MODIFIED = "Tue, 05 Mar 2024 10:15:00 GMT"
ACCOUNTS = [{"Id": f"001D000000INjV{number}AAQ", "Name": name, "BillingCity": city}
            for number, (name, city) in enumerate([("Burlington Textiles", "Burlington"), ("Bücher & Söhne", "Köln"), ("Express Logistics", "Portland"),
                                                   ("GenePoint", "Mountain View"), ("United Oil", "New York")])]
PAGE = 2
ORGANIZATION, USER = "00Dx0000000BV7zEAG", "005x00000012Q9PAAU"

rfc1123 = Wanted("none or a date of RFC 1123 in GMT", lambda value: value is None or re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", value))


def oauth(error, description):
    return {"error": error, "error_description": description}


def fault(code, message, **more):
    return [{"message": message, "errorCode": code, **more}]


def written(kind, values):
    root = xml.Element(kind, xmlns=BULK)
    for name, value in values.items():
        xml.SubElement(root, name).text = value
    return b'<?xml version="1.0" encoding="UTF-8"?>' + xml.tostring(root)


def bulk_fault(code, message):
    return (400, written("error", {"exceptionCode": code, "exceptionMessage": message}), XML)


class Salesforce(Vendor):
    name = "salesforce"
    about = "https://127.0.0.1:(login)/services/oauth2/token; user name and password (with its security token), options client_id and client_secret"
    origins = ("login", "instance")
    login = {"username": "integration@example.org", "password": "Pa&s+w=rd/1%SecurityToken42", "client_id": "3MVG9lKcPoNINVBIPJjdw1J9LLM82HnFVVX19KY1uA5",
             "client_secret": "12345/678+90=1&5", "refresh_token": "5Aep861+rkB_5uQtO.x/="}
    MISTAKES = {
        "post": (400, oauth("invalid_request", "must use HTTP POST")),
        "request": (400, oauth("invalid_request", "invalid request")),
        "accept of login": (406, oauth("invalid_request", "not acceptable")),
        "grant type": (400, oauth("unsupported_grant_type", "grant type not supported")),
        "client id": (400, oauth("invalid_client_id", "client identifier invalid")),
        "client": (400, oauth("invalid_client", "invalid client credentials")),
        "user": (400, oauth("invalid_grant", "authentication failure")),
        "code": (400, oauth("invalid_grant", "invalid authorization code")),
        "refresh": (400, oauth("invalid_grant", "expired access/refresh token")),
        "revoked": (400, oauth("invalid_token", "invalid token")),
        "no token": (400, oauth("unsupported_token_type", "this token type is not supported")),
        "session": (401, fault("INVALID_SESSION_ID", "Session expired or invalid"), {"WWW-Authenticate": "Token"}),
        "no session": (401, fault("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"), {"WWW-Authenticate": "Token"}),
        "identity": (403, "Bad_OAuth_Token"),
        "no identity": (403, "Missing_OAuth_Token"),
        "version": (404, fault("NOT_FOUND", "The requested resource does not exist")),
        "accept": (406, fault("NOT_ACCEPTABLE", "The requested media type is not supported")),
        "date": (400, fault("INVALID_HEADER", "A date of a header is not of RFC 1123")),
        "type": (415, fault("UNSUPPORTED_MEDIA_TYPE", "Content type of the request body is not supported")),
        "encoding": (415, fault("UNSUPPORTED_MEDIA_TYPE", "Content encoding of the request body is not supported")),
        "json": (400, fault("JSON_PARSER_ERROR", "Unexpected character at [line:1, column:1]")),
        "required": (400, fault("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", fields=["Name"])),
        "field": (400, fault("INVALID_FIELD", "No such column on sobject of type Account")),
        "query": (400, fault("MALFORMED_QUERY", "unexpected token")),
        "cursor": (400, fault("INVALID_QUERY_LOCATOR", "invalid query locator")),
        "route": (404, fault("NOT_FOUND", "The requested resource does not exist")),
        "absent": (404, fault("NOT_FOUND", "Provided external ID field does not exist or is not accessible: Id")),
        "method": (405, fault("METHOD_NOT_ALLOWED", "HTTP Method not allowed.")),
        "bulk session": bulk_fault("InvalidSessionId", "Invalid session id"),
        "bulk version": bulk_fault("InvalidVersion", "Invalid version"),
        "bulk header": bulk_fault("ClientInputError", "Authorization is not taken here"),
        "bulk type": bulk_fault("InvalidJob", "The content type is not that of the request or the job"),
        "bulk xml": bulk_fault("ClientInputError", "Failed to parse the request as jobInfo"),
        "bulk job": bulk_fault("InvalidJob", "No such job"),
        "bulk closed": bulk_fault("InvalidJobState", "The job is not open"),
        "bulk batch": bulk_fault("InvalidBatch", "No such batch"),
    }

    def seed(self):
        self.accounts, self.jobs, self.cursors = Records("Id", ACCOUNTS), {}, {}
        self.refresh_tokens.issue(self.login["refresh_token"])
        self.void_session = "session"

    def knob_void_session(self, mistake):
        self.void_session = {"bad_oauth_token": "identity"}.get(mistake, "session")

    # Login

    @route("POST", "/services/oauth2/token", origin="login", open=True)
    def token(self, request):
        known = self.login
        grants = {
            "password": [("field", "username", is_(known["username"]), "user"), ("field", "password", is_(known["password"]), "user")],
            "authorization_code": self.codes.rules_to_exchange(request, "code"),
            "refresh_token": [("field", "refresh_token", self.refresh_tokens.wanted(), "refresh")],
        }
        self.check(request, [
            ("header", "Content-Type", media(FORM), "grant type"),
            ("header", "Content-Encoding", absent, "request"),
            ("header", "Authorization", absent, "request"),
            ("header", "Accept", accepts(JSON), "accept of login"),
            ("field", "grant_type", is_(*grants), "grant type"),
            ("field", "client_id", is_(known["client_id"]), "client id"),
            ("field", "client_secret", is_(known["client_secret"]), "client"),
            *grants.get(request.field.get("grant_type"), []),
        ], extra="request")
        with_refresh = {"refresh_token": self.refresh_tokens.issue(f"5Aep861{letters(60)}")} if self.codes.use(request) else {}
        issued, identity = str(int(time.time() * 1000)), f"{request.base}/id/{ORGANIZATION}/{USER}"
        signature = hmac.new(known["client_secret"].encode(), (identity + issued).encode(), hashlib.sha256).digest()
        host = request.base.rpartition(":")[0]
        return Answer(200, {
            "access_token": self.tokens.issue(f"{ORGANIZATION[:15]}!AQ{letters(66)}"), "instance_url": f"{host}:{self.ports['instance']}", "id": identity,
            "token_type": "Bearer", "issued_at": issued, "signature": base64.b64encode(signature).decode(), **with_refresh})

    @route("GET", "/services/oauth2/authorize", origin="login", open=True)
    def authorize(self, request):
        scopes = ("query", "scope", absent, "request")  # those of the connected app
        self.check(request, [*self.codes.rules_to_authorize(self.login["client_id"], "request"), scopes], extra="request")
        return self.codes.send_back(request)

    @route("GET", "/services/oauth2/token", origin="login", open=True)
    def token_by_get(self, _):
        self.refuse("post", "GET")

    @route("POST", "/services/oauth2/revoke", origin="login", open=True)
    def revoke(self, request):
        self.check(request, [("header", "Content-Type", media(FORM), "no token"), ("field", "token", present, "no token")], extra="request")
        token = request.field["token"]
        if self.tokens.state(token) != "valid":
            self.refuse("revoked", f"field token: {self.tokens.state(token)} token {token!r}")
        self.tokens.revoked.add(token)
        return Answer(200)

    @route("GET", "/services/oauth2/userinfo", origin="login", open=True)
    @route("GET", f"/id/{ORGANIZATION}/{USER}", origin="login", open=True)
    def identity(self, request):
        wrong = self.bearer(request, "bearer", "oauth")
        if wrong:
            self.refuse("no identity" if wrong == "no Authorization" else "identity", wrong)
        return Answer(200, {"user_id": USER, "organization_id": ORGANIZATION, "preferred_username": self.login["username"], "zoneinfo": "Europe/Prague"})

    # REST API

    def guard(self, request):
        bulk = request.path.startswith("/services/async/")
        if bulk:
            self.check(request, [("header", "Authorization", absent, "bulk header"), ("header", "X-SFDC-Session", self.session, "bulk session")])
        else:
            wrong = self.bearer(request, "bearer", "oauth")
            if wrong:
                self.refuse("no session" if wrong.startswith("Authorization of") else "session" if wrong == "no Authorization" else self.void_session, wrong)
            self.check(request, [("header", "Accept", accepts(JSON), "accept"), ("header", "X-SFDC-Session", absent, "session")])
        version = re.match(f"{ASYNC}|{DATA}", request.path)
        if version and (version[1] or version[2]) not in [one["version"] for one in VERSIONS]:
            self.refuse("bulk version" if bulk else "version", f"path: version {version[0]}")

    @property
    def session(self):
        return Wanted("a session", lambda value: self.tokens.state(value) == "valid")

    @route("GET", "/services/data/?", origin="instance", open=True)
    def versions(self, request):
        """Needs no session; one that is sent has to be right."""
        self.check(request, [("header", "Accept", accepts(JSON), "accept")])
        if "Authorization" in request.header:
            self.guard(request)
        return Answer(200, VERSIONS)

    @route("GET", DATA + "/?", origin="instance")
    def resources(self, _, version):
        return Answer(200, {name: f"/services/data/v{version}/{name}" for name in ("limits", "query", "search", "sobjects")})

    @route("GET", DATA + "/sobjects/?", origin="instance")
    def sobjects(self, _, version):
        account = {"name": "Account", "keyPrefix": "001", "urls": {"sobject": f"/services/data/v{version}/sobjects/Account"}}
        return Answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [account]})

    @route("GET", DATA + "/sobjects/Account/describe", origin="instance")
    def describe(self, request, _):
        self.check(request, [("header", "If-Modified-Since", rfc1123, "date")])
        since = request.header.get("If-Modified-Since")
        if since and email.utils.parsedate_to_datetime(since) >= email.utils.parsedate_to_datetime(MODIFIED):
            return Answer(304, None, {"Last-Modified": MODIFIED})
        fields = [{"name": name, "type": "id" if name == "Id" else "string"} for name in ACCOUNTS[0]]
        return Answer(200, {"name": "Account", "fields": fields}, {"Last-Modified": MODIFIED})

    def shown(self, version, row):
        return {"attributes": {"type": "Account", "url": f"/services/data/v{version}/sobjects/Account/{row['Id']}"}, **row}

    def account_of(self, request):
        given = self.json_of(request)
        unknown = set(given) - set(ACCOUNTS[0])
        return given if not unknown else self.refuse("field", f"body: {', '.join(sorted(unknown))}")

    @route("GET", DATA + "/sobjects/Account/?", origin="instance")
    def recent(self, _, version):
        items = [self.shown(version, row) for row in self.accounts[:PAGE]]
        return Answer(200, {"objectDescribe": {"name": "Account", "keyPrefix": "001"}, "recentItems": items})

    @route("POST", DATA + "/sobjects/Account/?", origin="instance")
    def create(self, request, _):
        given = self.account_of(request)
        if not given.get("Name"):
            self.refuse("required", "body without Name")
        row = self.accounts.take({"BillingCity": None, **given, "Id": f"001D000000N{len(self.accounts):04}AAQ"})
        return Answer(201, {"id": row["Id"], "success": True, "errors": []}, {"Location": f"{request.path.rstrip('/')}/{row['Id']}"})

    @route("GET", DATA + r"/sobjects/Account/(\w{18})", origin="instance")
    def read(self, _, version, key):
        return Answer(200, self.shown(version, self.found(self.accounts, key, "absent")))

    @route("PATCH", DATA + r"/sobjects/Account/(\w{18})", origin="instance")
    def change(self, request, _, key):
        row = self.found(self.accounts, key, "absent")
        row.update(self.account_of(request))
        return Answer(204)

    @route("DELETE", DATA + r"/sobjects/Account/(\w{18})", origin="instance")
    def delete(self, _, __, key):
        self.accounts.remove(self.found(self.accounts, key, "absent"))
        return Answer(204)

    @route("GET", DATA + "/query/?", origin="instance")
    def query(self, request, version):
        """SELECT any fields FROM Account; two a page."""
        match = re.fullmatch(r"SELECT\s+([\w\s,]+?)\s+FROM\s+Account", str(request.query.get("q", "")).strip(), re.IGNORECASE)
        if not match:
            self.refuse("query", f"query q: {request.query.get('q')!r}")
        names = re.split(r"\s*,\s*", match[1])
        wrong = set(names) - set(ACCOUNTS[0])
        if wrong:
            self.refuse("field", f"query q: {', '.join(sorted(wrong))}")
        cursor = "01gD0000002" + letters(5).replace("-", "x").replace("_", "y")
        self.cursors[cursor] = [{**{"attributes": self.shown(version, row)["attributes"]}, **{name: row[name] for name in names}} for row in self.accounts]
        return self.page(version, cursor, 0)

    @route("GET", DATA + r"/query/(\w+)-(\d+)", origin="instance")
    def more(self, _, version, cursor, begin):
        if cursor not in self.cursors:
            self.refuse("cursor", f"path: {cursor}")
        return self.page(version, cursor, int(begin))

    def page(self, version, cursor, begin):
        rows = self.cursors[cursor]
        done = begin + PAGE >= len(rows)
        more = {} if done else {"nextRecordsUrl": f"/services/data/v{version}/query/{cursor}-{begin + PAGE}"}
        return Answer(200, {"totalSize": len(rows), "done": done, **more, "records": rows[begin : begin + PAGE]})

    # Bulk API

    def job_info(self, request):
        self.check(request, [("header", "Content-Type", media("application/xml"), "bulk type")])
        try:
            root = xml.fromstring(request.body)
        except xml.ParseError as problem:
            self.refuse("bulk xml", f"body: {problem}")
        if root.tag != f"{{{BULK}}}jobInfo":
            self.refuse("bulk xml", f"body: root {root.tag}")
        return {child.tag.partition("}")[2]: child.text for child in root}

    def job(self, key):
        return self.jobs.get(key) or self.refuse("bulk job", f"path: no job {key}")

    @route("POST", ASYNC + "/job", origin="instance")
    def create_job(self, request, version):
        info = self.job_info(request)
        for name, values in JOB.items():
            if info.get(name) not in values:
                self.refuse("bulk xml", f"body: {name} {info.get(name)!r}, wanted: {' or '.join(values)}")
        key = f"750D0000000{len(self.jobs):04}IAQ"
        shown = {"id": key, **{name: info[name] for name in JOB}, "createdById": USER, "state": "Open", "concurrencyMode": "Parallel", "apiVersion": version}
        self.jobs[key] = {"info": shown, "batches": {}}
        return Answer(201, written("jobInfo", shown), {**XML, "Location": f"{request.path}/{key}"})

    @route("GET", ASYNC + r"/job/(\w+)", origin="instance")
    def read_job(self, _, __, key):
        return Answer(200, written("jobInfo", self.job(key)["info"]), XML)

    @route("POST", ASYNC + r"/job/(\w+)", origin="instance")
    def close_job(self, request, _, key):
        info, state = self.job(key)["info"], self.job_info(request).get("state")
        if state not in ("Closed", "Aborted"):
            self.refuse("bulk xml", f"body: state {state!r}, wanted: Closed or Aborted")
        info["state"] = state
        return Answer(200, written("jobInfo", info), XML)

    @route("POST", ASYNC + r"/job/(\w+)/batch", origin="instance")
    def add_batch(self, request, _, key):
        job = self.job(key)
        if job["info"]["state"] != "Open":
            self.refuse("bulk closed", f"job {key} is {job['info']['state']}")
        self.check(request, [("header", "Content-Type", media({"CSV": "text/csv", "XML": "application/xml"}[job["info"]["contentType"]]), "bulk type")])
        batch = f"751D0000000{len(job['batches']):04}IAE"
        job["batches"][batch] = {"id": batch, "jobId": key, "state": "Completed", "numberRecordsProcessed": str(max(0, len(request.body.splitlines()) - 1))}
        return Answer(201, written("batchInfo", {**job["batches"][batch], "state": "Queued"}), XML)

    @route("GET", ASYNC + r"/job/(\w+)/batch/(\w+)", origin="instance")
    def read_batch(self, _, __, key, batch):
        found = self.job(key)["batches"].get(batch) or self.refuse("bulk batch", f"path: no batch {batch}")
        return Answer(200, written("batchInfo", found), XML)
