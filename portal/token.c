// SPDX-License-Identifier: Apache-2.0
#include "portal/token.h"

#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "agent/libve/grant.h"
#include "agent/libve/log.h"

static void print(char out[static TOKEN_TEXT], const uint8_t bytes[static 32])
{
	_buf_ struct buf text = { 0 };

	base64url_put(&text, bytes, 32);
	memcpy(out, text.data, TOKEN_TEXT);
}

void token_make(char out[static TOKEN_TEXT])
{
	uint8_t bytes[32];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		fatal("no randomness");
	print(out, bytes);
}

bool token_is_valid(const char *s)
{
	return strlen(s) == TOKEN_TEXT - 1 &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			 "0123456789-_") == TOKEN_TEXT - 1;
}

void token_hash(uint8_t out[static TOKEN_HASH], const char *token)
{
	SHA256((const unsigned char *)token, strlen(token), out);
}

void token_csrf(char out[static TOKEN_TEXT], const char *token)
{
	_buf_ struct buf text = { 0 };
	uint8_t hash[TOKEN_HASH];

	buf_printf(&text, "csrf %s", token);
	token_hash(hash, text.data);
	print(out, hash);
}

bool token_equal(const char *a, const char *b)
{
	size_t n = strlen(a);

	return n == strlen(b) && !CRYPTO_memcmp(a, b, n);
}
