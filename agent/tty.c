// SPDX-License-Identifier: Apache-2.0
#include "agent/term.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/part.h"

#define EACH_VE 16 /* terminals of one VE */
#define INPUT_MAX 65536 /* waiting for a shell that does not read */
#define EXIT_WAIT_MS 300 /* for output that is still on its way */
#define REPORT_MS 1000 /* activity is told as often */
#define RESIZE_MS 100 /* a window that is being drawn out changes all the time */
#define RESIZE_BURST 5
#define CELLS_MAX 65536 /* of a screen */
#define CELLS_MIN (80 * 24)
#define CELLS_ALL (2 * CELLS_MAX + 16 * CELLS_MIN) /* of all screens of a VE */

/* The supervisor's copy of what we know of a tty. */
struct notes {
	uint32_t veid;
	uint16_t cols, rows;
	char name[MSG_NAME];
};

_Static_assert(sizeof(struct notes) <= MSG_BLOB, "notes fit");
_Static_assert(CELLS_MIN >= TERM_SIZE_MAX, "a line at least");

struct tty *tty_find(uint32_t veid, const char *name)
{
	for (struct tty *t = term.ttys; t; t = t->next)
		if (t->veid == veid && !strcmp(t->name, name))
			return t;
	return NULL;
}

void tty_report(uint32_t veid)
{
	struct msg_count m = { .head.type = MSG_COUNT, .veid = veid };

	for (const struct tty *t = term.ttys; t; t = t->next) {
		if (t->veid != veid || t->master.fd < 0)
			continue;
		m.terminals++;
		if (t->active > m.active_ms)
			m.active_ms = t->active;
	}
	term_tell(&m);
}

static void ask_for(const struct tty *t)
{
	struct msg_terminal m = { .head.type = MSG_NEED,
				  .veid = t->veid,
				  .cols = t->cols,
				  .rows = t->rows };

	strcpy(m.name, t->name);
	term_tell(&m);
}

void tty_ask_again(void)
{
	for (const struct tty *t = term.ttys; t; t = t->next) {
		if (t->master.fd < 0)
			ask_for(t);
		else
			tty_report(t->veid);
	}
}

/* What a screen may have beside the VE's others: they are the node's memory. */
static unsigned cells_for(const struct tty *t)
{
	unsigned others = 0;

	for (const struct tty *o = term.ttys; o; o = o->next)
		if (o != t && o->veid == t->veid)
			others += (unsigned)o->wide * o->high;
	if (others + CELLS_MIN > CELLS_ALL)
		return CELLS_MIN;
	return others + CELLS_MAX > CELLS_ALL ? CELLS_ALL - others : CELLS_MAX;
}

static void ask_size(struct tty *t, uint16_t cols, uint16_t rows)
{
	unsigned most = cells_for(t) / cols;

	t->wide = cols;
	t->high = rows <= most ? rows : (uint16_t)most;
}

static struct tty *add(uint32_t veid, const char *name, uint16_t cols,
		       uint16_t rows)
{
	struct tty *t = xcalloc(1, sizeof(*t));

	t->veid = veid;
	ask_size(t, cols, rows);
	t->cols = t->wide;
	t->rows = t->high;
	strcpy(t->name, name);
	t->master =
		(struct source){ .kind = SOURCE_MASTER, .fd = -1, .owner = t };
	t->status =
		(struct source){ .kind = SOURCE_STATUS, .fd = -1, .owner = t };
	t->next = term.ttys;
	term.ttys = t;
	return t;
}

struct tty *tty_need(uint32_t veid, const char *name, uint16_t cols,
		     uint16_t rows)
{
	struct tty *t = tty_find(veid, name);
	unsigned n = 0;

	if (t)
		return t;
	for (t = term.ttys; t; t = t->next)
		n += t->veid == veid;
	if (n >= EACH_VE)
		return NULL;
	t = add(veid, name, cols, rows);
	ask_for(t);
	return t;
}

