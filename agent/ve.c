// SPDX-License-Identifier: Apache-2.0
#include "agent/ve.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/event.h"
#include "agent/idle.h"
#include "agent/lease.h"
#include "agent/name.h"
#include "agent/spec.h"
#include "agent/usage.h"

#define COLUMNS                                                          \
	"veid, template, hostname, want, generation, memory, processes," \
	" cpu_weight, disk, ipv6, slot, suspended, halted, state, rev,"  \
	" observed, since, exit_status, error, active, terminals,"       \
	" idle_after, stop_after, warn, egress, beans, cpu_cap, cpus,"   \
	" io_weight, flow_rate, flow_burst, up_rate, up_ceil, down_rate," \
	" down_ceil, archive_after, lease_max, network, busy"
#define NCOLUMNS 39

const char *ve_state_name(enum ve_state s)
{
	static const char *const names[] = {
		[VE_STOPPED] = "stopped", [VE_STARTING] = "starting",
		[VE_RUNNING] = "running", [VE_STOPPING] = "stopping",
		[VE_FROZEN] = "frozen",	  [VE_FAILED] = "failed",
		[VE_ARCHIVED] = "archived",
	};

	return names[s];
}

static void read_row(sqlite3_stmt *st, struct ve *v)
{
	int64_t n[NCOLUMNS];
	char beans[BEANS * 60];

	for (int i = 0; i < NCOLUMNS; i++)
		n[i] = sqlite3_column_int64(st, i);
	*v = (struct ve){
		.veid = (uint32_t)n[0],
		.want_running = n[3] != 0,
		.generation = n[4],
		.limits = { .memory = (uint64_t)n[5],
			    .processes = (uint32_t)n[6],
			    .cpu_weight = (uint32_t)n[7],
			    .disk = (uint64_t)n[8],
			    .up = { (uint64_t)n[31], (uint64_t)n[32] },
			    .down = { (uint64_t)n[33], (uint64_t)n[34] },
			    .cpu_cap = (uint32_t)n[26],
			    .cpus = (uint32_t)n[27],
			    .io_weight = (uint32_t)n[28],
			    .flow_rate = (uint32_t)n[29],
			    .flow_burst = (uint32_t)n[30],
			    .egress = n[24] != 0 },
		.slot = (uint32_t)n[10],
		.suspended = n[11] != 0,
		.halted = n[12] != 0,
		.state = (enum ve_state)n[13],
		.rev = n[14],
		.observed = n[15],
		.since = n[16],
		.exit_status = n[17],
		.active = n[19],
		.terminals = n[20],
		.idle = { n[21], n[22], n[23], n[35], n[36], n[38] },
	};
	db_text(st, 1, v->template, sizeof(v->template));
	db_text(st, 2, v->hostname, sizeof(v->hostname));
	db_text(st, 9, v->ipv6, sizeof(v->ipv6));
	db_text(st, 18, v->error, sizeof(v->error));
	db_text(st, 25, beans, sizeof(beans));
	db_text(st, 37, v->network, sizeof(v->network));
	beans_parse(&v->limits.beans, beans, NULL);
}

bool ve_load(sqlite3 *db, uint32_t veid, struct ve *v)
{
	sqlite3_stmt *st _stmt_ =
		db_query(db, "SELECT " COLUMNS " FROM ve WHERE veid = ?", "i",
			 (int64_t)veid);
	bool found = db_step(st);

	if (found)
		read_row(st, v);
	return found;
}

bool ve_load_after(sqlite3 *db, uint32_t after, struct ve *v)
{
	sqlite3_stmt *st _stmt_ = db_query(db,
					   "SELECT " COLUMNS
					   " FROM ve WHERE veid > ?"
					   " ORDER BY veid LIMIT 1",
					   "i", (int64_t)after);
	bool found = db_step(st);

	if (found)
		read_row(st, v);
	return found;
}

static void tell(sqlite3 *db, const struct ve *v, const char *state)
{
	struct buf b _buf_ = { 0 };
	struct json_out o = { .b = &b };

	json_open(&o, NULL, '{');
	json_put_int(&o, "veid", v->veid);
	json_put_string(&o, "state", state);
	json_put_bool(&o, "suspended", v->suspended);
	json_put_int(&o, "observed_generation", v->observed);
	json_put_int(&o, "rev", v->rev);
	json_put_int(&o, "terminals", v->terminals);
	json_put_maybe(&o, "error", v->error);
	json_close(&o, '}');
	event_put(db, "ve", b.data);
}

static int write_row(sqlite3 *db, const struct ve *v)
{
	const struct limits *l = &v->limits;
	struct buf beans _buf_ = { 0 };

	beans_print(&l->beans, &beans);
	return db_do(
		db,
		"INSERT OR REPLACE INTO ve (" COLUMNS ") VALUES (?,?,?,?,?,?,?,"
		"?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		"ittiiiiiitiiiiiiiitiiiiiitiiiiiiiiiiiti", (int64_t)v->veid,
		v->template, v->hostname, (int64_t)v->want_running,
		v->generation, (int64_t)l->memory, (int64_t)l->processes,
		(int64_t)l->cpu_weight, (int64_t)l->disk, v->ipv6,
		(int64_t)v->slot, (int64_t)v->suspended, (int64_t)v->halted,
		(int64_t)v->state, v->rev, v->observed, v->since,
		v->exit_status, v->error, v->active, v->terminals,
		v->idle.idle_after, v->idle.stop_after, v->idle.warn,
		(int64_t)l->egress, beans.data, (int64_t)l->cpu_cap,
		(int64_t)l->cpus, (int64_t)l->io_weight, (int64_t)l->flow_rate,
		(int64_t)l->flow_burst, (int64_t)l->up.rate,
		(int64_t)l->up.ceil, (int64_t)l->down.rate,
		(int64_t)l->down.ceil, v->idle.archive_after,
		v->idle.lease_max, v->network, v->idle.busy);
}

