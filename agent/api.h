/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_API_H
#define VE_AGENT_API_H

/*
 * [api] The part that strangers reach: TLS, HTTP, the node's state.  Threads:
 * the TLS front, libmicrohttpd's loop, the lines to the other parts (link.c),
 * the workers (op.c, open.c) and the clock (clock.c).  All state is behind
 * state_lock(); nobody asks priv while holding it.
 */
#include <sqlite3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "agent/conf.h"
#include "agent/idle.h"
#include "agent/libve/grant.h"
#include "agent/msg.h"
#include "agent/ve.h"

struct api {
	const struct conf *conf;
	sqlite3 *db;
	uint8_t grant_key[GRANT_KEY];
	char boot_id[40];
	int meminfo_fd; /* /proc/meminfo, opened before the chroot */
	int64_t memory;
	int cpus;
	int abi;
	struct msg_templates templates;
	atomic_bool ready; /* adopted what runs */
	atomic_uint held;  /* VEs that priv has made ahead */
};

extern struct api api; /* one a process */

/* ---- link.c: lines to the supervisor, priv and term ---- */

/* Start the thread; the first links arrive by it. */
void link_start(void);

/*
 * Ask priv and wait for the answer.  0 and the answer in @reply (its
 * descriptors are the caller's), or the -errno that priv answered with words in
 * @e; -EPIPE when priv died meanwhile, -ETIMEDOUT.  Never with the lock held.
 * What a list (MSG_LIST) says of VEs is written down by then.
 */
int ask(void *request, struct msg *reply, struct err *e);

/* The same in two steps, so that many questions are on their way at once; each
 * that was begun must be ended, whatever becomes of it. */
struct asking {
	struct asking *next;
	pthread_cond_t answered;
	struct timespec until;
	struct msg *reply;
	uint32_t id;
	int result; /* 1: none yet */
};

void ask_begin(struct asking *a, void *request, struct msg *reply);
int ask_end(struct asking *a, struct err *e);

/* Changes when priv is another process than before. */
unsigned link_generation(void);

/* Send to term; false when it is not there now. */
bool tell_term(const void *m, const int *fds, unsigned nfds);

/* ---- op.c: operations ---- */

enum op_state {
	OP_QUEUED,
	OP_RUNNING,
	OP_SUCCEEDED,
	OP_FAILED,
};

void op_start_workers(void);

/*
 * Queue an operation on @v; its id, or -EBUSY when another is under way (its id
 * in @other).  With the lock held.  kind: start stop restart reinstall suspend
 * unsuspend apply destroy.
 */
int64_t op_queue(const struct ve *v, const char *kind, int64_t *other);

/* Show one as JSON; false when there is none.  With the lock held. */
bool op_show(int64_t id, struct buf *out);
/* Whether it has ended (or does not exist).  With the lock held. */
bool op_ended(int64_t id);

/* What priv reported about VEs, in the order it did.  Takes the lock. */
void op_on_states(const struct msg_entry *e, unsigned n);

/* Adopt what runs, then queue what the desired state asks for.  Takes the
 * lock; asks priv. */
void op_reconcile(void);

/* ---- open.c: terminals ---- */

struct opening {
	uint32_t veid;
	uint8_t kind;	 /* enum term_kind */
	uint16_t cols, rows;
	uint64_t from;
	char name[MSG_NAME];
	char command[MSG_COMMAND];
	int fd;		 /* the client's socket, handed over; -1 without one */
	uint32_t nextra;
	uint8_t extra[MSG_EXTRA];
};

void open_start_workers(void);

/* Queue: the VE is woken when it must be, then term gets the socket.  Takes
 * ownership of @o (heap). */
void open_queue(struct opening *o);

/* Somebody is there: that is activity, and wakes a VE that sleeps.  With the
 * lock held. */
void open_visited(const struct ve *v, enum idle_why why);

/* See that the VE runs: 0 and the row, or the close code (enum term_close). */
uint32_t open_wake(uint32_t veid, struct ve *v);

/* term needs a terminal: have it made. */
void open_needed(const struct msg_terminal *m);

/* Somebody wants one to exist (MSG_NEED): term asks for it when it does not. */
void open_wanted(const struct msg_terminal *m);

/* ---- clock.c: leases and what else happens by time ---- */

void clock_start(void);
/* Something changed that the clock should look at now. */
void clock_poke(void);

/* ---- http.c, sse.c: resume connections that wait ---- */
void http_load(void);  /* certificate and key, while their files are in reach */
void http_start(void); /* threads: after the sandbox */
/* What requests wait for. */
#define TOPIC_EVENT 0ull
#define TOPIC_VE (1ull << 32)	/* | veid: its row, its usage, its ports */
#define TOPIC_OP (2ull << 32)	/* + id: its end */
/* Whoever waits for it looks again.  With any lock but http's own. */
void http_wake(uint64_t topic);
/* Whoever waited long enough looks again. */
void http_wake_due(int64_t now);

#endif
