#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A browser's WebSocket (RFC 6455) to a VE's web page: wsvisit.py PORT CA NAME.  Prints what it finds: the handshake's
answer, and of a text, a ping, and a binary message of each length's kind what came back."""
import base64
import hashlib
import os
import socket
import ssl
import sys

port, ca, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
tls = ssl.create_default_context(cafile=ca)
s = tls.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=60), server_hostname=name)
stream = s.makefile("rb")
key = base64.b64encode(os.urandom(16)).decode()
s.sendall(f"GET /chat HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
          f"Origin: https://{name}:{port}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
print(stream.readline().decode().strip())
names = {}
while (line := stream.readline().decode().strip()):
    names[line.split(":")[0].lower()] = line.split(":", 1)[1].strip()
want = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
print("accept", "right" if names.get("sec-websocket-accept") == want else names)


def send(code, data):
    mask = os.urandom(4)
    size = len(data)
    head = bytes([128 | code])
    if size < 126:
        head += bytes([128 | size])
    elif size < 65536:
        head += b"\xfe" + size.to_bytes(2, "big")
    else:
        head += b"\xff" + size.to_bytes(8, "big")
    s.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))


def receive():
    head = stream.read(2)
    if len(head) < 2:
        return None, b""
    size = head[1] & 127
    if size > 125:
        size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
    return head[0] & 15, stream.read(size)


for what, code, back, data in (("text", 1, 1, "größer".encode()), ("ping", 9, 10, b"there?"), ("short", 2, 2, os.urandom(125)),
                               ("middle", 2, 2, os.urandom(40000)), ("long", 2, 2, os.urandom(300000)),
                               ("close", 8, 8, (1000).to_bytes(2, "big"))):
    send(code, data)
    print(what, "as sent" if receive() == (back, data) else "otherwise")
print("end" if receive() == (None, b"") else "no end")
