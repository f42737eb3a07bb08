// SPDX-License-Identifier: Apache-2.0
/*
 * What sleeps costs: a VE with an init and a shell at a pty, frozen and its memory given back, beside the same in
 * containers of crun.  Runs in a guest, see idle.sh.
 *
 *   bench_idle vestibule AGENT CONF MODE COUNT    the agent's part priv does everything; its api is played here
 *   bench_idle crun_frozen crun BUNDLE MODE COUNT
 *
 * COUNT of them are made and sleep all at once (resident_idle: what the machine has less for each; own_idle and
 * own_swapped: its control group's), then each is woken, by a command that is typed.  Prints what tests/bench/run
 * reads; behind '#' where the machine's memory went.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/bean.h"
#include "agent/msg.h"
#include "envlib.h"

#define WARM 8		/* come before the first look, for what is made once */
#define MOST 2000
#define FIRST 1000
#define HELPERS "/sys/fs/cgroup/priv"

static const char *mode, *unit, *subject;

static struct sleeper {
	int master;	/* of its shell's pty */
	int events;	/* cgroup.events */
	char cgroup[80];
} sleepers[MOST];

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void row(const char *metric, const char *u, double v)
{
	printf("%s %s %s %s %.1f\n", metric, mode, subject, u, v);
}

/* ---- files ---------------------------------------------------------------- */

static void put(const char *dir, const char *file, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* memory.reclaim says EAGAIN of what cannot be had */
	if (fd < 0 || (write(fd, text, strlen(text)) < 0 && errno != EAGAIN))
		die("%s", path);
	close(fd);
}

static void get(const char *dir, const char *file, char *out, size_t size)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, out, size - 1);
	if (n < 0)
		die("%s", path);
	out[n] = '\0';
	close(fd);
}

static double get_kib(const struct sleeper *s, const char *file)
{
	char text[32];

	get(s->cgroup, file, text, sizeof(text));
	return (double)atoll(text) / 1024;
}

static void open_events(struct sleeper *s)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/cgroup.events", s->cgroup);
	s->events = open(path, O_RDONLY | O_CLOEXEC);
	if (s->events < 0)
		die("%s", path);
}

static void await_frozen(const struct sleeper *s, bool frozen)
{
	struct pollfd p = { .fd = s->events, .events = POLLPRI };
	char text[64];
	ssize_t n;

	for (;;) {
		n = pread(s->events, text, sizeof(text) - 1, 0);
		if (n < 0)
			die("cgroup.events");
		text[n] = '\0';
		if (!!strstr(text, "frozen 1") == frozen)
			return;
		if (poll(&p, 1, 10000) == 0)
			die("%s: not %s in ten seconds", s->cgroup, frozen ? "frozen" : "thawed");
	}
}

/* ---- memory ---------------------------------------------------------------- */

#define ROWS_MAX 4096

static struct look {
	unsigned int nr;
	struct {
		char name[56];
		double kib;
	} rows[ROWS_MAX];
	double used;
} looks[2];

static void note(struct look *l, const char *what, const char *name, double kib)
{
	if (l->nr == ROWS_MAX)
		return;
	snprintf(l->rows[l->nr].name, sizeof(l->rows[0].name), "%s%.47s", what, name);
	l->rows[l->nr++].kib = kib;
}

