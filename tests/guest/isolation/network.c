// SPDX-License-Identifier: Apache-2.0
/* The network: kinds of sockets, what may be asked of it, whose packets leave. */
#include "iso.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_vlan.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Descriptors of the node's own, instead of what iso.h has there; see setup(). */
#define DATAGRAMS FD_HELPER
#define EVENTS FD_NS

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

static int make_link_of(const char *name)
{
	struct request r = {
		.nlh = { .nlmsg_type = RTM_NEWLINK, .nlmsg_flags = NLM_F_CREATE, .nlmsg_len = NLMSG_LENGTH(sizeof(r.link)) }
	};
	struct {
		struct rtattr kind;
		char name[8];
	} info = { { (unsigned short)RTA_LENGTH(strlen(name)), IFLA_INFO_KIND }, "" };

	memcpy(info.name, name, strlen(name));
	attribute(&r, IFLA_LINKINFO, &info, sizeof(info));
	return ask(&r);
}

static int make_link(void)
{
	return make_link_of("dummy");
}

static int make_vlan(void)
{
	return make_link_of("vlan");
}

static int make_vlan_by_ioctl(void)
{
	struct vlan_ioctl_args q = { .cmd = ADD_VLAN_CMD, .device1 = "venet0", .u.VID = 7 };

	return iso_errno(ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFVLAN, &q));
}

static int make_neighbour_by_ioctl(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a4d00c9) };
	struct arpreq q = { .arp_flags = ATF_PUBL };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	memcpy(&q.arp_pa, &to, sizeof(to));
	return iso_errno(ioctl(s, SIOCSARP, &q));
}

static int make_neighbour(void)
{
	struct request r = {
		.nlh = { .nlmsg_type = RTM_NEWNEIGH, .nlmsg_flags = NLM_F_CREATE, .nlmsg_len = NLMSG_LENGTH(sizeof(r.neigh)) },
		.neigh = { .ndm_family = AF_INET, .ndm_state = NUD_PERMANENT, .ndm_ifindex = (int)if_nametoindex("venet0") }
	};
	struct in_addr a = { htonl(0x0a4d00c8) };

	attribute(&r, NDA_DST, &a, sizeof(a));
	return ask(&r);
}

static int make_queue(void)
{
	struct request r = {
		.nlh = { .nlmsg_type = RTM_NEWQDISC, .nlmsg_flags = NLM_F_CREATE, .nlmsg_len = NLMSG_LENGTH(sizeof(r.tc)) },
		.tc = { .tcm_ifindex = 1, .tcm_parent = TC_H_ROOT }
	};

	attribute(&r, TCA_KIND, "pfifo", 6);
	return ask(&r);
}

static int list_links(void)
{
	struct request r = {
		.nlh = { .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_DUMP, .nlmsg_len = NLMSG_LENGTH(sizeof(r.gen)) }
	};

	return ask(&r);
}

/* A packet made by hand, from an address of another VE or of the VE's own; does it arrive on the node? */
static int send_from(unsigned int source)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char text[4];
	} p = { .ip = { .ihl = 5,
			.version = 4,
			.ttl = 4,
			.protocol = IPPROTO_UDP,
			.tot_len = htons(sizeof(p)),
			.saddr = htonl(source),
			.daddr = htonl(0x0a4d0001) },
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

/* From an address that is not the VE's by an option that lets a socket have any. */
static int send_transparent(void)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a4d0003) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(5555), .sin_addr.s_addr = htonl(0x0a4d0001) };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	if (setsockopt(s, SOL_IP, IP_TRANSPARENT, &(int){ 1 }, sizeof(int)))
		return errno;
	if (bind(s, (struct sockaddr *)&from, sizeof(from)))
		return BROKEN;
	return iso_errno(sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
}

static struct sockaddr_in6 six(const char *text, unsigned short port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET6, text, &a.sin6_addr);
	return a;
}

