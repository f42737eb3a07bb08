/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DRIVERS_NET_VENET_H
#define _DRIVERS_NET_VENET_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/venet.h>
#include <uapi/linux/ve.h>

/**
 * struct venet_ve - private data of a venet device
 * @ve: whose it is; the node's device has ve0.  Pinned by the namespace.
 * @dev: the device itself
 * @addrs: struct venet_addr, under venet_mutex
 * @nr_addrs: their number, under venet_mutex
 * @spoofed: packets whose source is not the VE's
 * @tx_dropped, @rx_dropped: seen from the VE
 * @last_tx: ns of CLOCK_BOOTTIME; written by whoever sends, read anywhere
 * @seen: what came last to a socket, under @seen_lock
 * @mark: of its packets on the node; written under ve->lock
 * @limit: brakes, or NULL; under RCU, written under ve->lock
 * @v6: what of the traffic is IPv6
 * @aborting: a worker ends connections
 */
struct venet_ve {
	struct ve_struct	*ve;
	struct net_device	*dev;
	struct list_head	addrs;
	unsigned int		nr_addrs;
	atomic64_t		spoofed;
	atomic64_t		tx_dropped;
	atomic64_t		rx_dropped;
	u64			last_tx;
	spinlock_t		seen_lock;
	struct env_activity	seen;
	u32			mark;
	struct venet_limit __rcu *limit;
	atomic64_t		flows_braked;
	atomic64_t		packets_braked;
	struct venet_v6 __percpu *v6;
	atomic_t		aborting;
};

struct venet_v6 {
	u64 tx_packets, tx_bytes, rx_packets, rx_bytes;
};

/**
 * struct venet_addr - one row of the address table
 * @key: IPv6, or IPv4 as ::ffff:a.b.c.d
 * @v: the device it leads to; rows go before the device does, with an RCU
 *	grace period between
 * @epoch: of the lease, for people
 * @deadline: ns of CLOCK_BOOTTIME from when on nothing passes; 0: never.
 *	Written under venet_mutex, read by packets
 */
struct venet_addr {
	struct rhash_head	node;
	struct in6_addr		key;
	struct venet_ve		*v;
	u32			epoch;
	u64			deadline;
	struct list_head	of_ve;
	struct list_head	timed;	/* in the rows with a deadline, or empty */
	struct rcu_head		rcu;
};

/* dev.c: the node's; there from the first network on */
struct net_device *venet_node_device(void);

/*
 * abort.c: end the connections of @net, which is @v's, that have @key on this
 * side.  Sleeps, for a second at most.
 */
void venet_abort(struct venet_ve *v, struct net *net, const struct in6_addr *key);

/* limit.c */
bool venet_may_send(struct venet_ve *v, const struct sk_buff *skb);
void venet_heard(struct venet_ve *v, const struct sk_buff *skb);
void venet_limit_free(struct venet_ve *v);

extern struct mutex venet_mutex;	/* writers of the table; nests in ve->lock */

int venet_table_init(void);
struct venet_addr *venet_lookup(const struct in6_addr *key); /* under RCU */

/* Add a row, or set epoch and deadline of the VE's own: 0, 1, or an error. */
int venet_table_add(struct venet_ve *v, const struct in6_addr *key, u32 epoch,
		    u64 deadline);
bool venet_owns(const struct venet_ve *v, const struct in6_addr *key);
int venet_table_del(struct venet_ve *v, const struct in6_addr *key);
void venet_table_flush(struct venet_ve *v);

/* Each row; @fn returns non-zero to end.  Under venet_mutex. */
void venet_table_walk(int (*fn)(const struct venet_addr *a, void *arg),
		      void *arg);

/* Address and default route of the VE's device, or off again. */
int venet_config_add(struct net *net, int ifindex, const struct in6_addr *key);
void venet_config_del(struct net *net, int ifindex, const struct in6_addr *key);

#endif
