// SPDX-License-Identifier: Apache-2.0
/*
 * What shows of others: words are planted wherever the node and another VE have a name for something, and each file
 * of /proc and /sys is read for them.  The node finds every one, a VE none.
 */
#include "iso.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define WORD "CANARY-"
static const char *const words[] = {
	"01-host",
	"02-domain",
	"03-argument",
	"04-environment",
	"05-name",
	"06-mount",
	"07-cgroup",
	"08-link",
	"09-socket",
	"10-key",
	"11-disk",
	"12-log",
	"13-argument-of-B",
	"14-environment-of-B",
	"15-mount-of-B",
	"16-boot",
	"17-core",
	"18-argument",
	"19-argument",
	"20-argument",
	"21-argument",
	"22-argument",
	"23-argument",
	"24-argument",
	"25-environment",
	"26-environment",
	"27-environment",
	"28-environment",
	"29-environment",
	"30-environment",
	"31-environment",
	"32-argument-of-B",
	"33-argument-of-B",
	"34-argument-of-B",
	"35-environment-of-B",
	"36-environment-of-B",
	"37-environment-of-B",
	"38-mount",
	"39-mount",
	"40-mount",
	"41-mount",
	"42-mount-of-B",
	"43-mount-of-B",
	"44-cgroup",
	"45-cgroup",
	"46-cgroup",
	"47-link",
	"48-link",
	"49-link",
	"50-alias",
	"51-alias",
	"52-socket",
	"53-socket",
	"54-socket",
	"55-socket",
	"56-socket",
	"57-key",
	"58-key",
	"59-key",
	"60-mapped",
	"61-mapped",
	"62-open",
	"63-open",
	"64-log",
};
static_assert(sizeof(words) / sizeof(words[0]) == 64);
#define WORDS (sizeof(words) / sizeof(words[0]))
#define MOST (256 << 10) /* bytes of a file that are looked at */

static bool found[WORDS];
static int addresses; /* of the kernel's memory, in what was read */

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

/*
 * Where the kernel's memory is: the map of all memory, vmalloc, vmemmap, its text and modules, in hexadecimal digits.
 * The page of vsyscall lies higher, and everybody knows where; masks of signals and -1 are higher as well.
 */
static bool is_address(const char *at)
{
	static const char map[] = "89abcde", text[] = "89abc";

	return !strncmp(at, "ffff", 4) && (strchr(map, at[4]) || (!strncmp(at + 4, "ffff", 4) && strchr(text, at[8])));
}

static void look_for_addresses(const char *name, const char *text, size_t n)
{
	size_t digits = 0;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && isxdigit((unsigned char)text[i])) {
			digits++;
			continue;
		}
		if (digits == 16 && is_address(text + i - 16)) {
			if (!addresses++)
				printf("# %s: %.16s\n", name, text + i - 16);
		}
		digits = 0;
	}
}

static void read_link(int dir, const char *name)
{
	char to[4096];
	ssize_t n = readlinkat(dir, name, to, sizeof(to));

	if (n > 0)
		look_for(to, (size_t)n);
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
	look_for_addresses(name, buf, len);
}

/* What is seen elsewhere already (threads, the network of each process), and debugfs. */
static bool is_again(const char *dir, const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "task") || !strcmp(name, "debug") ||
	       (!strcmp(name, "net") && isdigit((unsigned char)*dir) && atoi(dir) != getpid());
}

/* Names count as much as contents, and so does where links lead. */
static void walk(int at, const char *name, int depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		look_for(e->d_name, strlen(e->d_name));
		if (is_again(name, e->d_name))
			continue;
		if (e->d_type == DT_DIR && depth < 12)
			walk(fd, e->d_name, depth + 1);
		else if (e->d_type == DT_REG)
			read_file(fd, e->d_name);
		else if (e->d_type == DT_LNK)
			read_link(fd, e->d_name);
	}
	if (d)
		closedir(d);
}

/* 0 when each word is found, ENOENT when none is, EIO between. */
static int count_words(void)
{
	size_t n = 0;

	for (size_t i = 0; i < WORDS; i++)
		n += found[i];
	for (size_t i = 0; i < WORDS && n && n < WORDS; i++)
		printf("# %s: %s\n", words[i], found[i] ? "found" : "not found");
	return n == WORDS ? 0 : n ? EIO : ENOENT;
}