static int send_from_six(const char *source)
{
	struct sockaddr_in6 from = six(source, 0), to = six("fd00:77::1", 5555);
	int s = socket(AF_INET6, SOCK_DGRAM, 0);

	if (setsockopt(s, SOL_IPV6, IPV6_TRANSPARENT, &(int){ 1 }, sizeof(int)))
		return errno;
	if (bind(s, (struct sockaddr *)&from, sizeof(from)))
		return BROKEN;
	return iso_errno(sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
}

static int send_own_six(void)
{
	return send_from_six("fd00:77::2");
}

static int send_forged_six(void)
{
	return send_from_six("fd00:77::3");
}

/* Sent by VE A before, read by the node: was there a packet from B's address, or from A's own? */
static int arrived(const char *source)
{
	struct sockaddr_in6 from, want = six(source, 0);
	socklen_t n = sizeof(from);
	char buf[8];

	while (recvfrom(DATAGRAMS, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &n) > 0)
		if (!memcmp(&from.sin6_addr, &want.sin6_addr, sizeof(want.sin6_addr)))
			return 0;
	return ENOENT;
}

static int own_arrived(void)
{
	return arrived("::ffff:10.77.0.2");
}

static int own_arrived_six(void)
{
	return arrived("fd00:77::2");
}

static int forged_arrived(void)
{
	return arrived("::ffff:10.77.0.3");
}

static int forged_arrived_six(void)
{
	return arrived("fd00:77::3");
}

#define LABELS 32 /* a VE's share of those of the machine */

/* So many more labels: 0, or why one of them is refused; BROKEN if it is not the last. */
static int take_labels(int n)
{
	int s = -1;

	for (int i = 0; i < n; i++) {
		struct in6_flowlabel_req q = { .flr_action = IPV6_FL_A_GET,
					       .flr_share = IPV6_FL_S_ANY,
					       .flr_flags = IPV6_FL_F_CREATE };

		if (i % 20 == 0) /* not all of one socket, which has a share of its own */
			s = socket(AF_INET6, SOCK_DGRAM, 0);
		inet_pton(AF_INET6, "fd00:77::1", &q.flr_dst);
		if (setsockopt(s, SOL_IPV6, IPV6_FLOWLABEL_MGR, &q, sizeof(q)))
			return i < n - 1 ? BROKEN : errno;
	}
	return 0;
}

#define HELD "/run/shared/labels" /* there once VE A has its share, for as long as this program runs */

static int hold_share(void)
{
	int e = take_labels(LABELS), fd = openat(FD_SHARED, "labels", O_CREAT | O_WRONLY, 0600);

	if (e || fd < 0)
		return BROKEN;
	for (;;)
		pause();
}

static int take_more(void)
{
	return take_labels(LABELS + 1);
}

static int take_one(void)
{
	return take_labels(1);
}

/* In a network of its own, of which a VE may have more than one. */
static int take_elsewhere(void)
{
	return unshare(CLONE_NEWNET) ? BROKEN : take_labels(1);
}

/* The node sends to A, to B and to a group all the time, see talk(): what is to be heard until a hundred came to A? */
static bool wait_readable(int s)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	return poll(&p, 1, 20000) == 1;
}

static int sniff(void)
{
	int s = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)), own = 0;
	struct packet_mreq all = { .mr_ifindex = (int)if_nametoindex("venet0"), .mr_type = PACKET_MR_PROMISC };
	struct iphdr ip;

	if (s < 0)
		return errno;
	if (setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)))
		return BROKEN;
	while (own < 100) {
		if (!wait_readable(s))
			return BROKEN;
		if (recv(s, &ip, sizeof(ip), 0) < (ssize_t)sizeof(ip) || ip.version != 4)
			continue;
		if (ip.daddr == htonl(0x0a4d0003))
			return 0;
		own += ip.daddr == htonl(0x0a4d0002);
	}
	return ENOENT;
}

#define GROUP 0xef4d0001 /* 239.77.0.1 */

