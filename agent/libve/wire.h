/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_WIRE_H
#define VE_LIBVE_WIRE_H

/*
 * ve-term.v1: the messages of a terminal stream, one a binary WebSocket
 * message, big endian, the first byte is the type.  The same on both hops
 * (browser to portal, portal to agent).
 */
#include <stddef.h>
#include <stdint.h>

#include "agent/libve/buf.h"

#define TERM_PROTOCOL "ve-term.v1"
#define PORT_PROTOCOL "ve-port.v1" /* raw bytes to a port of a VE */
#define TERM_DATA_MAX 65536		    /* payload bytes of one message */
#define TERM_MSG_MAX (TERM_DATA_MAX + 16)   /* a whole message */
#define TERM_NAME_MAX 32		    /* of a terminal, without the NUL */
#define TERM_CREDIT_HIGH (128 * 1024)	    /* unacknowledged: stop reading */
#define TERM_CREDIT_LOW (32 * 1024)	    /* ... and go on below this */
#define TERM_ACK_EVERY (32 * 1024)	    /* a client acknowledges as often */
#define TERM_SIZE_MAX 1000		    /* columns and rows, 1 is the least */

enum term_type {
	/* server to client */
	TERM_HELLO = 1,	   /* version, kind, seq_lo, seq_hi, cols, rows, data = name */
	TERM_DATA = 2,	   /* seq of the first byte, data */
	TERM_SNAPSHOT = 3, /* seq of the next byte, data = repaint of the screen;
			    * a long one goes on in DATA */
	TERM_STDERR = 4,   /* data */
	TERM_EXIT = 5,	   /* status */
	TERM_NOTICE = 6,   /* code, seconds, data = text */
	TERM_PONG = 7,	   /* stamp */
	/* client to server */
	TERM_AUTH = 16,	   /* data = ticket; browser to portal only */
	TERM_INPUT = 17,   /* data */
	TERM_RESIZE = 18,  /* cols, rows */
	TERM_ACK = 19,	   /* seq */
	TERM_PING = 20,	   /* stamp */
	TERM_EOF = 21,
};

enum term_kind {
	TERM_TTY = 0,
	TERM_EXEC = 1,
};

/* Codes of TERM_NOTICE. */
enum term_notice {
	TERM_NOTICE_IDLE = 1, /* the VE goes to sleep in so many seconds */
	TERM_NOTICE_LEASE = 2, /* its address went to who waited */
};

/* Close codes of the WebSocket. */
enum term_close {
	TERM_CLOSE_GOING_AWAY = 1001,
	TERM_CLOSE_TOO_BIG = 1009,
	TERM_CLOSE_SESSION = 4401,
	TERM_CLOSE_SUSPENDED = 4403,
	TERM_CLOSE_NO_VE = 4404,
	TERM_CLOSE_AUTH_TIMEOUT = 4408,
	TERM_CLOSE_REFUSED = 4409,
	TERM_CLOSE_TOO_MANY = 4429,
};

enum term_from {
	TERM_FROM_SERVER,
	TERM_FROM_CLIENT,
};

/* A message taken apart; @data points into the bytes that were decoded. */
struct term_msg {
	uint8_t type;
	uint8_t version;	/* HELLO */
	uint8_t kind;		/* HELLO: enum term_kind */
	uint16_t cols, rows;	/* HELLO, RESIZE: 1..TERM_SIZE_MAX */
	uint16_t code;		/* NOTICE */
	uint32_t seconds;	/* NOTICE */
	uint32_t status;	/* EXIT: 0..255, 128 + signal */
	uint64_t seq;		/* DATA, SNAPSHOT, ACK; HELLO: seq_lo */
	uint64_t seq_hi;	/* HELLO */
	uint64_t stamp;		/* PING, PONG */
	const uint8_t *data;
	size_t len;
};

/*
 * Take @n bytes at @p apart.  0; -EBADMSG for a type that @from may not send,
 * a wrong length or a value out of range; -EMSGSIZE when too long.
 */
int term_decode(struct term_msg *m, enum term_from from, const void *p,
		size_t n);

/* Append the message to @out.  @m->len is at most TERM_DATA_MAX. */
void term_encode(struct buf *out, const struct term_msg *m);

#endif
