/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_PRIV_H
#define VE_AGENT_PRIV_H

/*
 * [priv] The root part: the only one that touches the kernel's VE interface,
 * mounts and control groups.  It talks to api by the table of priv.c and to
 * nobody else; it opens no socket.
 */
#include "agent/cgroup.h"
#include "agent/conf.h"
#include "agent/libve/err.h"
#include "agent/msg.h"

enum watch_kind {
	WATCH_SUPERVISOR,
	WATCH_API,
	WATCH_VE,
	WATCH_PROC,
	WATCH_REFUSALS,
	WATCH_PACK,
};

struct watch {
	enum watch_kind kind;
	int fd;
};

struct priv_ve {
	struct watch watch; /* first: epoll hands it back */
	int cpu_fd;	    /* its CPU time, -1: not asked for yet */
	int disk_fd;	    /* its waits for a disk, the same */
	struct msg_entry last;
	struct addr ipv4; /* lent to it; family 0: none */
	struct addr ipv6; /* for life */
	bool egress;	  /* what it sends may leave the node */
	struct rate up, down; /* its bandwidth */
	bool shaped;	  /* there is a class for it */
	uint32_t epoch;
};

/* A process that was entered: its status is written to a pipe at its end. */
struct priv_proc {
	struct watch watch;
	struct priv_proc *next;
	int status_fd;
	uint64_t key; /* at the supervisor */
};

/* A block that the node may use until @until. */
struct priv_fence {
	struct priv_fence *next;
	struct cidr range;
	int64_t until; /* ms of CLOCK_BOOTTIME */
	uint64_t key;  /* at the supervisor */
};

/* A VE without identity, made ahead of its start. */
struct priv_held {
	int fd;
	uint32_t id_first;
	struct cgroup_fds group;
};

#define HELD_MAX 64

struct priv {
	const struct conf *conf;
	int ep;
	struct watch supervisor, api;
	struct priv_ve **ves; /* by veid */
	unsigned nves, room;
	struct priv_proc *procs;
	struct priv_fence *fences;
	struct priv_pack *packs; /* under way, in the order they were asked for */
	uint64_t next_key; /* of processes and fences */
	uint32_t abi; /* of the kernel, 0: none */
	struct priv_held held[HELD_MAX];
	unsigned nheld;
	uint32_t next_slot; /* where to look for a free one */
	int64_t held_due;   /* when to make the next: ms of CLOCK_BOOTTIME */
	struct watch refusals; /* fd < 0: this kernel counts nothing */
	bool listening;	       /* to them */
	int64_t refusals_since; /* second in which ... */
	unsigned refusals_read; /* ... so many were read */
	bool io_on;	       /* the disk's time is shared by weight */
	int sweeper; /* pid of the process that deletes trees, 0: none */
	int64_t sweep_due; /* ms of CLOCK_BOOTTIME */
};

/* priv.c */
int priv_watch(struct priv *p, struct watch *w, uint32_t events);
void priv_unwatch(struct priv *p, struct watch *w); /* closes it too */
void priv_tell(struct priv *p, const void *m, const int *fds, unsigned nfds);

/* The answer to request @id. */
void priv_done(struct priv *p, uint32_t id, int code, const struct err *e);

/* priv_pack.c: private trees packed and unpacked. */
void answer_pack(struct priv *p, const struct msg *m);
void priv_pack_event(struct priv *p, struct priv_pack *k);
bool priv_pack_busy(const struct priv *p, uint32_t veid);
void priv_pack_orphan(struct priv *p); /* who asked is gone */

/* priv_ve.c: adopt what the kernel has; what the table calls. */
void priv_adopt(struct priv *p);
struct priv_ve *priv_find(const struct priv *p, uint32_t veid);
/* Where the first above @after stands in ves, nves at the end. */
unsigned priv_above(const struct priv *p, uint32_t after);
void priv_ve_event(struct priv *p, struct priv_ve *v);
int answer_start(struct priv *p, const struct msg *m, struct err *e);
int answer_stop(struct priv *p, const struct msg *m, struct err *e);
int answer_erase(struct priv *p, const struct msg *m, struct err *e);

/* priv_limit.c: what a VE may use, what it uses, what it was refused. */
int answer_limits(struct priv *p, const struct msg *m, struct err *e);
void answer_usage(struct priv *p, const struct msg *m);
/* What the kernel bounds, for a held VE too. */
int priv_limit_set(struct priv *p, int fd, uint32_t id_first,
		   const struct limits *l, struct err *e);
void priv_limit_io(struct priv *p, const struct cgroup_fds *g,
		   const struct limits *l);
/* What is to be remembered of them. */
void priv_limit_keep(struct priv *p, struct priv_ve *v, const struct limits *l);
uint64_t priv_limit_swap(struct priv *p, const struct priv_ve *v); /* bytes */
/* A class of bandwidth for an active VE, none for another. */
int priv_shape(struct priv_ve *v, struct err *e);
void priv_limit_adopt(struct priv *p); /* classes that are there */
void priv_refusals_open(struct priv *p);
void priv_refusals_listen(struct priv *p, bool listen);
void priv_refusals_event(struct priv *p);
int priv_refusals_due(struct priv *p, int most); /* ms until the next look */

/* priv_idle.c: sleep, and what speaks against it. */
int answer_freeze(struct priv *p, const struct msg *m, struct err *e);
void answer_activity(struct priv *p, const struct msg *m);

/* priv_held.c: VEs made ahead.  They die with us and are made anew. */
/* One of them, or one made now (in ids of @slot when nobody has these); its
 * descriptor or -errno with words. */
int priv_held_take(struct priv *p, uint32_t slot, struct priv_held *h,
		   struct err *e);
void priv_held_give(struct priv *p, struct priv_held *h); /* back, unused */
void priv_held_close(struct priv_held *h);
#define PRIV_HELD_NONE { .fd = -1, .group = { -1, -1, -1 } }
#define _held_ __attribute__((cleanup(priv_held_close)))
/* Whether one should be made now, when there is nothing else to do. */
bool priv_held_wanted(const struct priv *p);
void priv_held_make(struct priv *p);
void priv_held_tell(struct priv *p);
/* Whether a VE, held or started, has the ids from @id_first on. */
bool priv_held_used(const void *priv, uint32_t id_first);

/* priv_addr.c: addresses and how long they may stand. */
int64_t priv_now(void); /* ms of CLOCK_BOOTTIME */
int answer_addr(struct priv *p, const struct msg *m, struct err *e);
int answer_fence(struct priv *p, const struct msg *m, struct err *e);
/* Take out what may stand no longer; ms until the next, at most @most. */
int priv_fence_due(struct priv *p, int most);
void priv_addr_egress(struct priv *p, struct priv_ve *v, bool may);
void priv_addr_life(struct priv *p, struct priv_ve *v, const struct addr *a);
void priv_addr_forget(struct priv *p, struct priv_ve *v); /* it ended */
void priv_addr_kept(struct priv *p, const struct msg_keep *k);

/* priv_proc.c: answer with descriptors in @fds; the number of them or -errno. */
int answer_tty(struct priv *p, const struct msg *m, int *fds, struct err *e);
int answer_port(struct priv *p, const struct msg *m, int *fds, struct err *e);
int answer_exec(struct priv *p, const struct msg *m, int *fds, struct err *e);
void priv_proc_event(struct priv *p, struct priv_proc *proc);
void priv_proc_kept(struct priv *p, struct msg *m);

#endif
