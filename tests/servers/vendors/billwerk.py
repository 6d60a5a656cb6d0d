# SPDX-License-Identifier: Apache-2.0
"""billwerk: token at the host's root, the API below /api/v1. No charset in any Content-Type; Accept-Charset: utf-8 on each request of the API, and if at
all so on that of the token. Answers name no charset. With a client's secret: Basic; without: the password grant, client_id in the body."""
import uuid

from .common import FORM, JSON, Answer, Records, Vendor, absent, accepts, basic, if_there, is_, letters, media, route

CONTRACTS = [
    {"Id": f"5f0c5d7e81b1f8076c8d00{number:02}", "CustomerId": f"5f0c5d7e81b1f8076c8c00{number:02}", "CustomerName": customer, "LifecycleStatus": status,
     "PlanId": "basic", "Currency": "EUR", "Balance": balance}
    for number, (customer, status, balance) in enumerate(
        [("Müller & Söhne", "Active", 0.0), ("Acme", "Active", 12.5), ("Café Zoé", "Ended", 0.0), ("日本電気", "InTrial", -3.2)])
]


class Billwerk(Vendor):
    name = "billwerk"
    about = "http://127.0.0.1:PORT/api/v1; options client_id and client_secret, or client_id with user name and password"
    login = {"client_id": "5f0c5d7e81b1f8076c8b4567", "client_secret": "2f8a61b7d3f04a2c9a5e", "public_client_id": "5f0c5d7e81b1f8076c8b9999",
             "username": "integration@example.org", "password": "Passw0rd-1&more=yes"}
    json_type = media(JSON, charset=False)
    MISTAKES = {
        "client": (401, {"error": "invalid_client"}),
        "grant": (400, {"error": "invalid_grant"}),
        "grant type": (400, {"error": "unsupported_grant_type"}),
        "request": (400, {"error": "invalid_request"}),
        "token": (401, {"Message": "Authorization has been denied for this request."}, {"WWW-Authenticate": "Bearer"}),
        "charset": (406, {"Message": "Accept-Charset has to be utf-8."}),
        "accept": (406, {"Message": "The requested media type is not available."}),
        "type": (415, {"Message": "The request entity's media type is not supported for this resource."}),
        "json": (400, {"Message": "The request is invalid.", "ModelState": {"": ["The body is not valid JSON."]}}),
        "route": (404, {"Message": "No HTTP resource was found that matches the request URI."}),
        "method": (405, {"Message": "The requested resource does not support this http method."}),
        "absent": (404, {"Message": "The resource was not found."}),
        "customer": (400, {"Message": "The request is invalid.", "ModelState": {"CompanyName": ["A name is needed."]}}),
    }

    def seed(self):
        self.contracts = Records("Id", CONTRACTS)
        self.customers = Records("Id", [{"Id": one["CustomerId"], "CompanyName": one["CustomerName"]} for one in CONTRACTS])

    def grants(self):
        known = self.login
        return {
            "client_credentials": [
                ("header", "Authorization", basic(known["client_id"], known["client_secret"]), "client"),
                ("field", "grant_type", is_("client_credentials"), "grant type"),
            ],
            "password": [
                ("header", "Authorization", absent, "request"),
                ("field", "grant_type", is_("password"), "grant type"),
                ("field", "client_id", is_(known["public_client_id"]), "client"),
                ("field", "username", is_(known["username"]), "grant"),
                ("field", "password", is_(known["password"]), "grant"),
            ],
        }

    @route("POST", "/oauth/token", open=True)
    def token(self, request):
        self.check(request, [
            ("header", "Content-Type", media(FORM, charset=False), "request"),
            ("header", "Accept", accepts(JSON), "accept"),
            ("header", "Accept-Charset", if_there("utf-8"), "charset"),
        ])
        grant = request.field.get("grant_type")
        self.check(request, self.grants().get(grant) or [("field", "grant_type", is_(*self.grants()), "grant type")], extra="request")
        return self.json(200, {"access_token": self.tokens.issue(letters(32)), "token_type": "bearer", "expires_in": self.tokens.lifetime})

    def json(self, status, value):
        return Answer(status, value, {"Content-Type": JSON})

    def guard(self, request):
        wrong = self.bearer(request)
        if wrong:
            self.refuse("token", wrong)
        self.check(request, [("header", "Accept-Charset", is_("utf-8"), "charset"), ("header", "Accept", accepts(JSON), "accept")])

    @route("GET", "/api/v1/(contracts|customers)")
    def list(self, request, kind):
        """take: how many at most; from: the key after which they begin."""
        rows = getattr(self, kind)
        keys = [row["Id"] for row in rows]
        begin = keys.index(request.query["from"]) + 1 if request.query.get("from") in keys else 0
        return self.json(200, rows[begin : begin + int(request.query.get("take", 100))])

    @route("GET", "/api/v1/(contracts|customers)/([0-9a-f]+)")
    def read(self, _, kind, key):
        return self.json(200, self.found(getattr(self, kind), key, "absent"))

    @route("POST", "/api/v1/customers")
    def create(self, request):
        customer = self.json_of(request)
        if not customer.get("CompanyName"):
            self.refuse("customer", "body without CompanyName")
        return self.json(201, self.customers.take({**customer, "Id": uuid.uuid4().hex[:24]}))

    @route("DELETE", "/api/v1/customers/([0-9a-f]+)")
    def delete(self, _, key):
        self.customers.remove(self.found(self.customers, key, "absent"))
        return Answer(204)
