// SPDX-License-Identifier: Apache-2.0
#include "agent/shape.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/libve/log.h"

#define VENET "venet0"
#define ALL 1 /* the class that the others borrow from */
#define HTB_VERSION 3
#define QUEUE 1000 /* packets of nobody's, and of a class */
#define FLOWS 128  /* that a class keeps apart */
#define QUANTUM 1514 /* bytes of one before the next: a frame, whatever the device's own are */
#define TICK 64	   /* ns: the kernel's unit of bursts */
#define BURST_MIN 3200u

#define ID(class) (((uint32_t)SHAPE_MAJOR << 16) | (class))

static struct direction {
	unsigned device; /* 0: it is not there */
	bool made;
	const char *name;
} ways[2]; /* up, down */

static int line = -1;
static uint64_t all_rate;

struct request {
	struct nlmsghdr head;
	struct tcmsg tc;
	uint8_t room[256];
};

static struct request ask_of(const struct direction *d, uint16_t type,
			     uint16_t flags)
{
	return (struct request){
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg)),
			  .nlmsg_type = type,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags },
		.tc = { .tcm_family = AF_UNSPEC,
			.tcm_ifindex = (int)d->device },
	};
}

static struct rtattr *put(struct request *q, uint16_t type, const void *data,
			  size_t n)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(n);
	if (n)
		memcpy(RTA_DATA(a), data, n);
	q->head.nlmsg_len =
		NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

static struct rtattr *put_kind(struct request *q, const char *kind)
{
	put(q, TCA_KIND, kind, strlen(kind) + 1);
	return put(q, TCA_OPTIONS, NULL, 0);
}

static void end(struct request *q, struct rtattr *options)
{
	options->rta_len = (uint16_t)((char *)q + q->head.nlmsg_len -
				      (char *)options);
}

/* Send it and read the kernel's answer: 0 or -errno. */
static int exchange(struct request *q)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr err;
		uint8_t rest[512];
	} a;

	if (send(line, q, q->head.nlmsg_len, 0) < 0 ||
	    recv(line, &a, sizeof(a), 0) < (ssize_t)NLMSG_LENGTH(sizeof(a.err)))
		return -errno;
	return a.head.nlmsg_type == NLMSG_ERROR ? a.err.error : -EPROTO;
}

/* One more is no error. */
static int make(struct request *q)
{
	int r = exchange(q);

	return r == -EEXIST ? 0 : r;
}

/* ---- the tree -------------------------------------------------------------- */

static int put_class(const struct direction *d, uint32_t class, uint32_t parent,
		     const struct rate *r)
{
	struct request q = ask_of(d, RTM_NEWTCLASS, NLM_F_CREATE);
	uint64_t burst = r->ceil / 50; /* 20 ms: as late as we may be woken */
	uint64_t quantum = r->rate / 10;
	struct tc_htb_opt opt = {
		.rate = { .linklayer = TC_LINKLAYER_ETHERNET },
		.ceil = { .linklayer = TC_LINKLAYER_ETHERNET },
	};
	struct rtattr *options;

	if (burst < BURST_MIN)
		burst = BURST_MIN;
	opt.rate.rate = r->rate > UINT32_MAX ? UINT32_MAX : (uint32_t)r->rate;
	opt.ceil.rate = r->ceil > UINT32_MAX ? UINT32_MAX : (uint32_t)r->ceil;
	opt.buffer = (uint32_t)(burst * 1000000000ull / r->rate / TICK);
	opt.cbuffer = (uint32_t)(burst * 1000000000ull / r->ceil / TICK);
	opt.quantum = quantum < 1514	? 1514
		      : quantum > 60000 ? 60000
					: (uint32_t)quantum;
	q.tc.tcm_handle = ID(class);
	q.tc.tcm_parent = parent;
	options = put_kind(&q, "htb");
	put(&q, TCA_HTB_PARMS, &opt, sizeof(opt));
	if (r->rate > UINT32_MAX)
		put(&q, TCA_HTB_RATE64, &r->rate, sizeof(r->rate));
	if (r->ceil > UINT32_MAX)
		put(&q, TCA_HTB_CEIL64, &r->ceil, sizeof(r->ceil));
	end(&q, options);
	return exchange(&q);
}

