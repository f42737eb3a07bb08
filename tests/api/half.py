#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A visitor who says good-bye behind the request (TLS close_notify) and listens still.

   half.py PORT HOST PATH      prints the answer"""
import socket
import ssl
import sys

port, host, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(inward, outward, server_hostname=host)
wire = socket.create_connection(("127.0.0.1", port))


def step(act, *arguments):
    """What it gives; None at the end of what the server says."""
    while True:
        try:
            return act(*arguments)
        except ssl.SSLWantReadError:
            wire.sendall(outward.read())
            more = wire.recv(65536)
            if not more:
                return None
            inward.write(more)


step(tls.do_handshake)
tls.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
try:
    tls.unwrap()
except ssl.SSLWantReadError:
    pass
wire.sendall(outward.read())
try:
    while text := step(tls.read, 65536):
        sys.stdout.write(text.decode())
except ssl.SSLZeroReturnError:
    pass
