// SPDX-License-Identifier: Apache-2.0
#include "iso.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The template of both VEs; one on a disk of its own is also read past the page cache. */
#define TINY "/usr/share/ve/template/tiny"
#define ON_DISK "ISO_TEMPLATE"
#define DEBUG "/sys/kernel/debug/ve/"
#define CGROUP "/sys/fs/cgroup/ve/"
/* In a probe's environment: the VE that it runs in */
#define WHERE "ISO_VE"

enum { VE_A = 400, VE_B = 401 };

struct env_ve iso_a, iso_b;
int iso_victim;

static const struct iso_row *table;
static size_t rows_nr;
static int fds[FD_END];
static int neighbour;		/* VE B's process, by its number on the node */
static const char *const actors[] = { "the node's root", "a VE's root", "a VE's user", "another VE's root" };

/* ---- the template, that all VEs share ----------------------------------- */

static struct {
	char *path, *bytes;
	size_t size;
} kept[64];
static size_t kept_nr;

const char *iso_template(void)
{
	const char *disk = getenv(ON_DISK);

	return disk ? disk : TINY;
}

static int keep(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	int fd;

	if (type != FTW_F || !S_ISREG(st->st_mode) || !st->st_size)
		return 0;
	if (kept_nr == sizeof(kept) / sizeof(kept[0]))
		die("the template has too many files");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	kept[kept_nr].size = (size_t)st->st_size;
	kept[kept_nr].path = strdup(path);
	kept[kept_nr].bytes = malloc(kept[kept_nr].size);
	if (fd < 0 || !kept[kept_nr].path || !kept[kept_nr].bytes ||
	    read(fd, kept[kept_nr].bytes, kept[kept_nr].size) != (ssize_t)kept[kept_nr].size)
		die("%s", path);
	close(fd);
	kept_nr++;
	return 0;
}

static bool same(size_t i, int flags)
{
	enum { CHUNK = 65536 };
	static char *buf;
	int fd = open(kept[i].path, O_RDONLY | O_CLOEXEC | flags);
	size_t at = 0;
	ssize_t n;

	if (!buf && posix_memalign((void **)&buf, 4096, CHUNK))
		die("no memory");
	if (fd < 0)
		die("%s", kept[i].path);
	while ((n = read(fd, buf, CHUNK)) > 0 && at + (size_t)n <= kept[i].size && !memcmp(buf, kept[i].bytes + at, (size_t)n))
		at += (size_t)n;
	close(fd);
	return n == 0 && at == kept[i].size;
}

/* As it was, through the page cache and past it? */
static bool template_intact(void)
{
	for (size_t i = 0; i < kept_nr; i++)
		if (!same(i, 0) || (getenv(ON_DISK) && !same(i, O_DIRECT)))
			return false;
	return true;
}

/* A byte that the node writes is noticed, and one put back is no longer. */
static bool template_watched(void)
{
	int fd = open(kept[0].path, O_RDWR | O_CLOEXEC);
	char other = (char)~kept[0].bytes[0];
	bool noticed;

	if (fd < 0 || pwrite(fd, &other, 1, 0) != 1)
		return false;
	noticed = !template_intact();
	if (pwrite(fd, kept[0].bytes, 1, 0) != 1 || fsync(fd))
		die("%s", kept[0].path);
	close(fd);
	return noticed && template_intact();
}

/* ---- inside: this program again, asked for one probe --------------------- */

static int answer(const char *which)
{
	const struct iso_row *row = &table[atoi(which)];

	if (row->rooted && write(FD_ROOTED, "1", 1) != 1)
		return BROKEN;
	return row->probe();
}

/* ---- on the node --------------------------------------------------------- */

static void copy_self(const struct env_ve *ve)
{
	char path[160], buf[65536];
	int in = open("/proc/self/exe", O_RDONLY), out;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/upper/iso", ve->private);
	out = open(path, O_WRONLY | O_CREAT, 0755);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			die("%s", path);
	if (n < 0 || fchmod(out, 0755))
		die("%s", path);
	close(in);
	close(out);
}

static void start_ve(struct env_ve *ve, envid_t veid)
{
	static char *init[] = { "/sbin/init", NULL };
	struct env_create_args args;

	env_prepare(ve, veid, iso_template(), &args, init);
	copy_self(ve);
	ve->fd = env_create(&args, sizeof(args));
	if (ve->fd < 0)
		die("env_create %u", veid);
	close(args.root_fd);
}

