// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VE's traffic is marked with, for the node's packet scheduler, and the
 * brakes on what it may send: packets a second, and flows that it opens.
 *
 * A brake is the generic cell rate algorithm (ITU-T I.371): one time stamp, no
 * timer.  A flow is opened by a TCP segment with SYN alone, or by a packet of
 * another protocol between two ends that have not been heard of lately.
 */
#include "venet.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/ve.h>
#include <net/ip.h>
#include <net/ipv6.h>

#define VENET_FLOWS 1024		/* that are remembered; a power of two */

/**
 * struct venet_rate - a brake
 * @interval: ns between two at the rate; 0: none
 * @tolerance: ns that one may be early: the burst
 * @due: when the next one would be on time
 */
struct venet_rate {
	u64		interval;
	u64		tolerance;
	atomic64_t	due;
};

struct venet_limit {
	struct rcu_head		rcu;
	struct venet_rate	packets;
	struct venet_rate	flows;
	u32			seen[VENET_FLOWS];	/* hashes, racy on purpose */
};

static bool venet_rate_pass(struct venet_rate *r, u64 now)
{
	u64 due, next;

	if (!r->interval)
		return true;
	due = atomic64_read(&r->due);
	do {
		if (due > now + r->tolerance)
			return false;
		next = max(due, now) + r->interval;
	} while (!atomic64_try_cmpxchg(&r->due, (s64 *)&due, next));
	return true;
}

static void venet_rate_set(struct venet_rate *r, u32 rate, u32 burst)
{
	if (!rate)
		return;
	r->interval = NSEC_PER_SEC / rate;
	r->tolerance = r->interval * (max(burst, 1U) - 1);
}

/*
 * The transport header if there is one of @len bytes, copied to @to if need be.
 * @cut: it begins here, and goes on in another fragment.
 */
static const void *venet_transport(const struct sk_buff *skb, int proto, int len,
				   void *to, bool *cut)
{
	const void *header;
	__be16 frag = 0;
	int off;
	u8 next;

	if (skb->protocol == htons(ETH_P_IP)) {
		next = ip_hdr(skb)->protocol;
		off = ip_hdr(skb)->ihl * 4;
		frag = ip_hdr(skb)->frag_off & htons(IP_OFFSET);
	} else {
		next = ipv6_hdr(skb)->nexthdr;
		off = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &next, &frag);
		frag &= htons(IP6_OFFSET); /* a first fragment has a header, too */
	}
	*cut = false;
	if (next != proto || frag || off < 0)
		return NULL;
	header = skb_header_pointer(skb, off, len, to);
	*cut = !header;
	return header;
}

/* Have these two ends been heard of?  From now on they have. */
static bool venet_flow_known(struct venet_limit *l, const struct sk_buff *skb)
{
	u32 hash = __skb_get_hash_symmetric_net(&init_net, skb) | 1;
	u32 *slot = &l->seen[(hash >> 1) % VENET_FLOWS];

	if (READ_ONCE(*slot) == hash)
		return true;
	WRITE_ONCE(*slot, hash);
	return false;
}

static bool venet_opens_flow(struct venet_limit *l, const struct sk_buff *skb)
{
	struct tcphdr copy;
	bool cut;
	const struct tcphdr *tcp = venet_transport(skb, IPPROTO_TCP, sizeof(copy),
						   &copy, &cut);

	if (tcp)
		return tcp->syn && !tcp->ack;
	/* who sends a header in pieces has something to hide */
	return cut || !venet_flow_known(l, skb);
}

/* May the VE send this?  Headers are parsed; inside RCU. */
bool venet_may_send(struct venet_ve *v, const struct sk_buff *skb)
{
	struct venet_limit *l = rcu_dereference(v->limit);
	u64 now;

	if (!l)
		return true;
	now = ktime_get_boottime_ns();
	if (!venet_rate_pass(&l->packets, now)) {
		atomic64_inc(&v->packets_braked);
		return false;
	}
	if (l->flows.interval && venet_opens_flow(l, skb) &&
	    !venet_rate_pass(&l->flows, now)) {
		atomic64_inc(&v->flows_braked);
		return false;
	}
	return true;
}

/* What comes to the VE: answers to it open no flow. */
void venet_heard(struct venet_ve *v, const struct sk_buff *skb)
{
	struct venet_limit *l = rcu_dereference(v->limit);

	if (l && l->flows.interval)
		venet_flow_known(l, skb);
}

#ifdef CONFIG_NETFILTER_EGRESS
/*
 * To a VE: the mark has to be on the packet before the packet scheduler of the
 * node's device sees it, hence here and not when it is sent.
 */
static unsigned int venet_mark(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	int at = skb_network_offset(skb);
	struct venet_addr *a;
	struct in6_addr dst;

	if (skb->protocol == htons(ETH_P_IP)) {
		const struct iphdr *ip;
		struct iphdr copy;

		ip = skb_header_pointer(skb, at, sizeof(copy), &copy);
		if (!ip)
			return NF_ACCEPT;
		ipv6_addr_set_v4mapped(ip->daddr, &dst);
	} else if (skb_copy_bits(skb, at + offsetof(struct ipv6hdr, daddr), &dst,
				 sizeof(dst))) {
		return NF_ACCEPT;
	}
	a = venet_lookup(&dst);
	if (a)
		skb->mark = READ_ONCE(a->v->mark);
	return NF_ACCEPT;
}

static struct nf_hook_ops venet_hook = {
	.hook = venet_mark, .pf = NFPROTO_NETDEV, .hooknum = NF_NETDEV_EGRESS,
};
static DEFINE_MUTEX(venet_hook_lock);

/* There is a mark: from now on packets to VEs are looked at, and no others. */
static int venet_mark_packets(void)
{
	int err;

	guard(mutex)(&venet_hook_lock);
	if (venet_hook.dev)
		return 0;
	venet_hook.dev = venet_node_device();
	err = nf_register_net_hook(&init_net, &venet_hook);
	if (err)
		venet_hook.dev = NULL;
	return err;
}
#else
static int venet_mark_packets(void)
{
	return -EOPNOTSUPP;
}
#endif

int venet_limit(struct ve_struct *ve, const struct env_netlimit *arg)
{
	struct venet_ve *v = ve->net;
	struct venet_limit *l = NULL, *old;
	int err;

	if (arg->__reserved || (!arg->flow_rate && arg->flow_burst) ||
	    (!arg->packet_rate && arg->packet_burst))
		return -EINVAL;
	if (!ve->nsproxy || !v)
		return -ESRCH;
	err = arg->mark ? venet_mark_packets() : 0;
	if (err)
		return err;
	if (arg->flow_rate || arg->packet_rate) {
		l = kvzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
		if (!l)
			return -ENOMEM;
		venet_rate_set(&l->flows, arg->flow_rate, arg->flow_burst);
		venet_rate_set(&l->packets, arg->packet_rate, arg->packet_burst);
	}
	WRITE_ONCE(v->mark, arg->mark);
	old = rcu_replace_pointer(v->limit, l, lockdep_is_held(&ve->lock));
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/* The device goes; nothing passes any more. */
void venet_limit_free(struct venet_ve *v)
{
	struct venet_limit *old = rcu_replace_pointer(v->limit, NULL, true);

	if (old)
		kvfree_rcu(old, rcu);
}
