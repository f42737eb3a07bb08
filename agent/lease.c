// SPDX-License-Identifier: Apache-2.0
#include "agent/lease.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "agent/db.h"

#define STAND_NETWORK 80 /* a VE's, or one made of its number */
#define WAITED_MS 1000

static void read_lease(sqlite3_stmt *st, struct lease *l)
{
	char text[ADDR_TEXT];

	*l = (struct lease){ 0 };
	db_text(st, 0, text, sizeof(text));
	addr_parse(&l->address, text);
	db_text(st, 1, l->block, sizeof(l->block));
	l->veid = (uint32_t)sqlite3_column_int64(st, 2);
	l->epoch = (uint32_t)sqlite3_column_int64(st, 3);
}

static int forget_boot(sqlite3 *db, const char *boot_id, int64_t now,
		       int64_t wall, int64_t quarantine_ms)
{
	if (db_do(db,
		  "UPDATE address SET lent = 0,"
		  " free_at = CASE epoch WHEN 0 THEN -1 ELSE ? END",
		  "i", now + quarantine_ms) < 0 ||
	    db_do(db,
		  "INSERT OR REPLACE INTO released SELECT epoch, block,"
		  " address, veid, since, ?, 0 FROM lease",
		  "i", wall) < 0 ||
	    db_do(db, "DELETE FROM lease", "") < 0 ||
	    db_do(db, "DELETE FROM line", "") < 0 ||
	    db_do(db, "UPDATE pace SET at = 0", "") < 0 ||
	    db_do(db,
		  "UPDATE block SET nonce = '', nonce_at = 0,"
		  " valid_until = 0",
		  "") < 0 ||
	    db_do(db, "INSERT OR REPLACE INTO fact VALUES ('boot_id', ?)", "t",
		  boot_id) < 0)
		return -EIO;
	return 0;
}

int lease_boot(sqlite3 *db, const char *boot_id, int64_t now, int64_t wall,
	       int64_t quarantine_ms)
{
	sqlite3_stmt *st _stmt_ =
		db_query(db,
			 "SELECT 1 FROM fact WHERE name = 'boot_id'"
			 " AND value = ?",
			 "t", boot_id);
	int r;

	if (db_step(st))
		return 0;
	db_begin(db);
	r = forget_boot(db, boot_id, now, wall, quarantine_ms);
	if (r == 0)
		return db_commit(db);
	db_rollback(db);
	return r;
}

/* The range is one and meets no block that stands.  A block that it meets and
 * that has run out, with all its leases gone, gives way: the lender lends its
 * range anew, under another name. */
static int check_range(sqlite3 *db, const char *id, const char *range,
		       int64_t now, struct err *e)
{
	sqlite3_stmt *st _stmt_ =
		db_query(db,
			 "SELECT id, range, valid_until <= ? FROM block"
			 " WHERE id <> ?",
			 "it", now, id);
	struct cidr mine, other;
	char text[CIDR_TEXT], name[BLOCK_ID];

	if (cidr_parse(&mine, range) < 0 || mine.base.family != 4)
		return err_set(e, -EINVAL, "'%s' is no IPv4 range", range);
	if (mine.bits < BLOCK_BITS)
		return err_set(e, -EINVAL, "%s is larger than a /%d", range,
			       BLOCK_BITS);
	if (!cidr_is_block(&mine))
		return err_set(e, -EINVAL, "%s is not for hosts", range);
	while (db_step(st)) {
		db_text(st, 0, name, sizeof(name));
		db_text(st, 1, text, sizeof(text));
		if (cidr_parse(&other, text) < 0 ||
		    !cidr_overlaps(&mine, &other))
			continue;
		if (!sqlite3_column_int64(st, 2) ||
		    lease_block_drop(db, name) == -EBUSY)
			return err_set(e, -EINVAL, "%s meets %s of block %s",
				       range, text, name);
	}
	return 0;
}

static void new_nonce(char out[static NONCE_TEXT])
{
	unsigned char raw[16];

	RAND_bytes(raw, sizeof(raw));
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
}

struct block_was {
	char range[CIDR_TEXT], nonce[NONCE_TEXT];
	int64_t nonce_at;
};

/* What the lender says it knows of the ends is not told again. */
static void drop_acked(sqlite3 *db, const char *id, int64_t acked)
{
	db_do(db,
	      "DELETE FROM released WHERE block = ? AND told = 1"
	      " AND epoch <= ?",
	      "ti", id, acked);
}

