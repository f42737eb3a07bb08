// SPDX-License-Identifier: Apache-2.0
/*
 * What root of a VE may do, asked of the running kernel and printed as docs/surface.md: capabilities, system
 * calls, sockets, devices, /proc and its settings.  Run on the node; it makes a VE and prints from inside.
 */
#include "iso.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names.h" /* of capabilities and system calls, from the kernel's own headers */

/* ---- capabilities -------------------------------------------------------- */

static void print_capabilities(void)
{
	puts("## Capabilities\n\nThe bounding set of root, in the VE's own user namespace; none of them counts outside it.\n");
	for (size_t i = 0; i < sizeof(capability_names) / sizeof(capability_names[0]); i++)
		if (prctl(PR_CAPBSET_READ, i) == 1)
			printf("%s%s", i ? " " : "", capability_names[i]);
	puts("\n");
}

/* ---- system calls -------------------------------------------------------- */

#define CALLS (sizeof(call_names) / sizeof(call_names[0]))
#define REFUSED (sizeof(refused_calls) / sizeof(refused_calls[0]))
#define OF_NODE "/of-node" /* in the VE's tree: what the node itself answers, call by call */

/* As iso_ask(), with an operation that there is where the call would answer ENOSYS to another. */
static int ask(size_t call)
{
	return call_names[call].nr == SYS_futex ? 0 : iso_ask(call_names[call].nr);
}

static void ask_node(const char *dir)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s" OF_NODE, dir);
	f = fopen(path, "w");
	for (size_t i = 0; f && i < CALLS; i++)
		fprintf(f, "%d\n", ask(i));
	if (!f || fclose(f))
		die("%s", path);
}

static bool in_table(const char *name)
{
	for (size_t i = 0; i < REFUSED; i++)
		if (!strcmp(refused_calls[i].name, name))
			return true;
	return false;
}

/* Of the table, which the kernel is asked about: a call that answers otherwise is told of. */
static void print_refused(int error, unsigned long long unless, const char *title)
{
	int n = 0;

	printf("%s:\n\n", title);
	for (size_t i = 0; i < REFUSED; i++) {
		size_t at = 0;
		int got;

		if (refused_calls[i].error != error || refused_calls[i].unless != unless)
			continue;
		while (at < CALLS && strcmp(call_names[at].name, refused_calls[i].name))
			at++;
		got = at < CALLS ? ask(at) : -1;
		printf("%s%s", n++ ? " " : "", refused_calls[i].name);
		if (got != error)
			printf(" (WRONG: it answers %d)", got);
	}
	puts("\n");
}

/* What @error comes from besides: only here, or from every kernel of this configuration. */
static void print_calls(int error, bool everywhere, const char *title)
{
	FILE *f = fopen(OF_NODE, "r");
	int n = 0, of_node;

	printf("%s:\n\n", title);
	for (size_t i = 0; i < CALLS; i++) {
		if (!f || fscanf(f, "%d", &of_node) != 1)
			die(OF_NODE);
		if (!in_table(call_names[i].name) && (of_node == error) == everywhere && ask(i) == error)
			printf("%s%s", n++ ? " " : "", call_names[i].name);
	}
	fclose(f);
	puts(n ? "\n" : "none\n");
}

static const char *answer(long ret)
{
	return ret < 0 ? strerrorname_np(errno) : "allowed";
}

/* Calls where it matters what is asked. */
static void print_depending(void)
{
	struct perf_event_attr event = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(event), .config = PERF_COUNT_SW_TASK_CLOCK, .exclude_kernel = 1
	};
	struct sock_filter allow = { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW };
	struct sock_fprog filter = { 1, &allow };
	char buf[64];

	puts("Where it matters what is asked:\n");
	printf("- perf_event_open of the caller's own clock: %s\n", answer(syscall(SYS_perf_event_open, &event, 0, -1, -1, 0)));
	printf("- syslog, reading all: %s, %ld bytes\n", answer(0), syscall(SYS_syslog, 3, buf, sizeof(buf)));
	printf("- syslog, clearing: %s\n", answer(syscall(SYS_syslog, 5, NULL, 0)));
	printf("- fanotify_init by descriptors of files: %s\n", answer(syscall(SYS_fanotify_init, 0, O_RDONLY)));
	printf("- fanotify_init by ids of files (FAN_REPORT_FID): %s\n", answer(syscall(SYS_fanotify_init, 0x200, O_RDONLY)));
	printf("- unshare of a user namespace: %s\n", answer(unshare(CLONE_NEWUSER)));
	printf("- personality with READ_IMPLIES_EXEC: %s\n", answer(personality(READ_IMPLIES_EXEC)));
	personality(0);
	printf("- seccomp with a listener (user notification): %s\n",
	       answer(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter)));
	puts("");
}

