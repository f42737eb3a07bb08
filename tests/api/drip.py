#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A request that comes a byte at a time.

   drip.py PORT CA SECONDS   one byte a second for so long, then the rest

prints the answer's status, or "closed" when the portal ends the connection before."""
import socket
import ssl
import sys
import time

port, ca, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
tls = ssl.create_default_context(cafile=ca).wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
try:
    tls.sendall(f"GET /login HTTP/1.1\r\nHost: localhost:{port}\r\nX-Slow: ".encode())
    end = time.monotonic() + seconds
    tls.settimeout(1)
    while time.monotonic() < end:
        tls.sendall(b"x")
        try:
            if not tls.recv(1):
                raise ConnectionError
        except TimeoutError:
            pass
    tls.settimeout(20)
    tls.sendall(b"\r\nConnection: close\r\n\r\n")
    print(tls.recv(100).decode().split(" ")[1])
except (ConnectionError, ssl.SSLError):
    print("closed")
