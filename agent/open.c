// SPDX-License-Identifier: Apache-2.0
/*
 * Opening terminals: wake the VE when it sleeps, have priv make what is needed,
 * hand the sockets to term.
 */
#include "agent/api.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "agent/db.h"
#include "agent/lanes.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/wire.h"

#define WORKERS 16 /* most wait for a VE that wakes; of the others half */
#define WAKE_MS 60000

struct job {
	struct opening *open; /* a client, or */
	struct msg_terminal need; /* a terminal that term lacks */
};

static struct lanes *lanes;

static void drop_opening(struct opening *o)
{
	clean_close(&o->fd);
	free(o);
}

/* The client hears a close code instead of a terminal. */
static void refuse(struct opening *o, uint32_t code)
{
	struct msg_terminal m = { .head.type = MSG_REFUSE,
				  .veid = o->veid,
				  .close = code };

	tell_term(&m, &o->fd, 1);
	drop_opening(o);
}

static uint32_t veid_of(const struct job *j)
{
	return j->open ? j->open->veid : j->need.veid;
}

/* Nothing is to be woken for it.  An attachment waits for nobody: term asks for
 * the terminal when there is none. */
static bool is_quick(const struct job *j)
{
	struct ve v;
	bool awake;

	if (j->open && j->open->kind != TERM_EXEC)
		return true;
	state_lock();
	awake = ve_load(api.db, veid_of(j), &v) &&
		v.state == VE_RUNNING;
	state_unlock();
	return awake;
}

void open_queue(struct opening *o)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->open = o;
	if (lanes_push(lanes, is_quick(j), veid_of(j), j))
		return;
	free(j);
	refuse(o, TERM_CLOSE_TOO_MANY);
}

static void not_opened(const struct msg_terminal *need, uint32_t code)
{
	struct msg_terminal m = *need;

	m.head.type = MSG_NOT_OPENED;
	m.close = code;
	tell_term(&m, NULL, 0);
}

void open_wanted(const struct msg_terminal *m)
{
	tell_term(m, NULL, 0);
}

void open_needed(const struct msg_terminal *m)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->need = *m;
	if (lanes_push(lanes, is_quick(j), veid_of(j), j))
		return;
	free(j);
	not_opened(m, TERM_CLOSE_TOO_MANY);
}

void open_visited(const struct ve *v, enum idle_why why)
{
	if (v->suspended)
		return;
	/* one that is on its way to sleep is woken when it is there */
	if (v->state != VE_FROZEN || op_queue(v, "wake", NULL) < 0)
		idle_touch(v->veid, why);
}

uint32_t open_wake(uint32_t veid, struct ve *v)
{
	int64_t until = clock_mono() + WAKE_MS;
	uint32_t code = TERM_CLOSE_GOING_AWAY;
	int64_t op = 0;

	state_lock();
	for (;;) {
		if (!ve_load(api.db, veid, v)) {
			code = TERM_CLOSE_NO_VE;
			break;
		}
		if (v->suspended) {
			code = TERM_CLOSE_SUSPENDED;
			break;
		}
		if (v->state == VE_RUNNING) {
			idle_touch(veid, IDLE_VISIT);
			code = 0;
			break;
		}
		/* once: a VE whose init fails is not tried for ever */
		if (op > 0 && op_ended(op))
			break;
		if (op <= 0 &&
		    (ve_is_down(v) || v->state == VE_FROZEN))
			op = op_queue(v, "wake", NULL);
		if (!state_wait_ve(veid, until))
			break;
	}
	state_unlock();
	return code;
}

/* Commands for terminals that are to be made, until term asks for these. */
static pthread_mutex_t wish_lock = PTHREAD_MUTEX_INITIALIZER;
static struct wish {
	uint32_t veid;
	char name[MSG_NAME];
	int64_t until;
	char *command;
} wishes[64];

static void wish(const struct opening *o)
{
	struct wish *w = &wishes[0];

	pthread_mutex_lock(&wish_lock);
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
		if (wishes[i].until < w->until)
			w = &wishes[i];
	free(w->command);
	*w = (struct wish){ .veid = o->veid,
			    .until = clock_mono() + WAKE_MS,
			    .command = xstrdup(o->command) };
	strcpy(w->name, o->name);
	pthread_mutex_unlock(&wish_lock);
}

