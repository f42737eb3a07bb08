/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_LEASE_H
#define VE_AGENT_LEASE_H

/*
 * Addresses: blocks that the provider's data base lent to this node, and single
 * leases of them to VEs that run.  Pure book-keeping: the kernel's table is
 * changed by the caller (clock.c), before what is taken away is written here
 * and after what is given is.  Call with the state lock held.
 *
 * Fencing: every reply about a block carries a nonce; the renewal that echoes it
 * makes the block valid for three quarters of the term, counted from when the
 * nonce was ISSUED.  So however late a renewal arrives, the node's idea of the
 * end lies before the lender's.  @now is clock_boot() throughout.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/libve/addr.h"
#include "agent/libve/err.h"
#include "agent/libve/json.h"

#define BLOCK_ID 65
#define NONCE_TEXT 33

struct lease {
	uint32_t veid, epoch;
	struct addr address;
	char block[BLOCK_ID];
};

/* At start: after a reboot no lease and no block stands any more, and every
 * address that was leased rests for @quarantine_ms.  Where that cannot be
 * written nothing may be lent: the old ends are of another boot's clock. */
int lease_boot(sqlite3 *db, const char *boot_id, int64_t now, int64_t wall,
	       int64_t quarantine_ms);

struct block_put {
	char range[CIDR_TEXT];
	char nonce[NONCE_TEXT];
	int64_t term_ms, acked_epoch;
};

/*
 * Lend or renew.  -EINVAL: the range is none, or meets another block that is
 * valid or has leases (one that ran out gives way); -EBUSY:
 * the block has another range and leases.  A nonce that is not the last one is
 * no error: the block just is not prolonged.
 */
int lease_block_put(sqlite3 *db, const char *id, const struct block_put *b,
		    int64_t now, struct err *e);

/* Forget a block without leases; -EBUSY while it has some, -ENOENT. */
int lease_block_drop(sqlite3 *db, const char *id);

/* Stop giving addresses of it: the next sweep takes all back. */
int lease_block_end(sqlite3 *db, const char *id);

/* Members of the reply about a block: id, range, nonce, remaining_ms, leases,
 * released.  What is listed as released is marked as told. */
void lease_block_show(sqlite3 *db, const char *id, int64_t now,
		      struct json_out *o);

/*
 * Pick a free address for @veid and write the lease down, not yet installed.
 * -EADDRNOTAVAIL when none is free now.
 */
int lease_pick(sqlite3 *db, uint32_t veid, int64_t now, int64_t wall,
	       struct lease *l);

/* Leases that are not installed; their number. */
unsigned lease_unfinished(sqlite3 *db, struct lease *l, unsigned room);

/* The kernel has it.  false: it ended meanwhile, before anybody heard of it. */
bool lease_installed(sqlite3 *db, const struct lease *l);

/* End the lease of @veid, if it has one: the address rests until
 * @now + @quarantine_ms, and the lender will be told.  true when it had one. */
bool lease_end(sqlite3 *db, uint32_t veid, int64_t now, int64_t wall,
	       int64_t quarantine_ms, struct lease *was);

/* Up to @room leases whose block is no longer valid; their number. */
unsigned lease_overdue(sqlite3 *db, int64_t now, struct lease *l,
		       unsigned room);

/*
 * @veid runs: into the line for an address, unless it stands there or has one.
 * It runs no longer: out of the line.
 *
 * Networks take turns, and within one whoever came first.  Each who comes gets the
 * number of the round in which it is served: the one that is under way, or the one
 * behind the last of its network that stands there or was served.
 */
void lease_wait(sqlite3 *db, uint32_t veid, int64_t now);
void lease_leave(sqlite3 *db, uint32_t veid);

/* Who stands there, the first first; their number. */
unsigned lease_waiting(sqlite3 *db, uint32_t *veids, unsigned room);

/* Place in the line, the first is 1; 0: not there. */
uint32_t lease_place(sqlite3 *db, uint32_t veid);

/* Milliseconds from one who waited and got an address to the next, of late; 0:
 * nobody has waited yet. */
int64_t lease_pace(sqlite3 *db);

/* Leases that are older than their VE may have one while others wait: as many as
 * stand in the line beyond what is free or rests, the oldest first. */
unsigned lease_too_long(sqlite3 *db, int64_t now, struct lease *l,
			unsigned room);

/* @veid sleeps and needs its lease, if it has one, no longer; or needs it after
 * all.  Those that are needless now; their number. */
void lease_needless(sqlite3 *db, uint32_t veid, bool needless);
unsigned lease_all_needless(sqlite3 *db, struct lease *l, unsigned room);

/* Those that the kernel has, of VEs behind @after, by veid; their number. */
unsigned lease_standing(sqlite3 *db, uint32_t after, struct lease *l,
			unsigned room);

/* Address and epoch of a VE; false when it has none (installed). */
bool lease_of(sqlite3 *db, uint32_t veid, struct lease *l);

/* Milliseconds until something happens by itself (a block's end, an address'
 * rest), at most @most. */
int64_t lease_next_ms(sqlite3 *db, int64_t now, int64_t most);

#endif
