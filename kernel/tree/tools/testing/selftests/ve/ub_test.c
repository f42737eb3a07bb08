// SPDX-License-Identifier: GPL-2.0-only
/*
 * User Beancounters: each row by its kind.  ub_eat runs inside a VE and takes
 * of a resource; from outside the row is read, bounded, and read again when
 * everything was given back.
 */
#include "eater.h"
#include "envlib.h"
#include "tap.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TINY "/usr/share/ve/template/tiny"

static char out[65536];
static uint64_t cpus;

enum kind {
	EXACT,	/* one of it is so many units, and a refusal is one failcnt */
	BYTES,	/* it is at least so many, and the kernel may ask more than once */
};

static const struct row {
	const char *name;
	int resource;
	enum kind kind;
	uint64_t unit;		/* held by one, at least */
	int error, error2;	/* of a refusal */
	int few;		/* taken without a bound */
	uint64_t slack;		/* bytes that caches and forced charges may make it more */
	int told;		/* failcnt of one refusal; 0: 1 or more */
	uint64_t batch;		/* that a CPU may have kept to itself, of maxheld */
} rows[] = {
	{ "numproc", UB_NUMPROC, EXACT, 1, EAGAIN, 0, 20, 0, 1 },
	{ "numfile", UB_NUMFILE, EXACT, 1, ENFILE, 0, 100, 0, 1, 32 },
	{ "numflock", UB_NUMFLOCK, EXACT, 1, ENOLCK, 0, 20, 0, 1 },
	{ "numpty", UB_NUMPTY, EXACT, 1, ENOSPC, 0, 10, 0, 1 },
	{ "numsiginfo", UB_NUMSIGINFO, EXACT, 1, EAGAIN, 0, 20, 0, 1 },
	{ "numtcpsock", UB_NUMTCPSOCK, EXACT, 1, ENOMEM, 0, 20, 0, 1 },
	{ "numothersock", UB_NUMOTHERSOCK, EXACT, 1, ENOMEM, 0, 20, 0, 1 },
	{ "numiptent", UB_NUMIPTENT, EXACT, 1, ENOMEM, 0, 20, 0, 1 },
	{ "privvmpages", UB_PRIVVMPAGES, EXACT, 256, ENOMEM, 0, 20, 0, 1, 64 },
	{ "lockedpages", UB_LOCKEDPAGES, EXACT, 16, ENOMEM, EAGAIN, 20, 0, 1 },
	/* tmpfs asks once more when it has looked for huge pages to split. */
	{ "shmpages", UB_SHMPAGES, BYTES, 1, ENOSPC, 0, 100, 0, 2 },
	/* One call takes many allocations, and some are tried again. */
	{ "kmemsize", UB_KMEMSIZE, BYTES, 8000, ENOMEM, 0, 100, 256 << 10 },
	{ "dcachesize", UB_DCACHESIZE, BYTES, 180, ENOMEM, ENOSPC, 400 },
	/* TCP comes again by itself. */
	{ "tcpsndbuf", UB_TCPSNDBUF, BYTES, 0, EAGAIN, 0, 100000, 64 << 10, 0, 128 << 10 },
	{ "tcprcvbuf", UB_TCPRCVBUF, BYTES, 0, EAGAIN, 0, 100000, 0, 0, 128 << 10 },
	{ "othersockbuf", UB_OTHERSOCKBUF, BYTES, 1024, ENOBUFS, 0, 50, 0, 1, 128 << 10 },
	/* Who sends does not hear of it; see test_dropped(). */
	{ "dgramrcvbuf", UB_DGRAMRCVBUF, BYTES, 1024, 0, 0, 50, 0, 0, 128 << 10 },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* What the row holds when nobody eats: the eater itself holds some, too. */
static uint64_t idle_held(const struct env_ve *ve, const struct row *r)
{
	struct eater e = eat(ve, r->name, 0);
	uint64_t with = stat_of(ve, r->resource).held;

	finish(&e);
	return with;
}

static void test_row(const struct env_ve *ve, const struct row *r)
{
	uint64_t base, bound, before, maxheld;
	struct env_ubstat s, s2;
	struct eater e;

	before = stat_of(ve, r->resource).held;
	base = idle_held(ve, r);
	settle(ve, r->resource, before);
	/* Unseen at its height: to look would be to note it. */
	e = eat(ve, r->name, r->few);
	finish(&e);
	settle(ve, r->resource, before);
	maxheld = stat_of(ve, r->resource).maxheld;
	e = eat(ve, r->name, r->few);
	s = stat_of(ve, r->resource);
	if (!ok(r->kind == EXACT ? s.held == base + r->unit * (uint64_t)r->few && e.got == r->few :
				   s.held >= base + r->unit * (uint64_t)e.got && e.got > 0 &&
				   s.held > base,
		"%s: held rises with use", r->name))
		printf("# base %llu held %llu, took %d of %d, errno %s\n",
		       (unsigned long long)base, (unsigned long long)s.held, e.got,
		       r->few, strerror(e.error));
	finish(&e);
	s2 = stat_of(ve, r->resource);
	if (!ok(maxheld + cpus * r->batch + r->slack >= s.held && s2.maxheld >= s.held && s2.failcnt == s.failcnt,
		"%s: maxheld keeps it", r->name))
		printf("# %llu of %llu\n", (unsigned long long)maxheld, (unsigned long long)s.held);
	if (!ok(settle(ve, r->resource, before + r->slack) <= before + r->slack,
		"%s: and falls when it is given back", r->name))
		printf("# before %llu after %llu\n", (unsigned long long)before,
		       (unsigned long long)stat_of(ve, r->resource).held);

	/* Room for half as much. */
	bound = base + (s.held - base) / 2;
	if (set_bound(ve->fd, (uint32_t)r->resource, bound, bound + 4 * r->slack))
		die("bound of %s", r->name);
	e = eat(ve, r->name, r->few);
	s2 = stat_of(ve, r->resource);
	/* Of a stream no program gets as many at a time; of datagrams all are sent. */
	if (r->error && r->unit && !ok(e.got < r->few, "%s: a bound refuses", r->name))
		printf("# took %d of %d, held %llu of %llu\n", e.got, r->few,
		       (unsigned long long)s2.held, (unsigned long long)bound);
	if (r->error && r->unit && !ok(e.error == r->error || e.error == r->error2, "%s: with %s",
			    r->name, strerror(r->error)))
		printf("# but with %s\n", strerror(e.error));
	if (!ok(r->told ? s2.failcnt == s.failcnt + (uint64_t)r->told : s2.failcnt > s.failcnt,
		"%s: failcnt counts it", r->name))
		printf("# from %llu to %llu\n", (unsigned long long)s.failcnt,
		       (unsigned long long)s2.failcnt);
	if (!ok(s2.held <= bound + r->slack, "%s: no more than the bound is held", r->name))
		printf("# %llu of %llu\n", (unsigned long long)s2.held, (unsigned long long)bound);
	finish(&e);
	env_bound(ve, r->resource, UB_MAXVALUE);
	settle(ve, r->resource, before);
	s2 = stat_of(ve, r->resource); /* the end of the eater may have been refused something */
	e = eat(ve, r->name, r->few);
	s = stat_of(ve, r->resource);
	ok(s.failcnt == s2.failcnt && (r->kind != EXACT || e.got == r->few),
	   "%s: without the bound it goes on", r->name);
	finish(&e);
	settle(ve, r->resource, before);
}

static long snmp_errors(const struct env_ve *ve)
{
	env_sh(ve, "awk '/^Udp:/ { if (n++) print $4 }' /proc/net/snmp", out, sizeof(out));
	return atol(out);
}

/* A datagram that finds no room is dropped, and is one refusal. */
static void test_dropped(const struct env_ve *ve)
{
	struct env_ubstat s = stat_of(ve, UB_DGRAMRCVBUF), s2;
	long errors = snmp_errors(ve);
	struct eater e;

	env_bound(ve, UB_DGRAMRCVBUF, s.held + (16 << 10));
	e = eat(ve, "dgramrcvbuf", 50);
	s2 = stat_of(ve, UB_DGRAMRCVBUF);
	errors = snmp_errors(ve) - errors;
	if (!ok(e.got == 50 && errors > 0 && errors < 50 && s2.failcnt == s.failcnt + (uint64_t)errors,
		"dgramrcvbuf: failcnt counts each that is dropped"))
		printf("# sent %d, dropped %ld, failcnt from %llu to %llu\n", e.got, errors,
		       (unsigned long long)s.failcnt, (unsigned long long)s2.failcnt);
	finish(&e);
	env_bound(ve, UB_DGRAMRCVBUF, UB_MAXVALUE);
	settle(ve, UB_DGRAMRCVBUF, s.held);
}

/* A VE that eats all that it may does not touch another one's rows. */
static void test_apart(const struct env_ve *a, const struct env_ve *b)
{
	struct eater ea, eb;
	uint64_t held;

	env_bound(a, UB_NUMPROC, stat_of(a, UB_NUMPROC).held + 10);
	held = stat_of(b, UB_NUMPROC).held;
	ea = eat(a, "numproc", 1000);
	ok(ea.error == EAGAIN, "one VE is out of processes");
	ok(stat_of(b, UB_NUMPROC).held == held, "another one's row does not move");
	eb = eat(b, "numproc", 50);
	ok(eb.got == 50, "and it has all that it asks for");
	finish(&ea);
	finish(&eb);
	env_bound(a, UB_NUMPROC, UB_MAXVALUE);
}

/*
 * What is hard to refuse goes between barrier and limit, where what is not is
 * refused.  @first: what the eater takes in the ordinary way before its first
 * item; of 0 what one item more than holds, as measured.
 */
static const struct gap {
	const char *what, *hard;
	int resource, n;
	uint64_t first, unit;	/* 0: as measured */
	int error, signal;	/* of a refusal above the limit */
} gaps[] = {
	{ "stack", "privvmpages", UB_PRIVVMPAGES, 4, 64, 256, 0, SIGSEGV },
	{ "exec", "privvmpages", UB_PRIVVMPAGES, 1, 64, 1024 + 64, ENOEXEC },
	{ "fork", "privvmpages", UB_PRIVVMPAGES, 1, 1024 + 64, 1024 + 128, ENOMEM },
	{ "stacklock", "lockedpages", UB_LOCKEDPAGES, 6, 0, 16, 0, SIGSEGV },
	{ "shmfault", "shmpages", UB_SHMPAGES, 30, 10, 1, 0, SIGBUS },
	{ "numfile", "userfile", UB_NUMFILE, 20, 5, 1, ENFILE },
	{ "split", "numflock", UB_NUMFLOCK, 4, 1, 1, ENOLCK },
	{ "accept", "numtcpsock", UB_NUMTCPSOCK, 4, 5, 1, EAGAIN },
	{ "first", "othersockbuf", UB_OTHERSOCKBUF, 8, 0, 0, ENOBUFS },
};

static void test_gap(const struct env_ve *ve, const struct gap *g)
{
	uint64_t before = stat_of(ve, g->resource).held, unit = g->unit, barrier, limit, failed;
	struct env_ubstat s;
	struct eater e;
	int status;

	e = eat(ve, g->hard, 0);
	barrier = stat_of(ve, g->resource).held + g->first;
	finish(&e);
	if (!g->first && unit) {
		e = eat(ve, g->what, 1);
		barrier = stat_of(ve, g->resource).held + 4;
		finish(&e);
	} else if (!unit) {
		e = eat(ve, g->what, g->n);
		unit = (stat_of(ve, g->resource).held - barrier) / (uint64_t)g->n;
		finish(&e);
	}
	settle(ve, g->resource, before);

	limit = barrier + (uint64_t)g->n * unit;
	if (set_bound(ve->fd, (uint32_t)g->resource, barrier, limit))
		die("bounds of %s", g->what);
	failed = stat_of(ve, g->resource).failcnt;
	e = eat(ve, g->what, g->n);
	s = stat_of(ve, g->resource);
	if (!ok(e.got == g->n && s.failcnt == failed && s.maxheld > barrier,
		"%s: goes up to the limit", g->what))
		printf("# took %d of %d, errno %s, held %llu of %llu..%llu, %llu refused\n", e.got, g->n,
		       strerror(e.error), (unsigned long long)s.held, (unsigned long long)barrier,
		       (unsigned long long)limit, (unsigned long long)(s.failcnt - failed));
	finish(&e);
	settle(ve, g->resource, before);
	e = eat(ve, g->hard, 1000);
	s = stat_of(ve, g->resource);
	/* A socket that has nothing may have its first message. */
	if (!ok(e.got < 1000 && s.failcnt > failed && s.held <= barrier + (g->unit ? 0 : unit),
		"%s: where %s is refused", g->what, g->hard))
		printf("# took %d, errno %s, held %llu of %llu\n", e.got, strerror(e.error),
		       (unsigned long long)s.held, (unsigned long long)barrier);
	finish(&e);
	settle(ve, g->resource, before);

	limit = barrier + (uint64_t)(g->n / 2) * unit;
	if (set_bound(ve->fd, (uint32_t)g->resource, barrier, limit))
		die("bounds of %s", g->what);
	failed = stat_of(ve, g->resource).failcnt;
	e = eat(ve, g->what, g->n);
	s = stat_of(ve, g->resource);
	status = finish(&e);
	if (!ok(e.got < g->n && s.failcnt > failed && s.held <= limit &&
		(g->signal ? WIFSIGNALED(status) && WTERMSIG(status) == g->signal : e.error == g->error),
		"%s: and is refused above it", g->what))
		printf("# took %d of %d, errno %s, status %#x, held %llu of %llu\n", e.got, g->n, strerror(e.error),
		       status, (unsigned long long)s.held, (unsigned long long)limit);
	env_bound(ve, g->resource, UB_MAXVALUE);
	settle(ve, g->resource, before);
}

static int socket_inside(const struct env_ve *ve)
{
	int net = env_ctl(ve->fd, ENV_CTL_OPEN_NET, NULL, 0), own = open("/proc/self/ns/net", O_RDONLY);
	int fd, error;

	if (net < 0 || own < 0 || setns(net, CLONE_NEWNET))
		die("OPEN_NET");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	error = errno;
	if (setns(own, CLONE_NEWNET))
		die("setns");
	close(own);
	close(net);
	errno = error;
	return fd;
}

/* So does what the node does for a VE. */
static void test_node(const struct env_ve *ve)
{
	struct env_pty pty = { .cols = 80, .rows = 25 };
	uint64_t held = stat_of(ve, UB_NUMPROC).held;
	struct eater e, e2;
	int fd;

	if (set_bound(ve->fd, UB_NUMPROC, held, held + 2))
		die("numproc");
	e = eat(ve, "numproc", 1);
	ok(e.got == 0 && e.error == EAGAIN, "numproc: at the barrier none is forked inside");
	e2 = eat(ve, "numproc", 0);
	ok(e2.got == 0, "numproc: but the node may still enter");
	refused(env_run(ve, (char *[]){ "/bin/true", NULL }), EAGAIN, "numproc: up to the limit");
	finish(&e);
	finish(&e2);
	env_bound(ve, UB_NUMPROC, UB_MAXVALUE);

	held = stat_of(ve, UB_NUMPTY).held;
	if (set_bound(ve->fd, UB_NUMPTY, held, held + 1))
		die("numpty");
	e = eat(ve, "numpty", 1);
	ok(e.got == 0 && e.error == ENOSPC, "numpty: at the barrier there is none inside");
	finish(&e);
	ok(!env_ctl(ve->fd, ENV_CTL_OPEN_PTY, &pty, sizeof(pty)), "numpty: but the node may open one");
	refused(env_ctl(ve->fd, ENV_CTL_OPEN_PTY, &pty, sizeof(pty)), ENOSPC, "numpty: up to the limit");
	env_bound(ve, UB_NUMPTY, UB_MAXVALUE);
	close(pty.master);
	close(pty.slave);

	held = stat_of(ve, UB_NUMOTHERSOCK).held;
	if (set_bound(ve->fd, UB_NUMOTHERSOCK, held, held + 1))
		die("numothersock");
	e = eat(ve, "numothersock", 1);
	ok(e.got == 0 && e.error == ENOMEM, "numothersock: at the barrier there is none inside");
	finish(&e);
	fd = socket_inside(ve);
	ok(fd >= 0, "numothersock: but the node may open one");
	refused(socket_inside(ve), ENOMEM, "numothersock: up to the limit");
	close(fd);
	env_bound(ve, UB_NUMOTHERSOCK, UB_MAXVALUE);
	settle(ve, UB_NUMOTHERSOCK, held);
}

/* What arrives for a socket that has nothing to read. */
static void test_first_read(const struct env_ve *ve)
{
	struct env_ubstat s = stat_of(ve, UB_TCPRCVBUF), s2;
	struct eater e;

	if (set_bound(ve->fd, UB_TCPRCVBUF, 0, UB_MAXVALUE))
		die("tcprcvbuf");
	e = eat(ve, "firstread", 50);
	s2 = stat_of(ve, UB_TCPRCVBUF);
	if (!ok(e.got == 50 && s2.failcnt == s.failcnt && s2.held >= s.held + 50 * 1024,
		"tcprcvbuf: each socket's first packet goes up to the limit"))
		printf("# took %d, errno %s, held %llu, refused %llu\n", e.got, strerror(e.error),
		       (unsigned long long)s2.held, (unsigned long long)(s2.failcnt - s.failcnt));
	finish(&e);
	e = eat(ve, "tcprcvbuf", 100000);
	ok(stat_of(ve, UB_TCPRCVBUF).failcnt > s.failcnt, "tcprcvbuf: where one that has some is refused more");
	finish(&e);
	env_bound(ve, UB_TCPRCVBUF, 0);
	s = stat_of(ve, UB_TCPRCVBUF);
	e = eat(ve, "firstread", 50);
	ok(stat_of(ve, UB_TCPRCVBUF).failcnt >= s.failcnt + 50, "tcprcvbuf: and above it the first one is, too");
	finish(&e);
	env_bound(ve, UB_TCPRCVBUF, UB_MAXVALUE);
	settle(ve, UB_TCPRCVBUF, s.held);
}

/* With a limit of nothing there is nothing; with the greatest there is all again. */
static void test_zero(const struct env_ve *ve)
{
	static const int of[] = { UB_NUMFLOCK, UB_NUMPTY, UB_NUMSIGINFO, UB_NUMTCPSOCK, UB_NUMOTHERSOCK, UB_NUMIPTENT,
				  UB_LOCKEDPAGES, UB_SHMPAGES };
	static const struct {
		const char *name;
		int resource, error;
	} all[] = {
		{ "numproc", UB_NUMPROC, EAGAIN }, { "numfile", UB_NUMFILE, ENFILE },
		{ "privvmpages", UB_PRIVVMPAGES, ENOMEM }, { "kmemsize", UB_KMEMSIZE, ENOMEM },
		{ "dcachesize", UB_DCACHESIZE, ENOMEM },
	};
	int proc;

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		const struct row *r = rows;
		struct eater none, some;

		while (r->resource != of[i])
			r++;
		env_bound(ve, r->resource, 0);
		none = eat(ve, r->name, 1);
		env_bound(ve, r->resource, UB_MAXVALUE);
		some = eat(ve, r->name, 1);
		if (!ok(none.got == 0 && some.got == 1, "%s: none with a limit of nothing, one with the greatest", r->name))
			printf("# %d %s, %d %s\n", none.got, strerror(none.error), some.got, strerror(some.error));
		finish(&none);
		finish(&some);
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		env_bound(ve, all[i].resource, 0);
		proc = env_run(ve, (char *[]){ "/bin/true", NULL });
		/* Refused, or killed when there was no way back. */
		ok(proc < 0 ? errno == all[i].error : env_wait(proc) != 0,
		   "%s: no program with a limit of nothing", all[i].name);
		close(proc);
		env_bound(ve, all[i].resource, UB_MAXVALUE);
		proc = env_run(ve, (char *[]){ "/bin/true", NULL });
		ok(proc >= 0 && !env_wait(proc), "%s: and one with the greatest", all[i].name);
		close(proc);
	}
}

