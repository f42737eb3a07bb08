// SPDX-License-Identifier: Apache-2.0
/*
 * What shows of others: words are planted wherever the node and another VE have a name for something, and each file
 * of /proc and /sys is read for them.  The node finds every one, a VE none.
 */
#include "iso.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define WORD "CANARY-"
static const char *const words[] = {
	"01-host", "02-domain", "03-argument", "04-environment", "05-name", "06-mount", "07-cgroup", "08-link", "09-socket",
	"10-key", "11-disk", "12-log", "13-argument-of-B", "14-environment-of-B", "15-mount-of-B", "16-boot", "17-core",
};
#define WORDS (sizeof(words) / sizeof(words[0]))
#define MOST (256 << 10) /* bytes of a file that are looked at */

static bool found[WORDS];

static void look_for(const char *text, size_t n)
{
	const char *at = text, *end = text + n;

	while ((at = memmem(at, (size_t)(end - at), WORD, strlen(WORD)))) {
		at += strlen(WORD);
		for (size_t i = 0; i < WORDS; i++)
			if ((size_t)(end - at) >= strlen(words[i]) && !memcmp(at, words[i], strlen(words[i])))
				found[i] = true;
	}
}

static void read_file(int dir, const char *name)
{
	static char buf[MOST];
	int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return;
	while (len < sizeof(buf) && (n = read(fd, buf + len, sizeof(buf) - len)) > 0)
		len += (size_t)n;
	close(fd);
	look_for(buf, len);
}

/* Names count as much as contents. */
static void walk(int at, const char *name, int depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		look_for(e->d_name, strlen(e->d_name));
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "task") || !strcmp(e->d_name, "debug"))
			continue;
		if (e->d_type == DT_DIR && depth < 12)
			walk(fd, e->d_name, depth + 1);
		else if (e->d_type == DT_REG)
			read_file(fd, e->d_name);
	}
	if (d)
		closedir(d);
}

/* 0 when each word is found, ENOENT when none is, EIO between. */
static int search(void)
{
	size_t n = 0;

	walk(AT_FDCWD, "/proc", 0);
	walk(AT_FDCWD, "/sys", 0);
	for (size_t i = 0; i < WORDS; i++)
		n += found[i];
	for (size_t i = 0; i < WORDS && n && n < WORDS; i++)
		printf("# %s: %s\n", words[i], found[i] ? "found" : "not found");
	return n == WORDS ? 0 : n ? EIO : ENOENT;
}

static int log_of_kernel(void)
{
	int fd = open("/dev/kmsg", O_WRONLY);

	return write(fd, "<4>" WORD "12-log\n", sizeof("<4>" WORD "12-log\n") - 1) > 0 ? 0 : errno;
}

static const struct iso_row rows[] = {
	{ "words of the node and of VE B in /proc and /sys", NULL, search, { 0, ENOENT, ENOENT, NA } },
};

/* Back once it runs: the pipe that it leaves open closes as it execs. */
static void leave_process(void)
{
	static char *envp[] = { WORD "04-environment=1", NULL };
	int running[2];
	char c;

	if (pipe2(running, O_CLOEXEC))
		die("pipe");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execle("/bin/sh", "sh", "-c", "while :; do sleep 60; done", WORD "03-argument", NULL, envp);
		_exit(1);
	}
	close(running[1]);
	if (read(running[0], &c, 1))
		die("a process with an argument");
	close(running[0]);
}

static void must(bool good, const char *what)
{
	if (!good)
		die("planting %s", what);
}

/* Its shell execs once all is done. */
static void until_named(void)
{
	static char *const ready[] = { "/bin/sh", "-c", "until grep -q 13-argument-of-[B] /proc/[0-9]*/cmdline && "
				       "! grep -q NAME[D]= /proc/[0-9]*/cmdline; do sleep 0.1; done", NULL };
	int fd = env_run(&iso_b, ready);

	must(fd >= 0 && !env_wait(fd), "names in VE B");
	close(fd);
}

static void setup(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0" WORD "09-socket" };
	static char *const in_b[] = { "/bin/sh", "-c", "mkdir -p /tmp/" WORD "15-mount-of-B && mount -t tmpfs none /tmp/" WORD "15-mount-of-B && "
				      "export NAMED=" WORD "14-environment-of-B && exec sh -c 'while :; do sleep 60; done' " WORD "13-argument-of-B", NULL };
	int fd, core = open("/proc/sys/kernel/core_pattern", O_WRONLY);

	must(!sethostname(WORD "01-host", strlen(WORD "01-host")), "a host name");
	must(!setdomainname(WORD "02-domain", strlen(WORD "02-domain")), "a domain name");
	leave_process();
	prctl(PR_SET_NAME, WORD "05-name");
	must(!mkdir("/run/" WORD "06-mount", 0700) && !mount("none", "/run/" WORD "06-mount", "tmpfs", 0, NULL), "a mount");
	must(!mkdir("/sys/fs/cgroup/" WORD "07-cgroup", 0755), "a cgroup");
	must(!system("ip link add " WORD "08-link type dummy"), "a link");
	must(!bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&a, sizeof(a)), "a socket");
	must(syscall(SYS_add_key, "user", WORD "10-key", "x", 1, KEY_SPEC_SESSION_KEYRING) >= 0, "a key");
	must(!system("dd if=/dev/zero of=/run/" WORD "11-disk bs=1024 count=64 2>/dev/null && losetup /dev/loop7 /run/" WORD "11-disk"), "a disk");
	must(!log_of_kernel(), "a line of the log");
	must(write(core, WORD "17-core\n", strlen(WORD "17-core\n")) > 0, "a pattern of core files");
	fd = env_run(&iso_b, in_b);
	must(fd >= 0, "a process of VE B");
	until_named();
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
