// SPDX-License-Identifier: Apache-2.0
#include "portal/line.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>
#include <microhttpd.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"
#include "portal/db_ve.h"
#include "portal/ear.h"

#define SEATS_MAX 2000
#define SEATS_EACH 4 /* of one person */
#define BEAT_MS 15000 /* says that it is alive, and finds who has left */
#define LIFE_MS 3600000 /* then it comes again, and shows its session */
#define PAUSE_MS 200 /* a storm of changes costs five looks a second */
#define RETRY "retry: 2000\n"

struct line {
	const char *conninfo;
	pthread_mutex_t lock; /* of all seats */
	struct line_seat *seats;
	size_t count;
};

struct line_seat {
	struct line_seat *next;
	struct line *line;
	struct MHD_Connection *conn; /* once it has an answer */
	int64_t session, person;
	int64_t until;
	char *known; /* the place that was said last */
	struct buf out;
	bool asleep; /* suspended: nothing to send */
	bool over; /* after what is in out */
};

static void pause_ms(int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

char *line_event(const char *name, const char *data)
{
	return name ? xasprintf(RETRY "event: %s\ndata: %s\n\n", name, data)
		    : xstrdup(":\n\n");
}

/* ---- with the lock held ---------------------------------------------------- */

static void wake(struct line_seat *s)
{
	if (!s->asleep)
		return;
	s->asleep = false;
	MHD_resume_connection(s->conn);
}

static void send_text(struct line_seat *s, const char *name, const char *data)
{
	_free_ char *text = line_event(name, data);

	buf_puts(&s->out, text);
	wake(s);
}

static void send_place(struct line_seat *s, const char *place)
{
	if (s->known && !strcmp(s->known, place))
		return;
	free(s->known);
	s->known = xstrdup(place);
	send_text(s, "queue", place);
}

static void send_end(struct line_seat *s)
{
	if (!s->over)
		send_text(s, "end", "{}");
	s->over = true;
}

/* Without a word: a browser then comes again. */
static void close_seat(struct line_seat *s)
{
	s->over = true;
	wake(s);
}

static size_t seats_of(const struct line *l, int64_t person)
{
	size_t n = 0;

	for (const struct line_seat *s = l->seats; s; s = s->next)
		n += s->person == person;
	return n;
}

/* ---- seats ----------------------------------------------------------------- */

struct line_seat *line_join(struct line *l, int64_t session, int64_t person)
{
	struct line_seat *s = NULL;

	pthread_mutex_lock(&l->lock);
	if (l->count < SEATS_MAX && seats_of(l, person) < SEATS_EACH) {
		s = xcalloc(1, sizeof(*s));
		s->line = l;
		s->session = session;
		s->person = person;
		s->until = mono_ms() + LIFE_MS;
		s->next = l->seats;
		l->seats = s;
		l->count++;
	}
	pthread_mutex_unlock(&l->lock);
	return s;
}

void line_greet(struct line_seat *s, const char *place)
{
	pthread_mutex_lock(&s->line->lock);
	if (!s->known)
		send_place(s, place);
	pthread_mutex_unlock(&s->line->lock);
}

void line_leave(struct line_seat *s)
{
	struct line_seat **at;
	struct line *l;

	if (!s)
		return;
	l = s->line;
	pthread_mutex_lock(&l->lock);
	for (at = &l->seats; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	l->count--;
	pthread_mutex_unlock(&l->lock);
	free(s->known);
	buf_free(&s->out);
	free(s);
}

/* In libmicrohttpd's thread: the next bytes, or sleep until there are some. */
static ssize_t give(void *cls, uint64_t pos, char *to, size_t max)
{
	struct line_seat *s = cls;
	ssize_t n = 0;

	pthread_mutex_lock(&s->line->lock);
	if (s->out.len) {
		n = (ssize_t)(s->out.len < max ? s->out.len : max);
		memcpy(to, s->out.data, (size_t)n);
		buf_shift(&s->out, (size_t)n);
	} else if (s->over) {
		n = MHD_CONTENT_READER_END_OF_STREAM;
	} else {
		s->asleep = true;
		MHD_suspend_connection(s->conn);
	}
	pthread_mutex_unlock(&s->line->lock);
	return n;
}

static void leave(void *cls)
{
	line_leave(cls);
}

struct MHD_Response *line_response(struct line_seat *s,
				   struct MHD_Connection *conn)
{
	s->conn = conn;
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, give,
						 s, leave);
}

/* ---- the thread that looks ------------------------------------------------- */

/* The people who sit here, as the text of an array; "{}" for none. */
static char *people(struct line *l)
{
	_buf_ struct buf b = { 0 };

	buf_puts(&b, "{");
	pthread_mutex_lock(&l->lock);
	for (struct line_seat *s = l->seats; s; s = s->next)
		buf_printf(&b, "%s%lld", b.len > 1 ? "," : "",
			   (long long)s->person);
	pthread_mutex_unlock(&l->lock);
	buf_puts(&b, "}");
	return xstrdup(b.data);
}

/* @places: {"person": place or null, ...} */
static void tell(struct line *l, struct json_object *places)
{
	pthread_mutex_lock(&l->lock);
	for (struct line_seat *s = l->seats; s; s = s->next) {
		struct json_object *place;
		char key[24];

		snprintf(key, sizeof(key), "%lld", (long long)s->person);
		if (json_object_object_get_ex(places, key, &place))
			send_place(s, json_object_to_json_string_ext(
					      place, JSON_C_TO_STRING_PLAIN));
	}
	pthread_mutex_unlock(&l->lock);
}

static void look(struct line *l, struct db *db)
{
	_free_ char *who = people(l);
	struct json_object *places = NULL;
	struct err e = { 0 };

	if (strcmp(who, "{}") != 0 && !db_line_look(db, who, &places, &e))
		tell(l, places);
	json_object_put(places);
}

static void beat(struct line *l)
{
	pthread_mutex_lock(&l->lock);
	for (struct line_seat *s = l->seats; s; s = s->next) {
		send_text(s, NULL, NULL);
		if (mono_ms() >= s->until)
			close_seat(s);
	}
	pthread_mutex_unlock(&l->lock);
}

/* The seats of a session, with a word; all with 0, without. */
static void end(struct line *l, int64_t session)
{
	pthread_mutex_lock(&l->lock);
	for (struct line_seat *s = l->seats; s; s = s->next)
		if (!session)
			close_seat(s);
		else if (s->session == session)
			send_end(s);
	pthread_mutex_unlock(&l->lock);
}

struct hearing {
	struct line *line;
	bool changed;
};

static void hear(void *arg, const char *payload)
{
	struct hearing *h = arg;
	struct ear_word w;

	if (ear_parse(&w, payload))
		h->changed = true; /* of the line itself */
	else if (w.session)
		end(h->line, w.session);
}

/* While the database is heard. */
static void follow(struct line *l, struct db *db)
{
	struct hearing h = { .line = l, .changed = true };
	int64_t due = mono_ms() + BEAT_MS;
	struct err e = { 0 };

	for (;;) {
		int64_t left = due - mono_ms();

		if (left <= 0) {
			beat(l);
			due = mono_ms() + BEAT_MS;
			h.changed = true; /* estimates move by themselves */
		}
		if (h.changed) {
			h.changed = false;
			look(l, db);
			pause_ms(PAUSE_MS);
		}
		if (db_wait(db, left > 0 ? (int)left : 0, hear, &h, &e))
			return;
	}
}

static void *run(void *arg)
{
	struct line *l = arg;
	struct db *db = db_create(l->conninfo, "ve-portald line");

	for (;;) {
		struct err e = { 0 };

		if (db_listen(db, "ve_line", &e) ||
		    db_listen(db, "ve_end", &e)) {
			pause_ms(250);
			continue;
		}
		follow(l, db);
		/* deaf: nobody is told of a log-out; the pages come again */
		end(l, 0);
	}
	return NULL;
}

struct line *line_start(const char *conninfo)
{
	struct line *l = xcalloc(1, sizeof(*l));
	pthread_t t;

	l->conninfo = conninfo;
	pthread_mutex_init(&l->lock, NULL);
	if (pthread_create(&t, NULL, run, l))
		fatal("cannot start the thread of the line");
	pthread_detach(t);
	return l;
}
