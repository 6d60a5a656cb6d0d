# SPDX-License-Identifier: Apache-2.0
"""Sewio RTLS: the key in X-ApiKey on each request, nothing in Authorization, JSON only. API below /sensmapserver/api."""
from .common import JSON, Answer, Records, Vendor, absent, accepts, is_, route

FEEDS = [
    {"id": 17, "alias": "0x0CB23F000017", "title": "Forklift 17", "type": "tag",
     "datastreams": [{"id": "posX", "current_value": "12.85", "at": "2024-03-05 10:15:00.250"},
                     {"id": "posY", "current_value": "4.10", "at": "2024-03-05 10:15:00.250"}]},
    {"id": 18, "alias": "0x0CB23F000018", "title": "Pallet – Größe L", "type": "tag", "datastreams": []},
    {"id": 41, "alias": "0x0CB23F000041", "title": "Hall A, north", "type": "anchor",
     "datastreams": [{"id": "posX", "current_value": "0.00", "at": "2024-01-02 08:00:00.000"}]},
]


class Sewio(Vendor):
    name = "sewio"
    about = "http://127.0.0.1:PORT/sensmapserver/api; option apikey"
    login = {"apikey": "171555a8fe71148a165392904"}
    secret = "apikey"
    MISTAKES = {
        "key": (403, {"error": "Forbidden", "message": "X-ApiKey is missing or not valid"}),
        "accept": (406, {"error": "Not Acceptable", "message": "The server has JSON only"}),
        "type": (415, {"error": "Unsupported Media Type", "message": "The server takes JSON only"}),
        "json": (400, {"error": "Bad Request", "message": "The body is not valid JSON"}),
        "route": (404, {"error": "Not Found", "message": "No such resource"}),
        "method": (405, {"error": "Method Not Allowed", "message": "The resource has no such method"}),
        "absent": (404, {"error": "Not Found", "message": "No feed has this id"}),
        "title": (422, {"error": "Unprocessable Entity", "message": "title is missing"}),
    }

    def seed(self):
        self.feeds = Records("id", FEEDS)

    def guard(self, request):
        self.check(request, [
            ("header", "X-ApiKey", is_(self.login["apikey"]), "key"),
            ("header", "Authorization", absent, "key"),
            ("header", "Accept", accepts(JSON), "accept"),
        ])

    @route("GET", "/sensmapserver/api/feeds")
    def list(self, request):
        wanted = request.query.get("q", "")
        return self.listed([feed for feed in self.feeds if wanted in feed["title"] or wanted in feed["alias"]])

    @route("GET", "/sensmapserver/api/(anchor|tag)s")
    def list_kind(self, _, kind):
        return self.listed([feed for feed in self.feeds if feed["type"] == kind])

    def listed(self, feeds):
        return Answer(200, {"totalResults": len(feeds), "results": feeds})

    @route("POST", "/sensmapserver/api/feeds")
    def create(self, request):
        feed = self.json_of(request)
        if not feed.get("title"):
            self.refuse("title", "body without title")
        return Answer(201, self.feeds.take({"type": "tag", "datastreams": [], **feed, "id": max(one["id"] for one in self.feeds) + 1}))

    @route("GET", r"/sensmapserver/api/(?:feeds|anchors|tags)/(\d+)")
    def read(self, _, key):
        return Answer(200, self.found(self.feeds, key, "absent"))

    @route("PUT", r"/sensmapserver/api/feeds/(\d+)")
    def change(self, request, key):
        feed = self.found(self.feeds, key, "absent")
        feed.update(self.json_of(request), id=feed["id"])
        return Answer(200, feed)

    @route("DELETE", r"/sensmapserver/api/feeds/(\d+)")
    def delete(self, _, key):
        self.feeds.remove(self.found(self.feeds, key, "absent"))
        return Answer(204)
