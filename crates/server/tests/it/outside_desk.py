"""An outside desk: takes messages by HTTP, checks their signature by itself, and writes each as a line of JSON.

The first line of the output is its port. Lines of the input tell it what to do: "secret whsec_..." to check with, and
"answer 503" for the answers from then on.
"""
import base64
import hashlib
import hmac
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

state = {"secret": b"", "answer": 200}


class Desk(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        message = self.headers["webhook-id"]
        content = f"{message}.{self.headers['webhook-timestamp']}.".encode() + body
        made = base64.b64encode(hmac.new(state["secret"], content, hashlib.sha256).digest()).decode()
        line = {
            "id": message,
            "timestamp": int(self.headers["webhook-timestamp"]),
            "genuine": f"v1,{made}" in self.headers["webhook-signature"].split(" "),
            "answered": state["answer"],
            "message": json.loads(body),
        }
        self.send_response(state["answer"])
        self.send_header("content-length", "0")
        self.end_headers()
        print(json.dumps(line), flush=True)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
# Ends with the test: its end closes our standard input.
for line in sys.stdin:
    what, value = line.split()
    if what == "secret":
        state["secret"] = base64.b64decode(value.removeprefix("whsec_"))
    else:
        state["answer"] = int(value)
    print(json.dumps({"done": what}), flush=True)
