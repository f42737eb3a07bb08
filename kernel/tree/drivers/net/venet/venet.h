/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DRIVERS_NET_VENET_H
#define _DRIVERS_NET_VENET_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/rhashtable-types.h>
#include <linux/u64_stats_sync.h>
#include <linux/venet.h>

/**
 * struct venet_ve - private data of a venet device
 * @ve: whose it is; the node's device has ve0.  Pinned by the namespace.
 * @dev: the device itself
 * @addrs: struct venet_addr, under venet_mutex
 * @nr_addrs: their number, under venet_mutex
 * @spoofed: packets whose source is not the VE's
 * @tx_dropped, @rx_dropped: seen from the VE
 */
struct venet_ve {
	struct ve_struct	*ve;
	struct net_device	*dev;
	struct list_head	addrs;
	unsigned int		nr_addrs;
	atomic64_t		spoofed;
	atomic64_t		tx_dropped;
	atomic64_t		rx_dropped;
};

/**
 * struct venet_addr - one row of the address table
 * @key: IPv6, or IPv4 as ::ffff:a.b.c.d
 * @v: the device it leads to; rows go before the device does, with an RCU
 *	grace period between
 * @epoch: of the lease, for people
 */
struct venet_addr {
	struct rhash_head	node;
	struct in6_addr		key;
	struct venet_ve		*v;
	u32			epoch;
	struct list_head	of_ve;
	struct rcu_head		rcu;
};

extern struct mutex venet_mutex;	/* writers of the table; nests in ve->lock */

int venet_table_init(void);
struct venet_addr *venet_lookup(const struct in6_addr *key); /* under RCU */
int venet_table_add(struct venet_ve *v, const struct in6_addr *key, u32 epoch);
int venet_table_del(struct venet_ve *v, const struct in6_addr *key);
void venet_table_flush(struct venet_ve *v);

/* Each row; @fn returns non-zero to end.  Under venet_mutex. */
void venet_table_walk(int (*fn)(const struct venet_addr *a, void *arg),
		      void *arg);

/* Address and default route of the VE's device, or off again. */
int venet_config_add(struct net *net, int ifindex, const struct in6_addr *key);
void venet_config_del(struct net *net, int ifindex, const struct in6_addr *key);

#endif
