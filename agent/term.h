/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_TERM_H
#define VE_AGENT_TERM_H

/*
 * [term] Terminals and the streams that look at them.  One thread, one epoll
 * loop, one event at a time.  A tty lives as long as its shell; a stream as
 * long as its client's connection.
 */
#include <stdbool.h>
#include <stdint.h>

#include "agent/conf.h"
#include "agent/libve/buf.h"
#include "agent/libve/wire.h"
#include "agent/libve/ws.h"
#include "agent/msg.h"
#include "agent/ring.h"
#include "agent/screen.h"

enum source_kind {
	SOURCE_SUPERVISOR,
	SOURCE_API,
	SOURCE_STREAM,
	SOURCE_MASTER,	/* of a tty */
	SOURCE_STATUS,	/* of a tty */
	SOURCE_EXEC,	/* any of an exec's descriptors */
};

struct source {
	enum source_kind kind;
	int fd;
	uint32_t events; /* that epoll knows */
	void *owner;
};

struct tty;
struct exec;

struct stream {
	struct stream *next;
	struct source source;
	struct ws *ws;
	uint32_t veid;
	struct tty *tty;   /* one of the two, or none when being refused */
	struct exec *exec;
	bool greeted;	   /* HELLO was sent */
	bool held;	   /* its input waits, and what stands behind it */
	uint64_t from;	   /* as the client asked, until HELLO */
	uint64_t seq, ack; /* next byte to send, last acknowledged */
	int64_t heard;	   /* when the client said something at last */
	int64_t deadline;  /* when a closing stream is dropped, 0: not closing */
	size_t turn;	   /* bytes that it may still say in this one */
	size_t extra_at, nextra;
	uint8_t *extra;	   /* bytes read before the handover */
};

struct tty {
	struct tty *next;
	uint32_t veid;
	char name[MSG_NAME];
	uint64_t key;	    /* at the supervisor */
	uint16_t cols, rows;
	uint16_t wide, high; /* as was asked for at last */
	int64_t size_at;    /* when its changes of size are paid for, monotonic ms */
	struct source master, status; /* fd -1 until opened */
	struct ring *ring;
	struct screen *screen;
	struct buf input;   /* for the master, when it does not take it */
	struct stream *pacer; /* the latest typist (or comer) */
	bool paused;	    /* by the pacer's credit */
	bool hung;	    /* nobody has the other side open */
	bool exited;
	uint32_t exit_status;
	int64_t exit_at;    /* when to stop waiting for more output */
	int64_t active;	    /* wall ms of the last input */
	bool fresh;	    /* api has not been told of it */
	int64_t tell_at;    /* not before then, monotonic ms */
};

struct exec {
	struct stream *stream;
	struct source in, out, err, status; /* fd -1 when closed */
	struct buf input;
	bool input_ended;
	bool exited;
	uint32_t exit_status;
};

struct term {
	const struct conf *conf;
	int ep;
	struct source supervisor, api;
	struct stream *streams;
	unsigned nstreams;
	struct tty *ttys;
	uint64_t next_key;
};

extern struct term term; /* one a process */

/* term.c */
void source_want(struct source *s, uint32_t events);
void source_close(struct source *s);
void term_tell(const void *m);
int64_t term_now(void); /* ms, monotonic */
int64_t term_wall(void);

/* tty.c */
struct tty *tty_find(uint32_t veid, const char *name);
struct tty *tty_need(uint32_t veid, const char *name, uint16_t cols,
		     uint16_t rows); /* NULL: too many */
void tty_opened(struct tty *t, int master, int status);
void tty_destroy(struct tty *t);
struct screen *tty_screen(struct tty *t); /* what it shows now */
void tty_kept(struct msg *m);
void tty_ask_again(void); /* api is new: what is still needed */
void tty_on_master(struct tty *t, uint32_t events);
void tty_on_status(struct tty *t);
void tty_input(struct tty *t, struct stream *s, const uint8_t *data, size_t n);
void tty_resize(struct tty *t, uint16_t cols, uint16_t rows);
/* A credit or a client changed: may the master be read? */
void tty_pace(struct tty *t);
void tty_leave(struct tty *t, struct stream *s);
void tty_tick(int64_t now);
bool tty_is_due(const struct tty *t); /* wants ticks at once */
void tty_report(uint32_t veid);

/* stream.c: takes @fd */
struct stream *stream_new(uint32_t veid, int fd, const uint8_t *extra,
			  size_t n);
void stream_attach(struct stream *s, struct tty *t, uint64_t from);
void stream_greet(struct stream *s);
/* Send what credit and ring allow; may end the stream. */
void stream_pump(struct stream *s);
/* Take nothing from its client, or go on. */
void stream_hold(struct stream *s, bool held);
void stream_send(struct stream *s, const struct term_msg *m);
void stream_exit(struct stream *s, uint32_t status);
void stream_end(struct stream *s, uint16_t code, const char *why);
void stream_tick(int64_t now);

/* exec.c */
void exec_start(struct stream *s, int *fds);
void exec_on_event(struct exec *x, struct source *s);
void exec_input(struct exec *x, const uint8_t *data, size_t n);
void exec_end_input(struct exec *x);
/* The client's line changed: what to wait for. */
void exec_pace(struct exec *x);
void exec_settle(struct exec *x);
void exec_destroy(struct exec *x);

#endif
