// SPDX-License-Identifier: GPL-2.0-only
/*
 * failnth_test [STRIDE]: env_create(2), env_enter(2) and the addresses with every allocation failing
 * in turn: fail-nth makes the n-th of the calling task fail, the kernel passes
 * it on to what works for the call.  Each failure is an error from the list, and
 * afterwards nothing is there.  Needs a kernel with fault injection.
 */
#include "envlib.h"
#include "tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define TINY "/usr/share/ve/template/tiny"
#define MOST 20000

static char *init[] = { "/sbin/init", NULL };
static int fail_nth;
static unsigned int stride = 1;	/* 1: every allocation, n: every n-th, to be quick */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", path);
	close(fd);
}

static void arm(unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	if (pwrite(fail_nth, text, strlen(text), 0) < 0)
		die("fail-nth");
}

/* Was there a failure since arm()?  Disarms. */
static bool struck(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		die("fail-nth");
	arm(0);
	return atoi(text) == 0;
}

/* What a system under pressure says. */
static bool allowed(int e)
{
	return e == ENOMEM || e == ENOSPC || e == EAGAIN || e == EMFILE || e == ENFILE ||
	       e == EUSERS || e == ENOBUFS || e == E2BIG || e == EIO;
}

/* execve(2) says it in its way: of a page of arguments, or of the program, that it did not get. */
static bool allowed_of_init(int e)
{
	return allowed(e) || e == EFAULT || e == ENOEXEC;
}

/* One call with the n-th allocation failing; fd or -1 with errno. */
static int create(struct env_ve *ve, unsigned int n, bool *hit)
{
	struct env_create_args args;
	int fd, e;

	env_prepare(ve, 600, TINY, &args, init);
	arm(n);
	fd = env_create(&args, sizeof(args));
	e = errno;
	*hit = struck();
	close(args.root_fd);
	ve->fd = fd;
	errno = e;
	return fd;
}

static void sweep_create(void)
{
	unsigned int n, failed = 0, survived = 0, strange = 0, left = 0;
	struct env_ve ve;
	bool hit = true;

	for (n = 1; n < MOST && hit; n += stride) {
		if (create(&ve, n, &hit) >= 0) {
			survived += hit;
			env_destroy(&ve);
		} else {
			int e = errno;

			failed++;
			if (!allowed_of_init(e) && strange++ < 10)
				printf("# allocation %u: %s\n", n, strerror(e));
			left += env_listed();
			env_clean(&ve);
		}
	}
	printf("# env_create: about %u allocations, %u failures, %u done without\n", n - stride, failed, survived);
	ok(!hit && n > 100, "env_create: one of %u allocations has failed, each in turn", stride);
	ok(!strange, "each failure is one that is documented");
	ok(!left, "and nothing was left of the VE");
}

static int enter(const struct env_ve *ve)
{
	static char *argv[] = { "/bin/true", NULL };

	return env_run(ve, argv);
}

static int lend(const struct env_ve *ve)
{
	struct env_ip ip = { .family = AF_INET6, .epoch = 1 };

	inet_pton(AF_INET6, "fd00:77::9", ip.addr);
	if (env_ctl(ve->fd, ENV_CTL_IP_ADD, &ip, sizeof(ip)))
		return -1;
	return env_ctl(ve->fd, ENV_CTL_IP_DEL, &ip, sizeof(ip));
}

static int open_pty(const struct env_ve *ve)
{
	struct env_pty pty = { .cols = 80, .rows = 24 };

	if (env_ctl(ve->fd, ENV_CTL_OPEN_PTY, &pty, sizeof(pty)))
		return -1;
	close(pty.master);
	return pty.slave;
}

/* A call on a running VE, which has to be none the worse for it. */
static void sweep(const char *name, int (*call)(const struct env_ve *ve))
{
	unsigned int n, failed = 0, strange = 0;
	bool hit = true;
	struct env_ve ve;
	char out[64];

	env_start(&ve, 601, TINY, init);
	for (n = 1; n < MOST && hit; n += stride) {
		int ret, e;

		arm(n);
		ret = call(&ve);
		e = errno;
		hit = struck();
		if (ret > 2)
			close(ret);
		if (ret < 0) {
			failed++;
			if (!allowed(e) && strange++ < 10)
				printf("# allocation %u: %s\n", n, strerror(e));
		}
	}
	printf("# %s: about %u allocations, %u failures\n", name, n - stride, failed);
	ok(!hit && failed, "%s: likewise", name);
	ok(!strange, "each failure is one that is documented");
	ok(!env_sh(&ve, "echo alive", out, sizeof(out)) && !strcmp(out, "alive\n"),
	   "and the VE works");
	env_destroy(&ve);
}

int main(int argc, char **argv)
{
	env_require();
	if (argc > 1)
		stride = (unsigned int)atoi(argv[1]);
	if (!stride)
		die("usage: failnth_test [STRIDE]");
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	if (fail_nth < 0) {
		puts("1..0 # SKIP this kernel cannot inject failures");
		return 77;
	}
	write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_file("/sys/kernel/debug/failslab/verbose", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	sweep_create();
	sweep("env_enter", enter);
	sweep("an address", lend);
	sweep("a terminal", open_pty);
	return tap_done();
}