static void print_system_calls(void)
{
	puts("## System calls\n");
	print_refused(EPERM, 0, "Refused with EPERM, whatever the arguments (`include/linux/ve_syscall.h`, asked of the kernel)");
	print_refused(ENOSYS, 0, "Refused with ENOSYS");
	print_refused(ENOSYS, ENV_FEAT_NESTING, "Refused with ENOSYS but with the feature NESTING");
	print_calls(EPERM, false, "Answered with EPERM to arguments that none can use, where the node's root gets another error");
	print_calls(ENOSYS, false, "Answered with ENOSYS to those, where the node's root gets another error");
	print_calls(ENOSYS, true, "Not in this kernel, for the node either");
	print_depending();
}

/* ---- sockets ------------------------------------------------------------- */

static void print_sockets(void)
{
	static const struct {
		const char *name;
		int type;
	} types[] = { { "stream", SOCK_STREAM }, { "dgram", SOCK_DGRAM }, { "raw", SOCK_RAW }, { "seqpacket", SOCK_SEQPACKET } };

	puts("## Sockets\n\nEvery family (0 to 63), type and protocol (0 to 255) that opens.\n\n| family | type | protocols |\n|---|---|---|");
	for (int family = 0; family < 64; family++) {
		for (size_t t = 0; t < 4; t++) {
			int first = -1, n = 0;
			char line[2048] = "";

			for (int p = 0; p <= 256; p++) {
				int s = p < 256 ? socket(family, types[t].type, p) : -1;
				size_t used = strlen(line);

				if (s >= 0 && first < 0)
					first = p;
				if (s < 0 && first >= 0) {
					snprintf(line + used, sizeof(line) - used, first == p - 1 ? "%s%d" : "%s%d-%d",
						 n++ ? " " : "", first, p - 1);
					first = -1;
				}
				close(s);
			}
			if (n)
				printf("| %d | %s | %s |\n", family, types[t].name, line);
		}
	}
	puts("");
}

/* ---- devices ------------------------------------------------------------- */

static const int majors[] = { 1, 4, 5, 7, 10, 13, 29, 108, 136, 189, 202, 226, 229, 240, 253, 254 };
#define MAJORS (sizeof(majors) / sizeof(majors[0]))

static void make_devices(const char *dir)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/devices", dir);
	mkdir(path, 0755);
	for (size_t i = 0; i < MAJORS; i++) {
		for (int minor = 0; minor < 256; minor++) {
			for (int block = 0; block < 2; block++) {
				snprintf(path, sizeof(path), "%s/devices/%c-%d-%d", dir, "cb"[block], majors[i], minor);
				if (mknod(path, (block ? S_IFBLK : S_IFCHR) | 0666, makedev(majors[i], minor)))
					die("%s", path);
				chmod(path, 0666);
			}
		}
	}
}

/* One is open to a VE when the answer is anything but the boundary's. */
static void print_devices(void)
{
	char path[64];

	puts("## Devices\n\nOf the nodes that a tree could hold (block and character; majors 1 4 5 7 10 13 29 108 136 189 202 226 229 240"
	     "\n253 254; all minors below 256), those whose opening is not refused with EPERM.  A VE makes none itself.\n");
	for (int block = 0; block < 2; block++) {
		for (size_t i = 0; i < MAJORS; i++) {
			int first = -1;

			for (int minor = 0; minor <= 256; minor++) {
				bool open_to_ve = false;

				if (minor < 256) {
					snprintf(path, sizeof(path), "/devices/%c-%d-%d", "cb"[block], majors[i], minor);
					int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY);

					open_to_ve = fd >= 0 || errno != EPERM;
					close(fd);
				}
				if (open_to_ve && first < 0)
					first = minor;
				if (!open_to_ve && first >= 0) {
					printf(first == minor - 1 ? "- %c %d:%d\n" : "- %c %d:%d to %d\n", "cb"[block], majors[i],
					       first, minor - 1);
					first = -1;
				}
			}
		}
	}
	puts("");
}

/* ---- /proc --------------------------------------------------------------- */

static char *found[4096];
static size_t nr_found;