static int set_mode(const struct env_ve *ve, uint32_t flags)
{
	struct env_ublimit l = { .resource = UB_NUMFILE, .barrier = UB_MAXVALUE, .limit = UB_MAXVALUE };
	struct env_ublimits arg = { .limits = (uintptr_t)&l, .nr = 1, .flags = flags };

	return env_ctl(ve->fd, ENV_CTL_UB_SET, &arg, sizeof(arg));
}

#define SETS 3000

static void unbound(const struct env_ve *ve)
{
	struct env_cpu c = { .weight = 100 };

	for (size_t i = 0; i < ROWS; i++)
		env_bound(ve, rows[i].resource, UB_MAXVALUE);
	env_bound(ve, UB_PHYSPAGES, UB_MAXVALUE);
	if (set_bound(ve->fd, UB_VMGUARPAGES, 0, UB_MAXVALUE) || set_bound(ve->fd, UB_OOMGUARPAGES, 0, UB_MAXVALUE) ||
	    set_mode(ve, ENV_UB_BATCHED) || env_ctl(ve->fd, ENV_CTL_CPU, &c, sizeof(c)))
		die("bounds");
}

/* Of each row in turn little and all; now this way of counting, now the other; CPU time as well. */
static void set_and_set(const struct env_ve *ve, const uint64_t *before)
{
	for (int k = 0; k < SETS; k++) {
		const struct row *r = &rows[k % (int)ROWS];
		struct env_ublimit l = { .resource = (uint32_t)r->resource, .barrier = UB_MAXVALUE, .limit = UB_MAXVALUE };
		struct env_ublimits arg = { .limits = (uintptr_t)&l, .nr = 1,
					    .flags = k % 5 ? 0 : k % 2 ? ENV_UB_EXACT : ENV_UB_BATCHED };
		struct env_cpu c = { .weight = (uint32_t)(1 + k % 1000), .cpus = (uint32_t)(k % 3),
				     .cap = k % 4 ? 0 : 500000000 };

		if (k % 7 == 0) {
			l.barrier = before[k % (int)ROWS] + (uint64_t)(r->few < 1000 ? r->few : 16) * r->unit / 2;
			l.limit = l.barrier + (uint64_t)(k % 64);
		}
		if (env_ctl(ve->fd, ENV_CTL_UB_SET, &arg, sizeof(arg)))
			_exit(1);
		/* Each reclaims. */
		if (k % 250 == 0 && set_bound(ve->fd, UB_PHYSPAGES, before[ROWS], k % 500 ? before[ROWS] + 256 : UB_MAXVALUE))
			_exit(2);
		if (k % 13 == 0 && set_bound(ve->fd, UB_VMGUARPAGES, (uint64_t)k, UB_MAXVALUE))
			_exit(3);
		if (k % 17 == 0 && set_bound(ve->fd, UB_OOMGUARPAGES, (uint64_t)k, UB_MAXVALUE))
			_exit(4);
		if (k % 19 == 0 && env_ctl(ve->fd, ENV_CTL_CPU, &c, sizeof(c)))
			_exit(5);
	}
	unbound(ve); /* or who has no memory to say so would wait for ever */
	_exit(0);
}

