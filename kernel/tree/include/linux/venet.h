/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * venet: the network of Virtual Environments.  A layer-3 device in each VE and
 * one on the node; an address table between them is the only way through.
 */
#ifndef _LINUX_VENET_H
#define _LINUX_VENET_H

#include <linux/errno.h>

struct env_activity;
struct env_ip;
struct env_netlimit;
struct env_netstat;
struct net;
struct sk_buff;
struct ve_struct;

#ifdef CONFIG_VENET

/*
 * Give @ve an address: into the table, then onto the device in @net with a
 * default route.  Of an address that it has, epoch and deadline are set anew.
 * Caller holds ve->lock.  0, -EADDRINUSE (another VE has it), -EAFNOSUPPORT,
 * -EINVAL (no host address), -ETIME (the deadline has passed), -ENOMEM.
 */
int venet_ip_add(struct ve_struct *ve, struct net *net,
		 const struct env_ip *ip);

/*
 * Take it back: out of the table first, so that no packet passes any more,
 * then off the device.  Caller holds ve->lock.  0 or -EADDRNOTAVAIL.
 */
int venet_ip_del(struct ve_struct *ve, struct net *net,
		 const struct env_ip *ip);

/* The VE is stopping: all its addresses out of the table.  May sleep. */
void venet_stop(struct ve_struct *ve);

/* It is STOPPED: its connections that are still to send something end.  May sleep. */
void venet_abort_orphans(struct ve_struct *ve);

/* Both under ve->lock. */
int venet_stat(struct ve_struct *ve, struct env_netstat *st);
int venet_activity(struct ve_struct *ve, struct env_activity *a);
unsigned int venet_nr_addrs(struct ve_struct *ve);

/*
 * Mark and brakes, replacing the ones before.  Under ve->lock.  0, -EINVAL (a
 * burst without a rate), -ESRCH, -ENOMEM, -EOPNOTSUPP (a mark, and the kernel has
 * no NETFILTER_EGRESS).
 */
int venet_limit(struct ve_struct *ve, const struct env_netlimit *limit);

/* A socket of @ve takes this packet; its headers are at skb->data. */
void venet_saw_rx(struct ve_struct *ve, const struct sk_buff *skb);

#else

static inline int venet_ip_add(struct ve_struct *ve, struct net *net,
			       const struct env_ip *ip)
{
	return -EAFNOSUPPORT;
}

static inline int venet_ip_del(struct ve_struct *ve, struct net *net,
			       const struct env_ip *ip)
{
	return -EADDRNOTAVAIL;
}

static inline void venet_stop(struct ve_struct *ve) { }

static inline void venet_abort_orphans(struct ve_struct *ve) { }

static inline int venet_stat(struct ve_struct *ve, struct env_netstat *st)
{
	return -EOPNOTSUPP;
}

static inline int venet_activity(struct ve_struct *ve, struct env_activity *a)
{
	return -EOPNOTSUPP;
}

static inline int venet_limit(struct ve_struct *ve,
			      const struct env_netlimit *limit)
{
	return -EOPNOTSUPP;
}

static inline void venet_saw_rx(struct ve_struct *ve, const struct sk_buff *skb)
{
}

static inline unsigned int venet_nr_addrs(struct ve_struct *ve)
{
	return 0;
}

#endif
#endif
