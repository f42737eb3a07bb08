// SPDX-License-Identifier: GPL-2.0-only
/*
 * When an address goes, its connections go: a program is told at once, and not
 * when a timer of TCP gives up, and no part of an old flow is still there when
 * the address comes back.  Listening sockets stay; they wait for nobody else's
 * packets.  When a VE goes, what its programs have left unsent goes too.
 */
#include "venet.h"

#include <linux/completion.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/ub.h>
#include <linux/workqueue.h>
#include <net/inet_hashtables.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/transp_v6.h>
#include <net/udp.h>

/**
 * struct venet_sought - which sockets
 * @net, @key: those with this address
 * @orphans_of: of a VE that has ended, those that no program has; else NULL
 */
struct venet_sought {
	struct net		*net;
	struct in6_addr		key;
	const struct user_beancounter *orphans_of;
};

static bool venet_is_sought(const struct sock *sk, const struct venet_sought *s)
{
	if (s->orphans_of)
		return sk_fullsock(sk) && sk->sk_ub == s->orphans_of &&
		       sock_flag(sk, SOCK_DEAD);
	if (!net_eq(sock_net(sk), s->net))
		return false;
	if (ipv6_addr_v4mapped(&s->key))
		return sk->sk_rcv_saddr == s->key.s6_addr32[3];
	return sk->sk_family == AF_INET6 &&
	       ipv6_addr_equal(&sk->sk_v6_rcv_saddr, &s->key);
}

static int venet_tcp_sockets(struct net *net)
{
	return sock_prot_inuse_get(net, &tcp_prot) +
	       sock_prot_inuse_get(net, &tcpv6_prot);
}

static int venet_udp_sockets(struct net *net)
{
	return sock_prot_inuse_get(net, &udp_prot) +
	       sock_prot_inuse_get(net, &udpv6_prot);
}

/* One connection in that slot, with a reference; those that nobody holds end by themselves. */
static struct sock *venet_find_tcp(struct inet_hashinfo *h, unsigned int slot,
				   const struct venet_sought *s)
{
	spinlock_t *lock = inet_ehash_lockp(h, slot);
	struct hlist_nulls_node *node;
	struct sock *sk, *found = NULL;

	spin_lock_bh(lock);
	sk_nulls_for_each(sk, node, &h->ehash[slot].chain) {
		if (sk->sk_state != TCP_TIME_WAIT && venet_is_sought(sk, s) &&
		    refcount_inc_not_zero(&sk->sk_refcnt)) {
			found = sk;
			break;
		}
	}
	spin_unlock_bh(lock);
	return found;
}

/*
 * As many as there are sockets at the beginning, @left: a program that connects
 * again and again does not keep us.
 */
static void venet_abort_tcp(const struct venet_sought *s, s64 left)
{
	struct inet_hashinfo *h = s->net->ipv4.tcp_death_row.hashinfo;
	unsigned int slot;
	struct sock *sk;

	for (slot = 0; left > 0 && slot <= h->ehash_mask; slot++) {
		if (!(slot & 1023))
			cond_resched();
		while (left > 0 && !hlist_nulls_empty(&h->ehash[slot].chain) &&
		       (sk = venet_find_tcp(h, slot, s))) {
			int err = tcp_abort(sk, ECONNABORTED);

			left--;
			sock_gen_put(sk);
			if (err)	/* somebody else ends it right now */
				break;
		}
	}
}

static struct sock *venet_find_udp(struct udp_hslot *slot,
				   const struct venet_sought *s)
{
	struct sock *sk, *found = NULL;

	spin_lock_bh(&slot->lock);
	sk_for_each(sk, &slot->head) {
		if (sk->sk_state == TCP_ESTABLISHED && venet_is_sought(sk, s)) {
			sock_hold(sk);
			found = sk;
			break;
		}
	}
	spin_unlock_bh(&slot->lock);
	return found;
}

static void venet_abort_udp(const struct venet_sought *s, s64 left)
{
	struct udp_table *t = s->net->ipv4.udp_table;
	unsigned int i;
	struct sock *sk;

	for (i = 0; left > 0 && i <= t->mask; i++) {
		if (!(i & 1023))
			cond_resched();
		while (left > 0 && !hlist_empty(&t->hash[i].head) &&
		       (sk = venet_find_udp(&t->hash[i], s))) {
			int err = udp_abort(sk, ECONNABORTED);

			left--;
			sock_put(sk);
			if (err)
				break;
		}
	}
}

struct venet_abort {
	struct work_struct	work;
	struct completion	done;
	refcount_t		ref;	/* the work, and who waits for it */
	struct venet_ve		*v;	/* stays as long as its network does */
	struct venet_sought	sought;
};

static void venet_abort_put(struct venet_abort *a)
{
	if (refcount_dec_and_test(&a->ref))
		kfree(a);
}

static void venet_abort_work(struct work_struct *work)
{
	struct venet_abort *a = container_of(work, struct venet_abort, work);
	struct net *net = a->sought.net;

	venet_abort_tcp(&a->sought, venet_tcp_sockets(net));
	venet_abort_udp(&a->sought, venet_udp_sockets(net));
	atomic_set(&a->v->aborting, 0);
	put_net(net);
	complete(&a->done);
	venet_abort_put(a);
}

/*
 * The lock of a socket may be held for as long as a program likes, by one that
 * sends what its own file system does not deliver: nobody waits longer than a
 * second for it, and each VE keeps one worker at most.
 */
void venet_abort(struct venet_ve *v, struct net *net, const struct in6_addr *key)
{
	struct venet_abort *a;

	if (!venet_tcp_sockets(net) && !venet_udp_sockets(net))
		return;
	a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	if (!a || atomic_xchg(&v->aborting, 1)) {
		kfree(a);
		return;
	}
	INIT_WORK(&a->work, venet_abort_work);
	init_completion(&a->done);
	refcount_set(&a->ref, 2);
	a->v = v;
	a->sought.net = get_net(net);
	a->sought.key = *key;
	queue_work(system_unbound_wq, &a->work);
	wait_for_completion_timeout(&a->done, HZ);
	venet_abort_put(a);
}

/*
 * A connection with something to send outlives its program, and keeps the network
 * and the limits of its VE; by itself TCP gives it up after some minutes.  Nobody
 * has it, so its lock is not held for long, and in whichever network of the VE it
 * is, the VE's beancounter knows it.
 */
void venet_abort_orphans(struct ve_struct *ve)
{
	struct venet_sought s = { .orphans_of = ve->ub };
	s64 left = ub_held(ve->ub, UB_NUMTCPSOCK);

	if (!left || !ve->nsproxy)
		return;
	s.net = ve->nsproxy->net_ns;
	venet_abort_tcp(&s, left);
}