static int put_root(const struct direction *d)
{
	struct request q =
		ask_of(d, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
	struct tc_htb_glob glob = { .version = HTB_VERSION,
				    .rate2quantum = 10 };
	uint32_t length = QUEUE;
	struct rtattr *options;

	q.tc.tcm_handle = ID(0);
	q.tc.tcm_parent = TC_H_ROOT;
	options = put_kind(&q, "htb");
	put(&q, TCA_HTB_INIT, &glob, sizeof(glob));
	put(&q, TCA_HTB_DIRECT_QLEN, &length, sizeof(length));
	end(&q, options);
	return make(&q);
}

/* Without handles of its own it takes a packet's mark for the class. */
static int put_filter(const struct direction *d)
{
	struct request q =
		ask_of(d, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL);

	q.tc.tcm_parent = ID(0);
	q.tc.tcm_info = 1u << 16 | htons(ETH_P_ALL);
	put(&q, TCA_KIND, "fw", sizeof("fw"));
	return make(&q);
}

/* Nothing of this is done on a node where no VE has a bandwidth. */
static int make_tree(struct direction *d)
{
	struct rate all = { all_rate, all_rate };
	int r = d->made ? 0 : put_root(d);

	if (r == 0 && !d->made)
		r = put_class(d, ALL, ID(0), &all);
	if (r == 0 && !d->made)
		r = put_filter(d);
	d->made = r == 0;
	return r;
}

static int put_queue(const struct direction *d, uint32_t class)
{
	struct request q =
		ask_of(d, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
	uint32_t length = QUEUE, flows = FLOWS, quantum = QUANTUM;
	struct rtattr *options;

	q.tc.tcm_handle = class << 16;
	q.tc.tcm_parent = ID(class);
	options = put_kind(&q, "fq_codel");
	put(&q, TCA_FQ_CODEL_LIMIT, &length, sizeof(length));
	put(&q, TCA_FQ_CODEL_FLOWS, &flows, sizeof(flows));
	put(&q, TCA_FQ_CODEL_QUANTUM, &quantum, sizeof(quantum));
	end(&q, options);
	return make(&q);
}

static int drop(const struct direction *d, uint32_t class)
{
	struct request q = ask_of(d, RTM_DELTCLASS, 0);
	int r;

	q.tc.tcm_handle = ID(class);
	r = exchange(&q);
	return r == -ENOENT || r == -EINVAL ? 0 : r;
}

static int set_way(struct direction *d, uint32_t class, const struct rate *rate)
{
	int r;

	if (!rate->rate)
		return d->made ? drop(d, class) : 0;
	r = make_tree(d);
	if (r == 0)
		r = put_class(d, class, ID(ALL), rate);
	return r == 0 ? put_queue(d, class) : r;
}

int shape_set(uint32_t class, const struct rate *up, const struct rate *down)
{
	int r = ways[0].device ? set_way(&ways[0], class, up) : 0;
	int s = ways[1].device ? set_way(&ways[1], class, down) : 0;

	return r < 0 ? r : s;
}

int shape_drop(uint32_t class)
{
	static const struct rate none;

	return shape_set(class, &none, &none);
}

/* ---- what is there already ------------------------------------------------- */

#define MOST 32768

/* Numbers of the classes of one direction into @classes. */
static unsigned list(const struct direction *d, uint16_t *classes)
{
	static uint8_t room[32768];
	struct request q = ask_of(d, RTM_GETTCLASS, NLM_F_DUMP);
	unsigned n = 0;
	ssize_t got;

	q.head.nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	if (send(line, &q, q.head.nlmsg_len, 0) < 0)
		return 0;
	while ((got = recv(line, room, sizeof(room), 0)) > 0) {
		struct nlmsghdr *h = (void *)room;
		unsigned left = (unsigned)got;

		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			const struct tcmsg *t = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_DONE ||
			    h->nlmsg_type == NLMSG_ERROR)
				return n;
			if (h->nlmsg_type == RTM_NEWTCLASS && n < MOST &&
			    t->tcm_handle >> 16 == SHAPE_MAJOR &&
			    (t->tcm_handle & 0xffff) > ALL)
				classes[n++] = t->tcm_handle & 0xffff;
		}
	}
	return n;
}

void shape_adopt(bool (*wanted)(void *arg, uint32_t class), void *arg)
{
	static uint16_t classes[MOST];

	for (unsigned i = 0; i < 2; i++) {
		unsigned n = ways[i].device ? list(&ways[i], classes) : 0;

		ways[i].made = n > 0;
		for (unsigned k = 0; k < n; k++)
			if (!wanted(arg, classes[k]))
				drop(&ways[i], classes[k]);
	}
}

void shape_open(const char *uplink, uint64_t rate)
{
	struct timeval limit = { .tv_sec = 5 };

	all_rate = rate;
	ways[0] = (struct direction){ if_nametoindex(uplink), false, uplink };
	ways[1] = (struct direction){ if_nametoindex(VENET), false, VENET };
	line = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (line < 0)
		fatal("netlink: %s", strerror(errno));
	setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	for (unsigned i = 0; i < 2; i++)
		if (!ways[i].device)
			log_warn("there is no %s: bandwidth on it is not"
				 " shared",
				 ways[i].name);
}
