// SPDX-License-Identifier: Apache-2.0
/* The network: kinds of sockets, what may be asked of it, whose packets leave. */
#include "iso.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_socket(int family, int type, int protocol)
{
	int s = socket(family, type, protocol);

	return s < 0 ? errno : close(s);
}

static int packet_socket(void)
{
	return open_socket(AF_PACKET, SOCK_DGRAM, 0);
}

static int netfilter_socket(void)
{
	return open_socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

static int route_socket(void)
{
	return open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int raw_socket(void)
{
	return open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

/* Every family there is, of every type: none but those of the list. */
static int other_families(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET };

	for (int family = 0; family < 64; family++) {
		if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK)
			continue;
		for (size_t t = 0; t < 4; t++)
			if (!open_socket(family, types[t], 0))
				return 0;
	}
	return EAFNOSUPPORT;
}

/* Every netlink protocol but those of the list. */
static int other_netlink(void)
{
	for (int p = 0; p < MAX_LINKS; p++)
		if (p != NETLINK_ROUTE && p != NETLINK_SOCK_DIAG && p != NETLINK_KOBJECT_UEVENT &&
		    !open_socket(AF_NETLINK, SOCK_RAW, p))
			return 0;
	return EPROTONOSUPPORT;
}

struct request {
	struct nlmsghdr nlh;
	union {
		struct ifinfomsg link;
		struct ndmsg neigh;
		struct tcmsg tc;
		struct rtgenmsg gen;
	};
	char attrs[128];
};

static void attribute(struct request *r, unsigned short type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->nlh.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	r->nlh.nlmsg_len = (unsigned int)(NLMSG_ALIGN(r->nlh.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

/* Send and read the answer: 0 or the errno in it, or that of the sending. */
static int ask(struct request *r)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char rest[8192];
	} a;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), e;

	r->nlh.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	e = s < 0 ? BROKEN : iso_errno(send(s, r, r->nlh.nlmsg_len, 0));
	if (!e)
		e = recv(s, &a, sizeof(a), 0) > 0 && a.nlh.nlmsg_type == NLMSG_ERROR ? -a.err.error : 0;
	close(s);
	return e;
}

static int make_link(void)
{
	struct request r = { .nlh = { .nlmsg_type = RTM_NEWLINK, .nlmsg_flags = NLM_F_CREATE,
				      .nlmsg_len = NLMSG_LENGTH(sizeof(r.link)) } };
	struct {
		struct rtattr kind;
		char name[8];
	} info = { { RTA_LENGTH(5), IFLA_INFO_KIND }, "dummy" };

	attribute(&r, IFLA_LINKINFO, &info, sizeof(info));
	return ask(&r);
}

static int make_neighbour(void)
{
	struct request r = { .nlh = { .nlmsg_type = RTM_NEWNEIGH, .nlmsg_flags = NLM_F_CREATE,
				      .nlmsg_len = NLMSG_LENGTH(sizeof(r.neigh)) },
			     .neigh = { .ndm_family = AF_INET, .ndm_state = NUD_PERMANENT,
					.ndm_ifindex = (int)if_nametoindex("venet0") } };
	struct in_addr a = { htonl(0x0a4d00c8) };

	attribute(&r, NDA_DST, &a, sizeof(a));
	return ask(&r);
}

static int make_queue(void)
{
	struct request r = { .nlh = { .nlmsg_type = RTM_NEWQDISC, .nlmsg_flags = NLM_F_CREATE,
				      .nlmsg_len = NLMSG_LENGTH(sizeof(r.tc)) },
			     .tc = { .tcm_ifindex = 1, .tcm_parent = TC_H_ROOT } };

	attribute(&r, TCA_KIND, "pfifo", 6);
	return ask(&r);
}

static int list_links(void)
{
	struct request r = { .nlh = { .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_DUMP,
				      .nlmsg_len = NLMSG_LENGTH(sizeof(r.gen)) } };

	return ask(&r);
}

/* A packet made by hand, from an address of another VE or of the VE's own; does it arrive on the node? */
static int send_from(unsigned int source)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char text[4];
	} p = { .ip = { .ihl = 5, .version = 4, .ttl = 4, .protocol = IPPROTO_UDP, .tot_len = htons(sizeof(p)),
			.saddr = htonl(source), .daddr = htonl(0x0a4d0001) },
		.udp = { .source = htons(9), .dest = htons(5555), .len = htons(12) } };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = p.ip.daddr };
	int s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (s < 0)
		return errno;
	return iso_errno(sendto(s, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)));
}