/* A process of the node that waits; with the credentials of VE @as, unless NULL. */
static int victim(const struct env_ve *as, int *pid_out)
{
	int p[2], pid, fd;
	char c;

	if (pipe(p))
		die("pipe");
	pid = fork();
	if (!pid) {
		if (as) {
			int user = env_ctl(as->fd, ENV_CTL_OPEN_USER, NULL, 0);

			if (user < 0 || setns(user, CLONE_NEWUSER) || setresgid(0, 0, 0) ||
			    setresuid(0, 0, 0) || prctl(PR_SET_DUMPABLE, 1))
				_exit(1);
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write(p[1], "x", 1);
		for (;;)
			pause();
	}
	close(p[1]);
	if (read(p[0], &c, 1) != 1)
		die("victim");
	close(p[0]);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		die("pidfd_open");
	if (pid_out)
		*pid_out = pid;
	return fd;
}

/* A process of VE B that waits, the only one that is not its init's. */
static int start_neighbour(void)
{
	static char *sleeper[] = { "/bin/sleep", "100000", NULL };
	char buf[16] = "";
	int in;

	if (env_run(&iso_b, sleeper) < 0)
		die("VE B's process");
	in = openat(iso_b.enter, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (in < 0 || read(in, buf, sizeof(buf) - 1) < 1)
		die("VE B's processes");
	close(in);
	neighbour = atoi(buf);
	return (int)syscall(SYS_pidfd_open, neighbour, 0);
}

/* ---- what the node knows of processes ------------------------------------ */

static struct iso_processes known;

/* The number of task @pid of the node in the innermost namespace that has one. */
static int inner_number(int pid)
{
	char path[64], line[256], *last;
	int nr = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "NSpid:", 6) && (last = strrchr(line, '\t')))
			nr = atoi(last + 1);
	if (f)
		fclose(f);
	return nr;
}

static int count_tasks(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	FILE *f = type == FTW_F && !strcmp(path + at->base, "cgroup.threads") ? fopen(path, "re") : NULL;
	int pid, nr;

	while (f && fscanf(f, "%d", &pid) == 1) {
		nr = inner_number(pid);
		if (nr && known.nr < (int)(sizeof(known.own) / sizeof(known.own[0])))
			known.own[known.nr++] = nr;
	}
	if (f)
		fclose(f);
	return 0;
}

/* All of VE @veid, and the highest number that there is. */
static void count_processes(envid_t veid)
{
	char path[64];
	const struct dirent *e;
	DIR *d = opendir("/proc");

	known = (struct iso_processes){ .neighbour = neighbour };
	while (d && (e = readdir(d)))
		if (atoi(e->d_name) > known.highest)
			known.highest = atoi(e->d_name);
	if (d)
		closedir(d);
	snprintf(path, sizeof(path), CGROUP "%u", veid);
	if (veid)
		nftw(path, count_tasks, 16, FTW_PHYS);
}

bool iso_processes(struct iso_processes *p)
{
	const char *where = getenv(WHERE);
	char c = !where ? '0' : atoi(where) == VE_A ? 'a' : 'b';

	return write(FD_HELPER, &c, 1) == 1 && recv(FD_HELPER, p, sizeof(*p), MSG_WAITALL) == sizeof(*p) && !where == !p->nr;
}

/* A message to the node's queue, if there is one. */
static void send_queue(void)
{
	mqd_t q = mq_open(ISO_QUEUE, O_WRONLY | O_NONBLOCK);

	mq_send(q, "x", 1, 0);
	mq_close(q);
}

/*
 * The helper on the node's end of FD_HELPER: says 'x' to whoever says 'g' (urgently for 'u', after a message to the
 * node's queue for 'q'), sends a descriptor of the node's to whoever says 'f', and tells of processes: of VE 'a',
 * VE 'b', or of none, '0'.
 */
static void help(int sock)
{
	struct iovec iov;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u;
	char c;

	while (read(sock, &c, 1) == 1) {
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
		int fd = open("/etc/passwd", O_RDONLY);

		if (c == 'f') {
			m.msg_control = u.buf;
			m.msg_controllen = sizeof(u.buf);
			CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
			CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
			CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
		}
		iov = (struct iovec){ "x", 1 };
		if (strchr("ab0", c)) {
			count_processes(c == 'a' ? VE_A : c == 'b' ? VE_B : 0);
			iov = (struct iovec){ &known, sizeof(known) };
		}
		if (c == 'q')
			send_queue();
		if (sendmsg(sock, &m, c == 'u' ? MSG_OOB : 0) != (ssize_t)iov.iov_len)
			break;
		close(fd);
	}
	_exit(0);
}

/* What a probe finds at @to; kept high meanwhile, out of the way of the others. */
static void give(int to, int fd)
{
	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	fds[to] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	if (fds[to] < 0)
		die("descriptor %d", to);
	close(fd);
}

void iso_replace(int which, int fd)
{
	close(fds[which]);
	give(which, fd);
}

static void make_world(void)
{
	int pair[2];

	start_ve(&iso_a, VE_A);
	start_ve(&iso_b, VE_B);
	give(FD_ROOTED, open(DEBUG "become_root", O_WRONLY));
	give(FD_REACH, open(DEBUG "reach", O_WRONLY));
	give(FD_VICTIM, victim(NULL, &iso_victim));
	give(FD_COUSIN, victim(&iso_a, NULL));
	give(FD_NEIGHBOUR, start_neighbour());
	mkdir("/run/shared", 0777);
	chmod("/run/shared", 0777);
	give(FD_SHARED, open("/run/shared", O_RDONLY | O_DIRECTORY));
	for (int i = FD_MORE; i < FD_END; i++)
		give(i, -1);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		help(pair[1]);
	}
	close(pair[1]);
	give(FD_HELPER, pair[0]);
	give(FD_NS, open("/proc/self/ns/mnt", O_RDONLY));
}

