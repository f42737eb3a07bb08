// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a VE: what it is born with, what it sees, how it ends.
 */
#include "envlib.h"
#include "tap.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TINY "/usr/share/ve/template/tiny"

static char *init[] = { "/sbin/init", NULL };
static char out[65536];

/* The script ends with 0 and says exactly @want. */
static void says(const struct env_ve *ve, const char *script, const char *want,
		 const char *what)
{
	int status = env_sh(ve, script, out, sizeof(out));

	if (!ok(!status && !strcmp(out, want), "%s", what))
		printf("# status %d, said: %s", status, out);
}

static void await_stopped(int fd)
{
	struct env_info info;

	while (!(env_poll(fd, POLLIN, 20000) & POLLHUP))
		if (env_ctl(fd, ENV_CTL_QUERY, &info, sizeof(info)))
			die("query");
}

static void test_inside(void)
{
	struct env_ve ve;

	env_start(&ve, 1234, TINY, init);
	says(&ve, "grep envID /proc/self/status", "envID:\t1234\n",
	     "a process of the VE carries its number");
	says(&ve, "grep envID /proc/1/status", "envID:\t1234\n", "init does too");
	says(&ve, "cat /proc/1/comm", "init\n", "PID 1 is the VE's own init");
	says(&ve, "hostname", "ve1234\n", "it has a host name of its own");
	says(&ve, "id -u; id -g", "0\n0\n", "root inside is uid 0");
	says(&ve, "cat /proc/self/uid_map | tr -s ' '", " 0 81871424 65536\n",
	     "and nobody on the node");
	says(&ve, "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 ",
	     "only 0, 1, 2 are open (3 is ls's own)");
	says(&ve, "pwd", "/root\n", "the working directory is as asked");
	says(&ve, "cut -d' ' -f6 /proc/self/stat | grep -vx 0 | wc -l", "1\n",
	     "an entered process has a session of its own");
	env_settle(&ve);
	says(&ve, "grep -c . /proc/self/mounts", "5\n",
	     "the mounts are the root, /proc, /dev/pts, /run and /dev/shm");
	says(&ve, "cat /proc/self/cgroup", "0::/../enter\n",
	     "the cgroup namespace begins where init was born");
	says(&ve, "grep -E 'Seccomp:|NoNewPrivs' /proc/self/status",
	     "NoNewPrivs:\t0\nSeccomp:\t0\n", "nothing of the caller's seccomp");
	says(&ve, "ulimit -c", "0\n", "no limit of the caller's");
	says(&ve, "cat /proc/self/oom_score_adj", "0\n", "no OOM score of the caller's");
	says(&ve, "ps | grep -c '\\[kthreadd\\]'; :", "0\n", "no process of the node shows");
	says(&ve, "cat /proc/self/environ | tr '\\0' '\\n' | grep -c SECRET; :", "0\n",
	     "no environment of the caller's");
	env_destroy(&ve);
}

static void test_caller_leaves_nothing(void)
{
	struct rlimit rl = { 77, 77 };
	struct env_ve ve;
	int pid, status;

	/* in a child, whose state may be spoilt */
	pid = fork();
	if (!pid) {
		int ok_so_far;

		setenv("SECRET", "x", 1);
		if (open("/proc/version", O_RDONLY) < 0 ||
		    setrlimit(RLIMIT_CORE, &rl) ||
		    setpriority(PRIO_PROCESS, 0, 5) || chdir("/tmp"))
			_exit(2);
		umask(0);
		signal(SIGUSR1, SIG_IGN);
		env_start(&ve, 1235, TINY, init);
		env_sh(&ve, "ulimit -c; umask; cut -d' ' -f19 /proc/1/stat;"
		       "grep SigIgn /proc/self/status; ls -l /proc/1/fd |"
		       "grep -- '->' | grep -vc /dev/null", out, sizeof(out));
		ok_so_far = !strcmp(out, "0\n0022\n0\nSigIgn:\t0000000000000000\n0\n");
		if (!ok_so_far)
			printf("# said: %s", out);
		fflush(stdout);
		env_destroy(&ve);
		_exit(!ok_so_far);
	}
	waitpid(pid, &status, 0);
	ok(status == 0, "limits, niceness, umask, ignored signals and descriptors stay outside");
}

