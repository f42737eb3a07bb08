/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_ADDR_H
#define VE_LIBVE_ADDR_H

/* IPv4 and IPv6 addresses and ranges: values, no ownership. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDR_TEXT 46 /* room for any address with its NUL */
#define CIDR_TEXT 50
#define BLOCK_BITS 16 /* the least that a block has */

struct addr {
	uint8_t family;	   /* 4, 6; 0 is no address */
	uint8_t bytes[16]; /* network order, 4 or 16 of them, the rest 0 */
};

struct cidr {
	struct addr base;
	uint8_t bits;
};

/* "192.0.2.1" or "2001:db8::1", nothing else (no port, no scope, no leading
 * zeros).  0 or -EINVAL. */
int addr_parse(struct addr *a, const char *text);

/* Canonical text; "" for no address.  Returns @out. */
const char *addr_print(char out[static ADDR_TEXT], const struct addr *a);

bool addr_equal(const struct addr *a, const struct addr *b);

/* Whether a VE may have it: no loopback, multicast, link-local or "this network";
 * of IPv6 what is global or unique local. */
bool addr_is_host(const struct addr *a);

/* "10.77.0.0/28"; bits behind the prefix must be zero.  0 or -EINVAL. */
int cidr_parse(struct cidr *c, const char *text);
const char *cidr_print(char out[static CIDR_TEXT], const struct cidr *c);
bool cidr_contains(const struct cidr *c, const struct addr *a);

/* Whether one lies in the other. */
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);

/* Whether a node may be lent it: IPv4, of hosts, not larger than a /16. */
bool cidr_is_block(const struct cidr *c);

/* Number of addresses, at most UINT32_MAX. */
uint32_t cidr_count(const struct cidr *c);

/* The @n-th address from the base; -ERANGE past the end. */
int cidr_nth(const struct cidr *c, uint32_t n, struct addr *out);

#endif
