# SPDX-License-Identifier: Apache-2.0
"""SAP S/4HANA Cloud behind its API hub: the header ApiKey, or a token of /oauth2/apitoken/v1 at the host's root; never both. The token is asked for in one
of three ways: id and secret as Basic with the grant type in the query and no body, or with it in a form; or all three in a form and no Authorization.
OData 2 below /s4hanacloud/sap/opu/odata/sap."""
from .common import FORM, JSON, Answer, Records, Vendor, absent, accepts, basic, if_there, is_, letters, media, route

SERVICE = "/s4hanacloud/sap/opu/odata/sap/API_BUSINESS_PARTNER"
PARTNERS = [
    {"BusinessPartner": key, "BusinessPartnerFullName": name, "BusinessPartnerCategory": category, "CreationDate": "/Date(1518393600000)/"}
    for key, name, category in [("11", "Domestic Customer 1", "2"), ("1000060", "Ottokar Übermüller", "1"), ("1003764", "Inlandskunde DE 4", "2"),
                                ("USCU_L10", "Skymart Corp", "2")]
]


def fault(text, code):
    return {"fault": {"faultstring": text, "detail": {"errorcode": code}}}


def odata(code, text):
    return {"error": {"code": code, "message": {"lang": "en", "value": text}}}


class Sap(Vendor):
    name = "sap"
    about = "https://127.0.0.1:PORT/s4hanacloud/sap/opu/odata/sap; option apikey, or client_id and client_secret"
    login = {"apikey": "Gx2kq8VJr6oZtM1sYwPbN4dHfLcUeA7T", "client_id": "qconn-client-1", "client_secret": "h6Ct9QfKx3Lr0vUz"}
    secret = "apikey"
    lifetime = 3599
    MISTAKES = {
        "client": (401, {"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"}),
        "grant type": (400, {"ErrorCode": "invalid_request", "Error": "Required param : grant_type"}),
        "request": (400, {"ErrorCode": "invalid_request", "Error": "The request is not one of the documented forms"}),
        "key": (401, fault("Invalid ApiKey", "oauth.v2.InvalidApiKey")),
        "no key": (401, fault("Failed to resolve API Key variable request.header.apikey", "steps.oauth.v2.FailedToResolveAPIKey")),
        "both": (400, fault("ApiKey and Authorization at once", "policies.conflict")),
        "token": (401, fault("Invalid access token", "oauth.v2.InvalidAccessToken")),
        "token over": (401, fault("Access Token expired", "keymanagement.service.access_token_expired")),
        "accept": (406, odata("005056A509B11EE1B9A8FEC11C23378E", "The server cannot generate content of the types accepted.")),
        "type": (415, odata("005056A509B11EE1B9A8FEC11C22578E", "Unsupported media type requested.")),
        "json": (400, odata("005056A509B11EE1B9A8FEC11C21D78E", "Error while parsing the JSON stream.")),
        "route": (404, odata("005056A509B11EE1B9A8FEC11C21D78E", "Resource not found for the segment")),
        "method": (405, odata("005056A509B11EE1B9A8FEC11C22778E", "Method not allowed.")),
        "absent": (404, odata("/IWBEP/CM_MGW_RT/020", "Resource not found for segment 'A_BusinessPartnerType'")),
    }

    def seed(self):
        self.partners = Records("BusinessPartner", PARTNERS)

    @route("POST", "/oauth2/apitoken/v1", open=True)
    def token(self, request):
        known, grant = self.login, is_("client_credentials")
        as_basic = ("header", "Authorization", basic(known["client_id"], known["client_secret"]), "client")
        form = ("header", "Content-Type", media(FORM), "request")
        ways = {  # (with Basic, with a body)
            (True, False): [as_basic, ("query", "grant_type", grant, "grant type")],
            (True, True): [as_basic, form, ("field", "grant_type", grant, "grant type")],
            (False, True): [form, ("field", "grant_type", grant, "grant type"), ("field", "client_id", is_(known["client_id"]), "client"),
                            ("field", "client_secret", is_(known["client_secret"]), "client")],
            (False, False): [as_basic],
        }
        given = bool(request.header.get("Authorization"))
        always = [("header", "ApiKey", absent, "both"), ("header", "Accept", accepts(JSON), "accept")]
        self.check(request, ways[given, bool(request.body)] + always, extra="request")
        return Answer(200, {"token_type": "Bearer", "access_token": self.tokens.issue(letters(21)), "expires_in": self.tokens.lifetime, "scope": ""})

    def guard(self, request):
        if "ApiKey" in request.header:
            self.check(request, [("header", "ApiKey", is_(self.login["apikey"]), "key"), ("header", "Authorization", absent, "both")])
        else:
            wrong = self.bearer(request)
            if wrong:
                self.refuse("no key" if wrong == "no Authorization" else "token over" if wrong.startswith("expired") else "token", wrong)
        self.check(request, [("header", "Accept", accepts(JSON), "accept"), ("header", "DataServiceVersion", if_there("2.0"), "type")])

    def shown(self, request, row):
        uri = f"{request.base}{SERVICE}/A_BusinessPartner('{row['BusinessPartner']}')"
        return {"__metadata": {"uri": uri, "type": "API_BUSINESS_PARTNER.A_BusinessPartnerType"}, **row}

    @route("GET", SERVICE + "/A_BusinessPartner")
    def list(self, request):
        begin, count = (int(request.query.get(name, fallback)) for name, fallback in (("$skip", 0), ("$top", 1000)))
        answer = {"results": [self.shown(request, row) for row in self.partners[begin : begin + count]]}
        if request.query.get("$inlinecount") == "allpages":
            answer["__count"] = str(len(self.partners))
        return Answer(200, {"d": answer}, {"DataServiceVersion": "2.0"})

    @route("GET", SERVICE + r"/A_BusinessPartner\('(\w+)'\)")
    def read(self, request, key):
        return Answer(200, {"d": self.shown(request, self.found(self.partners, key, "absent"))}, {"DataServiceVersion": "2.0"})

    @route("POST", SERVICE + "/A_BusinessPartner")
    def create(self, request):
        row = self.partners.take({**self.json_of(request), "BusinessPartner": str(1100000 + len(self.partners))})
        shown = self.shown(request, row)
        return Answer(201, {"d": shown}, {"DataServiceVersion": "2.0", "Location": shown["__metadata"]["uri"]})

    @route("PATCH", SERVICE + r"/A_BusinessPartner\('(\w+)'\)")
    def change(self, request, key):
        row = self.found(self.partners, key, "absent")
        row.update(self.json_of(request), BusinessPartner=row["BusinessPartner"])
        return Answer(204)
