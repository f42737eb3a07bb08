/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_TOKEN_H
#define VE_PORTAL_TOKEN_H

/*
 * The random words that prove something: session cookies, visitors' cookies,
 * terminal tickets; and the CSRF token, which is derived from the cookie that a
 * browser sends by itself, and which another site can neither read nor set
 * ("__Host-").
 */
#include <stdbool.h>
#include <stdint.h>

#define TOKEN_TEXT 44 /* 32 bytes as base64url, with the NUL */
#define TOKEN_HASH 32

/* A fresh random token; ends the process when there is no randomness. */
void token_make(char out[static TOKEN_TEXT]);

/* Whether @s has the form of one. */
bool token_is_valid(const char *s);

/* What the database keeps instead. */
void token_hash(uint8_t out[static TOKEN_HASH], const char *token);

/* The CSRF token that goes with the cookie @token. */
void token_csrf(char out[static TOKEN_TEXT], const char *token);

/* Equality in constant time; false when lengths differ. */
bool token_equal(const char *a, const char *b);

#endif
