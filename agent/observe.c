// SPDX-License-Identifier: Apache-2.0
/* What the kernel says about VEs, and what follows from it by itself. */
#include "agent/api.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/ve.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/clock.h"
#include "agent/db.h"
#include "agent/idle.h"
#include "agent/lease.h"
#include "agent/libve/fail.h"
#include "agent/libve/log.h"
#include "agent/name.h"
#include "agent/op_run.h"

#define RESTART_MS 10000

static int64_t shell_status(uint32_t status)
{
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static bool has_operation(uint32_t veid)
{
	return db_int(api.db, 0,
		      "SELECT 1 FROM op WHERE veid = ? AND state < 2", "i",
		      (int64_t)veid) != 0;
}

/*
 * A VE that restarts itself is started at once, unless it did so a moment ago: then
 * the next look at everything starts it.  One that does nothing else would keep priv
 * from all others.
 */
static bool may_restart(uint32_t slot)
{
	static int64_t last[SLOT_MAX]; /* clock_boot(); the state lock's */
	int64_t now = clock_boot();

	if (last[slot] && now - last[slot] < RESTART_MS)
		return false;
	last[slot] = now;
	return true;
}

static void ended(struct ve *v, const struct msg_entry *e)
{
	/* powering off ends init by a signal of the kernel's own */
	v->exit_status = e->halt ? 0 : shell_status(e->exit_status);
	v->state = VE_STOPPED;
	v->since = clock_wall();
	if (e->exec_error) {
		v->state = VE_FAILED;
		snprintf(v->error, sizeof(v->error), "/sbin/init: %s",
			 strerror((int)e->exec_error));
	}
	clock_lease_ended(v->veid);
	lease_leave(api.db, v->veid);
	idle_forget(v->veid);
	if (has_operation(v->veid))
		return;
	/* it went by itself */
	v->halted = e->halt == ENV_HALT_HALT;
	if (e->halt == ENV_HALT_RESTART && !v->suspended &&
	    may_restart(v->slot))
		op_queue(v, "start", NULL);
}

/* The row's new state; false when nothing changes. */
static bool apply(struct ve *v, const struct msg_entry *e)
{
	enum ve_state want = v->state;

	switch (e->state) {
	case ENV_ST_STARTING:
		want = VE_STARTING;
		break;
	case ENV_ST_RUNNING:
		want = VE_RUNNING;
		break;
	case ENV_ST_FROZEN:
		want = VE_FROZEN;
		break;
	case ENV_ST_STOPPING:
		want = VE_STOPPING;
		break;
	case ENV_ST_STOPPED:
		if (ve_is_down(v))
			return false;
		ended(v, e);
		return true;
	default:
		return false;
	}
	/* a stop that we asked for is not undone by an older report */
	if (want == v->state || (v->state == VE_STOPPING &&
				 want != VE_STOPPING && has_operation(v->veid)))
		return false;
	v->state = want;
	v->since = clock_wall();
	if (want == VE_RUNNING)
		lease_wait(api.db, v->veid, clock_boot());
	else
		lease_leave(api.db, v->veid);
	if (want == VE_RUNNING || want == VE_FROZEN) {
		idle_touch(v->veid,
			   want == VE_FROZEN ? IDLE_FROZEN : IDLE_STARTED);
		lease_needless(api.db, v->veid, want == VE_FROZEN);
	}
	if (want == VE_RUNNING)
		v->error[0] = '\0';
	return true;
}

static uint8_t alive[SLOT_MAX]; /* by slot; the state lock's */

static bool is_alive(uint32_t slot)
{
	return slot < sizeof(alive) && alive[slot];
}

static void note(const struct msg_entry *e)
{
	struct ve v;

	if (!ve_load(api.db, e->veid, &v)) {
		log_warn("the kernel runs VE %" PRIu32 ", which nobody asked"
			 " for: left alone",
			 e->veid);
		return;
	}
	if (v.slot < sizeof(alive))
		alive[v.slot] = e->state != ENV_ST_STOPPED;
	if (apply(&v, e))
		ve_save_status(api.db, &v);
}

void op_on_states(const struct msg_entry *e, unsigned n)
{
	state_lock();
	db_begin(api.db);
	for (unsigned i = 0; i < n; i++)
		note(&e[i]);
	fail_point("state-heard");
	db_commit(api.db);
	fail_point("state-written");
	state_unlock();
	clock_poke();
}

/* Everything that the kernel runs is noted (link.c); false when priv is silent. */
static bool read_kernel(void)
{
	uint32_t after = 0;

	for (;;) {
		struct msg_ve m = { .head.type = MSG_LIST, .arg = after };
		struct msg reply _msg_ = { .nfds = 0 };
		const struct msg_entries *is = &reply.m.entries;

		if (ask(&m, &reply, NULL) < 0 ||
		    reply.m.head.type != MSG_ENTRIES_IS)
			return false;
		api.abi = (int)is->abi;
		if (!is->more || !is->nr)
			return true;
		after = is->entries[is->nr - 1].veid;
	}
}

/* One VE: gone from the kernel, or not as it is wanted? */
static void settle(struct ve *v, bool runs)
{
	bool up = !ve_is_down(v);

	if (has_operation(v->veid))
		return;
	if (up && !runs) {
		/* the node started anew, or it ended while we were away */
		v->state = VE_STOPPED;
		v->since = clock_wall();
		clock_lease_ended(v->veid);
		lease_leave(api.db, v->veid);
		ve_save(api.db, v);
		up = false;
	}
	if (!up)
		clock_lease_ended(v->veid); /* could not be written down then */
	else if (v->state == VE_FROZEN)
		lease_needless(api.db, v->veid, true);
	else if (v->state == VE_RUNNING)
		lease_wait(api.db, v->veid, clock_boot());
	if (v->want_running && !v->suspended && !v->halted &&
	    v->state == VE_STOPPED)
		op_queue(v, "start", NULL);
	else if (up && v->suspended)
		op_queue(v, "suspend", NULL);
	else if (up && v->observed < v->generation)
		op_queue(v, "apply", NULL); /* it went wrong */
}

/* Not in the kernel but in priv's memory, which is new. */
static bool is_in_memory(const struct ve *v)
{
	return (v->state == VE_RUNNING || v->state == VE_FROZEN) &&
	       (!v->limits.egress || v->limits.up.rate || v->limits.down.rate);
}

static void remind_priv(void)
{
	static unsigned reminded; /* line to priv that has heard it */
	unsigned line = link_generation();
	struct ve v = { .veid = 0 };

	while (reminded != line) {
		struct err e = { 0 };
		bool more;

		state_lock();
		more = ve_load_after(api.db, v.veid, &v);
		state_unlock();
		if (!more)
			reminded = line;
		else if (is_in_memory(&v) && op_apply(&v, &e) < 0)
			log_warn("limits of VE %" PRIu32 ": %s", v.veid,
				 e.text);
	}
}

/* The first behind @after about which there may be something to do, by a few of
 * its columns: most are as they should be.  0: none. */
static uint32_t find_unsettled(uint32_t after)
{
	sqlite3_stmt *st _stmt_ = db_query(
		api.db,
		"SELECT veid, slot, state, suspended, want AND NOT halted,"
		" EXISTS (SELECT 1 FROM lease WHERE lease.veid = ve.veid),"
		" EXISTS (SELECT 1 FROM line WHERE line.veid = ve.veid),"
		" observed < generation"
		" FROM ve WHERE veid > ? ORDER BY veid",
		"i", (int64_t)after);

	while (db_step(st)) {
		int64_t state = sqlite3_column_int64(st, 2);
		bool suspended = sqlite3_column_int64(st, 3) != 0;
		bool wanted = sqlite3_column_int64(st, 4) != 0;
		bool leased = sqlite3_column_int64(st, 5) != 0;
		bool waits = sqlite3_column_int64(st, 6) != 0;
		bool behind = sqlite3_column_int64(st, 7) != 0;
		bool up = !ve_is_down(&(struct ve){ .state = (enum ve_state)state });

		if (up ? !is_alive((uint32_t)sqlite3_column_int64(st, 1)) ||
				 suspended || behind || (leased && state == VE_FROZEN) ||
				 (!leased && !waits && state == VE_RUNNING)
		       : leased || (wanted && !suspended && state != VE_ARCHIVED))
			return (uint32_t)sqlite3_column_int64(st, 0);
	}
	return 0;
}

void op_reconcile(void)
{
	struct ve v = { .veid = 0 };
	uint32_t veid = 0;

	state_lock();
	memset(alive, 0, sizeof(alive));
	state_unlock();
	if (!read_kernel())
		return;
	state_lock();
	while ((veid = find_unsettled(veid)) != 0)
		if (ve_load(api.db, veid, &v))
			settle(&v, is_alive(v.slot));
	state_unlock();
	remind_priv();
	api.ready = true;
}
