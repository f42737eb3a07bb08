// SPDX-License-Identifier: Apache-2.0
#include "agent/msg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/libve/clean.h"

/* A string inside a message that must end. */
struct text {
	size_t offset, size;
};

#define TEXT(S, m)                                                \
	{                                                         \
		offsetof(struct S, m), sizeof(((struct S *)0)->m) \
	}
#define NO_TEXT      \
	{            \
		0, 0 \
	}

static const struct shape {
	uint32_t type;
	uint32_t size;
	unsigned min_fds, max_fds;
	struct text text[2];
} shapes[] = {
/* clang-format off */
#define PLAIN(type, S, min, max) \
	{ type, sizeof(struct S), min, max, { NO_TEXT, NO_TEXT } }
#define TEXT1(type, S, min, max, a) \
	{ type, sizeof(struct S), min, max, { TEXT(S, a), NO_TEXT } }
#define TEXT2(type, S, min, max, a, b) \
	{ type, sizeof(struct S), min, max, { TEXT(S, a), TEXT(S, b) } }
	PLAIN(MSG_LINK, msg_link_is, 1, 1),
	PLAIN(MSG_CERTS, msg_link_is, 3, 3),
	PLAIN(MSG_KEEP, msg_keep, 0, MSG_FDS),
	PLAIN(MSG_DROP, msg_keep, 0, 0),
	PLAIN(MSG_KEPT, msg_keep, 0, MSG_FDS),
	PLAIN(MSG_KEPT_END, msg_keep, 0, 0),
	PLAIN(MSG_LIST, msg_ve, 0, 0),
	PLAIN(MSG_TEMPLATES_ASK, msg_ve, 0, 0),
	TEXT2(MSG_START, msg_start, 0, 0, template, hostname),
	PLAIN(MSG_STOP, msg_ve, 0, 0),
	PLAIN(MSG_ERASE, msg_ve, 0, 0),
	PLAIN(MSG_PACK, msg_pack, 0, 0),
	PLAIN(MSG_ADDR, msg_addr, 0, 0),
	PLAIN(MSG_FENCE, msg_fence, 0, 0),
	PLAIN(MSG_LIMITS, msg_limits, 0, 0),
	TEXT2(MSG_TTY, msg_tty, 0, 0, template, command),
	TEXT2(MSG_EXEC, msg_exec, 0, 0, template, command),
	PLAIN(MSG_PORT, msg_ve, 0, 0),
	PLAIN(MSG_FREEZE, msg_ve, 0, 0),
	PLAIN(MSG_ACTIVITY, msg_ve, 0, 0),
	PLAIN(MSG_USAGE, msg_ve, 0, 0),
	TEXT1(MSG_DONE, msg_done, 0, 4, text),
	PLAIN(MSG_ENTRIES_IS, msg_entries, 0, 0),
	PLAIN(MSG_TEMPLATES_ARE, msg_templates, 0, 0),
	PLAIN(MSG_ACTIVITIES, msg_activities, 0, 0),
	PLAIN(MSG_STATE, msg_state, 0, 0),
	PLAIN(MSG_USAGE_IS, msg_usage, 0, 0),
	PLAIN(MSG_HELD, msg_ve, 0, 0),
	PLAIN(MSG_REFUSED, msg_refusals, 0, 0),
	TEXT1(MSG_ATTACH, msg_attach, 1, 1, name),
	TEXT1(MSG_OPENED, msg_terminal, 2, 2, name),
	TEXT1(MSG_NOT_OPENED, msg_terminal, 0, 0, name),
	TEXT1(MSG_RUN, msg_attach, 5, 5, name),
	TEXT1(MSG_REFUSE, msg_terminal, 1, 1, name),
	TEXT1(MSG_CLOSE, msg_terminal, 0, 0, name),
	TEXT1(MSG_NOTICE, msg_notice, 0, 0, text),
	TEXT1(MSG_NEED, msg_terminal, 0, 0, name),
	PLAIN(MSG_COUNT, msg_count, 0, 0),
	/* clang-format on */
};

