/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_MSG_H
#define VE_AGENT_MSG_H

/*
 * Messages between the parts of ve-agentd: fixed structs, one a packet of a
 * SOCK_SEQPACKET pair, descriptors beside them.  msg_recv() lets only those
 * through whose type, length and number of descriptors stand in the table of
 * msg.c and whose strings end; what the values mean is for the receiver to
 * check again (priv trusts nobody).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/bean.h"
#include "agent/libve/addr.h"

#define MSG_FDS 6
#define MSG_NAME 33	  /* template, terminal */
#define MSG_HOST 65
#define MSG_TEXT 200
#define MSG_COMMAND 8193
#define MSG_EXTRA 4096	  /* bytes that a client sent behind its request */
#define MSG_ENTRIES 64
#define MSG_TEMPLATES 16
#define MSG_REFUSALS 32
#define MSG_BLOB 160

enum msg_type {
	/* supervisor to part, and back */
	MSG_LINK = 1,	/* a descriptor: what says which */
	MSG_KEEP,	/* hold these for me, under this key */
	MSG_DROP,	/* let go of that key */
	MSG_KEPT,	/* what you gave me in an earlier life */
	MSG_KEPT_END,	/* ... that was all */
	MSG_CERTS,	/* files of certificate, key, authority: use them */
	/* api to priv; each is answered by MSG_DONE or what is named */
	MSG_LIST,	/* MSG_ENTRIES_IS */
	MSG_TEMPLATES_ASK, /* MSG_TEMPLATES_ARE */
	MSG_START,
	MSG_STOP,
	MSG_ERASE,
	MSG_PACK,	/* the private tree into its pack, or out of it */
	MSG_ADDR,
	MSG_FENCE,
	MSG_LIMITS,
	MSG_TTY,	/* DONE with master, status */
	MSG_EXEC,	/* DONE with stdin, stdout, stderr, status */
	MSG_PORT,	/* DONE with a socket to port arg, still connecting */
	MSG_FREEZE,	/* arg 1 freezes and gives memory back, 0 thaws */
	MSG_ACTIVITY,	/* ACTIVITIES of the VEs behind veid */
	MSG_USAGE,	/* USAGE_IS of one */
	/* priv to api */
	MSG_DONE,
	MSG_ENTRIES_IS,
	MSG_TEMPLATES_ARE,
	MSG_ACTIVITIES,
	MSG_STATE,	/* not asked for: a VE changed its state */
	MSG_USAGE_IS,
	MSG_HELD,	/* not asked for: arg VEs are ready to be started */
	MSG_REFUSED,	/* not asked for: what the kernel refused VEs */
	/* api to term */
	MSG_ATTACH,	/* a client's socket for a terminal */
	MSG_OPENED,	/* master, status of a terminal that was needed */
	MSG_NOT_OPENED, /* it cannot be: close the clients with this code */
	MSG_RUN,	/* a client's socket and stdin, stdout, stderr, status */
	MSG_REFUSE,	/* a client's socket to be closed with this code */
	MSG_CLOSE,	/* every stream of a VE, with this code */
	MSG_NOTICE,	/* words for every terminal stream of a VE */
	/* term to api */
	MSG_NEED,	/* a terminal that does not exist yet */
	MSG_COUNT,	/* terminals of a VE, and when it was last typed in */
};

enum msg_link {
	LINK_LISTEN, /* TCP, to api */
	LINK_CTL,    /* Unix, to api */
	LINK_API,    /* to priv and term */
	LINK_PRIV,   /* to api */
	LINK_TERM,   /* to api */
};

struct msg_head {
	uint32_t type;
	uint32_t id; /* of a request, repeated in its answer */
};

struct msg_link_is {
	struct msg_head head;
	uint32_t what; /* enum msg_link */
	uint32_t pad;
};

struct msg_keep {
	struct msg_head head;
	uint64_t key;
	uint8_t blob[MSG_BLOB]; /* the part's own notes, given back as they are */
};

