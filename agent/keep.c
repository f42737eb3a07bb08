// SPDX-License-Identifier: Apache-2.0
#include "agent/keep.h"

#include <errno.h>
#include <string.h>

#include "agent/libve/clean.h"

static void entry_destroy(struct keep_entry *e)
{
	for (unsigned i = 0; i < e->nfds; i++)
		close(e->fds[i]);
	free(e);
}

void keep_drop(struct keep *k, uint64_t key)
{
	for (struct keep_entry **at = &k->all; *at; at = &(*at)->next) {
		struct keep_entry *e = *at;

		if (e->msg.key != key)
			continue;
		*at = e->next;
		entry_destroy(e);
		k->n--;
		return;
	}
}

struct keep_entry *keep_find(const struct keep *k, uint64_t key)
{
	for (struct keep_entry *e = k->all; e; e = e->next)
		if (e->msg.key == key)
			return e;
	return NULL;
}

int keep_put(struct keep *k, struct msg *m)
{
	struct keep_entry *e;

	keep_drop(k, m->m.keep.key);
	if (k->n >= KEEP_MAX)
		return -ENOSPC;
	e = xcalloc(1, sizeof(*e));
	e->msg = m->m.keep;
	e->nfds = m->nfds;
	for (unsigned i = 0; i < m->nfds; i++)
		e->fds[i] = take_fd(&m->fds[i]);
	m->nfds = 0;
	e->next = k->all;
	k->all = e;
	k->n++;
	return 0;
}

void keep_fini(struct keep *k)
{
	while (k->all)
		keep_drop(k, k->all->msg.key);
}

int keep_replay(const struct keep *k, int sock)
{
	struct msg_keep end = { .head.type = MSG_KEPT_END };

	for (const struct keep_entry *e = k->all; e; e = e->next) {
		struct msg_keep m = e->msg;
		int r;

		m.head.type = MSG_KEPT;
		r = msg_send(sock, &m, e->fds, e->nfds);
		if (r < 0)
			return r;
	}
	return msg_send(sock, &end, NULL, 0);
}
