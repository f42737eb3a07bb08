// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's part, played on the host: a VE is a process that waits for its
 * end, what is entered are real programs on real ptys.  State lies in the
 * directory $VE_FAKE_DIR, so that a restarted priv finds its VEs again, as it
 * would in the kernel.  Linked into ve-agentd-fake in place of venv.c,
 * overlay.c and cgroup.c.
 */
#include "agent/venv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <linux/ve.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/confine.h"
#include "agent/libve/clean.h"
#include "agent/netroute.h"
#include "agent/overlay.h"
#include "tests/agent/fake.h"

#define MOST 256

static struct known {
	int fd;
	uint32_t veid, id_first; /* veid 0: held */
	int pid;
	int line; /* to a held one */
} known[MOST];

static const char *dir(void)
{
	const char *d = getenv("VE_FAKE_DIR");

	return d ? d : "/tmp/ve-fake";
}

static char *path_of(const char *kind, uint32_t veid)
{
	return xasprintf("%s/%s-%" PRIu32, dir(), kind, veid);
}

static int read_numbers(const char *path, unsigned *a, unsigned *b)
{
	FILE *f = fopen(path, "re");
	int n = f ? fscanf(f, "%u %u", a, b) : 0;

	if (f)
		fclose(f);
	return n;
}

static void write_numbers(const char *path, unsigned a, unsigned b)
{
	char *tmp _free_ = xasprintf("%s.new", path);
	FILE *f = fopen(tmp, "we");

	if (!f)
		return;
	fprintf(f, "%u %u\n", a, b);
	fclose(f);
	rename(tmp, path);
}

static int open_pid(int pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static bool has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static struct known *find(int fd)
{
	for (int i = 0; i < MOST; i++)
		if (known[i].pid && known[i].fd == fd)
			return &known[i];
	return NULL;
}

const char *fake_dir(void)
{
	return dir();
}

int fake_pid(int fd)
{
	struct known *k = find(fd);

	return k ? k->pid : 0;
}

/* priv closed the descriptor behind our back, as it may: forget it. */
static void forget(struct known *k)
{
	if (k->pid && !k->veid)
		close(k->line);
	*k = (struct known){ .fd = -1 };
}

static void forget_closed(void)
{
	for (int i = 0; i < MOST; i++)
		if (known[i].pid && fcntl(known[i].fd, F_GETFD) < 0)
			forget(&known[i]);
}

static int remember(const struct known *new)
{
	struct known *old = find(new->fd);

	if (old)
		forget(old);
	for (int i = 0; i < MOST; i++)
		if (!known[i].pid) {
			known[i] = *new;
			return new->fd;
		}
	return -ENFILE;
}

/* ---- the VE ---------------------------------------------------------------- */

int venv_abi(void)
{
	return 1;
}

/* Nobody's child: lives until it is told to end, or its test is over and has
 * taken the directory away. */
static void init_loop(uint32_t veid)
{
	static const struct timespec look = { .tv_sec = 1 };
	char *exit_file = path_of("exit", veid);
	sigset_t set;
	int sig;

	syscall(SYS_close_range, 3, ~0u, 0);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (access(dir(), F_OK) == 0) {
		sig = sigtimedwait(&set, NULL, &look);
		if (sig == SIGPWR || sig == SIGUSR2) {
			/* asked to power off */
			write_numbers(exit_file, 0, ENV_HALT_HALT);
			_exit(0);
		}
		if (sig == SIGTERM) {
			write_numbers(exit_file, 0, ENV_HALT_RESTART);
			_exit(0);
		}
		if (sig == SIGUSR1) {
			write_numbers(exit_file, 3 << 8, ENV_HALT_NONE);
			_exit(3);
		}
	}
	_exit(0);
}

/* Waits for its number; without one, when priv is gone or lets go, it ends. */
static void held_loop(int line)
{
	char *mark = xasprintf("%s/held-%d", dir(), (int)getpid());
	uint32_t veid = 0;
	ssize_t n;

	write_numbers(mark, (unsigned)getpid(), 0);
	do
		n = read(line, &veid, sizeof(veid));
	while (n < 0 && errno == EINTR);
	unlink(mark);
	if (n != sizeof(veid))
		_exit(0);
	init_loop(veid);
}

/* Forks twice, so that it is nobody's child; its pid. */
static int make_process(int line)
{
	int report[2], pid = 0;
	pid_t child;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		pid = fork();
		if (pid == 0) {
			setsid();
			dup2(line, 0); /* nothing else is to be held open */
			syscall(SYS_close_range, 3, ~0u, 0);
			held_loop(0);
		}
		if (write(report[1], &pid, sizeof(pid)) < 0)
			_exit(1);
		_exit(0);
	}
	close(report[1]);
	if (read(report[0], &pid, sizeof(pid)) != sizeof(pid))
		pid = -EAGAIN;
	close(report[0]);
	waitpid(child, NULL, 0);
	return pid;
}

