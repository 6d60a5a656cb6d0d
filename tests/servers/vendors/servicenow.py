# SPDX-License-Identifier: Apache-2.0
"""ServiceNow: Basic, or a token of /oauth_token.do (grants password, authorization_code from /oauth_auth.do, and refresh_token). API below /api/now (also /api/now/v1, v2) and, as an API of an
application, /api/x_qconn. Tables: incident, sys_properties, sys_dictionary. sysparm_query knows FIELD=VALUE joined by ^."""
import uuid

from .common import FORM, JSON, Answer, Records, Vendor, absent, accepts, basic, is_, letters, media, route

TABLES = {
    "incident": [
        {"sys_id": "9c573169c611228700193229fff72400", "number": "INC0000001", "short_description": "Can't read email", "state": "7", "priority": "1",
         "caller_id": {"link": "https://instance/api/now/table/sys_user/5137153cc611227c000bbd1bd8cd2005", "value": "5137153cc611227c000bbd1bd8cd2005"}},
        {"sys_id": "9d385017c611228701d22104cc95c371", "number": "INC0000002", "short_description": "Drucker im Büro zerstört", "state": "3", "priority": "1",
         "caller_id": ""},
        {"sys_id": "e8caedcbc0a80164017df472f39eaed1", "number": "INC0000003", "short_description": "Wireless access is down", "state": "2", "priority": "3",
         "caller_id": ""},
    ],
    "sys_properties": [
        {"sys_id": "01c0a80164017df472f39eaed100aaaa", "name": "mid.version", "value": "washingtondc-12-20-2023__patch4"},
        {"sys_id": "01c0a80164017df472f39eaed100aaab", "name": "glide.product.name", "value": "ServiceNow"},
    ],
    "sys_dictionary": [
        {"sys_id": f"03c0a80164017df472f39eaed100aaa{number}", "name": "incident", "element": element, "internal_type": kind}
        for number, (element, kind) in enumerate([("caller_id", "reference"), ("category", "string"), ("severity", "integer")])
    ],
}
TABLE = r"/api/now/(?:v[12]/)?table/(\w+)"


def fault(message, detail=None):
    return {"error": {"message": message, "detail": detail}, "status": "failure"}


def oauth(error, description="access_denied"):
    return {"error_description": description, "error": error}


NOBODY = fault("User Not Authenticated", "Required to provide Auth information")