/* Of words and addresses. */
static int both(int words)
{
	return addresses ? (words ? EIO : 0) : words ? words : EIO;
}

static int search(void)
{
	walk(AT_FDCWD, "/proc", 0);
	walk(AT_FDCWD, "/sys", 0);
	return both(count_words());
}

static int search_addresses(void)
{
	walk(AT_FDCWD, "/proc", 0);
	walk(AT_FDCWD, "/sys", 0);
	return addresses ? 0 : ENOENT;
}

#define GROUPS "/tmp/groups"

/* What NESTING lets a VE mount: its control groups; words and addresses alike. */
static int search_groups(void)
{
	int e;

	mkdir(GROUPS, 0755);
	if (mount("none", GROUPS, "cgroup2", 0, NULL))
		return errno;
	walk(AT_FDCWD, GROUPS, 0);
	e = both(count_words());
	umount(GROUPS);
	return e;
}

static int mount_sysfs(void)
{
	mkdir(GROUPS, 0755);
	if (mount("none", GROUPS, "sysfs", 0, NULL))
		return errno;
	return iso_errno(umount(GROUPS));
}

/* ---- the boot's id -------------------------------------------------------- */

#define BOOTS "boots" /* in the directory that all may write: a line of each */

static int leave_boot_id(void)
{
	char id[64];
	int in = open("/proc/sys/kernel/random/boot_id", O_RDONLY),
	    out = openat(FD_SHARED, BOOTS, O_WRONLY | O_CREAT | O_APPEND, 0666);
	ssize_t n = read(in, id, sizeof(id));

	fchmod(out, 0666);
	return n == 37 && write(out, id, 37) == 37 ? 0 : BROKEN;
}

/* The node's, A's, B's, and the node's once more. */
static int boot_ids_differ(void)
{
	char ids[5 * 37];
	int fd = openat(FD_SHARED, BOOTS, O_RDONLY);

	if (read(fd, ids, sizeof(ids)) != 4 * 37)
		return BROKEN;
	return memcmp(ids, ids + 37, 37) && memcmp(ids, ids + 2 * 37, 37) && memcmp(ids + 37, ids + 2 * 37, 37) &&
			       !memcmp(ids, ids + 3 * 37, 37)
		       ? 0
		       : EEXIST;
}

static const struct iso_row rows[] = {
	{ "words of the node and of VE B, and addresses of the kernel, in /proc and /sys", NULL, search, { 0, ENOENT, ENOENT, NA } },
	{ "an address of the kernel in /proc and /sys", NULL, search_addresses, { NA, NA, NA, ENOENT } },
	{ "either in its control groups with the feature", NULL, search_groups, { NA, ENOENT, EPERM, NA }, .features = ENV_FEAT_NESTING },
	{ "mounting sysfs with the feature (nothing of it is there to begin with)", NULL, mount_sysfs, { 0, EPERM, EPERM, EPERM },
	  .features = ENV_FEAT_NESTING },
	{ "the boot's id", NULL, leave_boot_id, { 0, 0, NA, 0 } },
	{ "the boot's id again", NULL, leave_boot_id, { 0, NA, NA, NA } },
	{ "those being three, and each the same again", NULL, boot_ids_differ, { 0, NA, NA, NA } },
};

/* ---- planting ------------------------------------------------------------- */

static void must(bool good, const char *what)
{
	if (!good)
		die("planting %s", what);
}

static const char *word(int number)
{
	static char text[8][64];
	static int at;
	char *to = text[at++ % 8];

	snprintf(to, sizeof(text[0]), WORD "%s", words[number - 1]);
	return to;
}

static void log_line(int number)
{
	char line[80];
	int fd = open("/dev/kmsg", O_WRONLY), n = snprintf(line, sizeof(line), "<4>%s\n", word(number));

	must(write(fd, line, (size_t)n) > 0, "a line of the log");
	close(fd);
}

/* Back once it runs: the pipe that it leaves open closes as it execs. */
static void leave_process(int argument, int environment)
{
	char named[80], *envp[] = { named, NULL };
	int running[2];
	char c;

	snprintf(named, sizeof(named), "%s=1", word(environment));
	if (pipe2(running, O_CLOEXEC))
		die("pipe");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execle("/bin/sh", "sh", "-c", "while :; do sleep 60; done", word(argument), NULL, envp);
		_exit(1);
	}
	close(running[1]);
	if (read(running[0], &c, 1))
		die("a process with an argument");
	close(running[0]);
}