/* Bounds that change under those who use what they bound, every row of them. */
static void test_race(const struct env_ve *ve)
{
	uint64_t before[ROWS + 1], is;
	int status, eaten = 0;

	for (size_t i = 0; i < ROWS; i++)
		before[i] = stat_of(ve, rows[i].resource).held;
	before[ROWS] = stat_of(ve, UB_PHYSPAGES).held + 1024;
	for (int round = 0; round < 2; round++) {
		struct eater e[ROWS];
		int pid = fork();

		if (!pid)
			set_and_set(ve, before);
		for (size_t i = 0; i < ROWS; i++) {
			e[i] = may_eat(ve, rows[i].name, rows[i].few < 1000 ? rows[i].few : 200);
			eaten += e[i].got > 0;
		}
		waitpid(pid, &status, 0);
		for (size_t i = 0; i < ROWS; i++)
			if (e[i].proc >= 0)
				finish(&e[i]);
		if (!ok(WIFEXITED(status) && !WEXITSTATUS(status), "bounds can be set under use"))
			printf("# status %#x\n", status);
	}
	ok(eaten >= (int)ROWS / 2, "there was use (%d)", eaten);
	env_sh(ve, "rm -rf /run/eat* /root/lock", out, sizeof(out));
	for (size_t i = 0; i < ROWS; i++) {
		uint64_t most = before[i];

		/* Caches may stay, and what a killed one could not remove. */
		if (rows[i].resource == UB_KMEMSIZE || rows[i].resource == UB_DCACHESIZE)
			most += 2 << 20;
		if (rows[i].resource == UB_SHMPAGES) /* files in its tree, see test_after() */
			most += 16;
		is = settle(ve, rows[i].resource, most);
		if (!ok(is <= most, "%s: after changes under use it is where it was", rows[i].name))
			printf("# %llu, was %llu\n", (unsigned long long)is, (unsigned long long)before[i]);
	}
}