static const struct shape *shape_of(uint32_t type)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].type == type)
			return &shapes[i];
	return NULL;
}

size_t msg_size(uint32_t type)
{
	const struct shape *s = shape_of(type);

	return s ? s->size : 0;
}

static bool refusals_ok(const struct msg_refusals *m)
{
	if (m->nr > MSG_REFUSALS)
		return false;
	for (uint32_t i = 0; i < m->nr; i++) {
		const struct msg_refusal *r = &m->entries[i];

		if (!bean_name(r->resource) ||
		    !memchr(r->program, '\0', sizeof(r->program)))
			return false;
	}
	return true;
}

/* Counts inside a message that somebody will loop to. */
static bool counts_ok(const union msg_any *m)
{
	switch (m->head.type) {
	case MSG_ENTRIES_IS:
		return m->entries.nr <= MSG_ENTRIES;
	case MSG_ACTIVITIES:
		return m->activities.nr <= MSG_ENTRIES;
	case MSG_REFUSED:
		return refusals_ok(&m->refusals);
	case MSG_TEMPLATES_ARE:
		if (m->templates.nr > MSG_TEMPLATES)
			return false;
		for (uint32_t i = 0; i < m->templates.nr; i++) {
			const struct msg_template *t =
				&m->templates.templates[i];

			if (!memchr(t->name, '\0', sizeof(t->name)) ||
			    !memchr(t->digest, '\0', sizeof(t->digest)))
				return false;
		}
		return true;
	case MSG_ATTACH:
	case MSG_RUN:
		return m->attach.nextra <= MSG_EXTRA;
	default:
		return true;
	}
}

int msg_check(const union msg_any *m, size_t n, unsigned nfds)
{
	const struct shape *s;

	if (n < sizeof(m->head))
		return -EBADMSG;
	s = shape_of(m->head.type);
	if (!s || n != s->size || nfds < s->min_fds || nfds > s->max_fds)
		return -EBADMSG;
	for (size_t i = 0; i < 2 && s->text[i].size; i++)
		if (!memchr((const char *)m + s->text[i].offset, '\0',
			    s->text[i].size))
			return -EBADMSG;
	return counts_ok(m) ? 0 : -EBADMSG;
}

int msg_send(int sock, const void *m, const int *fds, unsigned nfds)
{
	char control[CMSG_SPACE(sizeof(int) * MSG_FDS)] = { 0 };
	uint32_t type = ((const struct msg_head *)m)->type;
	struct iovec iov = { (void *)m, msg_size(type) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (!iov.iov_len || nfds > MSG_FDS)
		return -EINVAL;
	if (nfds) {
		struct cmsghdr *c;

		h.msg_control = control;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	while (sendmsg(sock, &h, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static void take_fds(struct msg *m, struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n && m->nfds < MSG_FDS; i++)
			memcpy(&m->fds[m->nfds++],
			       CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
}

static int receive(int sock, struct msg *m, int flags)
{
	char control[CMSG_SPACE(sizeof(int) * MSG_FDS)];
	struct iovec iov = { &m->m, sizeof(m->m) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n;

	m->nfds = 0;
	/* reset, said once: it ended with a message of ours unread; what it
	 * had sent is there all the same */
	do {
		n = recvmsg(sock, &h, MSG_CMSG_CLOEXEC | flags);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	take_fds(m, &h);
	if (n == 0)
		return -EPIPE;
	if ((h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    msg_check(&m->m, (size_t)n, m->nfds) < 0) {
		msg_fini(m);
		return -EBADMSG;
	}
	return 0;
}

int msg_recv(int sock, struct msg *m)
{
	return receive(sock, m, 0);
}

int msg_recv_now(int sock, struct msg *m)
{
	return receive(sock, m, MSG_DONTWAIT);
}

void msg_fini(struct msg *m)
{
	for (unsigned i = 0; i < m->nfds; i++)
		clean_close(&m->fds[i]);
	m->nfds = 0;
}