/* A row for each address of the block, unless they are there. */
static void fill(sqlite3 *db, const char *id, const char *range)
{
	char text[ADDR_TEXT];
	struct cidr c;
	struct addr a;

	if (cidr_parse(&c, range) < 0 ||
	    db_int(db, 0, "SELECT EXISTS (SELECT 1 FROM address WHERE block = ?)",
		   "t", id))
		return;
	for (uint32_t i = 0, n = cidr_count(&c); i < n; i++) {
		cidr_nth(&c, i, &a);
		db_do(db,
		      "INSERT INTO address (address, epoch, free_at, block, n)"
		      " VALUES (?, 0, -1, ?, ?) ON CONFLICT (address)"
		      " DO UPDATE SET block = excluded.block, n = excluded.n",
		      "tti", addr_print(text, &a), id, (int64_t)i);
	}
}

/* What was known of block @id; false: nothing. */
static bool read_block(sqlite3 *db, const char *id, struct block_was *was)
{
	sqlite3_stmt *st _stmt_ = db_query(
		db, "SELECT range, nonce, nonce_at FROM block WHERE id = ?",
		"t", id);

	if (!db_step(st))
		return false;
	db_text(st, 0, was->range, sizeof(was->range));
	db_text(st, 1, was->nonce, sizeof(was->nonce));
	was->nonce_at = sqlite3_column_int64(st, 2);
	return true;
}

/* Written as one. */
static int write_block(sqlite3 *db, const char *id, const struct block_put *b,
		       const struct block_was *was, bool known, int64_t now)
{
	char nonce[NONCE_TEXT];
	int64_t until = 0;

	new_nonce(nonce);
	if (!known || strcmp(was->range, b->range))
		db_do(db, "UPDATE address SET block = NULL WHERE block = ?",
		      "t", id);
	fill(db, id, b->range);
	if (!known)
		return db_do(db, "INSERT INTO block VALUES (?,?,?,?,?,0,0)",
			     "ttiti", id, b->range, b->term_ms, nonce, now);
	if (was->nonce[0] && !strcmp(was->nonce, b->nonce)) {
		until = was->nonce_at + b->term_ms / 4 * 3;
		drop_acked(db, id, b->acked_epoch);
	}
	return db_do(db,
		     "UPDATE block SET range = ?, term_ms = ?, nonce = ?,"
		     " nonce_at = ?, valid_until = max(valid_until, ?)"
		     " WHERE id = ?",
		     "titiit", b->range, b->term_ms, nonce, now, until, id);
}

int lease_block_put(sqlite3 *db, const char *id, const struct block_put *b,
		    int64_t now, struct err *e)
{
	struct block_was was;
	bool known;
	int r;

	if (check_range(db, id, b->range, now, e) < 0)
		return -EINVAL;
	known = read_block(db, id, &was);
	if (known && strcmp(was.range, b->range) &&
	    db_int(db, 0, "SELECT count(*) FROM lease WHERE block = ?", "t",
		   id))
		return err_set(e, -EBUSY, "block %s is %s and has leases", id,
			       was.range);
	db_begin(db);
	r = write_block(db, id, b, &was, known, now);
	if (r >= 0 && db_commit(db) == 0)
		return r;
	db_rollback(db);
	return r < 0 ? r : -EIO;
}

int lease_block_end(sqlite3 *db, const char *id)
{
	return db_do(db,
		     "UPDATE block SET valid_until = 0, nonce = ''"
		     " WHERE id = ?",
		     "t", id) == 1
		       ? 0
		       : -ENOENT;
}

int lease_block_drop(sqlite3 *db, const char *id)
{
	if (db_int(db, 0, "SELECT count(*) FROM lease WHERE block = ?", "t",
		   id))
		return -EBUSY;
	db_do(db, "DELETE FROM released WHERE block = ?", "t", id);
	return db_do(db, "DELETE FROM block WHERE id = ?", "t", id) == 1
		       ? 0
		       : -ENOENT;
}