/* maxheld of a height that nobody looked at while it lasted */
static void test_height(const struct env_ve *ve, uint64_t idle, int n, const char *when)
{
	uint64_t was = stat_of(ve, UB_NUMFILE).maxheld, is;
	struct eater e = eat(ve, "numfile", n);

	finish(&e);
	is = stat_of(ve, UB_NUMFILE).maxheld;
	if (!ok(e.got == n && was < idle + (uint64_t)n && is == idle + (uint64_t)n, "exact mode: the most there was, %s", when))
		printf("# %llu, not %llu + %d; was %llu\n", (unsigned long long)is, (unsigned long long)idle, n,
		       (unsigned long long)was);
}

static void test_exact(const struct env_ve *ve)
{
	const struct row numfile = { .name = "numfile", .resource = UB_NUMFILE };
	uint64_t idle;

	ok(!set_mode(ve, ENV_UB_EXACT), "exact mode can be asked for");
	idle = idle_held(ve, &numfile);
	test_height(ve, idle, 303, "to the last one");
	env_bound(ve, UB_NUMPTY, 100);
	env_bound(ve, UB_NUMPTY, UB_MAXVALUE);
	test_height(ve, idle, 333, "also when others have set bounds");
	refused(set_mode(ve, ENV_UB_EXACT | ENV_UB_BATCHED), EINVAL, "exact mode and the other at a time");
	ok(!set_mode(ve, ENV_UB_BATCHED), "and be ended");
}

