// SPDX-License-Identifier: Apache-2.0
#include "portal/sshkey.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "agent/libve/grant.h"
#include "portal/fault.h"
#include "portal/utf8.h"

#define RSA_BYTES_MIN 256 /* 2048 bits */

static const char *const kinds[] = {
	"ssh-ed25519",
	"ecdsa-sha2-nistp256",
	"ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521",
	"ssh-rsa",
	"sk-ssh-ed25519@openssh.com",
	"sk-ecdsa-sha2-nistp256@openssh.com",
};

static int bad(struct err *e, const char *why)
{
	return err_set(e, fault_code(FAULT_FIELD), "%s", why);
}

static int known_kind(const char *kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i], kind))
			return 1;
	return 0;
}

/* The next length-prefixed string of a blob: its length, -1 past the end. */
static long next_string(const uint8_t **p, const uint8_t *end)
{
	uint32_t n;

	if (end - *p < 4)
		return -1;
	n = (uint32_t)(*p)[0] << 24 | (uint32_t)(*p)[1] << 16 |
	    (uint32_t)(*p)[2] << 8 | (*p)[3];
	*p += 4;
	return n <= (size_t)(end - *p) ? (long)n : -1;
}

static int check_blob(const struct sshkey *k, const uint8_t *data, size_t n,
		      struct err *e)
{
	const uint8_t *p = data, *end = data + n;
	long len = next_string(&p, end);

	if (len != (long)strlen(k->kind) ||
	    memcmp(p, k->kind, (size_t)len) != 0)
		return bad(e, "this is not a public ssh key of its kind");
	p += len;
	if (strcmp(k->kind, "ssh-rsa") != 0)
		return next_string(&p, end) > 0
			       ? 0
			       : bad(e, "the ssh key is cut short");
	len = next_string(&p, end);
	if (len < 0)
		return bad(e, "the ssh key is cut short");
	p += len;
	return next_string(&p, end) > RSA_BYTES_MIN
		       ? 0
		       : bad(e, "an RSA key needs at least 2048 bits");
}

static void set_fingerprint(struct sshkey *k, const uint8_t *data, size_t n)
{
	unsigned char hash[SHA256_DIGEST_LENGTH], text[48];

	SHA256(data, n, hash);
	EVP_EncodeBlock(text, hash, sizeof(hash));
	snprintf(k->fingerprint, sizeof(k->fingerprint),
		 "SHA256:%.43s" /* no padding */, (char *)text);
}

int sshkey_from_parts(struct sshkey *k, const char *kind, const char *blob,
		      struct err *e)
{
	uint8_t data[2304];
	int n;

	if (!known_kind(kind))
		return bad(e, "this kind of ssh key is not taken; "
			      "make one with: ssh-keygen -t ed25519");
	if (strlen(blob) >= sizeof(k->blob))
		return bad(e, "the ssh key is too long");
	snprintf(k->kind, sizeof(k->kind), "%s", kind);
	strcpy(k->blob, blob);
	n = base64_decode(data, sizeof(data), blob, strlen(blob), 1);
	if (n <= 0)
		return bad(e, "the ssh key is not base64");
	set_fingerprint(k, data, (size_t)n);
	return check_blob(k, data, (size_t)n, e);
}

int sshkey_parse(struct sshkey *k, const char *line, struct err *e)
{
	char kind[64], blob[3004];
	size_t n = 0, step;
	int at = 0;

	if (strstr(line, "PRIVATE KEY"))
		return bad(e, "this is a private key: nobody else should ever "
			      "see it; paste the file that ends in .pub");
	if (sscanf(line, " %63s %3003s %n", kind, blob, &at) < 2)
		return bad(e, "paste the whole line of the .pub file");
	for (line += at; (step = utf8_sequence(line)); line += step) {
		if (n + step >= sizeof(k->comment))
			break;
		memcpy(k->comment + n, line, step);
		n += step;
	}
	while (n && k->comment[n - 1] == ' ')
		n--;
	k->comment[n] = '\0';
	return sshkey_from_parts(k, kind, blob, e);
}
