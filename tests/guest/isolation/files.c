// SPDX-License-Identifier: Apache-2.0
/* Files: device nodes, descriptors from elsewhere, /proc and its settings, terminals. */
#include "iso.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	FD_TEMPLATE = FD_MORE,	/* the template itself */
	FD_WATCHER,		/* to what watches in VE A */
	FD_READY		/* to what has a terminal in VE A */
};

#define SHARED_FILE "/etc/os-release"

static int open_one(const char *path, int flags)
{
	return iso_errno(open(path, flags | O_CLOEXEC));
}

/* The node has put these nodes into the trees; nobody in a VE could. */
static const struct {
	const char *name;
	unsigned int major, minor;
} nodes[] = { { "kmsg", 1, 11 }, { "console", 5, 1 }, { "serial", 4, 64 }, { "vt", 4, 0 }, { "null", 1, 3 }, { "tun", 10, 200 },
	    { "fuse", 10, 229 } };

static void put_nodes(const char *dir)
{
	char path[200];

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		snprintf(path, sizeof(path), "%s/x-%s", dir, nodes[i].name);
		if (mknod(path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) && errno != EEXIST)
			die("%s", path);
		chmod(path, 0666);
	}
}

static void leave_things(void);

static void setup(void)
{
	char path[200];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/upper", i ? iso_b.private : iso_a.private);
		put_nodes(path);
	}
	put_nodes("");
	leave_things();
}

#define DEVICE(name)                                           \
	static int device_##name(void)                         \
	{                                                      \
		return open_one("/x-" #name, O_RDWR | O_NONBLOCK | O_NOCTTY); \
	}
DEVICE(kmsg)
DEVICE(console)
DEVICE(serial)
DEVICE(vt)
DEVICE(null)
DEVICE(tun)
DEVICE(fuse)

/* A mount of what a process of the caller's would serve; the kernel asks that one only when somebody looks. */
static int mount_fuse(void)
{
	char options[80];
	int fd = open("/x-fuse", O_RDWR);

	/* without the device, the question is the same */
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (unshare(CLONE_NEWNS))
		return errno;
	return iso_errno(mount("x", "/tmp", "fuse", MS_NOSUID | MS_NODEV, options));
}

static int make_device(void)
{
	unlink("/tmp/mine");
	return iso_errno(mknod("/tmp/mine", S_IFCHR | 0600, makedev(1, 3)));
}

static int make_fifo(void)
{
	unlink("/tmp/fifo");
	return iso_errno(mkfifo("/tmp/fifo", 0600));
}

static int take(int sock)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u;
	char c;
	struct iovec iov = { .iov_base = &c, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof(u.buf) };

	if (recvmsg(sock, &m, 0) != 1)
		return BROKEN;
	return CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_len == CMSG_LEN(sizeof(int)) ? 0 : EPERM;
}

static int take_from_node(void)
{
	return write(FD_HELPER, "f", 1) == 1 ? take(FD_HELPER) : BROKEN;
}

static int take_from_self(void)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { 0 };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof(u.buf) };
	int pair[2], fd = open("/dev/null", O_RDONLY);

	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return BROKEN;
	CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
	if (sendmsg(pair[0], &m, 0) != 1)
		return BROKEN;
	return take(pair[1]);
}

static int trusted_xattr(void)
{
	int fd = open("/tmp/x", O_RDWR | O_CREAT, 0600);

	return iso_errno(fsetxattr(fd, "trusted.x", "1", 1, 0));
}

/* A value of its own written back: what matters is whether it may. */
static int write_setting(const char *path)
{
	char buf[64];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	if (n < 0)
		return errno;
	close(fd);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	return iso_errno(write(fd, buf, (size_t)n));
}

static int read_kallsyms(void)
{
	return open_one("/proc/kallsyms", O_RDONLY);
}

static int read_interrupts(void)
{
	return open_one("/proc/interrupts", O_RDONLY);
}

static int read_meminfo(void)
{
	return open_one("/proc/meminfo", O_RDONLY);
}

static int read_core_pattern(void)
{
	return open_one("/proc/sys/kernel/core_pattern", O_RDONLY);
}

static int read_pid_max(void)
{
	return open_one("/proc/sys/kernel/pid_max", O_RDONLY);
}

static int write_hostname(void)
{
	return write_setting("/proc/sys/kernel/hostname");
}

static int write_core_pattern(void)
{
	return write_setting("/proc/sys/kernel/core_pattern");
}