class ServiceNow(Vendor):
    name = "servicenow"
    about = "http://127.0.0.1:PORT; user name and password, for tokens with options client_id and client_secret"
    login = {"username": "integration.user", "password": "Pa55 w+rd&x=1%", "client_id": "3d5c4a1ff0b3110094d1e2b6c5a7f801", "client_secret": "s3cr3t;?$~"}
    lifetime = 1799
    MISTAKES = {
        "client": (401, oauth("server_error")),
        "user": (401, oauth("server_error")),
        "grant": (401, oauth("invalid_grant")),
        "grant type": (400, oauth("unsupported_grant_type", "grant_type is missing or unsupported")),
        "request": (400, oauth("invalid_request", "invalid request")),
        "token accept": (406, oauth("invalid_request", "not acceptable")),
        "token": (401, NOBODY, {"WWW-Authenticate": 'Bearer realm="Service-now", error="invalid_token"'}),
        "basic": (401, NOBODY, {"WWW-Authenticate": 'BASIC realm="Service-now"'}),
        "accept": (406, fault("Requested media types are not supported", "Accept header must be application/json")),
        "type": (415, fault("Media type not supported", "Content-Type must be application/json")),
        "json": (400, fault("Exception while reading request", "The payload is not valid JSON.")),
        "route": (400, fault("Requested URI does not represent any resource")),
        "method": (405, fault("Method not supported")),
        "table": (400, fault("Invalid table")),
        "absent": (404, fault("No Record found", "Record doesn't exist or ACL restricts the record retrieval")),
    }

    def seed(self):
        self.tables = {name: Records("sys_id", rows) for name, rows in TABLES.items()}

    @route("GET", "/oauth_auth.do", open=True)
    def authorize(self, request):
        self.check(request, self.codes.rules_to_authorize(self.login["client_id"], "request"), extra="request")
        return self.codes.send_back(request)

    @route("POST", "/oauth_token.do", open=True)
    def token(self, request):
        self.check(request, [
            ("header", "Content-Type", media(FORM), "request"),
            ("header", "Authorization", absent, "request"),
            ("header", "Accept", accepts(JSON), "token accept"),
        ])
        grant, known = request.field.get("grant_type"), self.login
        client = [
            ("field", "grant_type", is_("password", "authorization_code", "refresh_token"), "grant type"),
            ("field", "client_id", is_(known["client_id"]), "client"),
            ("field", "client_secret", is_(known["client_secret"]), "client"),
        ]
        grants = {
            "password": [("field", "username", is_(known["username"]), "user"), ("field", "password", is_(known["password"]), "user")],
            "authorization_code": self.codes.rules_to_exchange(request, "grant"),
            "refresh_token": [("field", "refresh_token", self.refresh_tokens.wanted(), "grant")],
        }
        self.check(request, client + grants.get(grant, []), extra="request")
        self.codes.use(request)
        refresh = request.field.get("refresh_token") or self.refresh_tokens.issue(letters(64))
        return Answer(200, {"access_token": self.tokens.issue(letters(64)), "refresh_token": refresh, "scope": "useraccount", "token_type": "Bearer",
                            "expires_in": self.tokens.lifetime})

    def guard(self, request):
        if request.header.get("Authorization", "").lower().startswith("basic "):
            self.check(request, [("header", "Authorization", basic(self.login["username"], self.login["password"]), "basic")])
        else:
            wrong = self.bearer(request)
            if wrong:
                self.refuse("basic" if wrong == "no Authorization" else "token", wrong)
        self.check(request, [("header", "Accept", accepts(JSON), "accept")])

    def records(self, table):
        return self.tables[table] if table in self.tables else self.refuse("table", f"no table {table}")

    @route("GET", TABLE)
    def list(self, request, table):
        asked = request.query
        wanted = [term.partition("=")[::2] for term in asked.get("sysparm_query", "").split("^") if "=" in term]
        rows = [row for row in self.records(table) if all(str(row.get(name)) == value for name, value in wanted)]
        begin, limit = int(asked.get("sysparm_offset", 0)), int(asked.get("sysparm_limit", 10000))
        headers = {"X-Total-Count": str(len(rows))}
        if begin + limit < len(rows) and asked.get("sysparm_suppress_pagination_header") != "true":
            headers["Link"] = f'<{request.base}{request.path}?sysparm_limit={limit}&sysparm_offset={begin + limit}>;rel="next"'
        return Answer(200, {"result": [self.shown(row, asked) for row in rows[begin : begin + limit]]}, headers)

    def shown(self, row, asked):
        names = asked["sysparm_fields"].split(",") if asked.get("sysparm_fields") else list(row)
        bare = asked.get("sysparm_exclude_reference_link") == "true"
        return {name: {"value": row[name]["value"]} if bare and isinstance(row[name], dict) else row[name] for name in names if name in row}

    @route("POST", TABLE)
    def create(self, request, table):
        records = self.records(table)
        row = records.take({"number": f"INC{len(records) + 1:07}", "state": "1", **self.json_of(request), "sys_id": uuid.uuid4().hex})
        return Answer(201, {"result": row}, {"Location": f"{request.base}{request.path}/{row['sys_id']}"})

    @route("GET", TABLE + "/([0-9a-f]{32})")
    def read(self, request, table, key):
        return Answer(200, {"result": self.shown(self.found(self.records(table), key, "absent"), request.query)})

    @route("PUT", TABLE + "/([0-9a-f]{32})")
    @route("PATCH", TABLE + "/([0-9a-f]{32})")
    def change(self, request, table, key):
        row = self.found(self.records(table), key, "absent")
        row.update(self.json_of(request), sys_id=row["sys_id"])
        return Answer(200, {"result": row})

    @route("DELETE", TABLE + "/([0-9a-f]{32})")
    def delete(self, _, table, key):
        self.records(table).remove(self.found(self.records(table), key, "absent"))
        return Answer(204)

    @route("GET", "/api/x_qconn/orders")
    def of_application(self, _):
        return Answer(200, {"result": [{"order": "A-1", "count": 2}]})