static int send_forged(void)
{
	return send_from(0x0a4d0003);
}

static int send_own(void)
{
	return send_from(0x0a4d0002);
}

/* Sent by VE A before, read by the node: was there a packet from 10.77.0.3 (B's), or from A's own? */
static int arrived(unsigned int source)
{
	struct sockaddr_in from;
	socklen_t n = sizeof(from);
	char buf[8];

	while (recvfrom(FD_HELPER /* the node's socket, see setup() */, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &n) > 0)
		if (from.sin_addr.s_addr == htonl(source))
			return 0;
	return ENOENT;
}

static int own_arrived(void)
{
	return arrived(0x0a4d0002);
}

static int forged_arrived(void)
{
	return arrived(0x0a4d0003);
}

static const struct iso_row rows[] = {
	{ "a packet socket", "socket", packet_socket, { 0, EPERM, EPERM, EPERM } },
	{ "a packet socket with the feature", NULL, packet_socket, { NA, 0, EPERM, EPERM }, .features = ENV_FEAT_PACKET },
	{ "a netfilter socket", NULL, netfilter_socket, { 0, EPROTONOSUPPORT, EPROTONOSUPPORT, EPROTONOSUPPORT } },
	{ "a netfilter socket with the feature", NULL, netfilter_socket, { NA, 0, 0, EPROTONOSUPPORT }, .features = ENV_FEAT_NETFILTER },
	{ "a route socket", NULL, route_socket, { 0, 0, 0, 0 } },
	{ "a raw socket", NULL, raw_socket, { 0, 0, EPERM, 0 } },
	{ "any other family", NULL, other_families, { 0, EAFNOSUPPORT, EAFNOSUPPORT, EAFNOSUPPORT } },
	{ "any other netlink protocol", NULL, other_netlink, { 0, EPROTONOSUPPORT, EPROTONOSUPPORT, EPROTONOSUPPORT } },
	{ "listing links", NULL, list_links, { 0, 0, 0, 0 } },
	{ "making a link", "netlink", make_link, { 0, EPERM, EPERM, EPERM } },
	{ "making a link with the feature", NULL, make_link, { NA, 0, EPERM, EPERM }, .features = ENV_FEAT_NESTING },
	{ "making a neighbour", "netlink", make_neighbour, { NA, EPERM, EPERM, EPERM } },
	{ "making a queue", "netlink", make_queue, { 0, EPERM, EPERM, EPERM } },
	{ "sending from its own address", "source", send_own, { NA, 0, EPERM, NA } },
	{ "that packet's arrival on the node", "source", own_arrived, { 0, NA, NA, NA } },
	{ "sending from another VE's address", "source", send_forged, { NA, 0, EPERM, NA } },
	{ "that packet's arrival on the node (it is dropped silently)", "source", forged_arrived, { ENOENT, NA, NA, NA } },
};

static void lend(const struct env_ve *ve, const char *text)
{
	struct env_ip ip = { .family = AF_INET, .epoch = 1 };

	inet_pton(AF_INET, text, ip.addr);
	if (env_ctl(ve->fd, ENV_CTL_IP_ADD, &ip, sizeof(ip)))
		die("%s", text);
}

static void setup(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(5555) };
	int listener;

	if (system("ip addr add 10.77.0.1/24 dev venet0; echo 0 >/proc/sys/net/ipv4/conf/venet0/rp_filter"))
		die("venet0");
	lend(&iso_a, "10.77.0.2");
	lend(&iso_b, "10.77.0.3");
	listener = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)))
		die("listener");
	iso_replace(FD_HELPER, listener);
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