/* Every request about one VE begins like this. */
struct msg_ve {
	struct msg_head head;
	uint32_t veid;
	uint32_t arg; /* MSG_STOP: 0 asks init, 1 kills; MSG_LIST: after (veid) */
};

struct msg_pack {
	struct msg_head head;
	uint32_t veid;
	uint32_t pack; /* 1: into it, 0: out of it */
	uint64_t disk; /* bytes that the tree may have, 0: no limit */
};

/* Bytes a second; 0 and 0: no bound. */
struct rate {
	uint64_t rate; /* always to be had */
	uint64_t ceil; /* not below it: with what others leave idle */
};

/* Without holes: compared as it lies. */
struct limits {
	uint64_t memory;     /* bytes */
	uint64_t disk;	     /* bytes, 0: no limit */
	struct rate up, down; /* from the VE, to it */
	struct beans beans;  /* else without a bound; two follow from others */
	uint32_t processes;
	uint32_t cpu_weight; /* 1..10000 */
	uint32_t cpu_cap;    /* percent of one CPU, 0: none */
	uint32_t cpus;	     /* that it sees, 0: all */
	uint32_t io_weight;  /* 1..10000, 0: as every VE's */
	uint32_t flow_rate;  /* new flows a second, 0: no bound */
	uint32_t flow_burst;
	uint32_t egress;     /* 1: may send out of the node, 0: may not */
};

struct msg_start {
	struct msg_head head;
	uint32_t veid;
	uint32_t slot;
	struct limits limits;
	struct addr ipv6; /* family 0: none */
	char template[MSG_NAME];
	char hostname[MSG_HOST];
};

struct msg_addr {
	struct msg_head head;
	uint32_t veid;
	uint32_t add; /* 1 adds, 0 takes away */
	uint32_t epoch;
	struct addr addr;
};

/* Addresses of @range may stand in the kernel's table until @until (ms of
 * CLOCK_BOOTTIME); priv takes them out by itself then, whatever becomes of api. */
struct msg_fence {
	struct msg_head head;
	struct cidr range;
	int64_t until;
};

struct msg_limits {
	struct msg_head head;
	uint32_t veid;
	uint32_t pad;
	struct limits limits;
};

struct msg_tty {
	struct msg_head head;
	uint32_t veid;
	uint16_t cols, rows;
	char template[MSG_NAME];
	char command[MSG_COMMAND]; /* "": the login shell */
};

struct msg_exec {
	struct msg_head head;
	uint32_t veid;
	char template[MSG_NAME];
	char command[MSG_COMMAND]; /* "": the login shell */
};

struct msg_done {
	struct msg_head head;
	int32_t code;	     /* 0 or -errno */
	char text[MSG_TEXT]; /* why not */
};

/* State of a VE as the kernel has it. */
struct msg_entry {
	uint32_t veid;
	uint32_t state;	      /* enum env_state of the kernel */
	uint32_t id_first;
	uint32_t exit_status; /* as wait(2) has it */
	uint32_t halt;	      /* enum env_halt */
	uint32_t exec_error;
};

struct msg_entries {
	struct msg_head head;
	uint32_t nr;
	uint32_t more; /* 1: ask again after the last veid */
	uint32_t abi;  /* version of the kernel's interface, 0: it has none */
	uint32_t pad;
	struct msg_entry entries[MSG_ENTRIES];
};

struct msg_state {
	struct msg_head head;
	struct msg_entry entry;
};

/* What keeps a VE awake, as the kernel has it; times are ms of CLOCK_BOOTTIME. */
struct msg_activity {
	uint32_t veid;
	uint16_t port;	   /* of the VE's, 0: none */
	uint8_t protocol;  /* IPPROTO_* */
	uint8_t pad;
	int64_t cpu_ms;	   /* used so far */
	int64_t disk_ms;   /* waited for a disk so far */
	int64_t last_rx;   /* a socket took a packet, 0: never */
	struct addr peer;  /* whose that was */
};

struct msg_activities {
	struct msg_head head;
	uint32_t nr;
	uint32_t more; /* 1: ask again after the last veid */
	struct msg_activity entries[MSG_ENTRIES];
};