static int enter(const struct env_ve *ve, size_t row, unsigned int uid)
{
	struct env_fdmap map[FD_END] = { { 0, 0 }, { 1, 1 }, { 2, 2 } };
	char where[32], *envp[] = { "PATH=/sbin:/bin", where, NULL };
	char number[24], *argv[] = { "/iso", "--probe", number, NULL };
	struct env_enter_args args = { .cgroup_fd = ve->enter };

	snprintf(number, sizeof(number), "%zu", row);
	snprintf(where, sizeof(where), WHERE "=%u", ve->veid);
	for (int i = FD_ROOTED; i < FD_END; i++)
		map[i] = (struct env_fdmap){ fds[i], i };
	args.exec.path = (uintptr_t)argv[0];
	args.exec.argv = (uintptr_t)argv;
	args.exec.envp = (uintptr_t)envp;
	args.exec.fds = (uintptr_t)map;
	args.exec.nr_fds = FD_END;
	args.exec.uid = args.exec.gid = uid;
	return env_enter(ve->fd, &args, sizeof(args));
}

static int on_node(size_t row)
{
	int status, pid = fork();

	if (!pid) {
		char number[24];

		for (int i = FD_ROOTED; i < FD_END; i++)
			dup2(fds[i], i);
		snprintf(number, sizeof(number), "%zu", row);
		execl("/proc/self/exe", "iso", "--probe", number, NULL);
		_exit(BROKEN);
	}
	waitpid(pid, &status, 0);
	return status;
}

static int run(size_t row, int actor)
{
	const struct env_ve *ve = actor == OTHER ? &iso_b : &iso_a;
	__u64 features = table[row].features, none = 0;
	int fd, status;

	if (actor == NODE)
		return on_node(row);
	if (features && env_ctl(iso_a.fd, ENV_CTL_FEATURES, &features, sizeof(features)))
		die("features");
	fd = enter(ve, row, actor == USER ? 1000 : 0);
	if (fd < 0)
		die("env_enter");
	status = env_wait(fd);
	close(fd);
	if (features && env_ctl(iso_a.fd, ENV_CTL_FEATURES, &none, sizeof(none)))
		die("features");
	return status;
}

int iso_leave(int (*probe)(void))
{
	int fd;

	for (size_t i = 0; i < rows_nr; i++) {
		if (table[i].probe != probe)
			continue;
		fd = enter(&iso_a, i, 0);
		if (fd < 0)
			die("env_enter");
		return fd;
	}
	die("no row has this probe");
}

int iso_ask(long nr)
{
	int status, pid = fork();

	if (!pid) {
		alarm(1);
		_exit(syscall(nr, -1L, -1L, -1L, -1L, -1L, -1L) < 0 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static void try_row(size_t row)
{
	const struct iso_row *r = &table[row];

	for (int actor = 0; actor < ACTORS; actor++) {
		int status, want = r->want[actor];

		if (want == NA)
			continue;
		status = run(row, actor);
		if (!ok(WIFEXITED(status) && WEXITSTATUS(status) == want, "%s%s, by %s: %s", r->name,
			r->rooted ? " with root's credentials" : "", actors[actor],
			want ? strerror(want) : "allowed"))
			printf("# %s\n", WIFEXITED(status) ? WEXITSTATUS(status) == BROKEN ? "the probe is broken" :
			       strerror(WEXITSTATUS(status)) : "it was killed");
	}
}

int iso_main(int argc, char **argv, const struct iso_row *rows, size_t n, void (*setup)(void))
{
	const char *guard = argc == 3 && !strcmp(argv[1], "--guard") ? argv[2] : NULL;
	bool guarded = argc == 2 && !strcmp(argv[1], "--guarded"), debug, intact = true, tried = false;

	table = rows;
	rows_nr = n;
	if (argc == 3 && !strcmp(argv[1], "--probe"))
		return answer(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < n; i++)
			if (rows[i].guard)
				puts(rows[i].guard);
		return 0;
	}
	env_require();
	if (nftw(iso_template(), keep, 16, FTW_PHYS))
		die("%s", iso_template());
	make_world();
	if (setup)
		setup();
	debug = access(DEBUG "become_root", W_OK) == 0;
	for (size_t i = 0; i < n; i++) {
		if (!rows[i].name || (guard && (!rows[i].guard || strcmp(rows[i].guard, guard))) ||
		    (guarded && !rows[i].guard) || (!debug && rows[i].rooted))
			continue;
		try_row(i);
		tried = true;
		if (intact && !template_intact()) {
			intact = false;
			printf("# changed by: %s\n", rows[i].name);
		}
	}
	if (tried)
		ok(intact, "the template after each of them, through the page cache%s", getenv(ON_DISK) ? " and past it" : "");
	env_destroy(&iso_a);
	env_destroy(&iso_b);
	if (tried)
		ok(template_watched(), "a byte of the template that the node changes is noticed");
	return tap_done();
}
