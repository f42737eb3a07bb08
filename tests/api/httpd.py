#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A web server as it may run in a VE: httpd.py prints its port; answers with the head that it got and
the length of the body; after "Upgrade: shout" it sends each line back in capitals, up to "bye"; any other upgrade
it takes for a request as any, and another one may follow on the connection, within a second."""
import socketserver


class Visit(socketserver.StreamRequestHandler):
    def handle(self):
        while self.serve():
            self.connection.settimeout(1)

    def serve(self):
        """One request; whether there may be another one."""
        head = []
        try:
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                head.append(line.decode().rstrip())
        except TimeoutError:
            return False
        names = {h.split(":")[0].lower(): h.split(":", 1)[1].strip() for h in head[1:]}
        if names.get("upgrade") == "shout":
            self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: shout\r\nConnection: Upgrade\r\n\r\n")
            while (line := self.rfile.readline()) not in (b"bye\n", b""):
                self.wfile.write(line.upper())
            return False
        body = self.rfile.read(int(names.get("content-length", 0)))
        text = ("\n".join(head) + f"\nbody {len(body)}\n").encode()
        if head and head[0].startswith("GET /big"):
            text = b"x" * 3000000
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Server: in the VE\r\n\r\n" % len(text) + text)
        return "upgrade" in names


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", 0), Visit) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
