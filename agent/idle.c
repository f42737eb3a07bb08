// SPDX-License-Identifier: Apache-2.0
#include "agent/idle.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/event.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/wire.h"

#define BUCKETS 1024
#define LOOK_MIN 500
#define LOOK_MAX 10000
#define STEPS_MAX 16 /* under way at a time: people wait behind them */

struct record {
	struct record *next;
	uint32_t veid;
	enum ve_state state; /* as it was written down */
	struct idle_rule rule;
	enum idle_why why; /* of the last activity */
	int64_t last;	   /* when that was: clock_boot() */
	int64_t cpu_ms, disk_ms, seen_at; /* seen_at 0: not yet */
	bool warned;
	bool wanted; /* somebody came since it was sent to sleep */
	struct msg_activity net; /* IDLE_NETWORK */
};

static struct record *records[BUCKETS];
static atomic_uint sleeps;

/* Where it stands, or would. */
static struct record **find(uint32_t veid)
{
	struct record **at = &records[veid % BUCKETS];

	while (*at && (*at)->veid != veid)
		at = &(*at)->next;
	return at;
}

static struct record *record_of(uint32_t veid)
{
	struct record **at = find(veid);

	if (!*at) {
		*at = xcalloc(1, sizeof(**at));
		(*at)->veid = veid;
		(*at)->last = clock_boot();
	}
	return *at;
}

static void touch(struct record *r, enum idle_why why, int64_t when)
{
	if (when < r->last)
		return;
	r->last = when;
	r->why = why;
	r->warned = false;
}

static void tell(uint32_t veid, const char *what, int64_t seconds)
{
	struct buf b _buf_ = { 0 };
	struct json_out o = { .b = &b };

	json_open(&o, NULL, '{');
	json_put_int(&o, "veid", veid);
	json_put_string(&o, "what", what);
	json_put_int(&o, "seconds", seconds);
	json_close(&o, '}');
	event_put(api.db, "idle", b.data);
}

void idle_touch(uint32_t veid, enum idle_why why)
{
	struct record *r = record_of(veid);
	bool woken = why == IDLE_STARTED && r->why == IDLE_FROZEN;

	touch(r, why, clock_boot());
	if (why == IDLE_STARTED)
		r->wanted = false;
	else if (why == IDLE_TERMINAL || why == IDLE_VISIT ||
		 why == IDLE_EXTENDED)
		r->wanted = true;
	if (woken)
		tell(veid, "woken", 0);
}

void idle_know(const struct ve *v)
{
	bool up = v->state == VE_RUNNING || v->state == VE_FROZEN;
	struct record *r = *find(v->veid);

	if (!r && !up)
		return;
	r = record_of(v->veid);
	r->state = v->state;
	r->rule = v->idle;
}

void idle_begin(uint32_t veid)
{
	record_of(veid)->wanted = false;
	sleeps++;
}

unsigned idle_sleeps(void)
{
	return sleeps;
}

bool idle_wanted(uint32_t veid)
{
	return record_of(veid)->wanted;
}

void idle_forget(uint32_t veid)
{
	struct record **at = find(veid), *r = *at;

	if (!r)
		return;
	*at = r->next;
	free(r);
}

/* ---- in words -------------------------------------------------------------- */

static void name_peer(const struct msg_activity *a, char *out, size_t size)
{
	const char *what = a->protocol == IPPROTO_TCP	? "a TCP connection"
			   : a->protocol == IPPROTO_UDP ? "a UDP packet"
							: "a packet";
	char peer[ADDR_TEXT];

	addr_print(peer, &a->peer);
	if (a->port)
		snprintf(out, size, "%s from %s to port %u", what, peer,
			 a->port);
	else
		snprintf(out, size, "%s from %s", what, peer);
}

static void describe(const struct record *r, char *out, size_t size)
{
	static const char *const words[] = {
		[IDLE_STARTED] = "started",    [IDLE_TERMINAL] = "terminal input",
		[IDLE_VISIT] = "a visit",      [IDLE_CPU] = "CPU in use",
		[IDLE_DISK] = "disk in use",   [IDLE_NETWORK] = "a packet",
		[IDLE_EXTENDED] = "extended",  [IDLE_FROZEN] = "asleep",
	};
	int64_t ago = (clock_boot() - r->last) / 1000;
	char what[96];

	snprintf(what, sizeof(what), "%s", words[r->why]);
	if (r->why == IDLE_NETWORK)
		name_peer(&r->net, what, sizeof(what));
	snprintf(out, size, "%s, %" PRId64 " s ago", what, ago > 0 ? ago : 0);
}

static int64_t due_at(const struct record *r)
{
	return r->last + r->rule.idle_after * 1000;
}

void idle_show(const struct ve *v, struct json_out *o)
{
	char text[160] = "", at[TIME_TEXT] = "";
	struct record *r;

	if (v->state == VE_RUNNING) {
		r = record_of(v->veid);
		describe(r, text, sizeof(text));
		if (v->idle.idle_after)
			time_text(at,
				  clock_wall() + due_at(r) - clock_boot());
	}
	json_put_maybe(o, "activity", text);
	json_put_maybe(o, "idle_at", at);
}

/* ---- what the kernel says -------------------------------------------------- */

static bool is_work(const struct record *r, int64_t ms, int64_t now)
{
	return r->seen_at && ms > 0 &&
	       ms * 1000 >= r->rule.busy * (now - r->seen_at);
}