static int hear_group(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(5556) },
			   own = { .sin_family = AF_INET, .sin_port = htons(7) };
	struct ip_mreqn join = { .imr_multiaddr.s_addr = htonl(GROUP), .imr_ifindex = (int)if_nametoindex("venet0") };
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	char c;

	p[0].fd = socket(AF_INET, SOCK_DGRAM, 0);
	p[1].fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(p[0].fd, (struct sockaddr *)&at, sizeof(at)) || bind(p[1].fd, (struct sockaddr *)&own, sizeof(own)) ||
	    setsockopt(p[0].fd, SOL_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)))
		return BROKEN;
	for (int heard = 0; heard < 100; heard++) {
		if (poll(p, 2, 20000) < 1)
			return BROKEN;
		if (p[0].revents)
			return 0;
		recv(p[1].fd, &c, 1, 0);
	}
	return ENOENT;
}

static int reach_loopback(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(5557), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return iso_errno(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof(to)));
}

/* An event of a device, which udev listens to; the sender's network is the one that hears it. */
static int send_uevent(void)
{
	struct {
		struct nlmsghdr nlh;
		char text[32];
	} m = { .nlh = { .nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_MIN_TYPE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK } };
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
	} a;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);

	snprintf(m.text, sizeof(m.text), "add@/of-%s", getppid() ? "node" : "ve");
	if (s < 0 || send(s, &m, sizeof(m), 0) != sizeof(m) || recv(s, &a, sizeof(a), 0) < (ssize_t)sizeof(a))
		return BROKEN;
	return -a.err.error;
}