static void walk(const char *dir, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *path;

		if (e->d_name[0] == '.' || (depth == 0 && e->d_name[0] >= '0' && e->d_name[0] <= '9') ||
		    asprintf(&path, "%s/%s", dir, e->d_name) < 0)
			continue;
		if (e->d_type == DT_DIR && strcmp(path, "/proc/self/task") && strcmp(path, "/proc/self/fd") &&
		    strcmp(path, "/proc/self/fdinfo") && strcmp(path, "/proc/self/map_files"))
			walk(path, depth + 1);
		else if (nr_found < 4096)
			found[nr_found++] = path;
	}
	if (d)
		closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_files(const char *top, const char *title, bool skip_sys)
{
	printf("## %s\n\nr: can be opened for reading, w: for writing.\n\n", title);
	nr_found = 0;
	walk(top, strcmp(top, "/proc") ? 1 : 0);
	qsort(found, nr_found, sizeof(found[0]), by_name);
	for (size_t i = 0; i < nr_found; i++) {
		int r, w;

		if (skip_sys && (!strncmp(found[i], "/proc/sys/", 10) || !strncmp(found[i], "/proc/self/", 11) ||
				 !strncmp(found[i], "/proc/thread-self/", 18)))
			continue;
		r = open(found[i], O_RDONLY | O_NONBLOCK);
		w = open(found[i], O_WRONLY | O_NONBLOCK);
		printf("- %s %s%s\n", found[i], r < 0 ? "-" : "r", w < 0 ? "-" : "w");
		close(r);
		close(w);
	}
	puts("");
}

static int print_all(void)
{
	print_capabilities();
	print_system_calls();
	print_sockets();
	print_devices();
	print_files("/proc", "/proc", true);
	print_files("/proc/self", "/proc/self, as of every process of the VE", false);
	print_files("/proc/sys", "/proc/sys", false);
	fflush(stdout);
	return 0;
}

/* ---- what each feature opens ----------------------------------------------- */

#define TYPES "/types" /* in the VE's tree: kinds of file system that the node has */
#define DOORS "/doors" /* what is open, a line each */

static FILE *doors;

static void open_sockets(void)
{
	static const char *const types[] = { "", "stream", "dgram", "raw" };

	for (int family = 0; family < 64; family++) {
		for (int type = SOCK_STREAM; type <= SOCK_RAW; type++) {
			/* Elsewhere it is no kind: what a packet socket listens to */
			for (int p = 0; p < (family == AF_NETLINK ? MAX_LINKS : 1); p++) {
				int s = socket(family, type, p);

				if (s >= 0)
					fprintf(doors, "a socket of family %d, %s, protocol %d\n", family, types[type], p);
				close(s);
			}
		}
	}
}

static void open_mounts(void)
{
	FILE *f = fopen(TYPES, "r");
	char type[64];

	mkdir("/mnt-door", 0755);
	while (f && fscanf(f, "%63s", type) == 1) {
		if (!mount("none", "/mnt-door", type, 0, NULL))
			umount("/mnt-door");
		else if (errno == EPERM)
			continue;
		fprintf(doors, "mounting %s\n", type);
	}
	if (f)
		fclose(f);
}

static void open_devices(void)
{
	for (int block = 0; block < 2; block++) {
		for (size_t i = 0; i < MAJORS; i++) {
			for (int minor = 0; minor < 256; minor++) {
				char path[64];
				int fd;

				snprintf(path, sizeof(path), "/devices/%c-%d-%d", "cb"[block], majors[i], minor);
				fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY);
				if (fd >= 0 || errno != EPERM)
					fprintf(doors, "device %c %d:%d\n", "cb"[block], majors[i], minor);
				close(fd);
			}
		}
	}
}

static void open_files(void)
{
	nr_found = 0;
	walk("/proc", 0);
	qsort(found, nr_found, sizeof(found[0]), by_name);
	for (size_t i = 0; i < nr_found; i++) {
		int r = open(found[i], O_RDONLY | O_NONBLOCK), w = open(found[i], O_WRONLY | O_NONBLOCK);

		if (strncmp(found[i], "/proc/self/", 11) && strncmp(found[i], "/proc/thread-self/", 18)) {
			if (r >= 0)
				fprintf(doors, "reading %s\n", found[i]);
			if (w >= 0)
				fprintf(doors, "writing %s\n", found[i]);
		}
		close(r);
		close(w);
	}
}