/* Seen from the VE. */
struct traffic {
	uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes;
	uint64_t tx6_packets, tx6_bytes, rx6_packets, rx6_bytes; /* of them */
	uint64_t tx_dropped, rx_dropped, spoofed;
	uint64_t flows_braked, packets_braked;
};

struct msg_usage {
	struct msg_head head;
	uint32_t veid;
	uint32_t counted; /* 1: @beans are what the kernel counts */
	struct bean_stat beans[BEANS];
	struct traffic net;
};

/* One refusal, or several of a kind. */
struct msg_refusal {
	int64_t time; /* ms of CLOCK_BOOTTIME */
	uint64_t held, barrier, limit;
	uint64_t refused; /* how many it stands for */
	uint32_t veid, resource;
	uint32_t lost; /* events that were lost before this one */
	uint32_t pid;  /* inside, 0: no program's doing */
	char program[16];
};

struct msg_refusals {
	struct msg_head head;
	uint32_t nr;
	uint32_t pad;
	struct msg_refusal entries[MSG_REFUSALS];
};

struct msg_template {
	uint64_t bytes;
	char name[MSG_NAME];
	char digest[81];
};

struct msg_templates {
	struct msg_head head;
	uint32_t nr;
	struct msg_template templates[MSG_TEMPLATES];
};

struct msg_attach {
	struct msg_head head;
	uint32_t veid;
	uint16_t cols, rows;
	uint64_t from;	/* UINT64_MAX: from now on, with a snapshot */
	uint32_t nextra;
	char name[MSG_NAME];
	uint8_t extra[MSG_EXTRA];
};

struct msg_terminal {
	struct msg_head head;
	uint32_t veid;
	uint16_t cols, rows;
	uint32_t close; /* MSG_NOT_OPENED, MSG_CLOSE, MSG_REFUSE: code */
	char name[MSG_NAME];
};

struct msg_notice {
	struct msg_head head;
	uint32_t veid;
	uint32_t seconds;
	uint32_t code; /* enum term_notice */
	char text[MSG_TEXT];
};

struct msg_count {
	struct msg_head head;
	uint32_t veid;
	uint32_t terminals;
	int64_t active_ms; /* CLOCK_REALTIME of the last input, 0: never */
};

union msg_any {
	struct msg_head head;
	struct msg_link_is link;
	struct msg_keep keep;
	struct msg_ve ve;
	struct msg_pack pack;
	struct msg_start start;
	struct msg_addr addr;
	struct msg_fence fence;
	struct msg_limits limits;
	struct msg_tty tty;
	struct msg_exec exec;
	struct msg_done done;
	struct msg_entries entries;
	struct msg_state state;
	struct msg_templates templates;
	struct msg_attach attach;
	struct msg_terminal terminal;
	struct msg_count count;
	struct msg_activities activities;
	struct msg_notice notice;
	struct msg_usage usage;
	struct msg_refusals refusals;
};

struct msg {
	union msg_any m;
	int fds[MSG_FDS]; /* of the receiver until taken (take_fd) */
	unsigned nfds;
};

/*
 * Send one message of the table; its length follows from m->head.type.  The
 * descriptors stay the caller's.  0, -EAGAIN when the queue is full (on a
 * non-blocking socket), or -errno.
 */
int msg_send(int sock, const void *m, const int *fds, unsigned nfds);

/*
 * Receive one.  0; -EAGAIN; -EPIPE at the end; -EBADMSG for what the table does
 * not know (its descriptors are closed).  Release with msg_fini().
 */
int msg_recv(int sock, struct msg *m);
/* The same, but -EAGAIN when nothing is there yet. */
int msg_recv_now(int sock, struct msg *m);
void msg_fini(struct msg *m);
#define _msg_ __attribute__((cleanup(msg_fini)))

/* Form of a message of @n bytes: 0 or -EBADMSG.  For msg_recv and tests. */
int msg_check(const union msg_any *m, size_t n, unsigned nfds);

/* Length of a message of that type, 0 when there is none. */
size_t msg_size(uint32_t type);

#endif
