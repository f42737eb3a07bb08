#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""flood.py PORT CA COUNT NETWORKS NAMES: so many visits at once, from so many networks of the loopback, for
s1..sNAMES.ve.localhost.  Prints "waiting W refused R other O" whenever that changes, until it is ended."""
import asyncio
import ssl
import sys

port, ca, count, networks, names = int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6])
context = ssl.create_default_context(cafile=ca)
state = {"waiting": 0, "refused": 0, "other": 0}


def note(**change):
    for key, by in change.items():
        state[key] += by
    print(" ".join(f"{k} {v}" for k, v in state.items()), flush=True)


async def visit(i):
    host = f"s{i % names + 1}.ve.localhost"
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=host, local_addr=(f"127.0.{1 + i % networks}.1", 0))
    writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    note(waiting=1)
    answer = await reader.read(64)
    note(waiting=-1, **{"refused" if answer.startswith(b"HTTP/1.1 503 ") else "other": 1})


async def main():
    await asyncio.gather(*(visit(i) for i in range(count)), return_exceptions=True)

asyncio.run(main())