static void plant_mount(int number)
{
	char path[80];

	snprintf(path, sizeof(path), "/run/%s", word(number));
	must(!mkdir(path, 0700) && !mount("none", path, "tmpfs", 0, NULL), "a mount");
}

static void plant_cgroup(int number)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", word(number));
	must(!mkdir(path, 0755), "a cgroup");
}

static void plant_link(int number, int alias)
{
	char line[160];

	snprintf(line, sizeof(line), "ip link add %s type dummy", word(number));
	must(!system(line), "a link");
	if (!alias)
		return;
	snprintf(line, sizeof(line), "echo %s >/sys/class/net/%s/ifalias", word(alias), word(number));
	must(!system(line), "another name of a link");
}

static void plant_socket(int number, bool abstract)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s%s", abstract ? "@" : "/run/socket-", word(number));
	if (abstract)
		a.sun_path[0] = 0;
	must(!bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&a, sizeof(a)), "a socket");
}

static void plant_key(int number)
{
	must(syscall(SYS_add_key, "user", word(number), "x", 1, KEY_SPEC_SESSION_KEYRING) >= 0, "a key");
}

/* A file that stays open; @mapped: only mapped. */
static void plant_file(int number, bool mapped)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/run/file-%s", word(number));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(fd >= 0 && !ftruncate(fd, 4096), "a file");
	if (!mapped) {
		must(fcntl(fd, F_DUPFD_CLOEXEC, 100) >= 0, "an open file");
	} else {
		must(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED, "a mapped file");
	}
	close(fd);
}

/* Its shell execs once all is done. */
static void until_named(void)
{
	static char *const ready[] = { "/bin/sh", "-c",
				       "until grep -q 13-argument-of-[B] /proc/[0-9]*/cmdline && "
				       "! grep -q NAME[D]= /proc/[0-9]*/cmdline; do sleep 0.1; done",
				       NULL };
	int fd = env_run(&iso_b, ready);

	must(fd >= 0 && !env_wait(fd), "names in VE B");
	close(fd);
}

static const char in_b[] = "for w in 15 42 43; do mkdir -p /tmp/" WORD "$w-mount-of-B && mount -t tmpfs none /tmp/" WORD
			   "$w-mount-of-B || exit; done; "
			   "export NAMED=" WORD "14-environment-of-B A=" WORD "35-environment-of-B B=" WORD
			   "36-environment-of-B C=" WORD "37-environment-of-B; "
			   "exec sh -c 'while :; do sleep 60; done' " WORD "32-argument-of-B " WORD "33-argument-of-B " WORD
			   "34-argument-of-B " WORD "13-argument-of-B";

static void plant_in_b(void)
{
	char *argv[] = { "/bin/sh", "-c", (char *)in_b, NULL };

	must(env_run(&iso_b, argv) >= 0, "a process of VE B");
	until_named();
}

static void setup(void)
{
	int core = open("/proc/sys/kernel/core_pattern", O_WRONLY);

	must(!sethostname(WORD "01-host", strlen(WORD "01-host")), "a host name");
	must(!setdomainname(WORD "02-domain", strlen(WORD "02-domain")), "a domain name");
	leave_process(3, 4);
	for (int i = 0; i < 7; i++)
		leave_process(18 + i, 25 + i);
	prctl(PR_SET_NAME, WORD "05-name");
	plant_mount(6);
	for (int i = 38; i <= 41; i++)
		plant_mount(i);
	plant_cgroup(7);
	for (int i = 44; i <= 46; i++)
		plant_cgroup(i);
	plant_link(8, 0);
	plant_link(47, 50);
	plant_link(48, 51);
	plant_link(49, 0);
	plant_socket(9, true);
	for (int i = 52; i <= 56; i++)
		plant_socket(i, i & 1);
	plant_key(10);
	for (int i = 57; i <= 59; i++)
		plant_key(i);
	must(!system("dd if=/dev/zero of=/run/" WORD "11-disk bs=1024 count=64 2>/dev/null && losetup /dev/loop7 /run/" WORD
		     "11-disk"),
	     "a disk");
	log_line(12);
	log_line(64);
	must(write(core, WORD "17-core\n", strlen(WORD "17-core\n")) > 0, "a pattern of core files");
	for (int i = 60; i <= 63; i++)
		plant_file(i, i < 62);
	plant_in_b();
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
