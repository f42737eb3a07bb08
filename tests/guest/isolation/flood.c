// SPDX-License-Identifier: Apache-2.0
/*
 * What an operator reads in the log of a VE that does the same thing a thousand times: that it does, in few lines.
 * The node does it as often, and nothing is said of it.
 */
#include "iso.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define MANY 1000
#define MOST 30 /* lines: ten in five seconds, and a machine that stalls */
#define DEVICE "/flooded"

/*
 * A thousand openings of a device that is on no VE's list, and those of six seconds: the limit counts in five, which
 * another program may have used up.  With a name that the log has.
 */
static int open_devices(void)
{
	struct timespec begin, now;
	int n = 0, e, fd;

	prctl(PR_SET_NAME, "flood");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		fd = open(DEVICE, O_RDONLY);
		e = iso_errno(fd);
		if (fd >= 0)
			close(fd);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (++n < MANY || now.tv_sec - begin.tv_sec < 6);
	return e;
}

/* Once, by a VE that is not told of for the noise of another. */
static int open_once(void)
{
	int fd;

	prctl(PR_SET_NAME, "once");
	fd = open(DEVICE, O_RDONLY);
	return iso_errno(fd);
}

/* A thousand packets to the node from an address that is nobody's. */
static int forge_packets(void)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
	} p = { .ip = { .ihl = 5,
			.version = 4,
			.ttl = 4,
			.protocol = IPPROTO_UDP,
			.tot_len = htons(sizeof(p)),
			.saddr = htonl(0x0a4d0009),
			.daddr = htonl(0x0a4d0001) },
		.udp = { .source = htons(9), .dest = htons(5559), .len = htons(8) } };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = p.ip.daddr };
	int s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (s < 0)
		return errno;
	for (int i = 0; i < MANY; i++)
		if (sendto(s, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			return errno;
	return 0;
}

/* How often the log says @what, as far as it goes back. */
static int lines(const char *what)
{
	int size = klogctl(10 /* SYSLOG_ACTION_SIZE_BUFFER */, NULL, 0), n = 0;
	char *text = calloc(1, (size_t)size + 1);

	if (!text || klogctl(3 /* SYSLOG_ACTION_READ_ALL */, text, size) < 0)
		_exit(BROKEN);
	for (const char *at = text; (at = strstr(at, what)); at++)
		n++;
	printf("# \"%s\": %d lines\n", what, n);
	return n;
}

static int few_lines(const char *what)
{
	int n = lines(what);

	return n < 1 ? ENOENT : n > MOST ? EMSGSIZE : 0;
}

static int told_of_devices(void)
{
	return few_lines("VE 400, flood");
}

static int told_of_other(void)
{
	return few_lines("VE 401, once");
}

static int told_of_packets(void)
{
	return few_lines("venet: VE 400 sent from ::ffff:10.77.0.9");
}

static int told_of_node(void)
{
	return few_lines("VE 0, flood");
}

static const struct iso_row rows[] = {
	{ "opening a device a thousand times", NULL, open_devices, { 0, EPERM, NA, NA } },
	{ "opening it once, right after", NULL, open_once, { 0, NA, NA, EPERM } },
	{ "the log telling of that VE too", NULL, told_of_other, { 0, NA, NA, NA } },
	{ "the log telling of a VE that does, in few lines", NULL, told_of_devices, { 0, NA, NA, NA } },
	{ "the log telling of the node, which may", NULL, told_of_node, { ENOENT, NA, NA, NA } },
	{ "a thousand packets from an address of nobody", NULL, forge_packets, { NA, 0, NA, NA } },
	{ "the log telling of those, in few lines", NULL, told_of_packets, { 0, NA, NA, NA } },
};

static void make_device(const char *path)
{
	if (mknod(path, S_IFCHR | 0666, makedev(1, 11)) /* kmsg */ || chmod(path, 0666))
		die("%s", path);
}

static void setup(void)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/upper" DEVICE, iso_a.private);
	make_device(path);
	snprintf(path, sizeof(path), "%s/upper" DEVICE, iso_b.private);
	make_device(path);
	make_device(DEVICE);
	if (system("ip addr add 10.77.0.1/24 dev venet0 2>/dev/null; ip addr show venet0 | grep -q 10.77.0.1"))
		die("venet0");
	env_lend(&iso_a, AF_INET, "10.77.0.2");
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
