// SPDX-License-Identifier: Apache-2.0
#include "portal/slow.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"

#define LOOK_MS 1000

/* A connection, by a descriptor of our own: libmicrohttpd may close its at any time. */
struct one {
	struct one *next, **at;
	int fd;
	int64_t since; /* when its request was begun to be waited for, 0: it is not */
};

struct slow {
	pthread_mutex_t lock;
	struct one *all;
};

static void *look(void *arg)
{
	const struct timespec pause = { .tv_sec = LOOK_MS / 1000 };
	struct slow *s = arg;

	for (;;) {
		int64_t late = mono_ms() - SLOW_MS;

		pthread_mutex_lock(&s->lock);
		for (struct one *o = s->all; o; o = o->next)
			if (o->since && o->since < late)
				shutdown(o->fd, SHUT_RDWR);
		pthread_mutex_unlock(&s->lock);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

struct slow *slow_start(void)
{
	struct slow *s = xcalloc(1, sizeof(*s));
	pthread_t t;

	pthread_mutex_init(&s->lock, NULL);
	if (pthread_create(&t, NULL, look, s))
		fatal("no thread to look at slow requests");
	pthread_detach(t);
	return s;
}

static struct one *begin(struct slow *s, struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct one *o = xcalloc(1, sizeof(*o));

	o->fd = info ? fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 0) : -1;
	o->since = mono_ms();
	o->next = s->all;
	o->at = &s->all;
	if (o->next)
		o->next->at = &o->next;
	s->all = o;
	return o;
}

static void end(struct one *o)
{
	*o->at = o->next;
	if (o->next)
		o->next->at = o->at;
	if (o->fd >= 0)
		close(o->fd);
	free(o);
}

void slow_on_connection(void *slow, struct MHD_Connection *conn, void **context,
			enum MHD_ConnectionNotificationCode what)
{
	struct slow *s = slow;

	pthread_mutex_lock(&s->lock);
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		*context = begin(s, conn);
	else if (*context)
		end(*context);
	pthread_mutex_unlock(&s->lock);
}

static void set(struct slow *s, struct MHD_Connection *conn, int64_t since)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct one *o = info ? info->socket_context : NULL;

	if (!o)
		return;
	pthread_mutex_lock(&s->lock);
	o->since = since;
	pthread_mutex_unlock(&s->lock);
}

void slow_there(struct slow *s, struct MHD_Connection *conn)
{
	set(s, conn, 0);
}

void slow_again(struct slow *s, struct MHD_Connection *conn)
{
	set(s, conn, mono_ms());
}