static void keep(const struct tty *t)
{
	struct msg_keep m = { .head.type = MSG_KEEP, .key = t->key };
	struct notes n = { .veid = t->veid, .cols = t->cols, .rows = t->rows };
	int fds[3] = { t->master.fd, ring_fd(t->ring), t->status.fd };

	strcpy(n.name, t->name);
	memcpy(m.blob, &n, sizeof(n));
	if (msg_send(PART_SOCK, &m, fds, 3) < 0)
		log_warn("terminal %s of VE %" PRIu32 " would not outlive us",
			 t->name, t->veid);
}

static void set_size(struct tty *t)
{
	struct winsize w = { .ws_col = t->cols, .ws_row = t->rows };

	if (t->master.fd >= 0)
		ioctl(t->master.fd, TIOCSWINSZ, &w);
}

static void want_master(struct tty *t)
{
	if (t->hung || t->master.fd < 0)
		return;
	source_want(&t->master,
		    (t->paused ? 0 : EPOLLIN) | (t->input.len ? EPOLLOUT : 0));
}

static void begin(struct tty *t, int master, int status)
{
	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	fcntl(status, F_SETFL, O_NONBLOCK);
	t->master.fd = master;
	t->status.fd = status;
	source_want(&t->status, EPOLLIN);
	want_master(t); /* what was typed before it opened goes in too */
}

void tty_opened(struct tty *t, int master, int status)
{
	struct stream *s, *next;

	t->ring = ring_create();
	if (!t->ring) {
		close(master);
		close(status);
		log_err("no memory for a terminal's ring");
		tty_destroy(t);
		return;
	}
	t->key = term.next_key++;
	t->screen = screen_create(t->cols, t->rows);
	begin(t, master, status);
	set_size(t);
	keep(t);
	tty_report(t->veid);
	for (s = term.streams; s; s = next) {
		next = s->next;
		if (s->tty == t)
			stream_greet(s);
	}
}

/* After a restart nothing is painted until somebody wants to see it: should a
 * terminal's output be what ended the former life, it does not end this one. */
struct screen *tty_screen(struct tty *t)
{
	uint8_t chunk[16384];
	uint64_t seq = ring_lo(t->ring);
	size_t n;

	if (t->screen)
		return t->screen;
	t->screen = screen_create(t->cols, t->rows);
	while ((n = ring_read(t->ring, seq, chunk, sizeof(chunk))) > 0) {
		screen_feed(t->screen, chunk, n);
		seq += n;
	}
	return t->screen;
}

void tty_kept(struct msg *m)
{
	struct notes n;
	struct ring *r;
	struct tty *t;

	memcpy(&n, m->m.keep.blob, sizeof(n));
	n.name[sizeof(n.name) - 1] = '\0';
	if (m->nfds != 3 || !n.cols || !n.rows || tty_find(n.veid, n.name))
		return;
	r = ring_adopt(take_fd(&m->fds[1]));
	if (!r)
		return;
	t = add(n.veid, n.name, n.cols, n.rows);
	t->key = m->m.keep.key;
	if (t->key >= term.next_key)
		term.next_key = t->key + 1;
	t->ring = r;
	begin(t, take_fd(&m->fds[0]), take_fd(&m->fds[2]));
}

void tty_destroy(struct tty *t)
{
	struct msg_keep drop = { .head.type = MSG_DROP, .key = t->key };
	struct stream *s, *next;
	uint32_t veid = t->veid;

	for (s = term.streams; s; s = next) {
		next = s->next;
		if (s->tty == t)
			stream_end(s, TERM_CLOSE_GOING_AWAY, NULL);
	}
	for (struct tty **at = &term.ttys; *at; at = &(*at)->next) {
		if (*at != t)
			continue;
		*at = t->next;
		break;
	}
	if (t->key)
		msg_send(PART_SOCK, &drop, NULL, 0);
	source_close(&t->master);
	source_close(&t->status);
	ring_destroy(t->ring);
	screen_destroy(t->screen);
	buf_free(&t->input);
	free(t);
	tty_report(veid);
}

void tty_leave(struct tty *t, struct stream *s)
{
	if (t->pacer == s) {
		t->pacer = NULL;
		tty_pace(t);
	}
}

