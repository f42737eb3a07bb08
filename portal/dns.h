/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_DNS_H
#define VE_PORTAL_DNS_H

/*
 * Names in a DNS server, by dynamic update (RFC 2136) over TCP, signed with a
 * shared key (TSIG with HMAC-SHA256, RFC 8945); its answers must be signed with
 * the same.
 */
#include <stddef.h>
#include <stdint.h>

#include "agent/libve/buf.h"
#include "agent/libve/err.h"

#define DNS_SECRET 128
#define DNS_MAC 32
#define DNS_CHANGES_MAX 200 /* of one update */

struct dns_key {
	char name[256];
	uint8_t secret[DNS_SECRET];
	size_t len;
};

/* "hmac-sha256:name:base64", as nsupdate -y takes it, white space around it.
 * 0 or -EINVAL with words. */
int dns_key_parse(struct dns_key *k, const char *text, struct err *e);

/* What a name is from now on: both NULL, there is none. */
struct dns_change {
	const char *label; /* in the zone */
	const char *ipv4, *ipv6;
};

struct dns_server {
	const char *at; /* "host:port", "[::1]:53" */
	const char *zone;
	const struct dns_key *key;
	uint32_t ttl;
};

/* How many changes go into one message, whatever their labels: 1 to
 * DNS_CHANGES_MAX. */
int32_t dns_room(const char *zone);

/* 0 when the server has made all of them; -errno with its reason. */
int dns_update(const struct dns_server *s, const struct dns_change *changes,
	       size_t n, struct err *e);

/* The parts, for tests: the signed message, its MAC, and whether @len bytes at
 * @p are an answer to it that was signed at @now or near it. */
int dns_compose(const struct dns_server *s, const struct dns_change *changes,
		size_t n, uint16_t id, uint64_t now, struct buf *out,
		uint8_t mac[static DNS_MAC], struct err *e);
int dns_judge(const struct dns_key *k, uint16_t id, uint64_t now,
	      const uint8_t mac[static DNS_MAC], const uint8_t *p, size_t len,
	      struct err *e);

#endif
