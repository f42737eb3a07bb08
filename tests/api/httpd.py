#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A web server as it may run in a VE: httpd.py prints its port; answers with the head that it got and
the length of the body; after "Upgrade: shout" it sends each line back in capitals, up to "bye"; after "Upgrade:
websocket" (RFC 6455) it sends each message back as it came and answers a ping, up to the close, which it answers; any other upgrade
it takes for a request as any, and another one may follow on the connection, within a second."""
import base64
import hashlib
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
        if names.get("upgrade") == "websocket":
            self.websocket(names)
            return False
        body = self.rfile.read(int(names.get("content-length", 0)))
        text = ("\n".join(head) + f"\nbody {len(body)}\n").encode()
        if head and head[0].startswith("GET /big"):
            text = b"x" * 3000000
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Server: in the VE\r\n\r\n" % len(text) + text)
        return "upgrade" in names


    def websocket(self, names):
        key = names["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.wfile.write(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        while len(head := self.rfile.read(2)) == 2:
            size = head[1] & 127
            if size > 125:
                size = int.from_bytes(self.rfile.read(2 if size == 126 else 8), "big")
            mask = self.rfile.read(4)  # a client masks, a server does not
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(size)))
            code = head[0] & 15
            self.wfile.write(bytes([128 | (10 if code == 9 else code)]) + length(size) + data)
            if code == 8:
                return


def length(size):
    """As a frame of a server begins behind its first byte."""
    if size < 126:
        return bytes([size])
    return b"\x7e" + size.to_bytes(2, "big") if size < 65536 else b"\x7f" + size.to_bytes(8, "big")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", 0), Visit) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
