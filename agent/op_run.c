// SPDX-License-Identifier: Apache-2.0
#include "agent/op_run.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/ve.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/event.h"
#include "agent/lease.h"
#include "agent/libve/fail.h"
#include "agent/libve/log.h"
#include "agent/libve/wire.h"
#include "agent/pump.h"
#include "agent/usage.h"

#define START_MS 60000
#define KILL_MS 30000
#define REMOUNT_MS 5000
#define PACK_S 14400 /* for a pack, beyond what any answer may take */
#define TRIES 3 /* when priv dies under a request */

static void set_state(struct ve *v, enum ve_state s)
{
	if (v->state != s)
		v->since = clock_wall();
	v->state = s;
}

/* ask() again when priv died: each request may be repeated. */
static int ask_again(void *request, struct msg *reply, struct err *e)
{
	for (int i = 0;; i++) {
		struct err one = { 0 };
		int r = ask(request, reply, &one);

		if (r != -EPIPE || i == TRIES)
			return r < 0 ? err_set(e, r, "%s", one.text) : 0;
	}
}

static int ask_ve(uint32_t type, uint32_t veid, uint32_t arg, struct err *e)
{
	struct msg_ve m = { .head.type = type, .veid = veid, .arg = arg };
	struct msg reply _msg_ = { .nfds = 0 };

	return ask_again(&m, &reply, e);
}

/* Bring one VE's row in line with the kernel: the answer does so where the VE is
 * there (link.c).  Nobody but this operation could start it meanwhile. */
static void sync_one(uint32_t veid)
{
	struct msg_ve m = { .head.type = MSG_LIST, .arg = veid - 1 };
	struct msg reply _msg_ = { .nfds = 0 };
	struct msg_entry gone = { .veid = veid, .state = ENV_ST_STOPPED };

	if (ask_again(&m, &reply, NULL) < 0 ||
	    reply.m.head.type != MSG_ENTRIES_IS)
		return;
	if (!reply.m.entries.nr || reply.m.entries.entries[0].veid != veid)
		op_on_states(&gone, 1);
}

/* Wait until the VE leaves @from, or is gone; its state. */
static enum ve_state await_change(uint32_t veid, enum ve_state from, int64_t ms)
{
	int64_t until = clock_mono() + ms;
	struct ve v = { .state = VE_STOPPED };

	state_lock();
	while (ve_load(api.db, veid, &v) && v.state == from)
		if (!state_wait_ve(veid, until))
			break;
	state_unlock();
	return v.state;
}

/* The kernel takes the root of a VE that just ended down behind its back: for
 * that moment its private tree cannot be mounted again. */
static int ask_start(struct msg_start *m, struct err *e)
{
	int64_t until = clock_mono() + REMOUNT_MS;

	for (;;) {
		struct msg reply _msg_ = { .nfds = 0 };
		struct err one = { 0 };
		int r = ask_again(m, &reply, &one);

		if ((r != -EROFS && r != -EBUSY) || clock_mono() >= until)
			return r < 0 ? err_set(e, r, "%s", one.text) : 0;
		usleep(100000);
	}
}

static void fill_start(struct msg_start *m, const struct ve *v)
{
	*m = (struct msg_start){ .head.type = MSG_START,
				 .veid = v->veid,
				 .slot = v->slot,
				 .limits = v->limits };
	addr_parse(&m->ipv6, v->ipv6);
	strcpy(m->template, v->template);
	strcpy(m->hostname, v->hostname);
}

static void start_failed(uint32_t veid, const struct err *e)
{
	struct ve v;

	state_lock();
	if (ve_load(api.db, veid, &v) && v.state == VE_STARTING) {
		set_state(&v, VE_FAILED);
		snprintf(v.error, sizeof(v.error), "%.199s", e->text);
		ve_save(api.db, &v);
	}
	state_unlock();
}

