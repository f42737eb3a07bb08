# SPDX-License-Identifier: Apache-2.0
"""Compare the three books of leases: books.py SEEN.json AGENT-DIR LEASES.tsv

SEEN.json: the agent's events as they came, and every line of the kernel's table that was seen.  AGENT-DIR: its data
base.  LEASES.tsv: PostgreSQL's.  Prints what it found and "doubles N".
"""
import glob
import json
import sqlite3
import sys

seen = json.load(open(sys.argv[1]))
doubles = 0


def bad(what):
    global doubles
    doubles += 1
    if doubles <= 20:
        print("double:", what)


# The agent's events, in their order: an address is lent to one, and taken back before it is lent again.
held, of_epoch, cycles = {}, {}, 0
for what, veid, address, epoch in seen["leases"]:
    if ":" in address:
        continue
    if what == "began":
        if address in held:
            bad(f"events: {address} lent to {veid} while {held[address]} has it")
        if epoch in of_epoch:
            bad(f"events: epoch {epoch} twice")
        held[address] = veid
        of_epoch[epoch] = (address, veid)
    else:
        if held.pop(address, None) != veid:
            bad(f"events: {address} taken from {veid}, who has not got it")
        cycles += 1

# The kernel's table: what was seen in it is what was lent under that epoch, and epochs of an address grow.  A stranger
# is an epoch that the agent told nobody of.
unknown = 0
for address, veid, epoch in seen["table"]:
    if epoch not in of_epoch:
        unknown += 1
    elif of_epoch[epoch] != (address, veid):
        bad(f"kernel: {address} of {veid} under epoch {epoch}, lent to {of_epoch[epoch]}")
for word in seen["table_doubles"]:
    bad("kernel: " + word)

# The agent's data base: live leases and those that were released.
db = sqlite3.connect(glob.glob(sys.argv[2] + "/**/agent.db", recursive=True)[0])
rows = [(a, v, e) for a, v, e in db.execute("SELECT address, veid, epoch FROM released UNION SELECT address, veid, epoch FROM lease")]
for address, veid, epoch in rows:
    if ":" not in address and of_epoch.get(epoch, (address, veid)) != (address, veid):
        bad(f"agent: {address} of {veid} under epoch {epoch}, in its events {of_epoch[epoch]}")
spans = {}
for address, since, until in db.execute("SELECT address, since, until FROM released ORDER BY address, since"):
    if since < spans.get(address, since):
        bad(f"agent: {address} lent at {since} before it was back at {spans[address]}")
    spans[address] = until

# PostgreSQL's: the same epochs say the same.
theirs = 0
for line in open(sys.argv[3]):
    address, veid, epoch, _, _ = line.split("\t")
    theirs += 1
    if of_epoch.get(int(epoch), (address, int(veid))) != (address, int(veid)):
        bad(f"PostgreSQL: {address} of {veid} under epoch {epoch}, in the agent's events {of_epoch[int(epoch)]}")

print(f"addresses {len({a for a, _ in of_epoch.values()})}")
print(f"seen: {len(seen['leases'])} events of leases, {seen['looks']} looks at the kernel's table with "
      f"{len(seen['table'])} leases, {len(rows)} in the agent's data base, {theirs} in PostgreSQL")
books = {"the agent's events": of_epoch, "the kernel's table": seen["table"], "the agent's data base": rows, "PostgreSQL": theirs}
print("empty:", ", ".join(k for k, v in books.items() if not v) or "no book")
print(f"strangers {unknown}")
print("not measured:", ", ".join(k for k, n in seen["kinds"].items() if not n) or "nothing")
if not seen["whole"]:
    print("events were missed")
    doubles += 1
print(f"subscribers {seen['subscribers']}")
print(f"cycles {cycles}")
print(f"doubles {doubles}")