static int write_namespaces(void)
{
	return write_setting("/proc/sys/user/max_net_namespaces");
}

static int write_forwarding(void)
{
	return write_setting("/proc/sys/net/ipv4/tcp_ecn");
}

static int own_terminal(void)
{
	int m = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlock = 0;

	ioctl(m, TIOCSPTLCK, &unlock);
	return ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
}

static int push_input(void)
{
	int s = own_terminal();

	return s < 0 ? BROKEN : iso_errno(ioctl(s, TIOCSTI, "x"));
}

static int steal_console(void)
{
	int s = own_terminal();

	return s < 0 ? BROKEN : iso_errno(ioctl(s, TIOCCONS));
}

/* A terminal of its own has a low number: nobody else's are in its directory. */
static int first_pty(void)
{
	int m = open("/dev/ptmx", O_RDWR | O_NOCTTY), n = -1;

	if (m < 0 || ioctl(m, TIOCGPTN, &n))
		return BROKEN;
	return n < 4 ? 0 : EPERM;
}

/* ---- terminals of others: known by their size ----------------------------- */

enum { NODES_ROWS = 77, VES_ROWS = 78 };

static int hold_terminal(int height)
{
	struct winsize size = { .ws_row = (unsigned short)height, .ws_col = 10 };
	int m = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlock = 0, n;
	char path[32];

	if (m < 0 || ioctl(m, TIOCSPTLCK, &unlock) || ioctl(m, TIOCSWINSZ, &size) || ioctl(m, TIOCGPTN, &n))
		return -1;
	snprintf(path, sizeof(path), "/dev/pts/%d", n);
	return chmod(path, 0666) ? -1 : m;
}

/* Left running in VE A */
static int keep_terminal(void)
{
	if (hold_terminal(VES_ROWS) < 0 || write(FD_READY, "r", 1) != 1)
		return BROKEN;
	for (;;)
		pause();
}

static int terminal_by_number(int height)
{
	struct winsize size;
	char path[32];

	for (int n = 0; n < 256; n++) {
		int fd;

		snprintf(path, sizeof(path), "/dev/pts/%d", n);
		fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (fd >= 0 && !ioctl(fd, TIOCGWINSZ, &size) && size.ws_row == height)
			return 0;
		close(fd);
	}
	return ENOENT;
}

static int nodes_terminal(void)
{
	return terminal_by_number(NODES_ROWS);
}

static int ves_terminal(void)
{
	return terminal_by_number(VES_ROWS);
}

static int size_of_terminal(void)
{
	struct winsize size = { .ws_row = 5, .ws_col = 5 };
	int s = own_terminal();

	return s < 0 ? BROKEN : iso_errno(ioctl(s, TIOCSWINSZ, &size));
}

static int paste_selection(void)
{
	char paste = 3; /* TIOCL_PASTESEL */
	int s = own_terminal();

	return s < 0 ? BROKEN : iso_errno(ioctl(s, TIOCLINUX, &paste));
}

/* Any of those that a virtual console knows */
static int act_on_console(void)
{
	static const unsigned long calls[] = { VT_OPENQRY, VT_GETMODE, VT_GETSTATE, VT_ACTIVATE, VT_DISALLOCATE,
					       KDGKBTYPE, KDSETMODE, KDSKBMODE, KDSKBENT, KDSIGACCEPT, KDMKTONE };
	int s = own_terminal();
	long arg[16] = { 1 };

	if (s < 0)
		return BROKEN;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!ioctl(s, calls[i], arg) || errno != ENOTTY)
			return 0;
	return ENOTTY;
}

/* A file that its maker gave all capabilities, or a set-id bit: what are they worth on the node? */
static int give_some(int fd, unsigned int low, unsigned int high)
{
	const struct vfs_cap_data some = { .magic_etc = htole32(VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE),
					   .data = { { .permitted = htole32(low) }, { .permitted = htole32(high) } } };

	return iso_errno(fsetxattr(fd, "security.capability", &some, sizeof(some), 0));
}

static int give_capabilities(void)
{
	const char *name = getppid() ? "cap-node" : getuid() ? "cap-user" : "cap-ve";
	int fd = openat(FD_SHARED, name, O_RDWR | O_CREAT, 0755);

	if (fd < 0 || fchmod(fd, 04755))
		return fd < 0 ? errno : BROKEN;
	return give_some(fd, ~0U, ~0U);
}