static void test_orphans(void)
{
	struct env_ve ve;

	env_start(&ve, 1236, TINY, init);
	says(&ve, "(sleep 1000 >/dev/null 2>&1 & echo $! >/tmp/pid); cut -d' ' -f4 /proc/$(cat /tmp/pid)/stat",
	     "1\n", "an orphan goes to the VE's init");
	says(&ve, "kill -9 $(cat /tmp/pid); while [ -d /proc/$(cat /tmp/pid) ]; do (sleep 0.1 &); sleep 0.2; done; echo gone",
	     "gone\n", "which reaps it (busybox's init looks only at its next SIGCHLD)");
	says(&ve, "kill -9 1; echo alive", "alive\n", "init is not to be killed from inside");
	env_destroy(&ve);
}

static void test_ends(void)
{
	static const struct {
		const char *script;
		unsigned int halt;
		const char *what;
	} cases[] = {
		{ "reboot -f", ENV_HALT_RESTART, "reboot inside" },
		{ "poweroff -f", ENV_HALT_HALT, "poweroff inside" },
	};
	struct env_info info;
	struct env_ve ve;
	envid_t id = 1237;

	for (size_t i = 0; i < 2; i++) {
		env_start(&ve, id, TINY, init);
		env_sh(&ve, cases[i].script, out, sizeof(out));
		await_stopped(ve.fd);
		env_ctl(ve.fd, ENV_CTL_QUERY, &info, sizeof(info));
		ok(info.state == ENV_ST_STOPPED && info.halt == cases[i].halt,
		   "%s stops the VE alone and says so", cases[i].what);
		env_destroy(&ve);
	}
	env_start(&ve, id, TINY, init);
	env_ctl(ve.fd, ENV_CTL_KILL, NULL, 0);
	await_stopped(ve.fd);
	env_ctl(ve.fd, ENV_CTL_QUERY, &info, sizeof(info));
	ok(info.halt == ENV_HALT_NONE && WTERMSIG(info.exit_status) == SIGKILL,
	   "a kill is no halt, and its signal is known");
	refused(env_ctl(-1, ENV_CTL_OPEN, &id, sizeof(id)), ESRCH,
		"a stopped VE is not found by its number");
	env_destroy(&ve);
}

/* The number is free at once; the old descriptor still tells of the old VE. */
static void test_number_again(void)
{
	struct env_info info;
	struct env_ve a, b;

	env_start(&a, 1238, TINY, init);
	env_ctl(a.fd, ENV_CTL_KILL, NULL, 0);
	await_stopped(a.fd);
	env_start(&b, 1238, TINY, init);
	env_ctl(a.fd, ENV_CTL_QUERY, &info, sizeof(info));
	ok(info.state == ENV_ST_STOPPED, "the old VE is stopped");
	env_ctl(b.fd, ENV_CTL_QUERY, &info, sizeof(info));
	ok(info.state == ENV_ST_RUNNING, "the new one of the same number runs");
	close(a.fd);
	env_destroy(&b);
}

static void test_poll(void)
{
	struct env_info info;
	struct env_ve ve;

	env_start(&ve, 1239, TINY, init);
	env_ctl(ve.fd, ENV_CTL_QUERY, &info, sizeof(info));
	ok(env_poll(ve.fd, POLLIN, 0) == 0, "nothing to read while nothing changes");
	env_ctl(ve.fd, ENV_CTL_FREEZE, NULL, 0);
	ok(env_poll(ve.fd, POLLIN, 1000) == POLLIN, "a change of state is readable");
	env_ctl(ve.fd, ENV_CTL_QUERY, &info, sizeof(info));
	ok(info.state == ENV_ST_FROZEN && env_poll(ve.fd, POLLIN, 0) == 0,
	   "until it was asked for");
	env_ctl(ve.fd, ENV_CTL_KILL, NULL, 0);
	await_stopped(ve.fd);
	ok(env_poll(ve.fd, POLLIN, 0) & POLLHUP, "a frozen VE can be killed; its end hangs up");
	env_destroy(&ve);
}