static int refusal(const struct venv_spec *s)
{
	if (!strcmp(s->hostname, "refused"))
		return -EAGAIN;
	if (!strcmp(s->hostname, "broken"))
		return -ENOEXEC; /* as the kernel: init's exec is part of it */
	return 0;
}

int venv_hold(uint32_t id_first, uint32_t id_count)
{
	struct known k = { .id_first = id_first };
	int line[2];

	forget_closed();
	if (pipe2(line, O_CLOEXEC) < 0)
		return -errno;
	k.pid = make_process(line[0]);
	close(line[0]);
	k.line = line[1];
	k.fd = k.pid < 0 ? k.pid : open_pid(k.pid);
	if (k.fd < 0) {
		close(k.line);
		return k.fd;
	}
	return remember(&k);
}

int venv_ids(int fd)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return null < 0 ? -errno : null;
}

int venv_start(int fd, const struct venv_spec *s)
{
	char *file _free_ = path_of("ve", s->veid);
	char *exit_file _free_ = path_of("exit", s->veid);
	struct known *k = find(fd);
	int r = refusal(s);

	if (!k || k->veid)
		return -EBUSY;
	if (r < 0)
		return r;
	if (write(k->line, &s->veid, sizeof(s->veid)) != sizeof(s->veid))
		return -EIO;
	close(k->line);
	k->veid = s->veid;
	unlink(exit_file);
	write_numbers(file, (unsigned)k->pid, k->id_first);
	return 0;
}

int venv_open(uint32_t veid)
{
	char *file _free_ = path_of("ve", veid);
	unsigned pid, id_first;
	int fd;

	if (read_numbers(file, &pid, &id_first) != 2)
		return -ESRCH;
	fd = open_pid((int)pid);
	return fd < 0 ? -errno
		      : remember(&(struct known){ .fd = fd,
						  .veid = veid,
						  .id_first = id_first,
						  .pid = (int)pid });
}

static void drop_addresses(uint32_t veid)
{
	DIR *d = opendir(dir());
	struct dirent *de;

	while (d && (de = readdir(d))) {
		char *file _free_ = xasprintf("%s/%s", dir(), de->d_name);
		unsigned owner, epoch;

		if (!strncmp(de->d_name, "addr-", 5) &&
		    read_numbers(file, &owner, &epoch) == 2 && owner == veid)
			unlink(file);
	}
	if (d)
		closedir(d);
}

int venv_query(int fd, struct msg_entry *e)
{
	struct known *k = find(fd);
	char *exit_file _free_ = NULL, *file _free_ = NULL, *slow _free_ = NULL;
	unsigned status = SIGKILL, halt = 0;

	if (!k)
		return -EBADF;
	*e = (struct msg_entry){ .veid = k->veid,
				 .id_first = k->id_first,
				 .state = ENV_ST_RUNNING };
	file = path_of("frozen", k->veid);
	if (access(file, F_OK) == 0)
		e->state = ENV_ST_FROZEN;
	/* "slow-VEID": its init takes its time */
	slow = path_of("slow", k->veid);
	if (access(slow, F_OK) == 0)
		e->state = ENV_ST_STARTING;
	if (!has_ended(fd))
		return 0;
	unlink(file);
	free(file);
	exit_file = path_of("exit", k->veid);
	file = path_of("ve", k->veid);
	read_numbers(exit_file, &status, &halt);
	unlink(file);
	drop_addresses(k->veid);
	e->state = ENV_ST_STOPPED;
	e->exit_status = status;
	e->halt = halt;
	return 0;
}

