# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 server that keeps what is posted to it, and refuses it as it is told.

hook.py PORT DIR

What it takes is a line of DIR/posts: a JSON object of path, authorization and body. DIR/rules, where it is there, is a JSON object:

    status   what every post is answered with, and not kept
    hang     posts are kept waiting for ever
    at_most  posts of more events than that are answered with 413
    not      posts with an event of that name are answered with 422
"""
import http.server
import json
import pathlib
import sys
import threading

folder = pathlib.Path(sys.argv[2])
lock = threading.Lock()


def rules():
    try:
        return json.loads((folder / "rules").read_text())
    except FileNotFoundError:
        return {}


def refusal(body):
    told = rules()
    if "status" in told:
        return told["status"]
    if len(body["events"]) > told.get("at_most", 10**9):
        return 413
    if any(event["name"] == told.get("not") for event in body["events"]):
        return 422
    return 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if rules().get("hang"):
            threading.Event().wait()
        status = refusal(body)
        if not status:
            post = {"path": self.path, "authorization": self.headers["Authorization"], "type": self.headers["Content-Type"], "body": body}
            with lock, (folder / "posts").open("a") as posts:
                posts.write(json.dumps(post) + "\n")
        self.send_response(status or 200)
        self.send_header("Content-Length", "0")
        self.end_headers()


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
