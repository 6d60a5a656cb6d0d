# SPDX-License-Identifier: Apache-2.0
"""Microsoft Dataverse: tokens at /TENANT/oauth2/v2.0/token of the origin "login", client_credentials with scope https://HOST/.default (no port, no path)
of the other one, a code of /TENANT/oauth2/v2.0/authorize, or a refresh token, which comes with a code where offline_access is among the scopes; the Web API (OData 4) below /api/data/v9.0 to v9.2 of the origin "api"."""
import re
import uuid

from .common import FORM, JSON, Answer, Records, Vendor, Wanted, absent, accepts, if_there, is_, letters, media, present, route

PREFIX = r"/api/data/v9\.[0-2]"
GUID = r"\(([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)"
ACCOUNTS = [
    {"accountid": f"475b158c-541c-e511-80d3-3863bb34{number:04}", "name": name, "revenue": revenue, "address1_city": city}
    for number, (name, revenue, city) in enumerate(
        [("Fourth Coffee (sample)", 100000.0, "Renton"), ("Litware, Inc. (sample)", 20000.0, "Dallas"), ("Blütenhaus GmbH", None, "Köln"),
         ("Contoso Pharmaceuticals", 80000.0, "Redmond"), ("A. Datum Corporation", 10000.0, "Lynnwood")])
]
USERS = [{"systemuserid": f"e95e4a1f-7f3b-ed11-9db1-000d3a5d1f{number}", "identityid": number, "fullname": name}
         for number, name in [(17, "Ines"), (18, "SYSTEM")]]
PAGE = 3
SCOPES = [f"https://{host}/.default" for host in ("127.0.0.1", "localhost")]


def entra(error, code, text):
    trace = "b72e2a3c-1111-4c1e-9d6b-6c4f9a3d0100"
    return {"error": error, "error_description": f"AADSTS{code}: {text} Trace ID: {trace} Timestamp: 2024-03-05 10:15:00Z", "error_codes": [code],
            "timestamp": "2024-03-05 10:15:00Z", "trace_id": trace, "correlation_id": trace,
            "error_uri": f"https://login.microsoftonline.com/error?code={code}"}


def fault(code, message):
    return {"error": {"code": code, "message": message}}


def unauthorized(detail):
    return (401, None, {"WWW-Authenticate": f"Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize{detail}"})