static void test_corked(const struct env_ve *ve)
{
	struct eater e = eat(ve, "corked", 100);

	ok(e.got == 100, "messages come while others are half written (%d)", e.got);
	ok(settle(ve, UB_DGRAMRCVBUF, 64 << 10) <= 64 << 10, "and none of them stays charged");
	finish(&e);
}

/* @most of @what take at least @least of a row, and a bound of half holds them. */
static void test_way(const struct env_ve *ve, const char *what, int resource, int most,
		     uint64_t least, uint64_t slack)
{
	uint64_t before = stat_of(ve, resource).held, with, bound;
	struct eater e = eat(ve, what, most);

	with = stat_of(ve, resource).held;
	if (!ok(e.got == most && with >= before + least, "%s: it counts", what))
		printf("# took %d, from %llu to %llu\n", e.got, (unsigned long long)before,
		       (unsigned long long)with);
	finish(&e);
	if (!ok(settle(ve, resource, before) <= before, "%s: and falls when it is given back", what))
		printf("# to %llu\n", (unsigned long long)stat_of(ve, resource).held);
	bound = before + (with - before) / 2;
	env_bound(ve, resource, bound);
	e = eat(ve, what, most);
	with = stat_of(ve, resource).held;
	if (!ok(e.got < most && with <= bound + slack, "%s: a bound refuses", what))
		printf("# took %d, held %llu of %llu\n", e.got, (unsigned long long)with,
		       (unsigned long long)bound);
	finish(&e);
	env_bound(ve, resource, UB_MAXVALUE);
	settle(ve, resource, before);
}

