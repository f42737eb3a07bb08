// SPDX-License-Identifier: Apache-2.0
/*
 * Packets made by hand that steer neighbours or lie about who sent them, and a capture on the node that has those from a
 * VE's own address and none of the others.
 */
#include "iso.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Descriptors of the node's own, instead of what iso.h has there; see setup(). */
#define CAPTURE FD_HELPER /* what came in from VEs, read row by row */
#define WHOLE_CAPTURE FD_NS /* the same once more, read at the end */

static struct sockaddr_in6 six(const char *text, unsigned short port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET6, text, &a.sin6_addr);
	return a;
}

/* ---- packets that tell a neighbour where to send --------------------------- */

#define OF_A 0x0a4d0002
#define OF_B 0x0a4d0003

/* An ICMP redirect from @source to the node: B is reached by way of A. */
static int redirect_from(unsigned int source)
{
	struct {
		struct iphdr ip;
		struct icmphdr icmp;
		struct iphdr of;
	} p = { .ip = { .ihl = 5,
			.version = 4,
			.ttl = 4,
			.protocol = IPPROTO_ICMP,
			.tot_len = htons(sizeof(p)),
			.saddr = htonl(source),
			.daddr = htonl(0x0a4d0001) },
		.icmp = { .type = ICMP_REDIRECT, .code = ICMP_REDIR_HOST, .un.gateway = htonl(OF_A) },
		.of = { .ihl = 5, .version = 4, .saddr = htonl(0x0a4d0001), .daddr = htonl(OF_B) } };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = p.ip.daddr };
	int s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (s < 0)
		return errno;
	return iso_errno(sendto(s, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)));
}

static int redirect_own(void)
{
	return redirect_from(OF_A);
}

static int redirect_forged(void)
{
	return redirect_from(OF_B);
}

static const unsigned char discoveries[] = { ND_ROUTER_SOLICIT, ND_ROUTER_ADVERT, ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT,
					     ND_REDIRECT };
#define DISCOVERIES sizeof(discoveries)

/* Each packet of neighbour discovery from @source to the node. */
static int discover_from(const char *source)
{
	struct {
		unsigned char version, class, label[2];
		unsigned short len;
		unsigned char next, hops;
		struct in6_addr from, to;
		struct icmp6_hdr icmp;
		struct in6_addr target[2];
	} p = { .version = 0x60, .len = htons(sizeof(p) - 40), .next = IPPROTO_ICMPV6, .hops = 255 };
	struct sockaddr_in6 to = six("fd00:77::1", 0), from = six(source, 0);
	int s = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);

	if (s < 0)
		return errno;
	p.from = from.sin6_addr;
	p.to = to.sin6_addr;
	p.target[0] = six("fd00:77::3", 0).sin6_addr;
	for (size_t i = 0; i < DISCOVERIES; i++) {
		p.icmp.icmp6_type = discoveries[i];
		if (sendto(s, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			return errno;
	}
	return 0;
}

static int discover_own(void)
{
	return discover_from("fd00:77::2");
}

/* Where routers and neighbours speak from: nobody believes another. */
static int discover_link_local(void)
{
	return discover_from("fe80::2");
}

static int discover_forged(void)
{
	return discover_from("fd00:77::3");
}

/* A frame as a packet socket sends it, of what @protocol says that it is. */
static int send_frame(unsigned short protocol, const void *data, size_t len)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(protocol),
				  .sll_ifindex = (int)if_nametoindex("venet0") };
	int s = socket(AF_PACKET, SOCK_DGRAM, 0);

	if (s < 0)
		return errno;
	return iso_errno(sendto(s, data, len, 0, (struct sockaddr *)&to, sizeof(to)));
}

#define FRAME_PORT 5558

static int frame_from(unsigned int source)
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
		.udp = { .source = htons(9), .dest = htons(FRAME_PORT), .len = htons(12) } };

	return send_frame(ETH_P_IP, &p, sizeof(p));
}

static int frame_own(void)
{
	return frame_from(OF_A);
}

static int frame_forged(void)
{
	return frame_from(OF_B);
}

