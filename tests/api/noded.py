#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A node that answers what it is told to: noded.py PORT PKI DIRECTORY.  The answers to GET /v1/ves are the lines
of DIRECTORY/ves, one after the other, the last one for ever; DIRECTORY/block is the answer to PUT /v1/blocks/N.
Each request is a line of DIRECTORY/asked.  "endless" is a list of one VE of three million bytes a page, and
there is always one more."""
import http.server
import json
import ssl
import sys

port, pki, place = sys.argv[1:]


class Node(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(f"{place}/asked", "a+", encoding="ascii") as f:
            print(self.command, self.path, file=f)
            f.seek(0)
            nth = sum(line.startswith("GET /v1/ves") for line in f)
        text = "{}"
        if self.path.startswith("/v1/ves"):
            lines = open(f"{place}/ves", encoding="ascii").read().splitlines()
            text = lines[min(nth, len(lines)) - 1]
        elif self.path.startswith("/v1/blocks"):
            text = open(f"{place}/block", encoding="ascii").read()
        if text == "endless":
            after = int(self.path.split("after=")[1])
            text = json.dumps({"items": [{"x": "x" * 3000000}], "next": after + 1})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_PUT = do_DELETE = answer

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(f"{pki}/node-n2.crt", f"{pki}/node-n2.key")
with Server(("127.0.0.1", int(port)), Node) as server:
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