static void read_rows(struct look *l)
{
	unsigned long long v, pages;
	char line[256], name[64];
	FILE *f;

	f = fopen("/proc/meminfo", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63[^:]: %llu", name, &v) == 2)
			note(l, "", name, (double)v);
	if (f)
		fclose(f);
	f = fopen("/proc/slabinfo", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %*u %*u %*u %*u %llu : tunables %*u %*u %*u : slabdata %*u %llu", name, &pages, &v) == 3)
			note(l, "slab ", name, (double)(v * pages * 4));
	if (f)
		fclose(f);
	/* a kernel that was built to say who allocated what */
	f = fopen("/proc/allocinfo", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llu %*u %63s", &v, name) == 2 && v >= 65536)
			note(l, "", name, (double)v / 1024);
	if (f)
		fclose(f);
}

/* What of the machine's memory is nobody's to give back, once it has come to rest. */
static void look(struct look *l)
{
	long last = -1, total = 0, left = 0;
	char line[128];
	FILE *f;

	for (int same = 0; same < 5;) {
		sync();
		put("/proc/sys/vm", "drop_caches", "3");
		f = fopen("/proc/meminfo", "re");
		while (f && fgets(line, sizeof(line), f)) {
			sscanf(line, "MemTotal: %ld", &total);
			sscanf(line, "MemFree: %ld", &left);
		}
		if (f)
			fclose(f);
		same = labs(total - left - last) < 64 ? same + 1 : 0;
		last = total - left;
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	}
	l->nr = 0;
	l->used = (double)last;
	read_rows(l);
}

static void say_where(int count)
{
	static char stat[8192];
	char *rest = stat;

	get(sleepers[WARM].cgroup, "memory.stat", stat, sizeof(stat));
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *value = strchr(line, ' ');

		if (!strncmp(line, "workingset", 10))
			break; /* bytes until here, then events */
		if (value && atoll(value) >= 4096)
			printf("# %s: charged to one: %.*s %lld KiB\n", subject, (int)(value - line), line, atoll(value) / 1024);
	}
	for (unsigned int i = 0; i < looks[1].nr; i++) {
		double each = looks[1].rows[i].kib;

		for (unsigned int k = 0; k < looks[0].nr; k++)
			if (!strcmp(looks[0].rows[k].name, looks[1].rows[i].name))
				each -= looks[0].rows[k].kib;
		each /= count;
		if (each >= 1 || each <= -1)
			printf("# %s: %-28s %8.1f KiB each\n", subject, looks[1].rows[i].name, each);
	}
}

/* ---- a shell ---------------------------------------------------------------- */

/* Read until @what was said. */
static void expect(const struct sleeper *s, const char *what)
{
	static char text[8192];
	size_t n = 0;

	for (;;) {
		ssize_t r;

		if (!env_poll(s->master, POLLIN, 60000))
			die("%s: its shell does not say '%s' in a minute, but '%s'", s->cgroup, what, n ? text : "");
		r = read(s->master, text + n, sizeof(text) - 1 - n);
		if (r <= 0)
			die("%s: its shell hung up", s->cgroup);
		n += (size_t)r;
		text[n] = '\0';
		if (strstr(text, what))
			return;
		if (n > sizeof(text) / 2)
			die("%s: its shell talks too much", s->cgroup);
	}
}

static void type(const struct sleeper *s, const char *line)
{
	if (write(s->master, line, strlen(line)) < 0)
		die("%s: nothing can be typed", s->cgroup);
}

/* ---- ours: by the agent's part priv ------------------------------------------ */

static int priv, supervisor;

static void link_up(int line, uint32_t what, int fd)
{
	struct msg_link_is l = { .head.type = MSG_LINK, .what = what };

	if (msg_send(line, &l, &fd, 1) < 0)
		die("the agent does not listen");
}

/* As the supervisor does; alone in its control group, where its helpers can be counted. */
static void start_priv(const char *agent, const char *conf)
{
	int line[2], ours[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ours))
		die("socketpair");
	mkdir(HELPERS, 0755);
	if (fork() == 0) {
		put(HELPERS, "cgroup.procs", "0");
		if (dup2(line[1], 3) < 0)
			die("dup2");
		execl(agent, "ve-agentd", "-P", "priv", "-c", conf, NULL);
		die("%s", agent);
	}
	close(line[1]);
	priv = ours[0];
	supervisor = line[0];
	link_up(supervisor, LINK_API, ours[1]);
	close(ours[1]);
}

/* What priv gives the supervisor to keep stays open, as it does there. */
static void keep(void)
{
	struct msg m;

	while (msg_recv_now(supervisor, &m) == 0)
		;
}

/* Ask and wait for the end; what is told meanwhile is heard. */
static void ask(void *request, struct msg *answer)
{
	static uint32_t id;
	struct msg_head *head = request;
	int r;

	head->id = ++id;
	if (msg_send(priv, request, NULL, 0) < 0)
		die("priv does not listen");
	for (;;) {
		r = msg_recv(priv, answer);
		if (r < 0) {
			errno = -r;
			die("priv hung up");
		}
		if (answer->m.head.type == MSG_DONE && answer->m.head.id == id)
			break;
		msg_fini(answer);
	}
	if (answer->m.done.code < 0) {
		errno = -answer->m.done.code;
		die("priv: %s", answer->m.done.text);
	}
	keep();
}

/* The plan of a new subscriber. */
static void plan(struct limits *l)
{
	static const struct {
		const char *name;
		uint64_t barrier, limit;
	} rows[] = {
		{ "kmemsize", 67108864, 75497472 }, { "lockedpages", 1024, 1024 },    { "privvmpages", 131072, 139264 },
		{ "shmpages", 16384, 16384 },	    { "numtcpsock", 256, 256 },	      { "numflock", 256, 288 },
		{ "numpty", 32, 32 },		    { "numsiginfo", 512, 512 },	      { "tcpsndbuf", 8388608, 12582912 },
		{ "tcprcvbuf", 8388608, 12582912 }, { "othersockbuf", 4194304, 8388608 }, { "dgramrcvbuf", 4194304, 4194304 },
		{ "numothersock", 256, 256 },	    { "dcachesize", 16777216, 18874368 }, { "numfile", 4096, 4096 },
	};

	*l = (struct limits){
		.memory = 128 << 20, .disk = 1 << 30, .processes = 128, .cpu_weight = 100, .egress = 1,
		.flow_rate = 20, .flow_burst = 200,
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		bean_set(&l->beans, (unsigned int)bean_find(rows[i].name), rows[i].barrier, rows[i].limit);
}

static void start_ve(struct sleeper *s, int i)
{
	struct msg_start start = { .head.type = MSG_START, .veid = (uint32_t)(FIRST + i), .slot = (uint32_t)(16 + i),
				   .template = "tiny" };
	struct msg_tty tty = { .head.type = MSG_TTY, .veid = start.veid, .cols = 80, .rows = 24, .template = "tiny" };
	struct msg m;

	plan(&start.limits);
	snprintf(start.hostname, sizeof(start.hostname), "ve%d", i);
	start.ipv6 = (struct addr){ .family = 6, .bytes = { 0xfd, 0, 0, 0x77, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i } };
	ask(&start, &m);
	msg_fini(&m);
	ask(&tty, &m);
	s->master = m.fds[0]; /* its exit status stays open too, as in term */
	snprintf(s->cgroup, sizeof(s->cgroup), "/sys/fs/cgroup/ve/%d", FIRST + i);
}

static void set_ve(const struct sleeper *s, uint32_t frozen)
{
	struct msg_ve freeze = { .head.type = MSG_FREEZE, .veid = (uint32_t)(FIRST + (s - sleepers)), .arg = frozen };
	struct msg m;

	ask(&freeze, &m);
	msg_fini(&m);
}

/* Priv has given the memory back when it is alone again. */
static void reclaim_ve(const struct sleeper *s)
{
	char text[256];

	(void)s;
	for (uint64_t until = now() + 60000000000u;;) {
		get(HELPERS, "cgroup.procs", text, sizeof(text));
		if (strchr(text, '\n') == strrchr(text, '\n'))
			return;
		if (now() > until)
			die("priv's helpers do not end in a minute");
		nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
	}
}

/* ---- crun and the freezer ----------------------------------------------------- */

static const char *crun, *bundle;

static void run(char *const argv[])
{
	int status, pid = fork();

	if (pid == 0) {
		int log = open("/tmp/crun.log", O_RDWR | O_CREAT | O_APPEND, 0644);

		for (int fd = 0; fd < 3; fd++)
			dup2(log, fd); /* the container's init talks too */
		execvp(argv[0], argv);
		die("%s", argv[0]);
	}
	if (waitpid(pid, &status, 0) < 0 || status)
		die("%s %s: status %d; /tmp/crun.log says why", argv[0], argv[2], status);
}

/* The master that crun sends to its console's socket. */
static int take_master(int listener)
{
	char byte[256], control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { byte, sizeof(byte) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), master;
	struct cmsghdr *c;

	if (fd < 0 || recvmsg(fd, &h, MSG_CMSG_CLOEXEC) < 0)
		die("the console's socket");
	c = CMSG_FIRSTHDR(&h);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		die("no terminal came");
	memcpy(&master, CMSG_DATA(c), sizeof(master));
	close(fd);
	return master;
}

static void find_cgroup(struct sleeper *s, const char *pidfile)
{
	char pid[16], proc[32], text[128], *at;

	get("/tmp", pidfile, pid, sizeof(pid));
	snprintf(proc, sizeof(proc), "/proc/%d", atoi(pid));
	get(proc, "cgroup", text, sizeof(text));
	at = strstr(text, "0::/");
	if (!at)
		die("%s has no control group", proc);
	snprintf(s->cgroup, sizeof(s->cgroup), "/sys/fs/cgroup%.*s", (int)strcspn(at + 3, "\n"), at + 3);
}

/* init first, the shell beside it, as in a VE. */
static void start_crun(struct sleeper *s, int i)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/tmp/console" };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char id[16];
	char *create[] = { (char *)crun, "--cgroup-manager=cgroupfs", "run", "-d", "-b", (char *)bundle,
			   "--pid-file", "/tmp/pid", id, NULL };
	char *exec[] = { (char *)crun, "--cgroup-manager=cgroupfs", "exec", "-d", "-t", "--console-socket", un.sun_path,
			 id, "/bin/sh", "-l", NULL };

	snprintf(id, sizeof(id), "c%d", i);
	unlink(un.sun_path);
	if (listener < 0 || bind(listener, (struct sockaddr *)&un, sizeof(un)) || listen(listener, 1))
		die("%s", un.sun_path);
	run(create);
	run(exec);
	s->master = take_master(listener);
	close(listener);
	find_cgroup(s, "pid");
}

static void set_crun(const struct sleeper *s, uint32_t frozen)
{
	put(s->cgroup, "cgroup.freeze", frozen ? "1" : "0");
}

static void reclaim_crun(const struct sleeper *s)
{
	char size[24];

	get(s->cgroup, "memory.current", size, sizeof(size));
	put(s->cgroup, "memory.reclaim", size);
}

/* ---- the measurement ---------------------------------------------------------- */

static void (*start)(struct sleeper *s, int i);
static void (*set)(const struct sleeper *s, uint32_t frozen);
static void (*reclaim)(const struct sleeper *s);

static void go_to_sleep(struct sleeper *s, bool measured)
{
	uint64_t begin = now();

	set(s, 1);
	await_frozen(s, true);
	if (measured)
		row("freeze", unit, (double)(now() - begin));
	reclaim(s);
}

static void wake(struct sleeper *s)
{
	uint64_t begin = now();

	set(s, 0);
	await_frozen(s, false);
	row("resume", unit, (double)(now() - begin));
	type(s, "echo x\n");
	expect(s, "\nx\r\n"); /* not what was typed */
	row("first_command", unit, (double)(now() - begin));
}

static void make(int i)
{
	struct sleeper *s = &sleepers[i];

	start(s, i);
	/* busybox asks where the cursor is, and naps at the next line's end when no terminal says it */
	expect(s, "\x1b[6n");
	type(s, "\x1b[1;10R");
	open_events(s);
}

static void measure(int count)
{
	for (int i = 0; i < WARM; i++) {
		make(i);
		go_to_sleep(&sleepers[i], false);
	}
	look(&looks[0]);
	for (int i = WARM; i < WARM + count; i++)
		make(i);
	for (int i = WARM; i < WARM + count; i++)
		go_to_sleep(&sleepers[i], true);
	look(&looks[1]);
	row("resident_idle", "KiB", (looks[1].used - looks[0].used) / count);
	for (int i = WARM; i < WARM + count; i++) {
		row("own_idle", "KiB", get_kib(&sleepers[i], "memory.current"));
		row("own_swapped", "KiB", get_kib(&sleepers[i], "memory.swap.current"));
	}
	say_where(count);
	for (int i = WARM; i < WARM + count; i++)
		wake(&sleepers[i]);
}

int main(int argc, char **argv)
{
	int count = argc == 6 ? atoi(argv[5]) : 0;

	if (count < 1 || count > MOST - WARM) {
		fputs("usage: bench_idle vestibule|crun_frozen PROGRAM CONF MODE COUNT\n", stderr);
		return 2;
	}
	env_require();
	subject = argv[1];
	mode = argv[4];
	unit = !strcmp(mode, "icount") ? "instructions" : "ns";
	if (!strcmp(subject, "vestibule")) {
		start_priv(argv[2], argv[3]);
		start = start_ve;
		set = set_ve;
		reclaim = reclaim_ve;
	} else {
		crun = argv[2];
		bundle = argv[3];
		start = start_crun;
		set = set_crun;
		reclaim = reclaim_crun;
	}
	measure(count);
	return 0;
}
