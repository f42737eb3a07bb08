// SPDX-License-Identifier: Apache-2.0
/*
 * provisioning/node/firewall between VEs, a node with services and a world: who reaches whom with the table, and what
 * would be reached without it.
 *
 *     VE A 10.77.0.2 fd00:77::2 ---+-- node 10.77.0.1 fd00:77::1 (venet0)
 *     VE B 10.77.0.3 fd00:77::3 ---+        198.51.100.1 fd00:51::1 (up0) --- world 198.51.100.2 169.254.169.254
 *
 * A packet that is dropped says nothing: the answer to a ping that was sent after it does.
 */
#include "envlib.h"
#include "tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TINY "/usr/share/ve/template/tiny"
#define SELF "/root/firewall"
#define SERVICE "7443" /* what the agent listens on */
#define FAR_SERVICE "80"
#define MAIL "25"
#define IP "/usr/sbin/ip " /* not the shell's own */

static char *init[] = { "/sbin/init", NULL };

/* ---- both ends ------------------------------------------------------------ */

static struct sockaddr_in6 at(const char *host, const char *port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_port =
					  htons((unsigned short)atoi(port)) };
	char mapped[64];

	snprintf(mapped, sizeof(mapped), "%s%s",
		 strchr(host, ':') ? "" : "::ffff:", host);
	if (inet_pton(AF_INET6, mapped, &a.sin6_addr) != 1)
		die("%s is no address", host);
	return a;
}

static int bound(int type, const char *host, const char *port)
{
	struct sockaddr_in6 a = at(host, port);
	int s = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) ||
	    bind(s, (struct sockaddr *)&a, sizeof(a)) ||
	    (type & SOCK_STREAM && listen(s, 64)))
		die("%s port %s", host, port);
	return s;
}

static bool pinged(const char *host)
{
	char line[128];

	snprintf(line, sizeof(line), "ping -c 1 -W 30 %s >/dev/null 2>&1",
		 host);
	return system(line) == 0;
}

/* Is there an answer of @host, good or bad, before that to a later ping of @marker? */
static int reach(const char *host, const char *port, const char *marker)
{
	struct sockaddr_in6 to = at(host, port);
	int s = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), error = 0;
	struct pollfd p = { .fd = s, .events = POLLOUT };

	if (!connect(s, (struct sockaddr *)&to, sizeof(to)))
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (!pinged(marker))
		return EIO;
	if (poll(&p, 1, 0) < 1)
		return ETIMEDOUT;
	return getsockopt(s, SOL_SOCKET, SO_ERROR, &error,
			  &(socklen_t){ sizeof(error) })
		       ? errno
		       : error;
}

/* A datagram by way of venet0, wherever the routes say that @host is. */
static int throw(const char *host, const char *port, const char *marker)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port =
					  htons((unsigned short)atoi(port)) };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, host, &to.sin_addr);
	if (setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "venet0", 7) ||
	    sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1)
		return errno;
	return pinged(marker) ? 0 : EIO;
}

/* A connection that says a byte, waits for one and says another. */
static int talk(const char *host, const char *port)
{
	struct sockaddr_in6 to = at(host, port);
	int s = socket(AF_INET6, SOCK_STREAM, 0);
	char c;

	if (connect(s, (struct sockaddr *)&to, sizeof(to)))
		return errno;
	return write(s, "a", 1) == 1 && read(s, &c, 1) == 1 &&
			       write(s, "b", 1) == 1
		       ? 0
		       : EIO;
}

/* ---- the node ------------------------------------------------------------- */

static int tcp, loop; /* the node's service, everywhere and on its loopback */
static struct env_ve a, b;

static void on_node(const char *script)
{
	if (system(script))
		die("%s", script);
}

static void table(bool there)
{
	on_node(there ? "sh /kit/firewall" : "nft delete table inet vestibule");
}