/* One row of leases or released: address, veid, epoch, since[, until]. */
static void show_row(sqlite3_stmt *st, bool ended, struct json_out *o)
{
	char text[ADDR_TEXT], when[TIME_TEXT];

	json_open(o, NULL, '{');
	db_text(st, 0, text, sizeof(text));
	json_put_string(o, "address", text);
	json_put_int(o, "veid", sqlite3_column_int64(st, 1));
	json_put_int(o, "epoch", sqlite3_column_int64(st, 2));
	json_put_string(o, "since",
			time_text(when, sqlite3_column_int64(st, 3)));
	if (ended)
		json_put_string(o, "until",
				time_text(when, sqlite3_column_int64(st, 4)));
	json_close(o, '}');
}

void lease_block_show(sqlite3 *db, const char *id, int64_t now,
		      struct json_out *o)
{
	sqlite3_stmt *b _stmt_ = db_query(
		db, "SELECT range, nonce, valid_until FROM block WHERE id = ?",
		"t", id);
	sqlite3_stmt *l _stmt_ =
		db_query(db,
			 "SELECT address, veid, epoch, since FROM lease"
			 " WHERE block = ? ORDER BY epoch",
			 "t", id);
	sqlite3_stmt *r _stmt_ = db_query(
		db,
		"SELECT address, veid, epoch, since, until FROM released"
		" WHERE block = ? ORDER BY epoch LIMIT 1000",
		"t", id);
	char range[CIDR_TEXT] = "", nonce[NONCE_TEXT] = "";
	int64_t left = 0;

	if (db_step(b)) {
		db_text(b, 0, range, sizeof(range));
		db_text(b, 1, nonce, sizeof(nonce));
		left = sqlite3_column_int64(b, 2) - now;
	}
	json_put_string(o, "id", id);
	json_put_string(o, "range", range);
	json_put_string(o, "nonce", nonce);
	json_put_int(o, "remaining_ms", left > 0 ? left : 0);
	json_open(o, "leases", '[');
	while (db_step(l))
		show_row(l, false, o);
	json_close(o, ']');
	json_open(o, "released", '[');
	while (db_step(r))
		show_row(r, true, o);
	json_close(o, ']');
	db_do(db,
	      "UPDATE released SET told = 1 WHERE told = 0 AND block = ?"
	      " AND epoch IN (SELECT epoch FROM released WHERE block = ?"
	      " ORDER BY epoch LIMIT 1000)",
	      "tt", id, id);
}

/* Epochs grow over the whole node, so they grow for each address. */
static int64_t next_epoch(sqlite3 *db)
{
	return db_int(db, 0,
		      "INSERT INTO fact VALUES ('epoch', '1') ON CONFLICT (name)"
		      " DO UPDATE SET value = CAST(value AS INTEGER) + 1"
		      " RETURNING CAST(value AS INTEGER)",
		      "");
}

/* Where somebody stands in the line. */
struct stand {
	char network[STAND_NETWORK];
	int64_t turn, since;
};

static bool read_stand(sqlite3 *db, uint32_t veid, struct stand *s)
{
	sqlite3_stmt *st _stmt_ =
		db_query(db,
			 "SELECT network, turn, since FROM line WHERE veid = ?",
			 "i", (int64_t)veid);
	bool found = db_step(st);

	if (found) {
		db_text(st, 0, s->network, sizeof(s->network));
		s->turn = sqlite3_column_int64(st, 1);
		s->since = sqlite3_column_int64(st, 2);
	}
	return found;
}

/* Who finds an address free has not waited: that says nothing of the line. */
static void note_pace(sqlite3 *db, int64_t since, int64_t now)
{
	if (since && now - since >= WAITED_MS)
		db_do(db,
		      "INSERT INTO pace VALUES (1, ?2 - ?1, ?2)"
		      " ON CONFLICT (one) DO UPDATE SET at = ?2,"
		      " ms = (4 * ms + ?2 - max(at, ?1)) / 5",
		      "ii", since, now);
}

/* It has got an address.  Networks that were served in earlier rounds only are as
 * good as those that never were. */
static void leave_served(sqlite3 *db, uint32_t veid, int64_t now)
{
	struct stand s;

	if (!read_stand(db, veid, &s))
		return;
	db_do(db, "DELETE FROM line WHERE veid = ?", "i", (int64_t)veid);
	db_do(db, "INSERT OR REPLACE INTO turn VALUES (?, ?)", "ti", s.network,
	      s.turn);
	db_do(db, "DELETE FROM turn WHERE served < ?", "i", s.turn);
	note_pace(db, s.since, now);
}