static void test_pty(void)
{
	static char *sh[] = { "/bin/sh", "-c",
			      "tty; stty size; echo owner $(stat -c %u $(tty))", NULL };
	struct env_pty pty = { .cols = 100, .rows = 30 };
	struct env_enter_args a = { 0 };
	struct env_fdmap fds[3];
	struct env_ve ve;
	size_t n = 0;
	ssize_t got;
	int fd;

	env_start(&ve, 1240, TINY, init);
	if (env_ctl(ve.fd, ENV_CTL_OPEN_PTY, &pty, sizeof(pty)))
		die("open pty");
	for (int i = 0; i < 3; i++)
		fds[i] = (struct env_fdmap){ pty.slave, i };
	a.cgroup_fd = ve.enter;
	a.exec.path = (uintptr_t)sh[0];
	a.exec.argv = (uintptr_t)sh;
	a.exec.fds = (uintptr_t)fds;
	a.exec.nr_fds = 3;
	a.exec.flags = ENV_EXEC_CTTY;
	fd = env_enter(ve.fd, &a, sizeof(a));
	if (fd < 0)
		die("enter");
	close(pty.slave);
	while (n < sizeof(out) - 1 &&
	       (got = read(pty.master, out + n, sizeof(out) - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	if (!ok(!strcmp(out, "/dev/pts/0\r\n30 100\r\nowner 0\r\n"),
		"a terminal is the VE's own, of the size asked, its root's"))
		printf("# said: %s", out);
	ok(env_wait(fd) == 0, "and its shell ends well");
	close(pty.master);
	env_sh(&ve, "echo >/root/x && mount --bind /root/x /dev/pts/ptmx", out, sizeof(out));
	refused(env_ctl(ve.fd, ENV_CTL_OPEN_PTY, &pty, sizeof(pty)), EXDEV,
		"what a VE mounts on its ptmx is not opened");
	env_sh(&ve, "umount /dev/pts/ptmx && mkfifo /root/y && mount --bind /root/y /dev/pts/ptmx", out, sizeof(out));
	refused(env_ctl(ve.fd, ENV_CTL_OPEN_PTY, &pty, sizeof(pty)), EXDEV, "nor a pipe");
	env_sh(&ve, "umount /dev/pts/ptmx", out, sizeof(out));
	ok(env_ctl(ve.fd, ENV_CTL_OPEN_PTY, &pty, sizeof(pty)) == 0, "its own is again");
	env_destroy(&ve);
}

static void test_kill_on_close(void)
{
	struct env_create_args args;
	struct env_ve ve;
	envid_t id = 1241;
	int fd;

	env_prepare(&ve, id, TINY, &args, init);
	args.flags = ENV_CREATE_KILL_ON_CLOSE;
	ve.fd = env_create(&args, sizeof(args));
	if (ve.fd < 0)
		die("create");
	fd = env_ctl(-1, ENV_CTL_OPEN, &id, sizeof(id));
	close(ve.fd);
	ok(!(env_poll(fd, POLLIN, 0) & POLLHUP), "it runs while a descriptor is open");
	close(fd);
	while ((fd = env_ctl(-1, ENV_CTL_OPEN, &id, sizeof(id))) >= 0)
		close(fd);
	ok(errno == ESRCH, "the last descriptor takes it down");
}

int main(void)
{
	env_require();
	test_inside();
	test_caller_leaves_nothing();
	test_orphans();
	test_ends();
	test_number_again();
	test_poll();
	test_pty();
	test_kill_on_close();
	return tap_done();
}
