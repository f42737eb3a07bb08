#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A mail server for tests: smtpd.py PORT DIR

Letters go to DIR/N.eml.  DIR/answer, when it is there, is what the server says instead of taking
a letter: "rcpt 550 No such user" or "data 451 Try again later" or "greet 554 Go away"."""
import asyncio
import os
import sys

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP

port, where = int(sys.argv[1]), sys.argv[2]


def answer(step):
    try:
        with open(os.path.join(where, "answer"), encoding="ascii") as f:
            at, words = f.read().strip().split(" ", 1)
            return words if at == step else None
    except FileNotFoundError:
        return None


class Box:
    count = sum(name.endswith(".eml") for name in os.listdir(where))

    async def handle_RCPT(self, server, session, envelope, address, options):
        envelope.rcpt_tos.append(address)
        return answer("rcpt") or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        refused = answer("data")
        if refused:
            return refused
        Box.count += 1
        with open(os.path.join(where, f"{Box.count}.eml"), "wb") as f:
            f.write(envelope.content)
        return "250 Taken"


class Server(SMTP):
    def connection_made(self, transport):
        refused = answer("greet")
        if refused:
            transport.write(refused.encode() + b"\r\n")
            transport.close()
        super().connection_made(transport)


class Controller(UnthreadedController):
    def factory(self):
        return Server(self.handler, **self.SMTP_kwargs)


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
Controller(Box(), hostname="127.0.0.1", port=port, loop=loop).begin()
loop.run_forever()
