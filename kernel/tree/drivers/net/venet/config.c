// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses and the default route inside a VE, set as ip(8) would set them:
 * by rtnetlink messages to the VE's own network namespace.
 */
#include "venet.h"

#include <linux/inetdevice.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

struct venet_msg {
	struct nlmsghdr nlh;
	union {
		struct ifaddrmsg addr;
		struct rtmsg route;
	};
	u8 attrs[2 * (NLA_HDRLEN + sizeof(struct in6_addr)) + NLA_HDRLEN + 4];
};

static void venet_attr(struct venet_msg *m, int type, const void *data,
		       size_t len)
{
	struct nlattr *nla = (void *)m + NLMSG_ALIGN(m->nlh.nlmsg_len);

	nla->nla_type = type;
	nla->nla_len = nla_attr_size(len);
	memcpy(nla_data(nla), data, len);
	m->nlh.nlmsg_len = NLMSG_ALIGN(m->nlh.nlmsg_len) + nla_total_size(len);
}

/* Send, and wait for the acknowledgement: 0 or the error in it. */
static int venet_talk(struct net *net, struct venet_msg *m)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct msghdr msg = { .msg_name = &to, .msg_namelen = sizeof(to) };
	struct kvec iov = { .iov_base = m, .iov_len = m->nlh.nlmsg_len };
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		u8 rest[512];
	} ack = {};
	struct socket *sock;
	int err;

	err = sock_create_kern(net, PF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &sock);
	if (err)
		return err;
	m->nlh.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	err = kernel_sendmsg(sock, &msg, &iov, 1, iov.iov_len);
	if (err >= 0) {
		iov = (struct kvec){ .iov_base = &ack, .iov_len = sizeof(ack) };
		msg = (struct msghdr){};
		err = kernel_recvmsg(sock, &msg, &iov, 1, sizeof(ack),
				     MSG_DONTWAIT);
	}
	if (err >= 0)
		err = err >= NLMSG_LENGTH(sizeof(int)) &&
		      ack.nlh.nlmsg_type == NLMSG_ERROR ? ack.err.error : -EIO;
	sock_release(sock);
	return err;
}

static void venet_addr_msg(struct venet_msg *m, int type, int ifindex,
			   const struct in6_addr *key)
{
	bool v4 = ipv6_addr_v4mapped(key);
	size_t len = v4 ? 4 : 16;
	const u8 *addr = v4 ? (const u8 *)&key->s6_addr32[3] : key->s6_addr;

	*m = (struct venet_msg){
		.nlh.nlmsg_type = type,
		.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(m->addr)),
		.addr.ifa_family = v4 ? AF_INET : AF_INET6,
		.addr.ifa_prefixlen = len * 8,
		.addr.ifa_flags = v4 ? 0 : IFA_F_NODAD,
		.addr.ifa_index = ifindex,
	};
	venet_attr(m, IFA_LOCAL, addr, len);
	venet_attr(m, IFA_ADDRESS, addr, len);
}

/* Without a preferred source: the route outlives all addresses but the last. */
static void venet_route_msg(struct venet_msg *m, int ifindex, bool v4)
{

	*m = (struct venet_msg){
		.nlh.nlmsg_type = RTM_NEWROUTE,
		.nlh.nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE,
		.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(m->route)),
		.route.rtm_family = v4 ? AF_INET : AF_INET6,
		.route.rtm_table = RT_TABLE_MAIN,
		.route.rtm_protocol = RTPROT_BOOT,
		.route.rtm_scope = v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.route.rtm_type = RTN_UNICAST,
	};
	venet_attr(m, RTA_OIF, &ifindex, sizeof(ifindex));
}

int venet_config_add(struct net *net, int ifindex, const struct in6_addr *key)
{
	struct venet_msg m;
	int err;

	venet_addr_msg(&m, RTM_NEWADDR, ifindex, key);
	m.nlh.nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	err = venet_talk(net, &m);
	/* VE root may have set it by hand: then it is there already. */
	if (err && err != -EEXIST)
		return err;
	venet_route_msg(&m, ifindex, ipv6_addr_v4mapped(key));
	err = venet_talk(net, &m);
	if (err)
		venet_config_del(net, ifindex, key);
	return err;
}

/* Best effort: what VE root has changed meanwhile is VE root's business. */
void venet_config_del(struct net *net, int ifindex, const struct in6_addr *key)
{
	struct venet_msg m;

	venet_addr_msg(&m, RTM_DELADDR, ifindex, key);
	venet_talk(net, &m);
}