static int worth_of_fd(int fd)
{
	struct vfs_ns_cap_data d;
	ssize_t n = fgetxattr(fd, "security.capability", &d, sizeof(d));
	struct stat st;

	if (n < (ssize_t)sizeof(struct vfs_cap_data) || fstat(fd, &st))
		return BROKEN;
	/* With the number of a user namespace's root they count nowhere else, and set-id is that user. */
	return (n == sizeof(d) && d.rootid) && st.st_uid ? EPERM : 0;
}

static int worth_of_nodes(void)
{
	return worth_of_fd(openat(FD_SHARED, "cap-node", O_RDONLY));
}

static int worth_of_ves(void)
{
	return worth_of_fd(openat(FD_SHARED, "cap-ve", O_RDONLY));
}

/* A directory is renamed out of a bind mount while it is the current one: ".." ends at the file system's root. */
static int leave_bind_mount(void)
{
	int root = open("/", O_RDONLY | O_DIRECTORY);
	struct stat before, after;

	mkdir("/tmp/outer", 0755);
	mkdir("/tmp/outer/in", 0755);
	mkdir("/tmp/outer/in/deep", 0755);
	mkdir("/tmp/view", 0755);
	if (stat("/tmp/outer", &before) || unshare(CLONE_NEWNS) || mount("/tmp/outer/in", "/tmp/view", NULL, MS_BIND, NULL))
		return errno;
	if (chroot("/tmp/view") || chdir("/deep"))
		return BROKEN;
	/* The other half of the race, by the way that stays open. */
	if (renameat(root, "tmp/outer/in/deep", root, "tmp/outer/deep"))
		return BROKEN;
	for (int i = 0; i < 30 && !chdir(".."); i++)
		;
	if (renameat(root, "tmp/outer/deep", root, "tmp/outer/in/deep") || stat(".", &after))
		return BROKEN;
	return before.st_dev == after.st_dev ? 0 : EPERM;
}

/* ---- the same on the root that the template is under --------------------- */

/* Copies of this program, which somebody else then runs. */
#define BY_ID "/by-id"		/* set-id */
#define BY_CAP "/by-cap"	/* with a capability */

static int copy_to(const char *path)
{
	int in = open("/proc/self/exe", O_RDONLY), out = open(path, O_RDWR | O_CREAT | O_TRUNC, 0755);

	if (in < 0 || out < 0)
		return -1;
	while (sendfile(out, in, NULL, 1 << 20) > 0)
		;
	close(in);
	return out;
}

static int make_programs(void)
{
	int id = copy_to(BY_ID), cap = copy_to(BY_CAP);

	if (id < 0 || cap < 0)
		return errno;
	/* One that a VE does not have in its bound would keep the program from running. */
	return fchmod(id, 04755) || fchmod(cap, 0755) ? BROKEN : give_some(cap, 1U << CAP_SYS_ADMIN, 0);
}

/* What such a program may do; @nodes: over the node. */
static int worth(bool nodes)
{
	char name[65];

	if (nodes)
		return steal_console();
	return gethostname(name, sizeof(name)) ? BROKEN : iso_errno(sethostname(name, strlen(name)));
}