/* Each counts once; a wish that nobody came for is forgotten. */
static void take_wish(const struct msg_terminal *need, char *command)
{
	pthread_mutex_lock(&wish_lock);
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct wish *w = &wishes[i];

		if (!w->command || w->veid != need->veid ||
		    strcmp(w->name, need->name))
			continue;
		if (w->until > clock_mono())
			snprintf(command, MSG_COMMAND, "%s", w->command);
		free(w->command);
		*w = (struct wish){ 0 };
	}
	pthread_mutex_unlock(&wish_lock);
}

static void open_tty(const struct msg_terminal *need)
{
	struct msg_tty m = { .head.type = MSG_TTY,
			     .veid = need->veid,
			     .cols = need->cols,
			     .rows = need->rows };
	struct msg_terminal opened = *need;
	struct msg reply _msg_ = { .nfds = 0 };
	struct err e = { 0 };
	struct ve v;
	uint32_t code = open_wake(need->veid, &v);
	int r;

	if (code) {
		not_opened(need, code);
		return;
	}
	strcpy(m.template, v.template);
	take_wish(need, m.command);
	r = ask(&m, &reply, &e);
	if (r == -EPIPE) {
		e = (struct err){ 0 };
		r = ask(&m, &reply, &e); /* priv died: once more */
	}
	if (r < 0 || reply.nfds != 2) {
		log_warn("terminal %s of VE %" PRIu32 ": %s", need->name,
			 need->veid, e.text);
		not_opened(need, TERM_CLOSE_GOING_AWAY);
		return;
	}
	opened.head.type = MSG_OPENED;
	tell_term(&opened, reply.fds, 2);
}

static void fill_attach(struct msg_attach *m, const struct opening *o)
{
	*m = (struct msg_attach){ .veid = o->veid,
				  .cols = o->cols,
				  .rows = o->rows,
				  .from = o->from,
				  .nextra = o->nextra };
	strcpy(m->name, o->name);
	memcpy(m->extra, o->extra, o->nextra);
}

static void open_exec(struct opening *o)
{
	struct msg_exec m = { .head.type = MSG_EXEC, .veid = o->veid };
	struct msg reply _msg_ = { .nfds = 0 };
	struct msg_attach run;
	struct err e = { 0 };
	struct ve v;
	uint32_t code = open_wake(o->veid, &v);
	int fds[5], r;

	if (code) {
		refuse(o, code);
		return;
	}
	strcpy(m.template, v.template);
	strcpy(m.command, o->command);
	r = ask(&m, &reply, &e);
	if (r < 0 || reply.nfds != 4) {
		log_warn("command in VE %" PRIu32 ": %s", o->veid, e.text);
		refuse(o, TERM_CLOSE_GOING_AWAY);
		return;
	}
	fill_attach(&run, o);
	run.head.type = MSG_RUN;
	fds[0] = o->fd;
	memcpy(fds + 1, reply.fds, 4 * sizeof(int));
	tell_term(&run, fds, 5);
	drop_opening(o);
}

/* term keeps the client until the terminal is there, and asks for it. */
static void attach(struct opening *o)
{
	struct msg_attach m;
	struct ve v;

	if (o->command[0])
		wish(o);
	fill_attach(&m, o);
	m.head.type = MSG_ATTACH;
	/* a terminal that is there already is asked for by nobody; the visit is
	 * said before what is typed can be heard */
	state_lock();
	if (ve_load(api.db, o->veid, &v))
		open_visited(&v, IDLE_VISIT);
	state_unlock();
	tell_term(&m, &o->fd, 1);
	drop_opening(o);
}

static void work(void *job)
{
	struct job *j = job;

	db_sync(); /* its grant counts once, whatever happens */
	if (!j->open)
		open_tty(&j->need);
	else if (j->open->kind == TERM_EXEC)
		open_exec(j->open);
	else
		attach(j->open);
	free(j);
}

void open_start_workers(void)
{
	lanes = lanes_start("terminals", WORKERS, WORKERS / 2, work);
}
