// SPDX-License-Identifier: Apache-2.0
/* Files: device nodes, descriptors from elsewhere, /proc and its settings, terminals. */
#include "iso.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static int open_one(const char *path, int flags)
{
	return iso_errno(open(path, flags | O_CLOEXEC));
}

/* The node has put these nodes into the trees; nobody in a VE could. */
static const struct {
	const char *name;
	unsigned int major, minor;
} nodes[] = { { "kmsg", 1, 11 }, { "console", 5, 1 }, { "serial", 4, 64 }, { "null", 1, 3 }, { "tun", 10, 200 }, { "fuse", 10, 229 } };

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

static void setup(void)
{
	char path[200];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/upper", i ? iso_b.private : iso_a.private);
		put_nodes(path);
	}
	put_nodes("");
}

#define DEVICE(name)                                           \
	static int device_##name(void)                         \
	{                                                      \
		return open_one("/x-" #name, O_RDWR | O_NONBLOCK | O_NOCTTY); \
	}
DEVICE(kmsg)
DEVICE(console)
DEVICE(serial)
DEVICE(null)
DEVICE(tun)
DEVICE(fuse)

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

/* A file that its maker gave all capabilities, or a set-id bit: what are they worth on the node? */
static int give_capabilities(void)
{
	const struct vfs_cap_data all = { .magic_etc = htole32(VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE),
					  .data = { { .permitted = htole32(~0U) }, { .permitted = htole32(~0U) } } };
	const char *name = getppid() ? "cap-node" : getuid() ? "cap-user" : "cap-ve";
	int fd = openat(FD_SHARED, name, O_RDWR | O_CREAT, 0755);

	if (fd < 0 || fchmod(fd, 04755))
		return fd < 0 ? errno : BROKEN;
	return iso_errno(fsetxattr(fd, "security.capability", &all, sizeof(all), 0));
}

static int worth_of(const char *name)
{
	struct vfs_ns_cap_data d;
	int fd = openat(FD_SHARED, name, O_RDONLY);
	ssize_t n = fgetxattr(fd, "security.capability", &d, sizeof(d));
	struct stat st;

	if (n < (ssize_t)sizeof(struct vfs_cap_data) || fstat(fd, &st))
		return BROKEN;
	/* With the number of a user namespace's root they count nowhere else, and set-id is that user. */
	return (n == sizeof(d) && d.rootid) && st.st_uid ? EPERM : 0;
}

static int worth_of_nodes(void)
{
	return worth_of("cap-node");
}

static int worth_of_ves(void)
{
	return worth_of("cap-ve");
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

static int overwrite_program(void)
{
	return open_one("/proc/self/exe", O_WRONLY);
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
	{ "making a device node", NULL, make_device, { 0, EPERM, EPERM, EPERM } },
	{ "making a fifo", NULL, make_fifo, { 0, 0, NA, 0 } },
	{ "a descriptor that the node opened", "receive", take_from_node, { 0, EPERM, EPERM, EPERM } },
	{ "a descriptor that it opened itself", NULL, take_from_self, { 0, 0, 0, 0 } },
	{ "a trusted attribute", NULL, trusted_xattr, { 0, EPERM, NA, EPERM } },
	{ "capabilities for a file of its own", NULL, give_capabilities, { 0, 0, EPERM, NA } },
	{ "those of the node's file on the node", NULL, worth_of_nodes, { 0, NA, NA, NA } },
	{ "those of a VE's file on the node", NULL, worth_of_ves, { EPERM, NA, NA, NA } },
	{ "getting no further than its file system out of a bind mount", NULL, leave_bind_mount, { 0, 0, EPERM, 0 } },
	{ "overwriting the program that runs", NULL, overwrite_program, { ETXTBSY, ETXTBSY, EACCES, ETXTBSY } },
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
	{ "taking the console's output", NULL, steal_console, { NA, EPERM, EPERM, EPERM } },
	{ "a low number for its first terminal", NULL, first_pty, { 0, 0, 0, 0 } },
};

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