/* What a program unmaps it has no longer, while it goes on. */
static void test_unmap(const struct env_ve *ve)
{
	uint64_t before = stat_of(ve, UB_PRIVVMPAGES).held, with;
	struct eater e = eat(ve, "munmap", 1);

	with = stat_of(ve, UB_PRIVVMPAGES).held;
	if (!ok(e.got == 1 && with < before + 8 * 256, "munmap: it counts no longer"))
		printf("# took %d, from %llu to %llu\n", e.got, (unsigned long long)before,
		       (unsigned long long)with);
	finish(&e);
}

static long memory_stat(const struct env_ve *ve, const char *name)
{
	char key[64];
	int fd = openat(ve->acct, "memory.stat", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, out + 1, sizeof(out) - 2);
	char *at;

	close(fd);
	out[0] = '\n';
	out[n > 0 ? n + 1 : 1] = '\0';
	snprintf(key, sizeof(key), "\n%s ", name);
	at = strstr(out, key);
	if (!at)
		die("memory.stat: no %s", name);
	return atol(at + strlen(key));
}

/* What a VE that was killed while it held something of each row leaves behind: nothing. */
static void test_after(void)
{
	static const char *const memory[] = { "anon", "shmem", "kernel_stack", "pagetables", "sock", "vmalloc" };
	struct env_ve ve = eater_ve(503, "ub_eat");
	struct eater e[ROWS + 1];
	char rm[160];
	size_t i;
	int kept;

	for (i = 0; i < ROWS; i++) {
		e[i] = eat(&ve, rows[i].name, rows[i].few < 1000 ? rows[i].few : 200);
		if (e[i].got <= 0)
			die("%s: took none", rows[i].name);
	}
	e[i] = eat(&ve, "physpages", 8);
	for (i = 0; i < ROWS; i++)
		if (!stat_of(&ve, rows[i].resource).held)
			die("%s: held none", rows[i].name);
	kept = memory_stat(&ve, "anon") > 0 && memory_stat(&ve, "sock") > 0 && memory_stat(&ve, "shmem") > 0;
	ok(kept, "a VE that runs holds something of each row");
	if (env_ctl(ve.fd, ENV_CTL_KILL, NULL, 0) || !(env_poll(ve.fd, POLLHUP, 30000) & POLLHUP))
		die("kill");
	/* The guest's private trees are on a tmpfs: what the VE wrote there is its charge. */
	snprintf(rm, sizeof(rm), "rm -rf %s/*", ve.private);
	if (system(rm))
		die("%s", rm);
	for (i = 0; i < ROWS; i++)
		if (!ok(settle(&ve, rows[i].resource, 0) == 0, "%s: of a VE that is gone nothing is left", rows[i].name))
			printf("# %llu\n", (unsigned long long)stat_of(&ve, rows[i].resource).held);
	for (i = 0; i < sizeof(memory) / sizeof(memory[0]); i++) {
		long left = memory_stat(&ve, memory[i]);

		for (int t = 0; t < 200 && left; t++) {
			usleep(50000);
			left = memory_stat(&ve, memory[i]);
		}
		if (!ok(!left, "%s: nothing is left in its cgroup", memory[i]))
			printf("# %ld\n", left);
	}
	for (i = 0; i <= ROWS; i++)
		finish(&e[i]);
	refused(set_bound(ve.fd, UB_NUMPROC, 1, 1), ESRCH, "a VE that is gone");
	env_destroy(&ve);
}