static void look_at(const struct msg_activity *a)
{
	struct record *r = record_of(a->veid);
	int64_t now = clock_boot();

	if (is_work(r, a->cpu_ms - r->cpu_ms, now))
		touch(r, IDLE_CPU, now);
	else if (is_work(r, a->disk_ms - r->disk_ms, now))
		touch(r, IDLE_DISK, now);
	r->cpu_ms = a->cpu_ms;
	r->disk_ms = a->disk_ms;
	r->seen_at = now;
	if (a->last_rx > r->last) {
		r->net = *a;
		touch(r, IDLE_NETWORK, a->last_rx);
	}
}

static bool look(void)
{
	uint32_t after = 0;

	for (;;) {
		struct msg_ve m = { .head.type = MSG_ACTIVITY, .veid = after };
		struct msg reply _msg_ = { .nfds = 0 };
		const struct msg_activities *all = &reply.m.activities;

		if (ask(&m, &reply, NULL) < 0 ||
		    reply.m.head.type != MSG_ACTIVITIES)
			return false;
		state_lock();
		for (uint32_t i = 0; i < all->nr; i++)
			look_at(&all->entries[i]);
		state_unlock();
		if (!all->more || !all->nr)
			return true;
		after = all->entries[all->nr - 1].veid;
	}
}

/* ---- the judge ------------------------------------------------------------- */

static void warn(struct record *r, int64_t left_ms)
{
	struct msg_notice n = { .head.type = MSG_NOTICE,
				.veid = r->veid,
				.code = TERM_NOTICE_IDLE };

	n.seconds = (uint32_t)((left_ms + 999) / 1000);
	snprintf(n.text, sizeof(n.text),
		 "Nothing has happened here for a while: in %" PRIu32
		 " s this environment goes to sleep. A key keeps it awake.",
		 n.seconds);
	r->warned = true;
	tell(r->veid, "warning", n.seconds);
	tell_term(&n, NULL, 0);
}

static int64_t room; /* for how many more steps, in this pass */

/* false when there is something else under way, or enough: later, then. */
static bool queue(const struct record *r, const char *kind, const char *what)
{
	struct ve v;

	if (room <= 0 || !ve_load(api.db, r->veid, &v) ||
	    op_queue(&v, kind, NULL) <= 0)
		return false;
	room--;
	tell(r->veid, what, 0);
	return true;
}

static bool judge_running(struct record *r)
{
	int64_t left = due_at(r) - clock_boot();

	if (left <= 0) {
		if (!queue(r, "idle", "frozen"))
			return false;
		idle_begin(r->veid);
	} else if (!r->warned && left <= r->rule.warn * 1000) {
		warn(r, left);
	}
	return true;
}

/* Milliseconds until this VE should be looked at again. */
static int64_t judge(struct record *r)
{
	bool done = true;
	int64_t rule = 0;

	if (r->state == VE_RUNNING && r->rule.idle_after) {
		done = judge_running(r);
		rule = r->rule.idle_after;
	} else if (r->state == VE_FROZEN && r->rule.stop_after) {
		if (clock_boot() - r->last >= r->rule.stop_after * 1000)
			done = queue(r, "stop", "stopped");
		rule = r->rule.stop_after;
	}
	if (!done)
		return LOOK_MIN;
	return rule ? rule * 100 : LOOK_MAX; /* a tenth of it */
}

/* By the wall's clock: the last step takes days, and reboots between. */
static void archive_some(void)
{
	static int64_t due;
	struct ve v;
	uint32_t veid;

	if (clock_mono() < due)
		return;
	due = clock_mono() + LOOK_MAX;
	state_lock();
	veid = (uint32_t)db_int(
		api.db, 0,
		"SELECT veid FROM ve WHERE state = ? AND archive_after > 0"
		" AND since + 1000 * archive_after <= ?"
		" AND (halted OR suspended OR NOT want) AND veid NOT IN"
		/* one that failed is tried again when its record is gone */
		" (SELECT veid FROM op WHERE state < 2 OR"
		" kind = 'archive' AND state = ?) ORDER BY since LIMIT 1",
		"iii", (int64_t)VE_STOPPED, clock_wall(),
		(int64_t)OP_FAILED);
	if (veid && ve_load(api.db, veid, &v) &&
	    op_queue(&v, "archive", NULL) > 0) {
		tell(veid, "archived", 0);
		due = 0; /* perhaps there are more */
	}
	state_unlock();
}

static int64_t judge_all(void)
{
	int64_t wait = LOOK_MAX;

	state_lock();
	room = STEPS_MAX -
	       db_int(api.db, STEPS_MAX,
		      "SELECT count(*) FROM op WHERE state < 2"
		      " AND kind IN ('idle', 'stop')",
		      "");
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct record *r = records[i]; r; r = r->next) {
			int64_t one = judge(r);

			wait = one < wait ? one : wait;
		}
	state_unlock();
	return wait;
}

static void *run(void *arg)
{
	for (;;) {
		int64_t wait = LOOK_MIN;

		if (api.ready && look())
			wait = judge_all();
		if (api.ready)
			archive_some();
		wait = wait > LOOK_MIN ? wait : LOOK_MIN;
		usleep((useconds_t)wait * 1000);
	}
	return NULL;
}

void idle_start(void)
{
	struct ve v = { .veid = 0 };
	pthread_t t;

	while (ve_load_after(api.db, v.veid, &v))
		idle_know(&v);
	if (pthread_create(&t, NULL, run, NULL))
		fatal("no thread for the idle");
}