/* true when there is nothing left to start. */
static bool do_thaw(int64_t id, uint32_t veid, struct err *e, int *r)
{
	struct ve v;
	bool there;

	state_lock();
	there = ve_load(api.db, veid, &v) && v.state == VE_FROZEN;
	state_unlock();
	if (!there)
		return false;
	op_stage(id, "waking");
	*r = ask_ve(MSG_FREEZE, veid, 0, e);
	fail_point("wake-asked");
	if (*r == -ESRCH) {
		*e = (struct err){ 0 };
		sync_one(veid);
		return false; /* it ended meanwhile */
	}
	if (*r == 0 &&
	    await_change(veid, VE_FROZEN, REMOUNT_MS) != VE_RUNNING)
		*r = err_set(e, -EIO, "VE %" PRIu32 " does not wake", veid);
	return true;
}

/* The private tree into its pack, or out of it.  A large one takes its time. */
static int ask_pack(uint32_t veid, bool pack, struct err *e)
{
	struct msg_pack m = { .head.type = MSG_PACK,
			      .veid = veid,
			      .pack = pack };
	struct ve v;

	state_lock();
	if (ve_load(api.db, veid, &v))
		m.disk = v.limits.disk;
	state_unlock();
	for (int i = 0;; i++) {
		struct msg reply _msg_ = { .nfds = 0 };
		struct err one = { 0 };
		struct asking a;
		int r;

		ask_begin(&a, &m, &reply);
		a.until.tv_sec += PACK_S;
		r = ask_end(&a, &one);
		if (r != -EPIPE || i == TRIES)
			return r < 0 ? err_set(e, r, "%s", one.text) : 0;
	}
}

static void now_is(uint32_t veid, enum ve_state state)
{
	struct ve v;

	state_lock();
	if (ve_load(api.db, veid, &v) && v.state != state) {
		set_state(&v, state);
		ve_save_status(api.db, &v);
	}
	state_unlock();
}

static bool is_in(uint32_t veid, enum ve_state state)
{
	struct ve v;
	bool it;

	state_lock();
	it = ve_load(api.db, veid, &v) && v.state == state;
	state_unlock();
	return it;
}

static int do_archive(int64_t id, uint32_t veid, struct err *e)
{
	int r;

	if (is_in(veid, VE_ARCHIVED))
		return 0;
	if (!is_in(veid, VE_STOPPED) && !is_in(veid, VE_FAILED))
		return err_set(e, -EBUSY, "VE %" PRIu32 " is not stopped", veid);
	op_stage(id, "packing");
	r = ask_pack(veid, true, e);
	fail_point("archive-asked");
	if (r == 0)
		now_is(veid, VE_ARCHIVED);
	return r;
}

static int do_restore(int64_t id, uint32_t veid, struct err *e)
{
	int r;

	if (!is_in(veid, VE_ARCHIVED))
		return 0;
	op_stage(id, "restoring");
	r = ask_pack(veid, false, e);
	fail_point("restore-asked");
	if (r == 0)
		now_is(veid, VE_STOPPED);
	return r;
}

/* As it is now, if it may be started.  With the state lock. */
static int load_startable(uint32_t veid, struct ve *v, struct err *e)
{
	if (!ve_load(api.db, veid, v))
		return err_set(e, -ENXIO, "VE %" PRIu32 " is gone", veid);
	if (v->suspended)
		return err_set(e, -EPERM, "VE %" PRIu32 " is suspended", veid);
	return 0;
}