static int write_lease(sqlite3 *db, struct lease *l, int64_t now, int64_t wall)
{
	char text[ADDR_TEXT];
	int r;

	addr_print(text, &l->address);
	db_begin(db);
	l->epoch = (uint32_t)next_epoch(db);
	r = db_do(db, "INSERT INTO lease VALUES (?,?,?,?,?,0,?)", "ttiiii",
		  text, l->block, (int64_t)l->veid, (int64_t)l->epoch, wall,
		  now);
	db_do(db,
	      "UPDATE address SET epoch = ?, free_at = 0, lent = 1"
	      " WHERE address = ?",
	      "it", (int64_t)l->epoch, text);
	leave_served(db, l->veid, now);
	if (r == 1)
		return db_commit(db);
	db_rollback(db);
	return -EIO;
}

/* The one that rested longest comes first. */
int lease_pick(sqlite3 *db, uint32_t veid, int64_t now, int64_t wall,
	       struct lease *l)
{
	sqlite3_stmt *st = db_query(
		db,
		"SELECT address, id FROM block CROSS JOIN address"
		" ON block = id AND lent = 0 AND free_at <= ?"
		" WHERE valid_until > ? ORDER BY id, free_at, n LIMIT 1",
		"ii", now, now);
	bool found = db_step(st);
	char text[ADDR_TEXT];

	*l = (struct lease){ .veid = veid };
	if (found) {
		db_text(st, 0, text, sizeof(text));
		db_text(st, 1, l->block, sizeof(l->block));
		found = addr_parse(&l->address, text) == 0;
	}
	db_release(st);
	return found ? write_lease(db, l, now, wall) : -EADDRNOTAVAIL;
}

bool lease_installed(sqlite3 *db, const struct lease *l)
{
	return db_do(db,
		     "UPDATE lease SET installed = 1 WHERE veid = ?"
		     " AND epoch = ?",
		     "ii", (int64_t)l->veid, (int64_t)l->epoch) == 1;
}

static const char select_lease[] =
	"SELECT lease.address, block, veid, lease.epoch FROM lease ";

bool lease_end(sqlite3 *db, uint32_t veid, int64_t now, int64_t wall,
	       int64_t quarantine_ms, struct lease *was)
{
	char sql[160], text[ADDR_TEXT];
	sqlite3_stmt *st;
	bool had;

	snprintf(sql, sizeof(sql), "%s WHERE veid = ?", select_lease);
	st = db_query(db, sql, "i", (int64_t)veid);
	had = db_step(st);
	if (had)
		read_lease(st, was);
	db_release(st);
	if (!had)
		return false;
	addr_print(text, &was->address);
	db_begin(db);
	db_do(db,
	      "INSERT OR REPLACE INTO released SELECT epoch, block,"
	      " address, veid, since, ?, 0 FROM lease WHERE veid = ?",
	      "ii", wall, (int64_t)veid);
	db_do(db,
	      "UPDATE address SET free_at = ?, lent = 0 WHERE address = ?",
	      "it", now + quarantine_ms, text);
	db_do(db, "DELETE FROM lease WHERE veid = ?", "i", (int64_t)veid);
	db_commit(db); /* else the next reconciliation ends it again */
	return true;
}

void lease_wait(sqlite3 *db, uint32_t veid, int64_t now)
{
	db_do(db,
	      "INSERT OR IGNORE INTO line (veid, since, network, turn)"
	      " SELECT ?1, ?2, w,"
	      "  max(ifnull((SELECT max(served) FROM turn), 0),"
	      "   ifnull((SELECT served + 1 FROM turn WHERE network = w), 0),"
	      "   ifnull((SELECT max(turn) + 1 FROM line WHERE network = w), 0))"
	      " FROM (SELECT ifnull((SELECT nullif(network, '') FROM ve"
	      "   WHERE veid = ?1), 've ' || ?1) AS w)"
	      " WHERE NOT EXISTS (SELECT 1 FROM lease WHERE veid = ?1)",
	      "ii", (int64_t)veid, now);
}

/* Those of its network that stand behind it move up. */
void lease_leave(sqlite3 *db, uint32_t veid)
{
	struct stand s;

	if (!read_stand(db, veid, &s))
		return;
	db_begin(db);
	db_do(db, "DELETE FROM line WHERE veid = ?", "i", (int64_t)veid);
	db_do(db,
	      "UPDATE line SET turn = turn - 1 WHERE network = ? AND turn > ?",
	      "ti", s.network, s.turn);
	db_commit(db); /* else it leaves when it is looked at again */
}