int venv_list(uint32_t after, uint32_t *veids, uint32_t room)
{
	DIR *d = opendir(dir());
	struct dirent *de;
	uint32_t n = 0;

	while (d && n < room && (de = readdir(d))) {
		uint32_t veid, at;

		if (sscanf(de->d_name, "ve-%" SCNu32, &veid) != 1 ||
		    veid <= after || strstr(de->d_name, ".new"))
			continue;
		for (at = n; at && veids[at - 1] > veid; at--)
			veids[at] = veids[at - 1];
		veids[at] = veid;
		n++;
	}
	if (d)
		closedir(d);
	return (int)n;
}

int venv_signal(int fd, int sig)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) < 0 ? -errno
								    : 0;
}

int venv_kill(int fd)
{
	return venv_signal(fd, SIGKILL);
}

int venv_freeze(int fd, bool freeze)
{
	struct known *k = find(fd);
	char *file _free_ = NULL;

	if (!k)
		return -EBADF;
	file = path_of("frozen", k->veid);
	if (freeze == (access(file, F_OK) == 0))
		return -EBUSY;
	if (freeze)
		write_numbers(file, 1, 0);
	else
		unlink(file);
	return 0;
}

/* "rx-VEID": ms of CLOCK_BOOTTIME of the last packet, and a port. */
int venv_activity(int fd, struct msg_activity *a)
{
	struct known *k = find(fd);
	char *file _free_ = k ? path_of("rx", k->veid) : NULL;
	unsigned ms, port;

	if (!k)
		return -EBADF;
	if (read_numbers(file, &ms, &port) != 2)
		return 0;
	a->last_rx = ms;
	a->port = (uint16_t)port;
	a->protocol = IPPROTO_TCP;
	addr_parse(&a->peer, "192.0.2.9");
	return 0;
}

/* ---- what is entered ------------------------------------------------------- */

int venv_pty(int fd, uint16_t cols, uint16_t rows, int *master, int *slave)
{
	struct winsize w = { .ws_col = cols, .ws_row = rows };
	char name[64];

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	*slave = -1;
	if (*master < 0 || grantpt(*master) < 0 || unlockpt(*master) < 0 ||
	    ptsname_r(*master, name, sizeof(name)))
		return -errno;
	*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		return -errno;
	ioctl(*master, TIOCSWINSZ, &w);
	return 0;
}

static void run_program(const struct venv_run *run)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	for (unsigned i = 0; i < run->nfds; i++)
		if (dup2(run->fds[i], (int)i) < 0)
			_exit(126);
	if (run->ctty)
		ioctl(0, TIOCSCTTY, 0);
	syscall(SYS_close_range, run->nfds, ~0u, 0);
	if (run->cwd && chdir(run->cwd) < 0 && chdir("/") < 0)
		_exit(126);
	execve(run->path, run->argv, run->envp);
	_exit(127);
}

/* Waits for the program, and ends it with the VE. */
static void watch_program(const struct venv_run *run, int init, int line)
{
	struct pollfd p[2];
	pid_t pid;
	int status = 0;

	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (pid == 0)
		run_program(run);
	/* priv's descriptors are not ours to hold open */
	for (int fd = 3; fd < 4096; fd++)
		if (fd != init && fd != line)
			close(fd);
	p[0] = (struct pollfd){ .fd = init, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = open_pid(pid), .events = POLLIN };
	poll(p, 2, -1);
	if (!p[1].revents)
		kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (write(line, &status, sizeof(status)) < 0)
		_exit(1);
	_exit(0);
}