/* ARP: B's address is at A. */
static const unsigned char arp_frame[] = { 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 2, 10, 77, 0, 3, 2, 0, 0, 0, 0, 1, 10, 77, 0, 1 };
/* A tag of VLAN 7, and in it a packet from A to the node. */
static const unsigned char tagged_frame[] = { 0, 7, 8, 0, 0x45, 0, 0, 20, 0, 0, 0, 0, 4, 17, 0, 0, 10, 77, 0, 2, 10, 77, 0, 1 };

static int frame_arp(void)
{
	return send_frame(ETH_P_ARP, arp_frame, sizeof(arp_frame));
}

static int frame_tagged(void)
{
	return send_frame(ETH_P_8021Q, tagged_frame, sizeof(tagged_frame));
}

/* ---- a capture on the node ------------------------------------------------- */

struct packet {
	ssize_t len;
	union {
		unsigned char bytes[128];
		struct iphdr ip;
	};
};

static bool captured(int s, struct packet *p)
{
	p->len = recv(s, p->bytes, sizeof(p->bytes), MSG_DONTWAIT);
	return p->len > 0;
}

/* An IPv4 packet of @protocol from @source whose payload has @type at the beginning, or @port as its destination. */
static bool is_four(const struct packet *p, unsigned int source, int protocol, int type, int port)
{
	return p->len >= 24 && p->ip.version == 4 && p->ip.saddr == htonl(source) && p->ip.protocol == protocol &&
	       (protocol == IPPROTO_ICMP ? p->bytes[20] == type : (p->bytes[22] << 8 | p->bytes[23]) == port);
}

static int saw_four(unsigned int source, int protocol, int type, int port)
{
	struct packet p;
	int e = ENOENT;

	while (captured(CAPTURE, &p))
		if (is_four(&p, source, protocol, type, port))
			e = 0;
	return e;
}

static int saw_redirect_own(void)
{
	return saw_four(OF_A, IPPROTO_ICMP, ICMP_REDIRECT, 0);
}

static int saw_redirect_forged(void)
{
	return saw_four(OF_B, IPPROTO_ICMP, ICMP_REDIRECT, 0);
}

static int saw_frame_own(void)
{
	return saw_four(OF_A, IPPROTO_UDP, 0, FRAME_PORT);
}

static int saw_frame_forged(void)
{
	return saw_four(OF_B, IPPROTO_UDP, 0, FRAME_PORT);
}

/* 0 when each kind came from @source, ENOENT when none did. */
static int saw_discovery(const char *source)
{
	struct in6_addr from = six(source, 0).sin6_addr;
	bool kinds[256] = { false };
	struct packet p;
	size_t n = 0;

	while (captured(CAPTURE, &p))
		if (p.len > 40 && p.ip.version == 6 && p.bytes[6] == IPPROTO_ICMPV6 && !memcmp(p.bytes + 8, &from, 16))
			kinds[p.bytes[40]] = true;
	for (size_t i = 0; i < DISCOVERIES; i++)
		n += kinds[discoveries[i]];
	return n == DISCOVERIES ? 0 : n ? EIO : ENOENT;
}

static int saw_discovery_own(void)
{
	return saw_discovery("fd00:77::2");
}

static int saw_discovery_link_local(void)
{
	return saw_discovery("fe80::2");
}

static int saw_discovery_forged(void)
{
	return saw_discovery("fd00:77::3");
}

static int saw_no_packet(void)
{
	struct packet p;
	int e = ENOENT;

	while (captured(CAPTURE, &p))
		if (!memcmp(p.bytes, arp_frame, sizeof(arp_frame)) || !memcmp(p.bytes, tagged_frame, sizeof(tagged_frame)))
			e = 0;
	return e;
}