static void open_namespaces(void)
{
	static const struct {
		const char *name;
		int flag;
	} kinds[] = { { "user", CLONE_NEWUSER },     { "mount", CLONE_NEWNS },	  { "process", CLONE_NEWPID },
		      { "IPC", CLONE_NEWIPC },	     { "network", CLONE_NEWNET }, { "name", CLONE_NEWUTS },
		      { "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int status, pid = fork();

		if (!pid)
			_exit(unshare(kinds[i].flag) ? 1 : 0);
		waitpid(pid, &status, 0);
		if (!status)
			fprintf(doors, "a %s namespace\n", kinds[i].name);
	}
}

static void open_links(void)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg link;
		struct rtattr info, kind;
		char name[8];
	} r = { .nlh = { .nlmsg_type = RTM_NEWLINK,
			 .nlmsg_flags = NLM_F_CREATE | NLM_F_REQUEST | NLM_F_ACK,
			 .nlmsg_len = sizeof(r) },
		.info = { sizeof(r.info) + sizeof(r.kind) + sizeof(r.name), IFLA_LINKINFO },
		.kind = { sizeof(r.kind) + 6, IFLA_INFO_KIND },
		.name = "dummy" };
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char rest[512];
	} a;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (send(s, &r, sizeof(r), 0) == sizeof(r) && recv(s, &a, sizeof(a), 0) > 0 && !a.err.error)
		fprintf(doors, "making a link\n");
	close(s);
	system("ip link del dummy0 2>/dev/null");
}

static int write_doors(void)
{
	doors = fopen(DOORS, "w");
	if (!doors)
		return BROKEN;
	for (size_t i = 0; i < CALLS; i++)
		if (in_table(call_names[i].name) && ask(i) != EPERM && ask(i) != ENOSYS)
			fprintf(doors, "calling %s\n", call_names[i].name);
	open_sockets();
	open_mounts();
	open_devices();
	open_files();
	open_namespaces();
	open_links();
	return fclose(doors) ? BROKEN : 0;
}

static const struct iso_row rows[] = { { .probe = print_all }, { .probe = write_doors } };

/* ---- on the node ----------------------------------------------------------- */

/* All lines that a VE with @features writes, one string. */
static char *doors_with(const char *dir, __u64 features)
{
	char path[300], *text = NULL;
	size_t size = 0;
	int fd;
	FILE *f;

	if (env_ctl(iso_a.fd, ENV_CTL_FEATURES, &features, sizeof(features)))
		die("features");
	fd = iso_leave(write_doors);
	if (env_wait(fd))
		die("what is open");
	close(fd);
	snprintf(path, sizeof(path), "%s" DOORS, dir);
	f = fopen(path, "r");
	if (!f || getdelim(&text, &size, 0, f) < 1)
		die("%s", path);
	fclose(f);
	return text;
}

static bool has_line(const char *text, const char *line, size_t n)
{
	for (const char *at = text; (at = strstr(at, line)) && n; at++)
		if ((at == text || at[-1] == '\n') && at[n] == '\n')
			return true;
	return false;
}

static void print_features(const char *dir)
{
	static const struct {
		const char *name;
		__u64 bit;
	} features[] = { { "NESTING", ENV_FEAT_NESTING }, { "PACKET", ENV_FEAT_PACKET }, { "NETFILTER", ENV_FEAT_NETFILTER },
			 { "TUN", ENV_FEAT_TUN },	  { "FUSE", ENV_FEAT_FUSE },	 { "NET_SYSCTL", ENV_FEAT_NET_SYSCTL } };
	char *none = doors_with(dir, 0);

	puts("## What each feature opens\n\nOff unless an operator sets it for one VE.  Of the calls above, sockets (by protocol those of netlink),"
	     "\nkinds of file system, devices, files of /proc, namespaces and links: what is refused without it.\n");
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		char *with = doors_with(dir, features[i].bit);

		printf("### %s\n\n", features[i].name);
		for (char *line = strtok(with, "\n"); line; line = strtok(NULL, "\n"))
			if (!has_line(none, line, strlen(line)))
				printf("- %s\n", line);
		puts("");
		free(with);
	}
	free(none);
}

static void list_types(const char *dir)
{
	char path[300], line[128], *name;
	FILE *in = fopen("/proc/filesystems", "r"), *out;

	snprintf(path, sizeof(path), "%s" TYPES, dir);
	out = fopen(path, "w");
	while (in && out && fgets(line, sizeof(line), in))
		if ((name = strrchr(line, '\t')))
			fputs(name + 1, out);
	if (!in || !out || fclose(in) || fclose(out))
		die("%s", path);
}

static void setup(void)
{
	char dir[200];
	int fd;

	snprintf(dir, sizeof(dir), "%s/upper", iso_a.private);
	make_devices(dir);
	ask_node(dir);
	list_types(dir);
	fd = iso_leave(print_all);
	if (env_wait(fd))
		die("surface");
	close(fd);
	print_features(dir);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc == 1)
		puts("# What a VE may do\n\nPrinted by `make surface` from inside a VE of the strict profile, by its root, and at the end "
		     "with each feature;\n`tests/guest/t4004-surface.sh` prints it again and compares.  A kernel that shows more fails there until "
		     "somebody has looked.\n");
	fflush(stdout);
	iso_main(argc, argv, ISO_ROWS(rows), setup);
	return 0;
}