static int inside(const struct env_ve *ve, const char *what, const char *host,
		  const char *port, const char *marker)
{
	char *argv[] = { SELF,	       (char *)what,   (char *)host,
			 (char *)port, (char *)marker, NULL };
	int status = env_wait(env_run(ve, argv));

	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static void is_answer(int got, int want, const char *what)
{
	if (!ok(got == want, "%s: %s", what, want ? "dropped" : "passes"))
		printf("# %s\n", strerror(got));
}

/* Takes what came to @s off it: was there anything? */
static bool came(int s)
{
	char buf[8];
	bool any = false;

	while (recv(s, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		any = true;
	return any;
}

/* What of the node itself VE A reaches: @want of all, with the table (or without it). */
static void test_input(int want)
{
	is_answer(inside(&a, "reach", "10.77.0.1", SERVICE, "10.77.0.1"), want,
		  "the agent's port at the node's venet0");
	is_answer(inside(&a, "reach", "fd00:77::1", SERVICE, "fd00:77::1"),
		  want, "at its IPv6 address");
	is_answer(inside(&a, "reach", "198.51.100.1", SERVICE, "198.51.100.1"),
		  want, "at its address for the world");
	is_answer(inside(&a, "reach", "fd00:51::1", SERVICE, "fd00:51::1"),
		  want, "at that in IPv6");
	ok(!inside(&a, "throw", "127.0.0.1", SERVICE, "10.77.0.1"),
	   "a packet to 127.0.0.1 leaves by venet0");
	ok(came(loop) == !want, "and the node's loopback service %s",
	   want ? "does not see it" : "sees it");
}

static void test_node_itself(void)
{
	ok(!reach("10.77.0.1", SERVICE, "10.77.0.1") &&
		   !reach("fd00:77::1", SERVICE, "fd00:77::1") &&
		   !reach("198.51.100.1", SERVICE, "198.51.100.1"),
	   "the node reaches its own service at each address");
	ok(!reach("10.77.0.2", "80", "10.77.0.2") &&
		   !reach("fd00:77::2", "80", "fd00:77::2"),
	   "it reaches a VE's server, whose answers pass");
}

static void test_between(void)
{
	is_answer(inside(&a, "reach", "10.77.0.3", "80", "10.77.0.3"), 0,
		  "VE A to VE B's server");
	is_answer(inside(&a, "reach", "fd00:77::3", "80", "fd00:77::3"), 0,
		  "by IPv6");
}

static struct {
	int to_node,
		from_node; /* ends of pipes: it answers there what it is asked here */
} world;

/* A machine beyond the uplink, in a network namespace that is left at its end. */
static void be_world(int in, int out)
{
	char line[64], *host, *port;
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) || write(out, "x", 1) != 1 ||
	    read(in, line, 1) != 1)
		_exit(1);
	on_node(IP "link set lo up && " IP "link set far0 up && " IP
		   "addr add 198.51.100.2/24 dev far0 &&" IP
		   "addr add 169.254.169.254/32 dev far0 && " IP
		   "-6 addr add fd00:51::2/64 dev far0 nodad &&" IP
		   "route add 10.77.0.0/24 via 198.51.100.1 && " IP
		   "-6 route add fd00:77::/64 via fd00:51::1");
	bound(SOCK_STREAM, "::", FAR_SERVICE);
	bound(SOCK_STREAM, "::", MAIL);
	if (write(out, "x", 1) != 1)
		_exit(1);
	while ((n = read(in, line, sizeof(line) - 1)) > 0) {
		line[n] = 0;
		host = strtok(line, " ");
		port = strtok(NULL, " ");
		if (dprintf(out, "%c", reach(host, port, "198.51.100.1")) != 1)
			break;
	}
	_exit(0);
}

static int from_world(const char *host, const char *port)
{
	char answer;

	if (dprintf(world.to_node, "%s %s", host, port) < 1 ||
	    read(world.from_node, &answer, 1) != 1)
		die("the world ended");
	return answer;
}

static void make_world(void)
{
	int in[2], out[2], pid;
	char line[128], c;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (!pid)
		be_world(in[0], out[1]);
	world.to_node = in[1];
	world.from_node = out[0];
	if (read(out[0], &c, 1) != 1)
		die("the world's network");
	snprintf(line, sizeof(line),
		 IP "link add up0 type veth peer name far0 && " IP
		    "link set far0 netns %d",
		 pid);
	on_node(line);
	on_node(IP "link set up0 up && " IP
		   "addr add 198.51.100.1/24 dev up0 && " IP
		   "-6 addr add fd00:51::1/64 dev up0 nodad &&" IP
		   "route add 169.254.169.254 dev up0");
	if (write(in[1], "x", 1) != 1 || read(out[0], &c, 1) != 1)
		die("the world");
	/* Both ends know each other's link addresses from now on. */
	if (!pinged("198.51.100.2") || !pinged("fd00:51::2") ||
	    !pinged("169.254.169.254"))
		die("the world is not there");
}

static void test_world(bool egress)
{
	int want = egress ? 0 : ETIMEDOUT;

	is_answer(inside(&a, "reach", "198.51.100.2", FAR_SERVICE, "10.77.0.1"),
		  want,
		  egress ? "VE A to the world with egress"
			 : "VE A to the world without egress");
	is_answer(inside(&a, "reach", "fd00:51::2", FAR_SERVICE, "fd00:77::1"),
		  want, "by IPv6");
	is_answer(inside(&a, "reach", "198.51.100.2", MAIL, "10.77.0.1"),
		  ETIMEDOUT, "to a port of mail");
	is_answer(inside(&a, "reach", "169.254.169.254", FAR_SERVICE,
			 "10.77.0.1"),
		  ETIMEDOUT, "to a cloud's metadata");
	is_answer(from_world("10.77.0.2", "80"), ETIMEDOUT,
		  "the world to VE A");
	is_answer(from_world("198.51.100.1", SERVICE), 0,
		  "the world to the node's service");
}

/* Without the table all of that passes. */
static void test_open_world(void)
{
	is_answer(inside(&a, "reach", "198.51.100.2", FAR_SERVICE, "10.77.0.1"),
		  0, "without the table: VE A to the world");
	is_answer(inside(&a, "reach", "fd00:51::2", FAR_SERVICE, "fd00:77::1"),
		  0, "by IPv6");
	is_answer(inside(&a, "reach", "198.51.100.2", MAIL, "10.77.0.1"), 0,
		  "to a port of mail");
	is_answer(inside(&a, "reach", "169.254.169.254", FAR_SERVICE,
			 "10.77.0.1"),
		  0, "to a cloud's metadata");
	is_answer(from_world("10.77.0.2", "80"), 0, "the world to VE A");
}

/* A connection from before the table is cut by it only where a new one would be as well. */
static void test_established(void)
{
	char *argv[] = { SELF, "talk", "10.77.0.1", SERVICE, NULL };
	int proc, s;
	char c;

	while ((s = accept(tcp, NULL, NULL)) >= 0) /* of those before */
		close(s);
	proc = env_run(&a, argv);
	if (!(env_poll(tcp, POLLIN, 30000) & POLLIN) ||
	    (s = accept(tcp, NULL, NULL)) < 0)
		die("no connection of VE A's");
	ok(env_poll(s, POLLIN, 30000) & POLLIN && read(s, &c, 1) == 1 &&
		   c == 'a',
	   "without the table: VE A's connection to the node");
	table(true);
	ok(write(s, "x", 1) == 1 && env_poll(s, POLLIN, 30000) & POLLIN &&
		   read(s, &c, 1) == 1 && c == 'b',
	   "what is established goes on when the table comes");
	ok(!env_wait(proc), "at both ends");
	close(s);
}

static void start(struct env_ve *ve, envid_t veid, const char *four,
		  const char *six)
{
	struct env_create_args args;
	char out[256];

	env_prepare(ve, veid, TINY, &args, init);
	env_put(ve, "/proc/self/exe", "firewall");
	ve->fd = env_create(&args, sizeof(args));
	if (ve->fd < 0)
		die("env_create");
	close(args.root_fd);
	env_lend(ve, AF_INET, four);
	env_lend(ve, AF_INET6, six);
	if (env_sh(ve, "httpd -p 80 -h /tmp", out, sizeof(out)))
		die("a server in VE %u", veid);
}

static int all(void)
{
	env_require();
	/* 127.0.0.1 is answered on venet0 only where a node was set up badly: the table has to hold even then. */
	on_node(IP
		"addr add 10.77.0.1/24 dev venet0 && " IP
		"-6 addr add fd00:77::1/64 dev venet0 nodad &&"
		"echo 1 >/proc/sys/net/ipv4/conf/venet0/route_localnet && echo 0 >/proc/sys/net/ipv4/conf/venet0/rp_filter &&"
		"echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter && echo 'uplink up0' >/etc/ve-agentd.conf && mkdir -p /etc/vestibule");
	make_world();
	start(&a, 500, "10.77.0.2", "fd00:77::2");
	start(&b, 501, "10.77.0.3", "fd00:77::3");
	tcp = bound(SOCK_STREAM | SOCK_NONBLOCK, "::", SERVICE);
	loop = bound(SOCK_DGRAM, "127.0.0.1", SERVICE);

	puts("# without the table");
	test_input(0);
	test_open_world();
	puts("# with it");
	test_established();
	test_input(ETIMEDOUT);
	test_node_itself();
	test_between();
	test_world(false);
	puts("# with egress, made anew");
	on_node("echo route >/etc/vestibule/egress");
	table(true);
	test_input(ETIMEDOUT);
	test_world(true);
	puts("# removed again");
	table(false);
	test_input(0);
	env_destroy(&a);
	env_destroy(&b);
	return tap_done();
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "reach"))
		return reach(argv[2], argv[3], argv[4]);
	if (argc == 5 && !strcmp(argv[1], "throw"))
		return throw(argv[2], argv[3], argv[4]);
	if (argc == 4 && !strcmp(argv[1], "talk"))
		return talk(argv[2], argv[3]);
	return all();
}
