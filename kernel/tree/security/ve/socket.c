// SPDX-License-Identifier: GPL-2.0-only
/* Sockets: which a VE may have, and whom they reach. */
#include "ve.h"

#include <linux/fs.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/socket.h>
#include <linux/sockios.h>
#include <linux/venet.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/sock.h>

static struct ve_struct *ve_of_sock(const struct sock *sk)
{
	return userns_ve(sock_net(sk)->user_ns);
}

static bool ve_netlink_allowed(int protocol)
{
	switch (protocol) {
	case NETLINK_ROUTE:
	case NETLINK_SOCK_DIAG:
	case NETLINK_KOBJECT_UEVENT:
		return true;
	case NETLINK_NETFILTER:
		return ve_has(ENV_FEAT_NETFILTER);
	}
	return false;
}

static int ve_socket_create(int family, int type, int protocol, int kern)
{
	if (kern || current_on_node() || !ve_guard(socket))
		return 0;
	switch (family) {
	case AF_UNIX:
	case AF_INET:
	case AF_INET6:
		return 0;
	case AF_NETLINK:
		return ve_netlink_allowed(protocol) ? 0 : -EPROTONOSUPPORT;
	case AF_PACKET:
		return ve_has(ENV_FEAT_PACKET) ? 0 : -EPERM;
	}
	return -EAFNOSUPPORT;
}

/*
 * What a VE may ask of its own network: to look at all of it, to set addresses
 * (the address table decides what they are worth), routes and rules, and its
 * links up and down.  Neighbours are entries in a table of the whole machine;
 * links of other kinds, queues and filters are much code for no use.
 */
static bool ve_rtnetlink_allowed(const struct nlmsghdr *nlh)
{
	int type = nlh->nlmsg_type - RTM_BASE;

	if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
		return true;
	if (type < 0 || nlh->nlmsg_type > RTM_MAX)
		return false;
	if ((type & 3) == 2) /* RTM_GET... */
		return true;
	switch (nlh->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWRULE:
	case RTM_DELRULE:
	case RTM_SETLINK:
		return true;
	case RTM_NEWLINK:
		return !(nlh->nlmsg_flags & NLM_F_CREATE) ||
		       ve_has(ENV_FEAT_NESTING);
	case RTM_DELLINK:
		return ve_has(ENV_FEAT_NESTING);
	}
	return false;
}

static int ve_netlink_send(struct sock *sk, struct sk_buff *skb)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)skb->data;
	int left = skb->len;

	if (current_on_node() || sk->sk_protocol != NETLINK_ROUTE ||
	    !ve_guard(netlink))
		return 0;
	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
		if (!ve_rtnetlink_allowed(nlh))
			return -EPERM;
	return 0;
}

/* The same by the old way, which asks for no more than CAP_NET_ADMIN. */
static int ve_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case SIOCSARP:
	case SIOCDARP:
	case SIOCSIFVLAN:
	case SIOCBRADDBR:
	case SIOCBRDELBR:
		break;
	default:
		return 0;
	}
	if (current_on_node() || !ve_guard(netlink) ||
	    !S_ISSOCK(file_inode(file)->i_mode))
		return 0;
	return -EPERM;
}

/* A socket's file on a shared directory is no way across. */
static int ve_unix_reach(const struct sock *sk, const struct sock *other)
{
	if (!ve_guard(unix))
		return 0;
	return ve_of_sock(sk) == ve_of_sock(other) ? 0 : -ECONNREFUSED;
}

static int ve_unix_stream_connect(struct sock *sk, struct sock *other,
				  struct sock *newsk)
{
	return ve_unix_reach(sk, other);
}

static int ve_unix_may_send(struct socket *sock, struct socket *other)
{
	return ve_unix_reach(sock->sk, other->sk);
}

/* No boundary: what a socket takes keeps its VE awake. */
static int ve_sock_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	struct ve_struct *ve;

	if (skb->skb_iif == LOOPBACK_IFINDEX)
		return 0;
	ve = ve_of_sock(sk);
	if (!ve_is_node(ve) && (sk->sk_family == AF_INET || sk->sk_family == AF_INET6))
		venet_saw_rx(ve, skb);
	return 0;
}

static struct security_hook_list ve_socket_hooks[] __ro_after_init = {
	LSM_HOOK_INIT(socket_create, ve_socket_create),
	LSM_HOOK_INIT(netlink_send, ve_netlink_send),
	LSM_HOOK_INIT(file_ioctl, ve_file_ioctl),
	LSM_HOOK_INIT(unix_stream_connect, ve_unix_stream_connect),
	LSM_HOOK_INIT(unix_may_send, ve_unix_may_send),
	LSM_HOOK_INIT(socket_sock_rcv_skb, ve_sock_rcv_skb),
};

__init void ve_add_socket_hooks(void)
{
	security_add_hooks(ve_socket_hooks, ARRAY_SIZE(ve_socket_hooks),
			   &ve_lsmid);
}
