// SPDX-License-Identifier: GPL-2.0-only
/*
 * What packets and routes bring about, and what waits in sockets of any kind, is
 * the VE's; and what the machine has one of is not one VE's to take.
 */
#include "eater.h"
#include "envlib.h"
#include "tap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char out[4096];

static const struct row {
	const char *name;	/* of shared_eat */
	int resource;
	int many;
	uint64_t unit;		/* bytes that one takes, at least */
	int error, error2;	/* of a refusal, if who asks hears of it */
	bool stays;		/* for a minute */
} rows[] = {
	{ "route4", UB_KMEMSIZE, 2000, 200, ENOMEM, ENOBUFS },
	{ "route6", UB_KMEMSIZE, 2000, 300, ENOMEM },
	{ "halfopen", UB_KMEMSIZE, 2000, 200 },
	{ "contexts", UB_KMEMSIZE, 200, 1000, ENOMEM },
	{ "raw", UB_DGRAMRCVBUF, 50, 1024 },
	{ "netlink", UB_DGRAMRCVBUF, 50, 1024, ENOBUFS },
	{ "errors", UB_DGRAMRCVBUF, 50, 256 },
	{ "timewait", UB_KMEMSIZE, 1000, 150, .stays = true }, /* the last, for that */
};

/* All that is freed is kept for a while, and stays charged: what rises can be seen. */
static bool kasan;

static void test_row(const struct env_ve *ve, const struct row *r)
{
	int many = kasan ? r->many / 5 : r->many; /* it is slow */
	struct eater e = eat(ve, r->name, 1);
	uint64_t base = stat_of(ve, r->resource).held, want = r->unit * (uint64_t)(many - 1);
	uint64_t slack = r->resource == UB_KMEMSIZE ? 64 << 10 : 0; /* caches of a CPU */
	struct env_ubstat s, s2;

	finish(&e);
	e = eat(ve, r->name, many);
	s = stat_of(ve, r->resource);
	if (!ok(e.got == many && s.held >= base + want, "%s: held rises with use", r->name))
		printf("# took %d of %d, errno %s, held %llu, before %llu\n", e.got, many,
		       strerror(e.error), (unsigned long long)s.held, (unsigned long long)base);
	finish(&e);
	if (r->stays || (kasan && r->resource == UB_KMEMSIZE))
		return;
	if (!ok(settle(ve, r->resource, base + slack) <= base + slack,
		"%s: and falls when it is given back", r->name))
		printf("# before %llu after %llu\n", (unsigned long long)base,
		       (unsigned long long)stat_of(ve, r->resource).held);

	/* Room for half as much. */
	s = stat_of(ve, r->resource);
	env_bound(ve, r->resource, s.held + want / 2);
	e = eat(ve, r->name, many);
	s2 = stat_of(ve, r->resource);
	if (!ok(s2.failcnt > s.failcnt && s2.held <= s.held + want / 2 + (64 << 10) &&
		(!r->error || (e.got < many && (e.error == r->error || e.error == r->error2))),
		"%s: a bound refuses", r->name))
		printf("# took %d of %d, errno %s, held %llu of %llu, failcnt from %llu to %llu\n", e.got, many,
		       strerror(e.error), (unsigned long long)s2.held, (unsigned long long)(s.held + want / 2),
		       (unsigned long long)s.failcnt, (unsigned long long)s2.failcnt);
	env_bound(ve, r->resource, UB_MAXVALUE);
	finish(&e);
	settle(ve, r->resource, s.held + slack);
}

/* Of a router that it plays itself a VE hears nothing: no route comes of it. */
static void test_advert(const struct env_ve *ve)
{
	struct eater e;
	long before;

	env_sh(ve, "wc -l </proc/net/ipv6_route", out, sizeof(out));
	before = atol(out);
	e = eat(ve, "advert", 100);
	env_sh(ve, "wc -l </proc/net/ipv6_route; awk '/^Icmp6InRouterAdvertisements/ { print $2 }' /proc/net/snmp6", out, sizeof(out));
	if (!ok(e.got == 100 && strstr(out, "\n100\n") && atol(out) == before, "a VE that plays the router for itself gets no routes"))
		printf("# sent %d, had %ld, has and heard: %s\n", e.got, before, out);
	finish(&e);
}

/* Requests of AIO are counted, of each VE and of the node apart. */
static void test_aio(const struct env_ve *a, const struct env_ve *b)
{
	unsigned long context = 0;
	struct eater ea = eat(a, "aio", 2), eb;

	if (!ok(ea.got == 1 && ea.error == EAGAIN, "a VE has as many requests of AIO as there may be"))
		printf("# took %d, errno %s\n", ea.got, strerror(ea.error));
	eb = eat(b, "aio", 1);
	ok(eb.got == 1, "another has as many");
	ok(!syscall(SYS_io_setup, 65536, &context) && !syscall(SYS_io_destroy, context), "and the node");
	finish(&ea);
	finish(&eb);
	ea = eat(a, "aio", 1);
	ok(ea.got == 1, "they come back with the process that had them");
	finish(&ea);
}

/* Fragments of TCP are sent like another protocol's packets, and are charged as TCP. */
static void test_fragments(const struct env_ve *ve)
{
	uint64_t before = stat_of(ve, UB_TCPSNDBUF).held, after;
	struct eater e = eat(ve, "fragments", 20);

	env_sh(ve, "awk '/^Ip:/ { n = $20 } END { print n }' /proc/net/snmp", out, sizeof(out));
	finish(&e);
	after = settle(ve, UB_TCPSNDBUF, before);
	if (!ok(e.got == 20 && atol(out) > 20 && after == before, "fragments of TCP come back to tcpsndbuf"))
		printf("# took %d, %ld fragments, from %llu to %llu\n", e.got, atol(out), (unsigned long long)before,
		       (unsigned long long)after);
}

/* Sectors that were written to the loop device below a file system of the node. */
static long long written(void)
{
	long long n = -1;
	FILE *f = fopen("/sys/block/loop5/stat", "r");

	if (!f || fscanf(f, "%*s %*s %*s %*s %*s %*s %lld", &n) != 1)
		die("/sys/block/loop5/stat");
	fclose(f);
	return n;
}

static void test_sync(const struct env_ve *ve)
{
	long long before;

	if (system("dd if=/dev/zero of=/run/other.img bs=1048576 count=16 2>/dev/null && mke2fs -F /run/other.img >/dev/null 2>&1 &&"
		   " mkdir -p /run/other && losetup /dev/loop5 /run/other.img && mount -t ext4 /dev/loop5 /run/other &&"
		   " sync && echo something >/run/other/file"))
		die("a file system of the node");
	before = written();
	ok(!env_sh(ve, "sync", out, sizeof(out)), "a VE syncs");
	ok(written() == before, "what it has nothing to do with is not written");
	sync();
	ok(written() > before, "the node syncs all there is");
	if (system("umount /run/other; losetup -d /dev/loop5; rm /run/other.img"))
		die("undoing it");
}

int main(void)
{
	struct env_ve a, b;

	env_require();
	kasan = !access("/sys/kernel/debug/kmemleak", F_OK); /* the debug kernel has both */
	a = eater_ve(900, "shared_eat");
	b = eater_ve(901, "shared_eat");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		test_row(&a, &rows[i]);
	test_advert(&a);
	test_aio(&a, &b);
	test_sync(&b);
	test_fragments(&b);
	env_destroy(&a);
	env_destroy(&b);
	return tap_done();
}
