// SPDX-License-Identifier: Apache-2.0
/*
 * Private trees packed and unpacked.  It takes as long as it takes, so a process
 * of its own does it, which ends with us; the asker is answered when it is done.
 * Done again it does no harm: see tree_pack().
 */
#include "agent/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/fail.h"
#include "agent/name.h"
#include "agent/tree.h"

#define AT_A_TIME 2

struct priv_pack {
	struct watch watch; /* what the process has to say; fd -1: not begun */
	struct priv_pack *next;
	uint32_t veid, id; /* id of who asked, 0: nobody waits any more */
	uint64_t disk;
	bool pack;
};

static void work(const struct priv *p, const struct priv_pack *k, int out)
{
	struct err e = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* nothing of priv's stays open for as long as this takes */
	if (dup2(out, 3) < 0)
		_exit(1);
	close_range(4, ~0u, 0);
	if (nice(10) < 0)
		errno = 0;
	if (k->pack)
		tree_pack(p->conf->private_dir, k->veid, &e);
	else
		tree_unpack(p->conf->private_dir, k->veid, k->disk, &e);
	_exit(write(3, &e, sizeof(e)) != sizeof(e));
}

static int begin(struct priv *p, struct priv_pack *k)
{
	int line[2];
	pid_t pid;

	if (pipe2(line, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		work(p, k, line[1]);
	close(line[1]);
	k->watch.fd = line[0];
	if (pid > 0 && priv_watch(p, &k->watch, EPOLLIN) == 0)
		return 0;
	clean_close(&k->watch.fd);
	k->watch.fd = -1;
	return -EAGAIN;
}

static void end(struct priv *p, struct priv_pack *k, const struct err *e)
{
	for (struct priv_pack **at = &p->packs; *at; at = &(*at)->next) {
		if (*at != k)
			continue;
		*at = k->next;
		break;
	}
	if (k->id)
		priv_done(p, k->id, e->code, e);
	priv_unwatch(p, &k->watch);
	free(k);
}

/* Those that wait, in their order, as far as there is room. */
static void begin_some(struct priv *p)
{
	struct priv_pack *k, *next;
	unsigned n = 0;

	for (k = p->packs; k; k = k->next)
		n += k->watch.fd >= 0;
	for (k = p->packs; k && n < AT_A_TIME; k = next) {
		struct err e = { 0 };
		int r;

		next = k->next;
		if (k->watch.fd >= 0)
			continue;
		r = begin(p, k);
		if (r == 0) {
			n++;
			continue;
		}
		err_set(&e, r, "no process for the pack of VE %" PRIu32 ": %s",
			k->veid, strerror(-r));
		end(p, k, &e);
	}
}

void answer_pack(struct priv *p, const struct msg *m)
{
	const struct msg_pack *q = &m->m.pack;
	struct priv_pack **at = &p->packs;
	struct err e = { 0 };

	while (*at && (*at)->veid != q->veid)
		at = &(*at)->next;
	if (!is_veid(q->veid) || q->pack > 1 || q->disk > DISK_MAX)
		err_set(&e, -EINVAL, "pack: a field is out of range");
	else if (priv_find(p, q->veid))
		err_set(&e, -EBUSY, "VE %" PRIu32 " is running", q->veid);
	else if (*at && (*at)->pack != q->pack)
		err_set(&e, -EBUSY, "the pack of VE %" PRIu32 " is under way",
			q->veid);
	if (e.code) {
		priv_done(p, q->head.id, e.code, &e);
		return;
	}
	if (!*at) { /* else who asks again waits for what is under way */
		while (*at)
			at = &(*at)->next;
		*at = xcalloc(1, sizeof(**at));
		**at = (struct priv_pack){ .watch = { WATCH_PACK, -1 },
					   .veid = q->veid,
					   .disk = q->disk,
					   .pack = q->pack };
	}
	(*at)->id = q->head.id;
	begin_some(p);
}

void priv_pack_event(struct priv *p, struct priv_pack *k)
{
	struct err e = { 0 };

	if (read(k->watch.fd, &e, sizeof(e)) != sizeof(e))
		err_set(&e, -EIO, "the pack of VE %" PRIu32 " was given up",
			k->veid);
	e.text[sizeof(e.text) - 1] = '\0';
	fail_point(k->pack ? "priv-packed" : "priv-unpacked");
	end(p, k, &e);
	begin_some(p);
}

bool priv_pack_busy(const struct priv *p, uint32_t veid)
{
	for (const struct priv_pack *k = p->packs; k; k = k->next)
		if (k->veid == veid)
			return true;
	return false;
}

void priv_pack_orphan(struct priv *p)
{
	for (struct priv_pack *k = p->packs; k; k = k->next)
		k->id = 0;
}
