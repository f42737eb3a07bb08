// SPDX-License-Identifier: GPL-2.0-only
/*
 * What runs inside a VE for shared_test: see eat.h.
 */
#include "eat.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct route_request {
	struct nlmsghdr h;
	struct rtmsg r;
	struct rtattr dst_head;
	unsigned char dst[16];
	struct rtattr metric_head;
	uint32_t metric;
};

/* An unreachable host of documentation, each time of another metric; the smallest
 * is the first of the list, so that this is as fast with many. */
static int change_route(int type, int family, uint32_t metric)
{
	static int fd = -1;
	unsigned char size = family == AF_INET ? 4 : 16;
	struct route_request q = {
		.h = { .nlmsg_type = (uint16_t)type,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
				      (type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0),
		       .nlmsg_len = sizeof(q) },
		.r = { .rtm_family = (unsigned char)family, .rtm_dst_len = (unsigned char)(8 * size),
		       .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
		       .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNREACHABLE },
		.dst_head = { RTA_LENGTH(size), RTA_DST },
		.metric_head = { RTA_LENGTH(4), RTA_PRIORITY },
		.metric = metric,
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} answer;

	if (fd < 0)
		fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (family == AF_INET) { /* the attribute is shorter, and the next one follows it */
		memmove(q.dst + 4, &q.metric_head, RTA_LENGTH(4));
		q.h.nlmsg_len -= 12;
		inet_pton(family, "192.0.2.77", q.dst);
	} else {
		inet_pton(family, "2001:db8::77", q.dst);
	}
	if (send(fd, &q, q.h.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(int)))
		return -1;
	errno = -answer.e.error;
	return errno ? -1 : 0;
}

static uint32_t routes;

static int eat_route4(void)
{
	return change_route(RTM_NEWROUTE, AF_INET, UINT32_MAX - ++routes);
}

static int eat_route6(void)
{
	return change_route(RTM_NEWROUTE, AF_INET6, UINT32_MAX - ++routes);
}

static uint16_t checksum(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* The first packet of a connection from somewhere to whence no answer goes. */
static int eat_halfopen(void)
{
	static struct sockaddr_in to;
	static int raw = -1;
	static uint32_t from = 0x0a000001;
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} p = { .ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP },
		.tcp = { .source = htons(1024), .doff = 5, .syn = 1, .window = htons(1024) } };
	struct {
		uint32_t from, to;
		uint16_t proto, len;
		struct tcphdr tcp;
	} sum;

	if (raw < 0) {
		int l = listener(&to), on = 1;

		raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
		if (l < 0 || listen(l, 4096) || raw < 0 ||
		    setsockopt(raw, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)))
			return -1;
		/* there already, if not the first; what system() says is lost, for children are ignored */
		if (system("ip route add 10.0.0.0/8 dev lo >/dev/null 2>&1"))
			errno = 0;
	}
	p.ip.saddr = htonl(from++);
	p.ip.daddr = to.sin_addr.s_addr;
	p.ip.tot_len = htons(sizeof(p));
	p.tcp.dest = to.sin_port;
	sum.from = p.ip.saddr;
	sum.to = p.ip.daddr;
	sum.proto = htons(IPPROTO_TCP);
	sum.len = htons(sizeof(p.tcp));
	sum.tcp = p.tcp;
	p.tcp.check = checksum(&sum, sizeof(sum));
	return sendto(raw, &p, sizeof(p), 0, (void *)&to, sizeof(to)) < 0 ? -1 : 0;
}

/* A router's word to oneself, of a prefix that is another each time. */
static int eat_advert(void)
{
	static uint32_t prefix;
	static int raw = -1;
	struct {
		struct ip6_hdr ip;
		struct nd_router_advert advert;
		struct nd_opt_prefix_info info;
	} p = { .ip = { .ip6_flow = htonl(6U << 28), .ip6_nxt = IPPROTO_ICMPV6, .ip6_hlim = 255 },
		.advert = { .nd_ra_type = ND_ROUTER_ADVERT },
		.info = { .nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION, .nd_opt_pi_len = 4,
			  .nd_opt_pi_prefix_len = 64,
			  .nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK,
			  .nd_opt_pi_valid_time = UINT32_MAX, .nd_opt_pi_preferred_time = UINT32_MAX } };
	struct {
		struct in6_addr from, to;
		uint32_t len, proto;
		struct nd_router_advert advert;
		struct nd_opt_prefix_info info;
	} sum;
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	if (raw < 0)
		raw = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
	p.ip.ip6_plen = htons(sizeof(p) - sizeof(p.ip));
	inet_pton(AF_INET6, "fe80::1", &p.ip.ip6_src);
	p.ip.ip6_dst = to.sin6_addr;
	inet_pton(AF_INET6, "2001:db8::", &p.info.nd_opt_pi_prefix);
	p.info.nd_opt_pi_prefix.s6_addr32[1] = htonl(++prefix);
	sum.from = p.ip.ip6_src;
	sum.to = p.ip.ip6_dst;
	sum.len = htonl(sizeof(p) - sizeof(p.ip));
	sum.proto = htonl(IPPROTO_ICMPV6);
	sum.advert = p.advert;
	sum.info = p.info;
	p.advert.nd_ra_cksum = checksum(&sum, sizeof(sum));
	return sendto(raw, &p, sizeof(p), 0, (void *)&to, sizeof(to)) < 0 ? -1 : 0;
}

