#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How many were served out of the line, and how many of these out of turn: before somebody of their own network who
came first, or before a network that waited and was served longer ago.  Who came within the last two seconds may not
have been seen yet.

Reads order.sql's lines, which are in the order of the audit; prints "served N out-of-turn N"."""
import sys

SEEN = 2  # seconds
waiting = {}  # by network: (id, at, who), the oldest first
came = {}  # by subscriber: the id of the last join
last = {}  # by network: the id of the last who was served
served = wrong = 0


def out_of_turn(at, who, network):
    for other, line in waiting.items():
        first = next((w for w in line if w[2] != who), None)
        if not first or first[1] >= at - SEEN:
            continue
        if other == network and first[0] < came.get(who, 0):
            return True
        if other != network and network in last and last.get(other, 0) < last[network]:
            return True
    return False


for text in sys.stdin:
    what, number, at, who, network = text.rstrip("\n").split("\t")
    number, at = int(number), float(at)
    if what == "joined":
        waiting.setdefault(network, []).append((number, at, who))
        came[who] = number
        continue
    served += 1
    wrong += out_of_turn(at, who, network)
    last[network] = number
    waiting[network] = [w for w in waiting.get(network, []) if w[2] != who]
print("served", served, "out-of-turn", wrong)
