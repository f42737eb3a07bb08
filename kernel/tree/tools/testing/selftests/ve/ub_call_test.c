// SPDX-License-Identifier: GPL-2.0-only
/*
 * User Beancounters: the calls that set and read them, who may, what they refuse, the
 * events of refusals, and /proc/user_beancounters.
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

static char out[65536];

static void test_privilege(const struct env_ve *ve)
{
	struct env_ubstat before = stat_of(ve, UB_NUMPTY);
	uint64_t bounds[2] = { 1, 1 };
	struct env_ubstat s;
	int status, pid = fork();

	if (!pid) {
		int wrong = 0;

		if (setgid(65534) || setuid(65534))
			_exit(99);
		wrong |= syscall(__NR_setublimit, ve->veid, UB_NUMPTY, bounds) != -1 || errno != EPERM;
		wrong |= (syscall(__NR_ubstat, ve->veid, 0, &s, sizeof(s)) != -1 || errno != EPERM) << 1;
		wrong |= (env_ctl(-1, ENV_CTL_UB_EVENTS, NULL, 0) != -1 || errno != EPERM) << 2;
		wrong |= (set_bound(ve->fd, UB_NUMPTY, 1, 1) != -1 || errno != EPERM) << 3;
		_exit(wrong);
	}
	waitpid(pid, &status, 0);
	if (!ok(!status, "without privilege no bound is set, none is read, no refusal is told"))
		printf("# %d\n", WEXITSTATUS(status));
	ok(stat_of(ve, UB_NUMPTY).limit == before.limit, "and the bound is what it was");
}

/* Of what comes faster than one a second all is told, by few events, and to the last one. */
static void test_burst(const struct env_ve *ve, int fd)
{
	uint64_t failed, told = 0, last = 0;
	struct env_event ev;
	bool apart = true, whose = true;
	int events = 0;
	struct eater e;

	/* Nothing is left to tell of what was before: a read that has nothing for two seconds. */
	while (env_poll(fd, POLLIN, 2500) & POLLIN)
		while (read(fd, &ev, sizeof(ev)) == sizeof(ev))
			last = ev.time;
	failed = stat_of(ve, UB_NUMPTY).failcnt;
	env_bound(ve, UB_NUMPTY, 0);
	e = eat(ve, "refusals", 50);
	finish(&e);
	failed = stat_of(ve, UB_NUMPTY).failcnt - failed;
	while (told < failed && env_poll(fd, POLLIN, 20000) & POLLIN)
		while (read(fd, &ev, sizeof(ev)) == sizeof(ev)) {
			if (ev.resource != UB_NUMPTY || ev.veid != ve->veid)
				continue;
			/* A tick less: it is counted in ticks. */
			if (last && ev.time - last < 980000000)
				apart = false;
			if (strcmp(ev.comm, "eat") || ev.pid <= 1 || ev.lost)
				whose = false;
			last = ev.time;
			told += ev.refused;
			events++;
		}
	if (!ok(e.got == 50 && failed == 50 && told == failed && events > 1, "events: all of a burst is told, its end too"))
		printf("# %d refused, failcnt %llu, told %llu by %d\n", e.got, (unsigned long long)failed,
		       (unsigned long long)told, events);
	ok(apart && events < 25, "events: but no more than one a second (%d)", events);
	ok(whose, "events: each with its program");
}