/* A connection whose end waits for its time to be over. */
static int eat_timewait(void)
{
	int in, out = tcp_pair(&in);

	if (out < 0)
		return -1;
	close(out);
	close(in);
	return 0;
}

/* What waits in a socket that nobody reads: raw, netlink, and the errors of another. */
static int eat_raw(void)
{
	static int to = -1, from = -1;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char text[1024] = "";

	if (to < 0) {
		to = socket(AF_INET, SOCK_RAW, 253);
		from = socket(AF_INET, SOCK_RAW, 253);
		shutdown(from, SHUT_RD);
	}
	return sendto(from, text, sizeof(text), 0, (void *)&a, sizeof(a)) < 0 ? -1 : 0;
}

static int eat_netlink(void)
{
	static struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	static int to = -1, from = -1;
	socklen_t n = sizeof(a);
	char text[1024] = ""; /* a message of no length is none */

	if (to < 0) {
		to = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
		from = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
		if (bind(to, (void *)&a, n) || getsockname(to, (void *)&a, &n))
			return -1;
	}
	return sendto(from, text, sizeof(text), MSG_DONTWAIT, (void *)&a, sizeof(a)) < 0 ? -1 : 0;
}

static int eat_errors(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(9) };
	static int fd = -1;
	int on = 1;

	if (fd < 0) {
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
		if (connect(fd, (void *)&a, sizeof(a)))
			return -1;
	}
	/* what one brings about is told to the next */
	if (send(fd, "", 1, 0) < 0 && errno != ECONNREFUSED)
		return -1;
	errno = 0;
	return 0;
}

/* A KiB over TCP in pieces that are larger than what its device lets through. */
static int eat_fragments(void)
{
	static int out = -1, in, off = IP_PMTUDISC_DONT;
	static char text[1024];

	if (out < 0) {
		out = tcp_pair(&in);
		if (out < 0 || setsockopt(out, IPPROTO_IP, IP_MTU_DISCOVER, &off, sizeof(off)))
			return -1;
		if (system("ip link set lo mtu 68"))
			errno = 0;
	}
	return send(out, text, sizeof(text), 0) < 0 ||
	       recv(in, text, sizeof(text), MSG_WAITALL) < 0 ? -1 : 0;
}

/* As many requests as the machine allows. */
static int eat_aio(void)
{
	unsigned long context = 0;

	return (int)syscall(SYS_io_setup, 65536, &context);
}

/* Contexts of few. */
static int eat_contexts(void)
{
	unsigned long context = 0;

	return (int)syscall(SYS_io_setup, 1, &context);
}

static const struct eat_row rows[] = {
	{ "route4", eat_route4 },	    { "route6", eat_route6 },
	{ "halfopen", eat_halfopen },	    { "timewait", eat_timewait },
	{ "raw", eat_raw },		    { "netlink", eat_netlink },
	{ "errors", eat_errors },	    { "aio", eat_aio },
	{ "contexts", eat_contexts },	    { "fragments", eat_fragments },
	{ "advert", eat_advert },
};

/* Routes do not go with the process: the first of the list first. */
static void give_back(const char *row, int taken)
{
	int family = strcmp(row, "route4") ? AF_INET6 : AF_INET;

	if (strncmp(row, "route", 5))
		return;
	for (int i = taken; i; i--)
		change_route(RTM_DELROUTE, family, UINT32_MAX - (uint32_t)i);
}

int main(int argc, char **argv)
{
	return eat_main(argc, argv, EAT_ROWS(rows), give_back);
}
