/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What <net/sock.h> itself needs of <linux/ub.h>: the packets that wait in sockets
 * of protocols without memory accounting of their own (raw, packet, netlink, the
 * rings of tun), and in anybody's error queue.
 */
#ifndef _LINUX_UB_SOCK_H
#define _LINUX_UB_SOCK_H

struct sock;

#ifdef CONFIG_VE

/* kernel/ve/ub/hooks.c */
bool __ub_sk_recv_room(struct sock *sk, int bytes);
void __ub_sk_recv_force(struct sock *sk, int bytes);
void __ub_sk_recv_uncharge(struct sock *sk, int bytes);

/* Is it a VE's? */
#define ub_sk_counts(sk)	((sk)->sk_ub != NULL)

/* May another packet of so many bytes wait in it?  A "no" is counted as refusal. */
#define ub_sk_recv_room(sk, bytes) \
	(!ub_sk_counts(sk) || __ub_sk_recv_room(sk, bytes))
/* It waits from now on, until it is taken. */
#define ub_sk_recv_force(sk, bytes)					\
	do {								\
		if (ub_sk_counts(sk))					\
			__ub_sk_recv_force(sk, bytes);			\
	} while (0)
#define ub_sk_recv_uncharge(sk, bytes)					\
	do {								\
		if (ub_sk_counts(sk))					\
			__ub_sk_recv_uncharge(sk, bytes);		\
	} while (0)

#else /* !CONFIG_VE */

#define ub_sk_counts(sk)		false
#define ub_sk_recv_room(sk, bytes)	true
#define ub_sk_recv_force(sk, bytes)	do { } while (0)
#define ub_sk_recv_uncharge(sk, bytes)	do { } while (0)

#endif /* CONFIG_VE */
#endif /* _LINUX_UB_SOCK_H */