static int run_as_user(const char *path, const char *what)
{
	int status, pid = fork();

	if (!pid) {
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			_exit(BROKEN);
		execl(path, path, what, NULL);
		_exit(BROKEN);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : BROKEN;
}

#define WORTH(how, path)                                 \
	static int root_##how(void)                      \
	{                                                \
		return run_as_user(path, "--over-own");  \
	}                                                \
	static int node_##how(void)                      \
	{                                                \
		return run_as_user(path, "--over-node"); \
	}
WORTH(by_id, BY_ID)
WORTH(by_cap, BY_CAP)

static int root_by_none(void)
{
	return run_as_user("/proc/self/exe", "--over-own");
}

/* ---- events of files -------------------------------------------------------- */

/* Left running in VE A: tells whether the file of the template was opened since it was last asked. */
static int watch_file(void)
{
	char buf[4096], c;
	int fd = inotify_init1(IN_NONBLOCK);

	if (inotify_add_watch(fd, SHARED_FILE, IN_OPEN | IN_MODIFY | IN_ATTRIB) < 0 || write(FD_WATCHER, "r", 1) != 1)
		return BROKEN;
	while (read(FD_WATCHER, &c, 1) == 1) {
		c = read(fd, buf, sizeof(buf)) > 0;
		write(FD_WATCHER, &c, 1);
	}
	return 0;
}

static int is_watched(void)
{
	char heard;
	int fd;

	if (write(FD_WATCHER, "q", 1) != 1 || read(FD_WATCHER, &heard, 1) != 1)
		return BROKEN;
	/* The node's own touch is of the template itself. */
	fd = getppid() ? openat(FD_TEMPLATE, SHARED_FILE + 1, O_RDONLY) : open(SHARED_FILE, O_RDONLY);
	if (fd < 0 || write(FD_WATCHER, "q", 1) != 1 || read(FD_WATCHER, &heard, 1) != 1)
		return BROKEN;
	return heard ? 0 : EPERM;
}

static int handle_of(int dir, const char *path)
{
	struct {
		struct file_handle h;
		unsigned char rest[MAX_HANDLE_SZ];
	} f = { .h.handle_bytes = MAX_HANDLE_SZ };
	int id;

	return iso_errno(name_to_handle_at(dir, path, &f.h, &id, 0));
}

static int handle_of_shared(void)
{
	return getppid() ? handle_of(FD_TEMPLATE, SHARED_FILE + 1) : handle_of(AT_FDCWD, SHARED_FILE);
}

static int handle_of_own(void)
{
	mkdir("/tmp/handle", 0755);
	if (unshare(CLONE_NEWNS) || mount("own", "/tmp/handle", "tmpfs", 0, NULL))
		return errno;
	return handle_of(AT_FDCWD, "/tmp/handle");
}

static int overwrite_program(void)
{
	return open_one("/proc/self/exe", O_WRONLY);
}

/* A copy of it that nobody runs. */
static int overwrite_copy(void)
{
	char copy[] = "/tmp/copy-XXXXXX", command[80];
	int fd = mkstemp(copy);

	snprintf(command, sizeof(command), "cp /proc/%d/exe %s", getpid(), copy);
	if (fd < 0 || close(fd) || system(command))
		return BROKEN;
	return open_one(copy, O_WRONLY);
}

static const struct iso_row rows[] = {
	{ "opening the kernel log's device", NULL, device_kmsg, { 0, EPERM, EPERM, EPERM } },
	{ "opening the console", NULL, device_console, { 0, EPERM, EPERM, EPERM } },
	{ "opening the serial line", "device", device_serial, { 0, EPERM, EPERM, EPERM } },
	{ "opening null", NULL, device_null, { 0, 0, 0, 0 } },
	{ "opening tun", NULL, device_tun, { 0, EPERM, EPERM, EPERM } },
	{ "opening tun with the feature", NULL, device_tun, { NA, 0, 0, EPERM }, .features = ENV_FEAT_TUN },
	{ "opening fuse", NULL, device_fuse, { 0, EPERM, EPERM, EPERM } },
	{ "opening fuse with the feature", NULL, device_fuse, { NA, 0, 0, EPERM }, .features = ENV_FEAT_FUSE },
	{ "mounting a fuse", NULL, mount_fuse, { 0, EPERM, EPERM, EPERM } },
	{ "mounting a fuse with the feature", NULL, mount_fuse, { NA, 0, EPERM, EPERM }, .features = ENV_FEAT_FUSE },
	{ "making a device node", NULL, make_device, { 0, EPERM, EPERM, EPERM } },
	{ "making a fifo", NULL, make_fifo, { 0, 0, NA, 0 } },
	{ "a descriptor that the node opened", "receive", take_from_node, { 0, EPERM, EPERM, EPERM } },
	{ "a descriptor that it opened itself", NULL, take_from_self, { 0, 0, 0, 0 } },
	{ "a trusted attribute", NULL, trusted_xattr, { 0, EPERM, NA, EPERM } },
	{ "capabilities for a file of its own", NULL, give_capabilities, { 0, 0, EPERM, NA } },
	{ "those of the node's file on the node", NULL, worth_of_nodes, { 0, NA, NA, NA } },
	{ "those of a VE's file on the node", NULL, worth_of_ves, { EPERM, NA, NA, NA } },
	{ "a set-id program on its root, and one with a capability", NULL, make_programs, { 0, 0, EACCES, 0 } },
	{ "being root to a user by the set-id bit", NULL, root_by_id, { 0, 0, 0, 0 } },
	{ "being root to a user by the capability", NULL, root_by_cap, { 0, 0, 0, 0 } },
	{ "being root to a user by neither", NULL, root_by_none, { EPERM, EPERM, EPERM, EPERM } },
	{ "being the node's root by the set-id bit", NULL, node_by_id, { 0, EPERM, EPERM, EPERM } },
	{ "being the node's root by the capability", NULL, node_by_cap, { 0, EPERM, EPERM, EPERM } },
	{ "VE A's watch of a template's file hearing of who opens it", NULL, is_watched, { EPERM, 0, 0, EPERM } },
	{ "a handle of a file of its own", NULL, handle_of_own, { 0, 0, EPERM, 0 } },
	{ "a handle of a template's file", NULL, handle_of_shared, { 0, EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP } },
	{ "getting no further than its file system out of a bind mount", NULL, leave_bind_mount, { 0, 0, EPERM, 0 } },
	{ "overwriting the program that runs", NULL, overwrite_program, { ETXTBSY, ETXTBSY, EACCES, ETXTBSY } },
	{ "overwriting one that does not run", NULL, overwrite_copy, { 0, 0, 0, 0 } },
	{ "reading the kernel's symbols", "proc", read_kallsyms, { 0, ENOENT, ENOENT, ENOENT } },
	{ "reading interrupts", NULL, read_interrupts, { 0, ENOENT, ENOENT, ENOENT } },
	{ "reading meminfo", NULL, read_meminfo, { 0, 0, 0, 0 } },
	{ "reading core_pattern", "sysctl", read_core_pattern, { 0, ENOENT, ENOENT, ENOENT } },
	{ "reading pid_max", NULL, read_pid_max, { 0, 0, 0, 0 } },
	{ "writing the host name", NULL, write_hostname, { 0, 0, EACCES, 0 } },
	{ "writing core_pattern", NULL, write_core_pattern, { 0, ENOENT, ENOENT, ENOENT } },
	{ "writing the number of networks", "sysctl_write", write_namespaces, { 0, EROFS, EROFS, EROFS } },
	{ "writing a setting of its network", NULL, write_forwarding, { 0, EROFS, EROFS, EROFS } },
	{ "writing a setting of its network with the feature", NULL, write_forwarding, { NA, 0, EACCES, EROFS }, .features = ENV_FEAT_NET_SYSCTL },
	{ "pushing input into a terminal", NULL, push_input, { 0, EIO, EIO, EIO } },
	{ "taking the console's output", NULL, steal_console, { 0, EPERM, EPERM, EPERM } },
	{ .probe = keep_terminal },
	{ .probe = watch_file },
	{ "the node's terminal by its number", NULL, nodes_terminal, { 0, ENOENT, ENOENT, ENOENT } },
	{ "VE A's terminal by its number", NULL, ves_terminal, { ENOENT, 0, 0, ENOENT } },
	{ "a size for its own terminal", NULL, size_of_terminal, { 0, 0, 0, 0 } },
	/* The node's kernel has no virtual consoles: nobody can do these to any terminal. */
	{ "opening a virtual console, of which there are none", NULL, device_vt, { ENXIO, EPERM, EPERM, EPERM } },
	{ "pasting by TIOCLINUX, which nobody has", NULL, paste_selection, { ENOTTY, ENOTTY, ENOTTY, ENOTTY } },
	{ "what a virtual console would do", NULL, act_on_console, { ENOTTY, ENOTTY, ENOTTY, ENOTTY } },
	{ "a low number for its first terminal", NULL, first_pty, { 0, 0, 0, 0 } },
};

/* Leave @probe in VE A with a socket at @which, once it has said that it is ready. */
static void leave(int (*probe)(void), int which)
{
	struct pollfd p = { .events = POLLIN };
	int pair[2];
	char c;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	iso_replace(which, pair[1]);
	iso_leave(probe);
	p.fd = pair[0];
	if (poll(&p, 1, 60000) != 1 || read(pair[0], &c, 1) != 1)
		die("what is left in VE A");
	iso_replace(which, pair[0]);
}

static void leave_things(void)
{
	const char *disk = getenv("ISO_TEMPLATE");

	iso_replace(FD_TEMPLATE, open(disk ? disk : "/usr/share/ve/template/tiny", O_RDONLY | O_DIRECTORY));
	if (hold_terminal(NODES_ROWS) < 0)
		die("the node's terminal");
	leave(keep_terminal, FD_READY);
	leave(watch_file, FD_WATCHER);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strncmp(argv[1], "--over-", 7))
		return worth(!strcmp(argv[1], "--over-node"));
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