static int do_start(int64_t id, uint32_t veid, struct err *e)
{
	struct msg_start m;
	struct ve v;
	int r;

	state_lock();
	r = load_startable(veid, &v, e);
	state_unlock();
	if (r < 0 || do_thaw(id, veid, e, &r))
		return r;
	r = do_restore(id, veid, e);
	if (r < 0)
		return r;
	state_lock();
	r = load_startable(veid, &v, e); /* that may have taken hours */
	if (r == 0 && v.state != VE_RUNNING) {
		set_state(&v, VE_STARTING);
		v.halted = false;
		v.error[0] = '\0';
		ve_save_status(api.db, &v);
	}
	state_unlock();
	if (r < 0 || v.state == VE_RUNNING)
		return r;
	op_stage(id, "creating");
	fill_start(&m, &v);
	r = ask_start(&m, e);
	if (r == -EBADF) {
		/* whoever packed it ended before anybody knew that it is */
		*e = (struct err){ 0 };
		op_stage(id, "restoring");
		r = ask_pack(veid, false, e);
		r = r < 0 ? r : ask_start(&m, e);
	}
	if (r == -EEXIST) {
		*e = (struct err){ 0 };
		sync_one(veid);
	} else if (r < 0) {
		start_failed(veid, e);
		return r;
	}
	fail_point("start-asked");
	op_stage(id, "init");
	if (await_change(veid, VE_STARTING, START_MS) == VE_RUNNING)
		return 0;
	state_lock();
	ve_load(api.db, veid, &v);
	state_unlock();
	return err_set(e, -EIO, "init of VE %" PRIu32 " did not run: %s", veid,
		       v.error[0] ? v.error : "it ended at once");
}

static uint32_t stop_signal(const char *template)
{
	/* what busybox and sysvinit take for "power off" */
	return strcmp(template, "tiny") ? SIGPWR : SIGUSR2;
}

static int do_stop(int64_t id, uint32_t veid, bool at_once, struct err *e)
{
	uint32_t sig = SIGKILL;
	struct ve v;
	int r;

	/* what is frozen heeds no signal */
	if (!at_once && do_thaw(id, veid, e, &r) && r < 0)
		return r;
	state_lock();
	if (!ve_load(api.db, veid, &v) || ve_is_down(&v)) {
		state_unlock();
		return 0;
	}
	set_state(&v, VE_STOPPING);
	ve_save(api.db, &v);
	state_unlock();
	if (!at_once)
		sig = stop_signal(v.template);
	for (;;) {
		struct err one = { 0 };
		int64_t wait = sig == SIGKILL ? KILL_MS : api.conf->stop_ms;

		op_stage(id, sig == SIGKILL ? "killing" : "stopping");
		r = ask_ve(MSG_STOP, veid, sig, &one);
		if (r == -ESRCH)
			sync_one(veid);
		else if (r < 0)
			return err_set(e, r, "%s", one.text);
		if (await_change(veid, VE_STOPPING, wait) != VE_STOPPING)
			return 0;
		if (sig == SIGKILL)
			return err_set(e, -ETIMEDOUT,
				       "VE %" PRIu32 " does not end", veid);
		sig = SIGKILL;
	}
}

static bool has_lease(uint32_t veid)
{
	return db_int(api.db, 0, "SELECT 1 FROM lease WHERE veid = ?", "i",
		      (int64_t)veid) != 0;
}

/* To sleep: its processes stand still, its memory is given back by priv, its
 * address by the clock. */
static int do_idle(int64_t id, uint32_t veid, struct err *e)
{
	int64_t until = clock_mono() + START_MS;
	int r = ask_ve(MSG_FREEZE, veid, 1, e);

	fail_point("freeze-asked");
	if (r < 0)
		return r;
	if (await_change(veid, VE_RUNNING, REMOUNT_MS) != VE_FROZEN)
		return err_set(e, -EIO, "VE %" PRIu32 " does not sleep", veid);
	op_stage(id, "releasing");
	clock_poke();
	state_lock();
	while (has_lease(veid) && state_wait_ve(veid, until))
		continue;
	state_unlock();
	return 0;
}

/* It was stopped on purpose: not to be started by reconciliation. */
static void stay_down(uint32_t veid)
{
	struct ve v;

	state_lock();
	if (ve_load(api.db, veid, &v) && !v.halted) {
		v.halted = true;
		ve_save(api.db, &v);
	}
	state_unlock();
}