static void test_events(const struct env_ve *ve)
{
	int fd = env_ctl(-1, ENV_CTL_UB_EVENTS, NULL, 0);
	uint64_t base = stat_of(ve, UB_NUMPTY).held, failed;
	struct env_event ev = {};
	struct eater e;
	char small[8];

	ok(fd >= 0 && !env_poll(fd, POLLIN, 0), "events: none before a refusal");
	refused((int)read(fd, small, sizeof(small)), EINVAL, "events: a buffer for less than one");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	refused((int)read(fd, &ev, sizeof(ev)), EAGAIN, "events: none to read");
	env_bound(ve, UB_NUMPTY, base + 2);
	failed = stat_of(ve, UB_NUMPTY).failcnt;
	/* Of a row one a second is told: until it is this one's turn. */
	e = eat(ve, "numpty", 5);
	for (int i = 0; i < 50 && !(env_poll(fd, POLLIN, 100) & POLLIN); i++) {
		finish(&e);
		e = eat(ve, "numpty", 5);
	}
	ok(env_poll(fd, POLLIN, 0) & POLLIN, "events: a refusal wakes the reader");
	while (read(fd, &ev, sizeof(ev)) == sizeof(ev) && ev.resource != UB_NUMPTY)
		;
	ok(ev.veid == ve->veid && ev.resource == UB_NUMPTY, "events: it says whose and of what");
	ok(ev.barrier == base + 2 && ev.limit == base + 2 && ev.held == base + 2,
	   "events: and how much there was");
	ok(!strcmp(ev.comm, "eat") && ev.pid > 1, "events: and which program");
	ok(ev.time > 0 && ev.refused >= 1 && !ev.lost, "events: and when, how often, that none is missing");
	finish(&e);
	test_burst(ve, fd);
	ok(stat_of(ve, UB_NUMPTY).failcnt >= failed + 51, "events: failcnt counts each");
	env_bound(ve, UB_NUMPTY, UB_MAXVALUE);
	close(fd);
}

static void test_errors(const struct env_ve *ve)
{
	struct env_ublimit l[2] = { { .resource = UB_NUMPROC, .barrier = 5, .limit = 5 },
				    { .resource = UB_NUMFILE, .barrier = 9, .limit = 8 } };
	struct env_ublimits arg = { .limits = (uintptr_t)l, .nr = 2 };
	struct env_ubstat before = stat_of(ve, UB_NUMPROC);
	int proc = env_run(ve, (char *[]){ "/bin/true", NULL });

	refused(env_ctl(ve->fd, ENV_CTL_UB_SET, &arg, sizeof(arg)), EINVAL, "a barrier above its limit");
	ok(stat_of(ve, UB_NUMPROC).barrier == before.barrier, "of a refused set nothing is taken");
	refused(set_bound(ve->fd, UB_RESOURCES, 1, 1), EINVAL, "an unknown resource");
	refused(set_bound(ve->fd, UB_DUMMY, 1, 1), EINVAL, "a row that is none");
	refused(set_bound(ve->fd, UB_NUMPROC, 1, 1ULL << 63), EINVAL, "a limit over the maximum");
	arg.nr = 0;
	refused(env_ctl(ve->fd, ENV_CTL_UB_SET, &arg, sizeof(arg)), EINVAL, "no limits at all");
	arg.nr = UB_RESOURCES + 1;
	refused(env_ctl(ve->fd, ENV_CTL_UB_SET, &arg, sizeof(arg)), EINVAL, "more limits than rows");
	arg = (struct env_ublimits){ .limits = 16, .nr = 1 };
	refused(env_ctl(ve->fd, ENV_CTL_UB_SET, &arg, sizeof(arg)), EFAULT, "limits at a bad address");
	arg = (struct env_ublimits){ .limits = (uintptr_t)l, .nr = 1, .flags = 4 };
	refused(env_ctl(ve->fd, ENV_CTL_UB_SET, &arg, sizeof(arg)), EINVAL, "an unknown flag");
	refused(set_bound(proc, UB_NUMPROC, 1, 1), EINVAL, "a process descriptor");
	env_wait(proc);
	close(proc);
	ok(!set_bound(ve->fd, UB_NUMPTY, 0, 0), "a limit of nothing");
	env_sh(ve, "exec 3<>/dev/ptmx", out, sizeof(out));
	ok(strstr(out, "No space") != NULL, "with it there is none");
	ok(!set_bound(ve->fd, UB_NUMPTY, UB_MAXVALUE, UB_MAXVALUE), "the greatest limit");
	ok(!env_sh(ve, "exec 3<>/dev/ptmx", out, sizeof(out)), "with it there is one");
}