class Dataverse(Vendor):
    name = "dataverse"
    about = "https://127.0.0.1:(api); options client_id, client_secret, tenant, token URL https://127.0.0.1:(login)/TENANT/oauth2/v2.0/token"
    origins = ("login", "api")
    login = {"tenant": "6babcaad-604b-40ac-a9d7-9fd97c0b779f", "client_id": "2ad88395-b77d-4561-9441-d0e40824f9bc", "client_secret": "Q~x8Q+z/9=~.w&k%20_-",
             "refresh_token": "0.AXoAq-1234+/="}
    secret = "client_secret"
    lifetime = 3599
    MISTAKES = {
        "tenant": (400, entra("invalid_request", 90002, "Tenant not found. Check to make sure you have the correct tenant ID.")),
        "parameter": (400, entra("invalid_request", 900144, "The request body must contain the required parameters.")),
        "request": (400, entra("invalid_request", 9000411, "The request is not properly formatted.")),
        "grant type": (400, entra("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")),
        "client": (400, entra("unauthorized_client", 700016, "Application was not found in the directory.")),
        "secret": (401, entra("invalid_client", 7000215, "Invalid client secret provided.")),
        "scope": (400, entra("invalid_scope", 1002012, "The provided value for scope is not valid: it must end in /.default.")),
        "resource": (400, entra("invalid_resource", 500011, "The resource principal was not found in the tenant.")),
        "code": (400, entra("invalid_grant", 70008, "The provided authorization code is expired, was used already, or was given to somebody else.")),
        "grant": (400, entra("invalid_grant", 70008, "The provided refresh token has expired due to inactivity.")),
        "login accept": (406, entra("invalid_request", 9000411, "Not acceptable.")),
        "no token": unauthorized(""),
        "token": unauthorized(', error="invalid_token"'),
        "accept": (415, fault("0x80060888", "A supported MIME type could not be found that matches the acceptable MIME types for the request.")),
        "odata": (412, fault("0x80060888", "The OData version of the request is not supported.")),
        "type": (415, fault("0x80060888", "The content type of the request body is not supported.")),
        "json": (400, fault("0x80048d19", "Error identified in Payload provided by the user for Entity :'accounts'. The payload is not valid JSON.")),
        "property": (400, fault("0x80060888", "Could not find a property of that name on type 'Microsoft.Dynamics.CRM.account'.")),
        "route": (404, fault("0x8006088a", "Resource not found for the segment.")),
        "method": (405, fault("0x80060888", "The HTTP method is not supported for this resource.")),
        "absent": (404, fault("0x80040217", "Entity 'account' With Id Does Not Exist")),
    }

    def seed(self):
        self.accounts, self.systemusers = Records("accountid", ACCOUNTS), Records("systemuserid", USERS)
        self.refresh_tokens.issue(self.login["refresh_token"])

    def of_tenant(self, tenant):
        if tenant != self.login["tenant"]:
            self.refuse("tenant", f"path: tenant {tenant!r}")

    @route("GET", r"/([^/]+)/oauth2/v2\.0/authorize", origin="login", open=True)
    def authorize(self, request, tenant):
        self.of_tenant(tenant)
        words = set(str(request.query.get("scope")).split(" "))
        of_api = Wanted("that of the API, with offline_access or without", lambda _: words - {"offline_access"} == {SCOPES[0]})
        self.check(request, [*self.codes.rules_to_authorize(self.login["client_id"], "request"), ("query", "scope", of_api, "scope")], extra="request")
        return self.codes.send_back(request, offline="offline_access" in words)

    @route("POST", r"/([^/]+)/oauth2/v2\.0/token", origin="login", open=True)
    def token(self, request, tenant):
        known, scopes = self.login, SCOPES
        self.of_tenant(tenant)
        scope = request.field.get("scope") or ""
        rules = [
            ("header", "Content-Type", media(FORM), "parameter"),
            ("header", "Authorization", absent, "request"),
            ("header", "Accept", accepts(JSON), "login accept"),
            ("field", "grant_type", present, "parameter"),
            ("field", "grant_type", is_("client_credentials", "authorization_code", "refresh_token"), "grant type"),
            ("field", "client_id", is_(known["client_id"]), "client"),
            ("field", "client_secret", is_(known["client_secret"]), "secret"),
        ]
        if request.field.get("grant_type") == "refresh_token":
            rules += [("field", "refresh_token", self.refresh_tokens.wanted(), "grant"), ("field", "scope", if_there(*scopes), "scope")]
        elif request.field.get("grant_type") == "authorization_code":
            rules += self.codes.rules_to_exchange(request, "code")
        else:
            wrong = "resource" if str(scope).endswith("/.default") else "scope"
            rules += [("field", "scope", present, "parameter"), ("field", "scope", is_(*scopes), wrong)]
        self.check(request, rules, extra="request")
        lifetime, more = self.tokens.lifetime, {}
        if "refresh_token" in request.field or self.codes.use(request).get("offline"):
            more["refresh_token"] = self.refresh_tokens.issue(f"0.AXoAq-{letters(60)}")
        access = self.tokens.issue(f"eyJ0eXAiOiJKV1Qi.{letters(90)}.{letters(60)}")
        return Answer(200, {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": access, **more})

    def guard(self, request):
        wrong = self.bearer(request)
        if wrong:
            self.refuse("no token" if wrong == "no Authorization" else "token", wrong)
        self.check(request, [
            ("header", "Accept", accepts(JSON), "accept"),
            ("header", "OData-Version", if_there("4.0", "4.01"), "odata"),
            ("header", "OData-MaxVersion", if_there("4.0", "4.01"), "odata"),
        ])

    def answered(self, request, status, about, value, headers={}):
        api = re.match(PREFIX, request.path)[0]
        return Answer(status, {"@odata.context": f"{request.base}{api}/$metadata#{about}", **value},
                      {"OData-Version": "4.0", "Content-Type": "application/json; odata.metadata=minimal", **headers})

    @route("GET", PREFIX + "/WhoAmI(?:[(][)])?")
    def who_am_i(self, request):
        ids = {"UserId": USERS[0]["systemuserid"], "BusinessUnitId": "b4e9b8a2-7f3b-ed11-9db1-000d3a5d1f01",
               "OrganizationId": "cfc0ba8b-3f4e-4f0c-8d1d-5a0a4a0d7c11"}
        return self.answered(request, 200, "Microsoft.Dynamics.CRM.WhoAmIResponse", ids)

    @route("GET", PREFIX + "/(accounts|systemusers)")
    def list(self, request, kind):
        """Pages of Prefer: odata.maxpagesize, or 3, unless $top says how many."""
        records, asked = getattr(self, kind), request.query
        names = asked["$select"].split(",") if asked.get("$select") else list(records[0])
        wrong = [name for name in names if name not in records[0]]
        if wrong:
            self.refuse("property", f"query $select: {', '.join(wrong)}")
        preferred = re.search(r"odata\.maxpagesize=(\d+)", request.header.get("Prefer", ""))
        begin = int(asked.get("$skiptoken", 0))
        end = begin + int(asked.get("$top") or (preferred[1] if preferred else PAGE))
        value = {"value": [{"@odata.etag": 'W/"1234"', **{name: row[name] for name in [*names, records.key] if name in row}} for row in records[begin:end]]}
        if end < len(records) and "$top" not in asked:
            kept = "".join(f"{name}={asked[name]}&" for name in asked if name != "$skiptoken")
            value["@odata.nextLink"] = f"{request.base}{request.path}?{kept}$skiptoken={end}"
        return self.answered(request, 200, kind, value)

    @route("POST", PREFIX + "/accounts")
    def create(self, request):
        given = self.json_of(request)
        unknown = set(given) - set(ACCOUNTS[0])
        if unknown:
            self.refuse("property", f"body: {', '.join(sorted(unknown))}")
        row = self.accounts.take({**dict.fromkeys(ACCOUNTS[0]), **given, "accountid": str(uuid.uuid4())})
        where = {"OData-EntityId": f"{request.base}{request.path}({row['accountid']})"}
        if "return=representation" in request.header.get("Prefer", ""):
            return self.answered(request, 201, "accounts/$entity", row, {**where, "Preference-Applied": "return=representation"})
        return Answer(204, None, {"OData-Version": "4.0", **where})

    @route("GET", PREFIX + "/accounts" + GUID)
    def read(self, request, key):
        return self.answered(request, 200, "accounts/$entity", self.found(self.accounts, key, "absent"))

    @route("PATCH", PREFIX + "/accounts" + GUID)
    def change(self, request, key):
        row = self.found(self.accounts, key, "absent")
        row.update(self.json_of(request), accountid=row["accountid"])
        return Answer(204, None, {"OData-Version": "4.0"})

    @route("DELETE", PREFIX + "/accounts" + GUID)
    def delete(self, _, key):
        self.accounts.remove(self.found(self.accounts, key, "absent"))
        return Answer(204, None, {"OData-Version": "4.0"})