unsigned lease_waiting(sqlite3 *db, uint32_t *veids, unsigned room)
{
	sqlite3_stmt *st _stmt_ =
		db_query(db, "SELECT veid FROM line ORDER BY turn, n", "");
	unsigned n = 0;

	while (n < room && db_step(st))
		veids[n++] = (uint32_t)sqlite3_column_int64(st, 0);
	return n;
}

uint32_t lease_place(sqlite3 *db, uint32_t veid)
{
	return (uint32_t)db_int(db, 0,
				"SELECT count(*) FROM line WHERE (turn, n) <="
				" (SELECT turn, n FROM line WHERE veid = ?)",
				"i", (int64_t)veid);
}

int64_t lease_pace(sqlite3 *db)
{
	return db_int(db, 0, "SELECT ms FROM pace", "");
}

/* Leases by the end of a statement; their number. */
static unsigned find_leases(sqlite3 *db, const char *rest, int64_t value,
			    struct lease *l, unsigned room)
{
	char sql[240];
	sqlite3_stmt *st;
	unsigned n = 0;

	snprintf(sql, sizeof(sql), "%s %s", select_lease, rest);
	st = db_query(db, sql, "i", value);
	while (n < room && db_step(st))
		read_lease(st, &l[n++]);
	db_release(st);
	return n;
}

/* Values of lease.installed: what is still to be done about it. */
enum { WRITTEN, INSTALLED, NEEDLESS };

void lease_needless(sqlite3 *db, uint32_t veid, bool needless)
{
	db_do(db,
	      "UPDATE lease SET installed = ? WHERE veid = ? AND installed = ?",
	      "iii", (int64_t)(needless ? NEEDLESS : INSTALLED), (int64_t)veid,
	      (int64_t)(needless ? INSTALLED : NEEDLESS));
}

unsigned lease_standing(sqlite3 *db, uint32_t after, struct lease *l,
			unsigned room)
{
	return find_leases(db,
			   "WHERE veid > ? AND installed = 1 ORDER BY veid",
			   after, l, room);
}

unsigned lease_all_needless(sqlite3 *db, struct lease *l, unsigned room)
{
	return find_leases(db, "WHERE installed <> 1 AND installed = ?",
			   NEEDLESS, l, room);
}

unsigned lease_unfinished(sqlite3 *db, struct lease *l, unsigned room)
{
	return find_leases(db, "WHERE installed <> 1 AND installed = ?",
			   WRITTEN, l, room);
}

unsigned lease_too_long(sqlite3 *db, int64_t now, struct lease *l,
			unsigned room)
{
	int64_t wait = db_int(db, 0, "SELECT count(*) FROM line", "");
	int64_t soon = wait ? db_int(db, 0,
				     "SELECT count(*) FROM address"
				     " WHERE lent = 0 AND block IN"
				     " (SELECT id FROM block"
				     " WHERE valid_until > ?)",
				     "i", now)
			    : 0;

	if (wait <= soon)
		return 0;
	room = wait - soon < room ? (unsigned)(wait - soon) : room;
	return find_leases(db,
			   "JOIN ve USING (veid) WHERE lease_max > 0"
			   " AND installed = 1"
			   " AND began + 1000 * lease_max <= ? ORDER BY began",
			   now, l, room);
}

bool lease_of(sqlite3 *db, uint32_t veid, struct lease *l)
{
	return find_leases(db, "WHERE veid = ? AND installed <> 0", veid, l,
			   1) == 1;
}

unsigned lease_overdue(sqlite3 *db, int64_t now, struct lease *l,
		       unsigned room)
{
	return find_leases(db,
			   "WHERE block IN"
			   " (SELECT id FROM block WHERE valid_until <= ?)",
			   now, l, room);
}

int64_t lease_next_ms(sqlite3 *db, int64_t now, int64_t most)
{
	int64_t end = db_int(db, now + most,
			     "SELECT min(valid_until) FROM"
			     " block WHERE valid_until > ?",
			     "i", now);
	int64_t rest = db_int(db, now + most,
			      "SELECT min(free_at) FROM"
			      " address WHERE free_at > ?",
			      "i", now);
	int64_t next = end < rest ? end : rest;

	return next < now + most ? next - now : most;
}