static int do_destroy(int64_t id, uint32_t veid, struct err *e)
{
	struct msg_terminal bye = { .head.type = MSG_CLOSE,
				    .veid = veid,
				    .close = TERM_CLOSE_NO_VE };
	struct ve v;
	int r;

	tell_term(&bye, NULL, 0);
	pump_close(veid);
	r = do_stop(id, veid, true, e);
	if (r < 0)
		return r;
	op_stage(id, "erasing");
	r = ask_ve(MSG_ERASE, veid, 0, e);
	if (r < 0)
		return r;
	state_lock();
	if (ve_load(api.db, veid, &v))
		r = ve_delete(api.db, &v);
	state_unlock();
	return r < 0 ? err_set(e, r, "data base: VE %" PRIu32, veid) : 0;
}

static int do_reinstall(int64_t id, uint32_t veid, bool start, struct err *e)
{
	int r = do_stop(id, veid, true, e);

	if (r < 0)
		return r;
	op_stage(id, "erasing");
	r = ask_ve(MSG_ERASE, veid, 0, e);
	if (r == 0 && is_in(veid, VE_ARCHIVED))
		now_is(veid, VE_STOPPED);
	return r < 0 || !start ? r : do_start(id, veid, e);
}

int op_apply(const struct ve *v, struct err *e)
{
	struct msg_limits m = { .head.type = MSG_LIMITS,
				.veid = v->veid,
				.limits = v->limits };
	struct msg reply _msg_ = { .nfds = 0 };
	int r = ask_again(&m, &reply, e);

	usage_forget(v->veid);
	return r;
}

static int dispatch(int64_t id, const struct ve *v, const char *kind,
		    struct err *e)
{
	bool start = v->want_running && !v->suspended;
	int r;

	if (!strcmp(kind, "start") || !strcmp(kind, "wake"))
		return do_start(id, v->veid, e);
	if (!strcmp(kind, "idle"))
		return do_idle(id, v->veid, e);
	if (!strcmp(kind, "archive"))
		return do_archive(id, v->veid, e);
	if (!strcmp(kind, "restore"))
		return do_restore(id, v->veid, e);
	if (!strcmp(kind, "extend"))
		return 0; /* done when it was asked for */
	if (!strcmp(kind, "stop")) {
		r = do_stop(id, v->veid, false, e);
		if (r == 0)
			stay_down(v->veid);
		return r;
	}
	if (!strcmp(kind, "suspend"))
		return do_stop(id, v->veid, false, e);
	if (!strcmp(kind, "restart")) {
		r = do_stop(id, v->veid, false, e);
		return r < 0 ? r : do_start(id, v->veid, e);
	}
	if (!strcmp(kind, "reinstall"))
		return do_reinstall(id, v->veid, start, e);
	if (!strcmp(kind, "unsuspend"))
		return start ? do_start(id, v->veid, e) : 0;
	if (!strcmp(kind, "destroy"))
		return do_destroy(id, v->veid, e);
	if (!strcmp(kind, "apply"))
		return op_apply(v, e);
	return err_set(e, -EINVAL, "unknown operation '%s'", kind);
}

int op_run(int64_t id, uint32_t veid, const char *kind, struct err *e)
{
	struct ve v, after;
	bool there;
	int r;

	state_lock();
	there = ve_load(api.db, veid, &v);
	state_unlock();
	if (!there && !strcmp(kind, "destroy"))
		return 0; /* a former life had finished it */
	if (!there)
		return err_set(e, -ENXIO, "VE %" PRIu32 " is gone", veid);
	r = dispatch(id, &v, kind, e);
	state_lock();
	/* of one that is down nothing is left to do but a start, and its
	 * failure is a state */
	if (ve_load(api.db, veid, &after) && after.observed < v.generation &&
	    (r >= 0 || ve_is_down(&after))) {
		after.observed = v.generation;
		ve_save(api.db, &after);
	}
	state_unlock();
	return r < 0 ? r : 0;
}