void tty_pace(struct tty *t)
{
	uint64_t behind = 0;

	if (t->master.fd < 0)
		return;
	/* acknowledgements behind input that waits cannot be heard: a shell
	 * that writes before it reads on would wait for ever */
	if (t->pacer && t->pacer->greeted && !t->pacer->held && !t->exited)
		behind = ring_hi(t->ring) - t->pacer->ack;
	if (behind > TERM_CREDIT_HIGH)
		t->paused = true;
	else if (behind < TERM_CREDIT_LOW)
		t->paused = false;
	want_master(t);
}

static void pump_all(struct tty *t)
{
	struct stream *s, *next;

	for (s = term.streams; s; s = next) {
		next = s->next;
		if (s->tty == t)
			stream_pump(s);
	}
}

/* The shell is gone and its last words are in the ring. */
static void over(struct tty *t)
{
	struct stream *s, *next;

	for (s = term.streams; s; s = next) {
		next = s->next;
		if (s->tty == t)
			stream_exit(s, t->exit_status);
	}
	tty_destroy(t);
}

static void write_input(struct tty *t)
{
	while (t->input.len && t->master.fd >= 0) {
		ssize_t r = write(t->master.fd, t->input.data, t->input.len);

		if (r <= 0)
			break;
		buf_shift(&t->input, (size_t)r);
	}
	if (!t->input.len)
		for (struct stream *s = term.streams; s; s = s->next)
			if (s->tty == t)
				stream_hold(s, false);
	want_master(t);
}

void tty_on_master(struct tty *t, uint32_t events)
{
	uint8_t chunk[32768];
	ssize_t n;

	if (events & EPOLLOUT) {
		write_input(t);
		if (!t->input.len)
			pump_all(t); /* those that were held up */
	}
	if (!(events & ~(uint32_t)EPOLLOUT))
		return;
	n = read(t->master.fd, chunk, sizeof(chunk));
	if (n > 0) {
		ring_put(t->ring, chunk, (size_t)n);
		if (t->screen)
			screen_feed(t->screen, chunk, (size_t)n);
		tty_pace(t);
		pump_all(t);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* the status follows */
	t->hung = true;
	source_want(&t->master, 0);
	if (t->exited)
		over(t);
}

void tty_on_status(struct tty *t)
{
	uint32_t status;
	ssize_t n = read(t->status.fd, &status, sizeof(status));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	t->exit_status = n == sizeof(status) && status <= 255 ? status : 255;
	t->exited = true;
	t->exit_at = term_now() + EXIT_WAIT_MS;
	source_want(&t->status, 0);
	if (t->hung)
		over(t);
	else
		tty_pace(t); /* what is left is read without credit */
}

/* That there was input: at once, then once a second.  @now is of a clock that
 * nobody sets back. */
static void tell_input(struct tty *t, int64_t now)
{
	if (!t->fresh || now < t->tell_at)
		return;
	t->fresh = false;
	t->tell_at = now + REPORT_MS;
	tty_report(t->veid);
}

void tty_input(struct tty *t, struct stream *s, const uint8_t *data, size_t n)
{
	if (t->pacer != s) {
		t->pacer = s;
		tty_pace(t);
	}
	buf_put(&t->input, data, n);
	write_input(t);
	if (t->input.len > INPUT_MAX) {
		stream_hold(s, true);
		tty_pace(t);
	}
	t->active = term_wall();
	t->fresh = true;
	tell_input(t, term_now());
}

static void resize(struct tty *t, int64_t now)
{
	if ((t->cols == t->wide && t->rows == t->high) ||
	    t->size_at - now > RESIZE_MS * RESIZE_BURST)
		return;
	t->size_at = (t->size_at > now ? t->size_at : now) + RESIZE_MS;
	t->cols = t->wide;
	t->rows = t->high;
	set_size(t);
	if (t->screen)
		screen_resize(t->screen, t->cols, t->rows);
	if (t->ring)
		keep(t);
}

void tty_resize(struct tty *t, uint16_t cols, uint16_t rows)
{
	ask_size(t, cols, rows);
	resize(t, term_now());
}

bool tty_is_due(const struct tty *t)
{
	return t->exited || t->cols != t->wide || t->rows != t->high;
}

void tty_tick(int64_t now)
{
	struct tty *t, *next;

	for (t = term.ttys; t; t = next) {
		next = t->next;
		tell_input(t, now);
		resize(t, now);
		if (t->exited && now >= t->exit_at)
			over(t);
	}
}