static int write_status(sqlite3 *db, const struct ve *v)
{
	return db_do(db,
		     "UPDATE ve SET suspended = ?, halted = ?, state = ?,"
		     " rev = ?, observed = ?, since = ?, exit_status = ?,"
		     " error = ?, active = ?, terminals = ? WHERE veid = ?",
		     "iiiiiiitiii", (int64_t)v->suspended, (int64_t)v->halted,
		     (int64_t)v->state, v->rev, v->observed, v->since,
		     v->exit_status, v->error, v->active, v->terminals,
		     (int64_t)v->veid);
}

static void changed(uint32_t veid)
{
	state_changed_ve(veid);
	http_wake(TOPIC_VE | veid);
}

static int save(sqlite3 *db, struct ve *v,
		int (*write)(sqlite3 *db, const struct ve *v))
{
	int r;

	v->rev++;
	/* the row and its event, or neither */
	db_begin(db);
	r = write(db, v);
	if (r < 0) {
		db_rollback(db);
		return r;
	}
	tell(db, v, ve_state_name(v->state));
	r = db_commit(db);
	if (r == 0)
		idle_know(v);
	changed(v->veid);
	return r;
}

int ve_save(sqlite3 *db, struct ve *v)
{
	return save(db, v, write_row);
}

int ve_save_status(sqlite3 *db, struct ve *v)
{
	return save(db, v, write_status);
}

void ve_touch(sqlite3 *db, uint32_t veid)
{
	db_do(db, "UPDATE ve SET rev = rev + 1 WHERE veid = ?", "i",
	      (int64_t)veid);
	changed(veid);
}

int ve_delete(sqlite3 *db, const struct ve *v)
{
	int r = db_do(db, "DELETE FROM ve WHERE veid = ?", "i",
		      (int64_t)v->veid);

	if (r < 0)
		return r;
	tell(db, v, "absent");
	idle_forget(v->veid);
	lease_leave(db, v->veid);
	changed(v->veid);
	return 0;
}

int ve_free_slot(sqlite3 *db)
{
	int64_t slot = db_int(db, 0,
			      "SELECT min(s) FROM (SELECT 0 AS s UNION"
			      " SELECT slot + 1 FROM ve) WHERE s NOT IN"
			      " (SELECT slot FROM ve)",
			      "");

	return slot >= SLOT_MAX ? -ENOSPC : (int)slot;
}

static void put_positive(struct json_out *o, const char *key, int64_t value)
{
	if (value > 0)
		json_put_int(o, key, value);
	else
		json_put_null(o, key);
}

/* Its place in the line for an address, when it needs one, and how long that may
 * take. */
static void show_waiting(sqlite3 *db, const struct ve *v, struct json_out *o)
{
	int64_t place =
		v->state == VE_RUNNING ? lease_place(db, v->veid) : 0;

	put_positive(o, "waiting", place);
	put_positive(o, "waiting_s",
		     place ? (place * lease_pace(db) + 999) / 1000 : 0);
}

static void show_status(sqlite3 *db, const struct ve *v,
			const struct msg_usage *u, struct json_out *o)
{
	char text[ADDR_TEXT] = "", when[TIME_TEXT];
	struct lease l = { 0 };

	if (lease_of(db, v->veid, &l))
		addr_print(text, &l.address);
	json_open(o, "status", '{');
	json_put_string(o, "state", ve_state_name(v->state));
	json_put_bool(o, "suspended", v->suspended);
	json_put_int(o, "observed_generation", v->observed);
	json_put_maybe(o, "ipv4", text);
	json_put_int(o, "lease_epoch", l.epoch);
	json_put_string(o, "since", time_text(when, v->since));
	if (v->exit_status >= 0)
		json_put_int(o, "exit_status", v->exit_status);
	else
		json_put_null(o, "exit_status");
	json_put_maybe(o, "error", v->error);
	json_put_int(o, "last_activity_ms", v->active);
	json_put_int(o, "terminals", v->terminals);
	show_waiting(db, v, o);
	idle_show(v, o);
	if (u)
		usage_show(u, o);
	json_close(o, '}');
}

void ve_show(sqlite3 *db, const struct ve *v, const struct msg_usage *u,
	     struct json_out *o)
{
	json_open(o, NULL, '{');
	json_put_int(o, "veid", v->veid);
	spec_show(v, o);
	show_status(db, v, u, o);
	json_close(o, '}');
}

void ve_show_state(sqlite3 *db, const struct ve *v, struct json_out *o)
{
	json_open(o, NULL, '{');
	json_put_int(o, "veid", v->veid);
	show_status(db, v, NULL, o);
	json_close(o, '}');
}

void ve_etag(const struct ve *v, char out[static VE_ETAG])
{
	snprintf(out, VE_ETAG, "\"%" PRId64 "-%" PRId64 "\"", v->generation,
		 v->rev);
}