static void test_calls(const struct env_ve *ve)
{
	uint64_t bounds[2] = { 77, 88 };
	struct env_ubstat s[UB_RESOURCES];

	ok(syscall(__NR_getluid) == 0, "getluid: the node is 0");
	ok(syscall(__NR_setluid, 0) == 0, "setluid: what one has already");
	refused((int)syscall(__NR_setluid, ve->veid), EPERM, "setluid: another one");
	ok(!syscall(__NR_setublimit, ve->veid, UB_NUMIPTENT, bounds) &&
	   stat_of(ve, UB_NUMIPTENT).barrier == 77 && stat_of(ve, UB_NUMIPTENT).limit == 88,
	   "setublimit: sets a row");
	refused((int)syscall(__NR_setublimit, 4711, UB_NUMIPTENT, bounds), ESRCH, "setublimit: no such VE");
	refused((int)syscall(__NR_setublimit, ve->veid, UB_NUMIPTENT, NULL), EFAULT, "setublimit: bad address");
	bounds[0] = 99;
	refused((int)syscall(__NR_setublimit, ve->veid, UB_NUMIPTENT, bounds), EINVAL, "setublimit: wrong way round");
	ok(syscall(__NR_ubstat, ve->veid, 0, s, sizeof(s)) == UB_RESOURCES && s[UB_NUMIPTENT].limit == 88,
	   "ubstat: reads all rows");
	ok(syscall(__NR_ubstat, ve->veid, UB_NUMFILE, s, sizeof(s[0])) == 1 && s[0].held > 0,
	   "ubstat: reads one row");
	refused((int)syscall(__NR_ubstat, ve->veid, UB_RESOURCES, s, sizeof(s)), EINVAL, "ubstat: no such row");
	refused((int)syscall(__NR_ubstat, 4711, 0, s, sizeof(s)), ESRCH, "ubstat: no such VE");
	env_bound(ve, UB_NUMIPTENT, UB_MAXVALUE);
}

static void test_file(const struct env_ve *a, const struct env_ve *b)
{
	char want[64];
	FILE *f;
	size_t n;

	ok(!env_sh(a, "cat /proc/user_beancounters", out, sizeof(out)) &&
	   !strncmp(out, "Version: 2.5\n       uid  resource ", 34), "the file inside begins as it always did");
	snprintf(want, sizeof(want), "%10u: kmemsize ", a->veid);
	ok(strstr(out, want) && strstr(out, "\n            numproc "), "it has one's own rows");
	snprintf(want, sizeof(want), "%10u:", b->veid);
	ok(!strstr(out, want), "and nobody else's");
	n = 0;
	for (char *p = out; (p = strchr(p, '\n')); p++)
		n++;
	ok(n == 2 + UB_RESOURCES, "a line a row");
	ok(env_sh(a, "su -s /bin/sh nobody -c 'cat /proc/user_beancounters' 2>&1", out, sizeof(out)) &&
	   strstr(out, "denied"), "a user inside may not read it");
	f = fopen("/proc/user_beancounters", "r");
	n = f ? fread(out, 1, sizeof(out) - 1, f) : 0;
	out[n] = '\0';
	if (f)
		fclose(f);
	snprintf(want, sizeof(want), "%10u: kmemsize ", a->veid);
	ok(strstr(out, want) != NULL, "the node sees one VE");
	snprintf(want, sizeof(want), "%10u: kmemsize ", b->veid);
	ok(strstr(out, want) != NULL, "and the other");
}

int main(void)
{
	struct env_ve a, b;

	env_require();
	a = eater_ve(501, "ub_eat");
	b = eater_ve(502, "ub_eat");
	test_events(&a);
	test_errors(&a);
	test_privilege(&a);
	test_calls(&a);
	test_file(&a, &b);
	env_destroy(&a);
	env_destroy(&b);
	return tap_done();
}