/* Was one of that name heard by the node's listener? */
static int heard_uevent(const char *name)
{
	char buf[8192];
	ssize_t n;

	while ((n = recv(EVENTS, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		if (memmem(buf, (size_t)n, name, strlen(name)))
			return 0;
	return ENOENT;
}

static int node_uevent_heard(void)
{
	return heard_uevent("add@/of-node");
}

static int ve_uevent_heard(void)
{
	return heard_uevent("add@/of-ve");
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
	{ "making a VLAN (this kernel has none, that of hardware.config has)", NULL, make_vlan, { EOPNOTSUPP, EPERM, EPERM, EPERM } },
	{ "making a VLAN with the feature", NULL, make_vlan, { NA, EOPNOTSUPP, EPERM, EPERM }, .features = ENV_FEAT_NESTING },
	{ "making a VLAN by ioctl", "netlink", make_vlan_by_ioctl, { ENOPKG, EPERM, EPERM, EPERM } },
	{ "making a neighbour", "netlink", make_neighbour, { NA, EPERM, EPERM, EPERM } },
	{ "making a neighbour by ioctl", "netlink", make_neighbour_by_ioctl, { 0, EPERM, EPERM, EPERM } },
	{ "making a queue", "netlink", make_queue, { 0, EPERM, EPERM, EPERM } },
	{ "sending from its own address", "source", send_own, { NA, 0, EPERM, NA } },
	{ "that packet's arrival on the node", "source", own_arrived, { 0, NA, NA, NA } },
	{ "sending from another VE's address", "source", send_forged, { NA, 0, EPERM, NA } },
	{ "sending from another VE's address by IP_TRANSPARENT", "source", send_transparent, { NA, 0, EPERM, NA } },
	{ "that packet's arrival on the node (it is dropped silently)", "source", forged_arrived, { ENOENT, NA, NA, NA } },
	{ "sending from its own IPv6 address", "source", send_own_six, { NA, 0, EPERM, NA } },
	{ "the arrival of that on the node", "source", own_arrived_six, { 0, NA, NA, NA } },
	{ "sending from another VE's IPv6 address", "source", send_forged_six, { NA, 0, EPERM, NA } },
	{ "the arrival of that on the node (it is dropped)", "source", forged_arrived_six, { ENOENT, NA, NA, NA } },
	{ "hearing packets to another VE", NULL, sniff, { 0, EPERM, EPERM, EPERM } },
	{ "hearing packets to another VE with the feature", NULL, sniff, { NA, ENOENT, EPERM, NA }, .features = ENV_FEAT_PACKET },
	{ "hearing a group that the node sends to", NULL, hear_group, { 0, ENOENT, NA, NA } },
	{ "reaching the node's service by 127.0.0.1", NULL, reach_loopback, { 0, ECONNREFUSED, ECONNREFUSED, ECONNREFUSED } },
	{ .probe = hold_share },
	{ "more than a share of flow labels when VE A's root has all of its own", NULL, take_more, { 0, NA, NA, ENOBUFS } },
	{ "one flow label then", NULL, take_one, { 0, ENOBUFS, ENOBUFS, NA } },
	{ "one in a network of its own", NULL, take_elsewhere, { 0, ENOBUFS, NA, NA } },
	{ "an event of a device", NULL, send_uevent, { 0, 0, EPERM, 0 } },
	{ "the node's event at the node's listener", NULL, node_uevent_heard, { 0, NA, NA, NA } },
	{ "an event of a device again", NULL, send_uevent, { NA, 0, EPERM, 0 } },
	{ "a VE's event at the node's listener", NULL, ve_uevent_heard, { ENOENT, NA, NA, NA } },
};

/* The node's talk with everybody, until this program ends (ten minutes at most). */
static void talk(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(7), .sin_addr.s_addr = htonl(0x0a4d0002) }, b = a,
			   group = { .sin_family = AF_INET, .sin_port = htons(5556), .sin_addr.s_addr = htonl(GROUP) };
	struct ip_mreqn by = { .imr_ifindex = (int)if_nametoindex("venet0") };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	b.sin_addr.s_addr = htonl(0x0a4d0003);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setsockopt(s, SOL_IP, IP_MULTICAST_IF, &by, sizeof(by)))
		_exit(1);
	for (int i = 0; i < 60000; i++) {
		const struct sockaddr_in *const to[] = { &group, &b, &a };

		for (size_t k = 0; k < 3; k++)
			sendto(s, "x", 1, 0, (const struct sockaddr *)to[k], sizeof(a));
		usleep(10000);
	}
	_exit(0);
}

static int listen_at(int family, int type, int protocol, const void *at, socklen_t n)
{
	int s = socket(family, type, protocol);

	if (bind(s, at, n) || (type == SOCK_STREAM && listen(s, 8)))
		die("listener");
	return s;
}

static void setup(void)
{
	struct sockaddr_in6 any = six("::", 5555);
	struct sockaddr_in loop = { .sin_family = AF_INET, .sin_port = htons(5557), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_nl events = { .nl_family = AF_NETLINK, .nl_groups = 1 };

	if (system("ip addr add 10.77.0.1/24 dev venet0 2>/dev/null; ip -6 addr add fd00:77::1/64 dev venet0 2>/dev/null; "
		   "echo 0 >/proc/sys/net/ipv4/conf/venet0/rp_filter; echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter"))
		die("venet0");
	env_lend(&iso_a, AF_INET, "10.77.0.2");
	env_lend(&iso_b, AF_INET, "10.77.0.3");
	env_lend(&iso_a, AF_INET6, "fd00:77::2");
	env_lend(&iso_b, AF_INET6, "fd00:77::3");
	iso_replace(DATAGRAMS, listen_at(AF_INET6, SOCK_DGRAM, 0, &any, sizeof(any)));
	iso_replace(EVENTS, listen_at(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT, &events, sizeof(events)));
	fcntl(listen_at(AF_INET, SOCK_STREAM, 0, &loop, sizeof(loop)), F_DUPFD_CLOEXEC, 100); /* open while this runs */
	if (!fork())
		talk();
	close(iso_leave(hold_share));
	for (int i = 0; access(HELD, F_OK); i++) {
		if (i == 1200)
			die("VE A does not get its flow labels");
		usleep(50000);
	}
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
