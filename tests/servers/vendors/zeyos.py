# SPDX-License-Identifier: Apache-2.0
"""ZeyOS: a JSON log-in at /INSTANCE/auth/v1/login, then a bearer token at /INSTANCE/api/v1. No charset in any Content-Type. Errors are plain text."""
import secrets

from .common import JSON, Answer, Records, Vendor, absent, accepts, media, route

APPOINTMENTS = [
    {"ID": 1, "name": "Stand-up", "datefrom": 1709625600, "dateto": 1709626500, "location": "Room 1", "visibility": 0},
    {"ID": 2, "name": "Besichtigung Köln", "datefrom": 1709650800, "dateto": 1709658000, "location": "Domkloster 4", "visibility": 0},
    {"ID": 5, "name": "Audit", "datefrom": 1709712000, "dateto": 1709730000, "location": None, "visibility": 1},
]
TEXTS = ("name", "password", "identifier", "appsecret")


class Zeyos(Vendor):
    name = "zeyos"
    about = "http://127.0.0.1:PORT/INSTANCE (or option instance); user name and password, option appsecret; API below /INSTANCE/api/v1"
    login = {"instance": "test", "name": "max.power", "password": "MySecret\"Pwd\\1ä", "appsecret": "b1946ac92492d2347c6235b4d2611184"}
    json_type = media(JSON, charset=False)
    MISTAKES = {
        "login": (401, "Invalid username or password"),
        "appsecret": (401, "Invalid application secret"),
        "request": (400, "Bad Request"),
        "token": (401, "Unauthorized", {"WWW-Authenticate": "Bearer"}),
        "accept": (406, "Not Acceptable"),
        "instance": (404, "Instance not found"),
        "route": (404, "Resource not found"),
        "absent": (404, "Entity not found"),
        "name": (400, "Missing field: name"),
    }

    def seed(self):
        self.appointments = Records("ID", APPOINTMENTS)

    def of_instance(self, instance):
        if instance != self.login["instance"]:
            self.refuse("instance", f"path: instance {instance!r}")

    @route("POST", "/([^/]+)/auth/v1/login", open=True)
    def token(self, request, instance):
        self.of_instance(instance)
        self.check(request, [("header", "Authorization", absent, "request"), ("header", "Accept", accepts(JSON), "accept")])
        given = self.json_of(request)
        if sorted(given) != sorted(TEXTS) or not all(isinstance(value, str) and value for value in given.values()):
            self.refuse("request", f"body: has {', '.join(sorted(given))}; wanted: {', '.join(TEXTS)}, each a text that is not empty")
        for name, mistake in (("appsecret", "appsecret"), ("name", "login"), ("password", "login")):
            if given[name] != self.login[name]:
                self.refuse(mistake, f"body: {name}: {given[name]!r}, wanted: {self.login[name]}")
        token = self.tokens.issue(secrets.token_hex(20))
        return Answer(200, {"user": 2, "application": 1, "token": token, "identifier": given["identifier"], "expdate": None}, {"Content-Type": JSON})

    def guard(self, request):
        self.of_instance(request.path.split("/")[1])
        wrong = self.bearer(request)
        if wrong:
            self.refuse("token", wrong)
        self.check(request, [("header", "Accept", accepts(JSON), "accept")])

    @route("GET", "/[^/]+/api/v1/appointments/?")
    def list(self, request):
        limit = int(request.query.get("limit", 1000))
        return Answer(200, self.appointments[:limit])

    @route("POST", "/[^/]+/api/v1/appointments/?")
    def create(self, request):
        appointment = self.json_of(request)
        if not appointment.get("name"):
            self.refuse("name", "body without name")
        return Answer(201, self.appointments.take({**appointment, "ID": max(one["ID"] for one in self.appointments) + 1}))

    @route("GET", r"/[^/]+/api/v1/appointments/(\d+)")
    def read(self, _, key):
        return Answer(200, self.found(self.appointments, key, "absent"))

    @route("PATCH", r"/[^/]+/api/v1/appointments/(\d+)")
    def change(self, request, key):
        appointment = self.found(self.appointments, key, "absent")
        appointment.update(self.json_of(request), ID=appointment["ID"])
        return Answer(200, appointment)

    @route("DELETE", r"/[^/]+/api/v1/appointments/(\d+)")
    def delete(self, _, key):
        self.appointments.remove(self.found(self.appointments, key, "absent"))
        return Answer(204)