int main(int argc, char **argv)
{
	struct env_ve a, b;

	env_require();
	cpus = (uint64_t)sysconf(_SC_NPROCESSORS_CONF);
	a = eater_ve(501, "ub_eat");
	b = eater_ve(502, "ub_eat");
	for (size_t i = 0; i < ROWS; i++)
		if (argc < 2 || !strcmp(argv[1], rows[i].name))
			test_row(&a, &rows[i]);
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
		if (argc < 2 || !strcmp(argv[1], gaps[i].what))
			test_gap(&a, &gaps[i]);
	if (argc < 2) {
		test_node(&a);
		test_dropped(&a);
		test_first_read(&a);
		test_apart(&a, &b);
		test_zero(&a);
		test_exact(&b);
		test_corked(&b);
		test_way(&b, "half", UB_OTHERSOCKBUF, 20, 20 * 60000, 64 << 10);
		test_way(&b, "reserve", UB_TCPRCVBUF, 8, 8 << 20, 0);
		test_way(&b, "mprotect", UB_PRIVVMPAGES, 1, 8 * 256, 0);
		test_unmap(&b);
	}
	if (argc < 2 || !strcmp(argv[1], "race"))
		test_race(&b);
	env_destroy(&a);
	env_destroy(&b);
	if (argc < 2 || !strcmp(argv[1], "after"))
		test_after();
	return tap_done();
}
