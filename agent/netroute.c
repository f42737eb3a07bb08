// SPDX-License-Identifier: Apache-2.0
#include "agent/netroute.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/libve/log.h"

#define DEVICE "venet0"

/* What may not leave the node is routed by a table of its own, where there is
 * the way to VEs and nothing else; the node's own addresses come before. */
#define INSIDE 600
#define RULES 600 /* priority of the rules that say so */

static int line = -1;
static unsigned device;

struct request {
	struct nlmsghdr head;
	union {
		struct rtmsg route;
		struct fib_rule_hdr rule;
		struct ifinfomsg link;
	};
	uint8_t room[96];
};

static void put(struct request *q, uint16_t type, const void *data, size_t n)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(n);
	memcpy(RTA_DATA(a), data, n);
	q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* Send it and read the kernel's answer: 0 or -errno. */
static int exchange(struct request *q)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr err;
		uint8_t rest[256];
	} a;

	if (send(line, q, q->head.nlmsg_len, 0) < 0 ||
	    recv(line, &a, sizeof(a), 0) < (ssize_t)NLMSG_LENGTH(sizeof(a.err)))
		return -errno;
	return a.head.nlmsg_type == NLMSG_ERROR ? a.err.error : -EPROTO;
}

/* The table's last word, for what it has no other for. */
static void shut_inside(uint8_t family)
{
	uint32_t table = INSIDE;
	struct request q = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.route)),
			  .nlmsg_type = RTM_NEWROUTE,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
					 NLM_F_CREATE | NLM_F_REPLACE },
		.route = { .rtm_family = family,
			   .rtm_protocol = RTPROT_STATIC,
			   .rtm_scope = RT_SCOPE_UNIVERSE,
			   .rtm_type = RTN_PROHIBIT },
	};
	int r;

	put(&q, RTA_TABLE, &table, sizeof(table));
	r = exchange(&q);
	if (r < 0)
		log_err("routes of what stays inside: %s", strerror(-r));
}

static int bring_up(void)
{
	struct request q = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.link)),
			  .nlmsg_type = RTM_NEWLINK,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.link = { .ifi_index = (int)device,
			  .ifi_flags = IFF_UP,
			  .ifi_change = IFF_UP },
	};

	return exchange(&q);
}

void netroute_open(void)
{
	struct timeval limit = { .tv_sec = 5 };
	int r;

	device = if_nametoindex(DEVICE);
	if (!device) {
		log_warn("there is no " DEVICE ": VEs stay without network");
		return;
	}
	line = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (line < 0) {
		log_err("netlink: %s", strerror(errno));
		return;
	}
	setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	r = bring_up();
	if (r < 0)
		log_err(DEVICE " does not come up: %s", strerror(-r));
	shut_inside(AF_INET);
	shut_inside(AF_INET6);
}

int netroute_egress(const struct addr *from, bool may)
{
	bool four = from->family == 4;
	uint32_t table = INSIDE, priority = RULES;
	struct request q = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.rule)),
			  .nlmsg_type = may ? RTM_DELRULE : RTM_NEWRULE,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
					 (may ? 0 : NLM_F_CREATE | NLM_F_EXCL) },
		.rule = { .family = four ? AF_INET : AF_INET6,
			  .src_len = four ? 32 : 128,
			  .action = FR_ACT_TO_TBL },
	};
	int r;

	if (line < 0)
		return 0;
	put(&q, FRA_SRC, from->bytes, four ? 4 : 16);
	put(&q, FRA_IIFNAME, DEVICE, sizeof(DEVICE));
	put(&q, FRA_TABLE, &table, sizeof(table));
	put(&q, FRA_PRIORITY, &priority, sizeof(priority));
	r = exchange(&q);
	return r == (may ? -ENOENT : -EEXIST) ? 0 : r;
}

/* @how: NLM_F_REPLACE or NLM_F_EXCL for one that is added, 0 takes it away, and
 * only if it leads to VEs. */
static int set_route(uint16_t how, const struct cidr *to, uint32_t table)
{
	bool four = to->base.family == 4;
	struct request q = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.route)),
			  .nlmsg_type = how ? RTM_NEWROUTE : RTM_DELROUTE,
			  .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK |
						    (how ? NLM_F_CREATE : 0) |
						    how) },
		.route = { .rtm_family = four ? AF_INET : AF_INET6,
			   .rtm_dst_len = to->bits,
			   .rtm_protocol = RTPROT_STATIC,
			   .rtm_scope = four ? RT_SCOPE_LINK
					     : RT_SCOPE_UNIVERSE,
			   .rtm_type = RTN_UNICAST },
	};

	put(&q, RTA_TABLE, &table, sizeof(table));
	put(&q, RTA_DST, to->base.bytes, four ? 4 : 16);
	put(&q, RTA_OIF, &device, sizeof(device));
	return exchange(&q);
}

/* The node's own routes stay as they are: one that is there gives way only if it
 * is ours, of a former life. */
static int add_to_main(const struct cidr *to)
{
	int r = set_route(NLM_F_EXCL, to, RT_TABLE_MAIN);

	if (r != -EEXIST || set_route(0, to, RT_TABLE_MAIN) < 0)
		return r;
	return set_route(NLM_F_EXCL, to, RT_TABLE_MAIN);
}

static int take_away(const struct cidr *to, uint32_t table)
{
	int r = set_route(0, to, table);

	return r == -ESRCH ? 0 : r;
}

int netroute_set(bool add, const struct cidr *to)
{
	int r;

	if (line < 0)
		return 0;
	if (add) {
		r = add_to_main(to);
		return r < 0 ? r : set_route(NLM_F_REPLACE, to, INSIDE);
	}
	r = take_away(to, RT_TABLE_MAIN);
	return r < 0 ? r : take_away(to, INSIDE);
}