int venv_enter(int fd, int cgroup_fd, const struct venv_run *run)
{
	int line[2];
	pid_t child;

	if (has_ended(fd))
		return -ESRCH;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		close(line[0]);
		close(3);
		if (fork() == 0) {
			setsid();
			watch_program(run, fd, line[1]);
		}
		_exit(0);
	}
	close(line[1]);
	waitpid(child, NULL, 0);
	return line[0];
}

int venv_proc_query(int fd, struct venv_proc *p)
{
	int status = SIGKILL;
	ssize_t n = recv(fd, &status, sizeof(status), MSG_PEEK | MSG_DONTWAIT);

	*p = (struct venv_proc){ .exited = n >= 0,
				 .exit_status = (uint32_t)status };
	return 0;
}

static char *address_file(const struct addr *a)
{
	char text[ADDR_TEXT];

	return xasprintf("%s/addr-%s", dir(), addr_print(text, a));
}

int venv_addr_add(int fd, const struct addr *a, uint32_t epoch, int64_t until)
{
	char *file _free_ = address_file(a);
	struct known *k = find(fd);
	unsigned owner, was;

	if (!k)
		return -EBADF;
	if (read_numbers(file, &owner, &was) == 2 && owner != k->veid)
		return -EADDRINUSE;
	write_numbers(file, k->veid, epoch);
	return 0;
}

int venv_addr_del(int fd, const struct addr *a)
{
	char *file _free_ = address_file(a);

	return unlink(file) < 0 ? -EADDRNOTAVAIL : 0;
}

void venv_net_open(void)
{
}

int venv_connect(int fd, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  0);

	if (connect(sock, (struct sockaddr *)&in, sizeof(in)) < 0 &&
	    errno != EINPROGRESS) {
		close(sock);
		return -ECONNREFUSED;
	}
	return sock;
}

void netroute_open(void)
{
}

int netroute_egress(const struct addr *from, bool may)
{
	return 0;
}

int netroute_set(bool add, const struct cidr *to)
{
	return 0;
}

/* ---- mounts and groups: nothing -------------------------------------------- */

/* What it runs needs all that this process may. */
void confine(void)
{
}

int overlay_mount(int template_fd, int private_fd, int ids, uint32_t id_first,
		  struct err *e)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "/") : fd;
}

void cgroup_close(struct cgroup_fds *g)
{
}

int cgroup_make(const char *root, uint32_t id_first, struct cgroup_fds *g,
		struct err *e)
{
	return 0;
}

int cgroup_open(const char *root, uint32_t id_first, struct cgroup_fds *g,
		struct err *e)
{
	return 0;
}

int cgroup_limit(const struct cgroup_fds *g, const struct limits *l,
		 struct err *e)
{
	return 0;
}

int cgroup_io_on(const char *root, const char *path)
{
	return 0;
}

int cgroup_io(const struct cgroup_fds *g, uint32_t weight)
{
	return 0;
}

static int open_number(const char *kind, uint32_t id_first)
{
	for (int i = 0; i < MOST; i++)
		if (known[i].veid && known[i].id_first == id_first) {
			char *file _free_ = path_of(kind, known[i].veid);

			return open(file, O_RDONLY | O_CLOEXEC);
		}
	return -1;
}

/* "cpu-VEID": ms that it has used. */
int cgroup_cpu_open(const char *root, uint32_t id_first)
{
	return open_number("cpu", id_first);
}

int64_t cgroup_cpu_ms(int fd)
{
	char text[24];
	ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return strtoll(text, NULL, 10);
}

/* "disk-VEID": ms that it has waited. */
int cgroup_disk_open(const char *root, uint32_t id_first)
{
	return open_number("disk", id_first);
}

int64_t cgroup_disk_ms(int fd)
{
	return cgroup_cpu_ms(fd);
}

void cgroup_cold(const char *root, uint32_t id_first)
{
}

void cgroup_hot(const char *root, uint32_t id_first, uint64_t swap)
{
}

int cgroup_remove(const char *root, uint32_t id_first)
{
	return 0;
}

void cgroup_sweep(const char *root,
		  bool (*is_used)(const void *arg, uint32_t id_first),
		  const void *arg)
{
}
