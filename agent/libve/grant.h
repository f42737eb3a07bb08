/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_GRANT_H
#define VE_LIBVE_GRANT_H

/*
 * A grant: leave to open one stream (a terminal, a port), made by the database for a live
 * session or a known key and checked by the node's agent:
 * base64url(payload) "." base64url(HMAC-SHA256(key of the node, payload)).
 */
#include <stddef.h>
#include <stdint.h>

#include "agent/libve/buf.h"
#include "agent/libve/err.h"

#define GRANT_KEY 32	  /* bytes of a node's key */
#define GRANT_MAX 1024	  /* longest text that is looked at */
#define GRANT_AHEAD 120	  /* seconds that an expiry may lie ahead */

enum grant_kind { /* the first two are enum term_kind */
	GRANT_TTY,
	GRANT_EXEC,
	GRANT_PORT,
};

struct grant {
	uint32_t veid;
	uint8_t kind;	/* enum grant_kind */
	uint16_t port;	/* GRANT_PORT: which */
	int64_t exp;	/* Unix seconds */
	char node[64];
	char sub[128];	/* "s:<session>" or "k:<key>": for the journal */
	char nonce[33]; /* 32 hex digits; the checker accepts each once */
};

/* 64 hex digits (white space around them is skipped) to a key.  0, -EINVAL. */
int grant_key_parse(uint8_t key[static GRANT_KEY], const char *text);

/* Append the text of @g to @out. */
void grant_make(struct buf *out, const struct grant *g,
		const uint8_t key[static GRANT_KEY]);

/*
 * Check form, authenticity and that @now (Unix seconds) is at most exp and exp
 * at most @now + GRANT_AHEAD.  Whether node, veid, kind and nonce fit is the
 * caller's to ask.  0, -EACCES with the reason in @e.
 */
int grant_verify(struct grant *g, const char *text,
		 const uint8_t key[static GRANT_KEY], int64_t now,
		 struct err *e);

/* base64url without padding (RFC 4648 section 5): append to @out. */
void base64url_put(struct buf *out, const void *data, size_t n);

/*
 * Decode @n characters at @text into @out of @size bytes.  Length, or -EINVAL
 * for a foreign character, an impossible length or one too long.  With
 * @standard the alphabet is the common one (+ and /, '=' at the end allowed).
 */
int base64_decode(void *out, size_t size, const char *text, size_t n,
		  int standard);

#endif