/* All that A sent in this program is of kinds that B does not send: none may be from B; a redirect, a frame and discovery are A's. */
static int whole_capture(void)
{
	int own = 0, forged = 0, alien = 0;
	struct packet p;

	while (captured(WHOLE_CAPTURE, &p)) {
		bool four = p.ip.version == 4, six_ = p.ip.version == 6;
		const char *from = six_ && p.len >= 40 ? (const char *)p.bytes + 8 : "";
		struct in6_addr a = six("fd00:77::2", 0).sin6_addr, b = six("fd00:77::3", 0).sin6_addr;

		alien += !four && !six_;
		own += four ? p.ip.saddr == htonl(OF_A) : six_ && !memcmp(from, &a, 16);
		forged += is_four(&p, OF_B, IPPROTO_UDP, 0, FRAME_PORT) || is_four(&p, OF_B, IPPROTO_ICMP, ICMP_REDIRECT, 0) ||
			  (six_ && !memcmp(from, &b, 16)) ||
			  (six_ && from[0] == '\xfe' && p.bytes[6] == IPPROTO_ICMPV6 && p.bytes[9] == 0x80);
	}
	printf("# captured: %d of A's own, %d forged, %d of no family\n", own, forged, alien);
	return forged || alien ? 0 : own >= 2 + (int)DISCOVERIES ? ENOENT : BROKEN;
}

static const struct iso_row rows[] = {
	{ "a redirect from its own address", "source", redirect_own, { NA, 0, EPERM, NA } },
	{ "the capture having that", "source", saw_redirect_own, { 0, NA, NA, NA } },
	{ "a redirect from another VE's address", "source", redirect_forged, { NA, 0, EPERM, NA } },
	{ "the capture having that one", "source", saw_redirect_forged, { ENOENT, NA, NA, NA } },
	{ "neighbour discovery from its own address", "source", discover_own, { NA, 0, EPERM, NA } },
	{ "the capture having each kind of it", "source", saw_discovery_own, { 0, NA, NA, NA } },
	{ "router advertisements and redirects as a router sends them", "source", discover_link_local, { NA, 0, EPERM, NA } },
	{ "the capture having any of them", "source", saw_discovery_link_local, { ENOENT, NA, NA, NA } },
	{ "neighbour discovery from another VE's address", "source", discover_forged, { NA, 0, EPERM, NA } },
	{ "the capture having any of it", "source", saw_discovery_forged, { ENOENT, NA, NA, NA } },
	{ "a frame from its own address with the feature", "source", frame_own, { NA, 0, EPERM, EPERM }, .features = ENV_FEAT_PACKET },
	{ "the capture having that frame", "source", saw_frame_own, { 0, NA, NA, NA } },
	{ "a frame from another VE's address with the feature", "source", frame_forged, { NA, 0, EPERM, EPERM }, .features = ENV_FEAT_PACKET },
	{ "the capture having that frame of another", "source", saw_frame_forged, { ENOENT, NA, NA, NA } },
	{ "an ARP packet with the feature (it is dropped)", NULL, frame_arp, { NA, 0, EPERM, EPERM }, .features = ENV_FEAT_PACKET },
	{ "a frame of a VLAN with the feature (it is dropped)", NULL, frame_tagged, { NA, 0, EPERM, EPERM }, .features = ENV_FEAT_PACKET },
	{ "the capture having either", NULL, saw_no_packet, { ENOENT, NA, NA, NA } },
	{ "forged packets in the whole capture", NULL, whole_capture, { ENOENT, NA, NA, NA } },
};

/* All that comes in at the node's end of every VE's network. */
static int capture(void)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)if_nametoindex("venet0") };
	int s = socket(AF_PACKET, SOCK_DGRAM, 0);

	if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 16 << 20 }, sizeof(int)) ||
	    setsockopt(s, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int){ 1 }, sizeof(int)) ||
	    bind(s, (struct sockaddr *)&at, sizeof(at)))
		die("a capture");
	return s;
}

static void setup(void)
{
	if (system("ip addr add 10.77.0.1/24 dev venet0 2>/dev/null; ip -6 addr add fd00:77::1/64 dev venet0 2>/dev/null; "
		   "ip addr show venet0 | grep -q 10.77.0.1"))
		die("venet0");
	env_lend(&iso_a, AF_INET, "10.77.0.2");
	env_lend(&iso_b, AF_INET, "10.77.0.3");
	env_lend(&iso_a, AF_INET6, "fd00:77::2");
	env_lend(&iso_b, AF_INET6, "fd00:77::3");
	iso_replace(CAPTURE, capture());
	iso_replace(WHOLE_CAPTURE, capture());
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
